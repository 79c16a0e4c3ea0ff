/*
 * Members of JSON objects (jansson) as the project writes them: amounts are texts in canonical decimal form, a missing
 * member reads as an empty text.
 */
#ifndef CM_JSON_JSON_H
#define CM_JSON_JSON_H

#include "base/decimal/decimal.h"

#include <jansson.h>

/* Borrowed from `object`; "" if there is no such member, or if it is not a text. */
const char *cm_json_member_text(const json_t *object, const char *key);
/* False: the member is not a decimal. */
CM_NODISCARD bool cm_json_member_decimal(const json_t *object, const char *key, cm_decimal *ret);
/* A new text: the decimal in canonical form. */
json_t *cm_json_decimal(cm_decimal value);

#endif
