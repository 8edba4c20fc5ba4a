#include "transfer/host_description.h"

#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/project.h"
#include "store/archive.h"
#include "store/small_file.h"
#include "stream/openpgp.h"
#include "stream/stream.h"

/* The number in "format". */
#define HOST_FORMAT 1

#define RESTORE_FILE "RESTORE.txt"

/* TRANSLATORS: a file of its own. Lines that begin with four blanks are
 * commands; leave those. */
static const char restore_text[] =
    N_("Backups of Incus instances, made by anklume.\n"
       "\n"
       "<project>/<instance>-YYYYMMDD-HHMMSS.tar.gz is one instance at that "
       "time;\n"
       "with .gpg at its end it is encrypted. The .json beside it says what it "
       "holds.\n"
       "<project>/<pool>+<volume>-YYYYMMDD-HHMMSS.tar.gz is one custom volume, "
       "which\n"
       "instances have attached.\n"
       "host-<server>-YYYYMMDD-HHMMSS.json has the projects, profiles, "
       "networks and\n"
       "pools of the host.\n"
       "\n"
       "With anklume, on a new host, in this directory:\n"
       "\n"
       "    anklume backup adopt .\n"
       "    anklume backup restore --all --from . --create-missing --dry-run\n"
       "    anklume backup restore --all --from . --create-missing\n"
       "\n"
       "With nothing but the tools of the system, for each volume, and then "
       "for each\n"
       "instance:\n"
       "\n"
       "    incus storage volume import POOL FILE.tar.gz NAME --project "
       "PROJECT\n"
       "    gpg --decrypt FILE.tar.gz.gpg |\n"
       "        incus storage volume import POOL /dev/stdin NAME --project "
       "PROJECT\n"
       "\n"
       "    incus import FILE.tar.gz NAME --project PROJECT\n"
       "    gpg --decrypt FILE.tar.gz.gpg | incus import - NAME --project "
       "PROJECT\n"
       "\n"
       "What the instance needs must be there before; for example:\n"
       "\n"
       "    gpg --decrypt HOST.json.gpg | jq .projects\n"
       "    incus project create PROJECT\n"
       "    incus profile create PROFILE --project PROJECT\n"
       "    incus profile edit PROFILE --project PROJECT\n");

/* What is only true of the old host. */
static void
strip(json_t *objects)
{
	json_t *one;
	size_t i;

	json_array_foreach(objects, i, one)
	{
		(void)json_object_del(one, "used_by");
	}
}

/* All objects of a kind in a project, added to `all` with that project. */
static int
add_objects(struct incus_client *client, const char *kind, const char *project,
    json_t *all, struct error *err)
{
	auto_free char *path = incus_path(err, project, kind, NULL);
	auto_free char *full = path != NULL
				   ? text_format(err, "%s%srecursion=1", path,
					 strchr(path, '?') != NULL ? "&" : "?")
				   : NULL;
	auto_json json_t *found = NULL;
	json_t *one;
	size_t i;

	if (full == NULL || incus_get(client, full, &found, err) < 0)
		return -1;
	strip(found);
	json_array_foreach(found, i, one)
	{
		if (project != NULL && json_is_object(one))
			(void)json_object_set_new(
			    one, "project", json_string(project));
		if (json_array_append(all, one) < 0)
			return error_set_memory(err);
	}
	return 0;
}

/* Of every project that has its own. */
static int
add_of_projects(struct incus_client *client, const char *kind,
    const char *feature, const json_t *projects, json_t *all, struct error *err)
{
	const json_t *project;
	size_t i;

	json_array_foreach(projects, i, project)
	{
		const char *name = json_text(project, "name");

		if (name == NULL ||
		    strcmp(project_holder(project, name, feature), name) != 0)
			continue;
		if (add_objects(client, kind, name, all, err) < 0)
			return -1;
	}
	return 0;
}

static json_t *
describe(struct incus_client *client, time_t when, struct error *err)
{
	const struct incus_server *server = incus_client_server(client, err);
	auto_json json_t *projects = json_array();
	auto_json json_t *profiles = json_array();
	auto_json json_t *networks = json_array();
	auto_json json_t *acls = json_array();
	auto_json json_t *pools = json_array();
	char created[CLOCK_TEXT_BYTES];
	json_t *object;

	if (server == NULL ||
	    add_objects(client, "projects", NULL, projects, err) < 0 ||
	    add_objects(client, "storage-pools", NULL, pools, err) < 0 ||
	    add_of_projects(client, "profiles", "features.profiles", projects,
		profiles, err) < 0 ||
	    add_of_projects(client, "networks", "features.networks", projects,
		networks, err) < 0 ||
	    add_of_projects(client, "network-acls", "features.networks",
		projects, acls, err) < 0)
		return NULL;
	object = json_pack("{s:i, s:{s:s, s:s, s:s}, s:s, s:O, s:O, s:O, s:O,"
			   " s:O}",
	    "format", HOST_FORMAT, "server", "name", server->name,
	    "fingerprint", server->fingerprint, "incus", server->version,
	    "created_at", clock_utc(created, when), "projects", projects,
	    "profiles", profiles, "networks", networks, "network_acls", acls,
	    "storage_pools", pools);
	if (object == NULL)
		error_set_memory(err);
	return object;
}

/* The server's name may be any text: what is no plain letter becomes "_". */
static char *
file_name(
    struct incus_client *client, time_t when, bool encrypted, struct error *err)
{
	const struct incus_server *server = incus_client_server(client, err);
	char stamp[CLOCK_TEXT_BYTES];
	char *name;

	if (server == NULL)
		return NULL;
	name = text_format(err, "host-%.64s-%s.json%s", server->name,
	    clock_local_stamp(stamp, when), encrypted ? ".gpg" : "");
	for (char *at = name; at != NULL && *at != '\0'; at++) {
		char letter[2] = {*at, '\0'};

		if (*at != '-' && *at != '.' && !text_is_plain_word(letter))
			*at = '_';
	}
	return name;
}

static int
write_description(const char *directory, const char *name, const char *text,
    const struct openpgp_recipients *recipients, struct error *err)
{
	auto_stream struct stream *body =
	    stream_memory_new(text, strlen(text), err);

	if (recipients->count > 0)
		body = openpgp_encrypt_new(body, recipients, err);
	if (body == NULL)
		return -1;
	return archive_save(directory, name, false, body, err);
}

int
host_description_write(struct incus_client *client, const char *directory,
    const struct openpgp_recipients *recipients, time_t when, struct error *err)
{
	auto_json json_t *object = describe(client, when, err);
	auto_free char *text =
	    object != NULL ? json_print(object, true, err) : NULL;
	auto_free char *name =
	    text != NULL ? file_name(client, when, recipients->count > 0, err)
			 : NULL;

	if (name == NULL ||
	    write_description(directory, name, text, recipients, err) < 0)
		return -1;
	return small_file_publish(
	    directory, RESTORE_FILE, _(restore_text), 0600, true, err);
}
