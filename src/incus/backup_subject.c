#include "incus/backup_subject.h"

#include "base/text.h"
#include "incus/client.h"
#include "incus/instance.h"

struct backup_subject
backup_subject_of(const struct instance_ref *instance)
{
	return (struct backup_subject){
	    .project = instance->project, .name = instance->name};
}

char *
backup_subject_text(const struct backup_subject *subject, struct error *err)
{
	if (!backup_subject_is_volume(subject))
		return text_format(err, "%s", subject->name);
	return text_format(err, "%s/%s", subject->pool, subject->name);
}

char *
backup_subject_path(const struct backup_subject *subject, const char *segment,
    const char *second, const char *third, struct error *err)
{
	if (!backup_subject_is_volume(subject))
		return incus_path(err, subject->project, "instances",
		    subject->name, segment, second, third, NULL);
	return incus_path(err, subject->project, "storage-pools", subject->pool,
	    "volumes", "custom", subject->name, segment, second, third, NULL);
}
