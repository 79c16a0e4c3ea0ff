/*
 * export lines: the lines that a document is made of, as the customer may see them (I10: extract detailed billing; R11:
 * for reconciliation), rated again from the delivery that the document rests on. The file's sum is the document's, to
 * the last digit, or the command fails.
 */
#include "commands/commands.h"
#include "commands/statements/export_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- which document --------------------------------------------------------------------------------------------- */

static bool is_candidate(const cm_rows *rows, int row, bool chosen)
{
    return strcmp(cm_rows_text(rows, row, CLI_KIND), "statement") == 0 &&
           (chosen || strcmp(cm_rows_text(rows, row, CLI_STATE), "void") != 0);
}

/* The one document that fits; false: the exit code is set. */
static bool choose(cli *c, char ret_id[static CM_ID_HEX], int *ret_exit)
{
    cm_error err = {0};
    cm_buffer which = {0};
    const char *chosen = cli_value(c, "statement");
    int found = 0;
    cm_rows *rows = cli_documents(c, false, chosen, ret_exit);
    if (!rows)
        return false;
    for (int row = 0; row < cm_rows_count(rows); row++) {
        /* A correction, too, if it was asked for by name. */
        if (!is_candidate(rows, row, chosen) && !(chosen && cm_rows_count(rows) == 1))
            continue;
        snprintf(ret_id, CM_ID_HEX, "%s", cm_rows_text(rows, row, CLI_ID));
        if (found++ < 10)
            cm_buffer_printf(&which, "\n  %s  %s  %s  %s", ret_id, cm_rows_text(rows, row, CLI_LANE),
                             cm_rows_text(rows, row, CLI_STATE), cm_rows_text(rows, row, CLI_CURRENCY));
    }
    cm_rows_free(rows);
    if (found == 0) {
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_STATEMENT",
                "customer %s has no such document for %s; see `curmill statement list`", cli_value(c, "customer"),
                cli_value(c, "period"));
        *ret_exit = cli_fail(c, &err);
    } else if (found > 1) {
        *ret_exit = cli_usage(c, "%d documents match; choose one with --lane, --payer or --statement ID:%s", found,
                              cm_buffer_string(&which));
    }
    cm_buffer_free(&which);
    return found == 1;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

static bool open_output(const char *path, char **ret_partial, FILE **ret, cm_error *err)
{
    *ret = stdout;
    *ret_partial = NULL;
    if (!path)
        return true;
    cm_buffer partial = {0};
    cm_buffer_printf(&partial, "%s.partial", path);
    *ret_partial = cm_buffer_take(&partial);
    *ret = fopen(*ret_partial, "w");
    return *ret || cm_fail(err, CM_ERROR_INVALID, "OUTPUT", "%s cannot be written: %s", *ret_partial, strerror(errno));
}

/* A file that is not whole, or not equal to its document, never has the name that was asked for. */
static bool close_output(FILE *out, char *partial, const char *path, bool good, cm_error *err)
{
    bool done = good;
    bool written = out ? fflush(out) == 0 && !ferror(out) : false;
    if (partial) {
        written = (out && fclose(out) == 0) && written;
        if (good && written)
            written = rename(partial, path) == 0;
        if (!good || !written)
            unlink(partial);
        free(partial);
    }
    if (good && !written)
        done = cm_fail(err, CM_ERROR_RETRY, "OUTPUT", "%s could not be written: %s", path ? path : "standard output",
                       strerror(errno));
    return done;
}

/* --- one document ---------------------------------------------------------------------------------------------------
 */

/* The document's rate; NULL: it has the charges' currency. */
static const cm_decimal *rate_of(const cm_document_facts *document, cm_decimal *rate)
{
    const char *text = json_string_value(json_object_get(document->document, "rate"));
    bool given = text && cm_decimal_parse_strict(cm_slice_of(text), rate);
    return given ? rate : NULL;
}

static bool want_lines(cm_export_sums *sums, const json_t *lines, cm_error *err)
{
    static const char *const keys[] = {"account", "product", "usage_type", "unit", "class"};
    size_t i;
    json_t *line;
    json_array_foreach ((json_t *)lines, i, line) {
        cm_slice key[5];
        cm_decimal exact;
        for (int k = 0; k < 5; k++)
            key[k] = cm_slice_of(json_string_value(json_object_get(line, keys[k])));
        bool valid =
            cm_decimal_parse_strict(cm_slice_of(json_string_value(json_object_get(line, "amount_exact"))), &exact);
        cm_assert(valid);
        if (!cm_decimal_accumulate(&cm_export_sums_at(sums, key)->wanted, exact))
            return cm_fail(err, CM_ERROR_BUG, "OVERFLOW", "the sum of the document's lines is too large");
    }
    return true;
}

