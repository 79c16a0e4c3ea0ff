/*
 * All drafts of a lane and period: charges -> sections (a customer's lines in one currency: tiers, support, custom
 * charges, credits, foreign exchange) -> documents, by the reseller's consolidation.
 */
#include "billing/statement/internal.h"

#include "base/base/order.h"

#include <stdlib.h>
#include <string.h>

/* Groups a section's charges (D14: customer and source currency); within them by (payer, account), as the support step
 * needs them. */
static int by_section_and_account(const void *a, const void *b)
{
    const cm_statement_charge *x = *(const cm_statement_charge *const *)a, *y = *(const cm_statement_charge *const *)b;
    CM_ORDER_BY_TEXT(x->customer, y->customer);
    CM_ORDER_BY_TEXT(x->currency, y->currency);
    CM_ORDER_BY_TEXT(x->payer, y->payer);
    CM_ORDER_BY_TEXT(x->account, y->account);
    return 0;
}

/* The order of a customer's lines (S12). */
static int by_line_key(const void *a, const void *b)
{
    const cm_draft_line *x = a, *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    CM_ORDER_BY_TEXT(x->account, y->account);
    CM_ORDER_BY_TEXT(x->product, y->product);
    CM_ORDER_BY_TEXT(x->usage_type, y->usage_type);
    CM_ORDER_BY_TEXT(x->unit, y->unit);
    CM_ORDER_BY_TEXT(x->class, y->class);
    return 0;
}

/* qsort is not stable: support rows with equal keys are in the order of their payers. */
static int by_line_key_and_payer(const void *a, const void *b)
{
    const cm_draft_line *x = a, *y = b;
    int order = by_line_key(x, y);
    return order ? order : strcmp(x->payer, y->payer);
}

/* Adds up neighbours with the same key and drops exact zeros. Support rows are not merged: one for each payer and
 * account. */
static bool merge_lines(cm_draft_lines *lines)
{
    if (lines->count > 1)
        qsort(lines->list, lines->count, sizeof *lines->list, by_line_key_and_payer);
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        cm_draft_line *last = kept ? &lines->list[kept - 1] : NULL;
        if (last && last->step == CM_STEP_CHARGE && by_line_key(last, &lines->list[i]) == 0) {
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

static void charge_lines(const cm_statement_charge *const *charges, size_t count, cm_draft_lines *lines)
{
    for (size_t i = 0; i < count; i++) {
        *cm_draft_lines_add(lines) = (cm_draft_line){
            .customer = charges[i]->customer,
            .payer = charges[i]->payer,
            .account = charges[i]->account,
            .product = charges[i]->product,
            .usage_type = charges[i]->usage_type,
            .unit = charges[i]->unit,
            .class = cm_class_name(charges[i]->class),
            .step = CM_STEP_CHARGE,
            .quantity = charges[i]->quantity,
            .source_exact = charges[i]->sell_amount,
        };
    }
}

static void sort_charges(const cm_statement_charge **charges, size_t count)
{
    if (count)
        qsort(charges, count, sizeof *charges, by_section_and_account);
}

/* Charges, then support by account. */
static bool add_charges_and_support(const cm_building *b, cm_section *section, const cm_work *work, cm_error *err)
{
    const cm_statement_charge **charges = cm_alloc((work->count + 1) * sizeof *charges);
    for (size_t i = 0; i < work->count; i++)
        charges[i] = &work->list[i];
    sort_charges(charges, work->count);
    charge_lines(charges, work->count, &section->lines);
    bool done = cm_support_add_rows(b, section->customer, charges, work->count, &section->lines, err);
    free(charges);
    return done;
}

/* What the reseller pays for support, even if the customer pays nothing for it, which no line shows. */
static bool visit_support(const cm_section *section, const cm_month_visitor *visitor)
{
    for (size_t i = 0; i < section->lines.count; i++) {
        const cm_draft_line *line = &section->lines.list[i];
        cm_month_change change = {section->customer->id, line->product, section->source, line->source_buy,
                                  CM_DECIMAL_ZERO};
        if (!cm_decimal_is_zero(line->source_buy) && !visitor->change(visitor->opaque, &change))
            return false;
    }
    return true;
}

/* rating.md section 5, in its order: tiers, support, custom charges, credits, foreign exchange. */
static bool build_section(const cm_building *b, cm_section *section, const cm_statement_charge *const *charges,
                          size_t count, cm_error *err)
{
    const char *invoice = section->terms->invoice_currency;
    section->source = charges[0]->currency;
    if (strcmp(section->source, invoice) != 0)
        section->fx = cm_catalog_fx(b->catalog, CM_FX_RESELLER, section->source, invoice, b->period);
    cm_work work = {0};
    for (size_t i = 0; i < count; i++)
        *cm_work_add(&work) = *charges[i];
    bool done = cm_tiers_apply(b, section->customer, &work, err) && add_charges_and_support(b, section, &work, err) &&
                cm_custom_add_rows(b, section, &work, &section->lines, err);
    if (done && b->with_margin && !cm_margin_begin(b, section, &work))
        done = cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the margin of customer %s does not fit an amount",
                       section->customer->id);
    if (done && b->with_rows)
        cm_rows_add_tiers(section, &work, count);
    free(work.list);
    if (!done)
        return false;
    if (b->visitor && !visit_support(section, b->visitor))
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "support of customer %s does not fit an amount",
                       section->customer->id);
    if (!merge_lines(&section->lines))
        return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "a line of customer %s does not fit an amount",
                       section->customer->id);
    if (!cm_credit_add_rows(b, section, err))
        return false;
    if (b->with_rows)
        cm_rows_add_lines(section);
    return (convert_lines(&section->lines, section->fx) && (!b->with_margin || cm_margin_finish(b, section))) ||
           cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "a line of customer %s does not fit an amount",
                   section->customer->id);
}

