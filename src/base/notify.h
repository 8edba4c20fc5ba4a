/* notify.h - a line for the service manager: what "systemctl status" shows
 *
 * sd_notify(3) documents the protocol and allows anybody to speak it: one
 * datagram to the socket that NOTIFY_SOCKET names. A library for that alone
 * would be one more thing that has to be there. */

#ifndef ANKLUME_BASE_NOTIFY_H
#define ANKLUME_BASE_NOTIFY_H

#include <stdbool.h>

/* Room for a status; more is cut. systemd takes 4,096 bytes (PIPE_BUF). */
#define NOTIFY_STATUS_BYTES 512

/* Whether anybody wants to know. */
bool notify_is_wanted(void);

/* Tell what this process is doing, escaped: a text is one line and sets nothing
 * but the status. Never blocks and never fails the run: what the manager has no
 * room for is lost. Keeps errno. */
void notify_status(const char *text);

#endif
