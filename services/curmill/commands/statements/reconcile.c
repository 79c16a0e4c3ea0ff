/* reconcile: an invoice against our figures (R11). */
#include "cli/cli.h"
#include "commands/commands.h"

#include "billing/catalog/model/currency.h"
#include "commands/statements/invoice_ids.h"
#include "store/reports/reconcile_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct comparison {
    cli *c;
    const cm_catalog *catalog;
    const cm_payer *payer;
    cm_period period;
    const cm_invoice_format *format;
    cm_arena *arena;
    const cm_archive *archive;
    cm_invoice invoice;
    cm_expectation expectation;
    cm_reconciliation result;
    int64_t without_id; /* lines that AWS has not invoiced yet (level invoice) */
} comparison;

/* The format that was named, or the only one. */
static const cm_invoice_format *find_format(const cm_catalog *catalog, const char *id, cm_error *err)
{
    if (id) {
        const cm_invoice_format *format = cm_catalog_invoice_format(catalog, id);
        if (!format)
            cm_fail(err, CM_ERROR_NOT_FOUND, "NO_FORMAT", "the catalog in force has no InvoiceFormat %s", id);
        return format;
    }
    if (catalog->invoice_format_count == 1)
        return &catalog->invoice_formats[0];
    cm_fail(err, catalog->invoice_format_count ? CM_ERROR_INVALID : CM_ERROR_NOT_FOUND, "NO_FORMAT",
            catalog->invoice_format_count
                ? "the catalog has %zu InvoiceFormats; choose one with --layout ID"
                : "the catalog has no InvoiceFormat (%zu): it says which column of the invoice holds what",
            catalog->invoice_format_count);
    return NULL;
}

static bool find_what(comparison *x, cm_error *err)
{
    const char *payer = cli_value(x->c, "payer");
    x->payer = cm_catalog_payer(x->catalog, payer);
    if (!x->payer)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_PAYER", "the catalog in force has no payer %s", payer);
    x->format = find_format(x->catalog, cli_value(x->c, "layout"), err);
    return x->format != NULL;
}

static bool expect(comparison *x, cm_error *err)
{
    cm_expectation *e = &x->expectation;
    if (x->format->level != CM_INVOICE_BY_ID)
        return cm_store_expectation(x->c->pg_, x->catalog, x->payer, x->period, x->format, x->invoice.currency,
                                    x->arena, e, err);
    return cm_store_expectation_run(x->c->pg_, x->payer, x->period, x->arena, e, err) &&
           (!*e->run || invoice_ids_load(x->c->pg_, x->archive, e->run, x->format, x->invoice.currency, x->arena,
                                         &e->list, &e->count, &x->without_id, err));
}

static bool compare(comparison *x, cm_error *err)
{
    const cm_expectation *e = &x->expectation;
    cm_reconcile_input input = {.format = x->format,
                                .invoice = &x->invoice,
                                .expected = e->list,
                                .count = e->count,
                                .elsewhere = e->elsewhere,
                                .elsewhere_count = e->elsewhere_count,
                                .converted = e->converted,
                                .missing = e->missing,
                                .places = cm_currency_minor_digits(x->invoice.currency)};
    return cm_reconcile(&input, &x->result, err);
}

/* --- output ---------------------------------------------------------------------------------------------------- */

static json_t *decimal(cm_decimal value)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    return json_string(text);
}

static json_t *item_json(const comparison *x, const cm_reconcile_item *item)
{
    json_t *rows = json_array(), *json = json_object();
    for (size_t i = 0; i < item->row_count; i++)
        json_array_append_new(rows, json_integer((json_int_t)item->rows[i]));
    if (x->format->level == CM_INVOICE_BY_ID) {
        json_object_set_new(json, "invoice_id", json_string(item->account));
    } else {
        json_object_set_new(json, "account", json_string(item->account));
        if (x->format->level == CM_INVOICE_BY_PRODUCT)
            json_object_set_new(json, "product", json_string(item->product));
        json_object_set_new(json, "customer", json_string(item->customer));
    }
    json_object_set_new(json, "status", json_string(cm_reconcile_status_name(item->status)));
    json_object_set_new(json, "invoiced", decimal(item->invoiced));
    json_object_set_new(json, "expected", decimal(item->expected));
    json_object_set_new(json, "difference", decimal(item->difference));
    json_object_set_new(json, "cause", json_string(cm_reconcile_cause_name(item->cause)));
    json_object_set_new(json, "rows", rows);
    return json;
}

static int print_json(const comparison *x)
{
    char period[CM_PERIOD_TEXT];
    json_t *items = json_array(), *counts = json_object();
    for (size_t i = 0; i < x->result.count; i++)
        if (cli_switch(x->c, "all") || x->result.items[i].status != CM_RECONCILE_MATCHED)
            json_array_append_new(items, item_json(x, &x->result.items[i]));
    for (int i = 0; i < CM_RECONCILE_STATUSES; i++)
        json_object_set_new(counts, cm_reconcile_status_name((enum cm_reconcile_status)i),
                            json_integer((json_int_t)x->result.counts[i]));
    cm_decimal difference = CM_DECIMAL_ZERO;
    bool fits = cm_decimal_subtract(x->result.invoiced, x->result.expected, &difference);
    return cli_json_print(json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "payer", x->payer->id,
        "period", cm_period_print(x->period, period), "run", x->expectation.run, "layout", x->format->id, "invoice",
        cli_value(x->c, "invoice"), "currency", x->invoice.currency, "rate", x->expectation.rate, "rows",
        (int)x->invoice.count, "left_out", (int)x->invoice.left_out, "lines_without_invoice_id", (int)x->without_id,
        "invoiced", decimal(x->result.invoiced), "expected", decimal(x->result.expected), "difference",
        fits ? decimal(difference) : json_null(), "counts", counts, "missing",
        x->expectation.missing ? json_string(x->expectation.missing) : json_null(), "items", items));
}

