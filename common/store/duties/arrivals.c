/* DELIVERY_LATE, DAY_MISSING, PAYER_SILENT, DELIVERY_SHRANK, DELIVERY_FAILED (statements.md section 6). */
#include "store/duties/internal.h"

#include <stdio.h>
#include <string.h>

enum {
    SILENT_DAYS = 3,        /* after the month began */
    DAY_MISSING_HOURS = 48, /* AWS adds lines to a day for about so long */
};
#define HOUR (CM_DAY / 24)

static void look_command(const char *what, const char *payer, const char *month, char ret[static 160])
{
    snprintf(ret, 160, "curmill %s list --payer %s --period %s", what, payer, month);
}

/* The newest delivery of each payer and month, where it failed or is held: somebody has to decide. */
static bool failed_or_held(const duties *d, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(d->pg,
                     "SELECT DISTINCT ON (payer, period) payer, lane, period, id, state, error_file, error_text,"
                     " (extract(epoch FROM discovered_at) * 1000000)::bigint FROM delivery"
                     " WHERE state NOT IN ('superseded', 'dismissed') ORDER BY payer, period, seq DESC",
                     0, NULL, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        bool failed = strcmp(cm_rows_text(rows, i, 4), "failed") == 0;
        if (!failed && strcmp(cm_rows_text(rows, i, 4), "held") != 0)
            continue;
        const char *id = cm_rows_text(rows, i, 3);
        duty what = {.code = failed ? "DELIVERY_FAILED" : "DELIVERY_SHRANK",
                     .payer = cm_rows_text(rows, i, 0),
                     .lane = cm_rows_text(rows, i, 1),
                     .period = cm_rows_text(rows, i, 2),
                     .object = id,
                     .since = cm_rows_i64(rows, i, 7)};
        cm_buffer detail = {0};
        char command[160];
        if (*cm_rows_text(rows, i, 5))
            cm_buffer_printf(&detail, "file %s: ", cm_rows_text(rows, i, 5));
        cm_buffer_text(&detail, cm_rows_text(rows, i, 6));
        if (failed)
            cm_buffer_text(&detail, "; deliver it again, or dismiss it");
        snprintf(command, sizeof command, "curmill delivery %s %s --by WHO --reason TEXT",
                 failed ? "dismiss" : "accept", id);
        duties_add(d, &what, detail.data, command);
        cm_buffer_free(&detail);
    }
    cm_rows_free(rows);
    return true;
}

