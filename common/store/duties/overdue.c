/* STATEMENT_OVERDUE (I08), and the reports that a payer model asks for (N07, N08). */
#include "billing/link/rules.h"
#include "billing/statement/statement.h"
#include "store/duties/internal.h"
#include "store/runs/period_store.h"

#include <stdio.h>
#include <string.h>

/* --- statements -------------------------------------------------------------------------------------------------- */

/* Customers that had charges under the payer and have no issued document; a void one was decided by a person. */
static bool with_charges(cm_pg *pg, const char *payer, const char *month, json_t *into, cm_error *err)
{
    const char *values[] = {payer, month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT DISTINCT h.customer FROM current_run c JOIN charge h ON h.period = c.period AND h.run_id = "
            "c.run_id WHERE c.payer = $1 AND c.period = $2 AND h.customer <> '' AND h.class <> 'suspended'",
            2, values, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++)
        json_object_set_new(into, cm_rows_text(rows, i, 0), json_true());
    cm_rows_free(rows);
    return true;
}

static bool has_run(cm_pg *pg, const char *payer, const char *month, bool *ret, cm_error *err)
{
    const char *values[] = {payer, month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg, "SELECT FROM current_run WHERE payer = $1 AND period = $2", 2, values, &rows, err))
        return false;
    *ret = cm_rows_count(rows) > 0;
    cm_rows_free(rows);
    return true;
}

/* Does this payer's lane bill the customer something fixed in the month? Told under the payers of its accounts. */
static bool has_fixed_charge(const cm_catalog *catalog, const cm_customer *customer, const char *lane, cm_period period)
{
    for (size_t i = 0; i < catalog->custom_charge_count; i++) {
        const cm_custom_charge *charge = &catalog->custom_charges[i];
        if (charge->customer == customer && !charge->is_percent && cm_custom_charge_is_due(charge, lane, period))
            return true;
    }
    return false;
}

static bool drop_decided(cm_pg *pg, const char *lane, const char *month, json_t *customers, cm_error *err)
{
    const char *values[] = {lane, month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT DISTINCT unnest(customers) FROM statement WHERE lane = $1 AND period = $2 AND kind = "
                     "'statement' AND state IN ('issued', 'void')",
                     2, values, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++)
        json_object_del(customers, cm_rows_text(rows, i, 0));
    cm_rows_free(rows);
    return true;
}

/* Keys of the result: the customers of one payer and month without a statement, also those of whom nothing came, and
 * those who only have a fixed charge. */
