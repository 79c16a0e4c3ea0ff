#include "billing/catalog/parse/parse.h"

#include "billing/catalog/model/plans.h"

#include <stdio.h>
#include <stdlib.h>

bool cm_parse_text(cm_parser *parser, cm_json_reader *reader, const char **ret)
{
    cm_slice text;
    if (!cm_json_text(reader, &text))
        return false;
    *ret = cm_intern_text(&parser->texts, text);
    return true;
}

void cm_parse_label(cm_json_reader *reader)
{
    cm_slice ignored;
    (void)cm_json_text(reader, &ignored);
}

bool cm_parse_decimal(cm_json_reader *reader, cm_decimal *ret)
{
    cm_slice text;
    if (!cm_json_text(reader, &text))
        return false;
    return cm_decimal_parse_strict(text, ret) || cm_json_fail(reader, "a decimal was expected");
}

bool cm_parse_instant(cm_json_reader *reader, cm_instant *ret)
{
    cm_slice text;
    if (!cm_json_text(reader, &text))
        return false;
    return cm_instant_parse(text, ret) || cm_json_fail(reader, "a time was expected");
}

bool cm_parse_one_of(cm_json_reader *reader, const char *const *names, int *ret)
{
    cm_slice text;
    if (!cm_json_text(reader, &text))
        return false;
    for (int i = 0; names[i]; i++)
        if (cm_slice_is(text, names[i])) {
            *ret = i;
            return true;
        }
    return cm_json_fail(reader, "an unknown word");
}

bool cm_parse_layer(cm_json_reader *reader, enum cm_layer *ret)
{
    int found = 0;
    if (!cm_parse_one_of(reader, cm_layer_names, &found))
        return false;
    *ret = (enum cm_layer)found;
    return true;
}

bool cm_parse_class(cm_json_reader *reader, enum cm_class *ret)
{
    cm_slice text;
    if (!cm_json_text(reader, &text))
        return false;
    return cm_class_parse(text, ret) || cm_json_fail(reader, "a charge class was expected");
}

bool cm_parse_month(cm_json_reader *reader, cm_instant *ret)
{
    cm_slice text;
    cm_period period;
    if (!cm_json_text(reader, &text))
        return false;
    if (!cm_period_parse(text, &period))
        return cm_json_fail(reader, "a month was expected");
    *ret = cm_period_start(period);
    return true;
}

