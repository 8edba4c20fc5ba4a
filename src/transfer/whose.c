#include "transfer/whose.h"

#include "base/text.h"
#include "store/manifest.h"

char *
whose_backup(const json_t *object, struct error *err)
{
	const char *project = json_text(object, "project");
	const char *subject = manifest_subject(object);

	if (project == NULL || subject == NULL)
		return text_format(err, "?");
	return text_format(err, "%s/%s", project, subject);
}
