/* Feeds a target with every file of the directories that are named. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

/* No input of a corpus is larger. */
#define INPUT_MAX_BYTES (4 * 1024 * 1024)

static int
fail(const char *what)
{
	perror(what);
	return -1;
}

/* The target gets memory of exactly this size: ASan sees a read beyond it. */
static int
feed(const unsigned char *data, size_t size)
{
	unsigned char *exact = malloc(size > 0 ? size : 1);
	int result;

	if (exact == NULL)
		return fail("malloc");
	if (size > 0)
		memcpy(exact, data, size);
	result = LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return result;
}

static int
replay_file(int directory, const char *name, unsigned char *room)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t got = 0;

	if (fd < 0)
		return fail(name);
	while (size < INPUT_MAX_BYTES &&
	       (got = read(fd, room + size, INPUT_MAX_BYTES - size)) > 0)
		size += (size_t)got;
	(void)close(fd);
	return got < 0 ? fail(name) : feed(room, size);
}

static int
replay_directory(const char *path, unsigned char *room, size_t *count)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int result = 0;

	if (directory == NULL)
		return fail(path);
	while (result == 0 && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		/* The last one said is the one that aborts. */
		(void)fprintf(stderr, "%s\n", entry->d_name);
		result = replay_file(dirfd(directory), entry->d_name, room);
		(*count)++;
	}
	(void)closedir(directory);
	return result;
}

int
main(int argc, char **argv)
{
	unsigned char *room = malloc(INPUT_MAX_BYTES);
	size_t count = 0;
	int result = room != NULL ? 0 : fail("malloc");

	for (int i = 1; result == 0 && i < argc; i++)
		result = replay_directory(argv[i], room, &count);
	free(room);
	/* An empty corpus would pass whatever the target does. */
	if (count == 0)
		result = -1;
	(void)printf("%zu inputs\n", count);
	return result == 0 ? 0 : 1;
}
