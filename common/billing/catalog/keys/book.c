/* Keys of PriceBook. */
#include "billing/catalog/keys/keys.h"

static const cm_key book[CM_KEY_BOOK_COUNT] = {
    [CM_KEY_BOOK_KIND] = {"kind", true, NULL, "`PriceBook`", NULL, "the kind of this document", "PriceBook"},
    [CM_KEY_BOOK_ID] = {"id", true, NULL, "id", NULL, "what customers (`price_book`) and payers (`buy_book`) refer to",
                        "standard"},
    [CM_KEY_BOOK_CURRENCY] =
        {"currency", true, "rates are amounts in it, and lines in another currency are suspended", "currency", NULL,
         "the currency of its rates and of the lines that it prices; others are suspended, `CURRENCY`", "USD"},
    [CM_KEY_BOOK_VERSIONS] = {"versions", true, NULL, "list of 1 to 1,000 versions", NULL,
                              "the prices by date; the latest that is effective at a line's time prices it", NULL},
};
const cm_key_table cm_book_keys = CM_KEY_TABLE("the document", "", book);

static const cm_key version[CM_KEY_VERSION_COUNT] = {
    [CM_KEY_VERSION_FROM] = {"effective_from", true, "the instant from which its prices hold (R02)", "time", NULL,
                             "the instant from which its prices hold (R02); unique in the book", "2025-01-01"},
    [CM_KEY_VERSION_RULES] =
        {"rules", true, NULL, "list of up to 50,000 rules", NULL,
         "its rules, one of which catches all: without `match`, and with `percent`, `pass` or `free`. At "
         "most 500,000 in a catalog",
         NULL},
};
const cm_key_table cm_version_keys = CM_KEY_TABLE("a version", "versions[]", version);

static const cm_key rule[CM_KEY_RULE_COUNT] = {
    [CM_KEY_RULE_ID] = {"id", true, "explanations and totals name the rule by it", "id", NULL,
                        "names the rule in explanations and totals; unique in the version", "ec2-list-minus-5"},
    [CM_KEY_RULE_LABEL] = {"label", false, NULL, "text", "nothing",
                           "with `tiers`: what customers read where the month's quantity stands on a document",
                           "Storage by volume"},
    [CM_KEY_RULE_PRIORITY] =
        {"priority", true, "rules are tried by ascending priority", "0 to 1,000,000,000", NULL,
         "rules are tried by ascending priority, the first that matches decides alone; unique in the version", "10"},
    [CM_KEY_RULE_MATCH] = {"match", false, NULL, "the mapping below", "`{}`: every line",
                           "which lines the rule is for; all its keys must fit", "{service: AmazonEC2}"},
    [CM_KEY_RULE_PRICE] = {"price", true, NULL, "the mapping below", NULL, "what such a line costs",
                           "{percent: -5, of: list}"},
};
const cm_key_table cm_rule_keys = CM_KEY_TABLE("a rule", "versions[].rules[]", rule);

#define EXACT "text, or a list of up to 1,000"
#define GLOB  "text with `*` and `?`, or a list"
static const cm_key match[CM_KEY_MATCH_COUNT] = {
    [CM_MATCH_SERVICE] = {"service", false, NULL, EXACT, NULL, "product code", "AmazonS3"},
    [CM_MATCH_USAGE_TYPE] = {"usage_type", false, NULL, GLOB, NULL, "usage type", "\"*DataTransfer-Out-Bytes\""},
    [CM_MATCH_OPERATION] = {"operation", false, NULL, GLOB, NULL, "operation", "\"RunInstances*\""},
    [CM_MATCH_REGION] = {"region", false, NULL, EXACT, NULL, "region", "[eu-central-1, eu-west-1]"},
    [CM_MATCH_SKU] = {"sku", false, NULL, EXACT, NULL, "SKU of the product", "2223B6PCG6QAUYY6"},
    [CM_MATCH_CLASS] = {"class", false, NULL, "charge class, or a list", NULL, "charge class (rating.md)",
                        "[usage, fee]"},
    [CM_MATCH_LINE_ITEM_TYPE] = {"line_item_type", false, NULL, EXACT, NULL, "line item type", "Usage"},
    [CM_MATCH_ACCOUNT] = {"account", false, NULL, "12 digits in quotes, or a list", NULL, "usage account",
                          "\"000011112222\""},
    [CM_MATCH_PAYER] = {"payer", false, NULL, "12 digits in quotes, or a list", NULL, "payer account",
                        "\"111122223333\""},
    [CM_MATCH_UNIT] = {"unit", false, NULL, EXACT, NULL, "pricing unit", "GB"},
    [CM_KEY_MATCH_MARKETPLACE] = {"marketplace", false, NULL, "`true` or `false`", NULL,
                                  "is the billing entity `AWS Marketplace`?", "true"},
};
const cm_key_table cm_match_keys = CM_KEY_TABLE("match", "versions[].rules[].match", match);

static const cm_key price[CM_KEY_PRICE_COUNT] = {
    [CM_KEY_PRICE_PERCENT] = {"percent", false, NULL, "-100 to 10,000", NULL, "the layer `of` plus that many percent",
                              "-5"},
    [CM_KEY_PRICE_RATE] = {"rate", false, NULL, "0 to 1,000,000,000,000", NULL,
                           "usage amount x rate, in the book's currency", "0.085"},
    [CM_KEY_PRICE_PASS] = {"pass", false, NULL, "`payer`", NULL, "what AWS charges the payer", "payer"},
    [CM_KEY_PRICE_FREE] = {"free", false, NULL, "`true`", NULL, "0", "true"},
    [CM_KEY_PRICE_TIERS] =
        {"tiers", false, NULL, "list of 1 to 100 tiers", NULL,
         "by the month's quantity of this rule, computed when statements are built; not in buy books",
         "[{up_to: 10240, rate: 0.09}, {rate: 0.085}]"},
    [CM_KEY_PRICE_OF] = {"of", false, NULL, "`list`, `payer` or (not in buy books) `buy`", NULL,
                         "with `percent`, where it is needed", "list"},
    [CM_KEY_PRICE_MODE] =
        {"mode", false, NULL, "`graduated` or `volume`", NULL,
         "with `tiers`, where it is needed: each part at its own tier's rate, or all at the rate of the "
         "tier that the quantity ends in",
         "graduated"},
    [CM_KEY_PRICE_OVER] = {"over", false, NULL, "`account` or `customer`", "`account`",
                           "with `tiers`: whose quantity is counted", "customer"},
};
const cm_key_table cm_price_keys =
    CM_KEY_TABLE("price: exactly one of percent, rate, pass, free, tiers", "versions[].rules[].price", price);

static const cm_key tier[CM_KEY_TIER_COUNT] = {
    [CM_KEY_TIER_UP_TO] =
        {"up_to", false, NULL, "0 to 1,000,000,000,000", "no end",
         "the quantity up to which the tier reaches, that quantity included; grows from tier to tier, the "
         "last has none",
         "10240"},
    [CM_KEY_TIER_RATE] = {"rate", true, NULL, "0 to 1,000,000,000,000", NULL, "price of a unit", "0.09"},
};
const cm_key_table cm_tier_keys = CM_KEY_TABLE("a tier", "versions[].rules[].price.tiers[]", tier);
