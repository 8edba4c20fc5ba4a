#include "cli/backup_oldest.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"

/* More archives than a catalogue holds. */
#define OLDEST_MAX 1000000

int
backup_oldest_parse(const char *text, size_t *ret_oldest, struct error *err)
{
	uint64_t number = 0;

	if (text != NULL &&
	    (!text_parse_number(text, OLDEST_MAX, &number) || number == 0))
		return error_set(
		    err, ERROR_USAGE, _("'%s' is not a number"), text);
	*ret_oldest = (size_t)number;
	return 0;
}
