#include "transfer/backup_each.h"

#include "base/interrupt.h"
#include "transfer/backup_choice.h"

static int
finish(const struct backup_verb *verb, json_t *result,
    const struct error *failure, struct error *err)
{
	int status = json_object_set_new(
	    result, "status", json_integer((json_int_t)failure->code));

	if (error_is_set(failure))
		status |= json_object_set_new(
		    result, "problem", json_string(failure->text));
	if (status < 0)
		return error_set_memory(err);
	if (verb->listener.tell != NULL)
		verb->listener.tell(verb->listener.data, result);
	return 0;
}

/* -1 only when the run cannot go on; *failure is the archive's own. */
static int
act_on(const struct backup_verb *verb, const char *path, json_t *results,
    struct error *failure, struct error *err)
{
	json_t *result = json_pack("{s:o}", "path", json_string_escaped(path));

	if (result == NULL || json_array_append_new(results, result) < 0)
		return error_set_memory(err);
	(void)verb->act(verb->data, path, result, failure);
	if (interrupt_check(err) < 0)
		return -1;
	return finish(verb, result, failure, err);
}

int
backup_each(const struct backup_choice *choice, const struct backup_verb *verb,
    enum error_code grave, json_t *results, struct backup_tally *ret_tally,
    struct error *err)
{
	struct backup_tally tally = {.count = choice->count};

	for (size_t i = 0; i < choice->count; i++) {
		struct error failure = {0};

		if (act_on(verb, choice->paths[i], results, &failure, err) < 0)
			return -1;
		if (choice->count == 1 && error_is_set(&failure)) {
			*err = failure;
			return -1;
		}
		if (!error_is_set(&failure))
			continue;
		tally.failed++;
		tally.grave += failure.code == grave;
	}
	*ret_tally = tally;
	return 0;
}
