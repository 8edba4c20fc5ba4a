/* auto.h - owning locals that clean up after themselves
 *
 * Declare an owning local with one of the auto_ attributes and initialise it in
 * the same statement; hand it over with steal(). */

#ifndef ANKLUME_BASE_AUTO_H
#define ANKLUME_BASE_AUTO_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void
auto_free_cleanup(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

/* Keeps errno, so that a failing function may still report it. */
static inline void
auto_close_cleanup(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void
auto_dir_cleanup(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

/* Memory from malloc and its kin; NULL is fine. */
#define auto_free __attribute__((cleanup(auto_free_cleanup)))

/* A descriptor; -1 is none. */
#define auto_close __attribute__((cleanup(auto_close_cleanup)))

/* A directory stream; NULL is fine. */
#define auto_dir __attribute__((cleanup(auto_dir_cleanup)))

/* Take the pointer out of an owning local: the caller owns it from here on. */
#define steal(pointer_variable)                                                \
	__extension__({                                                        \
		__typeof__(pointer_variable) stolen_ = (pointer_variable);     \
		(pointer_variable) = NULL;                                     \
		stolen_;                                                       \
	})

/* The same for a descriptor. */
static inline int
steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif
