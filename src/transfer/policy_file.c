#include "transfer/policy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "stream/stream.h"
#include "transfer/policy.h"
#include "transfer/policy_parse.h"

static int
unreadable(const char *file, int number, struct error *err)
{
	return error_set(err, ERROR_DENIED,
	    _("the policy '%s' cannot be read: %s"), file, strerror(number));
}

/* As sudo and sshd have it: a rule that others can write is no rule. */
static int
check_owner(const char *path, const struct stat *found, struct error *err)
{
	if (found->st_uid != 0) {
		error_set(err, ERROR_DENIED,
		    _("the policy is not to be trusted: '%s' does not belong "
		      "to root"),
		    path);
		return error_hint_command(
		    err, "chown", "root:root", path, NULL);
	}
	if ((found->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		error_set(err, ERROR_DENIED,
		    _("the policy is not to be trusted: others than root can "
		      "write to '%s'"),
		    path);
		return error_hint_command(err, "chmod", "go-w", path, NULL);
	}
	return 0;
}

/* Whoever can write to the directory can take the policy away. */
static int
check_directory(struct error *err)
{
	struct stat found;

	if (stat(POLICY_DIRECTORY, &found) == 0)
		return check_owner(POLICY_DIRECTORY, &found, err);
	return errno == ENOENT ? 0 : unreadable(POLICY_FILE, errno, err);
}

static struct policy *
read_rules(int fd, const char *file, struct error *err)
{
	auto_free char *text = NULL;
	auto_stream struct stream *body = stream_fd_new(fd, file, err);
	ssize_t size;

	if (body == NULL)
		return NULL;
	text = malloc(POLICY_FILE_MAX_BYTES + 1);
	if (text == NULL) {
		error_set_memory(err);
		return NULL;
	}
	size = stream_read_full(body, text, POLICY_FILE_MAX_BYTES + 1, err);
	if (size < 0)
		return NULL;
	if (size > POLICY_FILE_MAX_BYTES) {
		error_set(err, ERROR_DENIED,
		    _("the policy '%s' is larger than %d bytes"), file,
		    POLICY_FILE_MAX_BYTES);
		return NULL;
	}
	return policy_parse(file, text, (size_t)size, err);
}

/* A link that leads nowhere is a policy that was meant to be there. */
static bool
is_absent(const char *file)
{
	struct stat found;

	return errno == ENOENT && lstat(file, &found) < 0 && errno == ENOENT;
}

/* 1 and *ret_policy, 0 when there is no such file, or -1. */
static int
read_policy(const char *file, bool of_root, struct policy **ret_policy,
    struct error *err)
{
	struct stat found;
	auto_close int fd =
	    open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && is_absent(file))
		return 0;
	if (fd < 0 || fstat(fd, &found) < 0)
		return unreadable(file, errno, err);
	if (!S_ISREG(found.st_mode))
		return error_set(err, ERROR_DENIED,
		    _("the policy '%s' is not a regular file"), file);
	if (of_root && check_owner(file, &found, err) < 0)
		return -1;
	*ret_policy = read_rules(steal_fd(&fd), file, err);
	return *ret_policy != NULL ? 1 : -1;
}

static int
read_system(struct policy_set *set, struct error *err)
{
	int found;

	if (check_directory(err) < 0)
		return -1;
	found = read_policy(POLICY_FILE, true, &set->items[set->count], err);
	if (found > 0)
		set->count++;
	return found < 0 ? -1 : 0;
}

/* It can only forbid more: whose it is does not matter. */
static int
read_second(struct policy_set *set, struct error *err)
{
	const char *file = getenv(POLICY_VARIABLE);
	int found;

	if (file == NULL || *file == '\0')
		return 0;
	found = read_policy(file, false, &set->items[set->count], err);
	if (found > 0)
		set->count++;
	if (found == 0)
		return error_set(err, ERROR_DENIED,
		    _("there is no policy '%s', which %s names"), file,
		    POLICY_VARIABLE);
	return found < 0 ? -1 : 0;
}

void
policy_set_clear(struct policy_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		policy_free(set->items[i]);
	*set = (struct policy_set){0};
}

int
policy_set_read(struct policy_set *ret_set, struct error *err)
{
	auto_policy_set struct policy_set set = {0};

	if (read_system(&set, err) < 0 || read_second(&set, err) < 0)
		return -1;
	*ret_set = set;
	set = (struct policy_set){0};
	return 0;
}

int
policy_set_enforce(struct policy_set *ret_set, struct error *err)
{
	if (policy_set_read(ret_set, err) == 0)
		return 0;
	if (err->code == ERROR_USAGE) {
		error_prefix(err, _("everything is denied"));
		err->code = ERROR_DENIED;
	}
	return -1;
}

bool
policy_set_requires_audit(const struct policy_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (policy_requires_audit(set->items[i]))
			return true;
	}
	return false;
}
