/* Checks of tax settings: verdicts, history, outbox, requests. */
#include "store/tax/tax_store.h"

#include "platform/postgres/array.h"

#include "store/audit/audit.h"
#include "tax_verdict.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define MICROSECONDS(column) "(extract(epoch from " column ") * 1000000)::bigint"

bool cm_store_tax_state(cm_pg *pg, const char *payer, cm_tax_state *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = (cm_tax_state){.tried_at = INT64_MIN, .read_at = INT64_MIN, .fresh_until = INT64_MIN};
    if (!cm_pg_query(pg,
                     "SELECT basis, " MICROSECONDS("tried_at") ", " MICROSECONDS("read_at") ", " MICROSECONDS(
                         "fresh_until") ","
                                        " problem <> '' FROM tax_payer WHERE payer = $1",
                     1, (const char *[]){payer}, &rows, err))
        return false;
    if (cm_rows_count(rows)) {
        ret->there = true;
        snprintf(ret->basis, sizeof ret->basis, "%s", cm_rows_text(rows, 0, 0));
        ret->tried_at = cm_rows_i64(rows, 0, 1);
        ret->read_at = cm_rows_null(rows, 0, 2) ? INT64_MIN : cm_rows_i64(rows, 0, 2);
        ret->fresh_until = cm_rows_null(rows, 0, 3) ? INT64_MIN : cm_rows_i64(rows, 0, 3);
        ret->failed = cm_rows_bool(rows, 0, 4);
    }
    cm_rows_free(rows);
    return true;
}

void cm_tax_basis(const cm_payer *payer, const cm_distributor *distributor, char ret[static CM_ID_HEX])
{
    const cm_tax_profile *profile = cm_distributor_tax_profile(distributor, payer->country);
    cm_digest *digest = cm_digest_new();
    const char *texts[] = {payer->model->name, payer->lane, payer->country, payer->role_arn, payer->external_id};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cm_digest_text(digest, texts[i]);
    if (profile) {
        const cm_postal_address *a = &profile->address;
        const char *required[] = {profile->registration_id,
                                  profile->registration_type,
                                  a->line1,
                                  a->line2,
                                  a->line3,
                                  a->district_or_county,
                                  a->city,
                                  a->state_or_region,
                                  a->postal_code,
                                  a->country_code};
        for (size_t i = 0; i < sizeof required / sizeof *required; i++)
            cm_digest_text(digest, required[i]);
    }
    cm_digest_finish_id(digest, ret);
}

/* --- a check ----------------------------------------------------------------------------------------------------- */

static json_t *seen_json(const cm_tax_seen_account *account)
{
    const cm_postal_address *a = &account->address;
    json_t *json = json_object();
    if (*account->name)
        json_object_set_new(json, "name", json_string(account->name));
    if (*account->registration_id)
        json_object_set_new(json, "registration",
                            json_pack("{s:s, s:s, s:s, s:s}", "id", account->registration_id, "type",
                                      account->registration_type, "status", account->status, "legal_name",
                                      account->legal_name));
    if (account->inherits)
        json_object_set_new(json, "inherits_from", json_string(account->inherits_from));
    if (account->has_address)
        json_object_set_new(json, "address",
                            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "address_line1", a->line1,
                                      "address_line2", a->line2, "address_line3", a->line3, "district_or_county",
                                      a->district_or_county, "city", a->city, "state_or_region", a->state_or_region,
                                      "postal_code", a->postal_code, "country_code", a->country_code));
    return json;
}

/* [{account, verdict, detail, seen}]; what was not read this time keeps its earlier value (seen null). */
static json_t *rows_json(const cm_tax_look *look)
{
    const cm_tax_findings *found = look->findings;
    json_t *list = json_array(), *seen = json_object();
    for (size_t i = 0; look->seen && i < look->seen->count; i++)
        json_object_set_new(seen, look->seen->accounts[i].id, seen_json(&look->seen->accounts[i]));
    for (size_t i = 0; i <= found->count; i++) {
        const cm_tax_finding *finding = i == 0 ? &found->payer : &found->accounts[i - 1];
        json_t *row = json_pack("{s:s, s:s, s:s}", "account", finding->account, "verdict",
                                cm_tax_verdict_name(finding->verdict), "detail", finding->detail);
        json_t *of_account = json_object_get(seen, finding->account);
        if (row && of_account)
            json_object_set(row, "seen", of_account);
        if (row)
            json_array_append_new(list, row);
    }
    json_decref(seen);
    return list;
}

