/* ini.h - an INI file, key by key; the only place that names inih */

#ifndef ANKLUME_BASE_INI_H
#define ANKLUME_BASE_INI_H

#include <stddef.h>

struct error;

struct ini_line {
	const char *section; /* "" before the first one */
	const char *key;
	const char *value; /* without the spaces around it and a " ;" comment */
	size_t number;	   /* from 1 */
};

/* Hand each "key = value" of `text` to `take`, whose failure ends it. `path`
 * names the text in messages. ERROR_USAGE, with the line, for what is no INI
 * file, holds a NUL, or has a line longer than inih reads (197 bytes). */
int ini_read(const char *text, size_t size, const char *path,
    int (*take)(void *data, const struct ini_line *line, struct error *err),
    void *data, struct error *err);

#endif
