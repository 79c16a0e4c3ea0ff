/*
 * Alerts about discounts that stand in columns (rating.md section 2a): DISCOUNT_UNEXPLAINED, DISCOUNT_TWICE,
 * DISCOUNT_COLUMNS_DISAGREE. They are made of what ingest-cur told of each file at its end.
 */
#include "alerting.h"

#include <stdlib.h>

/* The two sums of one currency, by columns and by lines. */
typedef struct pair {
    char currency[8];
    cm_decimal columns, lines;
    bool any; /* there is something to compare */
} pair;

typedef struct pairs {
    pair *list;
    size_t count;
} pairs;

static bool overflow(cm_error *err)
{
    return cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "the sum of the month's discounts is too large");
}

/* --- DISCOUNT_UNEXPLAINED ---------------------------------------------------------------------------------------- */

static bool tell_row(const cm_alerting *a, const cm_rows *rows, int i, cm_error *err)
{
    char object[64], detail[600];
    const char *chunk = cm_rows_text(rows, i, 0), *row = cm_rows_text(rows, i, 2);
    snprintf(object, sizeof object, "%s:%s", chunk, row);
    snprintf(detail, sizeof detail,
             "file %.200s, row %s: the values of its discount do not add up to %s %s, which is priced as a line of "
             "type Discount; see `curmill explain --payer %s --period %s --line %s`",
             cm_rows_text(rows, i, 1), row, cm_rows_text(rows, i, 3), cm_rows_text(rows, i, 4), a->facts.payer,
             a->period, object);
    return cm_alert_add(a, "DISCOUNT_UNEXPLAINED", object, detail, err);
}

static bool unexplained(const cm_alerting *a, cm_error *err)
{
    cm_rows *rows = NULL, *all = NULL;
    bool done =
        cm_alert_query(a,
                       "SELECT k.chunk, coalesce(f.name, k.chunk::text), x->>'row', x->>'amount', x->>'currency'"
                       " FROM run_chunk k JOIN run r ON r.id = k.run_id AND r.period = $2"
                       " LEFT JOIN chunk f ON f.delivery_id = r.delivery_id AND f.chunk = k.chunk,"
                       " jsonb_array_elements(k.discounts->'unexplained') x WHERE k.run_id = $1"
                       " ORDER BY k.chunk, (x->>'row')::bigint LIMIT 100",
                       &rows, err) &&
        cm_alert_query(a,
                       "SELECT coalesce(sum((discounts->>'unexplained_lines')::bigint), 0) FROM run_chunk"
                       " WHERE run_id = $1 AND $2 <> ''",
                       &all, err);
    int told = done ? cm_rows_count(rows) : 0;
    for (int i = 0; done && i < told; i++)
        done = tell_row(a, rows, i, err);
    if (done && cm_rows_i64(all, 0, 0) > told) {
        char detail[200];
        snprintf(detail, sizeof detail, "%lld rows more; all of them are priced as lines of type Discount",
                 (long long)(cm_rows_i64(all, 0, 0) - told));
        done = cm_alert_add(a, "DISCOUNT_UNEXPLAINED", "more", detail, err);
    }
    cm_rows_free(rows);
    cm_rows_free(all);
    return done;
}

/* --- the other two ------------------------------------------------------------------------------------------------ */

static pair *pair_of(pairs *p, const char *currency)
{
    size_t i = 0;
    while (i < p->count && strcmp(p->list[i].currency, currency) != 0)
        i++;
    if (i == p->count) {
        p->list = cm_realloc(p->list, (p->count + 1) * sizeof *p->list);
        p->list[p->count] = (pair){0};
        snprintf(p->list[p->count++].currency, sizeof p->list->currency, "%s", currency);
    }
    return &p->list[i];
}

static bool is_discount(const cm_alerting *a, const char *type)
{
    enum cm_class class;
    return cm_class_of_type(a->catalog, cm_slice_of(type), &class) &&
           (class == CM_CLASS_PROVIDER_DISCOUNT || class == CM_CLASS_BUNDLED_DISCOUNT);
}

/* Type, currency, what was derived, the rows without a net value; of legacy reports the rows with one. */
static const char sums_sql[] =
    "SELECT x->>'type', x->>'currency', sum((x->>'derived_lines')::bigint), sum((x->>'derived')::numeric),"
    " sum((x->>'lines_without_net')::bigint), sum((x->>'without_net')::numeric),"
    " sum((x->>'lines_with_net')::bigint), sum((x->>'net_difference')::numeric)"
    " FROM run_chunk k, jsonb_array_elements(k.discounts->'sums') x WHERE k.run_id = $1 AND $2 <> ''"
    " GROUP BY 1, 2 ORDER BY 2, 1";

