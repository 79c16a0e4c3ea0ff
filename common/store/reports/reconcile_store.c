#include "store/reports/reconcile_store.h"

#include "platform/postgres/array.h"
#include "store/building/document_build.h"
#include "store/catalog/link_store.h"

#include <stdlib.h>

typedef struct expecting {
    cm_pg *pg;
    const cm_catalog *catalog;
    const cm_payer *payer;
    cm_period period;
    char month[CM_PERIOD_TEXT];
    const cm_invoice_format *format;
    const char *currency;
    cm_arena *arena;
    cm_expectation *ret;
    size_t capacity;
    const char *own_rates; /* source currency whose rate is reported */
} expecting;

static const char *keep(expecting *e, const char *text)
{
    return cm_arena_strndup(e->arena, text, strlen(text));
}

/* --- is the report complete? ------------------------------------------------------------------------------------- */

static bool load_run(cm_pg *pg, const cm_payer *payer, const char *month, cm_arena *arena, cm_expectation *ret,
                     cm_error *err)
{
    const char *values[] = {payer->id, month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT coalesce((SELECT run_id FROM current_run WHERE payer = $1 AND period = $2), ''),"
                     " coalesce((SELECT d.state || ' (' || d.report || ' ' || d.assembly || ')' || CASE WHEN "
                     "d.error_text <> '' THEN ': ' || d.error_text ELSE '' END"
                     "   FROM delivery d WHERE d.payer = $1 AND d.period = $2 AND d.state IN ('failed', 'planned')"
                     "   AND d.seq > coalesce((SELECT max(g.seq) FROM delivery g JOIN run r ON r.delivery_id = g.id "
                     "JOIN current_run c ON c.run_id = r.id"
                     "     WHERE c.payer = $1 AND c.period = $2), 0) ORDER BY d.seq DESC LIMIT 1), ''),"
                     " coalesce((SELECT state FROM billing_period WHERE payer = $1 AND period = $2), 'open')",
                     2, values, &rows, err))
        return false;
    const char *run = cm_rows_text(rows, 0, 0), *delivery = cm_rows_text(rows, 0, 1), *state = cm_rows_text(rows, 0, 2);
    ret->run = cm_arena_strndup(arena, run, strlen(run));
    if (!*run)
        ret->missing = cm_arena_printf(arena, "there is no usable delivery of %s yet%s%s", month,
                                       *delivery ? "; the newest is " : "", delivery);
    else if (*delivery)
        ret->missing = cm_arena_printf(arena, "the newest delivery is not included: %s", delivery);
    else if (strcmp(state, "estimated") == 0 || strcmp(state, "open") == 0)
        ret->missing = cm_arena_printf(
            arena,
            "the period is %s: AWS has not given every line an invoice id, so the final delivery has not come yet",
            state);
    cm_rows_free(rows);
    return true;
}

bool cm_store_expectation_run(cm_pg *pg, const cm_payer *payer, cm_period period, cm_arena *arena, cm_expectation *ret,
                              cm_error *err)
{
    char month[CM_PERIOD_TEXT];
    *ret = (cm_expectation){.rate = "1"};
    return load_run(pg, payer, cm_period_print(period, month), arena, ret, err);
}

/* --- amounts ----------------------------------------------------------------------------------------------------- */

static cm_expected *add(expecting *e)
{
    cm_expectation *ret = e->ret;
    if (ret->count == e->capacity) {
        e->capacity = e->capacity ? e->capacity * 2 : 256;
        ret->list = cm_realloc(ret->list, e->capacity * sizeof *ret->list);
    }
    ret->list[ret->count] = (cm_expected){.customer = ""};
    return &ret->list[ret->count++];
}

typedef struct rates {
    const cm_fx_rate *distributor, *reseller, *former;
} rates;

static bool find_rates(expecting *e, const char *source, rates *ret, cm_error *err)
{
    cm_period before = cm_period_previous(e->period);
    *ret = (rates){0};
    if (strcmp(source, e->currency) == 0)
        return true;
    e->ret->converted = true;
    ret->distributor = cm_catalog_fx(e->catalog, CM_FX_DISTRIBUTOR, source, e->currency, e->period);
    ret->reseller = cm_catalog_fx(e->catalog, CM_FX_RESELLER, source, e->currency, e->period);
    ret->former = cm_catalog_fx(e->catalog, CM_FX_DISTRIBUTOR, source, e->currency, before);
    if (!ret->distributor)
        return cm_fail(
            err, CM_ERROR_REFUSED, "FX_MISSING",
            "the invoice is in %s and the charges are in %s; add an FxRate of the set `distributor` from %s to "
            "%s for %s (R08), the rate that the "
            "distributor's local team has set",
            e->currency, source, source, e->currency, e->month);
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(ret->distributor->rate, text);
    e->ret->rate = e->own_rates && strcmp(e->own_rates, source) != 0 ? "" : keep(e, text);
    e->own_rates = e->own_rates ? e->own_rates : keep(e, source);
    return true;
}

