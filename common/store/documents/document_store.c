/* Life cycle of documents: the only function that changes states. */
#include "store/documents/document_store.h"

#include "base/digest/digest.h"
#include "platform/postgres/array.h"
#include "store/catalog/catalog_store.h"
#include "store/documents/document_number.h"
#include "store/documents/document_record.h"
#include "store/documents/shown_store.h"
#include "store/ledgers/unbilled_store.h"
#include "store/runs/period_store.h"
#include "store/runs/run_store.h"

#include "statement_issued.pb-c.h"
#include "store/audit/audit.h"

#include <stdlib.h>

static const struct {
    const char *name, *from, *to, *action;
} changes[] = {
    [CM_DOCUMENT_APPROVE] = {"approve", "draft", "approved", "statement.approved"},
    [CM_DOCUMENT_RETURN] = {"return", "approved", "draft", "statement.returned"},
    [CM_DOCUMENT_ISSUE] = {"issue", "approved", "issued", "statement.issued"},
    [CM_DOCUMENT_VOID] = {"void", "draft", "void", "statement.voided"},
};

/* statements.md section 5. */
static const struct {
    const char *code;
    bool overridable;
} gates[] = {{"RUN_INCOMPLETE", false},
             {"DELIVERY_MISSING", true},
             {"PRICES_STALE", false},
             {"NOT_FINAL", true},
             {"TOO_EARLY", true},
             {"SUSPENDED", true},
             {"SUPPORT_PLAN_GROUP_MISSING", true},
             {"SUPPORT_PLAN_ENDED", true},
             {"TAX_HOLD", true},
             {"FX_MISSING", false}};

const char *cm_document_change_name(enum cm_document_change change)
{
    return changes[change].name;
}

const char *cm_document_change_from(enum cm_document_change change)
{
    return changes[change].from;
}

bool cm_gate_can_be_overridden(const char *code, bool *ret_known)
{
    *ret_known = false;
    for (size_t i = 0; i < sizeof gates / sizeof *gates; i++) {
        if (strcmp(gates[i].code, code) == 0) {
            *ret_known = true;
            return gates[i].overridable;
        }
    }
    return false;
}

/* --- facts about a change ---------------------------------------------------------------------------------------- */

enum {
    ID,
    STATE,
    KIND,
    RESELLER,
    LANE,
    PERIOD,
    CURRENCY,
    SOURCE_CURRENCY,
    FX_ID,
    DOCUMENT,
    CATALOG,
    RUNS,
    PAYERS,
    TOTAL,
    APPROVED_BY,
    APPROVED_AT,
    MARGIN,
    CUSTOMERS
};

typedef struct changing {
    cm_pg *pg;
    cm_instant now;
    const cm_document_order *order;
    cm_rows *row;
    json_t *document; /* as it will be shown */
    json_t *shut, *overridden;
    bool done_already; /* RETURN: it left `approved` by itself */
    char number[320];
} changing;

static const char *field(const changing *c, int column)
{
    return cm_rows_text(c->row, 0, column);
}

/* No run of its payers is switched while a document is being issued: these locks come before the document's row (order
 * in switch.h). */
static bool lock_payers(const changing *c, cm_error *err)
{
    const char *values[] = {c->order->id};
    return cm_pg_query(
        c->pg,
        "SELECT pg_advisory_xact_lock_shared(hashtextextended('delivery ' || p || ' ' || period, 0)) FROM"
        " (SELECT unnest(payers) AS p, period FROM statement WHERE id = $1 ORDER BY 1) x",
        1, values, NULL, err);
}

static bool load(changing *c, cm_error *err)
{
    const char *values[] = {c->order->id};
    if (!cm_pg_query(
            c->pg,
            "SELECT id, state, kind, reseller, lane, period, currency, source_currency, fx_id, document, catalog_id, runs, payers, total,"
            " approved_by, to_char(approved_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), margin, customers FROM statement WHERE id = $1 FOR UPDATE",
            1, values, &c->row, err))
        return false;
    if (cm_rows_count(c->row) == 0)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_STATEMENT", "there is no document %s; see `curmill statement list`",
                       c->order->id);
    if (c->order->change == CM_DOCUMENT_RETURN && strcmp(field(c, STATE), "draft") == 0 &&
        !cm_store_document_left_approved(c->pg, c->order->id, &c->done_already, err))
        return false;
    if (strcmp(field(c, STATE), changes[c->order->change].from) != 0 && !c->done_already)
        return cm_fail(err, CM_ERROR_REFUSED, "DOCUMENT_STATE", "document %s is %s; `%s` needs one that is %s%s",
                       c->order->id, field(c, STATE), changes[c->order->change].name, changes[c->order->change].from,
                       strcmp(field(c, STATE), "issued") == 0
                           ? "; what changes after issue becomes an adjustment or a credit note"
                       : c->order->change == CM_DOCUMENT_ISSUE && strcmp(field(c, STATE), "draft") == 0
                           ? "; approve it first: `curmill statement approve DOCUMENT --by WHO`"
                           : "");
    c->document = json_loads(field(c, DOCUMENT), 0, NULL);
    cm_assert(c->document);
    json_object_set_new(c->document, "state", json_string(field(c, STATE)));
    return true;
}

