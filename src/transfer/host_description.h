/* host_description.h - what a host has besides its instances, for the day it is
 * gone */

#ifndef ANKLUME_TRANSFER_HOST_DESCRIPTION_H
#define ANKLUME_TRANSFER_HOST_DESCRIPTION_H

#include <time.h>

struct error;
struct incus_client;
struct openpgp_recipients;

/* Write "host-<server>-YYYYMMDD-HHMMSS.json" into `directory`: projects,
 * profiles, networks, ACLs, pools (docs/formats.md); profiles may hold secrets,
 * so that it is encrypted to `recipients` where there are any, with ".gpg" at
 * its end. Beside it RESTORE.txt says what to do with all of it. */
int host_description_write(struct incus_client *client, const char *directory,
    const struct openpgp_recipients *recipients, time_t when,
    struct error *err);

#endif
