#include "stream/gate.h"
#include "support.h"

struct question {
	size_t asked;
	bool refuse;
};

static int
answer(void *data, struct error *err)
{
	struct question *question = data;

	question->asked++;
	if (question->refuse)
		return error_set(err, ERROR_LOCKED, "no");
	return 0;
}

static int
run(enum source_end end, struct question *question, struct bytes *ret,
    struct error *err)
{
	return drain(
	    gate_new(source_new("abc", 3, 0, end), answer, question, err), 2,
	    ret, err);
}

static void
the_end_passes_when_the_answer_is_yes(void **state)
{
	auto_bytes struct bytes got = {0};
	struct question question = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(run(SOURCE_ENDS, &question, &got, &err), 0);
	assert_int_equal(got.size, 3);
	assert_memory_equal(got.data, "abc", 3);
	assert_int_equal(question.asked, 1);
}

static void
no_turns_the_end_into_a_failure(void **state)
{
	auto_bytes struct bytes got = {0};
	struct question question = {.refuse = true};
	struct error err = {0};

	(void)state;
	assert_int_equal(run(SOURCE_ENDS, &question, &got, &err), -1);
	assert_error(&err, ERROR_LOCKED);
	assert_int_equal(question.asked, 1);
}

static void
after_a_failure_nothing_is_asked(void **state)
{
	auto_bytes struct bytes got = {0};
	struct question question = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(run(SOURCE_FAILS, &question, &got, &err), -1);
	assert_error(&err, ERROR_UNREACHABLE);
	assert_int_equal(question.asked, 0);
}

static void
nothing_is_asked_before_the_end(void **state)
{
	struct question question = {0};
	struct error err = {0};
	char buf[3];
	auto_stream struct stream *s = gate_new(
	    source_new("abc", 3, 0, SOURCE_ENDS), answer, &question, &err);

	(void)state;
	assert_int_equal(stream_read(s, buf, 3, &err), 3);
	assert_int_equal(question.asked, 0);
}

static void
nothing_passes_through(void **state)
{
	struct question question = {0};
	struct error err = {0};

	(void)state;
	assert_null(gate_new(NULL, answer, &question, &err));
	assert_int_equal(question.asked, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_end_passes_when_the_answer_is_yes),
	    cmocka_unit_test(no_turns_the_end_into_a_failure),
	    cmocka_unit_test(after_a_failure_nothing_is_asked),
	    cmocka_unit_test(nothing_is_asked_before_the_end),
	    cmocka_unit_test(nothing_passes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
