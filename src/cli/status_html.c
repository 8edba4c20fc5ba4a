#include "base/error.h"
#include "cli/output.h"
#include "cli/status_format.h"

int
status_print_html(struct output *output, const struct status_result *status,
    struct error *err)
{
	(void)status;
	(void)output;
	return error_set(err, ERROR_FAILED, "html");
}
