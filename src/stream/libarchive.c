#include "stream/libarchive.h"

#include <dlfcn.h>
#include <stddef.h>

#include "base/error.h"
#include "base/i18n.h"

/* The ABI of every release since 3.0 (libarchive, build/version; Debian's
 * packages libarchive13 and libarchive13t64). */
#define LIBRARY "libarchive.so.13"

/* Where each function goes in the table. */
#define FUNCTION(name)                                                         \
	{                                                                      \
		"archive_" #name, offsetof(struct libarchive, name)            \
	}

static const struct {
	const char *symbol;
	size_t offset;
} functions[] = {
    FUNCTION(entry_filetype),
    FUNCTION(entry_hardlink),
    FUNCTION(entry_pathname),
    FUNCTION(entry_size),
    FUNCTION(error_string),
    FUNCTION(filter_bytes),
    FUNCTION(read_data_block),
    FUNCTION(read_free),
    FUNCTION(read_new),
    FUNCTION(read_next_header),
    FUNCTION(read_open),
    FUNCTION(read_support_format_tar),
    FUNCTION(set_error),
};

#define FUNCTION_COUNT (sizeof(functions) / sizeof(functions[0]))

_Static_assert(FUNCTION_COUNT * sizeof(void *) == sizeof(struct libarchive),
    "every function of the table is looked up");

static int
missing(struct error *err)
{
	error_set(
	    err, ERROR_FAILED, _("cannot load libarchive: %s"), dlerror());
	return error_hint(err, "apt install libarchive13");
}

int
libarchive_load(struct libarchive *ret_table, struct error *err)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	struct libarchive table = {0};

	if (library == NULL)
		return missing(err);
	for (size_t i = 0; i < FUNCTION_COUNT; i++) {
		void **place = (void **)((char *)&table + functions[i].offset);

		*place = dlsym(library, functions[i].symbol);
		if (*place == NULL)
			return missing(err);
	}
	*ret_table = table;
	return 0;
}
