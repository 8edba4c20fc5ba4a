#include "store/proof.h"

#include <errno.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/record.h"
#include "store/small_file.h"
#include "store/state.h"

/* One proof; ours have 0.2 KiB. */
#define PROOF_MAX_BYTES (64 * 1024)

static const char *const names[PROOF_KINDS] = {
    [PROOF_DIGEST] = "digest",
    [PROOF_CONTENT] = "content",
    [PROOF_DRILL] = "drill",
    [PROOF_DAMAGE] = "damage",
    [PROOF_ACCEPTED] = "accepted",
};

const char *
proof_name(enum proof_kind kind)
{
	return names[kind];
}

/* Of one proof, heap; NULL with err set. */
static char *
file_name(const char *sha256, enum proof_kind kind, struct error *err)
{
	/* The digest may be a stranger's text. */
	if (!record_is_digest(sha256)) {
		error_set(err, ERROR_DAMAGED, _("'%s' is not a SHA-256"),
		    sha256 != NULL ? sha256 : "");
		return NULL;
	}
	return text_format(err, "%s.%s.json", sha256, names[kind]);
}

/* The same with its directory. */
static char *
path_of(const char *sha256, enum proof_kind kind, struct error *err)
{
	auto_free char *directory = state_host_directory("proof", err);
	auto_free char *name = NULL;

	if (directory == NULL)
		return NULL;
	name = file_name(sha256, kind, err);
	return name != NULL ? text_format(err, "%s/%s", directory, name) : NULL;
}

int
proof_keep(const char *sha256, enum proof_kind kind, const json_t *proof,
    struct error *err)
{
	auto_free char *directory = state_host_directory("proof", err);
	auto_free char *name = NULL;
	auto_free char *text = NULL;

	if (directory == NULL)
		return -1;
	name = file_name(sha256, kind, err);
	text = name != NULL ? json_print(proof, true, err) : NULL;
	if (text == NULL || state_make_directories(directory, 0755, err) < 0)
		return -1;
	return small_file_publish(directory, name, text, 0644, true, err);
}

int
proof_forget(const char *sha256, enum proof_kind kind, struct error *err)
{
	auto_free char *path = path_of(sha256, kind, err);

	if (path == NULL)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(
		    err, errno, _("cannot remove '%s'"), path);
	return 0;
}

static json_t *
load_one(const char *sha256, enum proof_kind kind)
{
	struct error ignored = {0};
	auto_free char *path = path_of(sha256, kind, &ignored);
	auto_free char *text = NULL;
	size_t size = 0;

	if (path == NULL ||
	    small_file_read(path, PROOF_MAX_BYTES, &text, &size, &ignored) <= 0)
		return NULL;
	return json_parse(text, size, path, &ignored);
}

void
proof_forget_all(const char *sha256)
{
	for (size_t i = 0; record_is_digest(sha256) && i < PROOF_KINDS; i++) {
		struct error ignored = {0};

		(void)proof_forget(sha256, (enum proof_kind)i, &ignored);
	}
}

json_t *
proof_load(const char *sha256, struct error *err)
{
	json_t *proofs = json_object();

	if (proofs == NULL)
		error_set_memory(err);
	for (unsigned int kind = 0; proofs != NULL && kind < PROOF_KINDS;
	     kind++) {
		json_t *one = load_one(sha256, kind);

		if (one != NULL)
			(void)json_object_set_new(proofs, names[kind], one);
	}
	return proofs;
}
