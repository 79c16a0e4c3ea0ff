#include "billing/rating/needs.h"

#include "billing/rating/internal.h"

#include <stdio.h>
#include <string.h>

/* Who asks. */
typedef struct asking {
    const cm_price_book *book;
    const cm_rule *rule;
    const char *what; /* the rule's part that needs the column */
} asking;

static bool lists(const cm_match_list *list, const char *value)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->values[i], value) == 0)
            return true;
    return false;
}

/* The part of a rule that reads the column; NULL: none. */
static const char *reads(const cm_rule *rule, enum cm_lack lack)
{
    switch (lack) {
    case CM_LACK_QUANTITY:
        return rule->price == CM_PRICE_RATE ? "rate" : rule->price == CM_PRICE_TIERS ? "tiers" : NULL;
    case CM_LACK_LIST_COST:
        return rule->price == CM_PRICE_PERCENT && rule->of == CM_LAYER_LIST ? "of: list" : NULL;
    case CM_LACK_OPERATION:
        return rule->match[CM_MATCH_OPERATION].count ? "operation" : NULL;
    case CM_LACK_REGION:
        return rule->match[CM_MATCH_REGION].count ? "region" : NULL;
    case CM_LACK_UNIT:
        return rule->match[CM_MATCH_UNIT].count ? "unit" : NULL;
    case CM_LACK_SKU:
        return rule->match[CM_MATCH_SKU].count ? "sku" : NULL;
    case CM_LACK_BILLING_ENTITY:
        if (rule->marketplace >= 0)
            return "marketplace";
        return lists(&rule->match[CM_MATCH_CLASS], "marketplace") ? "class: marketplace" : NULL;
    default:
        return NULL;
    }
}

static bool in_force(const cm_rater *rater, const cm_price_book *book, size_t version)
{
    bool ended = version + 1 < book->count && book->versions[version + 1].effective_from <= rater->start;
    return book->versions[version].effective_from < rater->end && !ended;
}

static bool asks(const cm_rater *rater, const cm_price_book *book, enum cm_lack lack, asking *ret)
{
    for (size_t v = 0; book && v < book->count; v++) {
        for (size_t r = 0; in_force(rater, book, v) && r < book->versions[v].count; r++) {
            const cm_rule *rule = &book->versions[v].rules[r];
            const char *what = reads(rule, lack);
            if (what) {
                *ret = (asking){book, rule, what};
                return true;
            }
        }
    }
    return false;
}

static bool fail_needed(const asking *who, const char *whose, const cm_reader *reader, enum cm_lack lack,
                        cm_place *ret_place, cm_error *err)
{
    cm_slice name = cm_reader_lacking_name(reader, lack);
    *ret_place = (cm_place){0};
    snprintf(ret_place->column, sizeof ret_place->column, "%.*s", CM_SLICE(name));
    return cm_fail(
        err, CM_ERROR_POISON, "COLUMN_NEEDED",
        "the report has no column %.*s, and rule %s of price book %s (%s) asks for it (%s): add the column to the export and deliver the month again, or change the rule",
        CM_SLICE(name), who->rule->id, who->book->id, whose, who->what);
}

bool cm_rater_check_columns(const cm_rater *rater, const cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    const cm_catalog *catalog = rater->catalog;
    asking who;
    for (int l = 0; l < CM_LACKS; l++) {
        enum cm_lack lack = (enum cm_lack)l;
        if (!cm_reader_lacks(reader, lack))
            continue;
        if (asks(rater, rater->payer->buy_book, lack, &who))
            return fail_needed(&who, "what the payer pays", reader, lack, ret_place, err);
        const cm_price_book *asked = NULL; /* customers of one book mostly stand together */
        for (size_t i = 0; i < catalog->link_count; i++) {
            const cm_link *link = &catalog->links[i];
            if (strcmp(link->payer, rater->payer->id) != 0 || link->from >= rater->end || link->to <= rater->start)
                continue;
            const cm_price_book *book = cm_customer_terms_in(link->customer, rater->period)->price_book;
            if (book == asked)
                continue;
            asked = book;
            if (asks(rater, asked, lack, &who)) {
                char whose[256];
                snprintf(whose, sizeof whose, "customer %s", link->customer->id);
                return fail_needed(&who, whose, reader, lack, ret_place, err);
            }
        }
    }
    return true;
}

const char *cm_lack_meaning(const cm_reader *reader, enum cm_lack lack)
{
    bool legacy = memchr(cm_reader_lacking_name(reader, lack).text, '/', cm_reader_lacking_name(reader, lack).length);
    switch (lack) {
    case CM_LACK_QUANTITY:
        return "all quantities are 0";
    case CM_LACK_LIST_COST:
        return "list prices are taken to be what AWS charges";
    case CM_LACK_OPERATION:
        return "documents show no operation";
    case CM_LACK_REGION:
        return "documents show no region";
    case CM_LACK_UNIT:
        return "documents show no unit";
    case CM_LACK_BILLING_ENTITY:
        return "charges of AWS Marketplace are taken for AWS's own";
    case CM_LACK_RESERVATION: /* AWS itself leaves it out of a legacy report that has none */
        return legacy ? NULL : "fees and refunds of reservations are taken for other fees and refunds";
    case CM_LACK_INVOICE:
        return "no line is ever final";
    default:
        return NULL;
    }
}
