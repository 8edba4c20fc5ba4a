/* descriptors.h - make sure that 0, 1 and 2 are taken */

#ifndef ANKLUME_BASE_DESCRIPTORS_H
#define ANKLUME_BASE_DESCRIPTORS_H

/* A caller may have closed them: a file that is opened later must not become
 * standard output. Those that are closed are opened on /dev/null, so that
 * reading gives nothing and writing to 1 fails. -1 when that cannot be done. */
int descriptors_open_standard(void);

#endif