static bool audit(const changing *c, const char *action, const char *reason, json_t *detail, cm_error *err)
{
    char object[64];
    char *text = json_dumps(detail, JSON_COMPACT);
    snprintf(object, sizeof object, "statement:%s", c->order->id);
    bool done = cm_store_audit(c->pg, c->now, c->order->by, action, object, reason, text, err);
    free(text);
    json_decref(detail);
    return done;
}

/* --- issuing ----------------------------------------------------------------------------------------------------- */

static bool is_overridden(const changing *c, const char *code)
{
    bool known;
    for (size_t i = 0; i < c->order->override_count; i++) {
        if (strcmp(c->order->overrides[i], code) == 0)
            return cm_gate_can_be_overridden(code, &known);
    }
    return false;
}

/* Every closed gate that nobody overrides. What cannot be overridden would change the figures: an approval would be
 * worth nothing, so it is refused too. */
static bool pass_gates(changing *c, cm_error *err)
{
    bool approving = c->order->change == CM_DOCUMENT_APPROVE, known;
    json_t *all = cm_store_statement_gates(c->pg, c->now, c->document, err);
    size_t i;
    json_t *gate;
    if (!all)
        return false;
    c->shut = json_array();
    c->overridden = json_array();
    json_array_foreach (all, i, gate) {
        if (json_is_true(json_object_get(gate, "open")) ||
            (approving && cm_gate_can_be_overridden(json_string_value(json_object_get(gate, "code")), &known)))
            continue;
        json_array_append(is_overridden(c, json_string_value(json_object_get(gate, "code"))) ? c->overridden : c->shut,
                          gate);
    }
    json_object_set_new(c->document, "gates", all);
    if (json_array_size(c->shut) == 0)
        return true;
    cm_buffer codes = {0};
    json_array_foreach (c->shut, i, gate)
        cm_buffer_printf(&codes, "%s%s", i ? ", " : "", json_string_value(json_object_get(gate, "code")));
    cm_fail(err, CM_ERROR_REFUSED, "GATES_SHUT", "document %s cannot be %s; blocked by: %s", c->order->id,
            changes[c->order->change].to, codes.data);
    cm_buffer_free(&codes);
    return false;
}

static bool audit_overrides(const changing *c, cm_error *err)
{
    size_t i;
    json_t *gate;
    json_array_foreach (c->overridden, i, gate) {
        if (!audit(c, "statement.gate_overridden", c->order->reason,
                   json_pack("{s:O, s:O, s:s}", "gate", json_object_get(gate, "code"), "detail",
                             json_object_get(gate, "detail"), "number", c->number),
                   err))
            return false;
    }
    return true;
}

static bool take_number(changing *c, cm_error *err)
{
    const json_t *reseller;
    cm_buffer number = {0};
    bool done = cm_document_reseller(c->pg, field(c, CATALOG), field(c, RESELLER), &reseller, err) &&
                cm_store_document_number(c->pg, field(c, RESELLER), field(c, LANE), reseller, c->now, &number, err);
    if (done)
        snprintf(c->number, sizeof c->number, "%s", number.data);
    cm_buffer_free(&number);
    return done;
}