static bool missing(cm_pg *pg, const cm_catalog *catalog, const char *payer_id, cm_period period, json_t **ret,
                    cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    bool delivered;
    const cm_payer *payer = cm_catalog_payer(catalog, payer_id);
    cm_period_print(period, month);
    *ret = json_object();
    if (!with_charges(pg, payer_id, month, *ret, err) || !has_run(pg, payer_id, month, &delivered, err))
        return false;
    bool nothing_came = !delivered && payer && cm_payer_reports(payer, period);
    size_t count;
    const cm_link *links = duties_links(catalog, payer_id, &count);
    for (size_t i = 0; payer && i < count; i++) {
        const cm_customer *customer = links[i].customer;
        if (duties_link_holds(&links[i], period) && !json_object_get(*ret, customer->id) &&
            (nothing_came || has_fixed_charge(catalog, customer, payer->lane, period)))
            json_object_set_new(*ret, customer->id, json_true());
    }
    return !payer || drop_decided(pg, payer->lane, month, *ret, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool cm_store_overdue_customers(cm_pg *pg, const cm_catalog *catalog, const char *payer, cm_period period, json_t **ret,
                                cm_error *err)
{
    json_t *found, *value;
    const char *key;
    if (!missing(pg, catalog, payer, period, &found, err)) {
        json_decref(found);
        return false;
    }
    size_t count = 0;
    const char **ids = cm_alloc((json_object_size(found) + 1) * sizeof *ids);
    json_object_foreach (found, key, value)
        ids[count++] = key;
    qsort(ids, count, sizeof *ids, by_text);
    *ret = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(*ret, json_string(ids[i]));
    free(ids);
    json_decref(found);
    return true;
}

static void add_overdue(const duties *d, const char *payer, const char *lane, cm_period period, const json_t *customers)
{
    char month[CM_PERIOD_TEXT];
    size_t i;
    json_t *customer;
    cm_period_print(period, month);
    json_array_foreach (customers, i, customer) {
        const char *id = json_string_value(customer);
        duty what = {.code = "STATEMENT_OVERDUE",
                     .payer = payer,
                     .lane = lane,
                     .period = month,
                     .customer = id,
                     .since = cm_period_overdue_from(period)};
        cm_buffer command = {0};
        cm_buffer_printf(&command, "curmill statement list --period %s --customer %s", month, id);
        duties_add(d, &what, "no statement was issued, which was due on the 20th", command.data);
        cm_buffer_free(&command);
    }
}

/* Months with runs, and of every payer the newest months: nothing may ever have come. */
static bool overdue_statements(const duties *d, cm_error *err)
{
    cm_rows *rows = NULL;
    cm_buffer payers = {0}, months = {0};
    char month[CM_PERIOD_TEXT];
    cm_period period = cm_period_of(d->order->now);
    for (int back = 0; back < CM_DUTIES_MONTHS; back++, period = cm_period_previous(period))
        cm_buffer_printf(&months, "%s%s", back ? "," : "{", cm_period_print(period, month));
    cm_buffer_text(&months, "}");
    for (size_t i = 0; i < d->order->catalog->payer_count; i++)
        cm_buffer_printf(&payers, "%s%s", i ? "," : "{", d->order->catalog->payers[i].id);
    cm_buffer_text(&payers, payers.length ? "}" : "{}");
    const char *values[] = {payers.data, months.data};
    bool done = cm_pg_query(d->pg,
                            "SELECT payer, period FROM current_run UNION SELECT p, m FROM unnest($1::text[]) p, "
                            "unnest($2::text[]) m ORDER BY 1, 2",
                            2, values, &rows, err);
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const char *payer_id = cm_rows_text(rows, i, 0);
        const cm_payer *payer = cm_catalog_payer(d->order->catalog, payer_id);
        json_t *customers = NULL;
        bool valid = cm_period_parse(cm_slice_of(cm_rows_text(rows, i, 1)), &period);
        cm_assert(valid);
        if (!payer || d->order->now < cm_period_overdue_from(period) ||
            !duties_wanted(d, payer->lane, payer_id, cm_rows_text(rows, i, 1)))
            continue;
        done = cm_store_overdue_customers(d->pg, d->order->catalog, payer_id, period, &customers, err);
        if (done)
            add_overdue(d, payer_id, payer->lane, period, customers);
        json_decref(customers);
    }
    cm_rows_free(rows);
    cm_buffer_free(&payers);
    cm_buffer_free(&months);
    return done;
}

/* --- reports ----------------------------------------------------------------------------------------------------- */

static bool submitted_at(const duties *d, const char *payer, const char *month, const char *code, cm_instant *ret,
                         cm_error *err)
{
    const char *values[] = {payer, month, code};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            d->pg,
            "SELECT (extract(epoch FROM submitted_at) * 1000000)::bigint FROM end_user_report WHERE payer = $1 "
            "AND period = $2 AND duty = $3",
            3, values, &rows, err))
        return false;
    *ret = cm_rows_count(rows) ? cm_rows_i64(rows, 0, 0) : 0;
    cm_rows_free(rows);
    return true;
}

/* Of the month before this one, from its end on. */
static bool reports_to_distributors(const duties *d, cm_error *err)
{
    cm_period period = cm_period_previous(cm_period_of(d->order->now));
    char month[CM_PERIOD_TEXT];
    cm_period_print(period, month);
    for (size_t i = 0; i < d->order->catalog->payer_count; i++) {
        const cm_payer *payer = &d->order->catalog->payers[i];
        if (!duties_has_link(d->order->catalog, payer->id, period))
            continue;
        for (const cm_payer_duty *owed = payer->model->duties; owed->code; owed++) {
            cm_instant at;
            char detail[512], command[200], due[CM_INSTANT_TEXT];
            if (!submitted_at(d, payer->id, month, owed->code, &at, err))
                return false;
            if (at)
                continue;
            duty what = {.code = owed->code,
                         .payer = payer->id,
                         .lane = payer->lane,
                         .period = month,
                         .since = cm_period_end(period)};
            snprintf(detail, sizeof detail, "%s; due on %s (%s)", owed->what,
                     cm_day_print(cm_day_of(cm_duty_due(owed, period)) - 1, due), owed->rule);
            snprintf(command, sizeof command,
                     "curmill account report --payer %s --period %s --duty %s --submitted --by WHO", payer->id, month,
                     owed->code);
            duties_add(d, &what, detail, command);
        }
    }
    return true;
}

bool duties_overdue(const duties *d, cm_error *err)
{
    return overdue_statements(d, err) && reports_to_distributors(d, err);
}