const void *cm_parse_reference(cm_parser *parser, cm_json_reader *reader, const void *list, size_t count, size_t size)
{
    const char *id;
    if (!cm_parse_text(parser, reader, &id))
        return NULL;
    const void *found = cm_find_by_id(list, count, size, id);
    if (!found)
        cm_json_fail(reader, "a reference to a document that is not there");
    return found;
}
bool cm_parse_texts(cm_parser *parser, cm_json_reader *reader, const char ***ret, size_t *ret_count)
{
    size_t room = cm_parse_count(reader), count = 0;
    const char **list = cm_arena_alloc(parser->arena, (room + 1) * sizeof *list);
    cm_json_enter(reader, '[');
    while (cm_json_item(reader)) {
        if (count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        if (!cm_parse_text(parser, reader, &list[count]))
            break;
        count++;
    }
    list[count] = NULL;
    *ret = list;
    *ret_count = count;
    return !reader->failed;
}

size_t cm_parse_count(const cm_json_reader *reader)
{
    cm_json_reader ahead = *reader;
    cm_slice raw;
    return !ahead.failed && cm_json_raw(&ahead, &raw) ? cm_json_count(raw) : 0;
}

bool cm_parse_id(cm_parser *parser, cm_json_reader *reader, const char **last)
{
    cm_slice key;
    if (!cm_json_key(reader, &key))
        return false;
    const char *id = cm_intern_text(&parser->texts, key);
    if (*last && strcmp(*last, id) >= 0)
        return cm_json_fail(reader, "ids are not in order");
    *last = id;
    return true;
}

const void *cm_parse_documents(cm_parser *parser, cm_json_reader *reader, size_t size, cm_parse_element *parse,
                               size_t *ret_count)
{
    size_t room = cm_parse_count(reader), count = 0;
    char *list = cm_arena_zalloc(parser->arena, room * size);
    const char *id = NULL;
    cm_json_enter(reader, '{');
    while (cm_parse_id(parser, reader, &id)) {
        if (count >= room) {
            cm_json_fail(reader, "brackets that do not match");
            break;
        }
        void *element = list + count++ * size;
        *(const char **)element = id;
        if (!parse(parser, reader, element))
            break;
    }
    *ret_count = count;
    return reader->failed ? NULL : list;
}

const void *cm_parse_list(cm_parser *parser, cm_json_reader *reader, size_t size, cm_parse_element *parse,
                          size_t *ret_count)
{
    size_t room = cm_parse_count(reader), count = 0;
    char *list = cm_arena_zalloc(parser->arena, room * size);
    cm_json_enter(reader, '[');
    while (cm_json_item(reader)) {
        if (count >= room) {
            cm_json_fail(reader, "brackets that do not match");
            break;
        }
        if (!parse(parser, reader, list + count++ * size))
            break;
    }
    *ret_count = count;
    return reader->failed ? NULL : list;
}

/* What a document refers to is read before it. */
static const struct section {
    const char *kind;
    bool (*parse)(cm_parser *parser, cm_json_reader *reader);
} sections[] = {
    {"LineItemType", cm_parse_line_types},
    {"SupportProduct", cm_parse_support_products},
    {"FxRate", cm_parse_fx_rates},
    {"SupportPlan", cm_parse_plans},
    {"SupportPlanGroup", cm_parse_groups},
    {"PriceBook", cm_parse_books},
    {"Reseller", cm_parse_resellers},
    {"Payer", cm_parse_payers},
    {"Customer", cm_parse_customers},
    {"CustomCharge", cm_parse_custom_charges},
    {"Credit", cm_parse_credits},
    {"Distributor", cm_parse_distributors},
    {"InvoiceFormat", cm_parse_invoice_formats},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

static bool damaged(cm_error *err, const cm_json_reader *reader, const char *kind)
{
    return cm_fail(err, CM_ERROR_FATAL, "CATALOG_DAMAGED",
                   "stored catalog: %s%s%s at byte %zu; it was written by another version of curmill or changed in the "
                   "database: apply the catalog again with this version",
                   kind, *kind ? ": " : "", reader->why, reader->failed_at);
}

/* The text of each section; kinds that are absent stay empty. */
static bool split(cm_json_reader *reader, cm_slice found[static SECTIONS])
{
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        size_t i = 0;
        while (i < SECTIONS && !cm_slice_is(key, sections[i].kind))
            i++;
        if (i == SECTIONS)
            return cm_json_fail(reader, "a kind that this version does not know");
        if (found[i].length)
            return cm_json_fail(reader, "a kind that comes twice");
        if (!cm_json_raw(reader, &found[i]))
            return false;
    }
    return cm_json_end(reader);
}

static int by_fx_key(const void *a, const void *b)
{
    const cm_fx_rate *x = *(const cm_fx_rate *const *)a, *y = *(const cm_fx_rate *const *)b;
    int order = (x->set > y->set) - (x->set < y->set);
    if (!order)
        order = strcmp(x->from, y->from);
    if (!order)
        order = strcmp(x->to, y->to);
    if (!order)
        order = (x->period.year > y->period.year) - (x->period.year < y->period.year);
    return order ? order : (x->period.month > y->period.month) - (x->period.month < y->period.month);
}

static void index_fx(cm_parser *parser)
{
    const cm_catalog *catalog = parser->catalog;
    const cm_fx_rate **index = cm_arena_alloc(parser->arena, catalog->fx_rate_count * sizeof *index);
    for (size_t i = 0; i < catalog->fx_rate_count; i++)
        index[i] = &catalog->fx_rates[i];
    if (catalog->fx_rate_count)
        qsort(index, catalog->fx_rate_count, sizeof *index, by_fx_key);
    parser->private->fx_index = index;
}

static bool parse_sections(cm_parser *parser, const char *text, size_t length, cm_error *err)
{
    cm_slice found[SECTIONS] = {{0}};
    cm_json_reader reader;
    cm_json_open(&reader, (cm_slice){text, length}, parser->arena);
    if (!split(&reader, found))
        return damaged(err, &reader, "");
    bool has_plans = false;
    for (size_t i = 0; i < SECTIONS; i++) {
        if (!found[i].length)
            continue;
        cm_json_open(&reader, found[i], parser->arena);
        reader.start = text; /* bytes are counted from the beginning of the catalog */
        if (!sections[i].parse(parser, &reader) || !cm_json_end(&reader))
            return damaged(err, &reader, sections[i].kind);
        has_plans |= sections[i].parse == cm_parse_plans;
    }
    if (!has_plans)
        parser->catalog->plans = cm_support_plans_merge(parser->arena, NULL, 0, &parser->catalog->plan_count);
    index_fx(parser);
    return true;
}

cm_catalog *cm_catalog_parse(const char *canonical_text, cm_error *err)
{
    size_t length = strlen(canonical_text);
    cm_arena *arena = cm_arena_new(length < 1 << 20 ? 4096 : 1 << 20);
    cm_catalog *catalog = cm_arena_zalloc(arena, sizeof *catalog);
    struct cm_catalog_private *private = cm_arena_zalloc(arena, sizeof *private);
    private->arena = arena;
    catalog->private_ = private;
    cm_parser parser = {.arena = arena, .texts = {.arena = arena}, .catalog = catalog, .private = private};

    /* The id is what `sha256sum` of the text begins with. */
    cm_digest *digest = cm_digest_new();
    cm_digest_raw(digest, canonical_text, length);
    cm_digest_finish_id(digest, catalog->id);

    bool done = parse_sections(&parser, canonical_text, length, err);
    cm_intern_free(&parser.texts);
    if (done)
        return catalog;
    cm_catalog_free(catalog);
    return NULL;
}
