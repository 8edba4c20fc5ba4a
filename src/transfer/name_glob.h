/* name_glob.h - patterns for one name: "*", "?", "[a-z]", "[!a-z]"
 *
 * fnmatch(3) is not used: with bytes that are no UTF-8 it fails, which in a
 * rule that denies would be no match, and its time can grow beyond measure. */

#ifndef ANKLUME_TRANSFER_NAME_GLOB_H
#define ANKLUME_TRANSFER_NAME_GLOB_H

#include <stdbool.h>

/* Whether every set is closed, ASCII, and its ranges go upwards. Nothing else
 * can be wrong with a glob. */
bool name_glob_is_valid(const char *glob);

/* Whether the whole of `name` fits. "?" is one character of UTF-8; capitals
 * count. The time is bounded by the product of both lengths. */
bool name_glob_matches(const char *glob, const char *name);

#endif