static bool convert(cm_decimal *amount, const cm_fx_rate *rate)
{
    return !rate || cm_decimal_multiply_half_even(*amount, rate->rate, amount);
}

/* Converts all amounts to the invoice's currency. */
static bool convert_all(cm_expected *x, const rates *rate)
{
    x->at_reseller_rate = x->at_former_rate = x->amount;
    return convert(&x->at_reseller_rate, rate->reseller ? rate->reseller : rate->distributor) &&
           convert(&x->at_former_rate, rate->former ? rate->former : rate->distributor) &&
           convert(&x->amount, rate->distributor) && convert(&x->late, rate->distributor) &&
           convert(&x->payer, rate->distributor) && convert(&x->list, rate->distributor) &&
           convert(&x->suspended, rate->distributor) && convert(&x->support, rate->distributor) &&
           convert(&x->discount, rate->distributor) && convert(&x->arrears, rate->distributor) &&
           convert(&x->credit, rate->distributor) && convert(&x->tax, rate->distributor);
}

static bool too_large(cm_error *err)
{
    return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "an amount became too large while it was converted");
}

/*
 * $1 period, $2 the current run, $3 the newest, $4 the month before, $5 its run, $6 by product, $7 with taxes. A payer
 * model that suppresses AWS's support lines, or leaves provider discounts to the distributor, has set their buy to 0
 * (N04, N12).
 */
static const char charges_sql[] =
    "SELECT account, CASE WHEN $4::boolean THEN product ELSE '' END, currency, min(customer),"
    " coalesce(sum(n) FILTER (WHERE counts), 0), coalesce(sum(buy) FILTER (WHERE counts AND billed), 0),"
    " coalesce(sum(buy) FILTER (WHERE newest AND billed), 0) - coalesce(sum(buy) FILTER (WHERE counts AND billed), 0),"
    " coalesce(sum(payer) FILTER (WHERE counts AND billed AND NOT later), 0), coalesce(sum(list) FILTER (WHERE counts "
    "AND billed AND NOT later), 0),"
    " coalesce(sum(payer) FILTER (WHERE counts AND class = 'suspended'), 0),"
    " coalesce(sum(payer) FILTER (WHERE counts AND class = 'support' AND buy = 0), 0),"
    " coalesce(sum(payer) FILTER (WHERE counts AND class = 'provider_discount' AND buy = 0), 0),"
    " coalesce(sum(buy) FILTER (WHERE counts AND class = 'credit'), 0), coalesce(sum(payer) FILTER (WHERE counts AND "
    "class = 'tax'), 0),"
    " coalesce(bool_or(class = 'support') FILTER (WHERE counts), false)"
    " FROM (SELECT c.account, c.product, c.currency, c.customer, c.class, CASE WHEN c.class = 'suspended' THEN 0 ELSE "
    "1 END AS n,"
    "   c.buy_amount AS buy, c.payer_amount AS payer, c.list_amount AS list, c.run_id = $2 AS counts, c.run_id = $3 AS "
    "newest,"
    "   c.class <> 'suspended' AND (c.class <> 'tax' OR $5::boolean) AS billed,"
    "   c.class IN ('support', 'provider_discount') AND c.buy_amount = 0 AS later"
    "   FROM charge c WHERE c.period = $1 AND c.run_id IN ($2, $3)) x"
    " GROUP BY 1, 2, 3 ORDER BY 3";

static bool newest_run(expecting *e, char ret[static CM_ID_HEX], cm_error *err)
{
    const char *values[] = {e->payer->id, e->month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(e->pg, "SELECT run_id FROM newest_run WHERE payer = $1 AND period = $2", 2, values, &rows, err))
        return false;
    snprintf(ret, CM_ID_HEX, "%s", cm_rows_count(rows) ? cm_rows_text(rows, 0, 0) : "");
    cm_rows_free(rows);
    return true;
}