static void tell(const export_order *order, size_t rows, size_t lines, cm_decimal total)
{
    char sum[CM_DECIMAL_TEXT], exact[CM_DECIMAL_TEXT];
    const cm_document_facts *d = order->document;
    cm_decimal_print(order->to.total, sum);
    cm_decimal_print(total, exact);
    cli_note(order->c,
             "customer %s, %s, document %s %s (%s): %" PRIu64
             " lines and %zu line%s added at month end (tiers, fees, credits), together %s %s",
             order->to.customer, d->month, d->id, d->number, d->state, order->to.lines, rows, rows == 1 ? "" : "s", sum,
             d->source_currency);
    cli_note(order->c, "equal to the document's %zu lines to the last digit: %s %s before rounding and tax", lines,
             exact, d->currency);
    if (order->to.hidden)
        cli_note(
            order->c,
            "%" PRIu64
            " lines that cost the customer nothing are left out (discounts, taxes and commitments of the reseller)",
            order->to.hidden);
}

static bool export_document(export_order *order, const json_t *rows, const json_t *lines, cm_error *err)
{
    cm_decimal total;
    const cm_decimal *used = order->to.rate;
    bool full = strcmp(order->document->consolidation, "full") == 0;
    if (!export_lines(order, err))
        return false;
    if (!cm_line_export_rows(&order->to, rows, err) || !want_lines(order->to.sums, lines, err))
        return false;
    if (!cm_export_sums_compare(order->to.sums, used, full, &total, err)) {
        if (order->other_engine && err->class == CM_ERROR_BUG)
            return cm_fail(
                err, CM_ERROR_REFUSED, "OTHER_ENGINE",
                "the document was rated by another version of curmill; export with that version, or rate the month again");
        return false;
    }
    tell(order, json_array_size(rows), json_array_size(lines), total);
    return true;
}

/* A credit note or an adjustment has no lines in a delivery: its own lines are the differences that it bills. */
static bool export_correction(export_order *order, cm_error *err)
{
    char sum[CM_DECIMAL_TEXT];
    const cm_document_facts *d = order->document;
    const char *corrects = json_string_value(json_object_get(json_object_get(d->document, "corrects"), "number"));
    if (!cm_line_export_correction(&order->to, d->kind, json_object_get(d->document, "lines"), err))
        return false;
    cm_decimal_print(order->to.total, sum);
    cli_note(order->c,
             "customer %s, %s, document %s %s (%s), a correction of %s: %" PRIu64
             " differences, together %s %s before rounding and tax",
             order->to.customer, d->month, d->id, d->number, d->state,
             corrects ? corrects : "a month without a document", order->to.lines, sum, d->currency);
    return true;
}

static bool export_made(cli *c, export_order *order, cm_error *err)
{
    cm_decimal rate;
    json_t *rows = NULL, *lines = NULL;
    const cm_document_facts *document = order->document;
    order->to.rate = rate_of(document, &rate);
    order->to.rate_text = json_string_value(json_object_get(document->document, "rate"));
    order->to.number = document->number;
    order->to.currency = document->source_currency;
    order->to.document_currency = document->currency;
    cm_line_export_header(order->to.out);
    bool correction = strcmp(document->kind, "statement") != 0;
    bool done = correction ? export_correction(order, err)
                           : cm_store_customer_rows(c->pg_, document, order->to.customer, &rows, &lines, err) &&
                                 export_document(order, rows, lines, err);
    order->to.rate = NULL; /* it ends with this function */
    json_decref(rows);
    json_decref(lines);
    return done;
}

static bool export_chosen(cli *c, const char *id, const cm_archive *archive, FILE *out, cm_error *err)
{
    cm_document_facts document;
    export_order order = {.c = c,
                          .archive = archive,
                          .document = &document,
                          .to = {.customer = cli_value(c, "customer"), .out = out, .sums = cm_export_sums_new()}};
    bool done = cm_store_document_facts(c->pg_, id, &document, err) && export_made(c, &order, err);
    cm_export_sums_free(order.to.sums);
    cm_document_facts_free(&document);
    return done;
}

int cmd_export_lines(cli *c)
{
    cm_error err = {0};
    char id[CM_ID_HEX], *partial = NULL;
    const char *path = cli_value(c, "output");
    const cm_archive *archive;
    FILE *out = NULL;
    int exit_code = 0;
    if (!cli_archive(c, &archive, &exit_code) || !choose(c, id, &exit_code))
        return exit_code;
    bool good = open_output(path, &partial, &out, &err) && export_chosen(c, id, archive, out, &err);
    return close_output(out, partial, path, good, &err) ? 0 : cli_fail(c, &err);
}