/* tax_new: what is to be stored. A verdict on the whole payer applies to every account. */
static bool make_new(cm_pg *pg, const cm_tax_look *look, cm_error *err)
{
    json_t *rows = rows_json(look);
    char *text = json_dumps(rows, JSON_COMPACT);
    const char *values[] = {look->payer->id, text, look->findings->whole ? "t" : "f"};
    bool done =
        cm_pg_query(pg,
                    "CREATE TEMP TABLE tax_new (account text, verdict text, detail text, seen jsonb) ON COMMIT DROP", 0,
                    NULL, NULL, err) &&
        cm_pg_query(
            pg,
            "WITH given AS (SELECT * FROM jsonb_to_recordset($2::jsonb) AS x (account text, verdict text, detail text,"
            " seen jsonb)) INSERT INTO tax_new SELECT * FROM given UNION ALL"
            " SELECT v.account, g.verdict, g.detail, NULL FROM tax_verdict v, given g WHERE $3::boolean AND v.payer = "
            "$1"
            " AND v.account <> $1",
            3, values, NULL, err);
    free(text);
    json_decref(rows);
    return done;
}

static void pack(const cm_tax_look *look, const cm_rows *changes, int row, cm_buffer *into)
{
    Curmill__V1__TaxVerdict message = CURMILL__V1__TAX_VERDICT__INIT;
    message.schema_version = 1;
    message.payer = (char *)look->payer->id;
    message.account = (char *)cm_rows_text(changes, row, 0);
    message.lane = (char *)look->payer->lane;
    message.previous = (char *)cm_rows_text(changes, row, 1);
    message.verdict = (char *)cm_rows_text(changes, row, 2);
    size_t length = curmill__v1__tax_verdict__get_packed_size(&message);
    uint8_t *bytes = cm_alloc(length + 1);
    char *hex = cm_alloc(2 * length + 1);
    curmill__v1__tax_verdict__pack(&message, bytes);
    cm_hex(bytes, length, hex);
    cm_buffer_clear(into);
    cm_buffer_text(into, "\\x");
    cm_buffer_text(into, hex);
    free(hex);
    free(bytes);
}

/* A history row and a record for each change. */
static bool record_changes(cm_pg *pg, const cm_tax_look *look, int *ret_changed, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    cm_rows *changes = NULL;
    cm_buffer accounts = {0}, payloads = {0}, payload = {0};
    const char *values[] = {look->payer->id, look->payer->lane, cm_instant_print(look->now, at)};
    if (!cm_pg_query(
            pg,
            "INSERT INTO tax_history (at, payer, account, lane, previous, verdict, detail, seen)"
            " SELECT $3, $1, account, $2, coalesce(v.verdict, ''), coalesce(n.verdict, ''),"
            "  coalesce(n.detail, 'AWS no longer lists the account'), coalesce(n.seen, v.seen, '{}')"
            " FROM (SELECT * FROM tax_verdict WHERE payer = $1) v FULL JOIN tax_new n USING (account)"
            " WHERE v.verdict IS DISTINCT FROM n.verdict ORDER BY account RETURNING account, previous, verdict",
            3, values, &changes, err))
        return false;
    *ret_changed = cm_rows_count(changes);
    for (int i = 0; i < *ret_changed; i++) {
        bool gone = *cm_rows_text(changes, i, 2) == 0;
        if (!gone)
            pack(look, changes, i, &payload);
        cm_array_text(&accounts, cm_rows_text(changes, i, 0));
        cm_array_text(&payloads, gone ? "" : payload.data);
    }
    const char *sent[] = {look->payer->lane, cm_array_end(&accounts), cm_array_end(&payloads), values[2]};
    bool done = *ret_changed == 0 ||
                cm_pg_query(pg,
                            "INSERT INTO tax_outbox (lane, account, payload, written_at) SELECT $1, account,"
                            " CASE WHEN payload <> '' THEN payload::bytea END, $4 FROM unnest($2::text[], $3::text[]) "
                            "AS x (account, payload)",
                            4, sent, NULL, err);
    cm_buffer_free(&accounts);
    cm_buffer_free(&payloads);
    cm_buffer_free(&payload);
    cm_rows_free(changes);
    return done;
}

