#include "store/ledgers/discount_store.h"

#include "billing/payer_model/payer_model.h"

#include <stdio.h>
#include <stdlib.h>

/* --- earned ------------------------------------------------------------------------------------------------------ */

typedef struct earning {
    const char *payer, *period, *lane, *run, *due;
} earning;

/* The run's rows replace those of the previous run. */
static bool earn(cm_pg *pg, const earning *e, cm_error *err)
{
    const char *values[] = {e->payer, e->period, e->run};
    const char *month[] = {e->payer, e->period, e->lane, e->run, e->due};
    if (!cm_pg_query(pg, "DELETE FROM discount_earned WHERE payer = $1 AND period = $2", 2, values, NULL, err) ||
        !cm_pg_query(pg,
                     "INSERT INTO discount_month (payer, period, lane, run_id, due_period, pending) VALUES ($1, $2, "
                     "$3, $4, $5, $5 <> '')"
                     " ON CONFLICT (payer, period) DO UPDATE SET lane = excluded.lane, run_id = excluded.run_id, "
                     "due_period = excluded.due_period,"
                     " applied_to = '', pending = true",
                     5, month, NULL, err))
        return false;
    return !*e->due ||
           cm_pg_query(
               pg,
               "INSERT INTO discount_earned (payer, period, customer, account, product, line_item_type, currency, "
               "lines, example_chunk,"
               " example_row, amount) SELECT $1, $2, customer, account, product, line_item_type, currency, sum(lines + derived_lines),"
               " (array_agg(example_chunk ORDER BY example_chunk, example_row))[1],"
               " (array_agg(example_row ORDER BY example_chunk, example_row))[1], -sum(payer_amount) FROM charge"
               " WHERE period = $2 AND run_id = $3 AND class = 'provider_discount'"
               " GROUP BY customer, account, product, line_item_type, currency",
               3, values, NULL, err);
}

/* The first month that may credit it, "" if this payer's model credits nothing in arrears. */
static bool due_month(const char *model_name, const char *period, char ret[static CM_PERIOD_TEXT])
{
    const cm_payer_model *model = cm_payer_model_find(model_name);
    cm_period month;
    ret[0] = '\0';
    if (!cm_period_parse(cm_slice_of(period), &month))
        return false;
    if (!model || model->provider_discount_arrears == 0)
        return true;
    for (int i = 0; i < model->provider_discount_arrears; i++)
        month = cm_period_next(month);
    cm_period_print(month, ret);
    return true;
}

/* Months whose current run differs from the ledger's. */
static bool refresh_earned(cm_pg *pg, const char *payer, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT n.period, n.lane, n.run_id, coalesce(c.content::jsonb #>> ARRAY['Payer', n.payer, "
                     "'model'], '') FROM newest_run n"
                     " JOIN run r ON r.id = n.run_id JOIN catalog_version c ON c.id = r.catalog_id"
                     " LEFT JOIN discount_month d ON d.payer = n.payer AND d.period = n.period"
                     " WHERE n.payer = $1 AND d.run_id IS DISTINCT FROM n.run_id ORDER BY n.period",
                     1, (const char *[]){payer}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        char due[CM_PERIOD_TEXT];
        earning e = {payer, cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2), due};
        bool valid = due_month(cm_rows_text(rows, i, 3), e.period, due);
        cm_assert(valid);
        done = earn(pg, &e, err);
    }
    cm_rows_free(rows);
    return done;
}

/* --- applied ----------------------------------------------------------------------------------------------------- */

#define KEYS "customer, account, product, line_item_type, currency"

/* The part of a month that settled months have not applied goes to its target; without a target it stays open. */
static bool apply_month(cm_pg *pg, const char *payer, const char *period, const char *target, cm_error *err)
{
    const char *values[] = {payer, period, target};
    return cm_pg_query(pg,
                       "DELETE FROM discount_applied WHERE payer = $1 AND earned_period = $2 AND NOT "
                       "curmill_is_settled(payer, applied_period)",
                       2, values, NULL, err) &&
           cm_pg_query(
               pg,
               "WITH fixed AS (SELECT " KEYS
               ", sum(amount) AS amount FROM discount_applied WHERE payer = $1 AND earned_period = $2"
               "   GROUP BY " KEYS "),"
               " earned AS (SELECT " KEYS ", amount FROM discount_earned WHERE payer = $1 AND period = $2),"
               " differs AS (SELECT " KEYS ", coalesce(e.amount, 0) - coalesce(f.amount, 0) AS amount"
               "   FROM earned e FULL JOIN fixed f USING (" KEYS
               ") WHERE coalesce(e.amount, 0) <> coalesce(f.amount, 0)),"
               " added AS (INSERT INTO discount_applied (payer, applied_period, earned_period, lane, run_id, " KEYS
               ", amount)"
               "   SELECT $1, $3, $2, m.lane, m.run_id, d.customer, d.account, d.product, d.line_item_type, "
               "d.currency, d.amount"
               "   FROM differs d JOIN discount_month m ON m.payer = $1 AND m.period = $2 WHERE $3::text <> '')"
               " UPDATE discount_month SET applied_to = $3, pending = EXISTS (SELECT FROM differs) WHERE payer = $1 "
               "AND period = $2",
               3, values, NULL, err);
}

