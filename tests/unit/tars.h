/* tars.h - tars for the tests, block by block: as Incus writes them, and as no
 * tool would */

#ifndef ANKLUME_UNIT_TARS_H
#define ANKLUME_UNIT_TARS_H

#include "support.h"

#define TAR_BLOCK 512

/* One member for tar_make(). The list ends with a NULL name. */
struct tar_entry {
	const char *name;
	char type; /* '0' a file, '1' a hard link, '2' a symlink, '3' and '4'
		      devices, '5' a directory, '6' a FIFO */
	const void *content;
	size_t size;
	const char *target;
	bool with_xattr;
};

/* A whole tar, its end marker without further padding. */
struct bytes tar_make(const struct tar_entry *entries);

/* What Incus makes of a small container. */
struct bytes tar_of_container(void);
#define TAR_OF_CONTAINER_ENTRIES 12

/* Its two YAML files, and the beginning of any such tar. */
extern const char tar_index_text[];
extern const char tar_config_text[];
#define TAR_BEGINNING                                                          \
	{"backup/index.yaml", '0', tar_index_text, strlen(tar_index_text),     \
	    NULL, false},                                                      \
	    {"backup/container", '5', NULL, 0, NULL, false},                   \
	    {"backup/container/backup.yaml", '0', tar_config_text,             \
		strlen(tar_config_text), NULL, false},                         \
	{                                                                      \
		"backup/container/rootfs", '5', NULL, 0, NULL, true            \
	}
#define TAR_BEGINNING_ENTRIES 4

/* A tar of any content, for what comes behind the beginning. */
void tar_add_beginning(struct bytes *tar);

/* The blocks of a tar, one by one (POSIX.1-2017, pax, "ustar"). */
void tar_add_header(
    struct bytes *tar, const char *name, uint64_t size, char type);
void tar_add_link(struct bytes *tar, const char *name, uint64_t size, char type,
    const char *target);
void tar_add_data(struct bytes *tar, const void *data, size_t size);
/* A pax header of records that are there already, or of one. */
void tar_add_records(struct bytes *tar, const void *records, size_t size);
void tar_add_pax(struct bytes *tar, const char *key, const char *value);
void tar_add_zeros(struct bytes *tar, size_t size);

/* Make the checksum of the header at `offset` right again. */
void tar_sum(struct bytes *tar, size_t offset);

#endif
