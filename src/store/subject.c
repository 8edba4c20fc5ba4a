#include "store/subject.h"

#include <string.h>

#include "base/text.h"

static bool
is_name(const char *text, size_t length)
{
	return length > 0 && memchr(text, '/', length) == NULL &&
	       !(length <= 2 && strspn(text, ".") >= length);
}

bool
subject_fits_volume(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash != NULL && is_name(text, (size_t)(slash - text)) &&
	       is_name(slash + 1, strlen(slash + 1));
}

bool
subject_is_volume(const char *subject)
{
	return strchr(subject, '/') != NULL;
}

const char *
subject_key(const char *subject)
{
	return subject_is_volume(subject) ? "volume" : "instance";
}

int
subject_compare(const char *a, const char *b)
{
	int order = subject_is_volume(a) - subject_is_volume(b);

	return order != 0 ? order : strcmp(a, b);
}

char *
subject_pool(const char *subject, struct error *err)
{
	return text_copy(subject, strcspn(subject, "/"), err);
}

const char *
subject_volume(const char *subject)
{
	const char *slash = strchr(subject, '/');

	return slash != NULL ? slash + 1 : "";
}
