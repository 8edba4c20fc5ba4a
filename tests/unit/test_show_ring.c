#include "stream/show_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "support.h"

/* Both sides, in one process. */
struct pair {
	struct show_ring ring;
	struct show_ring_view view;
	int fds[2];
	size_t told_times;
};

static void
on_taken(void *data, uint64_t taken_bytes)
{
	struct pair *pair = data;

	assert_int_equal(show_ring_taken(&pair->ring, taken_bytes), 0);
	pair->told_times++;
}

static void
pair_open(struct pair *pair)
{
	struct error err = {0};

	*pair = (struct pair){0};
	assert_int_equal(show_ring_open(&pair->ring, &err), 0);
	assert_int_equal(pipe2(pair->fds, O_NONBLOCK), 0);
	pair->view = (struct show_ring_view){.bytes = pair->ring.bytes,
	    .fd = pair->fds[0],
	    .on_taken = on_taken,
	    .data = pair};
}

static void
pair_close(struct pair *pair)
{
	if (pair->fds[0] >= 0)
		(void)close(pair->fds[0]);
	(void)close(pair->fds[1]);
	show_ring_close(&pair->ring);
}

/* Until nothing more is said: it would wait then. */
static void
take_all(struct pair *pair, size_t reader, struct bytes *got)
{
	char *buffer = malloc(reader);
	struct error err = {0};
	ssize_t count;

	assert_non_null(buffer);
	while ((count = show_ring_take(&pair->view, buffer, reader, &err)) > 0)
		bytes_add(got, buffer, (size_t)count);
	assert_int_equal(count, -1);
	free(buffer);
}

static void
bytes_come_in_their_order(void **state)
{
	static const size_t readers[] = {50000, 262144};
	static const size_t writers[] = {7777, 262144, 3000000};
	auto_bytes struct bytes data = bytes_random(3000001, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(readers) * COUNT(writers); i++) {
		size_t writer = writers[i / COUNT(readers)];
		auto_bytes struct bytes got = {0};
		struct pair pair;
		size_t given = 0;

		pair_open(&pair);
		while (given < data.size) {
			size_t left = data.size - given;
			ssize_t count = show_ring_give(&pair.ring, pair.fds[1],
			    data.data + given, left < writer ? left : writer);

			assert_true(count >= 0);
			given += (size_t)count;
			if (count == 0)
				take_all(
				    &pair, readers[i % COUNT(readers)], &got);
		}
		take_all(&pair, readers[i % COUNT(readers)], &got);
		assert_same_bytes(&got, &data);
		pair_close(&pair);
	}
}

static void
nothing_is_shown_over_what_was_not_taken(void **state)
{
	auto_bytes struct bytes data = bytes_random(SHOW_RING_BYTES, 2);
	auto_bytes struct bytes got = {0};
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_int_equal(
	    show_ring_give(&pair.ring, pair.fds[1], data.data, SHOW_RING_BYTES),
	    SHOW_RING_BYTES);
	assert_int_equal(show_ring_room(&pair.ring), 0);
	assert_int_equal(show_ring_give(&pair.ring, pair.fds[1], "more", 4), 0);
	take_all(&pair, 5000, &got);
	assert_same_bytes(&got, &data);
	assert_int_equal(show_ring_room(&pair.ring), SHOW_RING_BYTES);
	assert_int_equal(show_ring_give(&pair.ring, pair.fds[1], "more", 4), 4);
	pair_close(&pair);
}

/* A reader that is slow makes room in large pieces, and tells of it before it
 * has taken all. */
static void
room_is_told_of_in_large_pieces(void **state)
{
	auto_bytes struct bytes data = bytes_random(SHOW_RING_BYTES, 3);
	char buffer[1000];
	struct error err = {0};
	struct pair pair;

	(void)state;
	pair_open(&pair);
	for (size_t given = 0; given < data.size; given += 4096)
		assert_int_equal(show_ring_give(&pair.ring, pair.fds[1],
				     data.data + given, 4096),
		    4096);
	while (pair.told_times == 0)
		assert_true(show_ring_take(
				&pair.view, buffer, sizeof(buffer), &err) > 0);
	assert_in_range(show_ring_room(&pair.ring), SHOW_RING_BYTES / 4,
	    SHOW_RING_BYTES / 2);
	pair_close(&pair);
}

static void
what_cannot_be_is_refused(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_int_equal(show_ring_give(&pair.ring, pair.fds[1], "some", 4), 4);
	assert_int_equal(show_ring_taken(&pair.ring, 5), -1);
	assert_int_equal(show_ring_taken(&pair.ring, 3), 0);
	assert_int_equal(show_ring_taken(&pair.ring, 2), -1);
	pair_close(&pair);
}

static void
a_reader_that_has_gone_is_noticed(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	(void)close(pair.fds[0]);
	pair.fds[0] = -1;
	assert_int_equal(
	    show_ring_give(&pair.ring, pair.fds[1], "some", 4), -1);
	assert_int_equal(errno, EPIPE);
	pair_close(&pair);
}

static void
the_end_is_the_pipes(void **state)
{
	char buffer[10];
	struct error err = {0};
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_int_equal(show_ring_give(&pair.ring, pair.fds[1], "some", 4), 4);
	(void)close(pair.fds[1]);
	pair.fds[1] = -1;
	assert_int_equal(
	    show_ring_take(&pair.view, buffer, sizeof(buffer), &err), 4);
	assert_int_equal(
	    show_ring_take(&pair.view, buffer, sizeof(buffer), &err), 0);
	pair_close(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_come_in_their_order),
	    cmocka_unit_test(nothing_is_shown_over_what_was_not_taken),
	    cmocka_unit_test(room_is_told_of_in_large_pieces),
	    cmocka_unit_test(what_cannot_be_is_refused),
	    cmocka_unit_test(a_reader_that_has_gone_is_noticed),
	    cmocka_unit_test(the_end_is_the_pipes),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
