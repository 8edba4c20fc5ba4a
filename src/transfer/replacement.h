/* replacement.h - one instance takes the place of another, the old one deleted
 * last */

#ifndef ANKLUME_TRANSFER_REPLACEMENT_H
#define ANKLUME_TRANSFER_REPLACEMENT_H

#include <stdbool.h>

struct error;
struct incus_client;
struct instance_ref;
struct watch;

struct replacement {
	bool exists;	 /* there is an instance to replace */
	bool running;	 /* it runs */
	char beside[64]; /* the name that the new one gets first */
};

/* Look at what holds the name: protected from deletion is ERROR_DENIED, not
 * confirmed ERROR_USAGE. Without a holder, *ret_replacement says so. */
int replacement_prepare(struct incus_client *client,
    const struct instance_ref *target, const struct watch *watch,
    struct replacement *ret_replacement, struct error *err);

/* The new instance lies beside it: stop the old one, move it aside, give the
 * new one its name, delete the old one. What fails half-way is put back. */
int replacement_finish(struct incus_client *client,
    const struct instance_ref *target, const struct replacement *replacement,
    struct error *err);

#endif
