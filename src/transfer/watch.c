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
watch_stop(const struct watch *watch)
{
	if (watch != NULL && watch->stop != NULL)
		watch->stop(watch->data);
}

void
watch_note(const struct watch *watch, const char *format, ...)
{
	char raw[ERROR_TEXT_BYTES];
	char text[ERROR_TEXT_BYTES];
	va_list arguments;

	if (watch == NULL || watch->note == NULL)
		return;
	va_start(arguments, format);
	if (vsnprintf(raw, sizeof(raw), format, arguments) < 0)
		raw[0] = '\0';
	va_end(arguments);
	watch->note(
	    watch->data, text_escape(text, sizeof(text), raw, strlen(raw)));
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
