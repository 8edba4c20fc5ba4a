/* doctor.h - what would go wrong, before it does */

#ifndef ANKLUME_TRANSFER_DOCTOR_H
#define ANKLUME_TRANSFER_DOCTOR_H

#include <stdbool.h>

struct error;
struct findings;

struct doctor_request {
	bool fix;     /* take away what runs that have ended have left */
	bool dry_run; /* only say what would be taken away; write nothing */
	int timeout_s;
};

/* Look at everything; whatever cannot be looked at is a finding, too.
 * ERROR_PARTIAL when there is a problem in the end. Nothing is changed without
 * `fix`, but for the audit trail's file, which is made when it is missing,
 * unless `dry_run`. */
int doctor_look(const struct doctor_request *request, struct findings *findings,
    struct error *err);

#endif
