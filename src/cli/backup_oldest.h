/* backup_oldest.h - the number behind --oldest */

#ifndef ANKLUME_CLI_BACKUP_OLDEST_H
#define ANKLUME_CLI_BACKUP_OLDEST_H

#include <stddef.h>

struct error;

/* From 1 on; 0 for NULL. ERROR_USAGE. */
int backup_oldest_parse(
    const char *text, size_t *ret_oldest, struct error *err);

#endif
