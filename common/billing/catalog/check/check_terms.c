/* What is agreed with a customer: the keys of its document, and the terms that replace them from a month on (rating.md
 * section 8). */
#include "billing/catalog/check/check.h"

enum { TERMS_LIMIT = 1000 };

static json_t *credit_policy(cm_checker *checker, const cm_yaml_node *node, const char *title)
{
    cm_field fields[CM_KEY_CREDIT_POLICY_COUNT] = {{0}};
    json_t *policy = json_object();
    cm_decimal percent;
    if (!node || node->kind == CM_YAML_SCALAR)
        fields[CM_KEY_CREDIT_POLICY_MODE].value = node; /* credit_policy: pass */
    else if (!cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "credit_policy of %s", title),
                              &cm_credit_policy_keys, fields) ||
             !fields[CM_KEY_CREDIT_POLICY_MODE].value)
        return policy;
    int mode = cm_put_one_of(checker, policy, "mode", fields[CM_KEY_CREDIT_POLICY_MODE].value, cm_credit_mode_names);
    if (mode == CM_CREDIT_SPLIT && !fields[CM_KEY_CREDIT_POLICY_PERCENT].value)
        cm_wrong(checker, node, "credit_policy split needs a percent: {mode: split, percent: 50}");
    if (!fields[CM_KEY_CREDIT_POLICY_PERCENT].value)
        return policy;
    if (json_object_get(policy, "mode") && mode != CM_CREDIT_SPLIT)
        cm_wrong(checker, fields[CM_KEY_CREDIT_POLICY_PERCENT].value, "percent belongs to mode split only");
    else if (cm_read_decimal(checker, fields[CM_KEY_CREDIT_POLICY_PERCENT].value, "percent", "0", "100", &percent))
        json_object_set_new(policy, "percent", cm_json_decimal(percent));
    return policy;
}

static json_t *taxes(cm_checker *checker, const cm_yaml_node *node)
{
    json_t *list = json_array();
    const cm_yaml_node *const *items;
    size_t count;
    if (!node || !cm_read_list(checker, node, "tax", false, 20, &items, &count))
        return list;
    for (size_t i = 0; i < count; i++) {
        cm_field fields[CM_KEY_TAX_COUNT];
        cm_decimal percent;
        json_t *tax = json_object();
        json_array_append_new(list, tax);
        if (!cm_read_mapping(checker, items[i], "tax", &cm_tax_keys, fields))
            continue;
        cm_put_text(checker, tax, "name", fields[CM_KEY_TAX_NAME].value);
        if (fields[CM_KEY_TAX_PERCENT].value &&
            cm_read_decimal(checker, fields[CM_KEY_TAX_PERCENT].value, "percent", "0", "100", &percent))
            json_object_set_new(tax, "percent", cm_json_decimal(percent));
    }
    return list;
}

static void put_currency(cm_checker *checker, json_t *json, const cm_yaml_node *node)
{
    const char *currency = "USD"; /* N21 */
    if (!node || cm_read_currency(checker, node, "invoice_currency", &currency))
        json_object_set_new(json, "invoice_currency", json_string(currency));
}

/* The keys that `fields` (CM_TERMS_KEYS of them) name; `first`: and what holds without the others. */
static void put_terms(cm_checker *checker, json_t *json, const cm_field *fields, bool first, const char *title)
{
    const char *id;
    cm_decimal limit;
    if (first || fields[CM_TERMS_CURRENCY].value)
        put_currency(checker, json, fields[CM_TERMS_CURRENCY].value);
    if (fields[CM_TERMS_BOOK].value &&
        cm_read_reference(checker, fields[CM_TERMS_BOOK].value, "price_book", CM_DOCUMENT_PRICE_BOOK, &id))
        json_object_set_new(json, "price_book", json_string(id)); /* R01, O02 */
    if (first || fields[CM_TERMS_COMMITMENT].value)
        cm_put_one_of(checker, json, "commitment_policy", fields[CM_TERMS_COMMITMENT].value,
                      cm_commitment_policy_names);
    if (first || fields[CM_TERMS_CREDIT].value)
        json_object_set_new(json, "credit_policy", credit_policy(checker, fields[CM_TERMS_CREDIT].value, title));
    if (first || fields[CM_TERMS_REFUND].value)
        cm_put_one_of(checker, json, "refund_policy", fields[CM_TERMS_REFUND].value, cm_refund_policy_names);
    if (first || fields[CM_TERMS_TAX].value)
        json_object_set_new(json, "tax", taxes(checker, fields[CM_TERMS_TAX].value));
    if (fields[CM_TERMS_GROUP].value && cm_read_reference(checker, fields[CM_TERMS_GROUP].value, "support_plan_group",
                                                          CM_DOCUMENT_SUPPORT_PLAN_GROUP, &id))
        json_object_set_new(json, "support_plan_group", json_string(id));
    if (fields[CM_TERMS_LIMIT].value &&
        cm_read_decimal(checker, fields[CM_TERMS_LIMIT].value, "spend_limit", "0", "1000000000000", &limit))
        json_object_set_new(json, "spend_limit", cm_json_decimal(limit));
}

