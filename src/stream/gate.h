/* gate.h - a filter that asks one more question before it lets the end through
 */

#ifndef ANKLUME_STREAM_GATE_H
#define ANKLUME_STREAM_GATE_H

struct error;
struct stream;

/* `check` is called once, when `from` has ended well: 0 lets the end pass, -1
 * with err set turns it into a failure. `data` is borrowed. */
struct stream *gate_new(struct stream *from,
    int (*check)(void *data, struct error *err), void *data, struct error *err);

#endif
