/* Names of statuses and causes, and what they mean, in words for people. */
#include "billing/reconcile/reconcile.h"

const char *cm_reconcile_status_name(enum cm_reconcile_status status)
{
    static const char *const names[CM_RECONCILE_STATUSES] = {"matched", "short", "over", "unknown"};
    return names[status];
}

static const struct cause {
    const char *name, *words;
} causes[CM_CAUSES] = {
    [CM_CAUSE_NONE] = {"", ""},
    [CM_CAUSE_NOT_BILLED] = {"NOT_BILLED",
                             "we have charges that the invoice has no row for; ask whether they will be billed later"},
    [CM_CAUSE_LATE_LINE] = {"LATE_LINE", "a later delivery has exactly this difference; it will become a correction"},
    [CM_CAUSE_SUSPENDED] = {"SUSPENDED", "these are our suspended lines; fix their cause (`curmill suspended list`)"},
    [CM_CAUSE_SUPPORT] = {"SUPPORT", "support was not billed as agreed; compare the support plan group's "
                                     "buy_percent, or AWS's own support lines"},
    [CM_CAUSE_DISCOUNT] = {"DISCOUNT",
                           "this is a provider discount, which is credited in the month after it was earned"},
    [CM_CAUSE_CREDIT] = {"CREDIT", "this is an AWS credit in the report"},
    [CM_CAUSE_TAX] = {"TAX", "this is the tax in the report; see `tax` of the InvoiceFormat"},
    [CM_CAUSE_DUPLICATE] = {"DUPLICATE", "the invoice has the same row more than once"},
    [CM_CAUSE_FX] = {"FX", "it was not converted at the FxRate of the set `distributor`"},
    [CM_CAUSE_PRICE_BOOK] = {"PRICE_BOOK", "it was not priced by our buy book"},
    [CM_CAUSE_ROUNDING] = {"ROUNDING", "no more than rounding each charge separately can cause"},
    [CM_CAUSE_OTHER_PAYER] = {"OTHER_PAYER", "the account's charges are under another payer this month"},
    [CM_CAUSE_MISSING_DELIVERY] = {"MISSING_DELIVERY", "our report is not complete"},
    [CM_CAUSE_UNKNOWN_ACCOUNT] = {"UNKNOWN_ACCOUNT",
                                  "no report of this payer contains the account; ask why it is billed here"},
    [CM_CAUSE_UNKNOWN_PRODUCT] =
        {"UNKNOWN_PRODUCT",
         "the account does not use this product; map the name under `products` of the InvoiceFormat, or ask"},
    [CM_CAUSE_UNKNOWN_INVOICE] = {"UNKNOWN_INVOICE", "no line of the report has this InvoiceId"},
    [CM_CAUSE_UNEXPLAINED] = {"UNEXPLAINED", "no known cause explains it; ask the distributor"},
};

const char *cm_reconcile_cause_name(enum cm_reconcile_cause cause)
{
    return causes[cause].name;
}

const char *cm_reconcile_cause_words(enum cm_reconcile_cause cause)
{
    return causes[cause].words;
}
