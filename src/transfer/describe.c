#include "transfer/describe.h"

#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "config.h"
#include "incus/backup_subject.h"
#include "incus/client.h"
#include "store/manifest.h"
#include "stream/backup_index.h"
#include "stream/digest.h"
#include "stream/examine.h"
#include "stream/openpgp.h"
#include "transfer/attached_volumes.h"

/* A key that ends so soon is said. */
#define KEY_WARNING_S (30 * 24 * 60 * 60)

/* What is said of keys, as it stands in manifests. */
static const char one_key[] = N_("one key alone can open this backup: name a "
				 "second one that is kept elsewhere");
static const char key_expires[] = "the key ";

static json_t *
names_of(const json_t *list)
{
	json_t *names = json_array();
	json_t *name;
	size_t i;

	json_array_foreach(list, i, name)
	{
		if (json_is_string(name))
			(void)json_array_append(names, name);
	}
	return names;
}

json_t *
describe_recipients(const struct openpgp_recipients *recipients)
{
	json_t *fingerprints = json_array();

	for (size_t i = 0; i < recipients->count; i++)
		(void)json_array_append_new(
		    fingerprints, json_string(recipients->keys[i].fingerprint));
	return fingerprints;
}

/* Whether what changes is a disk, and not files. */
static bool
is_disk(const struct description *d)
{
	return strcmp(d->index->type, "virtual-machine") == 0 ||
	       strcmp(d->index->content_type, "block") == 0;
}

/* Whether the daemon reads a snapshot or the live tree of a running instance
 * (incus, storage/drivers: only btrfs and zfs make one, and not of a virtual
 * machine's disk). */
static const char *
consistency_of(const struct description *d)
{
	const char *driver = d->index->driver;

	if (d->frozen)
		return "frozen";
	if (!d->running)
		return "stopped";
	if (!is_disk(d) &&
	    (strcmp(driver, "btrfs") == 0 || strcmp(driver, "zfs") == 0))
		return "snapshot";
	return "live";
}

static json_t *
server_of(const struct description *d)
{
	const char *member = json_text(d->about, "location");

	return json_pack("{s:s, s:s, s:s}", "name", d->server->name,
	    "fingerprint", d->server->fingerprint, "member",
	    member != NULL && strcmp(member, "none") != 0 ? member : "");
}

json_t *
describe_record(const json_t *manifest, struct error *err)
{
	static const char *const kept[] = {"sha256", "size_bytes", "archive",
	    "server", "project", "instance", "volume", "created_at"};
	json_t *entry = json_object();

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		json_t *value = json_object_get(manifest, kept[i]);

		/* It is of an instance, or of a volume. */
		if (value != NULL &&
		    json_object_set(entry, kept[i], value) < 0) {
			json_decref(entry);
			error_set_memory(err);
			return NULL;
		}
	}
	return entry;
}

/* What the warnings are made from. `translated` is false for a manifest: JSON
 * is never translated. */
struct warnings {
	json_t *list;
	bool translated;
};

static const char *
say(const struct warnings *warnings, const char *text)
{
	return warnings->translated ? gettext(text) : text;
}

static int
add(struct warnings *warnings, char *sentence, struct error *err)
{
	auto_free char *owned = sentence;

	if (owned == NULL)
		return -1;
	if (json_array_append_new(warnings->list, json_string(owned)) < 0)
		return error_set_memory(err);
	return 0;
}

static int
warn_of_keys(struct warnings *warnings,
    const struct openpgp_recipients *recipients, time_t now, struct error *err)
{
	if (recipients->count == 0)
		return add(warnings,
		    text_format(
			err, "%s", say(warnings, N_("nothing was encrypted"))),
		    err);
	if (recipients->count == 1 &&
	    add(warnings, text_format(err, "%s", say(warnings, one_key)), err) <
		0)
		return -1;

	for (size_t i = 0; i < recipients->count; i++) {
		const struct openpgp_key *key = &recipients->keys[i];
		char when[CLOCK_TEXT_BYTES];

		if (key->expires == 0 || key->expires > now + KEY_WARNING_S)
			continue;
		(void)clock_utc(when, key->expires);
		if (add(warnings,
			text_format(err,
			    say(warnings, N_("the key %s expires on %.10s")),
			    key->fingerprint, when),
			err) < 0)
			return -1;
	}
	return 0;
}

/* Of an instance that ran, or of a volume that such a one has attached. */
static int
warn_of_change(
    struct warnings *warnings, const struct description *d, struct error *err)
{
	bool volume = backup_subject_is_volume(d->subject);

	if (volume && is_disk(d))
		return add(warnings,
		    text_format(err, "%s",
			say(warnings,
			    N_("the volume was in use: its disk was read while "
			       "it could change"))),
		    err);
	if (volume)
		return add(warnings,
		    text_format(err,
			say(warnings,
			    N_("the volume was in use and its pool's driver "
			       "'%s' has no snapshots: files were read while "
			       "they could change")),
			d->index->driver),
		    err);
	if (is_disk(d))
		return add(warnings,
		    text_format(err, "%s",
			say(warnings,
			    N_("the virtual machine was running: its disk was "
			       "read while it could change"))),
		    err);
	return add(warnings,
	    text_format(err,
		say(warnings,
		    N_("the instance was running and its pool's driver "
		       "'%s' has no snapshots: files were read while they "
		       "could change")),
		d->index->driver),
	    err);
}

