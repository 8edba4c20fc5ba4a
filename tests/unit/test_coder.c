#include <string.h>

#include "stream/coder.h"
#include "support.h"

/* A coder that copies up to a full stop, which ends its stream. */
struct copier {
	size_t freed;
	bool broken;
};

static enum coder_verdict
copy_step(void *state, struct coder_io *io, struct error *err)
{
	const struct copier *copier = state;

	if (copier->broken) {
		error_set(err, ERROR_DAMAGED, "broken");
		return CODER_FAILED;
	}
	while (io->in_left > 0 && io->out_left > 0) {
		bool last = *io->in == '.';

		*io->out++ = *io->in++;
		io->in_left--;
		io->out_left--;
		if (last)
			return CODER_DONE;
	}
	return CODER_MORE;
}

static void
copy_free(void *state)
{
	((struct copier *)state)->freed++;
}

static const struct coder copy_coder = {
    .name = "copy",
    .step = copy_step,
    .free_state = copy_free,
};

static int
run(const char *text, size_t chunk, enum source_end end, struct bytes *ret,
    struct error *err)
{
	struct copier copier = {0};
	int status = drain(coder_new(source_new(text, strlen(text), chunk, end),
			       &copy_coder, &copier, err),
	    3, ret, err);

	assert_int_equal(copier.freed, 1);
	return status;
}

static void
the_end_is_the_coders(void **state)
{
	(void)state;
	for (size_t chunk = 0; chunk < 9; chunk++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(
		    run("abcdefg.", chunk, SOURCE_ENDS, &got, &err), 0);
		assert_int_equal(got.size, 8);
		assert_memory_equal(got.data, "abcdefg.", 8);
	}
}

static void
what_follows_the_end_is_refused(void **state)
{
	(void)state;
	for (size_t chunk = 0; chunk < 9; chunk++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(
		    run("abcdefg.x", chunk, SOURCE_ENDS, &got, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
		assert_non_null(strstr(err.text, "copy"));
	}
}

static void
an_input_cut_short_is_refused(void **state)
{
	static const char *const texts[] = {"", "a", "abcdefg"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(run(texts[i], 0, SOURCE_ENDS, &got, &err), -1);
		assert_error(&err, ERROR_DAMAGED);
		assert_non_null(strstr(err.text, "copy"));
	}
}

/* Even behind the coder's own end: the source has not proved whole. */
static void
the_sources_error_passes(void **state)
{
	static const char *const texts[] = {"", "abcd", "abcdefg."};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		auto_bytes struct bytes got = {0};
		struct error err = {0};

		assert_int_equal(
		    run(texts[i], 1, SOURCE_FAILS, &got, &err), -1);
		assert_error(&err, ERROR_UNREACHABLE);
	}
}

static void
the_coders_error_passes(void **state)
{
	auto_bytes struct bytes got = {0};
	struct error err = {0};
	struct copier copier = {.broken = true};

	(void)state;
	assert_int_equal(drain(coder_new(source_new("a", 1, 0, SOURCE_ENDS),
				   &copy_coder, &copier, &err),
			     3, &got, &err),
	    -1);
	assert_error(&err, ERROR_DAMAGED);
	assert_string_equal(err.text, "broken");
	assert_int_equal(copier.freed, 1);
}

static void
no_state_is_out_of_memory(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(coder_new(
	    source_new("a", 1, 0, SOURCE_ENDS), &copy_coder, NULL, &err));
	assert_error(&err, ERROR_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_end_is_the_coders),
	    cmocka_unit_test(what_follows_the_end_is_refused),
	    cmocka_unit_test(an_input_cut_short_is_refused),
	    cmocka_unit_test(the_sources_error_passes),
	    cmocka_unit_test(the_coders_error_passes),
	    cmocka_unit_test(no_state_is_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
