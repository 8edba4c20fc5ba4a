#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "incus/endpoint.h"
#include "support.h"

/* A listener that nobody accepts from, in a directory of its own. */
struct listener {
	char directory[32];
	char path[64];
	int fd;
	int first;
};

static struct listener
listener_open(void)
{
	struct listener listener = {.directory = "/tmp/anklume-test-XXXXXX"};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_non_null(mkdtemp(listener.directory));
	(void)snprintf(listener.path, sizeof(listener.path), "%s/socket",
	    listener.directory);
	memcpy(address.sun_path, listener.path, strlen(listener.path) + 1);
	listener.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener.fd, (const struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	assert_int_equal(listen(listener.fd, 0), 0);
	return listener;
}

/* Fill the backlog, which has one place. */
static void
listener_fill(struct listener *listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, listener->path, strlen(listener->path) + 1);
	listener->first = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
	    connect(listener->first, (const struct sockaddr *)&address,
		sizeof(address)),
	    0);
}

static void
listener_close(struct listener *listener)
{
	(void)close(listener->fd);
	if (listener->first > 0)
		(void)close(listener->first);
	(void)unlink(listener->path);
	(void)rmdir(listener->directory);
}

static void
a_listener_is_found(void **state)
{
	struct listener listener = listener_open();
	struct error err = {0};

	(void)state;
	assert_int_equal(incus_endpoint_try(listener.path, 1000, &err), 0);
	assert_no_error(&err);
	listener_close(&listener);
}

static void
a_full_backlog_is_waited_for_no_longer_than_that(void **state)
{
	struct listener listener = listener_open();
	struct error err = {0};
	int64_t start;

	(void)state;
	listener_fill(&listener);
	/* Without a deadline it would hang for ever. */
	(void)alarm(30);
	start = clock_now_ms();
	assert_int_equal(incus_endpoint_try(listener.path, 1000, &err), -1);
	(void)alarm(0);
	assert_true(clock_now_ms() - start >= 900);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_string_equal(err.text, "Incus has not answered for 1 s");
	listener_close(&listener);
}

static void
nothing_there_and_nobody_listening(void **state)
{
	struct listener listener = listener_open();
	struct error absent = {0};
	struct error deaf = {0};

	(void)state;
	assert_int_equal(
	    incus_endpoint_try("/nonexistent/socket", 1000, &absent), -1);
	assert_error(&absent, ERROR_UNREACHABLE);
	assert_non_null(strstr(absent.text, "there is no socket"));

	(void)close(listener.fd);
	assert_int_equal(incus_endpoint_try(listener.path, 1000, &deaf), -1);
	assert_error(&deaf, ERROR_UNREACHABLE);
	assert_non_null(strstr(deaf.text, "nothing listens"));
	listener_close(&listener);
}

static void
a_path_too_long_for_a_socket(void **state)
{
	struct error err = {0};
	char path[200];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(incus_endpoint_try(path, 1000, &err), -1);
	assert_error(&err, ERROR_UNREACHABLE);
}

static void
the_environment_chooses(void **state)
{
	struct error err = {0};
	auto_free char *given = NULL;
	auto_free char *inside = NULL;

	(void)state;
	assert_int_equal(unsetenv("INCUS_REMOTE"), 0);
	assert_int_equal(unsetenv("INCUS_SOCKET"), 0);
	assert_int_equal(setenv("INCUS_DIR", "/nonexistent", 1), 0);
	inside = incus_endpoint_find(&err);
	assert_string_equal(inside, "/nonexistent/unix.socket");
	assert_int_equal(setenv("INCUS_SOCKET", "/elsewhere", 1), 0);
	given = incus_endpoint_find(&err);
	assert_string_equal(given, "/elsewhere");
	assert_no_error(&err);
	assert_int_equal(unsetenv("INCUS_SOCKET"), 0);
	assert_int_equal(unsetenv("INCUS_DIR"), 0);
}

static void
another_remote_is_refused(void **state)
{
	static const char *const ours[] = {"", "local"};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(ours); i++) {
		auto_free char *path = NULL;

		assert_int_equal(setenv("INCUS_REMOTE", ours[i], 1), 0);
		path = incus_endpoint_find(&err);
		assert_non_null(path);
		assert_no_error(&err);
	}
	assert_int_equal(setenv("INCUS_REMOTE", "nas", 1), 0);
	assert_null(incus_endpoint_find(&err));
	assert_error(&err, ERROR_USAGE);
	assert_int_equal(unsetenv("INCUS_REMOTE"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_listener_is_found),
	    cmocka_unit_test(a_full_backlog_is_waited_for_no_longer_than_that),
	    cmocka_unit_test(nothing_there_and_nobody_listening),
	    cmocka_unit_test(a_path_too_long_for_a_socket),
	    cmocka_unit_test(the_environment_chooses),
	    cmocka_unit_test(another_remote_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
