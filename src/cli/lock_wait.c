#include "cli/lock_wait.h"

#include <stddef.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

/* No run takes longer. */
#define LOCK_WAIT_MAX_S (7 * 24 * 60 * 60)

int
lock_wait_parse(const char *text, int64_t *ret_ms, struct error *err)
{
	uint64_t seconds = 0;

	if (text != NULL &&
	    !text_parse_seconds(text, LOCK_WAIT_MAX_S, &seconds))
		return error_set(err, ERROR_USAGE,
		    _("--lock-wait wants a time such as 90, 30s, 10m or 2h, "
		      "not '%s'"),
		    text);
	*ret_ms = (int64_t)seconds * 1000;
	return 0;
}
