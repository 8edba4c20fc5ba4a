/* replacement.h - one instance takes the place of another, the old one deleted
 * last */

#ifndef ANKLUME_TRANSFER_REPLACEMENT_H
#define ANKLUME_TRANSFER_REPLACEMENT_H

#include <stdbool.h>

/* Names of instances for the time of a restore: of the new one, and of the one
 * that it replaces. Random hexadecimal digits follow. Incus allows 63 letters.
 */
#define REPLACEMENT_BESIDE_PREFIX "anklume-restore-"
#define REPLACEMENT_ASIDE_PREFIX "anklume-replaced-"
#define REPLACEMENT_NAME_DIGITS 8

struct error;
struct incus_client;
struct instance_ref;
struct watch;

struct replacement {
	bool exists;	 /* there is an instance to replace */
	bool running;	 /* it runs, or ran before the swap */
	char beside[32]; /* the name that the new one gets first */
	char aside[32];	 /* the name that the old one gets before its end */
};

/* Look at what holds the name: protected from deletion is ERROR_DENIED. Without
 * a holder, *ret_replacement says so. */
int replacement_prepare(struct incus_client *client,
    const struct instance_ref *target, struct replacement *ret_replacement,
    struct error *err);

/* Ask whether it may be replaced; no is ERROR_USAGE. */
int replacement_confirm(const struct instance_ref *target,
    const struct watch *watch, struct error *err);

/* The new instance lies beside it: look at the old one again, stop it, move it
 * aside, give the new one its name. What fails half-way is put back; where even
 * that fails, a hint names the old one. */
int replacement_swap(struct incus_client *client,
    const struct instance_ref *target, struct replacement *replacement,
    struct error *err);

/* Delete the old one. On failure the error names it. */
int replacement_delete_old(struct incus_client *client,
    const struct instance_ref *target, const struct replacement *replacement,
    struct error *err);

#endif