/* The stored record: the document as it is shown from now on, and what it rests on. */
static bool make_record(changing *c, char **ret, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    cm_document_facts facts = {field(c, RESELLER), field(c, LANE),    field(c, CURRENCY), field(c, SOURCE_CURRENCY),
                               field(c, FX_ID),    field(c, CATALOG), field(c, RUNS),     field(c, CUSTOMERS),
                               c->document};
    json_object_set_new(c->document, "number", json_string(c->number));
    json_object_set_new(c->document, "state", json_string("issued"));
    json_t *settings = cm_document_settings(c->pg, &facts, err);
    json_t *arrears = settings ? cm_document_arrears(c->pg, &facts, err) : NULL;
    if (!arrears) {
        json_decref(settings);
        return false;
    }
    json_t *overrides = json_array();
    for (size_t i = 0; i < json_array_size(c->overridden); i++)
        json_array_append_new(overrides, json_pack("{s:O, s:s, s:s}", "gate",
                                                   json_object_get(json_array_get(c->overridden, i), "code"), "by",
                                                   c->order->by, "reason", c->order->reason));
    json_t *margin = *field(c, MARGIN) ? json_loads(field(c, MARGIN), 0, NULL) : NULL;
    json_t *record = json_pack("{s:O, s:o, s:o, s:o?, s:o, s:{s:s, s:s}, s:{s:s, s:s}}", "document", c->document,
                               "settings", settings, "arrears", arrears, "margin", margin, "overrides", overrides,
                               "approved", "by", field(c, APPROVED_BY), "at", field(c, APPROVED_AT), "issued", "by",
                               c->order->by, "at", cm_instant_print(c->now, at));
    cm_assert(record);
    *ret = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    return true;
}

/* The topic's record, as the text of a bytea. Whoever reads the topic sends the mail (I15). */
static bool make_payload(const changing *c, cm_buffer *ret)
{
    Curmill__V1__StatementIssued message = CURMILL__V1__STATEMENT_ISSUED__INIT;
    uint8_t id[CM_ID_BYTES];
    json_t *customers = json_object_get(c->document, "customers");
    size_t count = json_array_size(customers), i;
    char **names = cm_alloc((count + 1) * sizeof *names), total[CM_DECIMAL_TEXT];
    char *document = json_dumps(c->document, JSON_COMPACT);
    bool valid = cm_id_bytes(c->order->id, id);
    for (i = 0; i < count; i++)
        names[i] = (char *)json_string_value(json_object_get(json_array_get(customers, i), "id"));
    cm_decimal_print(cm_rows_decimal(c->row, 0, TOTAL), total);
    message.schema_version = 1;
    message.document_id = (ProtobufCBinaryData){CM_ID_BYTES, id};
    message.number = (char *)c->number;
    message.kind = (char *)field(c, KIND);
    message.reseller = (char *)field(c, RESELLER);
    message.lane = (char *)field(c, LANE);
    message.period = (char *)field(c, PERIOD);
    message.n_customer = count;
    message.customer = names;
    message.currency = (char *)field(c, CURRENCY);
    message.total = total;
    message.document = document;
    size_t length = curmill__v1__statement_issued__get_packed_size(&message);
    uint8_t *bytes = cm_alloc(length + 1);
    curmill__v1__statement_issued__pack(&message, bytes);
    cm_buffer_text(ret, "\\x");
    cm_buffer_reserve(ret, 2 * length + 1);
    char *hex = cm_alloc(2 * length + 1);
    cm_hex(bytes, length, hex);
    cm_buffer_append(ret, hex, 2 * length);
    free(hex);
    free(bytes);
    free(document);
    free(names);
    return valid;
}

static bool write_outbox(const changing *c, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    cm_buffer payload = {0};
    bool valid = make_payload(c, &payload);
    const char *values[] = {field(c, LANE), c->order->id, cm_buffer_string(&payload), cm_instant_print(c->now, at)};
    bool done =
        valid
            ? cm_pg_query(
                  c->pg,
                  "INSERT INTO statement_outbox (lane, statement_id, payload, written_at) VALUES ($1, $2, $3::bytea, $4)",
                  4, values, NULL, err)
            : cm_fail(err, CM_ERROR_BUG, "DOCUMENT", "\"%s\" is not the id of a document; see `curmill statement list`",
                      c->order->id);
    cm_buffer_free(&payload);
    return done;
}

/* Where an issued document differs from the newest runs, a correction is built. */
static bool correct_if_overtaken(const changing *c, cm_error *err)
{
    const char *values[] = {field(c, LANE), field(c, PERIOD), field(c, RUNS)};
    return strcmp(field(c, KIND), "statement") != 0 ||
           cm_pg_query(
               c->pg,
               "INSERT INTO correction_due (lane, period) SELECT $1, $2 WHERE EXISTS (SELECT FROM unnest($3::text[]) r (id)"
               " WHERE NOT EXISTS (SELECT FROM newest_run WHERE run_id = r.id)) ON CONFLICT DO NOTHING",
               3, values, NULL, err);
}

/* What the unbilled ledger still has of the month, and this document bills. */
static bool bill_unbilled(const changing *c, cm_error *err)
{
    const json_t *corrects = json_object_get(c->document, "corrects");
    const char *month = corrects ? json_string_value(json_object_get(corrects, "period")) : field(c, PERIOD);
    return cm_store_unbilled_billed(c->pg, month, field(c, RUNS), field(c, CUSTOMERS), c->order->id, c->now,
                                    c->order->by, err);
}

