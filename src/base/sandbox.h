/* sandbox.h - a process gives up all but reading, writing and memory
 *
 * For a child that parses what a stranger has made: whatever goes wrong in it,
 * it reaches no file, no network and no other process. */

#ifndef ANKLUME_BASE_SANDBOX_H
#define ANKLUME_BASE_SANDBOX_H

#include <stdbool.h>

/* What holds the process: either alone keeps files away. */
struct sandbox {
	bool landlock; /* no file can be opened (Linux 5.13) */
	bool seccomp;  /* nor any system call be made but a few (Linux 3.5) */
};

/* Close every descriptor but the two that are named, and lock this process in,
 * for good. What the kernel has not is missing in the result. Only for a
 * process with one thread that has loaded all it needs: translations, too. */
struct sandbox sandbox_enter(int keep, int keep_too);

#endif
