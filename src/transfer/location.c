#include "transfer/location.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

/* Incus: an instance's name is a host name (RFC 1123) of at most 63 bytes. */
#define INSTANCE_NAME_MAX_BYTES 63

/* Characters of instance names, and of the project names that Incus allows and
 * a location can hold. */
static const char name_characters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-";
static const char project_characters[] = "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-_.@+~";

void
instance_word_clear(struct instance_word *word)
{
	free(word->project);
	free(word->name);
	*word = (struct instance_word){0};
}

void
location_clear(struct location *location)
{
	instance_word_clear(&location->instance);
	free(location->path);
	*location = (struct location){0};
}

static bool
only_of(const char *text, size_t length, const char *characters)
{
	return length > 0 && strspn(text, characters) >= length;
}

static bool
is_dots(const char *text, size_t length)
{
	return (length == 1 && text[0] == '.') ||
	       (length == 2 && text[0] == '.' && text[1] == '.');
}

/* As Incus has it (shared/validate, IsHostname): no dash at an end, and not a
 * number. */
static bool
is_instance_name(const char *text, size_t length)
{
	return only_of(text, length, name_characters) &&
	       length <= INSTANCE_NAME_MAX_BYTES && text[0] != '-' &&
	       text[length - 1] != '-' && strspn(text, "0123456789") < length;
}

/* Whether `length` bytes spell "[REMOTE:][PROJECT/]INSTANCE". */
static bool
looks_like_instance(const char *text, size_t length)
{
	const char *colon = memchr(text, ':', length);
	const char *slash;
	size_t left;

	if (colon != NULL) {
		if (!only_of(text, (size_t)(colon - text), project_characters))
			return false;
		length -= (size_t)(colon - text) + 1;
		text = colon + 1;
	}
	slash = memchr(text, '/', length);
	left = slash != NULL ? (size_t)(slash - text) : 0;
	if (slash != NULL) {
		if (!only_of(text, left, project_characters) ||
		    is_dots(text, left))
			return false;
		text = slash + 1;
		length -= left + 1;
	}
	return is_instance_name(text, length);
}

static bool
is_file(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

/* What a word that is no instance was probably meant to be. */
static int
refuse_word(const char *text, struct error *err)
{
	/* make's spelling of options (Makefile). */
	static const struct {
		const char *prefix;
		const char *option;
	} variables[] = {
	    {"GPG=", "--gpg"},
	    {"O=", "--output"},
	    {"NAME=", "--name"},
	    {"PROJECT=", "--project"},
	};
	struct error ignored = {0};
	auto_free char *quoted = text_shell_quote(text, &ignored);

	if (is_file(text)) {
		error_set(err, ERROR_USAGE,
		    _("'%s' is a file, not an instance"), text);
		return error_hint_command(
		    err, "anklume", "backup", "restore", "--file", text, NULL);
	}
	error_set(
	    err, ERROR_USAGE, _("'%s' is not the name of an instance"), text);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *prefix = variables[i].prefix;

		if (text_starts_with(text, prefix))
			return error_hint_command(err, variables[i].option,
			    text + strlen(prefix), NULL);
	}
	if (strchr(text, '@') != NULL && quoted != NULL)
		return error_hint(err, _("a key is named by --gpg %s"), quoted);
	return error_hint(err, _("it is spelled [PROJECT/]INSTANCE"));
}

int
instance_word_parse(
    const char *text, struct instance_word *ret_word, struct error *err)
{
	struct instance_word word = {0};
	const char *name = text;
	const char *colon;
	const char *slash;

	if (!looks_like_instance(text, strlen(text)))
		return refuse_word(text, err);

	colon = strchr(name, ':');
	if (colon != NULL && !text_starts_with(text, "local:")) {
		error_set(err, ERROR_NOT_FOUND,
		    _("'%s': only the local daemon is known"), text);
		return -1;
	}
	if (colon != NULL)
		name = colon + 1;
	slash = strchr(name, '/');
	if (slash != NULL) {
		word.project = text_copy(name, (size_t)(slash - name), err);
		if (word.project == NULL)
			return -1;
		name = slash + 1;
	}
	word.name = text_copy(name, strlen(name), err);
	if (word.name == NULL) {
		instance_word_clear(&word);
		return -1;
	}
	*ret_word = word;
	return 0;
}

/* The colon that ends the instance's part: one that "/" follows, with an
 * instance before it. */
static const char *
instance_end(const char *text)
{
	for (const char *colon = strchr(text, ':'); colon != NULL;
	     colon = strchr(colon + 1, ':')) {
		if (colon[1] == '/' &&
		    looks_like_instance(text, (size_t)(colon - text)))
			return colon;
	}
	return NULL;
}

/* "web:notes.txt": in an instance, or beside us? "we_b:/notes.txt" can only be
 * beside us. */
static int
refuse_colon(const char *text, const char *colon, struct error *err)
{
	struct error ignored = {0};
	int length = (int)(colon - text);
	bool instance = looks_like_instance(text, (size_t)length);
	auto_free char *place =
	    text_format(&ignored, _("%.*s:/PATH/%s"), length, text, colon + 1);
	auto_free char *word = text_copy(text, (size_t)length, &ignored);
	auto_free char *file = text_format(&ignored, "./%s", text);
	auto_free char *place_quoted =
	    place != NULL ? text_shell_quote(place, &ignored) : NULL;
	auto_free char *file_quoted =
	    file != NULL ? text_shell_quote(file, &ignored) : NULL;

	if (instance)
		error_set(err, ERROR_USAGE,
		    _("'%s': a path in an instance is absolute"), text);
	else
		error_set(err, ERROR_USAGE,
		    _("'%s' is not the name of an instance"),
		    word != NULL ? word : text);
	if (instance && place_quoted != NULL)
		error_hint(err, _("a file in an instance: %s"), place_quoted);
	if (file_quoted != NULL)
		error_hint(err, _("a local file: %s"), file_quoted);
	return -1;
}

static int
parse_local(const char *text, struct location *ret_location, struct error *err)
{
	const char *colon = strchr(text, ':');
	const char *slash = strchr(text, '/');

	if (colon != NULL && (slash == NULL || colon < slash))
		return refuse_colon(text, colon, err);
	if (*text == '\0')
		return error_set(err, ERROR_USAGE, _("an empty file name"));
	ret_location->kind = LOCATION_LOCAL;
	ret_location->path = text_copy(text, strlen(text), err);
	return ret_location->path != NULL ? 0 : -1;
}

int
location_parse(
    const char *text, struct location *ret_location, struct error *err)
{
	struct location location = {.kind = LOCATION_INSTANCE};
	const char *colon = instance_end(text);
	auto_free char *word = NULL;

	*ret_location = (struct location){0};
	if (strcmp(text, "-") == 0) {
		ret_location->kind = LOCATION_STDIO;
		return 0;
	}
	if (colon == NULL)
		return parse_local(text, ret_location, err);

	word = text_copy(text, (size_t)(colon - text), err);
	if (word == NULL ||
	    instance_word_parse(word, &location.instance, err) < 0)
		return -1;
	location.path = text_copy(colon + 1, strlen(colon + 1), err);
	if (location.path == NULL) {
		location_clear(&location);
		return -1;
	}
	*ret_location = location;
	return 0;
}
