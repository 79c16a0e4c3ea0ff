/*
 * Documents of a lane and period (I07) from the charges of given runs. Charges are read through a cursor in the order
 * of customers (of resellers, where these get one document for all of their customers: I02, I03), so memory is bounded
 * by the largest unit, not by the lane.
 */
#include "store/building/document_build.h"
#include "base/base/arena.h"
#include "platform/postgres/array.h"
#include "store/ledgers/credit_store.h"

#include <stdlib.h>

enum { ROWS_AT_ONCE = 2000, ARENA_BYTES = 256 * 1024 };

/* A customer that has an account under a payer of the lane in the month: both by their places in the catalog. */
typedef struct linked_payer {
    size_t customer, payer;
} linked_payer;

typedef struct building {
    const cm_document_build *order;
    cm_buffer *missing;
    cm_arena *arena; /* of the current customer or reseller */
    cm_statement_charge *charge;
    size_t count, capacity;
    char reseller[256]; /* of the current unit, "" if it is one customer */
    struct {
        char payer[16], run[CM_ID_HEX];
        bool seen; /* by the current unit */
    } * source;
    size_t sources;
    linked_payer *linked; /* ordered by customer, then payer; each once */
    size_t linked_count;
    bool broken; /* the current unit cannot be made, for `why` */
    cm_error why;
    const cm_credit_uses *used;
    bool *placed; /* by custom charge: its document was built */
} building;

/* --- the payers that a document rests on ------------------------------------------------------------------------- */

static int by_customer(const void *a, const void *b)
{
    const linked_payer *x = a, *y = b;
    if (x->customer != y->customer)
        return x->customer < y->customer ? -1 : 1;
    return (x->payer > y->payer) - (x->payer < y->payer);
}

static void find_linked_payers(building *b)
{
    const cm_catalog *catalog = b->order->catalog;
    cm_instant from = cm_period_start(b->order->period), to = cm_period_end(b->order->period);
    size_t count = 0;
    b->linked = cm_alloc((catalog->link_count + 1) * sizeof *b->linked);
    for (size_t i = 0; i < catalog->link_count; i++) {
        const cm_link *link = &catalog->links[i];
        const cm_payer *payer = link->from < to && link->to > from ? cm_catalog_payer(catalog, link->payer) : NULL;
        if (payer && strcmp(payer->lane, b->order->lane) == 0)
            b->linked[count++] =
                (linked_payer){(size_t)(link->customer - catalog->customers), (size_t)(payer - catalog->payers)};
    }
    qsort(b->linked, count, sizeof *b->linked, by_customer);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || by_customer(&b->linked[i - 1], &b->linked[i]) != 0)
            b->linked[b->linked_count++] = b->linked[i];
    }
}

/* The run of each payer, also of those without a charge of any customer. */
static bool load_sources(building *b, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(b->order->pg, "SELECT payer, id FROM run WHERE id = ANY ($1::text[]) ORDER BY payer, id", 1,
                     (const char *[]){b->order->runs}, &rows, err))
        return false;
    b->sources = (size_t)cm_rows_count(rows);
    b->source = cm_alloc((b->sources + 1) * sizeof *b->source);
    for (size_t i = 0; i < b->sources; i++) {
        snprintf(b->source[i].payer, sizeof b->source[i].payer, "%s", cm_rows_text(rows, (int)i, 0));
        snprintf(b->source[i].run, sizeof b->source[i].run, "%s", cm_rows_text(rows, (int)i, 1));
        b->source[i].seen = false;
    }
    cm_rows_free(rows);
    return true;
}

/* How many there are of a customer, from *ret_first on. */
static size_t linked_payers(const building *b, const char *customer_id, size_t *ret_first)
{
    const cm_catalog *catalog = b->order->catalog;
    const cm_customer *customer = cm_catalog_customer(catalog, customer_id);
    size_t wanted = customer ? (size_t)(customer - catalog->customers) : SIZE_MAX, low = 0, high = b->linked_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->linked[middle].customer < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_first = low;
    while (low < b->linked_count && b->linked[low].customer == wanted)
        low++;
    return low - *ret_first;
}

/* --- a unit's charges -------------------------------------------------------------------------------------------- */

static const char *keep(building *b, const cm_rows *rows, int row, int column)
{
    const char *text = cm_rows_text(rows, row, column);
    return cm_arena_strndup(b->arena, text, strlen(text));
}

