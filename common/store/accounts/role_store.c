/* Verdicts on roles. */
#include "store/accounts/role_store.h"

#include "store/accounts/request_internal.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cm_store_roles_due(cm_pg *pg, const char *payer, cm_instant now, int most, int64_t *ret, int *ret_count,
                        cm_error *err)
{
    char at[CM_INSTANT_TEXT], limit[16];
    cm_rows *rows = NULL;
    snprintf(limit, sizeof limit, "%d", most);
    if (!cm_pg_query(
            pg,
            "SELECT r.id FROM link_request r LEFT JOIN LATERAL (SELECT c.next_check_at, c.role_arn FROM role_check c"
            " WHERE c.request_id = r.id ORDER BY c.id DESC LIMIT 1) c ON true"
            " WHERE r.payer = $1 AND r.role_arn <> '' AND r.account <> '' AND r.state IN ('role_pending', 'active')"
            " AND (c.next_check_at IS NULL OR c.next_check_at <= $2 OR r.role_verdict = 'unchecked')"
            " ORDER BY c.next_check_at NULLS FIRST, r.id LIMIT $3",
            3, (const char *[]){payer, cm_instant_print(now, at), limit}, &rows, err))
        return false;
    *ret_count = cm_rows_count(rows);
    for (int i = 0; i < *ret_count; i++)
        ret[i] = cm_rows_i64(rows, i, 0);
    cm_rows_free(rows);
    return true;
}

static bool note_check(cm_pg *pg, const cm_request *r, const cm_role_tried *t, cm_instant now, cm_error *err)
{
    char id[24], at[CM_INSTANT_TEXT], next[CM_INSTANT_TEXT], failures[16], newest[24];
    cm_rows *rows = NULL;
    snprintf(id, sizeof id, "%" PRId64, r->id);
    if (!cm_pg_query(pg,
                     "SELECT id, failures, verdict = $2 AND missing_action = $3 AND role_arn = $4 FROM role_check"
                     " WHERE request_id = $1 ORDER BY id DESC LIMIT 1",
                     4, (const char *[]){id, cm_role_verdict_name(t->verdict), t->missing_action, t->role_arn}, &rows,
                     err))
        return false;
    bool known = cm_rows_count(rows) > 0, same = known && cm_rows_bool(rows, 0, 2);
    int failed = t->verdict == CM_ROLE_VALID ? 0 : (known ? (int)cm_rows_i64(rows, 0, 1) : 0) + 1;
    snprintf(newest, sizeof newest, "%" PRId64, known ? cm_rows_i64(rows, 0, 0) : 0);
    cm_rows_free(rows);
    snprintf(failures, sizeof failures, "%d", failed);
    cm_instant_print(now, at);
    cm_instant_print(cm_role_next_check(t->verdict, failed, now), next);
    if (same)
        return cm_pg_query(
            pg, "UPDATE role_check SET failures = $2, checked_at = $3, next_check_at = $4, detail = $5 WHERE id = $1",
            5, (const char *[]){newest, failures, at, next, t->detail}, NULL, err);
    return cm_pg_query(
        pg,
        "INSERT INTO role_check (request_id, account, role_arn, verdict, missing_action, detail, failures,"
        " checked_at, next_check_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        9,
        (const char *[]){id, r->link.account, t->role_arn, cm_role_verdict_name(t->verdict), t->missing_action,
                         t->detail, failures, at, next},
        NULL, err);
}

static bool store_verdict_locked(cm_pg *pg, const cm_role_tried *t, cm_instant now, const char *by, cm_error *err)
{
    cm_request r;
    if (!cm_request_lock(pg, t->request, &r, err))
        return false;
    if (strcmp(r.role_arn, t->role_arn) != 0 || strcmp(r.external_id, t->external_id) != 0)
        return true; /* an operator has set another role in the meantime, which is tried next */
    if (!note_check(pg, &r, t, now, err))
        return false;
    if (r.link.role == t->verdict)
        return true;
    int64_t before = r.link.version++;
    r.link.role = t->verdict;
    json_t *detail =
        json_pack("{s:s, s:s}", "role_verdict", cm_role_verdict_name(t->verdict), "missing_action", t->missing_action);
    char *text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(detail);
    bool done =
        cm_request_save(pg, &r, before, now, err) &&
        cm_request_history(pg, &r, "role_tried", cm_link_state_name(r.link.state), now, by, t->detail, text, err) &&
        cm_request_settle(pg, &r, now, err);
    free(text);
    return done;
}

bool cm_store_role_tried(cm_pg *pg, const cm_role_tried *tried, cm_instant now, const char *by, cm_error *err)
{
    bool done = cm_pg_begin(pg, err) && store_verdict_locked(pg, tried, now, by, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}
