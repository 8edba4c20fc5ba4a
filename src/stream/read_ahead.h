/* read_ahead.h - a filter that is read by a thread of its own, ahead of whoever
 * reads it
 *
 * What is upstream of it and what is downstream work at the same time, and even
 * out that each goes in bursts: an export that is packed and encrypted
 * (ARCHITECTURE.md, "One idea"). It is the only thread in the program.
 *
 * The thread hears no signals; an interruption ends the waits upstream, as ever
 * (interrupt.h), and reaches the reader as their error. */

#ifndef ANKLUME_STREAM_READ_AHEAD_H
#define ANKLUME_STREAM_READ_AHEAD_H

struct error;
struct stream;

/* Start to read `from`, which from now on is the thread's alone: until this
 * stream has given its end, nobody may look at what the chain upstream fills
 * in. Freeing it waits for the read that is going on. */
struct stream *read_ahead_new(struct stream *from, struct error *err);

#endif