static void see_source(building *b, const char *run)
{
    for (size_t i = 0; i < b->sources; i++)
        b->source[i].seen = b->source[i].seen || strcmp(b->source[i].run, run) == 0;
}

static cm_statement_charge *next_charge(building *b)
{
    if (b->count == b->capacity) {
        b->capacity = b->capacity ? b->capacity * 2 : 256;
        b->charge = cm_realloc(b->charge, b->capacity * sizeof *b->charge);
    }
    return &b->charge[b->count++];
}

/* Columns: see charges_sql. */
static bool add_charge(building *b, const cm_rows *rows, int row, cm_error *err)
{
    if (b->count == 0)
        snprintf(b->reseller, sizeof b->reseller, "%s", cm_rows_text(rows, row, 14));
    see_source(b, cm_rows_text(rows, row, 13));
    cm_statement_charge *c = next_charge(b);
    *c = (cm_statement_charge){.customer = keep(b, rows, row, 0),
                               .payer = keep(b, rows, row, 1),
                               .account = keep(b, rows, row, 2),
                               .product = keep(b, rows, row, 3),
                               .usage_type = keep(b, rows, row, 4),
                               .unit = keep(b, rows, row, 5),
                               .currency = keep(b, rows, row, 7),
                               .rule = keep(b, rows, row, 15),
                               .link_from = keep(b, rows, row, 16)};
    cm_decimal *const sums[] = {&c->quantity, &c->payer_amount, &c->list_amount, &c->buy_amount, &c->sell_amount};
    for (int i = 0; i < 5; i++)
        if (!cm_rows_decimal_fits(rows, row, 8 + i, sums[i]) && !b->broken)
            b->broken = !cm_fail(
                &b->why, CM_ERROR_BUG, "OVERFLOW",
                "the charges of customer %s, account %s, product %s, usage type %s add up to more than "
                "an amount can hold; look at the lines with `curmill totals --payer %s --period YYYY-MM --by account,usage_type`",
                c->customer, c->account, c->product, c->usage_type, c->payer);
    return cm_class_parse(cm_slice_of(cm_rows_text(rows, row, 6)), &c->class) ||
           cm_fail(
               err, CM_ERROR_BUG, "CLASS",
               "a charge has the class \"%s\", which this version does not know; was it written by a newer version?",
               cm_rows_text(rows, row, 6));
}

/* --- a unit's documents ------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Array literals of the payers that a document rests on, and of their runs; a payer that delivered nothing has none. */
static void rests_on(const building *b, const json_t *customers, cm_buffer *ret_payers, cm_buffer *ret_runs)
{
    size_t count = 0, most = b->sources, first, i;
    const json_t *customer;
    json_array_foreach (customers, i, customer)
        most += linked_payers(b, json_string_value(json_object_get(customer, "id")), &first);
    const char **payers = cm_alloc((most + 1) * sizeof *payers);
    json_array_foreach (customers, i, customer) {
        size_t linked = linked_payers(b, json_string_value(json_object_get(customer, "id")), &first);
        for (size_t k = 0; k < linked; k++)
            payers[count++] = b->order->catalog->payers[b->linked[first + k].payer].id;
    }
    for (i = 0; i < b->sources; i++) {
        if (b->source[i].seen)
            payers[count++] = b->source[i].payer;
    }
    qsort(payers, count, sizeof *payers, by_name);
    for (size_t k = 0; k < count; k++) {
        if (k && strcmp(payers[k - 1], payers[k]) == 0)
            continue;
        cm_array_text(ret_payers, payers[k]);
        for (i = 0; i < b->sources; i++) {
            if (strcmp(b->source[i].payer, payers[k]) == 0)
                cm_array_text(ret_runs, b->source[i].run);
        }
    }
    free(payers);
}

static bool hand_over(building *b, const cm_statement *s, cm_error *err)
{
    cm_buffer customers = {0}, payers = {0}, runs = {0};
    size_t i;
    const json_t *customer, *all = json_object_get(s->document, "customers");
    json_array_foreach (all, i, customer)
        cm_array_text(&customers, json_string_value(json_object_get(customer, "id")));
    rests_on(b, all, &payers, &runs);
    cm_built_document built = {s, cm_array_end(&customers), cm_array_end(&payers), cm_array_end(&runs)};
    bool done = b->order->take(b->order->opaque, &built, err);
    cm_buffer_free(&customers);
    cm_buffer_free(&payers);
    cm_buffer_free(&runs);
    return done;
}