static bool store_verdicts(cm_pg *pg, const cm_tax_look *look, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {look->payer->id, look->payer->lane, cm_instant_print(look->now, at)};
    return cm_pg_query(pg,
                       "DELETE FROM tax_verdict v WHERE payer = $1 AND NOT EXISTS (SELECT FROM tax_new n WHERE "
                       "n.account = v.account)",
                       1, values, NULL, err) &&
           cm_pg_query(pg,
                       "INSERT INTO tax_verdict AS v (payer, account, lane, verdict, detail, since, seen)"
                       " SELECT $1, account, $2, verdict, detail, $3, coalesce(seen, '{}') FROM tax_new ON CONFLICT "
                       "(payer, account)"
                       " DO UPDATE SET lane = excluded.lane, verdict = excluded.verdict, detail = excluded.detail,"
                       " since = CASE WHEN v.verdict = excluded.verdict THEN v.since ELSE excluded.since END,"
                       " seen = CASE WHEN excluded.seen = '{}' THEN v.seen ELSE excluded.seen END",
                       3, values, NULL, err);
}

static bool store_payer(cm_pg *pg, const cm_tax_look *look, cm_error *err)
{
    char at[CM_INSTANT_TEXT], until[CM_INSTANT_TEXT], invoices[24];
    bool read = look->seen != NULL;
    snprintf(invoices, sizeof invoices, "%zu", look->invoices);
    const char *values[] = {look->payer->id,
                            look->payer->lane,
                            look->basis,
                            cm_instant_print(look->now, at),
                            read ? at : NULL,
                            read ? cm_instant_print(look->fresh_until, until) : NULL,
                            look->problem ? look->problem : "",
                            read ? look->seen->inheritance : NULL,
                            read ? look->seen->transfer_to : NULL,
                            read ? invoices : NULL};
    return cm_pg_query(
        pg,
        "INSERT INTO tax_payer AS p (payer, lane, basis, tried_at, read_at, fresh_until, problem, inheritance, "
        "transfer_to,"
        " invoices) VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, ''), coalesce($9, ''), $10) ON CONFLICT (payer) "
        "DO UPDATE"
        " SET lane = excluded.lane, basis = excluded.basis, tried_at = excluded.tried_at, problem = excluded.problem,"
        " read_at = coalesce(excluded.read_at, p.read_at), fresh_until = coalesce(excluded.fresh_until, p.fresh_until),"
        " inheritance = coalesce($8, p.inheritance), transfer_to = coalesce($9, p.transfer_to),"
        " invoices = coalesce(excluded.invoices, p.invoices)",
        10, values, NULL, err);
}

