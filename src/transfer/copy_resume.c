#include "transfer/copy_resume.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "transfer/copy.h"

/* The program's name, every option with its value, and "--". */
#define OPTIONS_MAX 24

#define NUMBER_BYTES 24

struct resume {
	const char **words;
	size_t count;
	char uid[NUMBER_BYTES];
	char gid[NUMBER_BYTES];
	char mode[NUMBER_BYTES];
};

static void
add(struct resume *resume, const char *word)
{
	resume->words[resume->count++] = word;
}

static void
add_flag(struct resume *resume, bool given, const char *option)
{
	if (given)
		add(resume, option);
}

static void
add_number(struct resume *resume, int64_t value, const char *option,
    const char *format, char text[NUMBER_BYTES])
{
	if (value < 0)
		return;
	(void)snprintf(text, NUMBER_BYTES, format, (long long)value);
	add(resume, option);
	add(resume, text);
}

static void
add_options(struct resume *resume, const struct copy_request *request)
{
	add(resume, "anklume");
	add(resume, "portal");
	add(resume, "copy");
	if (request->project != NULL) {
		add(resume, "--project");
		add(resume, request->project);
	}
	add(resume, "-r");
	add(resume, "--update");
	add_flag(resume, request->create_directories, "-p");
	add_flag(resume, request->no_clobber, "--no-clobber");
	add_flag(resume, request->in_place, "--in-place");
	add_flag(resume, request->verify, "--verify");
	add_flag(resume, request->keep_setuid, "--keep-setuid");
	add_number(resume, request->uid, "--uid", "%lld", resume->uid);
	add_number(resume, request->gid, "--gid", "%lld", resume->gid);
	add_number(resume, request->mode, "--mode", "%llo", resume->mode);
}

static bool
looks_like_an_option(const struct copy_request *request)
{
	bool found = request->destination[0] == '-';

	for (size_t i = 0; i < request->source_count; i++)
		found = found || request->sources[i][0] == '-';
	return found;
}

int
copy_resume_hint(const struct copy_request *request, size_t copied, bool merged,
    struct error *err)
{
	const char *first = request->sources[0];
	auto_free const char **words =
	    calloc(OPTIONS_MAX + request->source_count + 2, sizeof(*words));
	struct resume resume = {.words = words};
	struct error ignored = {0};
	auto_free char *content = text_format(
	    &ignored, "%s%s", first, text_ends_with(first, "/") ? "." : "/.");

	if (words == NULL || content == NULL)
		return -1;
	add_options(&resume, request);
	add_flag(&resume, looks_like_an_option(request), "--");
	for (size_t i = 0; i < request->source_count; i++)
		add(&resume, merged ? content : request->sources[i]);
	add(&resume, request->destination);

	/* What was on its way may have arrived as well. */
	error_hint(
	    err, _("at least %zu files have arrived whole; to go on:"), copied);
	return error_hint_words(err, words);
}
