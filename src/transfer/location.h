/* location.h - the words that name instances and places in them */

#ifndef ANKLUME_TRANSFER_LOCATION_H
#define ANKLUME_TRANSFER_LOCATION_H

struct error;

/* "[REMOTE:][PROJECT/]INSTANCE" */
struct instance_word {
	char *project; /* NULL when not said */
	char *name;
};

/* -1 with ERROR_USAGE for what cannot be an instance, and the option it should
 * have been where that can be told. */
int instance_word_parse(
    const char *text, struct instance_word *ret_word, struct error *err);

void instance_word_clear(struct instance_word *word);

static inline void
auto_instance_word_cleanup(struct instance_word *word)
{
	instance_word_clear(word);
}

/* An owning local. */
#define auto_instance_word __attribute__((cleanup(auto_instance_word_cleanup)))

enum location_kind {
	LOCATION_INSTANCE,
	LOCATION_LOCAL,
	LOCATION_STDIO, /* "-" */
};

struct location {
	enum location_kind kind;
	struct instance_word instance; /* of LOCATION_INSTANCE */
	char *path; /* absolute in an instance; as typed locally */
};

/* An instance, then ":/ABSOLUTE/PATH"; "-"; else a local path (scp's rule: no
 * ":" before the first "/"). -1 with ERROR_USAGE and the right spelling. */
int location_parse(
    const char *text, struct location *ret_location, struct error *err);

void location_clear(struct location *location);

#endif
