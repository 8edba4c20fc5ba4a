#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static int pipe_in[2];
static int pipe_out[2];

/* The number of the first of these that is not refused; 0 when all are. */
static int
first_that_works(void)
{
	struct {
		long result;
	} tries[] = {
	    {open("/etc/passwd", O_RDONLY | O_CLOEXEC)},
	    {open("/tmp/anklume-sandbox", O_CREAT | O_WRONLY, 0600)},
	    {open("/proc/self/mem", O_RDWR | O_CLOEXEC)},
	    {socket(AF_UNIX, SOCK_STREAM, 0)},
	    {socket(AF_INET, SOCK_STREAM, 0)},
	    {syscall(SYS_fork)},
	    {execl("/bin/true", "true", NULL)},
	    {kill(getppid(), 0)},
	    {unlink("/tmp/anklume-sandbox-none") == 0 || errno != EPERM ? 1
									: -1},
	    {mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		    ? -1
		    : 1},
	    {mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, pipe_in[0], 0) ==
			    MAP_FAILED &&
			errno == EPERM
		    ? -1
		    : 1},
	    {mprotect(&pipe_in, 1, PROT_EXEC)},
	    {fcntl(pipe_in[0], F_GETFD)},
	    {syscall(SYS_ptrace, 0, 0, 0, 0)},
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		if (tries[i].result >= 0)
			return (int)i + 1;
	}
	return 0;
}

/* Say through the pipe what it found, for it has nothing else. */
static void
speak(char what)
{
	(void)!write(pipe_out[1], &what, 1);
}

static int
locked_in(void)
{
	struct sandbox held = sandbox_enter(pipe_in[0], pipe_out[1]);
	char byte = 0;
	void *memory;

	speak(held.landlock ? 'L' : '-');
	speak(held.seccomp ? 'S' : '-');
	speak((char)('A' + first_that_works()));
	/* What it is there for still works. */
	speak(read(pipe_in[0], &byte, 1) == 1 ? byte : '-');
	memory = malloc(64 << 20);
	if (memory != NULL)
		memset(memory, 1, 64 << 20);
	speak(memory != NULL ? 'M' : '-');
	free(memory);
	/* The others are closed. */
	speak(write(pipe_in[1], "", 1) < 0 && errno == EBADF ? 'C' : '-');
	_exit(7);
}

static void
nothing_is_left_but_reading_and_writing(void **state)
{
	char heard[8] = {0};
	int status;

	(void)state;
	assert_int_equal(pipe2(pipe_in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(pipe_out, O_CLOEXEC), 0);
	assert_int_equal(write(pipe_in[1], "R", 1), 1);
	status = in_child(locked_in);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(read(pipe_out[0], heard, sizeof(heard) - 1), 6);
	if (heard[1] != 'S') {
		/* A kernel that cannot is said to be none that can. */
		assert_int_equal(heard[1], '-');
		skip();
	}
	assert_string_equal(heard + 1, "SARMC");
	(void)close(pipe_in[0]);
	(void)close(pipe_in[1]);
	(void)close(pipe_out[0]);
	(void)close(pipe_out[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_left_but_reading_and_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
