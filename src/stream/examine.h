/* examine.h - a filter that has a backup checked as it passes
 *
 * The tar and its YAML are parsed in a child process that can do nothing but
 * read them and say what it found (base/sandbox.h): bytes pass through
 * unchanged, and the end only when the child has found all of backup_check.h in
 * order. */

#ifndef ANKLUME_STREAM_EXAMINE_H
#define ANKLUME_STREAM_EXAMINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct error;
struct stream;

/* What is known of a backup. The caller owns it and clears it after the stream
 * is gone. */
struct examination {
	/* backup/index.yaml (base/yaml.h), there as soon as examine_new() has
	 * returned; for who wants to keep it to take away. */
	json_t *index;
	/* The kernel has neither Landlock nor seccomp for us. */
	bool unconfined;

	/* Valid once the end was read. */
	bool complete;
	uint64_t entries;
	uint64_t tar_size_bytes;
};

void examination_clear(struct examination *examination);

/* Starts the child, and reads `from` until it has the index, whose sender it is
 * that is believed and nobody else. Errors here and while it is read are those
 * of backup_check(), and ERROR_FAILED where the child dies. */
struct stream *examine_new(struct stream *from,
    struct examination *ret_examination, struct error *err);

#endif
