/* How the numbers of a reseller's documents are written. */
#include "base/base/arena.h"
#include "billing/catalog/check/check.h"
#include "billing/number/number.h"

#include <string.h>

static void put_pattern(cm_checker *checker, cm_document *document, const cm_yaml_node *node)
{
    const char *text;
    if (!node || !cm_read_text(checker, node, "document_number", &text))
        return;
    if (!cm_number_is_pattern(text)) {
        cm_wrong(
            checker, node,
            "document_number \"%s\" must have {series}, {year} and {number} once each, {reseller} at most once, and "
            "otherwise only letters, digits, blanks and - _ . / # (at most %d characters)",
            text, CM_NUMBER_PATTERN_MAX);
        return;
    }
    json_object_set_new(document->json, "document_number", json_string(text));
    const char *at = strstr(text, "{reseller}");
    document->unique = at ? cm_arena_printf(checker->arena, "%.*s%s%s", (int)(at - text), text,
                                            document->id ? document->id : "", at + strlen("{reseller}"))
                          : text;
}

static void put_series(cm_checker *checker, cm_document *document, const cm_yaml_node *node)
{
    if (!node)
        return;
    if (node->kind != CM_YAML_MAPPING) {
        cm_wrong(checker, node, "series is a mapping from lanes to codes: {LANE: A, OTHER_LANE: B}");
        return;
    }
    json_t *series = json_object(), *other;
    for (size_t i = 0; i < node->count; i++) {
        const cm_yaml_node *value = node->items[2 * i + 1];
        const char *lane, *code, *taken;
        if (!cm_read_text(checker, node->items[2 * i], "a lane", &lane) ||
            !cm_read_text(checker, value, "a series", &code))
            continue;
        if (!cm_number_is_series(code))
            cm_wrong(checker, value, "series \"%s\" of lane %s must be 1 to %d letters and digits", code, lane,
                     CM_NUMBER_SERIES_MAX);
        json_object_foreach (series, taken, other)
            if (strcmp(json_string_value(other), code) == 0)
                cm_wrong(checker, value, "lanes %s and %s have the same series \"%s\": their numbers would be the same",
                         taken, lane, code);
        json_object_set_new(series, lane, json_string(code));
    }
    json_object_set_new(document->json, "series", series);
}

void cm_put_numbers(cm_checker *checker, cm_document *document, const cm_yaml_node *number, const cm_yaml_node *series)
{
    put_pattern(checker, document, number);
    put_series(checker, document, series);
}