/* An open month that has deliveries, and no new one for a while. */
static bool late(const duties *d, cm_error *err)
{
    char at[CM_INSTANT_TEXT], hours[24];
    snprintf(hours, sizeof hours, "%lld", (long long)d->order->late_hours);
    const char *values[] = {cm_instant_print(d->order->now, at), hours};
    cm_rows *rows = NULL;
    if (!cm_pg_query(d->pg,
                     "SELECT x.payer, x.lane, x.period, (extract(epoch FROM x.newest) * 1000000)::bigint FROM"
                     " (SELECT payer, lane, period, max(discovered_at) AS newest FROM delivery GROUP BY 1, 2, 3) x"
                     " LEFT JOIN billing_period b ON b.payer = x.payer AND b.period = x.period"
                     " WHERE coalesce(b.state, 'open') IN ('open', 'estimated')"
                     " AND x.newest + $2::int * interval '1 hour' < $1::timestamptz",
                     2, values, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        const cm_payer *payer = cm_catalog_payer(d->order->catalog, cm_rows_text(rows, i, 0));
        if (!payer)
            continue;
        duty what = {.code = "DELIVERY_LATE",
                     .payer = payer->id,
                     .lane = cm_rows_text(rows, i, 1),
                     .period = cm_rows_text(rows, i, 2),
                     .since = cm_rows_i64(rows, i, 3) + d->order->late_hours * HOUR};
        char detail[256], command[160], newest[CM_INSTANT_TEXT];
        snprintf(
            detail, sizeof detail,
            "the newest delivery came at %s, more than %lld hours ago, and the month is still open: %s",
            cm_instant_print(cm_rows_i64(rows, i, 3), newest), (long long)d->order->late_hours,
            payer->source
                ? "does the report still arrive in the bucket, and can ingest-cur read it?"
                : "upload the newest report (`curmill ingest --file FILE --payer PAYER --period YYYY-MM`), or settle the month");
        look_command("delivery", what.payer, what.period, command);
        duties_add(d, &what, detail, command);
    }
    cm_rows_free(rows);
    return true;
}

/* A day without any line between days that have some, in a month that is not settled. */
static bool day_missing(const duties *d, cm_error *err)
{
    char until[CM_INSTANT_TEXT];
    const char *values[] = {cm_instant_print(d->order->now - DAY_MISSING_HOURS * HOUR, until)};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            d->pg,
            "SELECT c.payer, c.lane, c.period, string_agg(to_char(g.day, 'YYYY-MM-DD'), ', ' ORDER BY g.day),"
            " (extract(epoch FROM min(g.day) + interval '1 day') * 1000000)::bigint"
            " FROM current_run c LEFT JOIN billing_period b ON b.payer = c.payer AND b.period = c.period,"
            " LATERAL (SELECT min(day) AS first, max(day) AS last FROM charge_day WHERE period = c.period AND run_id = "
            "c.run_id) r, LATERAL generate_series(r.first, r.last, interval '1 day') g (day)"
            " WHERE coalesce(b.state, 'open') NOT IN ('settled', 'closed') AND g.day + interval '1 day' <= $1::timestamptz"
            " AND NOT EXISTS (SELECT FROM charge_day x WHERE x.period = c.period AND x.run_id = c.run_id AND x.day = "
            "g.day::date) GROUP BY 1, 2, 3",
            1, values, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        duty what = {.code = "DAY_MISSING",
                     .payer = cm_rows_text(rows, i, 0),
                     .lane = cm_rows_text(rows, i, 1),
                     .period = cm_rows_text(rows, i, 2),
                     .since = cm_rows_i64(rows, i, 4) + DAY_MISSING_HOURS * HOUR};
        cm_buffer detail = {0};
        char command[160];
        cm_buffer_printf(&detail, "no line at all on %s, between days that have some: is a file of the report missing?",
                         cm_rows_text(rows, i, 3));
        look_command("delivery", what.payer, what.period, command);
        duties_add(d, &what, detail.data, command);
        cm_buffer_free(&detail);
    }
    cm_rows_free(rows);
    return true;
}

static bool was_delivered(const duties *d, const char *payer, const char *month, bool *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    const char *values[] = {payer, month};
    if (!cm_pg_query(d->pg, "SELECT FROM delivery WHERE payer = $1 AND period = $2 LIMIT 1", 2, values, &rows, err))
        return false;
    *ret = cm_rows_count(rows) > 0;
    cm_rows_free(rows);
    return true;
}

/* Nothing ever arrived for a month that began some days ago, although accounts of customers stand under the payer. */
static bool silent(const duties *d, cm_error *err)
{
    cm_period period = cm_period_of(d->order->now);
    for (int back = 0; back < CM_DUTIES_MONTHS; back++, period = cm_period_previous(period)) {
        cm_instant since = cm_period_start(period) + SILENT_DAYS * CM_DAY;
        char month[CM_PERIOD_TEXT];
        cm_period_print(period, month);
        for (size_t i = 0; since <= d->order->now && i < d->order->catalog->payer_count; i++) {
            const cm_payer *payer = &d->order->catalog->payers[i];
            bool delivered;
            if (!cm_payer_reports(payer, period) || !duties_has_link(d->order->catalog, payer->id, period))
                continue;
            if (!was_delivered(d, payer->id, month, &delivered, err))
                return false;
            if (delivered)
                continue;
            duty what = {
                .code = "PAYER_SILENT", .payer = payer->id, .lane = payer->lane, .period = month, .since = since};
            char command[160];
            snprintf(command, sizeof command, "curmill ingest --payer %s --period %s --wait", payer->id, month);
            duties_add(d, &what,
                       "no delivery at all, although the month began more than 3 days ago and customers have accounts "
                       "under this payer: is the report set up, and does `source` of the Payer point at it? If no "
                       "report comes for this month, say so in the catalog: `reports: {from: YYYY-MM}` or `none: true`",
                       command);
        }
    }
    return true;
}

bool duties_arrivals(const duties *d, cm_error *err)
{
    return failed_or_held(d, err) && late(d, err) && day_missing(d, err) && silent(d, err);
}
