/* create_choice.h - which instances a run over several backs up */

#ifndef ANKLUME_TRANSFER_CREATE_CHOICE_H
#define ANKLUME_TRANSFER_CREATE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "incus/instance.h"

struct error;
struct incus_client;
struct watch;

/* The key by which an instance, or a profile of its, says that it is not backed
 * up: "no", and perhaps why. */
#define CREATE_CHOICE_KEY "user.anklume.backup"

struct create_choice_request {
	/* [PROJECT/]INSTANCE; each half may be a pattern (name_glob.h). Without
	 * a project, a pattern is for all of them. */
	const char *const *words;
	size_t word_count;
	bool all;		     /* as if "*" stood there */
	const char *const *excluded; /* patterns of this form */
	size_t excluded_count;
	const char *within;  /* the project of a pattern that says none; NULL */
	const char *project; /* breaks ties between names; NULL */
	const char *member;  /* of a cluster; NULL: of any */
};

/* Sorted by project and name. */
struct create_choice {
	size_t count;
	struct instance_ref *instances;
	json_t **about;	  /* api.Instance of each; borrowed from `known` */
	json_t *known;	  /* all instances of the daemon */
	json_t *left_out; /* objects: project, instance, reason */
};

/* Whether a word is a pattern. */
bool create_choice_is_pattern(const char *word);

/* Why a pattern does not take an instance (api.Instance), in the user's
 * language; NULL when it does, or with err set. Heap. */
char *create_choice_reason_against(const json_t *about, struct error *err);

/* Find all that are meant. What a pattern finds is left out, and noted, when it
 * is a drill's, ephemeral, or says so itself; what is named by its name is not.
 * ERROR_NOT_FOUND when a word finds nothing, or nothing is left. */
int create_choose(struct incus_client *client,
    const struct create_choice_request *request, const struct watch *watch,
    struct create_choice *ret_choice, struct error *err);

void create_choice_clear(struct create_choice *choice);

static inline void
auto_create_choice_cleanup(struct create_choice *choice)
{
	create_choice_clear(choice);
}

/* An owning local. */
#define auto_create_choice __attribute__((cleanup(auto_create_choice_cleanup)))

#endif
