/* What is agreed with a customer, and from which month (rating.md section 8). */
#include "billing/catalog/parse/parse.h"

enum { FROM, CURRENCY, BOOK, COMMITMENT, CREDIT, REFUND, TAX, GROUP, LIMIT, KEYS };
static const char *const keys[KEYS] = {"from",          "invoice_currency", "price_book", "commitment_policy",
                                       "credit_policy", "refund_policy",    "tax",        "support_plan_group",
                                       "spend_limit"};

static bool parse_credit_policy(cm_json_reader *reader, cm_customer_terms *terms)
{
    cm_slice key;
    int mode = 0;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "mode"))
            cm_parse_one_of(reader, cm_credit_mode_names, &mode);
        else if (cm_slice_is(key, "percent"))
            cm_parse_decimal(reader, &terms->credit_percent);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    terms->credit_mode = (enum cm_credit_mode)mode;
    return !reader->failed;
}

static bool parse_tax(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_tax *tax = element;
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "name"))
            cm_parse_text(parser, reader, &tax->name);
        else if (cm_slice_is(key, "percent"))
            cm_parse_decimal(reader, &tax->percent);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    return !reader->failed && (tax->name || cm_json_fail(reader, "a tax needs a name"));
}

static bool parse_value(cm_parser *parser, cm_json_reader *reader, size_t which, cm_customer_terms *terms)
{
    const cm_catalog *catalog = parser->catalog;
    cm_slice ignored;
    int word = 0;
    switch (which) {
    case FROM:
        return cm_parse_month(reader, &terms->from);
    case CURRENCY:
        return cm_parse_text(parser, reader, &terms->invoice_currency);
    case BOOK:
        return (terms->price_book = CM_PARSE_REFERENCE(parser, reader, catalog->books, catalog->book_count));
    case COMMITMENT:
        cm_parse_one_of(reader, cm_commitment_policy_names, &word);
        terms->commitment_policy = word ? CM_COMMITMENT_PASS_THROUGH : CM_COMMITMENT_ON_DEMAND;
        return !reader->failed;
    case CREDIT:
        return parse_credit_policy(reader, terms);
    case REFUND:
        cm_parse_one_of(reader, cm_refund_policy_names, &word);
        terms->refund_policy = word ? CM_REFUND_KEEP : CM_REFUND_PRICE_BOOK;
        return !reader->failed;
    case TAX:
        return (terms->taxes = cm_parse_list(parser, reader, sizeof *terms->taxes, parse_tax, &terms->tax_count));
    case GROUP:
        return (terms->support_group = CM_PARSE_REFERENCE(parser, reader, catalog->groups, catalog->group_count));
    case LIMIT: /* kept only */
        return cm_json_raw(reader, &ignored);
    default:
        return false;
    }
}

bool cm_parse_terms_key(cm_parser *parser, cm_json_reader *reader, cm_slice key, unsigned *named,
                        cm_customer_terms *terms)
{
    for (size_t i = 0; i < KEYS; i++)
        if (cm_slice_is(key, keys[i])) {
            if (*named & (1U << i))
                return cm_json_fail(reader, "a key that comes twice");
            *named |= 1U << i;
            return parse_value(parser, reader, i, terms);
        }
    return cm_json_fail(reader, "an unknown key");
}

/* `terms` with what it does not name as it was `before`. */
static void complete(cm_customer_terms *terms, unsigned named, const cm_customer_terms *before)
{
    cm_customer_terms own = *terms;
    *terms = *before;
    terms->from = own.from;
    if (named & (1U << CURRENCY))
        terms->invoice_currency = own.invoice_currency;
    if (named & (1U << BOOK))
        terms->price_book = own.price_book;
    if (named & (1U << COMMITMENT))
        terms->commitment_policy = own.commitment_policy;
    if (named & (1U << CREDIT)) {
        terms->credit_mode = own.credit_mode;
        terms->credit_percent = own.credit_percent;
    }
    if (named & (1U << REFUND))
        terms->refund_policy = own.refund_policy;
    if (named & (1U << TAX)) {
        terms->taxes = own.taxes;
        terms->tax_count = own.tax_count;
    }
    if (named & (1U << GROUP))
        terms->support_group = own.support_group;
}

bool cm_parse_terms(cm_parser *parser, cm_slice later, const cm_customer_terms *first, cm_json_reader *outer,
                    cm_customer *customer)
{
    size_t room = 1 + cm_json_count(later), count = 1;
    cm_customer_terms *list = cm_arena_zalloc(parser->arena, room * sizeof *list);
    cm_json_reader reader;
    cm_slice key;
    list[0] = *first;
    list[0].from = INT64_MIN;
    customer->terms = list;
    customer->term_count = 1;
    if (!later.length)
        return true;
    cm_json_open(&reader, later, parser->arena);
    cm_json_enter(&reader, '[');
    while (cm_json_item(&reader) && count < room) {
        cm_customer_terms *terms = &list[count];
        unsigned named = 0;
        terms->from = INT64_MIN;
        cm_json_enter(&reader, '{');
        while (cm_json_key(&reader, &key) && cm_parse_terms_key(parser, &reader, key, &named, terms))
            ;
        if (!reader.failed && terms->from <= list[count - 1].from)
            cm_json_fail(&reader, "terms are not in the order of their months");
        complete(terms, named, &list[count - 1]);
        count++;
    }
    customer->term_count = count;
    return !reader.failed || cm_json_fail(outer, reader.why);
}
