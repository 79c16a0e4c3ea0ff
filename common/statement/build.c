/* All drafts of a lane and period: charges -> lines of each customer and source currency -> support -> foreign exchange
 * -> documents. */
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

/* A document's charges together (D14: customer and source currency); within them (payer, account), as the support step
 * wants them. */
static int by_document_and_account(const void *a, const void *b)
{
    const cm_statement_charge *x = *(const cm_statement_charge *const *)a, *y = *(const cm_statement_charge *const *)b;
    ORDER_BY(x->customer, y->customer);
    ORDER_BY(x->currency, y->currency);
    ORDER_BY(x->payer, y->payer);
    ORDER_BY(x->account, y->account);
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
    return 0;
}

/* qsort is not stable: support rows with equal keys stand in the order of their payers. */
static int by_line_key_and_payer(const void *a, const void *b)
{
    const cm_draft_line *x = a, *y = b;
    int order = by_line_key(x, y);
    return order ? order : strcmp(x->payer, y->payer);
}

/* Adds up neighbours with the same key, drops exact zeros. Support rows stay as they are: one for each payer and
 * account. */
static bool merge_lines(cm_draft_lines *lines)
{
    if (lines->count > 1)
        qsort(lines->list, lines->count, sizeof *lines->list, by_line_key_and_payer);
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
static bool convert_lines(cm_draft_lines *lines, const cm_fx_rate *fx)
{
    for (size_t i = 0; i < lines->count; i++) {
        cm_draft_line *line = &lines->list[i];
        line->exact = line->source_exact;
        if (fx && !cm_decimal_multiply_half_even(line->source_exact, fx->rate, &line->exact))
            return false;
    }
    return true;
}

static void add_statement(cm_statements *statements, cm_statement statement)
{
    if ((statements->count & (statements->count - 1)) == 0) /* grows at powers of two */
        statements->list =
            cm_realloc(statements->list, (statements->count ? statements->count * 2 : 1) * sizeof statement);
    statements->list[statements->count++] = statement;
}

static void charge_lines(const cm_statement_charge *const *charges, size_t count, cm_draft_lines *lines)
{
    for (size_t i = 0; i < count; i++) {
        *cm_draft_lines_add(lines) = (cm_draft_line){
            .payer = charges[i]->payer,
            .account = charges[i]->account,
            .product = charges[i]->product,
            .usage_type = charges[i]->usage_type,
            .unit = charges[i]->unit,
            .class = cm_class_name(charges[i]->class),
            .quantity = charges[i]->quantity,
            .source_exact = charges[i]->sell_amount,
        };
    }
}

/* One document: all charges of a customer in one source currency. A document without lines still exists, with subtotal
 * 0. */
static bool build_document(const cm_building *b, const cm_customer *customer, const cm_statement_charge *const *charges,
                           size_t count, cm_statements *ret, cm_error *err)
{
    cm_draft_lines lines = {0};
    const char *source = charges[0]->currency;
    bool same = strcmp(source, customer->invoice_currency) == 0;
    const cm_fx_rate *fx =
        same ? NULL : cm_catalog_fx(b->catalog, CM_FX_RESELLER, source, customer->invoice_currency, b->period);
    charge_lines(charges, count, &lines);
    bool done = true;
    for (size_t first = 0, last; done && first < count; first = last) {
        for (last = first + 1; last < count && strcmp(charges[last]->payer, charges[first]->payer) == 0 &&
                               strcmp(charges[last]->account, charges[first]->account) == 0;
             last++)
            ;
        done = cm_support_add_row(b, customer, charges + first, last - first, &lines, err);
    }
    if (done && !(done = merge_lines(&lines) && convert_lines(&lines, fx)))
        cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "a line of customer %s does not fit an amount", customer->id);
    if (done) {
        cm_statement statement;
        done = cm_document_make(b, customer, source, fx, &lines, &statement, err);
        if (done)
            add_statement(ret, statement);
    }
    free(lines.list);
    return done;
}

static int by_reseller_customer_currency(const void *a, const void *b)
{
    const cm_statement *x = a, *y = b;
    ORDER_BY(x->reseller, y->reseller);
    ORDER_BY(x->customer, y->customer);
    ORDER_BY(x->currency, y->currency);
    ORDER_BY(x->source_currency, y->source_currency);
    return 0;
}

static void name_missing(const char *id, const char *before, cm_buffer *ret_missing)
{
    if (ret_missing && (!before || strcmp(before, id) != 0))
        cm_buffer_printf(ret_missing, "%s%s", ret_missing->length ? ", " : "", id);
}

bool cm_statements_build(const cm_catalog *catalog, const char *lane, cm_period period,
                         const cm_statement_charge *charges, size_t count, cm_statements *ret, cm_buffer *ret_missing,
                         cm_error *err)
{
    *ret = (cm_statements){0};
    cm_building building = {catalog, lane, period};
    const cm_statement_charge **sorted = cm_alloc((count ? count : 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &charges[i];
    qsort(sorted, count, sizeof *sorted, by_document_and_account);

    bool done = true;
    for (size_t first = 0, last; done && first < count; first = last) {
        const char *id = sorted[first]->customer, *currency = sorted[first]->currency;
        for (last = first + 1;
             last < count && strcmp(sorted[last]->customer, id) == 0 && strcmp(sorted[last]->currency, currency) == 0;
             last++)
            ;
        if (!*id)
            continue; /* the payer account's own lines belong to no customer */
        const cm_customer *customer = cm_catalog_customer(catalog, id);
        if (customer)
            done = build_document(&building, customer, sorted + first, last - first, ret, err);
        else
            name_missing(id, first ? sorted[first - 1]->customer : NULL, ret_missing);
    }
    if (done && ret->count > 1)
        qsort(ret->list, ret->count, sizeof *ret->list, by_reseller_customer_currency);
    if (!done)
        cm_statements_free(ret);
    free(sorted);
    return done;
}

void cm_statements_free(cm_statements *statements)
{
    for (size_t i = 0; i < statements->count; i++)
        json_decref(statements->list[i].document);
    free(statements->list);
    *statements = (cm_statements){0};
}
