#include "transfer/doctor_checks.h"

#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "incus/client.h"
#include "incus/project.h"
#include "transfer/doctor.h"

/* The oldest that the tests know. */
#define INCUS_MAJOR 6

/* How many commands one finding gives. */
#define COMMANDS_MAX 8

int
doctor_daemon(struct doctor *doctor, struct error *err)
{
	struct incus_client *client =
	    incus_client_open(doctor->request->timeout_s, err);
	const struct incus_server *server;
	struct error what = {0};

	if (client == NULL)
		return -1;
	server = incus_client_server(client, err);
	if (server == NULL) {
		incus_client_free(client);
		return -1;
	}
	doctor->client = client;
	findings_say(doctor->findings, "daemon", FINDING_OK,
	    _("Incus answers at '%s'"), incus_client_socket(client));
	if (text_ends_with(incus_client_socket(client), ".user")) {
		error_set(&what, ERROR_DENIED,
		    _("'%s' is the restricted socket: it shows one project "
		      "only"),
		    incus_client_socket(client));
		error_hint(&what,
		    _("join its group, then log in again: sudo usermod -aG "
		      "incus-admin \"$USER\""));
		findings_add(
		    doctor->findings, "daemon-rights", FINDING_NOTE, &what);
	}
	return 0;
}

int
doctor_version(struct doctor *doctor, struct error *err)
{
	const struct incus_server *server =
	    incus_client_server(doctor->client, err);
	auto_free char *major = NULL;
	struct error what = {0};
	uint64_t number;

	if (server == NULL)
		return -1;
	major = text_copy(server->version, strcspn(server->version, "."), err);
	if (major == NULL)
		return -1;
	if (!text_parse_number(major, UINT32_MAX, &number))
		return error_set(err, ERROR_FAILED,
		    _("the daemon's version is '%s'"), server->version);
	if (number >= INCUS_MAJOR) {
		findings_say(doctor->findings, "daemon-version", FINDING_OK,
		    _("Incus is %s"), server->version);
		return 0;
	}
	error_set(&what, ERROR_FAILED,
	    _("Incus is %s: it must be %d.0 at least"), server->version,
	    INCUS_MAJOR);
	error_hint(&what, "apt install incus");
	findings_add(
	    doctor->findings, "daemon-version", FINDING_PROBLEM, &what);
	return 0;
}

int
doctor_direct_export(struct doctor *doctor, struct error *err)
{
	int direct =
	    incus_client_supports(doctor->client, "direct_backup", err);
	struct error what = {0};

	if (direct < 0)
		return -1;
	doctor->spools = direct == 0;
	if (direct > 0) {
		findings_say(doctor->findings, "direct-export", FINDING_OK,
		    _("exports come straight out of the daemon"));
		return 0;
	}
	error_set(&what, ERROR_FAILED,
	    _("the daemon has no 'direct_backup': each export goes over its "
	      "disk first, and takes longer"));
	error_hint(&what, _("Incus has it since 6.0.6 and 7.0: %s"),
	    "apt install incus");
	findings_add(doctor->findings, "direct-export", FINDING_NOTE, &what);
	return 0;
}

/* What runs is read while it changes (stream by file): not so where the driver
 * takes a snapshot first. */
static bool
is_read_live(const char *driver)
{
	return strcmp(driver, "dir") == 0 || strcmp(driver, "lvm") == 0 ||
	       strcmp(driver, "lvmcluster") == 0;
}

int
doctor_pools(struct doctor *doctor, struct error *err)
{
	char live[FINDING_NAMES_BYTES] = "";
	auto_json json_t *pools = NULL;
	struct error what = {0};
	const json_t *one;
	size_t i;

	if (incus_pool_list(doctor->client, &pools, err) < 0)
		return -1;
	json_array_foreach(pools, i, one)
	{
		const char *name = json_text(one, "name");
		const char *driver = json_text(one, "driver");

		if (name != NULL && driver != NULL && is_read_live(driver))
			finding_names_add(live, name);
	}
	if (*live == '\0') {
		findings_say(doctor->findings, "pool-drivers", FINDING_OK,
		    _("every pool has a driver with snapshots"));
		return 0;
	}
	error_set(&what, ERROR_FAILED,
	    _("instances that run are read while they change, in pools of the "
	      "driver dir or lvm: %s"),
	    live);
	error_hint(
	    &what, "anklume backup create INSTANCE --consistency freeze");
	findings_add(doctor->findings, "pool-drivers", FINDING_NOTE, &what);
	return 0;
}

/* Those that forbid backups: an array of their names, owned by the caller. */
static int
forbidding(struct incus_client *client, json_t **ret_names, struct error *err)
{
	auto_json json_t *projects = NULL;
	auto_json json_t *names = json_array();
	const json_t *one;
	size_t i;

	if (incus_project_list(client, &projects, err) < 0)
		return -1;
	json_array_foreach(projects, i, one)
	{
		json_t *name = json_object_get(one, "name");

		if (json_is_string(name) &&
		    !project_allows(one, "restricted.backups") &&
		    json_array_append(names, name) < 0)
			return error_set_memory(err);
	}
	*ret_names = steal(names);
	return 0;
}

int
doctor_projects(struct doctor *doctor, struct error *err)
{
	char shown[FINDING_NAMES_BYTES] = "";
	auto_json json_t *names = NULL;
	struct error what = {0};
	const json_t *one;
	size_t i;

	if (forbidding(doctor->client, &names, err) < 0)
		return -1;
	if (json_array_size(names) == 0) {
		findings_say(doctor->findings, "project-restrictions",
		    FINDING_OK, _("every project allows backups"));
		return 0;
	}
	json_array_foreach(names, i, one)
	{
		finding_names_add(shown, json_string_value(one));
	}
	error_set(&what, ERROR_DENIED,
	    _("projects that forbid backups (restricted.backups): %s"), shown);
	for (i = 0; i < json_array_size(names) && i < COMMANDS_MAX; i++)
		error_hint_command(&what, "incus", "project", "set",
		    json_string_value(json_array_get(names, i)),
		    "restricted.backups=allow", NULL);
	findings_add(
	    doctor->findings, "project-restrictions", FINDING_NOTE, &what);
	return 0;
}
