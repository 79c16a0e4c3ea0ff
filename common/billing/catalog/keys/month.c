/* Keys of what the month adds: SupportPlanGroup, SupportPlan, FxRate, CustomCharge, Credit; and of LineItemType,
 * SupportProduct. */
#include "billing/catalog/keys/keys.h"

static const cm_key group[CM_KEY_GROUP_COUNT] = {
    [CM_KEY_GROUP_KIND] = {"kind", true, NULL, "`SupportPlanGroup`", NULL, "the kind of this document",
                           "SupportPlanGroup"},
    [CM_KEY_GROUP_ID] = {"id", true, NULL, "id", NULL, "what accounts refer to", "managed"},
    [CM_KEY_GROUP_LABEL] = {"label", false, NULL, "text", "`AWS Support`",
                            "what customers read where the group's support stands on a document", "Managed support"},
    [CM_KEY_GROUP_TYPE] =
        {"type", false, NULL,
         "`business`, `passthrough`, `developer`, `business_public`, `business_plus`, `enterprise` or `basic`", NULL,
         "`business`: a flat percent of usage (N02-N04); `passthrough`: AWS's own support lines; `basic`: "
         "nothing; the others: AWS's published plans. Either `type` or `plan`",
         "business"},
    [CM_KEY_GROUP_PLAN] = {"plan", false, NULL, "id of a SupportPlan, or a built-in plan", NULL,
                           "the plan that the fee is computed with; the built-in ones: [rating.md](rating.md), "
                           "section 6",
                           "enterprise_2026"},
    [CM_KEY_GROUP_OVER] = {"over", false, NULL, "`account` or `group`", "`account`",
                           "`account`: fee and minimum for each account; `group`: over all accounts of the customer in "
                           "the group, then shared out by their bases",
                           "group"},
    [CM_KEY_GROUP_PERCENT] = {"percent", false, NULL, "0 to 100", "`business`: 10 (N02); others: the bands of the plan",
                              "percent of the base", "10"},
    [CM_KEY_GROUP_MINIMUM] = {"minimum", false, NULL, "0 to 1,000,000,000",
                              "`business`: none (N03); others: that of the plan",
                              "least amount of a month, in the currency of the charges; owed for the days that the "
                              "group held",
                              "50"},
    [CM_KEY_GROUP_BUY_PERCENT] = {"buy_percent", false, NULL, "0 to 100", "the reseller pays nothing for it",
                                  "what the reseller pays, in percent of the base (N05)", "9"},
    [CM_KEY_GROUP_BASE] = {"base", false, NULL, "the mapping below",
                           "sell price of usage, covered_usage and bundled_discount",
                           "what the percent is taken of (S10)",
                           "{layer: sell, classes: [usage, covered_usage, bundled_discount]}"},
    [CM_KEY_GROUP_VERSIONS] = {"versions", false, NULL, "list of versions, by month", "none",
                               "what changes with a month; each replaces the keys that it names", NULL},
};
const cm_key_table cm_group_keys = CM_KEY_TABLE("the document", "", group);

static const cm_key group_version[CM_KEY_GROUP_VERSION_COUNT] = {
    [CM_KEY_GROUP_VERSION_FROM] = {"from", true, "the first month that it holds for, like 2026-07", "month", NULL,
                                   "the first month that it holds for", "2026-07"},
    [CM_KEY_GROUP_VERSION_PERCENT] = {"percent", false, NULL, "0 to 100", "as before", "as in the group", "9"},
    [CM_KEY_GROUP_VERSION_MINIMUM] = {"minimum", false, NULL, "0 to 1,000,000,000", "as before", "as in the group",
                                      "60"},
    [CM_KEY_GROUP_VERSION_BUY_PERCENT] = {"buy_percent", false, NULL, "0 to 100", "as before", "as in the group", "8"},
    [CM_KEY_GROUP_VERSION_BASE] = {"base", false, NULL, "the mapping below", "as before", "as in the group",
                                   "{layer: payer}"},
};
const cm_key_table cm_group_version_keys = CM_KEY_TABLE("a version", "versions[]", group_version);

static const cm_key base[CM_KEY_BASE_COUNT] = {
    [CM_KEY_BASE_LAYER] = {"layer", false, NULL, "`payer`, `list`, `buy` or `sell`", "`sell`",
                           "the price that is added up", "sell"},
    [CM_KEY_BASE_CLASSES] = {"classes", false, NULL, "charge class, or a list",
                             "usage, covered_usage, bundled_discount", "the charges that count",
                             "[usage, covered_usage, bundled_discount]"},
};
const cm_key_table cm_base_keys = CM_KEY_TABLE("a base", "base", base);

