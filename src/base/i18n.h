/* i18n.h - every text for people passes through _()
 *
 * English is the source; translations come from po/. JSON and exit statuses are
 * never translated. */

#ifndef ANKLUME_BASE_I18N_H
#define ANKLUME_BASE_I18N_H

#include <libintl.h>

#define _(text) gettext(text)

/* Marks a text in a static table; it is translated where it is shown. */
#define N_(text) text

#endif
