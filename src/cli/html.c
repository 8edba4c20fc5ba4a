#include "cli/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"

/* text_escape makes at most four bytes of one, and needs eight. */
#define ESCAPED_FACTOR 4
#define ESCAPED_MIN 2

/* "&quot;" is the longest. */
#define REFERENCE_MAX 6

/* NULL: it stands for itself. */
static const char *
reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

char *
html_text(const char *text, struct error *err)
{
	size_t length = text != NULL ? strlen(text) : 0;
	auto_free char *shown = calloc(length + ESCAPED_MIN, ESCAPED_FACTOR);
	char *html;
	char *end;

	if (shown == NULL) {
		error_set_memory(err);
		return NULL;
	}
	text_escape(shown, (length + ESCAPED_MIN) * ESCAPED_FACTOR,
	    text != NULL ? text : "", length);
	html = calloc(strlen(shown) + 1, REFERENCE_MAX);
	if (html == NULL) {
		error_set_memory(err);
		return NULL;
	}
	end = html;
	for (const char *at = shown; *at != '\0'; at++) {
		const char *instead = reference(*at);

		if (instead != NULL)
			end = stpcpy(end, instead);
		else
			*end++ = *at;
	}
	return html;
}
