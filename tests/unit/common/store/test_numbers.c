/* Numbers without gaps under concurrency and death (statements.md section 4). */
#include "place.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DOCUMENTS = 1000, ISSUERS = 16 };

/* Approved documents in addition to the one that was built: the same text under other ids. */
static void many_documents(place *p, int count)
{
    char sql[1200];
    deliver(p, "v1", true, "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)");
    snprintf(sql, sizeof sql,
             "INSERT INTO statement (id, state, reseller, lane, period, customer, currency, source_currency, fx_id, "
             "document, catalog_id, subtotal, total,"
             " customers, payers, runs, approved_by, approved_at) SELECT md5(i::text), 'approved', reseller, lane, "
             "period, customer, currency, source_currency,"
             " fx_id, replace(document, id, md5(i::text)), catalog_id, subtotal, total, customers, payers, runs, "
             "'maria', now()"
             " FROM statement, generate_series(1, %d) i",
             count);
    MUST(cm_pg_execute(p->pg, sql, &p->err));
    MUST(cm_pg_execute(p->pg, "DELETE FROM statement WHERE state = 'draft'", &p->err));
}

/* Issues what is approved, in the order of ids from `first` on by steps; returns how many. */
static int issue_all(place *p, int first, int step, int count)
{
    cm_pg *pg = cm_pg_open(p->conninfo, "test", &p->err);
    int issued = 0;
    cr_assert(pg, "%s", p->err.text);
    for (int i = first; i <= count; i += step) {
        cm_error err = {0};
        json_t *shut = NULL;
        cm_rows *rows = NULL;
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        const char *values[] = {number};
        if (!cm_pg_query(pg, "SELECT md5($1), (SELECT state FROM statement WHERE id = md5($1)) = 'approved'", 1, values,
                         &rows, &err))
            abort();
        const cm_document_order order = {cm_rows_text(rows, 0, 0), CM_DOCUMENT_ISSUE, "maria", "", NULL, 0};
        if (cm_rows_bool(rows, 0, 1)) {
            if (cm_store_document_change(pg, p->now, &order, &shut, &err))
                issued++;
            else if (strcmp(err.code, "DOCUMENT_STATE") != 0) /* another process was faster */
                fprintf(stderr, "%s\n", err.text);
        }
        json_decref(shut);
        cm_rows_free(rows);
    }
    cm_pg_close(pg);
    return issued;
}

#define CONSECUTIVE                                                                                                    \
    "SELECT count(*) = count(DISTINCT number) AND count(*) = max(right(number, 6)::int) AND min(right(number, "        \
    "6)::int) = 1"                                                                                                     \
    " AND count(*) = (SELECT last FROM document_series) FROM statement WHERE state = 'issued'"
#define WHOLE                                                                                                          \
    "SELECT count(*) FROM statement s WHERE state = 'issued' AND (record IS NULL OR record::jsonb -> 'document' ->> "  \
    "'number' <> number"                                                                                               \
    " OR (SELECT count(*) FROM statement_outbox o WHERE o.statement_id = s.id) <> 1"                                   \
    " OR (SELECT count(*) FROM audit WHERE action = 'statement.issued' AND object = 'statement:' || s.id) <> 1)"
#define NOTHING_ELSE                                                                                                   \
    "SELECT (SELECT count(*) FROM statement_outbox) + (SELECT count(*) FROM audit WHERE action = 'statement.issued')"  \
    " - 2 * (SELECT count(*) FROM statement WHERE state = 'issued')"

/* Each issuer is a process of its own, as `curmill statement issue` is. */
Test(numbers, a_thousand_at_once, .timeout = 240)
{
    place *p = place_open();
    pid_t child[ISSUERS];
    int issued = 0;
    many_documents(p, DOCUMENTS);
    for (int i = 0; i < ISSUERS; i++) {
        child[i] = fork();
        cr_assert_geq(child[i], 0);
        if (child[i] == 0)
            _exit(issue_all(p, i + 1, ISSUERS, DOCUMENTS));
    }
    for (int i = 0; i < ISSUERS; i++) {
        int status;
        waitpid(child[i], &status, 0);
        cr_assert(WIFEXITED(status));
        issued += WEXITSTATUS(status);
    }
    cr_assert_eq(issued, DOCUMENTS, "%d", issued);
    EXPECT("SELECT count(*) FROM statement WHERE state = 'issued'", "1000");
    EXPECT("SELECT min(number) || ' ' || max(number) FROM statement",
           "northwind/A/2025/000001 northwind/A/2025/001000");
    EXPECT(CONSECUTIVE, "t");
    EXPECT(WHOLE, "0");
    EXPECT(NOTHING_ELSE, "0");
    EXPECT("SELECT state FROM billing_period", "closed"); /* the last two saw each other */
    place_close(p);
}

/* Two processes for each share of the documents: the second one finds them issued. */
static pid_t issuer(place *p, int slot, int at_once)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        issue_all(p, 1 + slot / 2, at_once / 2, DOCUMENTS);
        _exit(0);
    }
    return child;
}

/* 16 at a time over 1,000 documents, SIGKILL to one of them at any time, replaced by another: no gap, no number twice,
 * no partial document. */
Test(numbers, killed_while_issuing, .timeout = 240)
{
    enum { AT_ONCE = 16, KILLS = 60 };
    place *p = place_open();
    pid_t child[AT_ONCE];
    unsigned seed = 4711;
    int killed = 0, status;
    many_documents(p, DOCUMENTS);
    for (int i = 0; i < AT_ONCE; i++)
        child[i] = issuer(p, i, AT_ONCE);
    for (int i = 0; i < KILLS; i++) {
        int slot = rand_r(&seed) % AT_ONCE;
        usleep(10000 + (useconds_t)(rand_r(&seed) % 60000));
        kill(child[slot], SIGKILL);
        cr_assert_eq(waitpid(child[slot], &status, 0), child[slot]);
        killed += WIFSIGNALED(status);
        child[slot] = issuer(p, slot, AT_ONCE);
    }
    for (int i = 0; i < AT_ONCE; i++)
        waitpid(child[i], &status, 0);
    cr_assert_gt(killed, KILLS / 2, "only %d were killed at work", killed);
    EXPECT(WHOLE, "0");
    issue_all(p, 1, 1, DOCUMENTS); /* what the killed ones left, if no other one has issued it */
    EXPECT("SELECT count(*) FROM statement WHERE state = 'issued'", "1000");
    EXPECT(CONSECUTIVE, "t");
    EXPECT(WHOLE, "0");
    EXPECT(NOTHING_ELSE, "0");
    EXPECT("SELECT state FROM billing_period", "closed");
    place_close(p);
}

/* One series per reseller, lane and year of issue. */
Test(numbers, a_new_year_begins_at_one)
{
    place *p = place_open();
    many_documents(p, 3);
    const char *ids[] = {"c4ca4238a0b923820dcc509a6f75849b", "c81e728d9d4c2f636f067f89cc14862c",
                         "eccbc87e4b5ce2fe28308fd9f2a7baf3"}; /* md5 of 1, 2, 3 */
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, ids[0], NULL), "");
    p->now = at("2026-01-01T00:00:00Z");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, ids[1], NULL), "");
    p->now = at("2025-12-31T23:59:59Z");
    cr_assert_str_eq(change_id(p, CM_DOCUMENT_ISSUE, ids[2], NULL), "");
    EXPECT("SELECT string_agg(number, ' ' ORDER BY number) FROM statement",
           "northwind/A/2025/000001 northwind/A/2025/000002 northwind/A/2026/000001");
    place_close(p);
}
