#include "transfer/prune.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "incus/client.h"
#include "store/archive.h"
#include "store/catalogue.h"
#include "store/directory_lock.h"
#include "store/manifest.h"
#include "store/mount_point.h"
#include "store/proof.h"
#include "store/subject.h"
#include "transfer/audited_run.h"
#include "transfer/backup_filter.h"
#include "transfer/backup_group.h"
#include "transfer/backup_state.h"
#include "transfer/backup_word.h"
#include "transfer/watch.h"

/* One run. */
struct pruning {
	const struct prune_request *request;
	const struct watch *watch;
	const char *from;
	const char *fingerprint; /* of the daemon; borrowed */
	time_t now;
	struct prune_result *result;
	size_t failed; /* to be removed; the others go on */
	char *held;    /* the directory that is locked just now; NULL: none */
	int held_fd;
};

/* One archive of a group, and why it stays. */
struct verdict {
	const struct catalogue_entry *entry;
	json_t *reasons; /* owned */
	bool kept;	 /* it has any */
	bool intact;
	bool drilled;
	bool judged; /* by the rules */
};

static bool
has_digest(const struct verdict *verdict, const char *sha256)
{
	const char *own = json_text(verdict->entry->manifest, "sha256");

	return own != NULL && sha256 != NULL && strcmp(own, sha256) == 0;
}

static void
add_reason(struct verdict *verdict, const char *reason)
{
	verdict->kept = true;
	(void)json_array_append_new(verdict->reasons, json_string(reason));
}

static void
look(struct verdict *verdict)
{
	struct error ignored = {0};
	auto_json json_t *proofs = backup_proofs(verdict->entry, &ignored);

	verdict->intact =
	    proofs != NULL &&
	    strcmp(backup_state(verdict->entry, proofs), "present") == 0;
	verdict->drilled = json_object_get(proofs, "drill") != NULL;
}

/* Those that are as they should be take part; the others are not counted. */
static int
apply_rules(const struct pruning *pruning, struct verdict *verdicts,
    size_t count, struct error *err)
{
	auto_free struct retention_item *items = calloc(count, sizeof(*items));
	size_t used = 0;

	if (items == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		verdicts[i].judged =
		    verdicts[i].intact &&
		    backup_group_time(verdicts[i].entry, &items[used].when);
		used += verdicts[i].judged;
	}
	retention_apply(&pruning->request->rules, pruning->now, items, used);
	used = 0;
	for (size_t i = 0; i < count; i++) {
		const struct retention_item *item = &items[used];

		if (!verdicts[i].judged) {
			add_reason(&verdicts[i], N_("not intact"));
			continue;
		}
		for (size_t k = 0; k < RETENTION_PERIODS; k++) {
			if (item->kept[k])
				add_reason(&verdicts[i],
				    retention_name((enum retention_period)k));
		}
		if (item->within)
			add_reason(&verdicts[i], "within");
		used++;
	}
	return 0;
}

/* The other side of a shrinkage: the archive that the manifest names. When its
 * digest is another by now, as after `backup reencrypt`, it is the next older
 * one that is intact. */
static void
protect_before(struct verdict *verdicts, size_t shrunk, size_t count)
{
	const json_t *manifest = verdicts[shrunk].entry->manifest;
	const char *sha256 = json_text(manifest, "shrunk_from");
	size_t before = shrunk + 1;

	while (before < count && !has_digest(&verdicts[before], sha256))
		before++;
	if (before == count) {
		before = shrunk + 1;
		while (before < count && !verdicts[before].judged)
			before++;
	}
	if (before < count)
		add_reason(&verdicts[before], N_("before it shrank"));
}

/* What stays whatever the rules say. */
static void
protect(struct verdict *verdicts, size_t count)
{
	bool intact = false;
	bool drilled = false;

	for (size_t i = 0; i < count; i++) {
		struct verdict *one = &verdicts[i];

		if (one->judged && !intact)
			add_reason(one, N_("newest intact"));
		intact |= one->judged;
		if (one->judged && one->drilled && !drilled)
			add_reason(one, N_("newest drilled"));
		drilled |= one->judged && one->drilled;
		if (!backup_group_shrank(one->entry))
			continue;
		add_reason(one, N_("shrank"));
		protect_before(verdicts, i, count);
	}
}

