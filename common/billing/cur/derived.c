#include "billing/cur/derived.h"

#include "billing/cur/text.h"

#include <stdlib.h>

enum { KEY_MAX = 32 }; /* longer keys are none that is known */

enum cm_discount_columns cm_discount_columns_of(const cm_columns *columns)
{
    cm_slice cost = cm_columns_name(columns, CM_COLUMN_COST);
    bool legacy = memchr(cost.text, '/', cost.length) != NULL;
    bool has_net = columns->index[CM_COLUMN_NET_COST] < columns->count;
    if (legacy)
        return has_net ? CM_DISCOUNTS_REPEATED : CM_DISCOUNTS_AS_LINES;
    bool in_columns = columns->index[CM_COLUMN_DISCOUNT] < columns->count ||
                      columns->index[CM_COLUMN_TOTAL_DISCOUNT] < columns->count;
    return in_columns ? CM_DISCOUNTS_IN_COLUMNS : CM_DISCOUNTS_AS_LINES;
}

void cm_derived_free(cm_derived *derived)
{
    free(derived->part);
    free(derived->text);
    *derived = (cm_derived){0};
}

/* --- the map ----------------------------------------------------------------------------------------------------- */

/* Key of the map, without case and underscores. */
static const char *type_of_key(cm_slice key)
{
    static const struct {
        const char *key, *type;
    } known[] = {{"edpdiscount", "EdpDiscount"},
                 {"privateratediscount", "PrivateRateDiscount"},
                 {"rivolumediscount", "RiVolumeDiscount"},
                 {"sppdiscount", "SppDiscount"},
                 {"distributordiscount", "DistributorDiscount"},
                 {"bundleddiscount", "BundledDiscount"}};
    char plain[KEY_MAX + 1];
    size_t length = 0;
    for (size_t i = 0; i < key.length; i++) {
        char c = key.text[i];
        if (c == '_')
            continue;
        if (length == KEY_MAX)
            return "Discount";
        plain[length++] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (cm_slice_is((cm_slice){plain, length}, known[i].key))
            return known[i].type;
    return "Discount";
}

static void add_part(cm_derived *derived, const char *type, cm_decimal amount)
{
    if (derived->count == derived->capacity) {
        derived->capacity = derived->capacity ? 2 * derived->capacity : 8;
        derived->part = cm_realloc(derived->part, derived->capacity * sizeof *derived->part);
    }
    derived->part[derived->count++] = (cm_derived_part){type, amount};
}

static void skip_blanks(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r'))
        ++*at;
}

static bool take(const char **at, const char *end, char c)
{
    skip_blanks(at, end);
    if (*at == end || **at != c)
        return false;
    ++*at;
    return true;
}

/* A JSON string without its quotes; escapes stay as they are: no known key and no number has any. */
static bool take_string(const char **at, const char *end, cm_slice *ret)
{
    if (!take(at, end, '"'))
        return false;
    const char *from = *at;
    while (*at < end && **at != '"')
        *at += **at == '\\' ? 2 : 1;
    if (*at >= end)
        return false;
    *ret = (cm_slice){from, (size_t)(*at - from)};
    ++*at;
    return true;
}

/* A number, a number in a string, or null. */
static bool take_value(const char **at, const char *end, cm_slice *ret)
{
    skip_blanks(at, end);
    if (*at < end && **at == '"')
        return take_string(at, end, ret);
    const char *from = *at;
    while (*at < end && !strchr(",} \t\r\n", **at))
        ++*at;
    *ret = (cm_slice){from, (size_t)(*at - from)};
    if (cm_slice_is(*ret, "null"))
        *ret = (cm_slice){0};
    else if (!ret->length)
        return false;
    return true;
}

static cm_slice text_of(cm_derived *derived, cm_slice raw)
{
    if (raw.length > derived->text_capacity) {
        derived->text_capacity = 2 * raw.length;
        derived->text = cm_realloc(derived->text, derived->text_capacity);
    }
    return cm_text_unquote(raw, derived->text);
}

bool cm_derived_parse_map(cm_derived *derived, cm_slice raw, uint32_t *rounded, bool *ret_overflow)
{
    cm_slice text = text_of(derived, raw), key, value;
    derived->count = derived->next = 0;
    *ret_overflow = false;
    if (!text.length)
        return true;
    const char *at = text.text, *end = text.text + text.length;
    if (!take(&at, end, '{'))
        return false;
    bool more = !take(&at, end, '}');
    while (more) {
        cm_decimal amount;
        if (!take_string(&at, end, &key) || !take(&at, end, ':') || !take_value(&at, end, &value))
            return false;
        enum cm_decimal_parse_result result = cm_decimal_parse(value, &amount);
        *ret_overflow = result == CM_DECIMAL_OVERFLOW;
        if (result > CM_DECIMAL_EMPTY)
            return false;
        *rounded += result == CM_DECIMAL_ROUNDED;
        add_part(derived, type_of_key(key), amount);
        more = take(&at, end, ',');
        if (!more && !take(&at, end, '}'))
            return false;
    }
    skip_blanks(&at, end);
    return at == end;
}

/* --- derived lines ------------------------------------------------------------------------------------------------ */

/* The parts are the amounts of derived lines as they are, or with the other sign; those of 0 give no line. */
static bool keep_parts(cm_derived *derived, bool negate)
{
    size_t kept = 0;
    for (size_t i = 0; i < derived->count; i++) {
        cm_derived_part part = derived->part[i];
        if (cm_decimal_is_zero(part.amount))
            continue;
        if (negate && !cm_decimal_negate(part.amount, &part.amount))
            return false;
        derived->part[kept++] = part;
    }
    derived->count = kept;
    return true;
}

bool cm_derived_make(cm_derived *derived, cm_decimal cost, const cm_decimal *net, const cm_decimal *total)
{
    cm_decimal sum = CM_DECIMAL_ZERO, difference = CM_DECIMAL_ZERO, opposite;
    bool given = derived->count > 0;
    derived->next = 0;
    derived->unexplained = false;
    for (size_t i = 0; i < derived->count; i++)
        if (!cm_decimal_accumulate(&sum, derived->part[i].amount))
            return false;
    if (net && !cm_decimal_subtract(*net, cost, &difference))
        return false;
    if (!net)
        difference = given ? sum : total ? *total : CM_DECIMAL_ZERO;
    if (!cm_decimal_negate(difference, &opposite))
        return false;
    if (cm_decimal_is_zero(difference)) {
        derived->count = 0;
        return true;
    }
    if (cm_decimal_equal(sum, difference) || cm_decimal_equal(sum, opposite))
        return keep_parts(derived, !cm_decimal_equal(sum, difference));
    derived->count = 0;
    derived->unexplained = true;
    add_part(derived, "Discount", difference);
    return true;
}
