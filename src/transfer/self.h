/* self.h - whether an instance is the one that this program runs in
 *
 * anklume often runs inside an instance that holds the daemon's socket: it must
 * not stop or replace itself. */

#ifndef ANKLUME_TRANSFER_SELF_H
#define ANKLUME_TRANSFER_SELF_H

#include <stdbool.h>

struct incus_client;
struct instance_ref;

enum self {
	SELF_NO,
	SELF_YES,
	SELF_UNKNOWN, /* the instance does not answer */
};

/* Whoever sees the daemon's process is in none of its instances, and nothing
 * more is asked. Names prove nothing; what does is that a pipe of this process,
 * whose number the kernel gives only once, is seen in the instance's own /proc.
 */
enum self self_ask(
    struct incus_client *client, const struct instance_ref *instance);

/* The same, where what cannot be told is "no". */
bool self_is(struct incus_client *client, const struct instance_ref *instance);

#endif
