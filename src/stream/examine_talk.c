#include "stream/examine_talk.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/interrupt.h"
#include "base/sandbox.h"
#include "stream/backup_check.h"
#include "stream/examine.h"

/* How long the child may be silent when it owes an answer, or not read: it has
 * what it needs, and parses a mebibyte in well under a second. */
#define ANSWER_MS (60 * 1000)

/* What is said often is no longer. */
#define SMALL_BYTES 64

int
examine_talk_refuse(struct error *err)
{
	return error_set(
	    err, ERROR_FAILED, _("the process that examines the backup died"));
}

int
examine_talk_wait(const struct examine_talk *talk, bool to_give,
    bool *ret_has_words, struct error *err)
{
	bool gives = to_give && show_ring_room(&talk->child.shown) > 0;
	struct pollfd fds[3] = {
	    {.fd = talk->child.output, .events = POLLIN},
	    {.fd = interrupt_fd(), .events = POLLIN},
	    {.fd = gives ? talk->child.input : -1, .events = POLLOUT},
	};
	int ready;

	do {
		ready = poll(fds, 3, ANSWER_MS);
		if (interrupt_check(err) < 0)
			return -1;
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return examine_talk_refuse(err);
	*ret_has_words = fds[0].revents != 0;
	return 0;
}

int
examine_talk_bytes(
    const struct examine_talk *talk, void *buf, size_t size, struct error *err)
{
	char *next = buf;

	while (size > 0) {
		bool has_words;
		ssize_t got;

		if (examine_talk_wait(talk, false, &has_words, err) < 0)
			return -1;
		got = read(talk->child.output, next, size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return examine_talk_refuse(err);
		next += got;
		size -= (size_t)got;
	}
	return 0;
}

int
examine_talk_head(const struct examine_talk *talk,
    struct examine_head *ret_head, struct error *err)
{
	if (examine_talk_bytes(talk, ret_head, sizeof(*ret_head), err) < 0)
		return -1;
	return ret_head->size_bytes <= EXAMINE_MESSAGE_MAX_BYTES
		   ? 0
		   : examine_talk_refuse(err);
}

/* What it says ------------------------------------------------------------- */

static int
take_held(struct examine_talk *talk, const char *message)
{
	struct sandbox held;

	memcpy(&held, message, sizeof(held));
	talk->result->unconfined = !held.landlock && !held.seccomp;
	return 0;
}

static int
take_index(struct examine_talk *talk, const char *message, size_t size,
    struct error *err)
{
	if (talk->has_index)
		return examine_talk_refuse(err);
	talk->has_index = true;
	talk->result->index =
	    json_parse(message, size, "backup/index.yaml", err);
	return talk->result->index != NULL ? 0 : -1;
}

/* Its code is one that a check has, and its texts are escaped once more. */
static int
take_refusal(const char *message, struct error *err)
{
	struct error said;
	const char *line = said.hint;

	memcpy(&said, message, sizeof(said));
	said.text[sizeof(said.text) - 1] = '\0';
	said.hint[sizeof(said.hint) - 1] = '\0';
	if (said.code != ERROR_DAMAGED && said.code != ERROR_UNSAFE)
		said.code = ERROR_FAILED;
	error_set(err, said.code, "%s", said.text);
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		error_hint(err, "%.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	return -1;
}

static int
take_counts(struct examine_talk *talk, const char *message, struct error *err)
{
	struct backup_counts counts;

	memcpy(&counts, message, sizeof(counts));
	if (!talk->upstream_ended || !talk->has_index)
		return examine_talk_refuse(err);
	talk->result->entries = counts.entries;
	talk->result->tar_size_bytes = counts.tar_size_bytes;
	talk->result->complete = true;
	return 0;
}

static int
take_progress(struct examine_talk *talk, const char *message, struct error *err)
{
	uint64_t taken_bytes;

	memcpy(&taken_bytes, message, sizeof(taken_bytes));
	return show_ring_taken(&talk->child.shown, taken_bytes) < 0
		   ? examine_talk_refuse(err)
		   : 0;
}

static int
take_message(struct examine_talk *talk, const struct examine_head *head,
    const char *message, struct error *err)
{
	if (head->kind == EXAMINE_HELD &&
	    head->size_bytes == sizeof(struct sandbox))
		return take_held(talk, message);
	if (head->kind == EXAMINE_TAKEN && head->size_bytes == sizeof(uint64_t))
		return take_progress(talk, message, err);
	if (head->kind == EXAMINE_INDEX)
		return take_index(talk, message, head->size_bytes, err);
	if (head->kind == EXAMINE_REFUSED &&
	    head->size_bytes == sizeof(struct error))
		return take_refusal(message, err);
	if (head->kind == EXAMINE_DONE &&
	    head->size_bytes == sizeof(struct backup_counts))
		return take_counts(talk, message, err);
	return examine_talk_refuse(err);
}

int
examine_talk_take(struct examine_talk *talk, const struct examine_head *head,
    struct error *err)
{
	char small[SMALL_BYTES];
	bool is_large = head->size_bytes > sizeof(small);
	auto_free char *large = is_large ? malloc(head->size_bytes) : NULL;
	char *message = is_large ? large : small;

	if (message == NULL)
		return error_set_memory(err);
	if (examine_talk_bytes(talk, message, head->size_bytes, err) < 0)
		return -1;
	return take_message(talk, head, message, err);
}

int
examine_talk_hear(struct examine_talk *talk, struct error *err)
{
	struct examine_head head;

	if (examine_talk_head(talk, &head, err) < 0)
		return -1;
	return examine_talk_take(talk, &head, err);
}

/* What it is given --------------------------------------------------------- */

ssize_t
examine_talk_give(struct examine_talk *talk, const char *bytes, size_t size)
{
	ssize_t given =
	    show_ring_give(&talk->child.shown, talk->child.input, bytes, size);

	if (given < 0)
		talk->deaf = true;
	return given;
}

void
examine_talk_end_giving(struct examine_talk *talk)
{
	talk->upstream_ended = true;
	(void)close(talk->child.input);
	talk->child.input = -1;
}
