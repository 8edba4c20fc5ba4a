/* tars.h - tars for the tests: made by libarchive as Incus would, or block by
 * block where no tool would make them */

#ifndef ANKLUME_UNIT_TARS_H
#define ANKLUME_UNIT_TARS_H

#include "support.h"

#define TAR_BLOCK 512

/* One member for tar_make(). The list ends with a NULL name. */
struct tar_member {
	const char *name;
	int type; /* S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFIFO; 0: hard link
		   */
	const void *content;
	size_t size;
	const char *target;
	bool with_xattr;
};

/* A whole tar, its end marker without further padding. */
struct bytes tar_make(const struct tar_member *members);

/* What Incus makes of a small container; its index is tar_index_text. */
struct bytes tar_of_container(void);
extern const char tar_index_text[];
#define TAR_OF_CONTAINER_ENTRIES 11

/* The blocks of a tar, one by one (POSIX.1-2017, pax, "ustar"). */
void tar_add_header(
    struct bytes *tar, const char *name, uint64_t size, char type);
void tar_add_hard_link(
    struct bytes *tar, const char *name, uint64_t size, const char *target);
void tar_add_data(struct bytes *tar, const void *data, size_t size);
/* A pax header that holds one record. */
void tar_add_pax(struct bytes *tar, const char *key, const char *value);
void tar_add_zeros(struct bytes *tar, size_t size);

#endif
