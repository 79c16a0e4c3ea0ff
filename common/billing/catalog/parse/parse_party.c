/* Reseller, Payer, Customer with its accounts. */
#include "billing/catalog/parse/parse.h"

#include <stdlib.h>

/* Printed on documents, which take them from the text (store/document_record.c). */
static bool skip_profile(cm_json_reader *reader, cm_slice key)
{
    static const char *const profile[] = {"address", "contact", "country", "document_number", "email", "language",
                                          "logo",    "profile", "series",  "statement_url",   "tax_id"};
    cm_slice ignored;
    for (size_t i = 0; i < sizeof profile / sizeof profile[0]; i++)
        if (cm_slice_is(key, profile[i])) {
            (void)cm_json_raw(reader, &ignored);
            return true;
        }
    return false;
}

static bool parse_reseller(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_reseller *reseller = element;
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "name"))
            cm_parse_text(parser, reader, &reseller->name);
        else if (cm_slice_is(key, "consolidation"))
            cm_parse_text(parser, reader, &reseller->consolidation);
        else if (!skip_profile(reader, key))
            return cm_json_fail(reader, "an unknown key");
    }
    return !reader->failed && ((reseller->name && reseller->consolidation) ||
                               cm_json_fail(reader, "a reseller needs name and consolidation"));
}

bool cm_parse_resellers(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->resellers = cm_parse_documents(parser, reader, sizeof *catalog->resellers, parse_reseller,
                                                    &catalog->reseller_count));
}

static bool parse_source(cm_parser *parser, cm_json_reader *reader, cm_payer *payer)
{
    cm_slice raw;
    if (!cm_json_raw(reader, &raw))
        return false;
    json_t *source = json_loadb(raw.text, raw.length, 0, NULL);
    if (!source)
        return cm_json_fail(reader, "a source was expected");
    parser->private->sources[parser->private->source_count++] = source;
    payer->source = source;
    return json_is_object(source) || cm_json_fail(reader, "a source was expected");
}

static bool parse_report_names(cm_parser *parser, cm_json_reader *reader, cm_payer *payer)
{
    const char **texts;
    size_t count;
    bool done = cm_parse_texts(parser, reader, &texts, &count);
    payer->reports = done && count ? texts : NULL;
    return done;
}

/* A list of names, or an object with names, from, none. */
static bool parse_reports(cm_parser *parser, cm_json_reader *reader, cm_payer *payer)
{
    cm_slice key;
    const char *month;
    if (reader->at < reader->end && *reader->at != '{')
        return parse_report_names(parser, reader, payer);
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "names"))
            parse_report_names(parser, reader, payer);
        else if (cm_slice_is(key, "none"))
            cm_json_bool(reader, &payer->no_reports);
        else if (!cm_slice_is(key, "from"))
            return cm_json_fail(reader, "an unknown key");
        else if (cm_parse_text(parser, reader, &month) && !cm_period_parse(cm_slice_of(month), &payer->reports_from))
            return cm_json_fail(reader, "a month was expected");
    }
    return !reader->failed;
}

/* role_arn and external_id */
static bool parse_access(cm_parser *parser, cm_json_reader *reader, cm_payer *payer)
{
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "role_arn"))
            cm_parse_text(parser, reader, &payer->role_arn);
        else if (cm_slice_is(key, "external_id"))
            cm_parse_text(parser, reader, &payer->external_id);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    return !reader->failed;
}

static bool parse_payer_key(cm_parser *parser, cm_json_reader *reader, cm_slice key, cm_payer *payer)
{
    const cm_catalog *catalog = parser->catalog;
    const char *text;
    if (cm_slice_is(key, "lane"))
        return cm_parse_text(parser, reader, &payer->lane);
    if (cm_slice_is(key, "payer_kind"))
        return cm_parse_text(parser, reader, &payer->payer_kind);
    if (cm_slice_is(key, "country"))
        return cm_parse_text(parser, reader, &payer->country);
    if (cm_slice_is(key, "root_email"))
        return cm_parse_text(parser, reader, &payer->root_email);
    if (cm_slice_is(key, "organization"))
        return cm_parse_text(parser, reader, &payer->organization);
    if (cm_slice_is(key, "access"))
        return parse_access(parser, reader, payer);
    if (cm_slice_is(key, "source"))
        return parse_source(parser, reader, payer);
    if (cm_slice_is(key, "reseller"))
        return (payer->reseller = CM_PARSE_REFERENCE(parser, reader, catalog->resellers, catalog->reseller_count));
    if (cm_slice_is(key, "buy_book"))
        return (payer->buy_book = CM_PARSE_REFERENCE(parser, reader, catalog->books, catalog->book_count));
    if (cm_slice_is(key, "reports"))
        return parse_reports(parser, reader, payer);
    if (cm_slice_is(key, "model")) {
        if (!cm_parse_text(parser, reader, &text))
            return false;
        payer->model = cm_payer_model_find(text);
        return payer->model || cm_json_fail(reader, "a payer model that this version does not have");
    }
    return cm_json_fail(reader, "an unknown key");
}

static bool parse_payer(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_payer *payer = element;
    cm_slice key;
    payer->role_arn = payer->external_id = payer->country = payer->root_email = payer->organization = "";
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "source") && payer->source)
            return cm_json_fail(reader, "a key that comes twice");
        if (!parse_payer_key(parser, reader, key, payer))
            return false;
    }
    return !reader->failed && ((payer->lane && payer->model && payer->payer_kind && payer->reseller) ||
                               cm_json_fail(reader, "a payer needs lane, model, payer_kind and reseller"));
}