static bool add_sums(const cm_alerting *a, const cm_rows *rows, pairs *twice, pairs *repeated, cm_error *err)
{
    for (int i = 0; i < cm_rows_count(rows); i++) {
        const char *type = cm_rows_text(rows, i, 0), *currency = cm_rows_text(rows, i, 1);
        if (cm_rows_i64(rows, i, 2) && cm_rows_i64(rows, i, 4)) {
            pair *p = pair_of(twice, currency);
            p->any = true;
            if (!cm_decimal_accumulate(&p->columns, cm_rows_decimal(rows, i, 3)) ||
                !cm_decimal_accumulate(&p->lines, cm_rows_decimal(rows, i, 5)))
                return overflow(err);
        }
        if (cm_rows_i64(rows, i, 6) && !is_discount(a, type)) {
            pair *p = pair_of(repeated, currency);
            p->any = true;
            if (!cm_decimal_accumulate(&p->columns, cm_rows_decimal(rows, i, 7)))
                return overflow(err);
        }
    }
    return true;
}

/* The discount lines of the report, in files with the net column and in others. */
static bool add_discount_lines(const cm_alerting *a, pairs *repeated, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_alert_query(
            a,
            "SELECT line_item_type, currency, sum(payer_amount) FROM charge WHERE run_id = $1 AND period = $2"
            " GROUP BY line_item_type, currency",
            &rows, err))
        return false;
    bool fits = true;
    for (int i = 0; fits && i < cm_rows_count(rows); i++)
        fits = !is_discount(a, cm_rows_text(rows, i, 0)) ||
               cm_decimal_accumulate(&pair_of(repeated, cm_rows_text(rows, i, 1))->lines, cm_rows_decimal(rows, i, 2));
    cm_rows_free(rows);
    return fits || overflow(err);
}

static void both_sums(const pair *p, char into[static 2 * CM_DECIMAL_TEXT + 64])
{
    char columns[CM_DECIMAL_TEXT], lines[CM_DECIMAL_TEXT];
    cm_decimal_print(p->columns, columns);
    cm_decimal_print(p->lines, lines);
    snprintf(into, 2 * CM_DECIMAL_TEXT + 64, "%s %s in columns, %s %s in lines of their own", columns, p->currency,
             lines, p->currency);
}

static bool tell_twice(const cm_alerting *a, const pairs *twice, cm_error *err)
{
    for (size_t i = 0; i < twice->count; i++) {
        char sums[2 * CM_DECIMAL_TEXT + 64], detail[400];
        both_sums(&twice->list[i], sums);
        snprintf(detail, sizeof detail,
                 "the report has discounts of one type twice, and the lines have no net value: %s; both are counted: "
                 "ask AWS which of the two holds, before anything is issued",
                 sums);
        if (!cm_alert_add(a, "DISCOUNT_TWICE", twice->list[i].currency, detail, err))
            return false;
    }
    return true;
}

static bool differs(const pair *p, bool *ret)
{
    cm_decimal difference, tolerance, low;
    bool valid = cm_decimal_parse_strict(cm_slice_of("0.01"), &tolerance) && cm_decimal_negate(tolerance, &low);
    cm_assert(valid);
    if (!cm_decimal_subtract(p->columns, p->lines, &difference))
        return false;
    *ret = cm_decimal_compare(difference, tolerance) > 0 || cm_decimal_compare(difference, low) < 0;
    return true;
}

static bool tell_repeated(const cm_alerting *a, const pairs *repeated, cm_error *err)
{
    for (size_t i = 0; i < repeated->count; i++) {
        const pair *p = &repeated->list[i];
        char sums[2 * CM_DECIMAL_TEXT + 64], detail[400];
        bool disagree = false;
        if (p->any && !differs(p, &disagree))
            return overflow(err);
        if (!disagree)
            continue;
        both_sums(p, sums);
        snprintf(detail, sizeof detail,
                 "the discounts that the report's columns repeat are not those of its lines: %s; only lines are "
                 "counted: compare with AWS's invoice",
                 sums);
        if (!cm_alert_add(a, "DISCOUNT_COLUMNS_DISAGREE", p->currency, detail, err))
            return false;
    }
    return true;
}

bool cm_discount_alerts(const cm_alerting *a, cm_error *err)
{
    cm_rows *rows = NULL;
    pairs twice = {0}, repeated = {0};
    if (!cm_alert_query(a, sums_sql, &rows, err))
        return false;
    bool done =
        cm_rows_count(rows) == 0 ||
        (add_sums(a, rows, &twice, &repeated, err) && (!repeated.count || add_discount_lines(a, &repeated, err)) &&
         tell_twice(a, &twice, err) && tell_repeated(a, &repeated, err) && unexplained(a, err));
    cm_rows_free(rows);
    free(twice.list);
    free(repeated.list);
    return done;
}