/* Notes when the commitment policy is pass_through: `json` says what holds from `from` on, `node` where it says so. */
static void follow_commitment(cm_checker *checker, cm_document *document, const json_t *json, const cm_yaml_node *node,
                              cm_instant from)
{
    const char *policy = json_string_value(json_object_get(json, "commitment_policy"));
    if (!policy)
        return; /* as before */
    bool passes = strcmp(policy, cm_commitment_policy_names[CM_COMMITMENT_PASS_THROUGH]) == 0;
    size_t count = document->pass_through_count;
    cm_pass_through *last = count ? &document->pass_through[count - 1] : NULL;
    if (last && last->to == INT64_MAX)
        last->to = from;
    if (!passes)
        return;
    cm_pass_through *list = cm_arena_alloc(checker->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; document->pass_through && i < count; i++)
        list[i] = document->pass_through[i];
    list[count] = (cm_pass_through){node, from, INT64_MAX};
    document->pass_through = list;
    document->pass_through_count = count + 1;
}

/* One entry; false: it has no month. */
static bool entry(cm_checker *checker, cm_document *document, const cm_yaml_node *node, json_t *json, cm_period *ret)
{
    cm_field fields[CM_KEY_TERMS_COUNT];
    const char *title = cm_arena_printf(checker->arena, "an entry of terms of %s", document->title);
    if (!cm_read_mapping(checker, node, title, &cm_terms_keys, fields))
        return false;
    put_terms(checker, json, fields + CM_KEY_TERMS_REPLACED, false, document->title);
    const cm_yaml_node *from = fields[CM_KEY_TERMS_FROM].value;
    if (from && node->count == 1)
        cm_warn(checker, node, "%s replaces nothing: name what changes in its month", title);
    if (!from || !cm_read_month(checker, from, "from", ret))
        return false;
    cm_put_month(json, "from", *ret);
    follow_commitment(checker, document, json, fields[CM_KEY_TERMS_REPLACED + CM_TERMS_COMMITMENT].value,
                      cm_period_start(*ret));
    return true;
}

static json_t *entries(cm_checker *checker, cm_document *document, const cm_yaml_node *node)
{
    json_t *list = json_array();
    const cm_yaml_node *const *items;
    cm_period last = {0}, from;
    size_t count;
    if (!cm_read_list(checker, node, "terms", false, TERMS_LIMIT, &items, &count))
        return list;
    for (size_t i = 0; i < count; i++) {
        char before[CM_PERIOD_TEXT], now[CM_PERIOD_TEXT];
        json_t *json = json_object();
        json_array_append_new(list, json);
        if (!entry(checker, document, items[i], json, &from))
            continue;
        if (last.year && cm_period_start(from) <= cm_period_start(last))
            cm_wrong(checker, items[i],
                     "terms of %s: %s comes after %s; entries stand in the order of their months, each month once",
                     document->title, cm_period_print(from, now), cm_period_print(last, before));
        last = from;
    }
    return list;
}

/* O02: the document names a price book, or the first of its terms does: then nothing has a price before them. */
static void check_book(cm_checker *checker, const cm_document *document, const cm_field *first,
                       const cm_yaml_node *later)
{
    const json_t *entry = json_array_get(json_object_get(document->json, "terms"), 0);
    if (!first[CM_TERMS_BOOK].value && !json_object_get(entry, "price_book"))
        cm_wrong(checker, later ? later : document->root,
                 "%s has no \"price_book\": a customer without a price book cannot be billed, add it first (O02)",
                 document->title);
}

void cm_check_terms(cm_checker *checker, cm_document *document, const cm_field *first, const cm_yaml_node *later)
{
    put_terms(checker, document->json, first, true, document->title);
    follow_commitment(checker, document, document->json, first[CM_TERMS_COMMITMENT].value, INT64_MIN);
    if (later)
        json_object_set_new(document->json, "terms", entries(checker, document, later));
    check_book(checker, document, first, later);
}
