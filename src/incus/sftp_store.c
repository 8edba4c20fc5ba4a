#include "incus/sftp_store.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "incus/sftp_path.h"
#include "incus/sftp_read_back.h"
#include "incus/sftp_store_steps.h"

static int
send_each(struct sftp_store *store, struct error *err)
{
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];

		item->sent = 0;
		if (batch_file_is_wanted(item->file) &&
		    store->stage->send(store, item, err) < 0)
			return -1;
	}
	return 0;
}

static int
send_stage(struct sftp_store *store, struct error *err)
{
	sftp_cork(store->session);
	return send_each(store, err) == 0 ? sftp_uncork(store->session, err)
					  : -1;
}

static int
hear_stage(struct sftp_store *store, struct error *err)
{
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];

		for (size_t k = 0; k < item->sent; k++) {
			if (sftp_await(store->session, &item->answers[k], err) <
			    0)
				return -1;
		}
		if (item->sent > 0)
			store->stage->judge(store, item);
	}
	return 0;
}

static int
read_back(struct sftp_store *store, struct error *err)
{
	char *paths[FILE_BATCH_MAX];

	for (size_t i = 0; i < store->count; i++)
		paths[i] = store->items[i].temporary;
	return sftp_read_back(store->session, store->batch, paths, err);
}

/* What has a temporary name still: of a file that failed, or the second name of
 * one that was linked. Removing does not wait for writes; the server closes
 * handles with the session. */
static void
remove_temporaries(struct sftp_store *store)
{
	struct error ignored = {0};

	interrupt_shield_up();
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];

		error_clear(&ignored);
		if (item->temporary != NULL &&
		    !sftp_session_broken(store->session))
			(void)sftp_remove(
			    store->session, item->temporary, &ignored);
	}
	interrupt_shield_down();
}

void
sftp_store_free(struct sftp_store *store)
{
	if (store == NULL)
		return;
	remove_temporaries(store);
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];

		for (size_t k = 0; k < ANSWERS_MAX; k++)
			sftp_forget(store->session, &item->answers[k]);
		free(item->temporary);
	}
	free(store);
}

/* A file that failed half-way through leaves its handle open. */
static int
send_close(struct sftp_store *store, struct error *err)
{
	for (size_t i = 0; i < store->count; i++) {
		struct item *item = &store->items[i];
		struct sftp_packet packet;

		if (item->handle.size == 0)
			continue;
		sftp_packet_start(&packet, SFTP_CLOSE);
		sftp_put_handle(&packet, &item->handle);
		if (sftp_call(store->session, &packet, &item->answers[0], err) <
		    0)
			return -1;
	}
	return 0;
}

static struct sftp_store *
store_new(
    struct sftp_session *session, struct file_batch *batch, struct error *err)
{
	struct sftp_store *store = calloc(1, sizeof(*store));

	if (store == NULL) {
		error_set_memory(err);
		return NULL;
	}
	store->session = session;
	store->batch = batch;
	store->count = batch->count;
	for (size_t i = 0; i < batch->count; i++)
		store->items[i].file = &batch->files[i];
	return store;
}

int
sftp_store_look(
    struct sftp_session *session, struct file_batch *batch, struct error *err)
{
	struct sftp_store *store = store_new(session, batch, err);
	int result;

	if (store == NULL)
		return -1;
	store->stage = &sftp_store_look_stage;
	result = send_stage(store, err);
	if (result == 0)
		result = hear_stage(store, err);
	sftp_store_free(store);
	return result;
}

struct sftp_store *
sftp_store_begin(
    struct sftp_session *session, struct file_batch *batch, struct error *err)
{
	struct sftp_store *store = store_new(session, batch, err);
	bool exclusive = batch->count > 0 && batch->files[0].exclusive;

	if (store == NULL)
		return NULL;
	store->stage = sftp_store_stages;
	if (sftp_can_publish(session, exclusive, err) == 0 &&
	    send_stage(store, err) == 0)
		return store;
	sftp_store_free(store);
	return NULL;
}

int
sftp_store_go_on(struct sftp_store *store, struct error *err)
{
	if (hear_stage(store, err) < 0)
		return -1;
	store->stage++;
	if (store->stage->send == NULL)
		return send_close(store, err);
	if (store->stage->verified && read_back(store, err) < 0)
		return -1;
	return send_stage(store, err) == 0 ? 1 : -1;
}
