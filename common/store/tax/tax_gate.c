/*
 * TAX_HOLD: blocks documents with AWS charges of accounts whose verdict is not OK (T05). A payer whose model has no
 * inheritance rule does not block (T07). Neither does one for which the catalog configures no check, and the gate says
 * so. Everything else that is unknown blocks: a payer not checked yet, an answer that is too old, an account that AWS
 * did not list. The amount at risk is what AWS charges the payer for these accounts, the base of its tax. The reseller
 * is responsible, and may override the gate (T06).
 */
#include "platform/postgres/array.h"
#include "store/tax/tax_store.h"

#include <stdlib.h>

enum { PAYER, VERDICT, ACCOUNTS, COUNT, AMOUNT, DETAIL };

/* One row for each payer and verdict that blocks. $1 lane, $2 period, $3 customers, $4 currency, $5 now, $6 payers
 * whose models have the rule, $7 those of them that are checked. */
static bool ask(cm_pg *pg, const cm_tax_gate *gate, const char *payers, const char *checked, cm_rows **ret,
                cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    cm_buffer sql = {0};
    const char *values[] = {gate->lane, gate->month, gate->customers, gate->currency, cm_instant_print(gate->now, at),
                            payers,     checked};
    cm_buffer_printf(
        &sql,
        "WITH charged AS (SELECT r.payer, h.account, sum(h.payer_amount) AS amount FROM %s c JOIN run r ON r.id = "
        "c.run_id"
        "  JOIN charge h ON h.period = $2 AND h.run_id = r.id WHERE c.lane = $1 AND c.period = $2 AND r.payer = ANY "
        "($6::text[])"
        "  AND h.customer = ANY ($3::text[]) AND h.currency = $4 AND h.class NOT IN ('tax', 'suspended') AND "
        "h.payer_amount <> 0"
        "  GROUP BY r.payer, h.account),"
        " judged AS (SELECT c.*, CASE WHEN c.payer <> ALL ($7::text[]) THEN 'NOT_ASKED_FOR' WHEN p.payer IS NULL THEN "
        "'NOT_CHECKED'"
        "  WHEN w.verdict <> 'NOT_READABLE' AND coalesce(p.fresh_until <= $5, true) THEN 'STALE'"
        "  WHEN w.verdict = 'NOT_APPLICABLE' THEN w.verdict"
        "  ELSE coalesce(v.verdict, 'NOT_LISTED') END AS verdict, coalesce(v.detail, w.detail, '') AS detail FROM "
        "charged c"
        "  LEFT JOIN tax_payer p ON p.payer = c.payer LEFT JOIN tax_verdict w ON w.payer = c.payer AND w.account = "
        "c.payer"
        "  LEFT JOIN tax_verdict v ON v.payer = c.payer AND v.account = c.account)"
        " SELECT payer, verdict, array_to_string((array_agg(account ORDER BY account))[1:10], ', '), count(*),"
        " trim_scale(sum(amount)), min(detail) FROM judged WHERE verdict NOT IN ('OK', 'NOT_APPLICABLE')"
        " GROUP BY payer, verdict ORDER BY payer, verdict",
        gate->runs_of);
    bool done = cm_pg_query(pg, sql.data, 7, values, ret, err);
    cm_buffer_free(&sql);
    return done;
}

/* Problems of the payer as a whole are reported once; for accounts, the accounts are listed. */
static void append_problem(const cm_rows *rows, int row, const char *currency, cm_buffer *ret)
{
    const char *verdict = cm_rows_text(rows, row, VERDICT);
    int64_t count = cm_rows_i64(rows, row, COUNT);
    cm_buffer_printf(ret, "%spayer %s: %s of account%s %s", ret->length ? "; " : "", cm_rows_text(rows, row, PAYER),
                     verdict, count == 1 ? "" : "s", cm_rows_text(rows, row, ACCOUNTS));
    if (count > 10)
        cm_buffer_printf(ret, " and %lld more", (long long)count - 10);
    cm_buffer_printf(ret, ", %s %s of AWS charges at risk", cm_rows_text(rows, row, AMOUNT), currency);
    if (strcmp(verdict, "NOT_CHECKED") == 0)
        cm_buffer_text(ret, " (tax-inheritance-checker has not looked at it yet)");
    else if (strcmp(verdict, "NOT_LISTED") == 0)
        cm_buffer_text(ret, " (AWS did not list it among the payer's accounts)");
    else if (strcmp(verdict, "NOT_READABLE") == 0)
        cm_buffer_printf(ret, " (%s)", cm_rows_text(rows, row, DETAIL));
}

static const char not_asked_for[] = "the catalog gives no tax profile and no access for this payer";

bool cm_store_tax_hold(cm_pg *pg, const cm_tax_gate *gate, bool *ret_open, cm_buffer *ret_detail, cm_error *err)
{
    const cm_distributor *distributor = cm_catalog_distributor(gate->catalog, gate->lane);
    cm_buffer payers = {0}, checked = {0}, unwatched = {0};
    cm_rows *rows = NULL;
    for (size_t i = 0; i < gate->catalog->payer_count; i++) {
        const cm_payer *payer = &gate->catalog->payers[i];
        if (strcmp(payer->lane, gate->lane) != 0 || !payer->model->payees_inherit_tax)
            continue;
        cm_array_text(&payers, payer->id);
        if (cm_tax_is_checked(payer, distributor))
            cm_array_text(&checked, payer->id);
    }
    bool done = !payers.length || ask(pg, gate, cm_array_end(&payers), cm_array_end(&checked), &rows, err);
    for (int i = 0; done && rows && i < cm_rows_count(rows); i++) {
        if (strcmp(cm_rows_text(rows, i, VERDICT), "NOT_ASKED_FOR") == 0)
            cm_buffer_printf(&unwatched, "; tax settings of payer %s are not checked: %s", cm_rows_text(rows, i, PAYER),
                             not_asked_for);
        else
            append_problem(rows, i, gate->currency, ret_detail);
    }
    *ret_open = ret_detail->length == 0;
    if (!*ret_open)
        cm_buffer_text(
            ret_detail,
            "; see `curmill tax status`, fix the tax settings in AWS, then run `curmill tax check --payer P`");
    else if (!payers.length)
        cm_buffer_text(ret_detail, "not applicable: the payer model has no tax inheritance");
    else if (!unwatched.length)
        cm_buffer_text(ret_detail, "AWS taxes these charges as the distributor requires");
    if (unwatched.length)
        cm_buffer_text(ret_detail, unwatched.data + (*ret_open ? 2 : 0));
    cm_rows_free(rows);
    cm_buffer_free(&payers);
    cm_buffer_free(&checked);
    cm_buffer_free(&unwatched);
    return done;
}
