#include "store/audit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "store/audit_file.h"
#include "store/state.h"
#include "store/system_log.h"

#define SYSTEM_DIRECTORY "/var/log/anklume"

char *
audit_directory(size_t place, struct error *err)
{
	return place == 0
		   ? text_copy(SYSTEM_DIRECTORY, strlen(SYSTEM_DIRECTORY), err)
		   : state_directory(err);
}

static int
open_place(size_t place, struct audit_file *ret_file, struct error *err)
{
	/* Who else may read it: root's group, nobody. */
	static const mode_t modes[] = {0640, 0600};
	static const mode_t directory_modes[] = {0750, 0700};
	auto_free char *directory = audit_directory(place, err);

	if (directory == NULL ||
	    state_make_directories(directory, directory_modes[place], err) < 0)
		return -1;
	return audit_file_open(directory, modes[place], ret_file, err);
}

/* The line's text, and the same with its hash in front for syslog. */
static int
spell(json_t *entry, const char *previous, char **ret_line, char **ret_message,
    struct error *err)
{
	char hash[DIGEST_TEXT_BYTES];
	auto_free char *line = NULL;
	auto_free char *whole = NULL;

	if (json_object_set_new(entry, "previous", json_string(previous)) < 0)
		return error_set_memory(err);
	line = json_print(entry, false, err);
	whole = line != NULL ? text_format(err, "%s\n", line) : NULL;
	if (whole == NULL || digest_bytes(whole, strlen(whole), hash, err) < 0)
		return -1;
	*ret_message = text_format(err, "%s %s", hash, line);
	if (*ret_message == NULL)
		return -1;
	*ret_line = steal(line);
	return 0;
}

/* Say it in syslog first, so that whoever can keep the file from being written
 * cannot keep the line from being known; then write it, where there is a file.
 */
static int
append(struct audit_file *file, json_t *entry, bool *ret_in_syslog,
    struct error *err)
{
	const char *previous =
	    file != NULL ? file->previous : AUDIT_NOTHING_BEFORE;
	auto_free char *line = NULL;
	auto_free char *message = NULL;
	struct error unheard = {0};

	if (spell(entry, previous, &line, &message, err) < 0)
		return -1;
	*ret_in_syslog =
	    system_log_send(SYSTEM_LOG_SOCKET, message, &unheard) == 0;
	return file != NULL ? audit_file_append(file, line, err) : 0;
}

/* Of two failures root wants to know the first; to everybody else it is no
 * wonder that the first place is not theirs. */
static void
keep_failure(const struct error *failure, struct error *err)
{
	if (!error_is_set(err) || geteuid() != 0)
		*err = *failure;
}

static int
append_anywhere(json_t *entry, struct error *err)
{
	bool in_syslog = false;
	bool tried = false;
	struct error ignored = {0};

	for (size_t place = 0; place < AUDIT_PLACE_COUNT; place++) {
		struct audit_file file;
		struct error failure = {0};
		int result = open_place(place, &file, &failure);

		if (result == 0) {
			tried = true;
			result = append(&file, entry, &in_syslog, &failure);
			audit_file_close(&file);
		}
		if (result == 0) {
			error_clear(err);
			return 0;
		}
		keep_failure(&failure, err);
	}
	if (!tried)
		(void)append(NULL, entry, &in_syslog, &ignored);
	return in_syslog ? error_hint(err, _("syslog has it")) : -1;
}

int
audit_append(json_t *entry, struct error *err)
{
	int result;

	interrupt_shield_up();
	result = append_anywhere(entry, err);
	interrupt_shield_down();
	return result;
}

int
audit_check_writable(struct error *err)
{
	struct error unheard = {0};

	for (size_t place = 0; place < AUDIT_PLACE_COUNT; place++) {
		struct audit_file file;
		struct error failure = {0};

		if (open_place(place, &file, &failure) == 0) {
			audit_file_close(&file);
			error_clear(err);
			return 0;
		}
		keep_failure(&failure, err);
	}
	if (system_log_check(SYSTEM_LOG_SOCKET, &unheard) < 0)
		return -1;
	error_clear(err);
	return 0;
}
