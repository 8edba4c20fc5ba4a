#include "store/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/wait.h"
#include "store/publication.h"
#include "stream/stream.h"

int
small_file_read(const char *path, size_t max_bytes, char **ret_text,
    size_t *ret_size, struct error *err)
{
	auto_free char *text = NULL;
	auto_stream struct stream *file = NULL;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_set_errno(err, errno, _("cannot open '%s'"), path);
	file = stream_fd_new(fd, path, err);
	if (file == NULL)
		return -1;
	text = malloc(max_bytes + 1);
	if (text == NULL)
		return error_set_memory(err);

	got = stream_read_full(file, text, max_bytes + 1, err);
	if (got < 0)
		return -1;
	if ((size_t)got > max_bytes)
		return error_set(err, ERROR_DAMAGED,
		    _("'%s' is larger than %zu bytes"), path, max_bytes);
	text[got] = '\0';
	*ret_text = steal(text);
	*ret_size = (size_t)got;
	return 1;
}

int
small_file_publish(const char *directory, const char *name, const char *text,
    unsigned int mode, bool replace, struct error *err)
{
	auto_publication struct publication *file =
	    publication_new(directory, err);

	if (file == NULL)
		return -1;
	if (wait_write_all(
		publication_fd(file), text, strlen(text), name, err) < 0 ||
	    (!text_ends_with(text, "\n") &&
		wait_write_all(publication_fd(file), "\n", 1, name, err) < 0) ||
	    publication_set_mode(publication_fd(file), mode, name, err) < 0)
		return -1;
	return publication_commit(file, name, replace, err);
}
