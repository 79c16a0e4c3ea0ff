#include "billing/catalog/parse/parse.h"

#include <stdlib.h>

static bool is_glob(enum cm_match_key key, const char *const *values, size_t count)
{
    if (key != CM_MATCH_USAGE_TYPE && key != CM_MATCH_OPERATION)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strpbrk(values[i], "*?"))
            return true;
    return false;
}

static bool parse_match(cm_parser *parser, cm_json_reader *reader, cm_rule *rule)
{
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "marketplace")) {
            bool marketplace;
            if (!cm_json_bool(reader, &marketplace))
                return false;
            rule->marketplace = marketplace;
            continue;
        }
        int which = 0;
        while (which < CM_MATCH_KEYS && !cm_slice_is(key, cm_match_key_names[which]))
            which++;
        if (which == CM_MATCH_KEYS)
            return cm_json_fail(reader, "an unknown match key");
        const char **values;
        size_t count;
        if (!cm_parse_texts(parser, reader, &values, &count))
            return false;
        if (count == 0)
            return cm_json_fail(reader, "a match key without values");
        rule->match[which] = (cm_match_list){values, count, is_glob((enum cm_match_key)which, values, count)};
    }
    return !reader->failed;
}

static bool parse_tier(cm_json_reader *reader, cm_tier *tier)
{
    cm_slice key;
    bool has_rate = false;
    tier->unbounded = true;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "up_to"))
            tier->unbounded = !cm_parse_decimal(reader, &tier->up_to);
        else if (cm_slice_is(key, "rate"))
            has_rate = cm_parse_decimal(reader, &tier->rate);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    return !reader->failed && (has_rate || cm_json_fail(reader, "a tier needs a rate"));
}

static bool parse_tiers(cm_parser *parser, cm_json_reader *reader, cm_rule *rule)
{
    size_t room = cm_parse_count(reader);
    cm_tier *tiers = cm_arena_zalloc(parser->arena, room * sizeof *tiers);
    if (rule->tiers)
        return cm_json_fail(reader, "a key that comes twice");
    cm_json_enter(reader, '[');
    while (cm_json_item(reader)) {
        if (rule->tier_count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        cm_tier *tier = &tiers[rule->tier_count];
        if (!parse_tier(reader, tier))
            return false;
        if (rule->tier_count++ &&
            (tier[-1].unbounded || (!tier->unbounded && cm_decimal_compare(tier[-1].up_to, tier->up_to) >= 0)))
            return cm_json_fail(reader, "tiers must have ascending borders");
    }
    if (!reader->failed && (rule->tier_count == 0 || !tiers[rule->tier_count - 1].unbounded))
        return cm_json_fail(reader, "the last tier must have no border");
    rule->tiers = tiers;
    return !reader->failed;
}

static bool parse_price(cm_parser *parser, cm_json_reader *reader, cm_rule *rule)
{
    cm_slice key;
    int forms = 0, which, tier_words = 0;
    bool has_of = false, free_of_charge;
    rule->of = CM_LAYER_PAYER;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "of")) {
            has_of = cm_parse_layer(reader, &rule->of);
            continue;
        }
        if (cm_slice_is(key, "mode") && cm_parse_one_of(reader, cm_tier_mode_names, &which)) {
            rule->mode = which == 1 ? CM_TIER_VOLUME : CM_TIER_GRADUATED;
            tier_words++;
            continue;
        }
        if (cm_slice_is(key, "over") && cm_parse_one_of(reader, cm_tier_over_names, &which)) {
            rule->over = which == 1 ? CM_TIER_OVER_CUSTOMER : CM_TIER_OVER_ACCOUNT;
            tier_words++;
            continue;
        }
        forms++;
        if (cm_slice_is(key, "percent")) {
            rule->price = CM_PRICE_PERCENT;
            cm_parse_decimal(reader, &rule->percent);
        } else if (cm_slice_is(key, "rate")) {
            rule->price = CM_PRICE_RATE;
            cm_parse_decimal(reader, &rule->rate);
        } else if (cm_slice_is(key, "pass")) {
            rule->price = CM_PRICE_PASS;
            cm_parse_layer(reader, &rule->of);
        } else if (cm_slice_is(key, "free")) {
            rule->price = CM_PRICE_FREE;
            cm_json_bool(reader, &free_of_charge);
        } else if (cm_slice_is(key, "tiers")) {
            rule->price = CM_PRICE_TIERS;
            parse_tiers(parser, reader, rule);
        } else {
            return cm_json_fail(reader, "an unknown form of price");
        }
    }
    if (!reader->failed && (forms != 1 || tier_words != (rule->price == CM_PRICE_TIERS ? 2 : 0) ||
                            has_of != (rule->price == CM_PRICE_PERCENT) || rule->of == CM_LAYER_SELL))
        return cm_json_fail(reader, "a price must have one form");
    return !reader->failed;
}

