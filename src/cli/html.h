/* html.h - text from outside, made safe for a page */

#ifndef ANKLUME_CLI_HTML_H
#define ANKLUME_CLI_HTML_H

struct error;

/* A copy for the inside of an element or of an attribute in quotes: what a
 * terminal would act on is escaped as text_escape does, then "&", "<", ">",
 * "\"" and "'" become references. NULL reads as "". Heap; NULL with err set. */
char *html_text(const char *text, struct error *err);

#endif
