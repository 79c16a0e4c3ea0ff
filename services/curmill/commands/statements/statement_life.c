/* statement approve | return | issue | void: of one document, or of all that fit the options and can take the change.
 */
#include "cli/cli.h"
#include "commands/commands.h"

#include "base/json/json.h"
#include "platform/postgres/array.h"
#include "store/documents/corrections.h"
#include "store/documents/document_store.h"
#include "store/documents/shown_store.h"
#include "store/ledgers/unbilled_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OVERRIDES_MAX = 16, FIGURES_PATIENCE_MS = 60000 };

/* Only gates that there are, and that a person may take upon himself. */
static int check_overrides(const cli *c, const char **overrides, int count)
{
    for (int i = 0; i < count; i++) {
        bool known, allowed = cm_gate_can_be_overridden(overrides[i], &known);
        if (!known)
            return cli_usage(c, "there is no gate \"%s\"; see `curmill statement show`", overrides[i]);
        if (!allowed) {
            cm_error err = {0};
            cm_fail(&err, CM_ERROR_REFUSED, "OVERRIDE",
                    "gate %s cannot be overridden; open it (`curmill statement show` says how)", overrides[i]);
            return cli_fail(c, &err);
        }
    }
    return 0;
}

static void tell_shut(const json_t *shut, const cm_document_order *order, const char *customer)
{
    size_t i;
    const json_t *gate;
    bool any = false;
    cli_put(stderr, "curmill: document %s (%s) cannot be %s; these gates block it:\n", order->id,
            *customer ? customer : "several customers",
            order->change == CM_DOCUMENT_APPROVE ? "approved, because its figures would change" : "issued");
    for (i = 0; i < json_array_size(shut); i++) {
        bool known;
        gate = json_array_get(shut, i);
        const char *code = json_string_value(json_object_get(gate, "code"));
        any = any || cm_gate_can_be_overridden(code, &known);
        cli_put(stderr, "  %-28s %s\n", code, json_string_value(json_object_get(gate, "detail")));
    }
    if (any && order->override_count == 0)
        fputs(
            "  (--override GATE --reason TEXT issues it on your responsibility; not for RUN_INCOMPLETE, PRICES_STALE, FX_MISSING)\n",
            stderr);
}

/* One document, again if the database was busy with others. */
static bool change_one(cli *c, const cm_document_order *order, json_t **ret_shut, cm_error *err)
{
    for (int attempt = 0;; attempt++) {
        cm_error_clear(err);
        if (cm_store_document_change(c->pg_, cli_now(c), order, ret_shut, err))
            return true;
        if (err->class != CM_ERROR_RETRY || attempt == 5)
            return false;
        json_decref(*ret_shut);
    }
}

static bool state_of(cli *c, const char *id, cm_rows **ret, cm_error *err)
{
    return cm_pg_query(
        c->pg_,
        "SELECT document, number, state, id, kind, reseller, lane, period, customer, currency, subtotal, total,"
        " cardinality(customers) FROM statement WHERE id = $1",
        1, (const char *[]){id}, ret, err);
}

/* The rest of the return: the figures of the newest runs. Waits while a run of its payers is under way, but not for
 * ever. */
static bool wait_for_figures(cli *c, const char *id, const char *month, cm_error *err)
{
    cm_period period;
    char run[CM_ID_HEX];
    int built;
    bool valid = cm_period_parse(cm_slice_of(month), &period);
    cm_assert(valid);
    for (int64_t until = cm_monotonic_milliseconds() + FIGURES_PATIENCE_MS;; usleep(200000)) {
        cm_rows *rows = NULL;
        if (!cm_store_statements_refresh_all(c->pg_, cli_now(c), NULL, &period, &built, err) ||
            !cm_store_corrections_refresh(c->pg_, cli_now(c), NULL, NULL, &built, err) ||
            !cm_pg_query(c->pg_,
                         "SELECT r.id FROM statement s JOIN run r ON r.payer = ANY (s.payers) AND r.state = 'running' "
                         "AND r.period = coalesce(s.document::jsonb #>> '{corrects, period}', s.period) WHERE s.id = $1"
                         " ORDER BY r.seq DESC LIMIT 1",
                         1, &id, &rows, err))
            return false;
        snprintf(run, sizeof run, "%s", cm_rows_count(rows) ? cm_rows_text(rows, 0, 0) : "");
        cm_rows_free(rows);
        if (!*run)
            return true;
        if (cm_monotonic_milliseconds() >= until)
            break;
    }
    cli_note(c, "run %s is still under way, so the figures may change: `curmill statement show %s`", run, id);
    return true;
}

