/* interrupt.h - SIGINT, SIGTERM and SIGHUP become an ordinary error
 *
 * The one place with mutable globals: a signal handler has nothing else. */

#ifndef ANKLUME_BASE_INTERRUPT_H
#define ANKLUME_BASE_INTERRUPT_H

#include <stdbool.h>

struct error;

/* Take over the signals and ignore SIGPIPE. Once, before anything blocks. */
int interrupt_install(struct error *err);

/* 0, or -1 with ERROR_INTERRUPTED or ERROR_TERMINATED once a signal has come
 * (and no shield is up). Sets err only when it is clear. */
int interrupt_check(struct error *err);

/* Whether a signal has come, shield or not. */
bool interrupt_seen(void);

/* A descriptor that is readable once a signal has come, for poll(2); -1, which
 * poll ignores, while the shield is up. */
int interrupt_fd(void);

/* While the shield is up the program tidies up: waits go on in spite of a
 * signal that has come, and a further one ends the process at once, with the
 * status that it has as an error. Pairs nest. */
void interrupt_shield_up(void);
void interrupt_shield_down(void);

/* For a child that is interrupted by itself: from here on it hears signals of
 * its own, and one that the parent has heard is forgotten. A further one does
 * not end it: its parent passes on what a service manager sends to all. */
int interrupt_renew(struct error *err);

/* For a child that is to outlive this process: from here on the signals are
 * ignored, and one that has come is forgotten. */
void interrupt_ignore(void);

#endif
