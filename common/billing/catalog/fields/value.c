#include "billing/catalog/fields/fields.h"
#include "billing/catalog/model/country.h"
#include "billing/catalog/model/currency.h"
#include "billing/catalog/yaml/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static bool scalar(cm_checker *checker, const cm_yaml_node *node, const char *field)
{
    if (node->kind == CM_YAML_SCALAR && !cm_yaml_is_null(node))
        return true;
    cm_wrong(checker, node, "%s must be a single value, not %s", field,
             node->kind == CM_YAML_SCALAR ? "empty" : cm_yaml_kind_name(node));
    return false;
}

bool cm_read_text(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret)
{
    if (!scalar(checker, node, field))
        return false;
    if (node->text.length == 0 || node->text.length > CM_TEXT_LIMIT) {
        cm_wrong(checker, node, "%s must have 1 to %d characters", field, CM_TEXT_LIMIT);
        return false;
    }
    for (size_t i = 0; i < node->text.length; i++)
        if ((unsigned char)node->text.text[i] < 0x20 || node->text.text[i] == 0x7f) {
            cm_wrong(checker, node, "%s may not hold line breaks, tabs or control characters", field);
            return false;
        }
    *ret = node->text.text;
    return true;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool cm_read_id(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret)
{
    if (!cm_read_text(checker, node, field, ret))
        return false;
    bool good = node->text.length <= CM_ID_LIMIT && is_letter_or_digit((*ret)[0]);
    for (size_t i = 0; good && i < node->text.length; i++)
        good = is_letter_or_digit((*ret)[i]) || strchr("._-+@", (*ret)[i]);
    if (!good)
        cm_wrong(checker, node,
                 "%s \"%s\" is not an id: use letters, digits and . _ - + @, at most %d of them, beginning with a "
                 "letter or digit",
                 field, *ret, CM_ID_LIMIT);
    return good;
}

bool cm_read_account(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret)
{
    if (!cm_read_text(checker, node, field, ret))
        return false;
    bool good = node->text.length == 12;
    for (size_t i = 0; good && i < 12; i++)
        good = (*ret)[i] >= '0' && (*ret)[i] <= '9';
    if (!good)
        cm_wrong(checker, node,
                 "%s \"%s\" is not an account id: it has 12 digits and is always a string, quote it: "
                 "\"000011112222\" (N16)",
                 field, *ret);
    return good;
}

bool cm_read_decimal(cm_checker *checker, const cm_yaml_node *node, const char *field, const char *low,
                     const char *high, cm_decimal *ret)
{
    cm_decimal least, most;
    cm_assert(cm_decimal_parse_strict(cm_slice_of(low), &least) && cm_decimal_parse_strict(cm_slice_of(high), &most));
    if (!scalar(checker, node, field))
        return false;
    if (!cm_decimal_parse_strict(node->text, ret)) {
        cm_wrong(checker, node, "%s \"%.*s\" is not a decimal number with at most %d decimals; write it like 12.5",
                 field, CM_SLICE(node->text), CM_DECIMAL_SCALE);
        return false;
    }
    if (cm_decimal_compare(*ret, least) < 0 || cm_decimal_compare(*ret, most) > 0) {
        cm_wrong(checker, node, "%s %.*s is out of range: %s to %s", field, CM_SLICE(node->text), low, high);
        return false;
    }
    return true;
}

bool cm_read_integer(cm_checker *checker, const cm_yaml_node *node, const char *field, int64_t low, int64_t high,
                     int64_t *ret)
{
    if (!scalar(checker, node, field))
        return false;
    size_t at = node->text.length && node->text.text[0] == '-';
    bool negative = at > 0, good = node->text.length > at && node->text.length <= 18;
    int64_t value = 0;
    for (; good && at < node->text.length; at++) {
        char c = node->text.text[at];
        good = c >= '0' && c <= '9';
        value = value * 10 + (c - '0');
    }
    *ret = negative ? -value : value;
    if (good && *ret >= low && *ret <= high)
        return true;
    cm_wrong(checker, node, "%s \"%.*s\" must be a whole number from %lld to %lld", field, CM_SLICE(node->text),
             (long long)low, (long long)high);
    return false;
}

bool cm_read_bool(cm_checker *checker, const cm_yaml_node *node, const char *field, bool *ret)
{
    if (!scalar(checker, node, field))
        return false;
    *ret = cm_slice_is(node->text, "true");
    if (node->plain && (*ret || cm_slice_is(node->text, "false")))
        return true;
    cm_wrong(checker, node, "%s must be true or false, without quotes", field);
    return false;
}

bool cm_read_instant(cm_checker *checker, const cm_yaml_node *node, const char *field, cm_instant *ret)
{
    if (!scalar(checker, node, field))
        return false;
    if (cm_instant_parse(node->text, ret))
        return true;
    cm_wrong(checker, node,
             "%s \"%.*s\" is not a time: write a date (2025-06-01, its 00:00 UTC) or an instant in UTC "
             "(2025-06-01T12:00:00Z)",
             field, CM_SLICE(node->text));
    return false;
}

bool cm_read_currency(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret)
{
    if (!cm_read_text(checker, node, field, ret))
        return false;
    if (cm_currency_minor_digits(*ret) >= 0)
        return true;
    cm_wrong(checker, node, "%s \"%s\" is not a currency of ISO 4217: three upper-case letters, like USD", field, *ret);
    return false;
}

bool cm_read_country(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret)
{
    if (!cm_read_text(checker, node, field, ret))
        return false;
    if (cm_country_is_known(*ret))
        return true;
    cm_wrong(checker, node, "%s \"%s\" is not a country of ISO 3166: two upper-case letters, like AE", field, *ret);
    return false;
}

bool cm_is_domain(const char *text)
{
    size_t labels = 0, length = 0;
    for (const char *c = text;; c++) {
        if (*c == '.' || *c == 0) {
            if (length == 0 || length > 63 || c[-1] == '-')
                return false;
            labels++;
            length = 0;
            if (*c == 0)
                return labels >= 2;
        } else if (isascii(*c) && (isalnum((unsigned char)*c) || (*c == '-' && length > 0)))
            length++;
        else
            return false;
    }
}

bool cm_read_email(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret)
{
    if (!cm_read_text(checker, node, field, ret))
        return false;
    const char *at = strrchr(*ret, '@');
    bool good = at && at > *ret && cm_is_domain(at + 1) && !strchr(*ret, ' ');
    if (!good)
        cm_wrong(checker, node, "%s \"%s\" is not a mail address: write it like aws-root@example.com", field, *ret);
    return good;
}

bool cm_read_one_of(cm_checker *checker, const cm_yaml_node *node, const char *field, const char *const *names,
                    int *ret)
{
    if (!scalar(checker, node, field))
        return false;
    char known[512] = "";
    size_t used = 0;
    for (int i = 0; names[i]; i++) {
        if (cm_slice_is(node->text, names[i])) {
            *ret = i;
            return true;
        }
        int wrote = snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
        if (wrote > 0 && (size_t)wrote < sizeof known - used)
            used += (size_t)wrote;
    }
    const char *near = cm_nearest_of(node->text, names);
    if (near)
        cm_wrong(checker, node, "%s \"%.*s\" is unknown; did you mean \"%s\"? (%s)", field, CM_SLICE(node->text), near,
                 known);
    else
        cm_wrong(checker, node, "%s \"%.*s\" is unknown; it is one of %s", field, CM_SLICE(node->text), known);
    return false;
}

bool cm_read_reference(cm_checker *checker, const cm_yaml_node *node, const char *field, enum cm_document_kind target,
                       const char **ret)
{
    if (!(target == CM_DOCUMENT_PAYER ? cm_read_account : cm_read_id)(checker, node, field, ret))
        return false;
    checker->references = cm_room(checker->references, checker->reference_count, &checker->reference_capacity,
                                  sizeof *checker->references);
    checker->references[checker->reference_count++] = (cm_reference){target, *ret, node, field};
    return true;
}

json_t *cm_json_instant(cm_instant value)
{
    char text[CM_INSTANT_TEXT];
    return json_string(cm_instant_print(value, text));
}

struct placed {
    const char *text;
    const cm_yaml_node *node;
};

static int by_text(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    if (!order)
        order = (x->node->line > y->node->line) - (x->node->line < y->node->line);
    return order ? order : (x->node->column > y->node->column) - (x->node->column < y->node->column);
}

json_t *cm_json_sorted_texts(cm_checker *checker, const char **texts, const cm_yaml_node *const *nodes, size_t count,
                             const char *field)
{
    struct placed *list = cm_alloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct placed){texts[i], nodes[i]};
    if (count)
        qsort(list, count, sizeof *list, by_text);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (i && strcmp(list[i - 1].text, list[i].text) == 0)
            cm_wrong(checker, list[i].node, "%s names \"%s\" twice", field, list[i].text);
        else
            json_array_append_new(array, json_string(list[i].text));
    }
    free(list);
    return array;
}

void cm_put_text(cm_checker *checker, json_t *object, const char *name, const cm_yaml_node *node)
{
    const char *text;
    if (node && cm_read_text(checker, node, name, &text))
        json_object_set_new(object, name, json_string(text));
}

int cm_put_one_of(cm_checker *checker, json_t *json, const char *field, const cm_yaml_node *node,
                  const char *const *names)
{
    int which = 0;
    if (!node || cm_read_one_of(checker, node, field, names, &which))
        json_object_set_new(json, field, json_string(names[which]));
    return which;
}

bool cm_read_month(cm_checker *checker, const cm_yaml_node *node, const char *field, cm_period *ret)
{
    if (node->kind == CM_YAML_SCALAR && cm_period_parse(node->text, ret))
        return true;
    cm_wrong(checker, node, "%s must be a month, like 2025-06", field);
    return false;
}

void cm_put_month(json_t *json, const char *name, cm_period period)
{
    char text[CM_PERIOD_TEXT];
    json_object_set_new(json, name, json_string(cm_period_print(period, text)));
}
