/* How texts of a table look to people. Pure. What is returned as `char *` is the caller's to free. */
#ifndef CLI_EYES_H
#define CLI_EYES_H

#include "base/base/error.h"
#include "base/digest/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* 32 lower-case hexadecimal digits: a run, a delivery, a document, a catalog version. */
bool cli_is_id(const char *text);
/* How many characters tell the ids among `texts` (NULL allowed) apart; at least 8. */
int cli_id_length(const char *const *texts, size_t count);
/* A canonical decimal with at least the decimals of its currency: "19821" EUR -> "19821.00", JPY -> "19821". */
char *cli_money(const char *amount, const char *currency);
/* At most `width` characters (code points), the last one an ellipsis if something was left out. */
char *cli_cut(const char *text, int width);
/* Control characters as "\x1b", "\n", so that no text of a report steers a terminal; those in `kept` stay. */
char *cli_plain_text(const char *text, const char *kept);
/* fprintf for people: control characters other than line ends are written as such. */
void cli_put(FILE *out, const char *format, ...) CM_PRINTF(2, 3);

#endif