/* ---- sections ---- */

typedef struct sections {
    cm_section *list;
    size_t count, capacity;
} sections;

static void name_missing(const char *id, const char *before, cm_buffer *ret_missing)
{
    if (ret_missing && (!before || strcmp(before, id) != 0))
        cm_buffer_printf(ret_missing, "%s%s", ret_missing->length ? ", " : "", id);
}

static cm_section *add_section(sections *all, const cm_customer *customer, cm_period period)
{
    if (all->count == all->capacity) {
        all->capacity = all->capacity ? all->capacity * 2 : 16;
        all->list = cm_realloc(all->list, all->capacity * sizeof *all->list);
    }
    all->list[all->count] = (cm_section){.customer = customer, .terms = cm_customer_terms_in(customer, period)};
    return &all->list[all->count++];
}

static bool build_sections(const cm_building *b, const cm_statement_charge *const *sorted, size_t count, sections *ret,
                           cm_buffer *ret_missing, cm_error *err)
{
    bool done = true;
    for (size_t first = 0, last; done && first < count; first = last) {
        const char *id = sorted[first]->customer, *currency = sorted[first]->currency;
        for (last = first + 1;
             last < count && strcmp(sorted[last]->customer, id) == 0 && strcmp(sorted[last]->currency, currency) == 0;
             last++)
            ;
        if (!*id)
            continue; /* the payer account's own lines belong to no customer */
        const cm_customer *customer = cm_catalog_customer(b->catalog, id);
        if (customer)
            done = build_section(b, add_section(ret, customer, b->period), sorted + first, last - first, err);
        else
            name_missing(id, first ? sorted[first - 1]->customer : NULL, ret_missing);
    }
    return done;
}

static int by_customer(const void *id, const void *charge)
{
    return strcmp(id, (*(const cm_statement_charge *const *)charge)->customer);
}

/* Sorted, with fixed custom charges of customers that have charges, but maybe not in that currency. `presences` holds
 * the charges for them. */
