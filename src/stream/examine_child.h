/* examine_child.h - the process that parses, and what it says
 *
 * It is shown the tar and sends messages through a pipe: what it
 * says is as untrusted as the tar, whose maker may have taken it over. */

#ifndef ANKLUME_STREAM_EXAMINE_CHILD_H
#define ANKLUME_STREAM_EXAMINE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stream/show_ring.h"

struct backup_wish;
struct error;

enum examine_kind {
	EXAMINE_HELD = 1, /* locked in: struct sandbox */
	EXAMINE_TAKEN,	  /* uint64_t, of the tar, so far */
	EXAMINE_INDEX,	  /* JSON without a NUL */
	EXAMINE_REFUSED,  /* struct error: the last */
	EXAMINE_DONE,	  /* struct backup_counts: the last */

	/* With a wish, in the order of the tar: */
	EXAMINE_MEMBER, /* struct examine_member */
	EXAMINE_DATA,	/* of the file before, in pieces */
	EXAMINE_ENOUGH, /* nothing more will come true: the last */
};

/* A member that is wanted, behind it its path as seen in the instance and the
 * target of its link ("" where it has none), a NUL behind each. */
struct examine_member {
	uint32_t pick; /* enum backup_pick */
	uint32_t path_index;
	uint32_t type; /* enum tar_type */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime_s;
	uint64_t size_bytes;
};

/* Precedes the message. */
struct examine_head {
	uint32_t kind;
	uint32_t size_bytes;
};

/* Escaped for JSON, a byte of YAML becomes six at most ("\u001f"). */
#define EXAMINE_MESSAGE_MAX_BYTES (8 * 1024 * 1024)

struct examine_child {
	pid_t pid;  /* 0: none */
	int input;  /* it hears here how much is shown; -1 after the end */
	int output; /* and speaks here */
	struct show_ring shown;
};

/* With `wish` (borrowed), it tells of what is wanted besides; NULL. */
int examine_child_start(struct examine_child *ret_child,
    const struct backup_wish *wish, struct error *err);

/* Kill it if it still runs, and let nothing of it stay. */
void examine_child_end(struct examine_child *child);

#endif
