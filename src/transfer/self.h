/* self.h - whether an instance is the one that this program runs in
 *
 * anklume often runs inside an instance that holds the daemon's socket: it must
 * not stop or replace itself. */

#ifndef ANKLUME_TRANSFER_SELF_H
#define ANKLUME_TRANSFER_SELF_H

#include <stdbool.h>

struct incus_client;
struct instance_ref;

/* Names prove nothing; what does is that a pipe of this process, whose number
 * the kernel gives only once, is seen in the instance's own /proc. Outside of
 * any instance nothing is asked. What cannot be told is "no". */
bool self_is(struct incus_client *client, const struct instance_ref *instance);

#endif
