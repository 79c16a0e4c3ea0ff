/* Price books: the version in force at the line's time, the first rule that matches (rating.md section 4). */
#include "billing/rating/internal.h"

/* The start of the next UTF-8 character. */
static size_t next_character(cm_slice text, size_t at)
{
    do
        at++;
    while (at < text.length && ((unsigned char)text.text[at] & 0xc0) == 0x80);
    return at;
}

/* Globs: * is any number of characters, ? is one; everything else is itself. After a mismatch the last star is retried
 * one character further. */
static bool glob_matches(const char *pattern, cm_slice text)
{
    size_t at = 0, star_at = 0;
    const char *star = NULL;
    while (at < text.length) {
        if (*pattern == '*') {
            star = ++pattern;
            star_at = at;
        } else if (*pattern == '?') {
            pattern++;
            at = next_character(text, at);
        } else if (*pattern && *pattern == text.text[at]) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            at = star_at = next_character(text, star_at);
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool list_matches(const cm_match_list *list, cm_slice value)
{
    if (list->count == 0)
        return true;
    for (size_t i = 0; i < list->count; i++) {
        if (list->glob ? glob_matches(list->values[i], value) : cm_slice_is(value, list->values[i]))
            return true;
    }
    return false;
}

static bool rule_matches(const cm_deciding *d, const cm_rule *rule, enum cm_class class)
{
    const cm_kind *kind = d->kind;
    const cm_slice value[CM_MATCH_KEYS] = {
        [CM_MATCH_SERVICE] = kind->product_code,
        [CM_MATCH_USAGE_TYPE] = kind->usage_type,
        [CM_MATCH_OPERATION] = kind->operation,
        [CM_MATCH_REGION] = kind->region,
        [CM_MATCH_SKU] = kind->sku,
        [CM_MATCH_CLASS] = cm_slice_of(cm_class_name(class)),
        [CM_MATCH_LINE_ITEM_TYPE] = kind->line_item_type,
        [CM_MATCH_ACCOUNT] = kind->usage_account,
        [CM_MATCH_PAYER] = cm_slice_of(d->rater->payer->id),
        [CM_MATCH_UNIT] = kind->unit,
    };
    for (int key = 0; key < CM_MATCH_KEYS; key++) {
        if (!list_matches(&rule->match[key], value[key]))
            return false;
    }
    if (rule->marketplace >= 0 && (rule->marketplace == 1) != cm_slice_is(kind->billing_entity, "AWS Marketplace"))
        return false;
    /* The quantity of a refund or a bundled discount is not usage: rates and tiers do not apply to it. */
    return !((rule->price == CM_PRICE_RATE || rule->price == CM_PRICE_TIERS) &&
             (class == CM_CLASS_REFUND || class == CM_CLASS_BUNDLED_DISCOUNT));
}

/* Latest version that is effective; limits the decision to the time until the next version (R02: versions by date). */
static const cm_book_version *version_at(const cm_price_book *book, cm_instant time, cm_decision *decision)
{
    const cm_book_version *found = NULL;
    for (size_t i = 0; i < book->count; i++) {
        if (book->versions[i].effective_from > time) {
            cm_valid_to(decision, book->versions[i].effective_from);
            break;
        }
        found = &book->versions[i];
    }
    if (found)
        cm_valid_from(decision, found->effective_from);
    return found;
}

/* `book` is the customer's own (R01), or the payer's for `buy`. */
const cm_rule *cm_book_decide(const cm_deciding *d, const cm_price_book *book, enum cm_class class, const char *side,
                              enum cm_reason *ret_reason)
{
    if (!book) {
        cm_trace_step(d, side, "no terms of the customer name a price book for this month: suspended, NO_PRICE");
        *ret_reason = CM_REASON_NO_PRICE;
        return NULL;
    }
    if (!cm_slice_is(d->kind->currency, book->currency)) {
        cm_trace_step(d, side, "the line is in %.*s, book %s is in %s: suspended, CURRENCY",
                      CM_SLICE(d->kind->currency), book->id, book->currency);
        *ret_reason = CM_REASON_CURRENCY;
        return NULL;
    }
    const cm_book_version *version = version_at(book, d->time, d->out);
    if (!version) {
        cm_trace_step(d, side, "book %s has no version in force at the line's time: suspended, NO_PRICE", book->id);
        *ret_reason = CM_REASON_NO_PRICE;
        return NULL;
    }
    char from[CM_INSTANT_TEXT];
    cm_trace_step(d, side, "book %s, version effective from %s", book->id,
                  cm_instant_print(version->effective_from, from));
    for (size_t i = 0; i < version->count; i++) {
        const cm_rule *rule = &version->rules[i];
        bool matches = rule_matches(d, rule, class);
        cm_trace_step(d, side, "rule %s (priority %lld): %s", rule->id, (long long)rule->priority,
                      matches ? "matches" : "no match");
        if (matches)
            return rule;
    }
    cm_trace_step(d, side, "no rule of book %s matches: suspended, NO_PRICE", book->id);
    *ret_reason = CM_REASON_NO_PRICE;
    return NULL;
}