static bool issue(changing *c, cm_error *err)
{
    char at[CM_INSTANT_TEXT], *record = NULL;
    if (!pass_gates(c, err) || !take_number(c, err) || !make_record(c, &record, err))
        return false;
    const char *values[] = {c->order->id, c->number, record, c->order->by, cm_instant_print(c->now, at)};
    bool done =
        cm_pg_query(
            c->pg,
            "UPDATE statement SET state = 'issued', number = $2, record = $3, issued_by = $4, issued_at = $5 WHERE id = $1",
            5, values, NULL, err) &&
        write_outbox(c, err) && audit_overrides(c, err) && correct_if_overtaken(c, err) && bill_unbilled(c, err);
    free(record);
    return done;
}

/* --- the other changes ------------------------------------------------------------------------------------------- */

static bool change_state(const changing *c, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {c->order->id, changes[c->order->change].to, c->order->by, cm_instant_print(c->now, at)};
    return cm_pg_query(c->pg,
                       "UPDATE statement SET state = $2, waived = $2 = 'void' AND corrects <> '',"
                       " approved_by = CASE WHEN $2 = 'approved' THEN $3 END,"
                       " approved_at = CASE WHEN $2 = 'approved' THEN $4::timestamptz END WHERE id = $1",
                       4, values, NULL, err);
}

/* Back to draft: it is rebuilt from the current runs. */
static bool forget_build(const changing *c, cm_error *err)
{
    const json_t *corrects = json_object_get(c->document, "corrects");
    const char *values[] = {field(c, LANE),
                            corrects ? json_string_value(json_object_get(corrects, "period")) : field(c, PERIOD)};
    return corrects
               ? cm_pg_query(c->pg, "INSERT INTO correction_due (lane, period) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                             2, values, NULL, err)
               : cm_pg_query(c->pg, "DELETE FROM statement_build WHERE lane = $1 AND period = $2", 2, values, NULL,
                             err);
}

static bool change(changing *c, cm_error *err)
{
    if (!lock_payers(c, err) || !load(c, err))
        return false;
    enum cm_document_change what = c->order->change;
    if (c->done_already)
        return true;
    json_t *detail = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:O}", "reseller", field(c, RESELLER), "lane", field(c, LANE), "period",
        field(c, PERIOD), "from", changes[what].from, "to", changes[what].to, "currency", field(c, CURRENCY),
        "subtotal", json_object_get(c->document, "subtotal"), "total", json_object_get(c->document, "total"));
    bool done = cm_store_document_add_seen(c->pg, c->order->id, detail, err) &&
                (what == CM_DOCUMENT_ISSUE     ? issue(c, err)
                 : what == CM_DOCUMENT_APPROVE ? pass_gates(c, err) && change_state(c, err)
                                               : change_state(c, err));
    if (done && *c->number)
        json_object_set_new(detail, "number", json_string(c->number));
    if (!done) {
        json_decref(detail);
        return false;
    }
    done = audit(c, changes[what].action, c->order->reason, detail, err);
    if (done && what == CM_DOCUMENT_RETURN)
        done = forget_build(c, err);
    if (done && (what == CM_DOCUMENT_ISSUE || what == CM_DOCUMENT_VOID))
        done = cm_store_periods_close(c->pg, field(c, LANE), field(c, PERIOD), c->now, c->order->by, err);
    return done;
}

bool cm_store_document_change(cm_pg *pg, cm_instant now, const cm_document_order *order, json_t **ret_shut,
                              cm_error *err)
{
    changing c = {.pg = pg, .now = now, .order = order};
    *ret_shut = NULL;
    bool done = cm_pg_begin(pg, err) && change(&c, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    if (!done && json_array_size(c.shut))
        *ret_shut = json_incref(c.shut);
    cm_rows_free(c.row);
    json_decref(c.document);
    json_decref(c.shut);
    json_decref(c.overridden);
    return done;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

bool cm_store_document_issued(cm_pg *pg, const char *id, json_t **ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = NULL;
    if (!cm_pg_query(pg, "SELECT record FROM statement WHERE id = $1 AND state = 'issued'", 1, (const char *[]){id},
                     &rows, err))
        return false;
    json_t *record = cm_rows_count(rows) ? json_loads(cm_rows_text(rows, 0, 0), 0, NULL) : NULL;
    cm_rows_free(rows);
    if (!record)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_STATEMENT", "there is no issued document %s", id);
    *ret = json_incref(json_object_get(record, "document"));
    json_decref(record);
    return true;
}