json_t *
describe_key_warnings(const struct openpgp_recipients *recipients, time_t now,
    bool translated, struct error *err)
{
	auto_json json_t *list = json_array();
	struct warnings warnings = {.list = list, .translated = translated};

	if (list == NULL) {
		error_set_memory(err);
		return NULL;
	}
	return warn_of_keys(&warnings, recipients, now, err) == 0 ? steal(list)
								  : NULL;
}

json_t *
describe_warnings(
    const struct description *d, bool translated, struct error *err)
{
	auto_json json_t *list = json_array();
	struct warnings warnings = {.list = list, .translated = translated};

	if (list == NULL) {
		error_set_memory(err);
		return NULL;
	}
	if (!(translated && d->keys_told) &&
	    warn_of_keys(&warnings, d->recipients, d->started, err) < 0)
		return NULL;
	if (strcmp(consistency_of(d), "live") == 0 &&
	    warn_of_change(&warnings, d, err) < 0)
		return NULL;
	return steal(list);
}

static json_t *
volumes_of(const struct description *d)
{
	return d->volumes != NULL ? json_deep_copy(d->volumes) : json_array();
}

static json_t *
left_out_of(const struct description *d)
{
	return backup_subject_is_volume(d->subject)
		   ? json_array()
		   : attached_left_out(d->about, d->volumes);
}

json_t *
describe_backup(const struct description *d, struct error *err)
{
	char created[CLOCK_TEXT_BYTES];
	bool volume = backup_subject_is_volume(d->subject);
	auto_free char *name = backup_subject_text(d->subject, err);
	auto_json json_t *warnings = describe_warnings(d, false, err);
	json_t *manifest;

	if (name == NULL || warnings == NULL)
		return NULL;
	manifest = json_pack(
	    "{s:i, s:s, s:s*, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s,"
	    " s:I, s:s, s:s, s:o, s:I, s:s, s:I, s:o, s:o, s:s, s:s, s:s,"
	    " s:I, s:b, s:o, s:o, s:O}",
	    "format", MANIFEST_FORMAT, volume ? "volume" : "instance", name,
	    "content_type", volume ? d->index->content_type : NULL, "project",
	    d->subject->project, "server", server_of(d), "type",
	    volume ? "volume" : d->index->type, "architecture",
	    d->index->architecture, "created_at",
	    clock_utc(created, d->started), "anklume", ANKLUME_VERSION, "incus",
	    d->server->version, "archive", d->archive_name, "size_bytes",
	    (json_int_t)d->archive->size_bytes, "sha256", d->archive->sha256,
	    "compression", compression_name(d->compression), "recipients",
	    describe_recipients(d->recipients), "tar_size_bytes",
	    (json_int_t)d->tar->size_bytes, "tar_sha256", d->tar->sha256,
	    "entries", (json_int_t)d->examination->entries, "snapshots",
	    names_of(d->index->snapshots), "profiles",
	    names_of(d->index->profiles), "pool", d->index->pool, "driver",
	    d->index->driver, "consistency", consistency_of(d), "frozen_ms",
	    (json_int_t)d->frozen_ms, "instance_only", d->instance_only,
	    "volumes", volumes_of(d), "not_included", left_out_of(d),
	    "warnings", warnings);

	if (manifest == NULL ||
	    (d->signer != NULL && json_object_set_new(manifest, "signer",
				      json_string(d->signer)) < 0)) {
		json_decref(manifest);
		error_set_memory(err);
		return NULL;
	}
	return manifest;
}

/* What the old manifest warns of, but for its keys. */
static int
keep_other_warnings(
    struct warnings *warnings, const json_t *old, struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(old, i, one)
	{
		const char *text = json_string_value(one);

		if (text == NULL || strcmp(text, one_key) == 0 ||
		    text_starts_with(text, key_expires))
			continue;
		if (json_array_append(
			warnings->list, (json_t *)(uintptr_t)one) < 0)
			return error_set_memory(err);
	}
	return 0;
}

json_t *
describe_reencrypted(const json_t *manifest,
    const struct openpgp_recipients *recipients, const struct digest *archive,
    struct error *err)
{
	auto_json json_t *copy = json_copy((json_t *)(uintptr_t)manifest);
	auto_json json_t *list = json_array();
	struct warnings warnings = {.list = list, .translated = false};
	auto_json json_t *changed = NULL;

	if (copy == NULL || list == NULL) {
		error_set_memory(err);
		return NULL;
	}
	if (warn_of_keys(&warnings, recipients, time(NULL), err) < 0 ||
	    keep_other_warnings(
		&warnings, json_object_get(manifest, "warnings"), err) < 0)
		return NULL;
	changed = json_pack("{s:s, s:I, s:o, s:O}", "sha256", archive->sha256,
	    "size_bytes", (json_int_t)archive->size_bytes, "recipients",
	    describe_recipients(recipients), "warnings", list);
	/* Nobody has signed the new one. */
	(void)json_object_del(copy, "signer");
	if (changed == NULL || json_object_update(copy, changed) < 0) {
		error_set_memory(err);
		return NULL;
	}
	return steal(copy);
}