static const cm_key plan[CM_KEY_PLAN_COUNT] = {
    [CM_KEY_PLAN_KIND] = {"kind", true, NULL, "`SupportPlan`", NULL, "the kind of this document", "SupportPlan"},
    [CM_KEY_PLAN_ID] = {"id", true, NULL, "id", NULL, "what groups name as their `plan`; names it in messages",
                        "enterprise-2027"},
    [CM_KEY_PLAN_TYPE] = {"type", false, NULL, "`developer`, `business_public`, `business_plus` or `enterprise`",
                          "none: a plan by its id alone",
                          "which of AWS's plans it is the data of; two documents of a type may not hold at the same "
                          "time",
                          "enterprise"},
    [CM_KEY_PLAN_CURRENCY] = {"currency", false, NULL, "currency", "`USD`",
                              "currency of `minimum` and of the bands' borders", "USD"},
    [CM_KEY_PLAN_FROM] = {"from", false, NULL, "month", "always", "the first month that it holds for", "2027-01"},
    [CM_KEY_PLAN_TO] = {"to", false, NULL, "month", "no end", "the first month that it no longer holds for", "2028-01"},
    [CM_KEY_PLAN_MINIMUM] = {"minimum", false, NULL, "0 to 1,000,000,000", "0", "least amount of a month", "15000"},
    [CM_KEY_PLAN_BANDS] = {"bands", true, NULL, "list of 1 to 50 bands", NULL,
                           "graduated: each part of the base at the percent of its own band", NULL},
};
const cm_key_table cm_plan_keys = CM_KEY_TABLE("the document", "", plan);

static const cm_key band[CM_KEY_BAND_COUNT] = {
    [CM_KEY_BAND_UP_TO] = {"up_to", false, NULL, "0 to 1,000,000,000,000", "no end",
                           "the amount up to which the band reaches; grows from band to band, the last has none",
                           "150000"},
    [CM_KEY_BAND_PERCENT] = {"percent", true, NULL, "0 to 100", NULL, "percent of that part", "10"},
};
const cm_key_table cm_band_keys = CM_KEY_TABLE("a band", "bands[]", band);

static const cm_key fx[CM_KEY_FX_COUNT] = {
    [CM_KEY_FX_KIND] = {"kind", true, NULL, "`FxRate`", NULL, "the kind of this document", "FxRate"},
    [CM_KEY_FX_ID] = {"id", true, NULL, "id", NULL, "names it on documents and in the history", "usd-eur-2025-06"},
    [CM_KEY_FX_SET] = {"set", true,
                       "reseller (what customers are billed at) or distributor (what the distributor invoices at, R08)",
                       "`reseller` or `distributor`", NULL,
                       "what customers are billed at, or what the distributor invoices at (R08)", "reseller"},
    [CM_KEY_FX_FROM] = {"from", true, NULL, "currency", NULL, "the currency of the charges", "USD"},
    [CM_KEY_FX_TO] = {"to", true, NULL, "currency", NULL, "the currency of the documents", "EUR"},
    [CM_KEY_FX_PERIOD] = {"period", true, NULL, "month", NULL, "the month that it is for; no other month uses it (R06)",
                          "2025-06"},
    [CM_KEY_FX_RATE] = {"rate", true, NULL, "more than 0, up to 1,000,000,000,000", NULL,
                        "units of `to` for one unit of `from`", "0.92"},
};
const cm_key_table cm_fx_keys = CM_KEY_TABLE("the document", "", fx);

static const cm_key line_type[CM_KEY_LINE_TYPE_COUNT] = {
    [CM_KEY_LINE_TYPE_KIND] = {"kind", true, NULL, "`LineItemType`", NULL, "the kind of this document", "LineItemType"},
    /* Every document may have one; without a name it is the name. */
    [CM_KEY_LINE_TYPE_ID] = {"id", false, NULL, "text", NULL,
                             "taken for `name` where that is absent; one of the two is needed", "special-offer"},
    [CM_KEY_LINE_TYPE_NAME] = {"name", false, "the line item type as the report writes it", "text", "`id`",
                               "the line item type as the report writes it; not one that curmill knows",
                               "SpecialOfferDiscount"},
    [CM_KEY_LINE_TYPE_CLASS] = {"class", true, "the charge class that its lines belong to", "charge class", NULL,
                                "the charge class that its lines belong to", "provider_discount"},
};
const cm_key_table cm_line_type_keys = CM_KEY_TABLE("the document", "", line_type);

