/* Names of statuses and causes, and what they mean for the person who reads them. */
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
                             "we have charges, the invoice has no row for them: ask whether they come later"},
    [CM_CAUSE_LATE_LINE] = {"LATE_LINE", "a later delivery has exactly this difference: it becomes a correction"},
    [CM_CAUSE_SUSPENDED] = {"SUSPENDED", "these are our suspended lines: mend their cause (`curmill suspended list`)"},
    [CM_CAUSE_SUPPORT] = {"SUPPORT", "support was billed otherwise than agreed: compare the support plan group's "
                                     "buy_percent, or AWS's own support lines"},
    [CM_CAUSE_DISCOUNT] = {"DISCOUNT",
                           "this is a provider discount, which is credited in the month after it was earned"},
    [CM_CAUSE_CREDIT] = {"CREDIT", "this is an AWS credit of the report"},
    [CM_CAUSE_TAX] = {"TAX", "this is the tax of the report: see `tax` of the InvoiceFormat"},
    [CM_CAUSE_DUPLICATE] = {"DUPLICATE", "the invoice has the same row more than once"},
    [CM_CAUSE_FX] = {"FX", "it was converted at another rate than the FxRate of the set `distributor`"},
    [CM_CAUSE_PRICE_BOOK] = {"PRICE_BOOK", "it was priced otherwise than by our buy book"},
    [CM_CAUSE_ROUNDING] = {"ROUNDING", "no more than rounding each charge by itself can make"},
    [CM_CAUSE_OTHER_PAYER] = {"OTHER_PAYER", "the account has its charges under another payer this month"},
    [CM_CAUSE_MISSING_DELIVERY] = {"MISSING_DELIVERY", "our report is not complete"},
    [CM_CAUSE_UNKNOWN_ACCOUNT] = {"UNKNOWN_ACCOUNT",
                                  "the account is in no report of this payer: ask why it is billed here"},
    [CM_CAUSE_UNKNOWN_PRODUCT] =
        {"UNKNOWN_PRODUCT",
         "the account has no such product: map the name under `products` of the InvoiceFormat, or ask"},
    [CM_CAUSE_UNKNOWN_INVOICE] = {"UNKNOWN_INVOICE", "no line of the report has this InvoiceId"},
    [CM_CAUSE_UNEXPLAINED] = {"UNEXPLAINED", "no cause fits: ask"},
};

const char *cm_reconcile_cause_name(enum cm_reconcile_cause cause)
{
    return causes[cause].name;
}

const char *cm_reconcile_cause_words(enum cm_reconcile_cause cause)
{
    return causes[cause].words;
}
