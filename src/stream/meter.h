/* meter.h - a filter that counts what passes, tells a watcher, and lets an
 * interruption in */

#ifndef ANKLUME_STREAM_METER_H
#define ANKLUME_STREAM_METER_H

#include <stdint.h>

struct error;
struct stream;

/* Who is told, with the bytes so far. Called for every read: the watcher itself
 * decides how often it shows something. */
struct meter_watch {
	void (*advance)(void *data, uint64_t total_bytes);
	void *data;
};

/* `watch` is copied; a NULL `advance` only counts. */
struct stream *meter_new(
    struct stream *from, const struct meter_watch *watch, struct error *err);

#endif
