/* local_file.h - one end of a copy on our own disk
 *
 * The same promises as inside an instance: a source that shrinks is an error, a
 * destination appears only when whole. */

#ifndef ANKLUME_STORE_LOCAL_FILE_H
#define ANKLUME_STORE_LOCAL_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct digest;
struct error;
struct stream;

struct local_attributes {
	uint64_t size_bytes;
	uint32_t mode; /* permissions only */
	int64_t mtime_s;
};

/* Open a regular file; symlinks are followed. `path` is borrowed. At its end
 * *ret_grew says whether it got longer since; that part is not read. A file
 * that shrank, was replaced, or holds more than its size says (as in /proc) is
 * ERROR_FAILED. */
struct stream *local_file_open(const char *path,
    struct local_attributes *ret_attributes, bool *ret_grew, struct error *err);

/* The same for a file that is open already; `fd` is taken over, also on
 * failure, and `path` is its name for messages. It may be replaced by then:
 * below a directory that is held open that does no harm. */
struct stream *local_file_open_fd(int fd, const char *path,
    struct local_attributes *ret_attributes, bool *ret_grew, struct error *err);

struct local_put_request {
	const char *path;
	bool exclusive; /* nothing may be there */
	bool in_place;	/* write into the file, should one be there */
	uint32_t mode;	/* for a new file; the umask takes its bits off */
	bool has_mtime;
	int64_t mtime_s;

	/* Asked for, whatever is there; -1 is not said. */
	int64_t exact_uid;
	int64_t exact_gid;
	int64_t exact_mode;

	/* Of what `body` brings, complete at its end: the file is read back
	 * and must be the same (ERROR_DAMAGED). NULL: it is not read. */
	const struct digest *sent;
};

/* Read `body` (borrowed) to its end into a file. A symlink is followed; the
 * owner and mode of a file that is replaced stay. A mount point cannot be
 * replaced: ERROR_EXISTS. In place it is emptied first, and nothing but what
 * was asked for changes besides its content and time. */
int local_file_put(const struct local_put_request *request, struct stream *body,
    uint64_t *ret_size_bytes, struct error *err);

/* The bits that a new file does not get. */
mode_t local_umask(void);

/* Whether `path` is a directory; errno says why not, ENOTDIR for another kind
 * of file. */
bool local_is_directory(const char *path);

/* Make a directory and those above it that are missing. */
int local_make_directories(const char *path, struct error *err);

#endif
