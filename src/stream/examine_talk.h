/* examine_talk.h - the parent's side of the conversation with the process that
 * parses (examine_child.h); for examine.c and backup_members.c only */

#ifndef ANKLUME_STREAM_EXAMINE_TALK_H
#define ANKLUME_STREAM_EXAMINE_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "stream/examine_child.h"

struct error;
struct examination;

struct examine_talk {
	struct examine_child child;
	struct examination *result; /* borrowed */
	bool has_index;		    /* which may have been taken away since */
	bool upstream_ended;
	bool deaf; /* the child reads no more */
};

/* It died, or said what nobody asked for. Always -1. */
int examine_talk_refuse(struct error *err);

/* Wait until it has something to say or, with `to_give`, takes more. */
int examine_talk_wait(const struct examine_talk *talk, bool to_give,
    bool *ret_has_words, struct error *err);

/* Hear a message's head, and all of its `size_bytes`; or the child has gone. */
int examine_talk_head(const struct examine_talk *talk,
    struct examine_head *ret_head, struct error *err);
int examine_talk_bytes(
    const struct examine_talk *talk, void *buf, size_t size, struct error *err);

/* Hear the message behind a head, of what every backup has: -1 when it is a
 * refusal, or nothing like that. */
int examine_talk_take(struct examine_talk *talk,
    const struct examine_head *head, struct error *err);

/* Both. */
int examine_talk_hear(struct examine_talk *talk, struct error *err);

/* Hand over some bytes of the tar without waiting; returns how many. -1 where
 * it reads no more: what it has said last is still to be heard. */
ssize_t examine_talk_give(
    struct examine_talk *talk, const char *bytes, size_t size);

/* There are no more. */
void examine_talk_end_giving(struct examine_talk *talk);

#endif