static bool parse_rule(cm_parser *parser, cm_json_reader *reader, cm_rule *rule)
{
    cm_slice key;
    bool has_priority = false, has_price = false;
    rule->marketplace = -1;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "id"))
            cm_parse_text(parser, reader, &rule->id);
        else if (cm_slice_is(key, "label"))
            cm_parse_label(reader);
        else if (cm_slice_is(key, "priority"))
            has_priority = cm_json_integer(reader, &rule->priority);
        else if (cm_slice_is(key, "match"))
            parse_match(parser, reader, rule);
        else if (cm_slice_is(key, "price"))
            has_price = parse_price(parser, reader, rule);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (!rule->id || !has_priority || !has_price))
        return cm_json_fail(reader, "a rule needs id, priority and price");
    return !reader->failed;
}

static bool parse_rules(cm_parser *parser, cm_json_reader *reader, cm_book_version *version)
{
    size_t room = cm_parse_count(reader);
    cm_rule *rules = cm_arena_zalloc(parser->arena, room * sizeof *rules);
    if (version->rules)
        return cm_json_fail(reader, "a key that comes twice");
    cm_json_enter(reader, '[');
    while (cm_json_item(reader)) {
        if (version->count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        cm_rule *rule = &rules[version->count];
        if (!parse_rule(parser, reader, rule))
            return false;
        if (version->count++ && rule[-1].priority >= rule->priority)
            return cm_json_fail(reader, "rules are not in order");
    }
    version->rules = rules;
    return !reader->failed;
}

static bool parse_version(cm_parser *parser, cm_json_reader *reader, cm_book_version *version)
{
    cm_slice key;
    bool has_time = false;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "effective_from"))
            has_time = cm_parse_instant(reader, &version->effective_from);
        else if (cm_slice_is(key, "rules"))
            parse_rules(parser, reader, version);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (!has_time || version->count == 0))
        return cm_json_fail(reader, "a version needs effective_from and rules");
    return !reader->failed;
}

static bool parse_versions(cm_parser *parser, cm_json_reader *reader, cm_price_book *book)
{
    size_t room = cm_parse_count(reader);
    cm_book_version *versions = cm_arena_zalloc(parser->arena, room * sizeof *versions);
    if (book->versions)
        return cm_json_fail(reader, "a key that comes twice");
    cm_json_enter(reader, '[');
    while (cm_json_item(reader)) {
        if (book->count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        cm_book_version *version = &versions[book->count];
        if (!parse_version(parser, reader, version))
            return false;
        if (book->count++ && version[-1].effective_from >= version->effective_from)
            return cm_json_fail(reader, "versions are not in order");
    }
    book->versions = versions;
    return !reader->failed;
}

static bool parse_book(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_price_book *book = element;
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "currency"))
            cm_parse_text(parser, reader, &book->currency);
        else if (cm_slice_is(key, "versions"))
            parse_versions(parser, reader, book);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    for (size_t i = 0; i < book->count; i++)
        for (size_t j = 0; j < book->versions[i].count; j++)
            book->has_tiers |= book->versions[i].rules[j].price == CM_PRICE_TIERS;
    return !reader->failed &&
           ((book->currency && book->count) || cm_json_fail(reader, "a price book needs a currency and versions"));
}

bool cm_parse_books(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->books =
                cm_parse_documents(parser, reader, sizeof *catalog->books, parse_book, &catalog->book_count));
}
