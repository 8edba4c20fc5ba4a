#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

_Noreturn void
check_failed(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* What is plain stays as it is when it is escaped once more. */
static void
check_plain(const char *text, size_t length)
{
	char escaped[2 * ERROR_HINT_BYTES];

	for (size_t i = 0; i < length; i++)
		CHECK((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
	text_escape(escaped, sizeof(escaped), text, length);
	CHECK(strlen(escaped) == length);
	CHECK(memcmp(escaped, text, length) == 0);
}

void
check_error(const struct error *err)
{
	const char *line = err->hint;

	CHECK(error_is_set(err));
	CHECK(err->text[0] != '\0');
	check_plain(err->text, strlen(err->text));
	for (;;) {
		size_t length = strcspn(line, "\n");

		check_plain(line, length);
		if (line[length] == '\0')
			break;
		line += length + 1;
	}
}

void
check_result(int result, const struct error *err)
{
	CHECK(result == 0 || result == -1);
	if (result == 0)
		CHECK(!error_is_set(err));
	else
		check_error(err);
}
