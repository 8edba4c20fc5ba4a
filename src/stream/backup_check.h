/* backup_check.h - everything about the tar of an Incus backup that is not
 * negotiable
 *
 * Only what Incus's own writers emit: names, types, links and sizes
 * (backup_layout.h, tar_walk.h), no member twice, none below what is no
 * directory, both YAML files whole and of one mind (backup_match.h). What the
 * daemon makes of anything else has been its most attacked surface. */

#ifndef ANKLUME_STREAM_BACKUP_CHECK_H
#define ANKLUME_STREAM_BACKUP_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct error;
struct stream;
struct tar_member;
struct tar_walk;

/* The daemon itself takes no larger index since 7.0 (incus,
 * internal/server/backup). */
#define BACKUP_YAML_MAX_BYTES (1024 * 1024)

/* An instance of eight million files is backed up, and the names of more would
 * take 128 MiB. */
#define BACKUP_ENTRIES_MAX 8000000

struct backup_counts {
	uint64_t entries;
	uint64_t tar_size_bytes;
};

/* Who is told what is in it, as it passes. */
struct backup_listener {
	void *data;

	/* backup/index.yaml, borrowed (base/yaml.h), as soon as it was read. */
	int (*on_index)(void *data, const json_t *root, struct error *err);

	/* What has been found in order: each member that is neither of the two
	 * YAML files. Its content can be read from `walk`. 1 when nothing more
	 * is wanted; NULL where nobody wants any. */
	int (*on_member)(void *data, const struct tar_member *member,
	    struct tar_walk *walk, struct error *err);
};

/* Read `from` (borrowed) to its end, which is 0, or until nothing more is
 * wanted: 1, and nothing is known of what follows. -1 from a listener ends it,
 * too. ERROR_DAMAGED where the tar or a YAML file is broken or cut, or no
 * backup at all, ERROR_UNSAFE where it is whole and not as Incus writes it. */
int backup_check(struct stream *from, const struct backup_listener *listener,
    struct backup_counts *ret_counts, struct error *err);

#endif