/* A proof is of a digest, and a copy that stays has the same. */
static void
forget_proofs(
    const struct verdict *verdicts, size_t count, const struct verdict *gone)
{
	const char *sha256 = json_text(gone->entry->manifest, "sha256");

	for (size_t i = 0; i < count; i++) {
		if (verdicts[i].kept && has_digest(&verdicts[i], sha256))
			return;
	}
	proof_forget_all(sha256);
}

static void
release_directory(struct pruning *pruning)
{
	if (pruning->held == NULL)
		return;
	(void)close(pruning->held_fd);
	free(pruning->held);
	pruning->held = NULL;
}

/* A run that writes one archive holds only the directory of its project. */
static int
hold_directory(struct pruning *pruning, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash != NULL ? (size_t)(slash - path) : 0;
	auto_free char *directory = NULL;

	if (length == 0 || (strncmp(path, pruning->from, length) == 0 &&
			       pruning->from[length] == '\0'))
		return 0;
	directory = text_copy(path, length, err);
	if (directory == NULL)
		return -1;
	if (pruning->held != NULL && strcmp(pruning->held, directory) == 0)
		return 0;
	release_directory(pruning);
	pruning->held_fd = directory_lock_take(
	    directory, true, pruning->request->lock_wait_ms, err);
	if (pruning->held_fd < 0)
		return -1;
	pruning->held = steal(directory);
	return 0;
}

static json_t *
describe(const struct verdict *verdict)
{
	const struct catalogue_entry *entry = verdict->entry;
	const char *subject = manifest_subject(entry->manifest);

	return json_pack("{s:o, s:O, s:s, s:O, s:I, s:b, s:O}", "path",
	    json_string_escaped(entry->path), "project",
	    json_object_get(entry->manifest, "project"), subject_key(subject),
	    subject, "created_at",
	    json_object_get(entry->manifest, "created_at"), "size_bytes",
	    (json_int_t)entry->size_bytes, "keep", verdict->kept, "reasons",
	    verdict->reasons);
}

/* Whether it is gone. */
static bool
settle(struct pruning *pruning, const struct verdict *verdict)
{
	const struct catalogue_entry *entry = verdict->entry;
	bool keep = verdict->kept;
	struct error failure = {0};
	auto_json json_t *told = NULL;

	if (!keep && !pruning->request->dry_run &&
	    (hold_directory(pruning, entry->path, &failure) < 0 ||
		archive_remove(entry->path, &failure) < 0)) {
		watch_note(pruning->watch, "%s", failure.text);
		pruning->failed++;
		return false;
	}
	pruning->result->kept += keep;
	pruning->result->removed += !keep;
	pruning->result->removed_bytes += keep ? 0 : entry->size_bytes;
	told = describe(verdict);
	if (pruning->request->judged != NULL && told != NULL)
		pruning->request->judged(pruning->request->data, told);
	return !keep && !pruning->request->dry_run;
}

static int
prune_group(struct pruning *pruning, const struct backup_group *group,
    struct error *err)
{
	auto_free struct verdict *verdicts =
	    calloc(group->count, sizeof(*verdicts));
	int result;

	if (verdicts == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < group->count; i++) {
		verdicts[i].entry = group->entries[i];
		verdicts[i].reasons = json_array();
		look(&verdicts[i]);
	}
	result = apply_rules(pruning, verdicts, group->count, err);
	if (result == 0)
		protect(verdicts, group->count);
	/* The oldest first: whoever interrupts it has lost the least. */
	for (size_t i = group->count; i > 0 && result == 0; i--) {
		result = interrupt_check(err);
		if (result == 0 && settle(pruning, &verdicts[i - 1]))
			forget_proofs(verdicts, group->count, &verdicts[i - 1]);
	}
	for (size_t i = 0; i < group->count; i++)
		json_decref(verdicts[i].reasons);
	return result;
}

