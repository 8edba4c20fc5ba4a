#include "fuse_raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int fuse;

void
fuse_raw_answer(
    const struct fuse_in_header *head, int error, const void *data, size_t size)
{
	struct fuse_out_header out = {
	    (uint32_t)(sizeof(out) + size), -error, head->unique};
	struct iovec parts[] = {
	    {&out, sizeof(out)}, {(void *)(uintptr_t)data, size}};

	/* Who has been interrupted meanwhile is there no more. */
	if (writev(fuse, parts, 2) < 0 && errno != ENOENT)
		perror("fuse: answer");
}

/* The kernel's first request. */
static void
answer_init(const struct fuse_in_header *head, const struct fuse_init_in *in)
{
	struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
	    .minor = FUSE_KERNEL_MINOR_VERSION,
	    .flags = in->flags & (FUSE_PARALLEL_DIROPS | FUSE_ASYNC_READ),
	    .max_write = FUSE_RAW_IO_BYTES};

	fuse_raw_answer(head, 0, &out, sizeof(out));
}

static int
serve(fuse_raw_handler *handle)
{
	static _Alignas(8) char bytes[FUSE_RAW_IO_BYTES + 4096];
	const struct fuse_in_header *head = (const void *)bytes;

	for (;;) {
		ssize_t got = read(fuse, bytes, sizeof(bytes));

		if (got < 0 && errno != ENOENT && errno != EINTR)
			return errno == ENODEV ? 0 : 1;
		if (got < (ssize_t)sizeof(*head))
			continue;
		if (head->opcode == FUSE_INIT)
			answer_init(head, (const void *)(head + 1));
		else
			handle(head, head + 1);
	}
}

int
fuse_raw_serve(const char *place, fuse_raw_handler *handle)
{
	char options[128];
	pid_t child;

	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	(void)snprintf(options, sizeof(options),
	    "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (fuse < 0 || mount("hostile", place, "fuse", MS_NOSUID | MS_NODEV,
			    options) < 0) {
		perror(place);
		return 1;
	}
	child = fork();
	if (child != 0)
		return child > 0 && printf("%d\n", child) > 0 ? 0 : 1;
	/* Whoever waits for the end of our output waits for the mount only. */
	if (setsid() < 0 || freopen("/dev/null", "r+", stdin) == NULL ||
	    dup2(STDIN_FILENO, STDOUT_FILENO) < 0 ||
	    dup2(STDIN_FILENO, STDERR_FILENO) < 0)
		return 1;
	return serve(handle);
}
