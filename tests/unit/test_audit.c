/* The audit trail's file: its chain, and what breaks it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/text.h"
#include "store/audit_file.h"
#include "store/audit_reader.h"
#include "store/small_file.h"
#include "store/system_log.h"
#include "support.h"

/* Runs that append at the same time, and lines of each. */
#define RUNS 2
#define LINES_OF_RUN 200

struct trail {
	char directory[32];
	char path[64];
	char before[64];
};

static struct trail
trail_open(void)
{
	struct trail trail = {.directory = "/tmp/anklume-test-XXXXXX"};

	assert_non_null(mkdtemp(trail.directory));
	(void)snprintf(
	    trail.path, sizeof(trail.path), "%s/audit.jsonl", trail.directory);
	(void)snprintf(trail.before, sizeof(trail.before), "%s.1", trail.path);
	return trail;
}

static void
trail_close(const struct trail *trail)
{
	(void)unlink(trail->path);
	(void)unlink(trail->before);
	assert_int_equal(rmdir(trail->directory), 0);
}

/* One entry with a text of its own; 0 or -1. */
static int
append(const struct trail *trail, const char *text, struct error *err)
{
	struct audit_file file;
	auto_json json_t *entry = NULL;
	auto_free char *line = NULL;
	int result;

	if (audit_file_open(trail->directory, 0600, &file, err) < 0)
		return -1;
	entry =
	    json_pack("{s:s, s:s}", "text", text, "previous", file.previous);
	line = json_print(entry, false, err);
	result = line != NULL ? audit_file_append(&file, line, err) : -1;
	audit_file_close(&file);
	return result;
}

static void
append_all(const struct trail *trail, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct error err = {0};
		char text[16];

		(void)snprintf(text, sizeof(text), "line %zu", i + 1);
		assert_int_equal(append(trail, text, &err), 0);
		assert_no_error(&err);
	}
}

/* What a reading has found. */
struct found {
	uint64_t lines;
	uint64_t broken[8];
	size_t broken_count;
	char last[DIGEST_TEXT_BYTES];
};

static int
visit(void *data, const struct audit_line *line, struct error *err)
{
	struct found *found = data;

	(void)err;
	found->lines++;
	assert_int_equal(line->number, found->lines);
	if (!line->continues && found->broken_count < COUNT(found->broken))
		found->broken[found->broken_count++] = line->number;
	if (line->entry == NULL)
		assert_false(line->continues);
	return 0;
}

static struct found
read_trail(const struct trail *trail)
{
	struct found found = {0};
	struct error err = {0};

	assert_int_equal(
	    audit_read(trail->directory, visit, &found, found.last, &err), 1);
	assert_no_error(&err);
	return found;
}

static void
check_intact(const struct trail *trail, uint64_t lines)
{
	struct found found = read_trail(trail);

	assert_int_equal(found.lines, lines);
	assert_int_equal(found.broken_count, 0);
}

/* The only line that is not as it was written. */
static void
check_broken(const struct trail *trail, uint64_t line)
{
	struct found found = read_trail(trail);

	assert_int_equal(found.broken_count, 1);
	assert_int_equal(found.broken[0], line);
}

static char *
content(const struct trail *trail, size_t *ret_size)
{
	char *text = NULL;
	struct error err = {0};

	assert_int_equal(small_file_read(trail->path, AUDIT_LINE_MAX_BYTES,
			     &text, ret_size, &err),
	    1);
	return text;
}