#define TARGET "curmill_discount_target(d.payer, d.due_period)"

static bool apply_pending(cm_pg *pg, const char *payer, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT d.period, " TARGET
                     " FROM discount_month d WHERE d.payer = $1 AND d.pending AND d.due_period <> '' ORDER BY d.period",
                     1, (const char *[]){payer}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = apply_month(pg, payer, cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1), err);
    cm_rows_free(rows);
    /* The model no longer credits in arrears: amounts applied in months that are not settled are taken back. */
    return done &&
           cm_pg_query(pg,
                       "WITH gone AS (DELETE FROM discount_applied a USING discount_month d WHERE d.payer = $1 AND "
                       "d.pending AND d.due_period = ''"
                       "   AND a.payer = d.payer AND a.earned_period = d.period AND NOT curmill_is_settled(a.payer, "
                       "a.applied_period))"
                       " UPDATE discount_month SET pending = false WHERE payer = $1 AND pending AND due_period = ''",
                       1, (const char *[]){payer}, NULL, err);
}

bool cm_store_discounts_refresh_payer(cm_pg *pg, const char *payer, cm_error *err)
{
    return cm_pg_query(pg, "SELECT pg_advisory_xact_lock(hashtextextended('discounts ' || $1, 0))", 1,
                       (const char *[]){payer}, NULL, err) &&
           refresh_earned(pg, payer, err) && apply_pending(pg, payer, err);
}

bool cm_store_discounts_reopen(cm_pg *pg, const char *payer, const char *month, cm_error *err)
{
    return cm_pg_query(
               pg,
               "UPDATE discount_month SET pending = true WHERE payer = $1 AND due_period <> '' AND due_period <= $2", 2,
               (const char *[]){payer, month}, NULL, err) &&
           cm_store_discounts_refresh_payer(pg, payer, err);
}

static bool refresh_one(cm_pg *pg, const char *payer, cm_error *err)
{
    bool done = cm_pg_begin(pg, err) && cm_store_discounts_refresh_payer(pg, payer, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

bool cm_store_discounts_refresh(cm_pg *pg, const char *lane, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT n.payer FROM newest_run n LEFT JOIN discount_month d ON d.payer = n.payer AND d.period = n.period"
            " WHERE ($1::text IS NULL OR n.lane = $1) AND d.run_id IS DISTINCT FROM n.run_id"
            " UNION SELECT d.payer FROM discount_month d WHERE ($1::text IS NULL OR d.lane = $1) AND d.pending"
            "   AND d.applied_to <> " TARGET " ORDER BY 1",
            1, (const char *[]){lane}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = refresh_one(pg, cm_rows_text(rows, i, 0), err);
    cm_rows_free(rows);
    return done;
}

/* --- what a month's invoices credit ------------------------------------------------------------------------------ */

bool cm_store_discounts_applied(cm_pg *pg, const char *lane, const char *month, const char *customers,
                                cm_discounts *ret, cm_error *err)
{
    const char *values[] = {lane, month, customers};
    cm_rows *rows = NULL;
    *ret = (cm_discounts){0};
    if (!cm_pg_query(
            pg,
            "SELECT customer, account, product, currency, earned_period, sum(amount) FROM discount_applied WHERE lane "
            "= $1"
            " AND applied_period = $2 AND customer = ANY ($3::text[]) GROUP BY 1, 2, 3, 4, 5 HAVING sum(amount) <> 0"
            " ORDER BY 1, 2, 3, 4, 5",
            3, values, &rows, err))
        return false;
    ret->count = (size_t)cm_rows_count(rows);
    ret->list = cm_alloc((ret->count + 1) * sizeof *ret->list);
    for (int i = 0; i < cm_rows_count(rows); i++)
        ret->list[i] = (cm_discount){.customer = cm_strdup(cm_rows_text(rows, i, 0)),
                                     .account = cm_strdup(cm_rows_text(rows, i, 1)),
                                     .product = cm_strdup(cm_rows_text(rows, i, 2)),
                                     .currency = cm_strdup(cm_rows_text(rows, i, 3)),
                                     .earned = cm_strdup(cm_rows_text(rows, i, 4)),
                                     .amount = cm_rows_decimal(rows, i, 5)};
    cm_rows_free(rows);
    return true;
}

void cm_discounts_free(cm_discounts *discounts)
{
    for (size_t i = 0; i < discounts->count; i++) {
        const cm_discount *d = &discounts->list[i];
        const char *const texts[] = {d->customer, d->account, d->product, d->currency, d->earned};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            free((char *)texts[k]);
    }
    free(discounts->list);
    *discounts = (cm_discounts){0};
}
