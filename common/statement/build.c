/* All drafts of a lane and period: charges -> lines of each customer -> support -> foreign exchange -> documents. */
#include "statement/internal.h"

#include <stdlib.h>
#include <string.h>

cm_draft_line *cm_draft_lines_add(cm_draft_lines *lines)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity ? lines->capacity * 2 : 256;
        lines->list = cm_realloc(lines->list, lines->capacity * sizeof *lines->list);
    }
    return &lines->list[lines->count++];
}

#define ORDER_BY(a, b)                                                                                                 \
    do {                                                                                                               \
        int order_ = strcmp((a), (b));                                                                                 \
        if (order_)                                                                                                    \
            return order_;                                                                                             \
    } while (0)

/* Customers together; within them (payer, account, currency), as the support step wants its charges. */
static int by_customer_and_account(const void *a, const void *b)
{
    const cm_statement_charge *x = *(const cm_statement_charge *const *)a, *y = *(const cm_statement_charge *const *)b;
    ORDER_BY(x->customer, y->customer);
    ORDER_BY(x->payer, y->payer);
    ORDER_BY(x->account, y->account);
    ORDER_BY(x->currency, y->currency);
    return 0;
}

/* The order of lines in a document (S12). */
static int by_line_key(const void *a, const void *b)
{
    const cm_draft_line *x = a, *y = b;
    if (x->support != y->support)
        return x->support ? 1 : -1;
    ORDER_BY(x->account, y->account);
    ORDER_BY(x->product, y->product);
    ORDER_BY(x->usage_type, y->usage_type);
    ORDER_BY(x->unit, y->unit);
    ORDER_BY(x->class, y->class);
    ORDER_BY(x->source_currency, y->source_currency);
    return 0;
}

/* Adds up neighbours with the same key, drops exact zeros. Support rows stay as they are: one for each payer and account. */
static bool merge_lines(cm_draft_lines *lines)
{
    qsort(lines->list, lines->count, sizeof *lines->list, by_line_key);
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        cm_draft_line *last = kept ? &lines->list[kept - 1] : NULL;
        if (last && !last->support && by_line_key(last, &lines->list[i]) == 0) {
            if (!cm_decimal_accumulate(&last->quantity, lines->list[i].quantity) ||
                !cm_decimal_accumulate(&last->source_exact, lines->list[i].source_exact))
                return false;
        } else {
            lines->list[kept++] = lines->list[i];
        }
    }
    lines->count = kept;
    kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        if (!cm_decimal_is_zero(lines->list[i].source_exact))
            lines->list[kept++] = lines->list[i];
    }
    lines->count = kept;
    return true;
}

/* Section 3: each line's exact amount x the reseller's rate. Without a rate it stays in its currency (R06-R08). */
static bool convert(const cm_building *b, const cm_customer *customer, cm_draft_line *line)
{
    line->currency = line->source_currency;
    line->exact = line->source_exact;
    if (strcmp(line->source_currency, customer->invoice_currency) == 0)
        return true;
    const cm_fx_rate *fx =
        cm_catalog_fx(b->catalog, CM_FX_RESELLER, line->source_currency, customer->invoice_currency, b->period);
    if (!fx)
        return true;
    line->currency = customer->invoice_currency;
    return cm_decimal_multiply_half_even(line->source_exact, fx->rate, &line->exact);
}

static void add_statement(cm_statements *statements, cm_statement statement)
{
    if ((statements->count & (statements->count - 1)) == 0) /* grows at powers of two */
        statements->list = cm_realloc(statements->list, (statements->count ? statements->count * 2 : 1) * sizeof statement);
    statements->list[statements->count++] = statement;
}

/* The currency of a document without lines: the customer's if it can be reached from the charges' currency. */
static const char *empty_currency(const cm_building *b, const cm_customer *customer, const char *source)
{
    cm_draft_line probe = {.source_currency = source};
    return convert(b, customer, &probe) ? probe.currency : source;
}

