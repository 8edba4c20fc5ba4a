/* Words of any bytes: a place that is spelled as the header says, or a refusal
 * whose hints help. */

#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/text.h"
#include "check.h"
#include "transfer/location.h"

/* Linux: no word of a command line is longer (MAX_ARG_STRLEN). */
#define WORD_MAX_BYTES (128 * 1024)

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Heap, of exactly its size. */
static char *
written(const char *format, const char *a, const char *b)
{
	struct error err = {0};
	char *text = text_format(&err, format, a, b);

	CHECK(text != NULL);
	return text;
}

static void
check_instance(const struct instance_word *word)
{
	size_t length = strlen(word->name);

	CHECK(length > 0 && length <= 63);
	CHECK(strspn(word->name, LETTERS DIGITS "-") == length);
	CHECK(strspn(word->name, DIGITS) < length);
	CHECK(word->name[0] != '-' && word->name[length - 1] != '-');
	if (word->project == NULL)
		return;
	CHECK(*word->project != '\0');
	CHECK(strspn(word->project, LETTERS DIGITS "-_.@+~") ==
	      strlen(word->project));
	CHECK(strcmp(word->project, ".") != 0);
	CHECK(strcmp(word->project, "..") != 0);
}

/* Put together again it is what was typed. */
static void
check_spelling(
    const char *text, const struct instance_word *word, const char *path)
{
	auto_free char *place = written("%s%s", word->name, path);

	if (text_starts_with(text, "local:") &&
	    !text_starts_with(text, "local:/"))
		text += strlen("local:");
	if (word->project != NULL) {
		size_t length = strlen(word->project);

		CHECK(strncmp(text, word->project, length) == 0);
		CHECK(text[length] == '/');
		text += length + 1;
	}
	CHECK(strcmp(text, place) == 0);
}

static void
fuzz_word(const char *text)
{
	auto_instance_word struct instance_word word = {0};
	struct error err = {0};
	int result = instance_word_parse(text, &word, &err);

	check_result(result, &err);
	if (result < 0) {
		/* Of another daemon, or not an instance at all. */
		CHECK(
		    err.code == ERROR_USAGE ||
		    (err.code == ERROR_NOT_FOUND && strchr(text, ':') != NULL));
		CHECK(word.name == NULL && word.project == NULL);
		return;
	}
	check_instance(&word);
	check_spelling(text, &word, "");
}

/* scp's rule: no colon before the first slash. */
static bool
is_local(const char *text)
{
	return *text != '\0' && text[strcspn(text, ":/")] != ':';
}

static void
check_place(const char *text, const struct location *location)
{
	auto_free char *path = NULL;

	switch (location->kind) {
	case LOCATION_STDIO:
		CHECK(strcmp(text, "-") == 0);
		CHECK(location->path == NULL);
		break;
	case LOCATION_LOCAL:
		CHECK(is_local(text));
		CHECK(strcmp(text, location->path) == 0);
		break;
	case LOCATION_INSTANCE:
		CHECK(*location->path == '/');
		path = written(":%s%s", location->path, "");
		check_instance(&location->instance);
		check_spelling(text, &location->instance, path);
		break;
	}
	if (location->kind != LOCATION_INSTANCE)
		CHECK(location->instance.name == NULL &&
		      location->instance.project == NULL);
}

/* What is advised is accepted, or of another daemon. */
static void
check_advice(const char *advised, enum location_kind kind)
{
	struct location location = {0};
	struct error err = {0};

	if (location_parse(advised, &location, &err) == 0)
		CHECK(location.kind == kind);
	else
		CHECK(kind == LOCATION_INSTANCE && err.code == ERROR_NOT_FOUND);
	location_clear(&location);
}

/* What was refused: with "./" it is a file, and with an absolute path a place
 * in an instance, if it says so. */
static void
check_remedy(const char *text, const struct error *refusal)
{
	auto_free char *file = written("./%s%s", text, "");
	auto_free char *place = NULL;
	auto_free char *word = written("%s%s", text, "");

	check_advice(file, LOCATION_LOCAL);
	if (!text_starts_with(refusal->hint, "a file in an instance: "))
		return;
	word[strcspn(word, ":")] = '\0';
	place = written("%s:/PATH/%s", word, text + strlen(word) + 1);
	check_advice(place, LOCATION_INSTANCE);
}

static void
fuzz_place(const char *text)
{
	struct location location = {0};
	struct error err = {0};
	int result = location_parse(text, &location, &err);

	check_result(result, &err);
	if (result == 0) {
		check_place(text, &location);
	} else {
		CHECK(err.code == ERROR_USAGE || err.code == ERROR_NOT_FOUND);
		CHECK(location.path == NULL && location.instance.name == NULL);
		check_remedy(text, &err);
	}
	location_clear(&location);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = NULL;

	if (size > WORD_MAX_BYTES)
		return 0;
	text = calloc(1, size + 1);
	CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	fuzz_word(text);
	fuzz_place(text);
	return 0;
}
