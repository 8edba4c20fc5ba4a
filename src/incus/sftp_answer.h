/* sftp_answer.h - what an answer of the server's means
 *
 * An answer that is not understood is an error and leaves the session usable.
 */

#ifndef ANKLUME_INCUS_SFTP_ANSWER_H
#define ANKLUME_INCUS_SFTP_ANSWER_H

#include <stdbool.h>

#include "incus/sftp_wire.h"

struct error;
struct sftp_pending;

/* The cursor over an answer of type `expected`. A STATUS instead becomes the
 * error "<what> '<path>': ...", `what` translated only then, for answers come
 * by the thousand; SFTP_STATUS as `expected` means "OK". */
int sftp_answer(const struct sftp_pending *pending, enum sftp_type expected,
    const char *what, const char *path, struct sftp_cursor *ret_cursor,
    struct error *err);

/* Whether an answer is a STATUS with this code. */
bool sftp_answer_is(const struct sftp_pending *pending, enum sftp_status code);

#endif