static void
overwrite(const struct trail *trail, const char *bytes, size_t size)
{
	int fd = open(trail->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	assert_int_equal(close(fd), 0);
}

/* Where line `number`, counted from 1, begins. */
static char *
line_at(char *text, size_t number)
{
	for (; number > 1; number--)
		text = strchr(text, '\n') + 1;
	return text;
}

static void
each_line_continues_the_one_before(void **state)
{
	struct trail trail = trail_open();
	auto_free char *text = NULL;
	char hash[DIGEST_TEXT_BYTES];
	struct error err = {0};
	struct stat about;
	size_t size;
	char *second;

	(void)state;
	append_all(&trail, 3);
	check_intact(&trail, 3);
	text = content(&trail, &size);
	assert_non_null(strstr(text, AUDIT_NOTHING_BEFORE));
	second = line_at(text, 2);
	assert_int_equal(
	    digest_bytes(text, (size_t)(second - text), hash, &err), 0);
	assert_non_null(strstr(second, hash));
	assert_int_equal(stat(trail.path, &about), 0);
	assert_int_equal(about.st_mode & 07777U, 0600);
	trail_close(&trail);
}

static void
a_changed_line_is_found(void **state)
{
	struct trail trail = trail_open();
	auto_free char *text = NULL;
	size_t size;

	(void)state;
	append_all(&trail, 4);
	text = content(&trail, &size);
	*strstr(line_at(text, 2), "line 2") = 'L';
	overwrite(&trail, text, size);
	check_broken(&trail, 3);
	trail_close(&trail);
}

static void
a_removed_line_is_found(void **state)
{
	static const size_t removed[] = {1, 2, 3};

	(void)state;
	for (size_t i = 0; i < COUNT(removed); i++) {
		struct trail trail = trail_open();
		auto_free char *text = NULL;
		size_t size;
		char *line;
		char *rest;

		append_all(&trail, 4);
		text = content(&trail, &size);
		line = line_at(text, removed[i]);
		rest = line_at(line, 2);
		memmove(line, rest, strlen(rest) + 1);
		overwrite(&trail, text, strlen(text));
		check_broken(&trail, removed[i]);
		trail_close(&trail);
	}
}

static void
an_inserted_line_is_found(void **state)
{
	static const char forged[] = "{\"text\":\"x\",\"previous\":\"0\"}\n";
	struct trail trail = trail_open();
	auto_free char *text = NULL;
	auto_free char *whole = NULL;
	struct error err = {0};
	struct found found;
	size_t size;
	char *second;

	(void)state;
	append_all(&trail, 3);
	text = content(&trail, &size);
	second = line_at(text, 2);
	whole = text_format(
	    &err, "%.*s%s%s", (int)(second - text), text, forged, second);
	overwrite(&trail, whole, strlen(whole));
	found = read_trail(&trail);
	assert_int_equal(found.broken_count, 2);
	assert_int_equal(found.broken[0], 2);
	assert_int_equal(found.broken[1], 3);
	trail_close(&trail);
}

/* What a kill in mid-write leaves is closed off, goes on being seen, and what
 * follows continues it. */
static void
a_torn_line_is_found_and_goes_no_further(void **state)
{
	struct trail trail = trail_open();
	auto_free char *text = NULL;
	size_t size;

	(void)state;
	append_all(&trail, 3);
	text = content(&trail, &size);
	overwrite(&trail, text, size - 10);
	check_broken(&trail, 3);
	append_all(&trail, 2);
	assert_int_equal(read_trail(&trail).lines, 5);
	check_broken(&trail, 3);
	trail_close(&trail);
}

static void
what_is_no_json_is_found(void **state)
{
	static const char *const lines[] = {
	    "\n", "x\n", "[]\n", "{\"previous\":7}\n", "\xff\xfe\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct trail trail = trail_open();

		append_all(&trail, 1);
		overwrite(&trail, lines[i], strlen(lines[i]));
		append_all(&trail, 1);
		check_broken(&trail, 1);
		trail_close(&trail);
	}
}

/* Around the first look at the end of the file, and beyond it. */
static void
long_lines_are_continued(void **state)
{
	static const size_t sizes[] = {
	    3900, 4000, 4094, 4095, 4096, 8192, 65536, 1 << 20};
	struct trail trail = trail_open();

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		auto_free char *text = calloc(1, sizes[i] + 1);
		struct error err = {0};

		assert_non_null(text);
		memset(text, 'x', sizes[i]);
		assert_int_equal(append(&trail, text, &err), 0);
		assert_no_error(&err);
	}
	check_intact(&trail, COUNT(sizes));
	trail_close(&trail);
}

static void
a_moved_file_is_continued(void **state)
{
	struct trail trail = trail_open();

	(void)state;
	append_all(&trail, 2);
	assert_int_equal(rename(trail.path, trail.before), 0);
	append_all(&trail, 2);
	check_intact(&trail, 2);
	/* Another file before: lines are missing. */
	assert_int_equal(truncate(trail.before, 30), 0);
	check_broken(&trail, 1);
	trail_close(&trail);
}

static void
a_symbolic_link_is_not_followed(void **state)
{
	struct trail trail = trail_open();
	struct error err = {0};
	struct error of_directory = {0};
	struct trail link = trail;

	(void)state;
	assert_int_equal(symlink(trail.before, trail.path), 0);
	assert_int_equal(append(&trail, "x", &err), -1);
	assert_error(&err, ERROR_FAILED);
	assert_int_equal(access(trail.before, F_OK), -1);

	assert_int_equal(unlink(trail.path), 0);
	assert_int_equal(symlink("/tmp", trail.path), 0);
	(void)snprintf(
	    link.directory, sizeof(link.directory), "%.31s", trail.path);
	assert_int_equal(append(&link, "x", &of_directory), -1);
	trail_close(&trail);
}

static void
what_is_no_file_is_refused(void **state)
{
	struct trail trail = trail_open();
	struct found found = {0};
	struct error err = {0};
	struct error of_read = {0};

	(void)state;
	assert_int_equal(mkfifo(trail.path, 0600), 0);
	assert_int_equal(append(&trail, "x", &err), -1);
	assert_error(&err, ERROR_FAILED);
	assert_int_equal(
	    audit_read(trail.directory, visit, &found, found.last, &of_read),
	    -1);
	assert_error(&of_read, ERROR_FAILED);
	trail_close(&trail);
}

