/* findings.h - what a look at this host has found, told one by one */

#ifndef ANKLUME_TRANSFER_FINDINGS_H
#define ANKLUME_TRANSFER_FINDINGS_H

#include <stddef.h>

struct error;

enum finding_level {
	FINDING_OK,
	FINDING_FIXED,	 /* was a problem, and is none any more */
	FINDING_NOTE,	 /* worth knowing; nothing has to be done */
	FINDING_UNKNOWN, /* could not be looked at */
	FINDING_PROBLEM, /* will make something fail, or has */
	FINDING_LEVELS
};

/* Texts are of one line each, escaped; all is borrowed. */
struct finding {
	const char *id; /* "spool-room": stays as it is */
	enum finding_level level;
	const char *text;
	const char *hint; /* lines to type; "" is none */
};

/* Zero-initialised but for the first two. */
struct findings {
	void (*told)(void *data, const struct finding *finding);
	void *data;
	size_t counts[FINDING_LEVELS];
};

/* As scripts read it: "ok", "fixed", "note", "unknown", "problem". */
const char *finding_level_name(enum finding_level level);

/* Tell text and hint of `what`, which is clear afterwards. */
void findings_add(struct findings *findings, const char *id,
    enum finding_level level, struct error *what);

/* Tell a text alone. */
void findings_say(struct findings *findings, const char *id,
    enum finding_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Room for names in a finding's text. */
#define FINDING_NAMES_BYTES 512

/* Add "'name'" to a list; "..." stands for what has no room. */
void finding_names_add(char names[FINDING_NAMES_BYTES], const char *name);

#endif