static bool add_charges(expecting *e, const cm_rows *rows, cm_error *err)
{
    char source[16] = "";
    rates rate = {0};
    for (int row = 0; row < cm_rows_count(rows); row++) {
        if (strcmp(source, cm_rows_text(rows, row, 2)) != 0) {
            snprintf(source, sizeof source, "%s", cm_rows_text(rows, row, 2));
            if (!find_rates(e, source, &rate, err))
                return false;
        }
        cm_expected *x = add(e);
        x->account = keep(e, cm_rows_text(rows, row, 0));
        x->product = keep(e, cm_rows_text(rows, row, 1));
        x->customer = keep(e, cm_rows_text(rows, row, 3));
        x->charges = cm_rows_i64(rows, row, 4);
        cm_decimal *const amounts[] = {&x->amount,  &x->late,     &x->payer,  &x->list, &x->suspended,
                                       &x->support, &x->discount, &x->credit, &x->tax};
        for (int i = 0; i < (int)(sizeof amounts / sizeof *amounts); i++)
            *amounts[i] = cm_rows_decimal(rows, row, 5 + i);
        x->is_support = *cm_rows_text(rows, row, 14) == 't' && e->format->level == CM_INVOICE_BY_PRODUCT;
        if (!convert_all(x, &rate))
            return too_large(err);
    }
    return true;
}

static bool load_charges(expecting *e, cm_error *err)
{
    char newest[CM_ID_HEX];
    if (!newest_run(e, newest, err))
        return false;
    const char *values[] = {e->month, e->ret->run, newest, e->format->level == CM_INVOICE_BY_PRODUCT ? "t" : "f",
                            e->format->with_tax ? "t" : "f"};
    cm_rows *rows = NULL;
    bool done = cm_pg_query(e->pg, charges_sql, 5, values, &rows, err) && add_charges(e, rows, err);
    cm_rows_free(rows);
    return done;
}

/* --- earned earlier, credited on this invoice (N12) -------------------------------------------------------------- */

static bool add_discounts(expecting *e, const cm_rows *rows, cm_error *err)
{
    for (int row = 0; row < cm_rows_count(rows); row++) {
        rates rate;
        cm_expected *x = add(e);
        x->account = keep(e, cm_rows_text(rows, row, 0));
        x->product = keep(e, cm_rows_text(rows, row, 1));
        x->customer = keep(e, cm_rows_text(rows, row, 3));
        x->charges = 1;
        if (!find_rates(e, cm_rows_text(rows, row, 2), &rate, err))
            return false;
        if (!cm_decimal_negate(cm_rows_decimal(rows, row, 4), &x->amount))
            return too_large(err);
        x->arrears = x->payer = x->list = x->amount;
        if (!convert_all(x, &rate))
            return too_large(err);
    }
    return true;
}

static bool load_discounts(expecting *e, cm_error *err)
{
    const char *values[] = {e->payer->id, e->month, e->format->level == CM_INVOICE_BY_PRODUCT ? "t" : "f"};
    cm_rows *rows = NULL;
    bool done = cm_pg_query(e->pg,
                            "SELECT account, CASE WHEN $3::boolean THEN product ELSE '' END, currency, min(customer), "
                            "sum(amount) FROM discount_applied"
                            " WHERE payer = $1 AND applied_period = $2 GROUP BY 1, 2, 3",
                            3, values, &rows, err) &&
                add_discounts(e, rows, err);
    cm_rows_free(rows);
    return done;
}

/* --- support billed by the distributor (N05): documents from this payer's charges only --------------------------- */

static bool take_support(void *opaque, const cm_built_document *built, cm_error *err)
{
    expecting *e = opaque;
    size_t i;
    const json_t *row;
    rates rate;
    if (!find_rates(e, built->statement->source_currency, &rate, err))
        return false;
    json_array_foreach (json_object_get(built->statement->margin, "rows"), i, row) {
        const char *step = json_string_value(json_object_get(row, "step")),
                   *buy = json_string_value(json_object_get(row, "source_buy"));
        cm_decimal amount;
        if (strcmp(step, "support") != 0 || !cm_decimal_parse_strict(cm_slice_of(buy), &amount) ||
            cm_decimal_is_zero(amount))
            continue;
        cm_expected *x = add(e);
        x->account = keep(e, json_string_value(json_object_get(row, "account")));
        x->product = e->format->level == CM_INVOICE_BY_PRODUCT
                         ? keep(e, json_string_value(json_object_get(row, "product")))
                         : "";
        x->customer = keep(e, json_string_value(json_object_get(row, "customer")));
        x->amount = x->payer = x->list = amount;
        x->charges = 1;
        x->is_support = e->format->level == CM_INVOICE_BY_PRODUCT;
        if (!convert_all(x, &rate))
            return too_large(err);
    }
    return true;
}