static const cm_statement_charge **sorted_input(const cm_building *b, const cm_statement_input *input,
                                                cm_statement_charge *presences, size_t *ret_count)
{
    const cm_statement_charge **sorted =
        cm_alloc((input->count + b->catalog->custom_charge_count + 1) * sizeof *sorted);
    size_t count = 0, present = 0;
    while (count < input->count) {
        sorted[count] = &input->charges[count];
        count++;
    }
    sort_charges(sorted, count);
    for (size_t i = 0; input->count && i < b->catalog->custom_charge_count; i++) {
        const cm_custom_charge *charge = &b->catalog->custom_charges[i];
        if (charge->is_percent || !cm_custom_charge_is_due(charge, b->lane, b->period) ||
            !bsearch(charge->customer->id, sorted, input->count, sizeof *sorted, by_customer))
            continue;
        presences[present] = cm_custom_charge_presence(charge);
        sorted[count++] = &presences[present++];
    }
    sort_charges(sorted, count);
    *ret_count = count;
    return sorted;
}

/* ---- documents ---- */

static bool is_consolidated(const cm_section *section)
{
    return strcmp(section->customer->reseller->consolidation, "end_customer") != 0;
}

/* Which sections form one document: those of a customer and currency, or of a reseller and a pair of currencies. */
static int by_document(const void *a, const void *b)
{
    const cm_section *x = a, *y = b;
    CM_ORDER_BY_TEXT(x->customer->reseller->id, y->customer->reseller->id);
    if (!is_consolidated(x))
        CM_ORDER_BY_TEXT(x->customer->id, y->customer->id);
    CM_ORDER_BY_TEXT(x->source, y->source);
    CM_ORDER_BY_TEXT(x->terms->invoice_currency, y->terms->invoice_currency);
    return 0;
}

static int by_document_and_customer(const void *a, const void *b)
{
    int order = by_document(a, b);
    return order ? order : strcmp(((const cm_section *)a)->customer->id, ((const cm_section *)b)->customer->id);
}

static bool build_documents(const cm_building *b, sections *all, cm_statements *ret, cm_error *err)
{
    bool done = true;
    if (all->count)
        qsort(all->list, all->count, sizeof *all->list, by_document_and_customer);
    ret->list = cm_alloc((all->count + 1) * sizeof *ret->list);
    for (size_t first = 0, last; done && first < all->count; first = last) {
        for (last = first + 1; last < all->count && by_document(&all->list[first], &all->list[last]) == 0; last++)
            ;
        cm_statement *document = &ret->list[ret->count];
        done = cm_document_make(b, all->list + first, last - first, document, err);
        ret->count += done;
        if (done && b->with_rows)
            document->rows = json_array();
        for (size_t i = first; done && b->with_rows && i < last; i++)
            if (all->list[i].rows)
                json_array_extend(document->rows, all->list[i].rows);
    }
    return done;
}

static int by_reseller_customer_currency(const void *a, const void *b)
{
    const cm_statement *x = a, *y = b;
    CM_ORDER_BY_TEXT(x->reseller, y->reseller);
    CM_ORDER_BY_TEXT(x->customer, y->customer);
    CM_ORDER_BY_TEXT(x->currency, y->currency);
    CM_ORDER_BY_TEXT(x->source_currency, y->source_currency);
    return strcmp(x->id, y->id);
}

/* The sections of an input. */
typedef struct month {
    cm_building building;
    cm_statement_charge *presences;
    const cm_statement_charge **sorted;
    size_t count;
    sections all;
} month;

