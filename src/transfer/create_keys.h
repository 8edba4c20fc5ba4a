/* create_keys.h - the keys of a backup: who can read it, who signs its manifest
 */

#ifndef ANKLUME_TRANSFER_CREATE_KEYS_H
#define ANKLUME_TRANSFER_CREATE_KEYS_H

#include "stream/openpgp.h"

struct create_request;
struct error;
struct openpgp_signer;

struct create_keys {
	struct openpgp_recipients recipients;
	struct openpgp_signer *signer; /* owned; NULL: not signed */
};

/* Look up what the request names; the signer has signed something by then.
 * ERROR_KEY. */
int create_keys_find(const struct create_request *request,
    struct create_keys *ret_keys, struct error *err);

void create_keys_clear(struct create_keys *keys);

static inline void
auto_create_keys_cleanup(struct create_keys *keys)
{
	create_keys_clear(keys);
}

/* An owning local. */
#define auto_create_keys __attribute__((cleanup(auto_create_keys_cleanup)))

#endif