static bool load_support(expecting *e, cm_error *err)
{
    cm_buffer runs = {0};
    cm_catalog *snapshot = NULL; /* with the links that the run was rated with */
    cm_array_text(&runs, e->ret->run);
    cm_document_build order = {.pg = e->pg,
                               .lane = e->payer->lane,
                               .period = e->period,
                               .runs = cm_array_end(&runs),
                               .take = take_support,
                               .opaque = e,
                               .with_margin = true};
    bool done = cm_store_snapshot_of_runs(e->pg, e->catalog->id, order.runs, &snapshot, err);
    order.catalog = snapshot;
    done = done && cm_documents_build(&order, NULL, err);
    cm_catalog_free(snapshot);
    cm_buffer_free(&runs);
    return done;
}

/* --- one row for each account and product ------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
    const cm_expected *x = a, *y = b;
    int order = strcmp(x->account, y->account);
    return order ? order : strcmp(x->product, y->product);
}

static bool merge_into(cm_expected *into, const cm_expected *x)
{
    into->charges += x->charges;
    into->is_support |= x->is_support;
    if (!*into->customer)
        into->customer = x->customer;
    return cm_decimal_accumulate(&into->amount, x->amount) && cm_decimal_accumulate(&into->late, x->late) &&
           cm_decimal_accumulate(&into->payer, x->payer) && cm_decimal_accumulate(&into->list, x->list) &&
           cm_decimal_accumulate(&into->suspended, x->suspended) && cm_decimal_accumulate(&into->support, x->support) &&
           cm_decimal_accumulate(&into->discount, x->discount) && cm_decimal_accumulate(&into->arrears, x->arrears) &&
           cm_decimal_accumulate(&into->credit, x->credit) && cm_decimal_accumulate(&into->tax, x->tax) &&
           cm_decimal_accumulate(&into->at_reseller_rate, x->at_reseller_rate) &&
           cm_decimal_accumulate(&into->at_former_rate, x->at_former_rate);
}

static bool merge(cm_expectation *ret, cm_error *err)
{
    size_t kept = 0;
    if (ret->count)
        qsort(ret->list, ret->count, sizeof *ret->list, by_key);
    for (size_t i = 0; i < ret->count; i++) {
        if (!kept || by_key(&ret->list[kept - 1], &ret->list[i]) != 0)
            ret->list[kept++] = ret->list[i];
        else if (!merge_into(&ret->list[kept - 1], &ret->list[i]))
            return too_large(err);
    }
    ret->count = kept;
    return true;
}

static bool load_elsewhere(expecting *e, cm_error *err)
{
    const char *values[] = {e->month, e->payer->lane, e->payer->id};
    cm_rows *rows = NULL;
    if (!cm_pg_query(e->pg,
                     "SELECT DISTINCT account COLLATE \"C\" FROM charge WHERE period = $1 AND run_id IN"
                     " (SELECT run_id FROM current_run WHERE period = $1 AND lane = $2 AND payer <> $3) ORDER BY 1",
                     3, values, &rows, err))
        return false;
    size_t count = (size_t)cm_rows_count(rows);
    const char **list = cm_arena_alloc(e->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = keep(e, cm_rows_text(rows, (int)i, 0));
    e->ret->elsewhere = list;
    e->ret->elsewhere_count = count;
    cm_rows_free(rows);
    return true;
}

static bool load(expecting *e, cm_error *err)
{
    return load_run(e->pg, e->payer, e->month, e->arena, e->ret, err) && load_charges(e, err) &&
           load_discounts(e, err) && (!*e->ret->run || load_support(e, err)) && merge(e->ret, err) &&
           load_elsewhere(e, err);
}

bool cm_store_expectation(cm_pg *pg, const cm_catalog *catalog, const cm_payer *payer, cm_period period,
                          const cm_invoice_format *format, const char *currency, cm_arena *arena, cm_expectation *ret,
                          cm_error *err)
{
    expecting e = {.pg = pg,
                   .catalog = catalog,
                   .payer = payer,
                   .period = period,
                   .format = format,
                   .currency = currency,
                   .arena = arena,
                   .ret = ret};
    cm_period_print(period, e.month);
    *ret = (cm_expectation){.rate = "1"};
    /* One snapshot, so that all reads are consistent. */
    bool done = cm_pg_begin(pg, err) && cm_pg_execute(pg, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", err) &&
                load(&e, err) && cm_pg_commit(pg, err);
    if (!done) {
        cm_pg_rollback(pg);
        cm_expectation_free(ret);
    }
    return done;
}

void cm_expectation_free(cm_expectation *expectation)
{
    free(expectation->list);
    *expectation = (cm_expectation){0};
}
