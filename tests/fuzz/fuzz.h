/* fuzz.h - one target: a parser fed with anything
 *
 * libFuzzer calls it with inputs of its own making (meson setup -Dfuzzers=true,
 * with clang), replay.c with those of a corpus, as an ordinary test. */

#ifndef ANKLUME_FUZZ_FUZZ_H
#define ANKLUME_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; a fault aborts. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
