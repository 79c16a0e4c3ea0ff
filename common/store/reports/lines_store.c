#include "store/reports/lines_store.h"

#include "base/base/arena.h"
#include "base/json/json.h"
#include "billing/statement/statement.h"
#include "store/catalog/link_store.h"
#include "store/documents/document_store.h"

#include <stdlib.h>
#include <string.h>

/* --- the document ------------------------------------------------------------------------------------------------ */

static bool load_document(cm_pg *pg, cm_document_facts *facts, cm_error *err)
{
    if (strcmp(facts->state, "issued") == 0)
        return cm_store_document_issued(pg, facts->id, &facts->document, err);
    facts->document = json_loads(cm_rows_text(facts->rows, 0, 8), 0, NULL);
    return facts->document || cm_fail(err, CM_ERROR_BUG, "DOCUMENT",
                                      "the stored document %s is not JSON; restore it from a backup", facts->id);
}

bool cm_store_document_facts(cm_pg *pg, const char *id, cm_document_facts *ret, cm_error *err)
{
    const char *values[] = {id};
    *ret = (cm_document_facts){0};
    if (!cm_pg_query(pg,
                     "SELECT id, coalesce(number, ''), state, lane, period, currency, source_currency, catalog_id, "
                     "document, runs, kind"
                     " FROM statement WHERE id = $1",
                     1, values, &ret->rows, err))
        return false;
    if (cm_rows_count(ret->rows) == 0)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_STATEMENT", "there is no document %s; see `curmill statement list`",
                       id);
    const char **fields[] = {&ret->id,    &ret->number,   &ret->state,           &ret->lane,
                             &ret->month, &ret->currency, &ret->source_currency, &ret->catalog};
    for (int i = 0; i < 8; i++)
        *fields[i] = cm_rows_text(ret->rows, 0, i);
    ret->runs = cm_rows_text(ret->rows, 0, 9);
    bool valid = cm_period_parse(cm_slice_of(ret->month), &ret->period);
    cm_assert(valid);
    ret->kind = cm_rows_text(ret->rows, 0, 10);
    if (!load_document(pg, ret, err))
        return false;
    if (strcmp(ret->kind, "statement") != 0)
        return true;
    if (!cm_store_snapshot_of_runs(pg, ret->catalog, ret->runs, &ret->catalog_, err))
        return false;
    const json_t *first = json_array_get(json_object_get(ret->document, "customers"), 0);
    const cm_customer *customer = cm_catalog_customer(ret->catalog_, cm_json_member_text(first, "id"));
    ret->consolidation = customer ? customer->reseller->consolidation : "end_customer";
    return true;
}

void cm_document_facts_free(cm_document_facts *facts)
{
    cm_rows_free(facts->rows);
    json_decref(facts->document);
    cm_catalog_free(facts->catalog_);
    *facts = (cm_document_facts){0};
}

/* --- a customer's charges ---------------------------------------------------------------------------------------- */

typedef struct charges {
    cm_rows *rows;
    cm_statement_charge *list;
    size_t count;
} charges;

