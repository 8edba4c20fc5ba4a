#include "transfer/create_keys.h"

#include "base/error.h"
#include "base/i18n.h"
#include "stream/openpgp_sign.h"
#include "transfer/create.h"
#include "transfer/export.h"

void
create_keys_clear(struct create_keys *keys)
{
	openpgp_signer_free(keys->signer);
	*keys = (struct create_keys){0};
}

int
create_keys_find(const struct create_request *request,
    struct create_keys *ret_keys, struct error *err)
{
	if (request->signer != NULL && export_is_to_stdout(request->output)) {
		error_set(err, ERROR_USAGE,
		    _("--sign signs the manifest, and standard output has "
		      "none"));
		return error_hint(err, "-o DIR");
	}
	if (openpgp_find_recipients(request->recipients,
		request->recipient_count, &ret_keys->recipients, err) < 0)
		return -1;
	if (request->signer == NULL)
		return 0;
	ret_keys->signer = openpgp_signer_open(request->signer, err);
	return ret_keys->signer != NULL ? 0 : -1;
}