static bool is_due(const building *b, const cm_custom_charge *charge)
{
    return !charge->is_percent && cm_custom_charge_is_due(charge, b->order->lane, b->order->period);
}

/* Fixed custom charges of the current unit, including customers (I02, I03) without any other charge. */
static void add_custom_charges(building *b)
{
    const cm_catalog *catalog = b->order->catalog;
    const char *customer = b->charge[0].customer;
    for (size_t i = 0; i < catalog->custom_charge_count; i++) {
        const cm_custom_charge *charge = &catalog->custom_charges[i];
        bool own = *b->reseller ? strcmp(charge->customer->reseller->id, b->reseller) == 0
                                : strcmp(charge->customer->id, customer) == 0;
        if (b->placed[i] || !own || !is_due(b, charge))
            continue;
        *next_charge(b) = cm_custom_charge_presence(charge);
        b->placed[i] = true;
    }
}

static bool finish_unit(building *b)
{
    for (size_t i = 0; i < b->sources; i++)
        b->source[i].seen = false;
    b->count = 0;
    b->broken = false;
    cm_arena_reset(b->arena);
    return true;
}

/* Nobody else's document waits for the one that cannot be made. */
static bool skip_unit(building *b, cm_error *err)
{
    const cm_customer *customer = cm_catalog_customer(b->order->catalog, b->charge[0].customer);
    if (!b->order->trouble) {
        if (err)
            *err = b->why;
        return false;
    }
    return b->order->trouble(b->order->opaque,
                             *b->reseller ? b->reseller
                             : customer   ? customer->reseller->id
                                          : "",
                             *b->reseller ? "" : b->charge[0].customer, &b->why, err) &&
           finish_unit(b);
}

/* The current unit is complete: build its documents. */
static bool flush(building *b, cm_error *err)
{
    cm_statements statements;
    if (b->count == 0)
        return true;
    add_custom_charges(b);
    cm_buffer missing = {0};
    cm_statement_input input = {.catalog = b->order->catalog,
                                .lane = b->order->lane,
                                .period = b->order->period,
                                .charges = b->charge,
                                .count = b->count,
                                .used = b->used->list,
                                .used_count = b->used->count,
                                .with_margin = b->order->with_margin,
                                .discounts = b->order->discounts,
                                .discount_count = b->order->discount_count};
    if (b->broken)
        return skip_unit(b, err);
    if (b->order->visitor)
        return cm_statements_visit_month(&input, b->order->visitor, err) && finish_unit(b);
    if (!cm_statements_build_month(&input, &statements, &missing, &b->why))
        return skip_unit(b, err); /* nothing was added to `missing` */
    if (missing.length && b->missing)
        cm_buffer_printf(b->missing, "%s%s", b->missing->length ? ", " : "", missing.data);
    cm_buffer_free(&missing);
    bool done = true;
    for (size_t i = 0; done && i < statements.count; i++)
        done = hand_over(b, &statements.list[i], err);
    cm_statements_free(&statements);
    return finish_unit(b) && done;
}

/* Custom charges of customers (resellers) without any other charge. */
static bool flush_custom_charges(building *b, cm_error *err)
{
    const cm_catalog *catalog = b->order->catalog;
    bool done = true;
    for (size_t i = 0; done && i < catalog->custom_charge_count; i++) {
        const cm_custom_charge *charge = &catalog->custom_charges[i];
        if (b->placed[i] || !is_due(b, charge) ||
            (b->order->customers && !json_object_get(b->order->customers, charge->customer->id)))
            continue;
        const cm_reseller *reseller = charge->customer->reseller;
        snprintf(b->reseller, sizeof b->reseller, "%s",
                 strcmp(reseller->consolidation, "end_customer") == 0 ? "" : reseller->id);
        *next_charge(b) = cm_custom_charge_presence(charge);
        done = flush(b, err);
    }
    return done;
}

static bool same_unit(const building *b, const cm_rows *rows, int row)
{
    return strcmp(b->reseller, cm_rows_text(rows, row, 14)) == 0 &&
           (*b->reseller || strcmp(b->charge[0].customer, cm_rows_text(rows, row, 0)) == 0);
}

