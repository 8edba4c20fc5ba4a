#include "transfer/restore_target.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/manifest.h"
#include "store/subject.h"
#include "transfer/backup_source.h"
#include "transfer/location.h"
#include "transfer/restore.h"

/* What is being chosen, and from what. */
struct choice {
	const struct restore_request *request;
	const char *file;
	const struct backup_source *source;
	struct instance_ref target;
	bool presumed;
};

/* The instance's name in "<instance>-YYYYMMDD-HHMMSS.tar..."; the user has
 * typed it. Heap, or NULL with err clear. */
static char *
name_in_file_name(const char *file, struct error *err)
{
	static const char pattern[] = "-dddddddd-dddddd.tar";
	const char *base = strrchr(file, '/');
	const char *end;
	size_t i;

	base = base != NULL ? base + 1 : file;
	end = strstr(base, ".tar");
	if (end == NULL || (size_t)(end - base) <= sizeof(pattern) - 5)
		return NULL;
	end -= sizeof(pattern) - 5;
	for (i = 0; pattern[i] != '\0'; i++) {
		bool fits = pattern[i] == 'd' ? end[i] >= '0' && end[i] <= '9'
					      : end[i] == pattern[i];

		if (!fits)
			return NULL;
	}
	return text_copy(base, (size_t)(end - base), err);
}

/* A word of the archive's, offered for pasting: only when it is a name. */
static void
suggest_word(struct error *err, const char *option, const char *word)
{
	auto_instance_word struct instance_word parsed = {0};
	struct error ignored = {0};

	if (*word == '-' || strchr(word, ':') != NULL ||
	    instance_word_parse(word, &parsed, &ignored) < 0 ||
	    parsed.project != NULL)
		return;
	error_hint_command(err, option, word, NULL);
}

/* Of an instance, or of a volume without its pool. */
static const char *
name_of(const json_t *entry)
{
	const char *subject = manifest_subject(entry);

	return subject != NULL && subject_is_volume(subject)
		   ? subject_volume(subject)
		   : subject;
}

/* Names on our side come from the request, or from this host's own record. */
static int
choose_name(struct choice *choice, const json_t *entry, struct error *err)
{
	const char *name = choice->request->name;
	auto_free char *typed = NULL;

	if (name == NULL && entry != NULL) {
		name = name_of(entry);
		choice->presumed = true;
	}
	if (name == NULL) {
		typed = name_in_file_name(choice->file, err);
		if (error_is_set(err))
			return -1;
		if (typed != NULL &&
		    strcmp(typed, choice->source->index.name) == 0)
			name = typed;
	}
	if (name == NULL) {
		error_set(err, ERROR_USAGE,
		    _("'%s' is of unknown origin: it does not choose its name"),
		    choice->file);
		suggest_word(err, "--name", choice->source->index.name);
		return -1;
	}
	choice->target.name = text_copy(name, strlen(name), err);
	return choice->target.name != NULL ? 0 : -1;
}

static int
choose_project(struct choice *choice, const json_t *entry, struct error *err)
{
	const char *project = choice->request->project;

	if (project == NULL && entry != NULL) {
		project = json_text(entry, "project");
		choice->presumed = true;
	}
	if (project == NULL) {
		error_set(err, ERROR_USAGE,
		    _("'%s' is of unknown origin: it does not choose its "
		      "project"),
		    choice->file);
		suggest_word(err, "--project",
		    *choice->source->index.project != '\0'
			? choice->source->index.project
			: "default");
		return -1;
	}
	choice->target.project = text_copy(project, strlen(project), err);
	return choice->target.project != NULL ? 0 : -1;
}

/* What leads elsewhere, the daemon's address refuses (incus/client.h). */
static int
check_volume_name(const struct instance_ref *target, struct error *err)
{
	if (strchr(target->name, '/') == NULL && *target->name != '\0')
		return 0;
	return error_set(err, ERROR_USAGE,
	    _("'%s' is not the name of a volume"), target->name);
}

static int
check_name(const struct choice *choice, struct error *err)
{
	const struct instance_ref *target = &choice->target;
	auto_instance_word struct instance_word word = {0};

	if (backup_index_is_volume(&choice->source->index))
		return check_volume_name(target, err);
	if (instance_word_parse(target->name, &word, err) < 0)
		return -1;
	if (word.project != NULL || strchr(target->name, ':') != NULL)
		return error_set(err, ERROR_USAGE,
		    _("'%s' is not the name of an instance"), target->name);
	return 0;
}

int
restore_target_choose(const struct restore_request *request, const char *file,
    const struct backup_source *source, struct instance_ref *ret_target,
    bool *ret_presumed, struct error *err)
{
	const json_t *entry = provenance_entry(&source->provenance);
	struct choice choice = {request, file, source, {0}, false};

	if (choose_name(&choice, entry, err) < 0 ||
	    choose_project(&choice, entry, err) < 0 ||
	    check_name(&choice, err) < 0) {
		instance_ref_clear(&choice.target);
		return -1;
	}
	*ret_target = choice.target;
	*ret_presumed = choice.presumed;
	return 0;
}

char *
restore_target_pool(const struct restore_request *request,
    const struct backup_source *source, bool *ret_presumed, struct error *err)
{
	const json_t *entry = provenance_entry(&source->provenance);
	const char *subject = entry != NULL ? manifest_subject(entry) : NULL;

	if (request->storage != NULL)
		return text_format(err, "%s", request->storage);
	if (subject == NULL || !subject_is_volume(subject))
		return text_format(err, "%s", source->index.pool);
	*ret_presumed = true;
	return subject_pool(subject, err);
}