/* Against what the command line last showed of the document, whoever asked. */
static void tell_changed(cli *c, const json_t *seen, const cm_rows *now)
{
    char subtotal[CM_DECIMAL_TEXT], total[CM_DECIMAL_TEXT];
    cm_decimal_print(cm_rows_decimal(now, 0, CLI_SUBTOTAL), subtotal);
    cm_decimal_print(cm_rows_decimal(now, 0, CLI_TOTAL), total);
    const char *currency = cm_rows_text(now, 0, CLI_CURRENCY), *customer = cm_rows_text(now, 0, CLI_CUSTOMER);
    if (strcmp(cm_json_member_text(seen, "currency"), currency) == 0 &&
        strcmp(cm_json_member_text(seen, "subtotal"), subtotal) == 0 &&
        strcmp(cm_json_member_text(seen, "total"), total) == 0)
        return;
    cli_note(c,
             "document %s (%s) has changed since it was last shown (%s): subtotal %s %s, was %s %s; total %s, was %s",
             cm_rows_text(now, 0, CLI_ID), *customer ? customer : "several customers", cm_json_member_text(seen, "at"),
             subtotal, currency, cm_json_member_text(seen, "subtotal"), cm_json_member_text(seen, "currency"), total,
             cm_json_member_text(seen, "total"));
}

static bool show_changed(cli *c, const char *id, const json_t *seen, cli_table *table, cm_error *err)
{
    cm_rows *now = NULL;
    if (!state_of(c, id, &now, err))
        return false;
    bool done = true;
    if (cm_rows_count(now)) {
        if (seen)
            tell_changed(c, seen, now);
        cli_documents_add(c, table, now, 0);
        done = cli_documents_shown(c, now, err);
    } else {
        cli_note(c, "document %s is no longer made, because nothing is left to bill in it", id);
    }
    cm_rows_free(now);
    return done;
}

/* *ret_exit: of the worst one. False: the rest is not tried. */
static bool change_row(cli *c, cm_document_order *order, const cm_rows *rows, int row, cli_table *table, int *ret_exit)
{
    cm_error err = {0};
    json_t *shut = NULL, *seen = NULL;
    order->id = cm_rows_text(rows, row, CLI_ID);
    if (!cm_store_document_seen(c->pg_, order->id, &seen, &err)) {
        *ret_exit = cli_fail(c, &err);
        return false;
    }
    if (!change_one(c, order, &shut, &err)) {
        json_decref(seen);
        int exit_code = cm_error_exit_code(&err);
        if (shut)
            tell_shut(shut, order, cm_rows_text(rows, row, CLI_CUSTOMER));
        else
            exit_code = cli_fail(c, &err);
        json_decref(shut);
        if (exit_code > *ret_exit)
            *ret_exit = exit_code;
        return err.class == CM_ERROR_REFUSED;
    }
    bool done = (order->change != CM_DOCUMENT_RETURN ||
                 wait_for_figures(c, order->id, cm_rows_text(rows, row, CLI_PERIOD), &err)) &&
                show_changed(c, order->id, seen, table, &err);
    json_decref(seen);
    if (!done)
        *ret_exit = cli_fail(c, &err);
    return done;
}