bool cm_parse_payers(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    parser->private->sources = cm_arena_zalloc(parser->arena, cm_parse_count(reader) * sizeof(json_t *));
    return (catalog->payers =
                cm_parse_documents(parser, reader, sizeof *catalog->payers, parse_payer, &catalog->payer_count));
}

/* ---- customers ---- */

/* Accounts of all customers, so that the links fit one array of the right size. */
static size_t count_links(const cm_json_reader *reader)
{
    cm_json_reader ahead = *reader;
    cm_slice key, raw;
    size_t count = 0;
    cm_json_enter(&ahead, '{');
    while (cm_json_key(&ahead, &key)) {
        cm_json_enter(&ahead, '{');
        while (cm_json_key(&ahead, &key)) {
            if (!cm_json_raw(&ahead, &raw))
                break;
            if (cm_slice_is(key, "accounts"))
                count += cm_json_count(raw);
        }
    }
    return count;
}

static bool parse_link(cm_parser *parser, cm_json_reader *reader, cm_link *link)
{
    const cm_catalog *catalog = parser->catalog;
    cm_slice key, ignored;
    bool has_from = false;
    link->to = INT64_MAX;
    link->declared_plan = "";
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "id"))
            cm_parse_text(parser, reader, &link->account);
        else if (cm_slice_is(key, "payer"))
            cm_parse_text(parser, reader, &link->payer);
        else if (cm_slice_is(key, "from"))
            has_from = cm_parse_instant(reader, &link->from);
        else if (cm_slice_is(key, "to"))
            cm_parse_instant(reader, &link->to);
        else if (cm_slice_is(key, "support_plan_group"))
            link->own_group = CM_PARSE_REFERENCE(parser, reader, catalog->groups, catalog->group_count);
        else if (cm_slice_is(key, "support_plan"))
            cm_parse_text(parser, reader, &link->declared_plan);
        else if (cm_slice_is(key, "name") || cm_slice_is(key, "tags"))
            (void)cm_json_raw(reader, &ignored);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (!link->account || !link->payer || !has_from))
        return cm_json_fail(reader, "an account needs id, payer and from");
    return !reader->failed;
}

static bool parse_accounts(cm_parser *parser, cm_json_reader *reader, const cm_customer *customer, cm_link *links,
                           size_t *count, size_t room)
{
    cm_json_enter(reader, '[');
    while (cm_json_item(reader)) {
        if (*count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        cm_link *link = &links[(*count)++];
        link->customer = customer;
        if (!parse_link(parser, reader, link))
            return false;
    }
    return !reader->failed;
}

static int by_payer_account_from(const void *a, const void *b)
{
    const cm_link *x = a, *y = b;
    int order = x->payer == y->payer ? 0 : strcmp(x->payer, y->payer);
    if (!order)
        order = x->account == y->account ? 0 : strcmp(x->account, y->account);
    return order ? order : (x->from > y->from) - (x->from < y->from);
}

/* The keys of its terms may stand before or after `terms`, and what those replace is known at the end. */
typedef struct parsing_customer {
    cm_customer *customer;
    cm_customer_terms first;
    unsigned named; /* keys of `first` */
    cm_slice later;
} parsing_customer;

static bool parse_customer_key(cm_parser *parser, cm_json_reader *reader, cm_slice key, parsing_customer *ret)
{
    const cm_catalog *catalog = parser->catalog;
    if (cm_slice_is(key, "name"))
        return cm_parse_text(parser, reader, &ret->customer->name);
    if (cm_slice_is(key, "reseller"))
        return (ret->customer->reseller =
                    CM_PARSE_REFERENCE(parser, reader, catalog->resellers, catalog->reseller_count));
    if (cm_slice_is(key, "terms"))
        return cm_json_raw(reader, &ret->later);
    if (skip_profile(reader, key))
        return !reader->failed;
    return !cm_slice_is(key, "from") ? cm_parse_terms_key(parser, reader, key, &ret->named, &ret->first)
                                     : cm_json_fail(reader, "an unknown key");
}

bool cm_parse_customers(cm_parser *parser, cm_json_reader *reader)
{
    size_t room = cm_parse_count(reader), count = 0, link_room = count_links(reader), link_count = 0;
    cm_customer *list = cm_arena_zalloc(parser->arena, room * sizeof *list);
    cm_link *links = cm_arena_zalloc(parser->arena, link_room * sizeof *links);
    const char *id = NULL;
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_parse_id(parser, reader, &id)) {
        if (count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        cm_customer *customer = &list[count++];
        parsing_customer parsing = {.customer = customer};
        customer->id = id;
        cm_json_enter(reader, '{');
        while (cm_json_key(reader, &key))
            if (cm_slice_is(key, "accounts") ? !parse_accounts(parser, reader, customer, links, &link_count, link_room)
                                             : !parse_customer_key(parser, reader, key, &parsing))
                return false;
        if (!reader->failed && (!customer->name || !customer->reseller || !parsing.first.invoice_currency))
            return cm_json_fail(reader, "a customer needs name, reseller and invoice_currency");
        if (!reader->failed && !cm_parse_terms(parser, parsing.later, &parsing.first, reader, customer))
            return false;
        if (!reader->failed && !customer->terms[customer->term_count > 1].price_book)
            return cm_json_fail(reader, "a customer needs a price_book");
    }
    if (link_count)
        qsort(links, link_count, sizeof *links, by_payer_account_from);
    parser->catalog->customers = list;
    parser->catalog->customer_count = count;
    parser->catalog->links = links;
    parser->catalog->link_count = link_count;
    return !reader->failed;
}
