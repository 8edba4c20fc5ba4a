/* lock_wait.h - the time behind --lock-wait */

#ifndef ANKLUME_CLI_LOCK_WAIT_H
#define ANKLUME_CLI_LOCK_WAIT_H

#include <stdint.h>

struct error;

/* "90", "30s", "10m", "2h", at most a week; 0 for NULL. ERROR_USAGE. */
int lock_wait_parse(const char *text, int64_t *ret_ms, struct error *err);

#endif