static int text_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One document for each currency that the customer's lines ended in. */
static bool make_documents(const cm_building *b, const cm_customer *customer, cm_draft_lines *lines, const char *source,
                           cm_statements *ret, cm_error *err)
{
    const char **currencies = cm_arena_alloc(b->arena, (lines->count + 1) * sizeof *currencies);
    size_t distinct = 0;
    for (size_t i = 0; i < lines->count; i++) {
        size_t known = 0;
        while (known < distinct && strcmp(currencies[known], lines->list[i].currency) != 0)
            known++;
        if (known == distinct)
            currencies[distinct++] = lines->list[i].currency;
    }
    if (distinct == 0)
        currencies[distinct++] = empty_currency(b, customer, source);
    qsort(currencies, distinct, sizeof *currencies, text_order);

    cm_draft_line *own = cm_alloc((lines->count + 1) * sizeof *own);
    bool done = true;
    for (size_t c = 0; done && c < distinct; c++) {
        size_t count = 0;
        for (size_t i = 0; i < lines->count; i++) {
            if (strcmp(lines->list[i].currency, currencies[c]) == 0)
                own[count++] = lines->list[i];
        }
        cm_statement statement;
        done = cm_document_make(b, customer, currencies[c], own, count, &statement, err);
        if (done)
            add_statement(ret, statement);
    }
    free(own);
    return done;
}

static bool build_customer(const cm_building *b, const cm_customer *customer, const cm_statement_charge *const *charges,
                           size_t count, cm_statements *ret, cm_error *err)
{
    cm_draft_lines lines = {0};
    bool done = true;
    for (size_t i = 0; i < count; i++) {
        *cm_draft_lines_add(&lines) = (cm_draft_line){
            .account = charges[i]->account,
            .product = charges[i]->product,
            .usage_type = charges[i]->usage_type,
            .unit = charges[i]->unit,
            .class = cm_class_name(charges[i]->class),
            .source_currency = charges[i]->currency,
            .quantity = charges[i]->quantity,
            .source_exact = charges[i]->sell_amount,
        };
    }
    for (size_t first = 0, last; done && first < count; first = last) {
        for (last = first + 1; last < count && strcmp(charges[last]->payer, charges[first]->payer) == 0 &&
                               strcmp(charges[last]->account, charges[first]->account) == 0;
             last++)
            ;
        done = cm_support_add_rows(b, customer, charges + first, last - first, &lines, err);
    }
    if (done) {
        done = merge_lines(&lines);
        for (size_t i = 0; done && i < lines.count; i++)
            done = convert(b, customer, &lines.list[i]);
        if (!done)
            cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "a line of customer %s does not fit an amount", customer->id);
    }
    if (done)
        done = make_documents(b, customer, &lines, charges[0]->currency, ret, err);
    free(lines.list);
    return done;
}

static int by_reseller_customer_currency(const void *a, const void *b)
{
    const cm_statement *x = a, *y = b;
    ORDER_BY(x->reseller, y->reseller);
    ORDER_BY(x->customer, y->customer);
    ORDER_BY(x->currency, y->currency);
    return 0;
}

bool cm_statements_build(const cm_catalog *catalog, const char *lane, cm_period period, const cm_statement_charge *charges,
                         size_t count, cm_statements *ret, cm_buffer *ret_missing, cm_error *err)
{
    *ret = (cm_statements){0};
    cm_building building = {catalog, lane, period, cm_arena_new(64 * 1024)};
    const cm_statement_charge **sorted = cm_alloc((count ? count : 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &charges[i];
    qsort(sorted, count, sizeof *sorted, by_customer_and_account);

    bool done = true;
    for (size_t first = 0, last; done && first < count; first = last) {
        const char *id = sorted[first]->customer;
        for (last = first + 1; last < count && strcmp(sorted[last]->customer, id) == 0; last++)
            ;
        if (!*id)
            continue; /* the payer account's own lines belong to no customer */
        const cm_customer *customer = cm_catalog_customer(catalog, id);
        if (customer)
            done = build_customer(&building, customer, sorted + first, last - first, ret, err);
        else if (ret_missing)
            cm_buffer_printf(ret_missing, "%s%s", ret_missing->length ? ", " : "", id);
        cm_arena_reset(building.arena);
    }
    if (done)
        qsort(ret->list, ret->count, sizeof *ret->list, by_reseller_customer_currency);
    else
        cm_statements_free(ret);
    free(sorted);
    cm_arena_free(building.arena);
    return done;
}

void cm_statements_free(cm_statements *statements)
{
    for (size_t i = 0; i < statements->count; i++)
        json_decref(statements->list[i].document);
    free(statements->list);
    *statements = (cm_statements){0};
}
