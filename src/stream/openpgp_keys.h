/* openpgp_keys.h - what openpgp*.c alone share of gpgme's objects */

#ifndef ANKLUME_STREAM_OPENPGP_KEYS_H
#define ANKLUME_STREAM_OPENPGP_KEYS_H

#include <gpgme.h>

#include "stream/openpgp.h"

struct error;

/* Find the one key for `id` whose secret part is here and that can sign; the
 * rest is as with openpgp_find_recipients(). *ret_key is the caller's. */
int openpgp_find_secret_key(
    const char *id, gpgme_key_t *ret_key, struct error *err);

static inline void
auto_context_cleanup(gpgme_ctx_t *context)
{
	if (*context != NULL)
		gpgme_release(*context);
}

static inline void
auto_data_cleanup(gpgme_data_t *data)
{
	if (*data != NULL)
		gpgme_data_release(*data);
}

/* Owning locals. */
#define auto_data __attribute__((cleanup(auto_data_cleanup)))
#define auto_context __attribute__((cleanup(auto_context_cleanup)))

#endif