static bool load_charges(cm_pg *pg, const cm_document_facts *facts, const char *customer, charges *ret, cm_error *err)
{
    const char *values[] = {facts->month, facts->runs, customer, facts->source_currency};
    if (!cm_pg_query(
            pg,
            "SELECT r.payer, c.account, c.product, c.usage_type, c.unit, c.class, c.rule, sum(c.quantity), "
            "sum(c.payer_amount),"
            " sum(c.list_amount), sum(c.buy_amount), sum(c.sell_amount) FROM charge c JOIN run r ON r.id = c.run_id"
            " WHERE c.period = $1 AND c.run_id = ANY ($2::text[]) AND c.customer = $3 AND c.currency = $4 AND c.class "
            "<> 'suspended'"
            " GROUP BY r.payer, c.account, c.product, c.usage_type, c.unit, c.class, c.rule",
            4, values, &ret->rows, err))
        return false;
    ret->list =
        cm_alloc(((size_t)cm_rows_count(ret->rows) + facts->catalog_->custom_charge_count + 1) * sizeof *ret->list);
    for (int row = 0; row < cm_rows_count(ret->rows); row++) {
        cm_statement_charge *c = &ret->list[ret->count++];
        *c = (cm_statement_charge){.customer = customer, .currency = facts->source_currency};
        const char **texts[] = {&c->payer, &c->account, &c->product, &c->usage_type, &c->unit};
        cm_decimal *amounts[] = {&c->quantity, &c->payer_amount, &c->list_amount, &c->buy_amount, &c->sell_amount};
        for (int i = 0; i < 5; i++)
            *texts[i] = cm_rows_text(ret->rows, row, i);
        for (int i = 0; i < 5; i++)
            *amounts[i] = cm_rows_decimal(ret->rows, row, 7 + i);
        c->rule = cm_rows_text(ret->rows, row, 6);
        if (!cm_class_parse(cm_slice_of(cm_rows_text(ret->rows, row, 5)), &c->class))
            return cm_fail(
                err, CM_ERROR_BUG, "CLASS",
                "a charge has the class \"%s\", which this version does not know; was it written by a newer version?",
                cm_rows_text(ret->rows, row, 5));
    }
    for (size_t i = 0; i < facts->catalog_->custom_charge_count; i++) { /* fixed ones are also due without usage */
        const cm_custom_charge *charge = &facts->catalog_->custom_charges[i];
        if (!charge->is_percent && strcmp(charge->customer->id, customer) == 0 &&
            strcmp(charge->currency, facts->source_currency) == 0 &&
            cm_custom_charge_is_due(charge, facts->lane, facts->period))
            ret->list[ret->count++] = cm_custom_charge_presence(charge);
    }
    return true;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

static const cm_credit *credit_of(const cm_document_facts *facts, const char *id, const char *customer)
{
    for (size_t k = 0; k < facts->catalog_->credit_count; k++)
        if (strcmp(facts->catalog_->credits[k].id, id) == 0 &&
            strcmp(facts->catalog_->credits[k].customer->id, customer) == 0)
            return &facts->catalog_->credits[k];
    return NULL;
}

/* The credits that the document used, not those that it would use today. */
static bool add_credits(cm_pg *pg, const cm_document_facts *facts, const char *customer, json_t *rows, cm_error *err)
{
    cm_rows *used = NULL;
    if (!cm_pg_query(pg,
                     "SELECT credit, trim_scale(-amount) FROM credit_use WHERE statement_id = $1 AND amount <> 0 ORDER "
                     "BY credit",
                     1, (const char *[]){facts->id}, &used, err))
        return false;
    for (int i = 0; i < cm_rows_count(used); i++) {
        const cm_credit *credit = credit_of(facts, cm_rows_text(used, i, 0), customer);
        if (credit)
            json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "customer", customer,
                                                  "step", "reseller_credit", "account", "", "product", credit->name,
                                                  "usage_type", credit->id, "unit", "", "class", "reseller_credit",
                                                  "quantity", "1", "amount", cm_rows_text(used, i, 1)));
    }
    cm_rows_free(used);
    return true;
}

static void take_rows(const cm_statement *built, json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach (built->rows, i, row)
        if (strcmp(cm_json_member_text(row, "step"), "reseller_credit") != 0)
            json_array_append(rows, row);
}

/* A credit belongs to one customer, so it has its own line on every document. */
static bool is_credit_of(const cm_document_facts *facts, const json_t *line, const char *customer)
{
    return strcmp(cm_json_member_text(line, "class"), "reseller_credit") == 0 &&
           credit_of(facts, cm_json_member_text(line, "usage_type"), customer);
}

static void take_lines(const cm_document_facts *facts, const cm_statement *built, const char *customer, json_t *lines)
{
    size_t i;
    json_t *line;
    bool full = strcmp(facts->consolidation, "full") == 0;
    json_array_foreach (json_object_get(facts->document, "lines"), i, line)
        if (full ? is_credit_of(facts, line, customer) : strcmp(cm_json_member_text(line, "customer"), customer) == 0)
            json_array_append(lines, line);
    json_array_foreach (full ? json_object_get(built->document, "lines") : NULL, i, line)
        if (strcmp(cm_json_member_text(line, "class"), "reseller_credit") != 0)
            json_array_append(lines, line);
}

static bool build(const cm_document_facts *facts, const charges *of, const char *customer, json_t *rows, json_t *lines,
                  cm_error *err)
{
    cm_statements built = {0};
    const cm_statement_input input = {.catalog = facts->catalog_,
                                      .lane = facts->lane,
                                      .period = facts->period,
                                      .charges = of->list,
                                      .count = of->count,
                                      .with_rows = true};
    if (!cm_statements_build_month(&input, &built, NULL, err))
        return false;
    const cm_statement empty = {0}, *found = &empty;
    for (size_t i = 0; i < built.count; i++)
        if (strcmp(built.list[i].source_currency, facts->source_currency) == 0)
            found = &built.list[i];
    take_rows(found, rows);
    take_lines(facts, found, customer, lines);
    cm_statements_free(&built);
    return true;
}

bool cm_store_customer_rows(cm_pg *pg, const cm_document_facts *facts, const char *customer, json_t **ret_rows,
                            json_t **ret_lines, cm_error *err)
{
    charges of = {0};
    *ret_rows = json_array();
    *ret_lines = json_array();
    bool done = load_charges(pg, facts, customer, &of, err) &&
                build(facts, &of, customer, *ret_rows, *ret_lines, err) &&
                add_credits(pg, facts, customer, *ret_rows, err);
    cm_rows_free(of.rows);
    free(of.list);
    if (done)
        return true;
    json_decref(*ret_rows);
    json_decref(*ret_lines);
    *ret_rows = *ret_lines = NULL;
    return false;
}
