/* system_log.h - a line to this machine's syslog, which a local file cannot
 * replace: it may go to another machine at once */

#ifndef ANKLUME_STORE_SYSTEM_LOG_H
#define ANKLUME_STORE_SYSTEM_LOG_H

#include <stddef.h>

struct error;

/* The socket that syslogd or journald listens on. */
#define SYSTEM_LOG_SOCKET "/dev/log"

/* What every receiver takes with its header (RFC 3164, 4.1: 1024 bytes). */
#define SYSTEM_LOG_TEXT_MAX_BYTES 960

/* Send a line as "anklume", facility authpriv, to the datagram socket at
 * `socket_path`. Escaped, and cut with "..." where it is too long. Waits at
 * most two seconds for a receiver that does not keep up. -1: nobody took it. */
int system_log_send(
    const char *socket_path, const char *text, struct error *err);

/* Whether somebody listens there. */
int system_log_check(const char *socket_path, struct error *err);

#endif
