/* verbose.h - what --verbose tells of any transfer */

#ifndef ANKLUME_TRANSFER_VERBOSE_H
#define ANKLUME_TRANSFER_VERBOSE_H

struct incus_client;
struct instance_ref;
struct watch;

/* Which daemon it is; asks it only when somebody wants to know. */
void verbose_daemon(const struct watch *watch, struct incus_client *client);

/* What a word was found to mean. */
void verbose_instance(const struct watch *watch, const char *word,
    const struct instance_ref *instance);

#endif
