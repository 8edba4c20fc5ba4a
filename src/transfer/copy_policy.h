/* copy_policy.h - what the policy says of one file on its way
 *
 * It is asked about what names and paths lead to, links resolved, before a
 * source is opened and before anything is made. The source is then opened under
 * the path that was judged; the target is compared with it. */

#ifndef ANKLUME_TRANSFER_COPY_POLICY_H
#define ANKLUME_TRANSFER_COPY_POLICY_H

#include <stdbool.h>

#include "base/json.h"
#include "transfer/policy_file.h"

struct copy_end;
struct error;
struct incus_client;

/* The policies in force, for one run. */
struct copy_policy {
	struct incus_client *client; /* borrowed */
	struct policy_set set;
	json_t *levels; /* of the projects that have been asked */
	char *rule; /* what decided last, "FILE:LINE: TEXT"; NULL: none did */
};

/* ERROR_DENIED when a policy cannot be read. */
int copy_policy_init(
    struct copy_policy *policy, struct incus_client *client, struct error *err);
void copy_policy_clear(struct copy_policy *policy);

/* Both ends, connected and ready; `name` is what the file gets inside a
 * directory (NULL: it has none). ERROR_DENIED, with the rule. Sets `judged` of
 * both ends, unless there is no policy: then nothing is asked. */
int copy_policy_check(struct copy_policy *policy, struct copy_end *source,
    struct copy_end *destination, const char *name, struct error *err);

/* The same where nobody can be asked about the source: `from`, its path as it
 * is judged, is known. */
int copy_policy_ask(struct copy_policy *policy, struct copy_end *source,
    struct copy_end *destination, const char *from, const char *name,
    struct error *err);

/* Whether `target`, which is about to be written, still is what was judged. */
int copy_policy_confirm(const struct copy_policy *policy,
    const struct copy_end *destination, const char *target, struct error *err);

/* For a tree, once it is known where its tops are: both paths become what is
 * judged. */
int copy_policy_judge(struct copy_policy *policy, struct copy_end *source,
    struct copy_end *destination, const char *from, const char *to,
    struct error *err);

/* And something below the tops that were judged. */
int copy_policy_below(struct copy_policy *policy, const struct copy_end *source,
    const struct copy_end *destination, const char *path, struct error *err);

/* Whether there is any policy to ask. */
bool copy_policy_in_force(const struct copy_policy *policy);

/* The same as copy_policy_check(), and what there is to say about it:
 * "allowed", "from", "to", and in "rules" for each policy "file", "allows", and
 * "line" and "rule", null where none matches. Owned by the caller. */
int copy_policy_explain(struct copy_policy *policy, struct copy_end *source,
    struct copy_end *destination, const char *name, json_t **ret_answer,
    struct error *err);

#endif
