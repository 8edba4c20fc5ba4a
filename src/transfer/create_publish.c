#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "incus/client.h"
#include "store/archive.h"
#include "store/manifest.h"
#include "store/record.h"
#include "stream/openpgp_sign.h"
#include "transfer/create.h"
#include "transfer/create_run.h"
#include "transfer/describe.h"
#include "transfer/previous_backup.h"
#include "transfer/watch.h"

/* A disk that was taken off has taken the archive along: what is there now is
 * the directory below it. */
static int
check_still_there(const struct create *create, struct error *err)
{
	const char *output = create->request->output;

	return export_is_to_stdout(output)
		   ? 0
		   : archive_check_same_directory(output, &create->output, err);
}

/* Everything that is now known of the backup. */
static int
fill_description(struct create *create, struct description *ret_description,
    struct error *err)
{
	const struct incus_server *server =
	    incus_client_server(create->client, err);

	*ret_description = (struct description){
	    .server = server,
	    .subject = &create->subject,
	    .about = create->about,
	    .volumes = create->volumes,
	    .running = create->running,
	    .index = &create->exported.index,
	    .examination = &create->exported.examination,
	    .tar = &create->exported.tar,
	    .archive = &create->exported.archive,
	    .recipients = &create->keys->recipients,
	    .signer = create->keys->signer != NULL
			  ? openpgp_signer_fingerprint(create->keys->signer)
			  : NULL,
	    .compression = create->request->compression.kind,
	    .archive_name = create->name,
	    .instance_only = create->request->instance_only,
	    .keys_told = create->request->known != NULL,
	    .frozen = create->exported.frozen,
	    .frozen_ms = create->exported.frozen_ms,
	    .started = create->started,
	};
	return server != NULL ? 0 : -1;
}

/* Say what the archive does not hold, and what should give pause. */
static void
tell(const struct watch *watch, const json_t *manifest, const json_t *warnings)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(manifest, "not_included"), i, one)
	{
		watch_note(watch, _("not included: %s '%s' (device '%s')"),
		    _(json_text(one, "kind")), json_text(one, "source"),
		    json_text(one, "device"));
	}
	json_array_foreach(warnings, i, one)
	{
		watch_note(watch, "%s", json_string_value(one));
	}
}

static int
save_manifest(struct create *create, const json_t *manifest, struct error *err)
{
	auto_manifest_files struct manifest_files files = {
	    .text = manifest_print(manifest, err)};

	if (files.text == NULL)
		return -1;
	files.size = strlen(files.text);
	if (create->keys->signer != NULL &&
	    openpgp_sign(create->keys->signer, files.text, files.size,
		&files.signature, err) < 0)
		return -1;
	return manifest_save(create->request->output, create->name, &files,
	    create->request->force, err);
}

/* The archive is there; what cannot be written beside it is said, and does not
 * undo it. */
static int
keep_records(struct create *create, const json_t *manifest, struct error *err)
{
	auto_json json_t *entry = describe_record(manifest, err);
	struct error failure = {0};

	if (entry == NULL)
		return -1;
	if (record_add(entry, &failure) < 0)
		watch_note(create->watch,
		    _("the backup is whole, but not in this host's record: "
		      "%s"),
		    failure.text);
	if (export_is_to_stdout(create->request->output))
		return 0;
	if (save_manifest(create, manifest, err) < 0)
		return error_prefix(
		    err, _("the archive is whole, its manifest is not"));
	return 0;
}

/* A tar that is so much smaller than the one before has perhaps lost what it
 * should hold. */
static int
warn_of_shrinkage(struct create *create, json_t *manifest, struct error *err)
{
	static const char text[] = N_("the tar shrank by %u %%, from %s to %s");
	const struct create_request *request = create->request;
	const struct incus_server *server =
	    incus_client_server(create->client, err);
	auto_json json_t *before = NULL;
	char from[TEXT_SIZE_BYTES];
	char to[TEXT_SIZE_BYTES];
	unsigned int shrinkage;

	if (server == NULL)
		return -1;
	if (request->shrink_percent == 0 ||
	    export_is_to_stdout(request->output) ||
	    previous_backup(
		request->output, server, &create->subject, &before) == 0)
		return 0;
	shrinkage = previous_backup_shrinkage(manifest, before);
	if (shrinkage < request->shrink_percent)
		return 0;
	(void)text_show_size(
	    from, (uint64_t)json_number(before, "tar_size_bytes"));
	(void)text_show_size(
	    to, (uint64_t)json_number(manifest, "tar_size_bytes"));
	watch_note(create->watch, _(text), shrinkage, from, to);
	if (json_array_append_new(json_object_get(manifest, "warnings"),
		json_sprintf(text, shrinkage, from, to)) < 0 ||
	    json_object_set(
		manifest, "shrunk_from", json_object_get(before, "sha256")) < 0)
		return error_set_memory(err);
	return 0;
}

int
create_publish(
    struct create *create, struct create_result *result, struct error *err)
{
	const struct create_request *request = create->request;
	auto_json json_t *warnings = NULL;
	struct description description;

	if (check_still_there(create, err) < 0 ||
	    fill_description(create, &description, err) < 0)
		return -1;
	warnings = describe_warnings(&description, true, err);
	result->manifest = describe_backup(&description, err);
	if (warnings == NULL || result->manifest == NULL)
		return -1;
	tell(create->watch, result->manifest, warnings);
	if (warn_of_shrinkage(create, result->manifest, err) < 0)
		return -1;
	if (!export_is_to_stdout(request->output)) {
		result->path =
		    text_format(err, "%s/%s", request->output, create->name);
		if (result->path == NULL)
			return -1;
	}
	return keep_records(create, result->manifest, err);
}
