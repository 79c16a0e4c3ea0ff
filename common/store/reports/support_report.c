#include "store/reports/support_report.h"

#include "billing/catalog/model/plans.h"

#include <string.h>

static const struct {
    const char *name, *words;
} causes[CM_SUPPORT_CAUSES] = {
    [CM_SUPPORT_AGREES] = {"", ""},
    [CM_SUPPORT_MISSING_DELIVERY] = {"MISSING_DELIVERY", "the month has no current run yet"},
    [CM_SUPPORT_NOT_IN_REPORT] = {"NOT_IN_REPORT",
                                  "AWS charges for support and the report has no support line of the account"},
    [CM_SUPPORT_NOT_LISTED] = {"NOT_LISTED", "the report has support lines and AWS lists no charge for the account"},
    [CM_SUPPORT_DISCOUNT] = {"DISCOUNT", "one of the two sums is before the discount that AWS names"},
    [CM_SUPPORT_ROUNDING] = {"ROUNDING", "no more than rounding to cents can cause"},
    [CM_SUPPORT_ESTIMATED] = {"ESTIMATED", "AWS's figures of the month are not final"},
    [CM_SUPPORT_NO_GROUP] = {"NO_GROUP",
                             "AWS charges for support and no statement has the fee of a support plan group (O15)"},
    [CM_SUPPORT_FEE_ONLY] = {"FEE_ONLY", "the customer pays a fee for an account on which AWS charges no support"},
    [CM_SUPPORT_UNEXPLAINED] = {"UNEXPLAINED", "no known cause explains it; ask the distributor"},
};

const char *cm_support_cause_name(enum cm_support_cause cause)
{
    return causes[cause].name;
}

const char *cm_support_cause_words(enum cm_support_cause cause)
{
    return causes[cause].words;
}

/* $1 payer, $2 period, $3 lane. Enterprise Support is one sum at AWS, whatever account its lines are on. */
static const char sql[] =
    "WITH told AS (SELECT account, plan, charge, discount, estimated FROM aws_support_charge WHERE payer = $1 AND "
    "period = $2),"
    " h AS (SELECT c.* FROM charge c JOIN current_run r ON r.run_id = c.run_id WHERE r.payer = $1 AND r.period = $2 AND "
    "c.period = $2),"
    " line AS (SELECT * FROM h WHERE class = 'support' OR (class = 'suspended' AND product ILIKE '%support%')"
    "   OR (class = 'provider_discount' AND product IN (SELECT product FROM h WHERE class = 'support'))),"
    " lines AS (SELECT CASE WHEN product ILIKE '%enterprise%' AND EXISTS (SELECT FROM told WHERE account = '') THEN '' "
    "ELSE account END AS account,"
    "   currency, min(product) AS product, sum(payer_amount) AS net, coalesce(sum(payer_amount) FILTER (WHERE class <> "
    "'provider_discount'), 0) AS gross FROM line GROUP BY 1, 2),"
    " fees AS (SELECT l ->> 'account' AS account, s.currency AS fee_currency, string_agg(DISTINCT l ->> 'usage_type', "
    "', ') AS plan_group, sum((l ->> 'amount')::numeric) AS fee"
    "   FROM statement s, jsonb_array_elements(s.document::jsonb -> 'lines') l WHERE s.lane = $3 AND s.period = $2 AND "
    "s.kind = 'statement' AND s.state <> 'void' AND $1 = ANY (s.payers)"
    "   AND l ->> 'class' = 'support' AND l ->> 'product' = 'AWSSupport' AND (l ->> 'account' = '' OR l ->> 'account' "
    "IN (SELECT account FROM h)) GROUP BY 1, 2)"
    " SELECT account, told.plan, plan_group, trim_scale(charge), trim_scale(net), trim_scale(fee), trim_scale(gross), "
    "trim_scale(discount), coalesce(estimated, false), currency, product, fee_currency,"
    " EXISTS (SELECT FROM current_run WHERE payer = $1 AND period = $2), EXISTS (SELECT FROM told WHERE account = '')"
    " FROM told FULL JOIN lines USING (account) FULL JOIN fees USING (account) ORDER BY account COLLATE \"C\", currency, "
    "fee_currency";

typedef struct figures {
    bool told, in_report, has_fee, has_group, estimated, has_run, has_enterprise;
    cm_decimal charge, net, gross, fee, discount, difference;
} figures;

static cm_decimal take(const cm_rows *rows, int row, int column, bool *ret_there)
{
    cm_decimal value = CM_DECIMAL_ZERO;
    *ret_there = !cm_rows_null(rows, row, column);
    if (*ret_there)
        (void)cm_decimal_parse(cm_slice_of(cm_rows_text(rows, row, column)), &value);
    return value;
}

static bool is_sum(cm_decimal sum, cm_decimal a, cm_decimal b)
{
    cm_decimal both;
    return cm_decimal_add(a, b, &both) && cm_decimal_equal(sum, both);
}