static bool month_begin(const cm_statement_input *input, const cm_month_visitor *visitor, month *m,
                        cm_buffer *ret_missing, cm_error *err)
{
    *m = (month){.building = {.catalog = input->catalog,
                              .lane = input->lane,
                              .period = input->period,
                              .used = input->used,
                              .used_count = input->used_count,
                              .with_margin = input->with_margin,
                              .discounts = input->discounts,
                              .discount_count = input->discount_count,
                              .visitor = visitor,
                              .with_rows = input->with_rows}};
    m->presences = cm_alloc((input->catalog->custom_charge_count + 1) * sizeof *m->presences);
    m->sorted = sorted_input(&m->building, input, m->presences, &m->count);
    return build_sections(&m->building, m->sorted, m->count, &m->all, ret_missing, err);
}

static void month_end(month *m)
{
    for (size_t i = 0; i < m->all.count; i++) {
        free(m->all.list[i].lines.list);
        free(m->all.list[i].credits);
        cm_margin_free(m->all.list[i].margin);
        json_decref(m->all.list[i].rows);
    }
    free(m->all.list);
    free(m->sorted);
    free(m->presences);
}

bool cm_statements_build_month(const cm_statement_input *input, cm_statements *ret, cm_buffer *ret_missing,
                               cm_error *err)
{
    month m;
    *ret = (cm_statements){0};
    bool done = month_begin(input, NULL, &m, ret_missing, err) && build_documents(&m.building, &m.all, ret, err);
    if (done && ret->count > 1)
        qsort(ret->list, ret->count, sizeof *ret->list, by_reseller_customer_currency);
    if (!done)
        cm_statements_free(ret);
    month_end(&m);
    return done;
}

/* Subtracts the sum of the section's charges before the steps from the sum of its lines after them. */
static bool visit_charge(const month *m, const cm_statement_charge *charge, const cm_month_visitor *visitor)
{
    cm_month_change change = {.customer = charge->customer, .product = charge->product, .currency = charge->currency};
    if (cm_decimal_is_zero(charge->sell_amount) || !*charge->customer ||
        !cm_catalog_customer(m->building.catalog, charge->customer))
        return true;
    return cm_decimal_negate(charge->sell_amount, &change.sell) && visitor->change(visitor->opaque, &change);
}

static bool visit_section(const cm_section *section, const cm_month_visitor *visitor)
{
    for (size_t i = 0; i < section->lines.count; i++) {
        const cm_draft_line *line = &section->lines.list[i];
        cm_month_change change = {section->customer->id, line->product, section->source, CM_DECIMAL_ZERO,
                                  line->source_exact};
        if (!visitor->change(visitor->opaque, &change))
            return false;
    }
    for (size_t i = 0; i < section->credit_count; i++) {
        if (!visitor->credit(visitor->opaque, &section->credits[i]))
            return false;
    }
    return true;
}

bool cm_statements_visit_month(const cm_statement_input *input, const cm_month_visitor *visitor, cm_error *err)
{
    month m;
    bool done = month_begin(input, visitor, &m, NULL, err), fits = true;
    for (size_t i = 0; done && fits && i < m.count; i++)
        fits = visit_charge(&m, m.sorted[i], visitor);
    for (size_t i = 0; done && fits && i < m.all.count; i++)
        fits = visit_section(&m.all.list[i], visitor);
    month_end(&m);
    return done && (fits || cm_fail(err, CM_ERROR_BUG, "OVERFLOW",
                                    "what the steps of the month change does not fit an amount"));
}

bool cm_statements_build(const cm_catalog *catalog, const char *lane, cm_period period,
                         const cm_statement_charge *charges, size_t count, cm_statements *ret, cm_buffer *ret_missing,
                         cm_error *err)
{
    cm_statement_input input = {.catalog = catalog, .lane = lane, .period = period, .charges = charges, .count = count};
    return cm_statements_build_month(&input, ret, ret_missing, err);
}

void cm_statements_free(cm_statements *statements)
{
    for (size_t i = 0; i < statements->count; i++) {
        json_decref(statements->list[i].document);
        json_decref(statements->list[i].margin);
        json_decref(statements->list[i].rows);
        free(statements->list[i].credits);
    }
    free(statements->list);
    *statements = (cm_statements){0};
}
