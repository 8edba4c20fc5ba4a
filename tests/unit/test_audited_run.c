/* A run that the policy wants in the trail, where none can be written. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "transfer/audited_run.h"
#include "transfer/watch.h"

/* What a child ends with where it cannot hide this machine's own trail. */
#define SKIPPED 77

/* Neither /var/log nor the state directory can be written, and no syslog
 * listens, for this process alone. */
static int
hide_all_places(void)
{
	if (setenv("XDG_STATE_HOME", "/proc/nowhere", 1) < 0)
		return 1;
	if (geteuid() != 0)
		return access("/dev/log", F_OK) == 0 ? SKIPPED : 0;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/var/log", "tmpfs", MS_RDONLY, NULL) < 0)
		return SKIPPED;
	if (access("/dev/log", F_OK) == 0 &&
	    mount("/dev/null", "/dev/log", NULL, MS_BIND, NULL) < 0)
		return SKIPPED;
	return 0;
}

static void
count_note(void *data, const char *text)
{
	(void)text;
	(*(int *)data)++;
}

static int
required_and_nowhere(void)
{
	struct audited_run run = {.command = "portal copy"};
	struct error err = {0};
	int hidden = hide_all_places();

	if (hidden != 0)
		return hidden;
	expect(audited_run_check(&run, true, &err) == -1);
	expect(err.code == ERROR_DENIED);
	expect(strstr(err.text, "the policy wants a trail") != NULL);
	return 0;
}

/* The disk may have filled up since the check. */
static int
required_and_gone_at_the_end(void)
{
	struct audited_run run = {.command = "portal copy", .required = true};
	int notes = 0;
	struct watch watch = {.data = &notes, .note = count_note};
	struct error err = {0};
	int hidden = hide_all_places();

	if (hidden != 0)
		return hidden;
	expect(audited_run_end(&run, &watch, &err) == -1);
	expect(err.code == ERROR_FAILED || err.code == ERROR_NOT_FOUND);
	expect(strstr(err.text, "trail could not be written") != NULL);
	expect(notes == 0);
	return 0;
}

static int
not_required(void)
{
	struct audited_run run = {.command = "portal copy"};
	int notes = 0;
	struct watch watch = {.data = &notes, .note = count_note};
	struct error err = {0};
	int hidden = hide_all_places();

	if (hidden != 0)
		return hidden;
	expect(audited_run_check(&run, false, &err) == 0);
	expect(audited_run_end(&run, &watch, &err) == 0);
	expect(!error_is_set(&err));
	expect(notes == 1);
	return 0;
}

static int
no_line_and_no_note(void)
{
	struct audited_run dry = {.command = "portal copy", .dry_run = true};
	struct audited_run wrong = {.command = "portal copy"};
	int notes = 0;
	struct watch watch = {.data = &notes, .note = count_note};
	struct error err = {0};
	int hidden = hide_all_places();

	if (hidden != 0)
		return hidden;
	expect(audited_run_check(&dry, true, &err) == 0);
	expect(audited_run_end(&dry, &watch, &err) == 0);
	error_set(&err, ERROR_USAGE, "wrong");
	expect(audited_run_end(&wrong, &watch, &err) == -1);
	expect(err.code == ERROR_USAGE);
	expect(notes == 0);
	return 0;
}

static void
run_in_child(int (*body)(void))
{
	int status = in_child(body);

	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_required_trail_denies(void **state)
{
	(void)state;
	run_in_child(required_and_nowhere);
}

static void
a_required_trail_fails_at_the_end(void **state)
{
	(void)state;
	run_in_child(required_and_gone_at_the_end);
}

static void
another_is_a_note(void **state)
{
	(void)state;
	run_in_child(not_required);
}

static void
some_runs_leave_no_line(void **state)
{
	(void)state;
	run_in_child(no_line_and_no_note);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_required_trail_denies),
	    cmocka_unit_test(a_required_trail_fails_at_the_end),
	    cmocka_unit_test(another_is_a_note),
	    cmocka_unit_test(some_runs_leave_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