/* "kestrel 2026-09 is already approved (karin, 29 Nov 2026)": who and when, from the audit trail. */
static void tell_already(cli *c, const cm_rows *documents, cm_error *err)
{
    char object[64];
    cm_rows *rows = NULL;
    snprintf(object, sizeof object, "statement:%s", cm_rows_text(documents, 0, CLI_ID));
    const char *values[] = {object};
    cm_error ignored = {0};
    bool known =
        cm_pg_query(c->pg_,
                    "SELECT actor, to_char(at AT TIME ZONE 'UTC', 'FMDD Mon YYYY') FROM audit WHERE object = $1 "
                    "ORDER BY id DESC LIMIT 1",
                    1, values, &rows, &ignored) &&
        cm_rows_count(rows) == 1;
    const char *customer = cm_rows_text(documents, 0, CLI_CUSTOMER);
    cm_fail(err, CM_ERROR_REFUSED, "DOCUMENT_STATE", "%s %s is already %s%s%s%s%s%s; nothing was done",
            *customer ? customer : cm_rows_text(documents, 0, CLI_RESELLER), cm_rows_text(documents, 0, CLI_PERIOD),
            cm_rows_text(documents, 0, CLI_STATE), known ? " (" : "", known ? cm_rows_text(rows, 0, 0) : "",
            known ? ", " : "", known ? cm_rows_text(rows, 0, 1) : "", known ? ")" : "");
    cm_rows_free(rows);
}

/* None of the documents is in the state from which the change leads. */
static int none_fits(cli *c, const cm_rows *rows, enum cm_document_change change)
{
    cm_error err = {0};
    const char *state = cm_rows_count(rows) ? cm_rows_text(rows, 0, CLI_STATE) : "";
    bool already = cm_rows_count(rows) == 1 && ((change == CM_DOCUMENT_APPROVE && strcmp(state, "approved") == 0) ||
                                                (change == CM_DOCUMENT_ISSUE && strcmp(state, "issued") == 0));
    if (!cm_rows_count(rows))
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_STATEMENT", "there is no such document; see `curmill statement list`");
    else if (already)
        tell_already(c, rows, &err);
    else
        cm_fail(&err, CM_ERROR_REFUSED, "DOCUMENT_STATE", "`statement %s` needs a document that is %s; %s %s%s",
                cm_document_change_name(change), cm_document_change_from(change),
                cm_rows_count(rows) == 1 ? "this one is" : "none of them is, the first is", state,
                change == CM_DOCUMENT_ISSUE && strcmp(state, "draft") == 0
                    ? ": run `curmill statement approve DOCUMENT --by WHO` first"
                    : "");
    return cli_fail(c, &err);
}

/* The beginning of an id must be that of one document: a change is for one that was named. */
static int ambiguous(const cli *c, const char *id, const cm_rows *rows)
{
    cm_error err = {0};
    cm_buffer which = {0};
    for (int i = 0; i < cm_rows_count(rows) && i < 10; i++)
        cm_buffer_printf(&which, "\n  %s  %s  %s", cm_rows_text(rows, i, CLI_ID), cm_rows_text(rows, i, CLI_PERIOD),
                         cm_rows_text(rows, i, CLI_CUSTOMER));
    cm_fail(&err, CM_ERROR_REFUSED, "SEVERAL_DOCUMENTS", "%d documents begin with %s; give more of the id:%s",
            cm_rows_count(rows), id, cm_buffer_string(&which));
    cm_buffer_free(&which);
    return cli_fail(c, &err);
}

