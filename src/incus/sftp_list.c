#include "incus/sftp_list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/name_set.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"
#include "incus/sftp_wire.h"
#include "stream/file_batch.h"

/* READDIRs on their way for one directory: the second mostly says that there is
 * no more (pkg/sftp gives up to 128 names at a time). */
#define AHEAD 2

/* Linux, NAME_MAX. */
#define NAME_BYTES_MAX 255U

struct open_directory {
	struct batch_directory *directory;
	struct sftp_handle handle; /* size 0: closed, or never opened */
	struct sftp_pending answers[AHEAD];
	size_t asked; /* answers that are due */
	size_t entries;
	struct name_set names; /* what has come so far */
	bool ended;
};

struct list {
	struct sftp_session *session;
	const struct list_taker *taker;
	size_t count;
	struct open_directory open[DIRECTORY_BATCH_MAX];
};

static int
send_open(struct list *list, struct open_directory *open, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, SFTP_OPENDIR);
	sftp_put_text(&packet, open->directory->from);
	return sftp_send(
	    list->session, &packet, NULL, 0, &open->answers[0], err);
}

static int
open_all(struct list *list, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		struct open_directory *open = &list->open[i];

		open->ended = error_is_set(&open->directory->failure);
		if (!open->ended && send_open(list, open, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < list->count; i++) {
		struct open_directory *open = &list->open[i];

		if (open->ended)
			continue;
		if (sftp_await(list->session, &open->answers[0], err) < 0)
			return -1;
		open->ended = sftp_answer_handle(&open->answers[0],
				  N_("cannot open"), open->directory->from,
				  &open->handle, &open->directory->failure) < 0;
	}
	return 0;
}

static int
send_with_handle(struct list *list, struct open_directory *open,
    enum sftp_type type, struct sftp_pending *pending, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, type);
	sftp_put_handle(&packet, &open->handle);
	return sftp_send(list->session, &packet, NULL, 0, pending, err);
}

/* The listing cannot be believed any further. */
static int
distrust(const struct list *list, struct open_directory *open, const char *why)
{
	return error_set(&open->directory->failure, ERROR_FAILED,
	    _("'%s%s' cannot be listed: %s"), sftp_session_name(list->session),
	    open->directory->from, why);
}

static bool
is_dots(const char *name, size_t size)
{
	return (size == 1 && name[0] == '.') ||
	       (size == 2 && name[0] == '.' && name[1] == '.');
}

/* One entry. 0 also when the directory has failed by it. */
static int
take_entry(struct list *list, struct open_directory *open,
    struct sftp_cursor *cursor, struct error *err)
{
	char name[NAME_BYTES_MAX + 1] = {0};
	struct sftp_attributes found = {0};
	struct file_facts facts;
	size_t size;
	size_t ignored;
	int fresh;
	const unsigned char *bytes = sftp_get_bytes(cursor, &size);

	(void)sftp_get_bytes(cursor, &ignored); /* as ls -l shows it */
	sftp_get_attributes(cursor, &found);
	if (cursor->bad || size == 0 || size > NAME_BYTES_MAX ||
	    memchr(bytes, '/', size) != NULL ||
	    memchr(bytes, '\0', size) != NULL) {
		(void)distrust(list, open, _("a name that cannot be one"));
		return 0;
	}
	if (++open->entries > SFTP_LIST_ENTRIES_MAX) {
		(void)distrust(list, open, _("it does not end"));
		return 0;
	}
	memcpy(name, bytes, size);
	if (is_dots(name, size))
		return 0;
	fresh = name_set_add(&open->names, name, err);
	if (fresh == 0)
		(void)distrust(list, open, _("a name comes twice"));
	if (fresh <= 0)
		return fresh;
	facts = sftp_facts(&found);
	return list->taker->take(
	    list->taker->data, open->directory, name, &facts, err);
}

static int
take_answer(struct list *list, struct open_directory *open,
    const struct sftp_pending *answer, struct error *err)
{
	struct error *failure = &open->directory->failure;
	struct sftp_cursor cursor = {0};
	uint32_t names;

	open->ended |= sftp_answer_is(answer, SFTP_EOF);
	if (open->ended)
		return 0;
	open->ended = sftp_answer(answer, SFTP_NAME, N_("cannot list"),
			  open->directory->from, &cursor, failure) < 0;
	if (open->ended)
		return 0;
	names = sftp_get_u32(&cursor);
	if (names == 0)
		(void)distrust(list, open, _("an answer without a name"));
	for (; names > 0 && !error_is_set(failure); names--) {
		if (take_entry(list, open, &cursor, err) < 0)
			return -1;
	}
	open->ended = error_is_set(failure);
	return 0;
}

/* One round: every directory that has not ended is asked for more. False in
 * *ret_more when none was left. */
static int
read_some(struct list *list, bool *ret_more, struct error *err)
{
	*ret_more = false;
	for (size_t i = 0; i < list->count; i++) {
		struct open_directory *open = &list->open[i];

		open->asked = open->ended ? 0 : AHEAD;
		for (size_t k = 0; k < open->asked; k++) {
			*ret_more = true;
			if (send_with_handle(list, open, SFTP_READDIR,
				&open->answers[k], err) < 0)
				return -1;
		}
	}
	for (size_t i = 0; i < list->count; i++) {
		struct open_directory *open = &list->open[i];

		for (size_t k = 0; k < open->asked; k++) {
			if (sftp_await(list->session, &open->answers[k], err) <
				0 ||
			    take_answer(list, open, &open->answers[k], err) < 0)
				return -1;
		}
	}
	return 0;
}

static int
close_all(struct list *list, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		struct open_directory *open = &list->open[i];

		if (open->handle.size > 0 &&
		    send_with_handle(
			list, open, SFTP_CLOSE, &open->answers[0], err) < 0)
			return -1;
	}
	return 0;
}

int
sftp_list(struct sftp_session *session, struct batch_directory *directories,
    size_t count, const struct list_taker *taker, struct error *err)
{
	struct list *list = calloc(1, sizeof(*list));
	bool more = true;
	int result;

	if (list == NULL)
		return error_set_memory(err);
	list->session = session;
	list->taker = taker;
	list->count = count;
	for (size_t i = 0; i < count; i++)
		list->open[i].directory = &directories[i];

	result = open_all(list, err);
	while (result == 0 && more)
		result = read_some(list, &more, err);
	if (result == 0)
		result = close_all(list, err);

	for (size_t i = 0; i < DIRECTORY_BATCH_MAX; i++) {
		name_set_clear(&list->open[i].names);
		for (size_t k = 0; k < AHEAD; k++)
			sftp_forget(session, &list->open[i].answers[k]);
	}
	free(list);
	return result;
}
