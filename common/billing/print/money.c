/* Figures and names formatted for people. */
#include "base/decimal/decimal.h"
#include "billing/print/paper.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "-1234567.50" -> "-1,234,567.50" */
static char *group(const char *plain, char into[static CM_MONEY_TEXT])
{
    size_t out = 0, whole = strcspn(plain, ".");
    for (size_t i = 0; plain[i] && out + 2 < CM_MONEY_TEXT; i++) {
        bool is_digit = isdigit((unsigned char)plain[i]) != 0;
        if (i > 0 && i < whole && is_digit && (whole - i) % 3 == 0 && isdigit((unsigned char)plain[i - 1]))
            into[out++] = ',';
        into[out++] = plain[i];
    }
    into[out] = 0;
    return into;
}

char *cm_money(const char *amount, int digits, char into[static CM_MONEY_TEXT])
{
    cm_decimal value;
    char plain[CM_DECIMAL_TEXT];
    if (!cm_decimal_parse_strict(cm_slice_of(amount), &value) || !cm_decimal_round_half_away(value, digits, &value)) {
        snprintf(into, CM_MONEY_TEXT, "%s", amount);
        return into;
    }
    cm_decimal_print_fixed(value, digits, plain);
    return group(plain, into);
}

char *cm_quantity(const char *quantity, char into[static CM_MONEY_TEXT])
{
    cm_decimal value;
    char plain[CM_DECIMAL_TEXT];
    if (!cm_decimal_parse_strict(cm_slice_of(quantity), &value) || !cm_decimal_round_half_away(value, 6, &value)) {
        snprintf(into, CM_MONEY_TEXT, "%s", quantity);
        return into;
    }
    cm_decimal_print(value, plain);
    return group(plain, into);
}

char *cm_class_label(const char *class, char into[static CM_MONEY_TEXT])
{
    snprintf(into, CM_MONEY_TEXT, "%s", strcmp(class, "reseller_credit") == 0 ? "credit" : class);
    for (char *c = into; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    into[0] = (char)toupper((unsigned char)into[0]);
    return into;
}
