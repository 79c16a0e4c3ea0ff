/* How texts of a table look to people. Pure. What is returned as `char *` is the caller's to free. */
#ifndef CLI_EYES_H
#define CLI_EYES_H

#include "base/base/error.h"
#include "base/digest/digest.h"

#include <stdbool.h>
#include <stddef.h>

/* 32 lower-case hexadecimal digits: a run, a delivery, a document, a catalog version. */
bool cli_is_id(const char *text);
/* How many characters tell the ids among `texts` (NULL allowed) apart; at least 8. */
int cli_id_length(const char *const *texts, size_t count);
/* A canonical decimal with at least the decimals of its currency: "19821" EUR -> "19821.00", JPY -> "19821". */
char *cli_money(const char *amount, const char *currency);
/* At most `width` characters (code points), the last one an ellipsis if something was left out. */
char *cli_cut(const char *text, int width);

#endif
