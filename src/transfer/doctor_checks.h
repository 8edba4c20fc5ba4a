/* doctor_checks.h - what doctor looks at, one by one; for doctor*.c only
 *
 * A check tells what it finds. Its own failure, with err set, is a finding of
 * the level that the list in doctor.c gives it. */

#ifndef ANKLUME_TRANSFER_DOCTOR_CHECKS_H
#define ANKLUME_TRANSFER_DOCTOR_CHECKS_H

#include <stdbool.h>

#include "base/name_set.h"
#include "transfer/configuration.h"
#include "transfer/findings.h"

struct doctor_request;
struct error;
struct incus_client;

struct doctor {
	const struct doctor_request *request;
	struct findings *findings;
	struct config config;	     /* empty where it cannot be read */
	struct incus_client *client; /* NULL: no daemon answers */
	bool spools;		     /* its exports go over its disk */
	struct name_set ending;	     /* keys that were told to end soon */
};

/* doctor_host.c: files of this host, and its clock. */
int doctor_config(struct doctor *doctor, struct error *err);
int doctor_policy(struct doctor *doctor, struct error *err);
int doctor_audit(struct doctor *doctor, struct error *err);
int doctor_clock(struct doctor *doctor, struct error *err);

/* doctor_daemon.c: the daemon, and what its projects and pools are like. The
 * first one sets `client`. */
int doctor_daemon(struct doctor *doctor, struct error *err);
int doctor_version(struct doctor *doctor, struct error *err);
int doctor_direct_export(struct doctor *doctor, struct error *err);
int doctor_pools(struct doctor *doctor, struct error *err);
int doctor_projects(struct doctor *doctor, struct error *err);

/* doctor_spool.c: the disk that the daemon's exports and imports go over. */
int doctor_spool_room(struct doctor *doctor, struct error *err);
int doctor_spool_encryption(struct doctor *doctor, struct error *err);

/* doctor_keys.c: gpg, its keyring, the keys that are configured. */
int doctor_gpg(struct doctor *doctor, struct error *err);
int doctor_keyring(struct doctor *doctor, struct error *err);
int doctor_recipients(struct doctor *doctor, struct error *err);
int doctor_signing_key(struct doctor *doctor, struct error *err);
int doctor_signers(struct doctor *doctor, struct error *err);

/* doctor_output.c: where archives go. */
int doctor_mount(struct doctor *doctor, struct error *err);
int doctor_output(struct doctor *doctor, struct error *err);
int doctor_output_on_root(struct doctor *doctor, struct error *err);
int doctor_archive_times(struct doctor *doctor, struct error *err);

/* doctor_leftovers.c: what runs that were killed have left. */
int doctor_left_files(struct doctor *doctor, struct error *err);
int doctor_left_exports(struct doctor *doctor, struct error *err);
int doctor_left_drills(struct doctor *doctor, struct error *err);
int doctor_left_instances(struct doctor *doctor, struct error *err);

#endif
