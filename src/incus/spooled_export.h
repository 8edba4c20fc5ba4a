/* spooled_export.h - a backup that the daemon writes to its own disk, read
 * while it grows
 *
 * Servers without the API extension direct_backup (6.0) write an export into a
 * file, and send that file to whoever asks for it, also while it is being
 * written: what is there already (seen on 6.0.4; a server that shows it only at
 * its end is waited for). So packing it on this side goes on beside the
 * daemon's work, as with a direct export. */

#ifndef ANKLUME_INCUS_SPOOLED_EXPORT_H
#define ANKLUME_INCUS_SPOOLED_EXPORT_H

struct backup_options;
struct backup_subject;
struct error;
struct incus_client;
struct stream;

/* The export's tar, decompressed. Its end is good when the daemon has ended its
 * work, all of it was read and the compression's own end is there; whether it
 * is a whole tar is for others to find out. The object is deleted with the
 * stream, which waits for the daemon's work where that goes on. `client` must
 * outlive it, `options` are copied. */
struct stream *spooled_export_new(struct incus_client *client,
    const struct backup_subject *of, const struct backup_options *options,
    struct error *err);

#endif
