#include "keyring.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 40

/* Run a program on descriptors; -1 is /dev/null. Returns the exit status. */
static int
run(const char *const *arguments, int in, int out)
{
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(in >= 0 ? in : null, STDIN_FILENO);
		(void)dup2(out >= 0 ? out : null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		/* execvp takes the strings without const, and keeps them. */
		execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

bool
keyring_has_gpg(void)
{
	const char *const arguments[] = {"gpg", "--version", NULL};

	return run(arguments, -1, -1) == 0;
}

static void
write_file(const char *directory, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void
keyring_configure(const struct keyring *keyring, const char *line)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
	    "no-auto-key-locate\nno-auto-key-retrieve\n%s", line);
	write_file(keyring->home, "gpg.conf", text);
}

void
keyring_open(struct keyring *keyring)
{
	/* Short: the path of the agent's socket has at most 107 bytes. */
	(void)strcpy(keyring->home, "/tmp/anklume-unit-XXXXXX");
	assert_non_null(mkdtemp(keyring->home));
	write_file(keyring->home, "gpg-agent.conf",
	    "pinentry-program /bin/false\nallow-loopback-pinentry\n"
	    "s2k-count 65536\n");
	keyring_configure(keyring, "");
	keyring_use(keyring);
}

static int
remove_one(
    const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)type;
	(void)where;
	/* The agent may have removed its sockets meanwhile. */
	(void)remove(path);
	return 0;
}

void
keyring_close(struct keyring *keyring)
{
	const char *const arguments[] = {
	    "gpgconf", "--homedir", keyring->home, "--kill", "all", NULL};

	(void)run(arguments, -1, -1);
	(void)nftw(keyring->home, remove_one, 10, FTW_DEPTH | FTW_PHYS);
	keyring->home[0] = '\0';
}

int
keyring_reload(const struct keyring *keyring)
{
	const char *const arguments[] = {"gpgconf", "--homedir", keyring->home,
	    "--reload", "gpg-agent", NULL};

	return run(arguments, -1, -1);
}

void
keyring_use(const struct keyring *keyring)
{
	assert_int_equal(setenv("GNUPGHOME", keyring->home, 1), 0);
}

/* A file in memory, which no full pipe can block. */
static int
memory_file(const struct bytes *content)
{
	int fd = memfd_create("gpg", MFD_CLOEXEC);

	assert_true(fd >= 0);
	if (content != NULL && content->size > 0)
		assert_int_equal(pwrite(fd, content->data, content->size, 0),
		    (ssize_t)content->size);
	return fd;
}

static struct bytes
read_memory_file(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct bytes content;

	assert_true(size >= 0);
	content = bytes_zero((size_t)size);
	assert_int_equal(pread(fd, content.data, content.size, 0), size);
	return content;
}

static int
run_gpg(const struct bytes *input, struct bytes *ret_output,
    const char *const *more)
{
	const char *arguments[ARGUMENTS_MAX] = {
	    "gpg", "--batch", "--yes", "--no-tty", "--quiet"};
	size_t count = 5;
	int in = memory_file(input);
	int out = memory_file(NULL);
	int status;

	for (; *more != NULL; more++) {
		assert_in_range(count, 0, ARGUMENTS_MAX - 2);
		arguments[count++] = *more;
	}
	status = run(arguments, in, out);
	if (ret_output != NULL)
		*ret_output = read_memory_file(out);
	(void)close(in);
	(void)close(out);
	return status;
}

int
keyring_gpg(const struct bytes *input, struct bytes *ret_output, ...)
{
	const char *arguments[ARGUMENTS_MAX] = {NULL};
	size_t count = 0;
	va_list list;
	const char *one;

	va_start(list, ret_output);
	while ((one = va_arg(list, const char *)) != NULL) {
		assert_in_range(count, 0, ARGUMENTS_MAX - 2);
		arguments[count++] = one;
	}
	va_end(list);
	return run_gpg(input, ret_output, arguments);
}

void
keyring_generate(const struct keyring_key *key,
    char ret_fingerprint[KEYRING_FINGERPRINT_BYTES])
{
	static const char created[] = "KEY_CREATED ";
	const char *passphrase = key->passphrase != NULL ? key->passphrase : "";
	auto_bytes struct bytes status = {0};
	const char *const arguments[] = {"--status-fd", "1", "--pinentry-mode",
	    "loopback", "--passphrase", passphrase, "--faked-system-time",
	    key->made != NULL ? key->made : "", "--quick-generate-key",
	    key->user_id, key->algorithm, key->usage, key->expires, NULL};
	const char *without_time[COUNT(arguments)];
	const char *found;
	size_t count = 0;

	for (size_t i = 0; i < COUNT(arguments); i++) {
		if (key->made == NULL && (i == 6 || i == 7))
			continue;
		without_time[count++] = arguments[i];
	}
	assert_int_equal(run_gpg(NULL, &status, without_time), 0);

	/* "KEY_CREATED B <fingerprint>": GnuPG, doc/DETAILS. */
	found = strstr((const char *)status.data, created);
	assert_non_null(found);
	found += strlen(created) + 2;
	assert_true(strlen(found) >= KEYRING_FINGERPRINT_BYTES - 1);
	memcpy(ret_fingerprint, found, KEYRING_FINGERPRINT_BYTES - 1);
	ret_fingerprint[KEYRING_FINGERPRINT_BYTES - 1] = '\0';
}

void
keyring_generate_plain(
    const char *user_id, char ret_fingerprint[KEYRING_FINGERPRINT_BYTES])
{
	const struct keyring_key key = {
	    user_id, "future-default", "default", "never", NULL, NULL};

	keyring_generate(&key, ret_fingerprint);
}

void
keyring_import(const struct keyring *to, const struct keyring *from,
    const char *fingerprint)
{
	auto_bytes struct bytes key = {0};

	keyring_use(from);
	assert_int_equal(
	    keyring_gpg(NULL, &key, "--export", fingerprint, NULL), 0);
	assert_true(key.size > 0);
	keyring_use(to);
	assert_int_equal(keyring_gpg(&key, NULL, "--import", NULL), 0);
}
