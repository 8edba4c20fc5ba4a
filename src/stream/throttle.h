/* throttle.h - a filter that lets only so many bytes through in a second */

#ifndef ANKLUME_STREAM_THROTTLE_H
#define ANKLUME_STREAM_THROTTLE_H

#include <stdint.h>

struct error;
struct stream;

/* On the average since the first byte; it waits before a read, and an
 * interruption ends the wait. 0 bytes are no limit: `from` itself. */
struct stream *throttle_new(
    struct stream *from, uint64_t bytes_per_s, struct error *err);

#endif