static void
no_trail_is_no_failure(void **state)
{
	struct trail trail = trail_open();
	struct found found = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    audit_read(trail.directory, visit, &found, found.last, &err), 0);
	assert_int_equal(
	    audit_read("/nonexistent", visit, &found, found.last, &err), 0);
	assert_no_error(&err);
	trail_close(&trail);
}

static void
two_runs_do_not_mix_lines(void **state)
{
	struct trail trail = trail_open();
	pid_t children[RUNS];

	(void)state;
	for (size_t run = 0; run < RUNS; run++) {
		children[run] = fork();
		assert_true(children[run] >= 0);
		if (children[run] != 0)
			continue;
		for (size_t i = 0; i < LINES_OF_RUN; i++) {
			struct error err = {0};

			if (append(&trail, "some text", &err) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (size_t run = 0; run < RUNS; run++) {
		int status = -1;

		assert_int_equal(
		    waitpid(children[run], &status, 0), children[run]);
		assert_int_equal(status, 0);
	}
	check_intact(&trail, (uint64_t)RUNS * LINES_OF_RUN);
	trail_close(&trail);
}

/* A reader at the same time sees whole lines only. */
static void
a_reader_sees_whole_lines(void **state)
{
	struct trail trail = trail_open();
	pid_t child;
	int status = -1;

	(void)state;
	append_all(&trail, 1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct error err = {0};

		for (size_t i = 0; i < LINES_OF_RUN; i++)
			(void)append(&trail, "some text", &err);
		_exit(error_is_set(&err));
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		assert_int_equal(read_trail(&trail).broken_count, 0);
	assert_int_equal(status, 0);
	check_intact(&trail, LINES_OF_RUN + 1);
	trail_close(&trail);
}

static void
syslog_confirms_the_end(void **state)
{
	struct trail trail = trail_open();
	struct error err = {0};
	struct found found;
	auto_free char *where = NULL;
	char log[64];
	char text[200];

	(void)state;
	append_all(&trail, 2);
	found = read_trail(&trail);
	assert_int_equal(
	    audit_confirm(trail.directory, found.last, &where, &err), 0);
	(void)snprintf(log, sizeof(log), "%s/auth.log", trail.directory);
	(void)snprintf(
	    text, sizeof(text), "x anklume[1]: %s {...}", found.last);
	assert_int_equal(small_file_publish(trail.directory, "auth.log", text,
			     0600, true, &err),
	    0);
	assert_int_equal(
	    audit_confirm(trail.directory, found.last, &where, &err), 1);
	assert_no_error(&err);
	assert_string_equal(where, log);
	(void)unlink(log);
	trail_close(&trail);
}

static int
listen_on(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
syslog_gets_a_line_it_can_take(void **state)
{
	struct trail trail = trail_open();
	int fd = listen_on(trail.path);
	auto_free char *text = calloc(1, 5001);
	struct error err = {0};
	char got[4096];
	ssize_t size;

	(void)state;
	assert_int_equal(system_log_check(trail.path, &err), 0);
	assert_int_equal(system_log_send(trail.path, "a\x1b[2Jb", &err), 0);
	size = recv(fd, got, sizeof(got) - 1, 0);
	assert_true(size > 0);
	got[size] = '\0';
	/* authpriv (10 << 3), info (6). */
	assert_true(text_starts_with(got, "<86>"));
	assert_non_null(strstr(got, " anklume["));
	assert_true(text_ends_with(got, "]: a\\x1b[2Jb"));

	assert_non_null(text);
	memset(text, 'x', 5000);
	assert_int_equal(system_log_send(trail.path, text, &err), 0);
	size = recv(fd, got, sizeof(got) - 1, 0);
	assert_in_range(size, 900, 1024);
	assert_no_error(&err);
	assert_int_equal(close(fd), 0);

	assert_int_equal(system_log_send(trail.path, "x", &err), -1);
	assert_error(&err, ERROR_FAILED);
	trail_close(&trail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_line_continues_the_one_before),
	    cmocka_unit_test(a_changed_line_is_found),
	    cmocka_unit_test(a_removed_line_is_found),
	    cmocka_unit_test(an_inserted_line_is_found),
	    cmocka_unit_test(a_torn_line_is_found_and_goes_no_further),
	    cmocka_unit_test(what_is_no_json_is_found),
	    cmocka_unit_test(long_lines_are_continued),
	    cmocka_unit_test(a_moved_file_is_continued),
	    cmocka_unit_test(a_symbolic_link_is_not_followed),
	    cmocka_unit_test(what_is_no_file_is_refused),
	    cmocka_unit_test(no_trail_is_no_failure),
	    cmocka_unit_test(two_runs_do_not_mix_lines),
	    cmocka_unit_test(a_reader_sees_whole_lines),
	    cmocka_unit_test(syslog_confirms_the_end),
	    cmocka_unit_test(syslog_gets_a_line_it_can_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
