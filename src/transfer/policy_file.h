/* policy_file.h - the policies that are in force, read from their files */

#ifndef ANKLUME_TRANSFER_POLICY_FILE_H
#define ANKLUME_TRANSFER_POLICY_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct policy;

/* The system's policy. */
#define POLICY_DIRECTORY "/etc/anklume"
#define POLICY_FILE POLICY_DIRECTORY "/policy"

/* Names a second file, which must allow too. */
#define POLICY_VARIABLE "ANKLUME_POLICY"

/* A larger file is refused. */
#define POLICY_FILE_MAX_BYTES (1024 * 1024)

/* Every one of them must allow. None: nobody has said anything, and everything
 * is allowed. */
struct policy_set {
	size_t count;
	struct policy *items[2];
};

/* Read them. ERROR_USAGE for a mistake in a file, with its line; ERROR_DENIED
 * for one that cannot be read, or that someone other than root could have
 * written or removed. */
int policy_set_read(struct policy_set *ret_set, struct error *err);

/* The same, for what is about to move data: without a policy that can be read
 * everything is denied, so any mistake is ERROR_DENIED. */
int policy_set_enforce(struct policy_set *ret_set, struct error *err);

/* Whether one of them says "audit required". */
bool policy_set_requires_audit(const struct policy_set *set);

void policy_set_clear(struct policy_set *set);

static inline void
auto_policy_set_cleanup(struct policy_set *set)
{
	policy_set_clear(set);
}

/* An owning local. */
#define auto_policy_set __attribute__((cleanup(auto_policy_set_cleanup)))

#endif
