#include "base/ini.h"

#include <ini.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"

/* A text on its way through inih, which asks for it line by line. */
struct reading {
	const char *at;
	const char *end;
	const char *path;
	size_t number; /* of the line that was given last */
	int (*take)(void *data, const struct ini_line *line, struct error *err);
	void *data;
	struct error *err;
};

static int
refuse_line(const struct reading *reading, const char *why)
{
	return error_set(reading->err, ERROR_USAGE, "%s:%zu: %s", reading->path,
	    reading->number, why);
}

/* As fgets(3): inih would take the rest of a long line for a line of its own,
 * and a NUL for its end. */
static char *
give_line(char *buf, int room, void *data)
{
	struct reading *reading = data;
	const char *feed =
	    memchr(reading->at, '\n', (size_t)(reading->end - reading->at));
	const char *end = feed != NULL ? feed : reading->end;
	size_t length = (size_t)(end - reading->at);

	if (reading->at == reading->end || error_is_set(reading->err))
		return NULL;
	reading->number++;
	if (length + 2 > (size_t)room) {
		refuse_line(reading, _("the line is too long"));
		return NULL;
	}
	if (memchr(reading->at, '\0', length) != NULL) {
		refuse_line(reading, _("this is no text"));
		return NULL;
	}
	memcpy(buf, reading->at, length);
	buf[length] = '\0';
	reading->at = feed != NULL ? feed + 1 : reading->end;
	return buf;
}

static int
take_pair(void *data, const char *section, const char *key, const char *value)
{
	struct reading *reading = data;
	struct ini_line line = {
	    .section = section,
	    .key = key,
	    .value = value,
	    .number = reading->number,
	};

	if (error_is_set(reading->err))
		return 0;
	return reading->take(reading->data, &line, reading->err) == 0;
}

int
ini_read(const char *text, size_t size, const char *path,
    int (*take)(void *data, const struct ini_line *line, struct error *err),
    void *data, struct error *err)
{
	struct reading reading = {
	    .at = text,
	    .end = text + size,
	    .path = path,
	    .take = take,
	    .data = data,
	    .err = err,
	};
	int wrong = ini_parse_stream(give_line, &reading, take_pair, &reading);

	if (error_is_set(err))
		return -1;
	if (wrong == 0)
		return 0;
	reading.number = wrong > 0 ? (size_t)wrong : 0;
	return refuse_line(
	    &reading, _("this is neither [section] nor key = value"));
}