/* Rules are about all backups of an instance or volume. */
static int
add_words(struct backup_filter *filter, const struct prune_request *request,
    struct error *err)
{
	if (backup_filter_add_words(
		filter, request->words, request->word_count, err) < 0)
		return -1;
	for (size_t i = 0; i < filter->count; i++) {
		if (filter->words[i].end != 0)
			return error_set(err, ERROR_USAGE,
			    _("'%s': here an instance or a volume is wanted, "
			      "without a time"),
			    request->words[i]);
	}
	return 0;
}

static int
prune_all(struct pruning *pruning, struct error *err)
{
	const struct prune_request *request = pruning->request;
	auto_backup_filter struct backup_filter filter = {
	    .project = request->project};
	auto_catalogue struct catalogue catalogue = {0};
	auto_backup_groups struct backup_groups groups = {0};
	size_t met = 0;

	if (add_words(&filter, request, err) < 0 ||
	    catalogue_read(pruning->from, &catalogue, err) < 0 ||
	    backup_groups_make(&catalogue, &groups, err) < 0)
		return -1;
	for (size_t i = 0; i < groups.count; i++) {
		const struct backup_group *group = &groups.items[i];

		if (strcmp(group->fingerprint, pruning->fingerprint) != 0 ||
		    !backup_filter_takes(&filter, group->entries[0]))
			continue;
		met++;
		if (prune_group(pruning, group, err) < 0)
			return -1;
	}
	if (met == 0 && request->word_count > 0)
		return error_set(err, ERROR_NOT_FOUND,
		    _("'%s' holds no such backup"), pruning->from);
	return 0;
}

static int
check_rules(const struct prune_request *request, struct error *err)
{
	if (!retention_is_empty(&request->rules))
		return 0;
	error_set(err, ERROR_USAGE, _("no rule says what to keep"));
	return error_hint(err,
	    "anklume backup prune --keep-daily 7 --keep-weekly 5 "
	    "--keep-monthly 12 --dry-run");
}

static int
run(struct pruning *pruning, struct error *err)
{
	const struct prune_request *request = pruning->request;
	auto_client struct incus_client *client = NULL;
	const struct incus_server *server;
	auto_close int lock = -1;

	if (request->require_mount != NULL &&
	    mount_point_check(request->require_mount, err) < 0)
		return -1;
	if (archive_check_directory(pruning->from, false, err) < 0)
		return -1;
	client = incus_client_open(request->timeout_s, err);
	server = client != NULL ? incus_client_server(client, err) : NULL;
	if (server == NULL)
		return -1;
	if (*server->fingerprint == '\0')
		return error_set(err, ERROR_FAILED,
		    _("the daemon does not say which server it is"));
	pruning->fingerprint = server->fingerprint;
	if (!request->dry_run) {
		lock = directory_lock_take(
		    pruning->from, true, request->lock_wait_ms, err);
		if (lock < 0 && err->code == ERROR_LOCKED)
			return error_hint(
			    err, _("--lock-wait 1h waits for it"));
		if (lock < 0)
			return -1;
	}
	return prune_all(pruning, err);
}

int
prune(const struct prune_request *request, const struct watch *watch,
    struct prune_result *ret_result, struct error *err)
{
	struct pruning pruning = {
	    .request = request,
	    .watch = watch,
	    .from = request->from != NULL ? request->from : BACKUP_DIRECTORY,
	    .now = time(NULL),
	    .result = ret_result,
	};
	struct audited_run audited = {
	    .command = "backup prune", .dry_run = request->dry_run};
	const struct audited_place place = {.path = pruning.from};

	*ret_result = (struct prune_result){0};
	if (check_rules(request, err) < 0)
		return -1;
	if (audited_run_begin(&audited, err) == 0)
		(void)run(&pruning, err);
	release_directory(&pruning);
	if (!error_is_set(err) && pruning.failed > 0)
		error_set(err, ERROR_PARTIAL,
		    _("not all of what was to go could be removed"));
	audited_run_from(&audited, &place);
	audited.done = ret_result->removed;
	audited.failed = pruning.failed;
	audited.size_bytes = ret_result->removed_bytes;
	return audited_run_end(&audited, watch, err);
}