static bool within_a_cent(cm_decimal value)
{
    cm_decimal cents;
    return cm_decimal_multiply_half_even(value, cm_decimal_from_i64(100), &cents) &&
           cm_decimal_compare(cents, cm_decimal_from_i64(-1)) >= 0 &&
           cm_decimal_compare(cents, cm_decimal_from_i64(1)) <= 0;
}

static enum cm_support_cause cause_of(const figures *f)
{
    if (!f->told && !f->in_report)
        return f->has_fee && !cm_decimal_is_zero(f->fee) && !f->has_enterprise ? CM_SUPPORT_FEE_ONLY
                                                                               : CM_SUPPORT_AGREES;
    if (cm_decimal_is_zero(f->difference))
        return f->has_group || cm_decimal_is_zero(f->charge) ? CM_SUPPORT_AGREES : CM_SUPPORT_NO_GROUP;
    if (!f->in_report)
        return f->has_run ? CM_SUPPORT_NOT_IN_REPORT : CM_SUPPORT_MISSING_DELIVERY;
    if (!f->told)
        return CM_SUPPORT_NOT_LISTED;
    if (!cm_decimal_is_zero(f->discount) &&
        (is_sum(f->net, f->charge, f->discount) || is_sum(f->charge, f->net, f->discount) ||
         cm_decimal_equal(f->gross, f->charge)))
        return CM_SUPPORT_DISCOUNT;
    if (within_a_cent(f->difference))
        return CM_SUPPORT_ROUNDING;
    return f->estimated ? CM_SUPPORT_ESTIMATED : CM_SUPPORT_UNEXPLAINED;
}

static const char *plan_of(const cm_rows *rows, int row)
{
    if (!*cm_rows_text(rows, row, 0) && !cm_rows_null(rows, row, 1))
        return "enterprise";
    const char *name = cm_rows_text(rows, row, 1);
    if (cm_rows_null(rows, row, 1))
        return cm_rows_null(rows, row, 10) ? NULL : cm_support_plan_observed(NULL, cm_rows_text(rows, row, 10));
    const char *plan = cm_support_plan_told(name);
    return plan ? plan : name;
}

static bool pass_on(const cm_rows *rows, int i, cm_on_support_row each, void *opaque, cm_error *err)
{
    figures f = {.estimated = cm_rows_bool(rows, i, 8),
                 .has_group = !cm_rows_null(rows, i, 2),
                 .has_run = cm_rows_bool(rows, i, 12),
                 .has_enterprise = cm_rows_bool(rows, i, 13)};
    bool some;
    f.charge = take(rows, i, 3, &f.told);
    f.net = take(rows, i, 4, &f.in_report);
    f.fee = take(rows, i, 5, &f.has_fee);
    f.gross = take(rows, i, 6, &some);
    f.discount = take(rows, i, 7, &some);
    if (!cm_decimal_subtract(f.charge, f.net, &f.difference))
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "support of account %s does not fit an amount",
                       cm_rows_text(rows, i, 0));
    const char *text[12];
    for (int c = 0; c < 12; c++)
        text[c] = cm_rows_null(rows, i, c) ? NULL : cm_rows_text(rows, i, c);
    char difference[CM_DECIMAL_TEXT];
    cm_decimal_print(f.difference, difference);
    each(opaque, &(cm_support_row){.account = text[0],
                                   .plan = plan_of(rows, i),
                                   .group = text[2],
                                   .aws_charge = text[3],
                                   .lines = text[4],
                                   .fee = text[5],
                                   .currency = text[9],
                                   .fee_currency = text[11],
                                   .difference = f.told || f.in_report ? difference : NULL,
                                   .cause = cause_of(&f)});
    return true;
}

/* Did AWS ever answer for the month? */
static bool was_read(cm_pg *pg, const char *const *values, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT good_at IS NOT NULL OR EXISTS (SELECT FROM aws_support_charge WHERE payer = $1 AND "
                     "period = $2), detail FROM aws_support_look WHERE payer = $1 AND period = $2",
                     2, values, &rows, err))
        return false;
    bool known = cm_rows_count(rows) > 0, good = known && cm_rows_bool(rows, 0, 0);
    if (!good)
        cm_fail(err, CM_ERROR_NOT_FOUND, "NOT_READ",
                known ? "AWS did not tell the support charges of payer %s in %s: %s"
                      : "AWS was not asked for the support charges of payer %s in %s: org-linker asks for payers with "
                        "`access`, for the present month and the one before%s",
                values[0], values[1], known ? cm_rows_text(rows, 0, 1) : "");
    cm_rows_free(rows);
    return good;
}

bool cm_store_support_report(cm_pg *pg, const cm_payer *payer, cm_period period, cm_on_support_row each, void *opaque,
                             cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    const char *values[] = {payer->id, cm_period_print(period, month), payer->lane};
    cm_rows *rows = NULL;
    if (!was_read(pg, values, err) || !cm_pg_query(pg, sql, 3, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = pass_on(rows, i, each, opaque, err);
    cm_rows_free(rows);
    return done;
}