/* What the months of the documents leave unbilled: said when they are issued, and by `period show` when they close. */
static void tell_unbilled(cli *c, const char *ids)
{
    cm_error ignored = {0};
    cm_rows *rows = NULL;
    if (!cm_pg_query(c->pg_,
                     "SELECT DISTINCT p, coalesce(document::jsonb #>> '{corrects, period}', period) FROM statement, "
                     "unnest(payers) p WHERE id = ANY ($1::text[]) ORDER BY 2, 1",
                     1, &ids, &rows, &ignored))
        return;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        const char *payer = cm_rows_text(rows, i, 0), *month = cm_rows_text(rows, i, 1);
        json_t *money = NULL;
        cm_buffer which = {0};
        if (cm_store_unbilled_money(c->pg_, payer, month, &money, &ignored))
            cm_unbilled_print(money, false, &which);
        if (which.length)
            cli_note(c, "unbilled in %s of payer %s: %s; see `curmill period show --payer %s --period %s`", month,
                     payer, which.data, payer, month);
        cm_buffer_free(&which);
        json_decref(money);
    }
    cm_rows_free(rows);
}

/* A draft that was approved until its figures changed: returning it only shows them. */
static bool has_left_approved(cli *c, const cm_rows *rows, int row)
{
    bool left = false;
    cm_error ignored = {0};
    return strcmp(cm_rows_text(rows, row, CLI_STATE), "draft") == 0 &&
           cm_store_document_left_approved(c->pg_, cm_rows_text(rows, row, CLI_ID), &left, &ignored) && left;
}

static int change_documents(cli *c, enum cm_document_change change)
{
    const char *overrides[OVERRIDES_MAX], *reason = cli_value(c, "reason");
    int exit_code = 0, count = cli_values(c, "override", overrides, OVERRIDES_MAX), changed = 0;
    const char *id = c->operands ? c->operand[0] : NULL;
    if (!id && !cli_value(c, "period"))
        return cli_usage(c, "say which document: an ID, or --period (with --customer, --payer, --lane)");
    if (count && (!reason || !*reason))
        return cli_usage(c, "--override needs --reason TEXT, which is kept in the audit trail");
    if ((exit_code = check_overrides(c, overrides, count)) != 0)
        return exit_code;
    cm_rows *rows = cli_documents(c, false, id, &exit_code);
    if (!rows)
        return exit_code;
    if (id && cm_rows_count(rows) > 1) {
        exit_code = ambiguous(c, id, rows);
        cm_rows_free(rows);
        return exit_code;
    }
    cm_document_order order = {.change = change,
                               .by = cli_value(c, "by"),
                               .reason = reason ? reason : "",
                               .overrides = overrides,
                               .override_count = (size_t)count};
    cli_table *table = cli_documents_table();
    cm_buffer ids = {0};
    bool going = true;
    for (int i = 0; going && i < cm_rows_count(rows); i++) {
        /* One that was named is tried in any state, so that the answer says why not. */
        bool wanted = (id && cm_rows_count(rows) == 1) ||
                      strcmp(cm_rows_text(rows, i, CLI_STATE), cm_document_change_from(change)) == 0 ||
                      (change == CM_DOCUMENT_RETURN && has_left_approved(c, rows, i));
        if (wanted) {
            going = change_row(c, &order, rows, i, table, &exit_code);
            cm_array_text(&ids, cm_rows_text(rows, i, CLI_ID));
        }
        changed += wanted;
    }
    if (changed) {
        cli_table_print(c, table);
        if (change == CM_DOCUMENT_ISSUE)
            tell_unbilled(c, cm_array_end(&ids));
    } else {
        cli_table_free(table);
        exit_code = none_fits(c, rows, change);
    }
    cm_buffer_free(&ids);
    cm_rows_free(rows);
    return exit_code;
}

int cmd_statement_approve(cli *c)
{
    return change_documents(c, CM_DOCUMENT_APPROVE);
}

int cmd_statement_return(cli *c)
{
    return change_documents(c, CM_DOCUMENT_RETURN);
}

int cmd_statement_issue(cli *c)
{
    return change_documents(c, CM_DOCUMENT_ISSUE);
}

int cmd_statement_void(cli *c)
{
    return change_documents(c, CM_DOCUMENT_VOID);
}
