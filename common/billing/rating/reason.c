/* Why a line is suspended, and what to do about it. */
#include "billing/rating/rating.h"

static const struct {
    const char *name, *next_step;
} reasons[] = {
    [CM_REASON_NONE] = {"", ""},
    [CM_REASON_UNKNOWN_LINE_TYPE] =
        {"UNKNOWN_LINE_TYPE",
         "add the type to the catalog (kind: LineItemType, with name and class), apply it, then `curmill run start --payer PAYER --period YYYY-MM`"},
    [CM_REASON_UNKNOWN_ACCOUNT] =
        {"UNKNOWN_ACCOUNT",
         "link the account to its customer with `curmill account link ACCOUNT --payer PAYER --customer CUSTOMER --support-plan PLAN "
         "--by WHO`; or add it to the catalog, apply that, then `curmill run start --payer PAYER --period YYYY-MM`"},
    [CM_REASON_BEFORE_BILLED_FROM] =
        {"BEFORE_BILLED_FROM",
         "the account's link begins later (N11): add the owner of the days before, or let the link begin earlier"},
    [CM_REASON_NO_LIST_PRICE] = {"NO_LIST_PRICE", "the report has no on-demand price for this reserved usage: use "
                                                  "commitment_policy pass_through, or ask AWS for the price"},
    [CM_REASON_CURRENCY] = {"CURRENCY", "use a price book in the line's currency"},
    [CM_REASON_NO_PRICE] = {"NO_PRICE",
                            "no version of the price book is in force at the line's time; add one that begins earlier"},
};

const char *cm_reason_name(enum cm_reason reason)
{
    return reasons[reason].name;
}

const char *cm_reason_next_step(enum cm_reason reason)
{
    return reasons[reason].next_step;
}
