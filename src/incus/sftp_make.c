#include "incus/sftp_make.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/i18n.h"
#include "incus/sftp_answer.h"
#include "incus/sftp_path.h"
#include "incus/sftp_session.h"
#include "incus/sftp_wire.h"
#include "stream/file_batch.h"

/* Three answers at most are due for one directory. */
#define ANSWERS_MAX 3

struct item {
	struct batch_directory *directory;
	struct sftp_handle handle;
	struct sftp_attributes seen; /* by its name */
	struct sftp_pending answers[ANSWERS_MAX];
	size_t sent;
};

struct make {
	struct sftp_session *session;
	size_t count;
	struct item items[DIRECTORY_BATCH_MAX];
};

typedef int item_sender(
    struct make *make, struct item *item, struct error *err);
typedef void item_judge(struct make *make, struct item *item);

static int
send_packet(struct make *make, struct item *item, struct sftp_packet *packet,
    struct error *err)
{
	return sftp_send(
	    make->session, packet, NULL, 0, &item->answers[item->sent++], err);
}

static bool
is_done(const struct item *item)
{
	return item->directory->existed ||
	       error_is_set(&item->directory->failure);
}

/* All directories take one step together. */
static int
step(struct make *make, item_sender *send, item_judge *judge, struct error *err)
{
	for (size_t i = 0; i < make->count; i++) {
		make->items[i].sent = 0;
		if (!is_done(&make->items[i]) &&
		    send(make, &make->items[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < make->count; i++) {
		struct item *item = &make->items[i];

		for (size_t k = 0; k < item->sent; k++) {
			if (sftp_await(make->session, &item->answers[k], err) <
			    0)
				return -1;
		}
		if (item->sent > 0)
			judge(make, item);
	}
	return 0;
}

static int
send_path(struct make *make, struct item *item, enum sftp_type type,
    const struct sftp_attributes *attributes, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, type);
	sftp_put_text(&packet, item->directory->to);
	if (attributes != NULL)
		sftp_put_attributes(&packet, attributes);
	return send_packet(make, item, &packet, err);
}

static int
send_handle(struct make *make, struct item *item, enum sftp_type type,
    const struct sftp_attributes *attributes, struct error *err)
{
	struct sftp_packet packet;

	sftp_packet_start(&packet, type);
	sftp_put_handle(&packet, &item->handle);
	if (attributes != NULL)
		sftp_put_attributes(&packet, attributes);
	return send_packet(make, item, &packet, err);
}

static int
send_mkdir(struct make *make, struct item *item, struct error *err)
{
	static const struct sftp_attributes secret = {
	    .flags = SFTP_HAS_MODE, .mode = 0700};

	if (send_path(make, item, SFTP_MKDIR, &secret, err) < 0)
		return -1;
	return send_path(make, item, SFTP_LSTAT, NULL, err);
}

/* Where nothing was made, what is there decides, and not what the server says
 * of it. */
static void
judge_mkdir(struct make *make, struct item *item)
{
	struct batch_directory *directory = item->directory;
	struct error why = {0};
	struct sftp_cursor cursor;
	bool made = sftp_answer(&item->answers[0], SFTP_STATUS,
			N_("cannot make the directory"), directory->to, &cursor,
			&why) == 0;
	int there = sftp_answer_look(
	    &item->answers[1], directory->to, &item->seen, &directory->failure);

	if (there < 0)
		return;
	if (there > 0 && S_ISDIR(item->seen.mode))
		directory->existed = !made;
	else if (there > 0)
		error_set(&directory->failure, ERROR_EXISTS,
		    _("'%s%s' is not a directory"),
		    sftp_session_name(make->session), directory->to);
	else
		directory->failure = why;
	if (there == 0 && made)
		error_set(&directory->failure, ERROR_FAILED,
		    _("'%s%s' was replaced while it was made"),
		    sftp_session_name(make->session), directory->to);
}

/* From here on by its handle: whoever owns the directory above may put a link
 * to anything in its place at any moment. */
static int
send_open(struct make *make, struct item *item, struct error *err)
{
	return send_path(make, item, SFTP_OPENDIR, NULL, err);
}

static void
judge_open(struct make *make, struct item *item)
{
	(void)make;
	(void)sftp_answer_handle(&item->answers[0], N_("cannot open"),
	    item->directory->to, &item->handle, &item->directory->failure);
}

static int
send_look(struct make *make, struct item *item, struct error *err)
{
	if (send_handle(make, item, SFTP_FSTAT, NULL, err) < 0)
		return -1;
	return send_handle(make, item, SFTP_READDIR, NULL, err);
}

/* What was opened must be what was made: as it was seen, and empty. */
static void
judge_look(struct make *make, struct item *item)
{
	struct batch_directory *directory = item->directory;
	struct sftp_attributes opened = {0};

	if (sftp_answer_attributes(&item->answers[0], directory->to, &opened,
		&directory->failure) < 0)
		return;
	if (!sftp_same_file(&opened, &item->seen) ||
	    !sftp_answer_is(&item->answers[1], SFTP_EOF))
		error_set(&directory->failure, ERROR_FAILED,
		    _("'%s%s' was replaced while it was made"),
		    sftp_session_name(make->session), directory->to);
}

static int
send_attributes(struct make *make, struct item *item, struct error *err)
{
	const struct batch_directory *directory = item->directory;
	struct sftp_attributes owner = {
	    .flags = SFTP_HAS_OWNER,
	    .uid = (uint32_t)directory->uid,
	    .gid = (uint32_t)directory->gid,
	};
	struct sftp_attributes mode = {
	    .flags = SFTP_HAS_MODE, .mode = directory->mode};

	if (send_handle(make, item, SFTP_FSETSTAT, &owner, err) < 0 ||
	    send_handle(make, item, SFTP_FSETSTAT, &mode, err) < 0 ||
	    send_handle(make, item, SFTP_CLOSE, NULL, err) < 0)
		return -1;
	item->handle.size = 0;
	return 0;
}

static void
judge_all_done(struct make *make, struct item *item)
{
	struct sftp_cursor cursor;

	(void)make;
	for (size_t k = 0; k < item->sent; k++) {
		if (sftp_answer(&item->answers[k], SFTP_STATUS,
			N_("cannot write"), item->directory->to, &cursor,
			&item->directory->failure) < 0)
			return;
	}
}

static int
send_times(struct make *make, struct item *item, struct error *err)
{
	struct sftp_attributes times = {
	    .flags = SFTP_HAS_TIMES,
	    .atime_s = (uint32_t)item->directory->facts.atime_s,
	    .mtime_s = (uint32_t)item->directory->facts.mtime_s,
	};

	return send_path(make, item, SFTP_SETSTAT, &times, err);
}

static struct make *
make_new(struct sftp_session *session, struct batch_directory *directories,
    size_t count, struct error *err)
{
	struct make *make = calloc(1, sizeof(*make));

	if (make == NULL) {
		error_set_memory(err);
		return NULL;
	}
	make->session = session;
	make->count = count;
	for (size_t i = 0; i < count; i++)
		make->items[i].directory = &directories[i];
	return make;
}

static void
make_free(struct make *make)
{
	for (size_t i = 0; i < make->count; i++) {
		for (size_t k = 0; k < ANSWERS_MAX; k++)
			sftp_forget(make->session, &make->items[i].answers[k]);
	}
	free(make);
}

int
sftp_make(struct sftp_session *session, struct batch_directory *directories,
    size_t count, struct error *err)
{
	struct make *make = make_new(session, directories, count, err);
	int result;

	if (make == NULL)
		return -1;
	result = step(make, send_mkdir, judge_mkdir, err);
	if (result == 0)
		result = step(make, send_open, judge_open, err);
	if (result == 0)
		result = step(make, send_look, judge_look, err);
	if (result == 0)
		result = step(make, send_attributes, judge_all_done, err);
	make_free(make);
	return result;
}

int
sftp_make_times(struct sftp_session *session,
    struct batch_directory *directories, size_t count, struct error *err)
{
	struct make *make = make_new(session, directories, count, err);
	int result;

	if (make == NULL)
		return -1;
	result = step(make, send_times, judge_all_done, err);
	make_free(make);
	return result;
}
