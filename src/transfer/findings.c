#include "transfer/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

const char *
finding_level_name(enum finding_level level)
{
	static const char *const names[FINDING_LEVELS] = {
	    [FINDING_OK] = "ok",
	    [FINDING_FIXED] = "fixed",
	    [FINDING_NOTE] = "note",
	    [FINDING_UNKNOWN] = "unknown",
	    [FINDING_PROBLEM] = "problem",
	};

	return names[level];
}

void
findings_add(struct findings *findings, const char *id,
    enum finding_level level, struct error *what)
{
	const struct finding finding = {
	    .id = id,
	    .level = level,
	    .text = what->text,
	    .hint = what->hint,
	};

	findings->counts[level]++;
	findings->told(findings->data, &finding);
	error_clear(what);
}

void
findings_say(struct findings *findings, const char *id,
    enum finding_level level, const char *format, ...)
{
	char raw[ERROR_TEXT_BYTES];
	struct error what = {0};
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
		raw[0] = '\0';
	va_end(arguments);
	error_set(&what, ERROR_FAILED, "%s", raw);
	findings_add(findings, id, level, &what);
}

void
finding_names_add(char names[FINDING_NAMES_BYTES], const char *name)
{
	static const char more[] = ", ...";
	const char *comma = *names != '\0' ? ", " : "";
	size_t used = strlen(names);
	size_t room = FINDING_NAMES_BYTES - used;
	size_t wanted = strlen(comma) + strlen(name) + strlen("''");

	if (wanted + sizeof(more) <= room)
		(void)snprintf(names + used, room, "%s'%s'", comma, name);
	else if (sizeof(more) <= room && !text_ends_with(names, more))
		memcpy(names + used, more, sizeof(more));
}
