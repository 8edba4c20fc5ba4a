#include "transfer/watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "stream/meter.h"

void
watch_start(const struct watch *watch, const char *what, uint64_t total_bytes)
{
	if (watch != NULL && watch->start != NULL)
		watch->start(watch->data, what, total_bytes);
}

void
watch_advance(const struct watch *watch, uint64_t bytes)
{
	if (watch != NULL && watch->advance != NULL)
		watch->advance(watch->data, bytes);
}

void
watch_stop(const struct watch *watch)
{
	if (watch != NULL && watch->stop != NULL)
		watch->stop(watch->data);
}

static void
say(const struct watch *watch, void (*to)(void *data, const char *text),
    const char *format, va_list arguments)
{
	char raw[ERROR_TEXT_BYTES];
	char text[ERROR_TEXT_BYTES];

	if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
		raw[0] = '\0';
	to(watch->data, text_escape(text, sizeof(text), raw, strlen(raw)));
}

void
watch_received(const struct watch *watch)
{
	if (watch != NULL && watch->received != NULL)
		watch->received(watch->data);
}

void
watch_note(const struct watch *watch, const char *format, ...)
{
	va_list arguments;

	if (watch == NULL || watch->note == NULL)
		return;
	va_start(arguments, format);
	say(watch, watch->note, format, arguments);
	va_end(arguments);
}

bool
watch_wants_details(const struct watch *watch)
{
	return watch != NULL && watch->detail != NULL;
}

void
watch_detail(const struct watch *watch, const char *format, ...)
{
	va_list arguments;

	if (!watch_wants_details(watch))
		return;
	va_start(arguments, format);
	say(watch, watch->detail, format, arguments);
	va_end(arguments);
}

bool
watch_confirm(const struct watch *watch, const char *question)
{
	return watch != NULL && watch->confirm != NULL &&
	       watch->confirm(watch->data, question);
}

struct meter_watch
watch_meter(const struct watch *watch)
{
	if (watch == NULL)
		return (struct meter_watch){0};
	return (struct meter_watch){
	    .advance = watch->advance, .data = watch->data};
}