static const cm_key support_product[CM_KEY_SUPPORT_PRODUCT_COUNT] = {
    [CM_KEY_SUPPORT_PRODUCT_KIND] = {"kind", true, NULL, "`SupportProduct`", NULL, "the kind of this document",
                                     "SupportProduct"},
    [CM_KEY_SUPPORT_PRODUCT_ID] = {"id", true, "the product code as the report writes it", "text", NULL,
                                   "the product code as the report writes it; the case of its letters does not matter",
                                   "AWSPremiumCare"},
};
const cm_key_table cm_support_product_keys = CM_KEY_TABLE("the document", "", support_product);

static const cm_key charge[CM_KEY_CHARGE_COUNT] = {
    [CM_KEY_CHARGE_KIND] = {"kind", true, NULL, "`CustomCharge`", NULL, "the kind of this document", "CustomCharge"},
    [CM_KEY_CHARGE_ID] = {"id", true, NULL, "id", NULL, "usage type of its row", "managed-service"},
    [CM_KEY_CHARGE_NAME] = {"name", false, NULL, "text", "the id", "product of its row", "Managed service"},
    [CM_KEY_CHARGE_LABEL] = {"label", false, NULL, "text", "the name",
                             "what customers read where the charge stands on a document", "Operations desk"},
    [CM_KEY_CHARGE_CUSTOMER] = {"customer", true, "whose statement it stands on", "id of a Customer", NULL,
                                "whose statement it stands on", "acme"},
    [CM_KEY_CHARGE_LANE] =
        {"lane", false, NULL, "lane of some payer", "the lane of the customer's accounts",
         "on which of its statements; needed where its accounts are in several lanes, or where there is none yet",
         "{model}"},
    [CM_KEY_CHARGE_PERIOD] = {"period", false, NULL, "month", NULL, "once, in that month; either `period` or `from`",
                              "2025-06"},
    [CM_KEY_CHARGE_FROM] = {"from", false, NULL, "month", NULL, "every month from this one on", "2025-01"},
    [CM_KEY_CHARGE_TO] = {"to", false, NULL, "month", "no end", "with `from`: the first month that no longer has it",
                          "2026-01"},
    [CM_KEY_CHARGE_AMOUNT] = {"amount", false, NULL, "-1,000,000,000,000 to 1,000,000,000,000", NULL,
                              "a fixed amount; either `amount` with `currency`, or `percent`", "99.50"},
    [CM_KEY_CHARGE_CURRENCY] = {"currency", false, NULL, "currency", NULL,
                                "with `amount`, where it is needed: the currency of the customer's charges", "USD"},
    [CM_KEY_CHARGE_PERCENT] = {"percent", false, NULL, "-100 to 1,000", NULL,
                               "percent of the base, for each currency of its charges", "5"},
    [CM_KEY_CHARGE_BASE] = {"base", false, NULL, "the mapping below",
                            "sell price of usage, covered_usage and bundled_discount",
                            "with `percent`: what it is taken of",
                            "{layer: sell, classes: [usage, covered_usage, bundled_discount]}"},
};
const cm_key_table cm_charge_keys = CM_KEY_TABLE("the document", "", charge);

static const cm_key credit[CM_KEY_CREDIT_COUNT] = {
    [CM_KEY_CREDIT_KIND] = {"kind", true, NULL, "`Credit`", NULL, "the kind of this document", "Credit"},
    [CM_KEY_CREDIT_ID] = {"id", true, NULL, "id", NULL, "usage type of its row; its balance is kept by it", "welcome"},
    [CM_KEY_CREDIT_NAME] = {"name", false, NULL, "text", "the id", "product of its row", "Welcome credit"},
    [CM_KEY_CREDIT_CUSTOMER] = {"customer", true, "who may use it", "id of a Customer", NULL, "who may use it", "acme"},
    [CM_KEY_CREDIT_LANE] =
        {"lane", false, NULL, "lane of some payer", "the lane of the customer's accounts",
         "on which of its statements; needed where its accounts are in several lanes, or where there is none yet",
         "{model}"},
    [CM_KEY_CREDIT_AMOUNT] = {"amount", true, NULL, "more than 0, up to 1,000,000,000,000", NULL,
                              "what it is worth altogether; what a month leaves is there for the next", "500"},
    [CM_KEY_CREDIT_CURRENCY] = {"currency", true, "it pays charges in this currency", "currency", NULL,
                                "it pays charges in this currency", "USD"},
    [CM_KEY_CREDIT_FROM] = {"from", true, "the first month that may use it, like 2025-06", "month", NULL,
                            "the first month that may use it", "2025-06"},
    [CM_KEY_CREDIT_EXPIRES] = {"expires", false, NULL, "month", "never", "the first month that may no longer use it",
                               "2026-06"},
};
const cm_key_table cm_credit_keys = CM_KEY_TABLE("the document", "", credit);
