#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/notify.h"
#include "support.h"

/* A manager: a datagram socket of a name that is no one else's. */
static int
listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, name, length);
	if (*name == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
	    0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static void
assert_heard(int fd, const char *expected)
{
	char buf[4096];
	ssize_t got = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	assert_true(got >= 0);
	buf[got] = '\0';
	assert_string_equal(buf, expected);
}

static void
assert_silence(int fd)
{
	char buf[1];

	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
a_path_gets_it(void **state)
{
	char directory[] = "/tmp/anklume-notify-XXXXXX";
	char path[64];
	auto_close int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/socket", directory);
	fd = listen_at(path);
	assert_true(notify_is_wanted());
	notify_status("12.3 MiB of work/web");
	assert_heard(fd, "STATUS=12.3 MiB of work/web");
	notify_status("");
	assert_heard(fd, "STATUS=");
	assert_silence(fd);
	assert_int_equal(unlink(path), 0);

	/* Whoever listened is gone: nothing happens, and errno is kept. */
	errno = EXDEV;
	notify_status("x");
	assert_int_equal(errno, EXDEV);
	assert_int_equal(rmdir(directory), 0);
}

static void
an_abstract_name_gets_it(void **state)
{
	char name[64];
	auto_close int fd = -1;

	(void)state;
	(void)snprintf(
	    name, sizeof(name), "@anklume-test-notify-%d", (int)getpid());
	fd = listen_at(name);
	assert_true(notify_is_wanted());
	notify_status("work/web");
	assert_heard(fd, "STATUS=work/web");
}

/* A name in an archive must not make the service ready, or anything else. */
static void
a_text_is_one_line_of_bounded_length(void **state)
{
	char name[64];
	char text[4 * NOTIFY_STATUS_BYTES];
	char buf[4096];
	auto_close int fd = -1;
	ssize_t got;

	(void)state;
	(void)snprintf(
	    name, sizeof(name), "@anklume-test-notify-%d", (int)getpid());
	fd = listen_at(name);
	notify_status("web\nREADY=1\nMAINPID=1\x1b[2J");
	assert_heard(fd, "STATUS=web\\nREADY=1\\nMAINPID=1\\x1b[2J");

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	notify_status(text);
	got = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	assert_int_equal(got, strlen("STATUS=") + NOTIFY_STATUS_BYTES - 1);
	assert_memory_equal(buf + got - 4, "a...", 4);
}

/* Nobody reads: what finds no room is lost, and the run goes on. */
static void
a_full_socket_does_not_block(void **state)
{
	char name[64];
	auto_close int fd = -1;

	(void)state;
	(void)snprintf(
	    name, sizeof(name), "@anklume-test-notify-%d", (int)getpid());
	fd = listen_at(name);
	(void)alarm(60);
	errno = EXDEV;
	for (int i = 0; i < 10000; i++)
		notify_status("work/web");
	(void)alarm(0);
	assert_int_equal(errno, EXDEV);
	assert_heard(fd, "STATUS=work/web");
}

static void
other_words_are_no_socket(void **state)
{
	static const char *const words[] = {"", "/", "@", "relative/socket",
	    "vsock:2:1", "/nonexistent/socket", "@nobody-listens-here"};
	char longer[200];

	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_false(notify_is_wanted());
	notify_status("x");
	for (size_t i = 0; i < COUNT(words); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", words[i], 1), 0);
		assert_int_equal(notify_is_wanted(), i >= 5);
		notify_status("x");
	}
	memset(longer, '/', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", longer, 1), 0);
	assert_false(notify_is_wanted());
	notify_status("x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_path_gets_it),
	    cmocka_unit_test(an_abstract_name_gets_it),
	    cmocka_unit_test(a_text_is_one_line_of_bounded_length),
	    cmocka_unit_test(a_full_socket_does_not_block),
	    cmocka_unit_test(other_words_are_no_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