static bool take_rows(building *b, const cm_rows *rows, cm_error *err)
{
    for (int row = 0; row < cm_rows_count(rows); row++) {
        if ((b->count && !same_unit(b, rows, row) && !flush(b, err)) || !add_charge(b, rows, row, err))
            return false;
    }
    return true;
}

/* --- the cursor -------------------------------------------------------------------------------------------------- */

static const char charges_sql[] =
    "DECLARE statement_charges NO SCROLL CURSOR FOR"
    " SELECT c.customer, r.payer, c.account, c.product, c.usage_type, c.unit, c.class, c.currency, sum(c.quantity),"
    " sum(c.payer_amount), sum(c.list_amount), sum(c.buy_amount), sum(c.sell_amount), r.id, coalesce(u.reseller, '') "
    "AS reseller, c.rule, c.link_from"
    " FROM %s c JOIN run r ON r.id = c.run_id LEFT JOIN unnest($3::text[], $4::text[]) u (customer, reseller) ON "
    "u.customer = c.customer"
    " WHERE c.period = $1 AND c.run_id = ANY ($2::text[]) AND c.class <> 'suspended' AND c.customer <> ''"
    " AND ($5::text[] IS NULL OR c.customer = ANY ($5::text[]))"
    " GROUP BY u.reseller, c.customer, r.payer, r.id, c.account, c.product, c.usage_type, c.unit, c.class, c.currency, "
    "c.rule, c.link_from"
    " ORDER BY coalesce(u.reseller, ''), c.customer, r.payer";

static bool read_charges(building *b, cm_error *err)
{
    char month[CM_PERIOD_TEXT], fetch[64];
    const cm_catalog *catalog = b->order->catalog;
    cm_buffer customers = {0}, resellers = {0}, only = {0};
    const char *id;
    json_t *ignored;
    json_object_foreach ((json_t *)b->order->customers, id, ignored)
        cm_array_text(&only, id);
    for (size_t i = 0; i < catalog->customer_count; i++) {
        const cm_customer *customer = &catalog->customers[i];
        if (strcmp(customer->reseller->consolidation, "end_customer") != 0) {
            cm_array_text(&customers, customer->id);
            cm_array_text(&resellers, customer->reseller->id);
        }
    }
    const char *values[] = {cm_period_print(b->order->period, month), b->order->runs, cm_array_end(&customers),
                            cm_array_end(&resellers), b->order->customers ? cm_array_end(&only) : NULL};
    cm_buffer sql = {0};
    cm_buffer_printf(&sql, charges_sql, b->order->charges ? b->order->charges : "charge");
    bool done = cm_pg_query(b->order->pg, sql.data, 5, values, NULL, err);
    cm_buffer_free(&sql);
    cm_buffer_free(&customers);
    cm_buffer_free(&resellers);
    cm_buffer_free(&only);
    snprintf(fetch, sizeof fetch, "FETCH %d FROM statement_charges", ROWS_AT_ONCE);
    for (int taken = ROWS_AT_ONCE; done && taken == ROWS_AT_ONCE;) {
        cm_rows *rows = NULL;
        if (!cm_pg_query(b->order->pg, fetch, 0, NULL, &rows, err))
            return false;
        taken = cm_rows_count(rows);
        done = take_rows(b, rows, err);
        cm_rows_free(rows);
    }
    return done && flush(b, err) && flush_custom_charges(b, err) &&
           cm_pg_execute(b->order->pg, "CLOSE statement_charges", err);
}

bool cm_documents_build(const cm_document_build *order, cm_buffer *missing, cm_error *err)
{
    building b = {.order = order, .missing = missing, .arena = cm_arena_new(ARENA_BYTES)};
    cm_credit_uses own = {0};
    b.placed = cm_alloc((order->catalog->custom_charge_count + 1) * sizeof *b.placed);
    memset(b.placed, 0, (order->catalog->custom_charge_count + 1) * sizeof *b.placed);
    bool done = (order->used || cm_credit_uses_load(order->pg, order->lane, order->period, &own, err));
    b.used = order->used ? order->used : &own;
    find_linked_payers(&b);
    done = done && load_sources(&b, err) && read_charges(&b, err);
    cm_credit_uses_free(&own);
    free(b.placed);
    cm_arena_free(b.arena);
    free(b.charge);
    free(b.source);
    free(b.linked);
    return done;
}
