/* copy_resume.h - the command that goes on with a tree that stopped half-way */

#ifndef ANKLUME_TRANSFER_COPY_RESUME_H
#define ANKLUME_TRANSFER_COPY_RESUME_H

#include <stdbool.h>
#include <stddef.h>

struct copy_request;
struct error;

/* Add to the error how many files have arrived, and the command: the request as
 * it was typed, with --update. `merged`: its one source has become the
 * destination, which is a directory now, and only what is in the source goes
 * into it. Returns -1. */
int copy_resume_hint(const struct copy_request *request, size_t copied,
    bool merged, struct error *err);

#endif