bool cm_store_tax_look(cm_pg *pg, const cm_tax_look *look, int *ret_changed, cm_error *err)
{
    const char *payer[] = {look->payer->id};
    *ret_changed = 0;
    bool done = cm_pg_begin(pg, err) &&
                cm_pg_query(pg, "SELECT pg_advisory_xact_lock(hashtextextended('tax ' || $1, 0))", 1, payer, NULL, err);
    if (done && !look->findings->unchanged)
        done = make_new(pg, look, err) && record_changes(pg, look, ret_changed, err) && store_verdicts(pg, look, err);
    done = done && store_payer(pg, look, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

bool cm_store_tax_forget(cm_pg *pg, const char *lane, const char *checked, cm_instant now, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {lane, checked, cm_instant_print(now, at)};
    return cm_pg_query(
        pg,
        "WITH gone AS (DELETE FROM tax_payer WHERE lane = $1 AND payer <> ALL ($2::text[]) RETURNING payer),"
        " lost AS (DELETE FROM tax_verdict v USING gone g WHERE v.payer = g.payer RETURNING v.*),"
        " told AS (INSERT INTO tax_outbox (lane, account, written_at) SELECT lane, account, $3 FROM lost)"
        " INSERT INTO tax_history (at, payer, account, lane, previous, verdict, detail, seen)"
        " SELECT $3, payer, account, lane, verdict, '', 'the catalog asks for no check any more', seen FROM lost",
        3, values, NULL, err);
}

/* --- outbox ------------------------------------------------------------------------------------------------------ */

bool cm_store_tax_outbox_take(cm_pg *pg, const char *lane, int most, cm_rows **ret, cm_error *err)
{
    char limit[16];
    cm_rows *lock = NULL;
    *ret = NULL;
    snprintf(limit, sizeof limit, "%d", most);
    if (!cm_pg_query(pg, "SELECT pg_try_advisory_xact_lock(hashtextextended('tax outbox ' || $1, 0))", 1,
                     (const char *[]){lane}, &lock, err))
        return false;
    bool mine = cm_rows_bool(lock, 0, 0);
    cm_rows_free(lock);
    return !mine || cm_pg_query(pg,
                                "SELECT id, account, encode(payload, 'hex') FROM tax_outbox WHERE lane = $1"
                                " ORDER BY id LIMIT $2",
                                2, (const char *[]){lane, limit}, ret, err);
}

bool cm_store_tax_outbox_published(cm_pg *pg, const cm_rows *rows, cm_error *err)
{
    cm_buffer ids = {0};
    for (int i = 0; i < cm_rows_count(rows); i++)
        cm_array_i64(&ids, cm_rows_i64(rows, i, 0));
    const char *values[] = {cm_array_end(&ids)};
    bool done = cm_pg_query(pg, "DELETE FROM tax_outbox WHERE id = ANY ($1::bigint[])", 1, values, NULL, err);
    cm_buffer_free(&ids);
    return done;
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

bool cm_store_tax_ask(cm_pg *pg, const char *payer, const char *lane, bool fix, const char *by, const char *reason,
                      cm_instant now, int64_t *ret_id, cm_error *err)
{
    char at[CM_INSTANT_TEXT], object[64];
    cm_rows *rows = NULL;
    const char *values[] = {payer, lane, fix ? "t" : "f", by, reason, cm_instant_print(now, at)};
    snprintf(object, sizeof object, "tax:%s", payer);
    bool done =
        cm_pg_begin(pg, err) &&
        cm_pg_query(
            pg,
            "INSERT INTO tax_request (payer, lane, fix, actor, reason, asked_at) VALUES ($1, $2, $3, $4, $5, $6)"
            " RETURNING id",
            6, values, &rows, err);
    if (done)
        *ret_id = cm_rows_i64(rows, 0, 0);
    cm_rows_free(rows);
    done = done && (!fix || cm_store_audit(pg, now, by, "tax.fix_asked", object, reason, NULL, err)) &&
           cm_pg_query(pg, "NOTIFY curmill_tax", 0, NULL, NULL, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

static bool answer(cm_pg *pg, int64_t id, bool good, const json_t *result, bool switched, cm_instant now, cm_error *err)
{
    char at[CM_INSTANT_TEXT], number[24], object[64];
    char *text = json_dumps(result, JSON_COMPACT);
    cm_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, id);
    const char *values[] = {number, good ? "done" : "failed", text, cm_instant_print(now, at)};
    bool done =
        cm_pg_query(pg,
                    "UPDATE tax_request SET state = $2, result = $3, done_at = $4 WHERE id = $1 AND state = 'asked'"
                    " RETURNING payer, actor, reason",
                    4, values, &rows, err);
    if (done && switched && cm_rows_count(rows)) {
        snprintf(object, sizeof object, "tax:%s", cm_rows_text(rows, 0, 0));
        done = cm_store_audit(pg, now, cm_rows_text(rows, 0, 1), "tax.inheritance_switched_on", object,
                              cm_rows_text(rows, 0, 2), text, err);
    }
    cm_rows_free(rows);
    free(text);
    return done;
}

bool cm_store_tax_answer(cm_pg *pg, int64_t id, bool good, const json_t *result, bool switched, cm_instant now,
                         cm_error *err)
{
    bool done = cm_pg_begin(pg, err) && answer(pg, id, good, result, switched, now, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}
