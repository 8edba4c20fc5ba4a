/* libarchive.h - libarchive, loaded when a tar is walked and not before
 *
 * It brings 14 libraries with it (libxml2, ICU, libstdc++ ...), whose loading
 * takes 2.4 of the 8.4 ms in which the program starts (measured), and a copy
 * walks no tar. */

#ifndef ANKLUME_STREAM_LIBARCHIVE_H
#define ANKLUME_STREAM_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

struct error;

/* What is used of it, under its own names without "archive_". */
struct libarchive {
	__typeof__(archive_entry_filetype) *entry_filetype;
	__typeof__(archive_entry_hardlink) *entry_hardlink;
	__typeof__(archive_entry_pathname) *entry_pathname;
	__typeof__(archive_entry_size) *entry_size;
	__typeof__(archive_error_string) *error_string;
	__typeof__(archive_filter_bytes) *filter_bytes;
	__typeof__(archive_read_data_block) *read_data_block;
	__typeof__(archive_read_free) *read_free;
	__typeof__(archive_read_new) *read_new;
	__typeof__(archive_read_next_header) *read_next_header;
	__typeof__(archive_read_open) *read_open;
	__typeof__(archive_read_support_format_tar) *read_support_format_tar;
	__typeof__(archive_set_error) *set_error;
};

/* Fill the table. The library stays loaded. -1 where it is not installed. */
int libarchive_load(struct libarchive *ret_table, struct error *err);

#endif