static void add_item(cli_table *table, const cm_reconcile_item *item)
{
    char amounts[3][CM_DECIMAL_TEXT], rows[32] = "";
    cm_decimal_print(item->invoiced, amounts[0]);
    cm_decimal_print(item->expected, amounts[1]);
    cm_decimal_print(item->difference, amounts[2]);
    if (item->row_count)
        snprintf(rows, sizeof rows, item->row_count == 1 ? "%" PRIu64 : "%" PRIu64 " ...", item->rows[0]);
    cli_table_add(table,
                  (const char *[]){cm_reconcile_status_name(item->status), item->account, item->product, item->customer,
                                   amounts[0], amounts[1], amounts[2], cm_reconcile_cause_name(item->cause), rows});
}

static int print_rows(const comparison *x)
{
    bool by_id = x->format->level == CM_INVOICE_BY_ID;
    const cli_column columns[] = {{"status", CLI_TEXT},      {by_id ? "invoice_id" : "account", CLI_TEXT},
                                  {"product", CLI_TEXT},     {"customer", CLI_TEXT},
                                  {"invoiced", CLI_MONEY},   {"expected", CLI_MONEY},
                                  {"difference", CLI_MONEY}, {"cause", CLI_TEXT},
                                  {"row", CLI_TEXT}};
    cli_table *table = cli_table_new(columns, sizeof columns / sizeof *columns);
    cli_table_currency(table, x->invoice.currency);
    for (size_t i = 0; i < x->result.count; i++)
        if (cli_switch(x->c, "all") || x->result.items[i].status != CM_RECONCILE_MATCHED)
            add_item(table, &x->result.items[i]);
    return cli_table_print(x->c, table);
}

/* What the causes that came up mean, once each, and the sums. */
static void print_words(const comparison *x)
{
    char invoiced[CM_DECIMAL_TEXT], expected[CM_DECIMAL_TEXT];
    bool seen[CM_CAUSES] = {0};
    for (size_t i = 0; i < x->result.count; i++)
        seen[x->result.items[i].cause] = true;
    fputc('\n', stdout);
    for (int i = CM_CAUSE_NONE + 1; i < CM_CAUSES; i++)
        if (seen[i])
            cli_put(stdout, "%-17s %s%s%s\n", cm_reconcile_cause_name((enum cm_reconcile_cause)i),
                    cm_reconcile_cause_words((enum cm_reconcile_cause)i), i == CM_CAUSE_MISSING_DELIVERY ? ": " : "",
                    i == CM_CAUSE_MISSING_DELIVERY && x->expectation.missing ? x->expectation.missing : "");
    cm_decimal_print(x->result.invoiced, invoiced);
    cm_decimal_print(x->result.expected, expected);
    cli_put(stdout, "\ninvoiced %s %s, expected %s %s%s%s; %zu matched, %zu short, %zu over, %zu unknown\n", invoiced,
            x->invoice.currency, expected, x->invoice.currency,
            x->expectation.converted ? " at the distributor's rate " : "",
            x->expectation.converted ? x->expectation.rate : "", x->result.counts[CM_RECONCILE_MATCHED],
            x->result.counts[CM_RECONCILE_SHORT], x->result.counts[CM_RECONCILE_OVER],
            x->result.counts[CM_RECONCILE_UNKNOWN]);
    if (x->without_id)
        cli_put(stdout, "%" PRId64 " lines have no InvoiceId yet\n", x->without_id);
}

static int print(const comparison *x)
{
    if (x->c->format == CLI_JSON) {
        print_json(x);
    } else {
        print_rows(x);
        if (x->c->format == CLI_TABLE)
            print_words(x);
    }
    return x->result.counts[CM_RECONCILE_MATCHED] == x->result.count ? 0 : 2;
}

int cmd_reconcile(cli *c)
{
    cm_error err = {0};
    int exit_code = 0;
    comparison x = {.c = c};
    cm_catalog *catalog = NULL;
    if (!cli_period(c, &x.period, &exit_code) || !cli_pg(c, &exit_code) || !cli_archive(c, &x.archive, &exit_code) ||
        !(catalog = cli_catalog(c, &exit_code)))
        return exit_code;
    x.catalog = catalog;
    x.arena = cm_arena_new(64 * 1024);
    bool done = find_what(&x, &err) && cm_invoice_read(cli_value(c, "invoice"), x.format, x.arena, &x.invoice, &err) &&
                expect(&x, &err) && compare(&x, &err);
    exit_code = done ? print(&x) : cli_fail(c, &err);
    cm_reconciliation_free(&x.result);
    cm_expectation_free(&x.expectation);
    cm_invoice_free(&x.invoice);
    cm_arena_free(x.arena);
    cm_catalog_free(catalog);
    return exit_code;
}
