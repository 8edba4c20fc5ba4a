#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/i18n.h"
#include "base/text.h"

/* Ours have 12 at most. */
#define COMMAND_WORDS_MAX 32

/* Format into a bounded buffer and escape what must not reach a terminal. */
static void
format_escaped(char *buf, size_t size, const char *format, va_list arguments)
{
	char raw[ERROR_TEXT_BYTES];

	if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
		raw[0] = '\0';
	text_escape(buf, size, raw, strlen(raw));
}

static enum error_code
code_of_errno(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERROR_NO_SPACE;
	case ENOENT:
		return ERROR_NOT_FOUND;
	case EEXIST:
		return ERROR_EXISTS;
	default:
		return ERROR_FAILED;
	}
}

int
error_set(struct error *err, enum error_code code, const char *format, ...)
{
	va_list arguments;

	assert(err->code == ERROR_NONE);

	err->code = code;
	err->hint[0] = '\0';
	va_start(arguments, format);
	format_escaped(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	return -1;
}

int
error_set_errno(struct error *err, int number, const char *format, ...)
{
	va_list arguments;
	size_t used;

	assert(err->code == ERROR_NONE);

	err->code = code_of_errno(number);
	err->hint[0] = '\0';
	va_start(arguments, format);
	format_escaped(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);

	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s",
	    strerror(number));
	return -1;
}

int
error_set_memory(struct error *err)
{
	return error_set(err, ERROR_FAILED, "%s", _("out of memory"));
}

/* All of it or nothing: a command cut short would be another command. */
static void
add_hint(struct error *err, const char *line)
{
	size_t used = strlen(err->hint);
	size_t length = strlen(line);

	if (length == 0 || used + 1 + length >= sizeof(err->hint))
		return;
	if (used > 0)
		err->hint[used++] = '\n';
	memcpy(err->hint + used, line, length + 1);
}

int
error_hint(struct error *err, const char *format, ...)
{
	char raw[ERROR_TEXT_BYTES];
	char line[4 * ERROR_TEXT_BYTES]; /* "\\x1b" for one byte */
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(raw, sizeof(raw), format, arguments);
	va_end(arguments);

	if (length < 0 || (size_t)length >= sizeof(raw))
		return -1;
	text_escape(line, sizeof(line), raw, (size_t)length);
	add_hint(err, line);
	return -1;
}

int
error_hint_words(struct error *err, const char *const *words)
{
	struct error ignored = {0};
	auto_free char *line = text_copy("", 0, &ignored);

	for (; line != NULL && *words != NULL; words++) {
		auto_free char *before = steal(line);
		auto_free char *quoted = text_shell_quote(*words, &ignored);

		if (quoted != NULL)
			line = text_format(&ignored, "%s%s%s", before,
			    *before != '\0' ? " " : "", quoted);
	}
	return line != NULL ? error_hint(err, "%s", line) : -1;
}

int
error_hint_command(struct error *err, const char *word, ...)
{
	const char *words[COMMAND_WORDS_MAX + 1] = {word};
	va_list more;

	va_start(more, word);
	for (size_t i = 1; i < COMMAND_WORDS_MAX && words[i - 1] != NULL; i++)
		words[i] = va_arg(more, const char *);
	va_end(more);
	return error_hint_words(err, words);
}

int
error_prefix(struct error *err, const char *format, ...)
{
	char context[ERROR_TEXT_BYTES];
	char whole[2 * ERROR_TEXT_BYTES + 2];
	va_list arguments;

	assert(err->code != ERROR_NONE);

	va_start(arguments, format);
	format_escaped(context, sizeof(context), format, arguments);
	va_end(arguments);

	/* TRANSLATORS: where it failed, and why. */
	(void)snprintf(whole, sizeof(whole), _("%s: %s"), context, err->text);
	/* Escaped already: this only cuts, between letters. */
	text_escape(err->text, sizeof(err->text), whole, strlen(whole));
	return -1;
}

int
error_join(struct error *all, const struct error *one)
{
	char both[2 * ERROR_TEXT_BYTES + 2];

	if (!error_is_set(all)) {
		*all = *one;
		return -1;
	}
	(void)snprintf(both, sizeof(both), "%s; %s", all->text, one->text);
	/* Escaped already: this only cuts, between letters. */
	text_escape(all->text, sizeof(all->text), both, strlen(both));
	add_hint(all, one->hint);
	return -1;
}

void
error_clear(struct error *err)
{
	err->code = ERROR_NONE;
	err->text[0] = '\0';
	err->hint[0] = '\0';
}
