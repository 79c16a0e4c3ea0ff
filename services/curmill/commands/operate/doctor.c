/* doctor: settings, broker, topics, database, clock, catalog, AWS access of payers, workers; says what is wrong and
 * what to do. */
#include "cli/cli.h"
#include "commands/commands.h"
#include "store/runs/worker_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct findings {
    cli_table *table;
    cm_admin *admin;
    bool bad;
} findings;

static void note(findings *f, const char *check, bool good, const char *detail, const char *next)
{
    f->bad |= !good;
    cli_table_add(f->table, (const char *const[]){check, good ? "t" : "f", detail, good ? "" : next});
}

static void check_broker(cli *c, findings *f)
{
    cm_error err = {0};
    char detail[64];
    int brokers = 0;
    f->admin = cm_admin_new(c->config, &err);
    bool good = f->admin && cm_admin_ping(f->admin, 5000, &brokers, &err);
    snprintf(detail, sizeof detail, "%d broker%s", brokers, brokers == 1 ? "" : "s");
    note(f, "broker", good, good ? detail : err.text, "set kafka.bootstrap.servers to a broker that can be reached");
    if (!good) {
        cm_admin_free(f->admin);
        f->admin = NULL;
    }
}

static int check_topics(cli *c, const char *lane, void *opaque)
{
    (void)c;
    findings *f = opaque;
    for (const cm_topic *topic = cm_topics; topic->name; topic++) {
        cm_error err = {0};
        char name[CM_TOPIC_NAME_MAX], detail[64];
        int partitions = 0;
        cm_topic_full_name(lane, topic->name, name);
        bool asked = cm_admin_partitions(f->admin, name, &partitions, &err);
        snprintf(detail, sizeof detail, "%d partitions", partitions);
        note(f, name, asked && partitions > 0,
             !asked       ? err.text
             : partitions ? detail
                          : "does not exist",
             "`curmill topic create`");
    }
    return 0;
}

static bool check_database(cli *c, findings *f)
{
    cm_error err = {0};
    const char *database = cm_config_text(c->config, "database");
    cm_pg *pg = *database ? cm_pg_open(database, "curmill", &err) : NULL;
    note(f, "database", pg != NULL,
         pg          ? "answers"
         : *database ? err.text
                     : "no database is configured",
         "set `database` to a PostgreSQL server that can be reached");
    if (!pg)
        return false;
    bool good = cm_pg_check_schema(pg, &err);
    char detail[64];
    snprintf(detail, sizeof detail, "version %d", cm_pg_schema_version());
    note(f, "schema", good, good ? detail : err.text, "`curmill migrate`");
    if (good)
        c->pg_ = pg;
    else
        cm_pg_close(pg);
    return good;
}

static void check_clock(cli *c, findings *f)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    char detail[96];
    if (!cm_pg_query(c->pg_, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", 0, NULL, &rows,
                     &err)) {
        note(f, "clock", false, err.text, "");
        return;
    }
    int64_t skew_ms = (cli_now(c) - cm_rows_i64(rows, 0, 0)) / 1000;
    cm_rows_free(rows);
    snprintf(detail, sizeof detail, "differs from the database's by %" PRId64 " ms", skew_ms);
    note(f, "clock", llabs(skew_ms) < 5000, detail,
         "correct the clock of this machine or of the database server; is CURMILL_CLOCK set?");
}

/* Without an archive a report in overwrite mode takes the ground away under the documents of its older deliveries. */
static void check_archive(cli *c, findings *f)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    const cm_archive *archive;
    char detail[256];
    int unused = 0;
    if (*cm_config_text(c->config, "archive.path")) {
        bool good = cli_archive(c, &archive, &unused);
        note(f, "archive", good, cm_config_text(c->config, "archive.path"),
             "create the folder, or mount it, and do the same for every ingest-cur");
        return;
    }
    if (!cm_pg_query(c->pg_,
                     "SELECT count(*), count(*) FILTER (WHERE archive) FROM delivery WHERE NOT immutable_keys OR "
                     "manifest = '' OR archive",
                     0, NULL, &rows, &err)) {
        note(f, "archive", false, err.text, "");
        return;
    }
    bool wanted = cm_rows_i64(rows, 0, 1) > 0;
    snprintf(
        detail, sizeof detail,
        "archive.path is not set: the files of %s deliveries can be overwritten, and then their lines can no longer be explained or exported",
        cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    note(f, "archive", !wanted, detail,
         "set archive.path as for ingest-cur, because deliveries have copies in an archive");
}

static void check_catalog(cli *c, findings *f)
{
    cm_error err = {0};
    char id[CM_ID_HEX];
    bool good = cm_store_catalog_in_force(c->pg_, cli_now(c), id, &err);
    note(f, "catalog", good, good ? id : err.text, "`curmill catalog apply DIR --by WHO --reason TEXT --now`");
}

static const char *aws_advice(const char *code, const char *missing)
{
    if (strcmp(missing, "sts:AssumeRole") == 0)
        return "check the payer's `access`: the role, its trust policy and its external id";
    if (*missing)
        return "allow that action in the policy of the payer's role";
    if (strcmp(code, "THROTTLED") == 0 || strcmp(code, "UNAVAILABLE") == 0 || strcmp(code, "SLICE_SPENT") == 0)
        return "nothing to do: org-linker tries again, at longer and longer intervals of up to an hour";
    return "fix what the detail says; org-linker then tries again by itself";
}

/* What org-linker met in its last turn for a payer, or that it had none yet. */
static bool check_payer_access(cli *c, findings *f, const cm_payer *payer)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    char check[64];
    cm_buffer detail = {0};
    snprintf(check, sizeof check, "AWS access of %s", payer->id);
    if (!cm_pg_query(
            c->pg_,
            "SELECT code, detail, missing_action, calls, accounts, failures, to_char(finished_at AT TIME ZONE 'UTC',"
            " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM aws_turn WHERE payer = $1",
            1, (const char *[]){payer->id}, &rows, &err)) {
        note(f, check, false, err.text, "");
        return false;
    }
    if (cm_rows_count(rows) == 0 || cm_rows_null(rows, 0, 6)) {
        note(f, check, false, "AWS has not been called yet",
             "start org-linker for the lane; if it makes no calls, its log says why");
    } else if (cm_rows_i64(rows, 0, 5) == 0 && *cm_rows_text(rows, 0, 1)) {
        note(
            f, check, false, cm_rows_text(rows, 0, 1),
            "settle it with the account's owner, or `curmill request withdraw ACCOUNT --version N --by WHO --reason TEXT`");
    } else if (cm_rows_i64(rows, 0, 5) == 0) {
        cm_buffer_printf(&detail, "%s accounts with %s calls at %s", cm_rows_text(rows, 0, 4), cm_rows_text(rows, 0, 3),
                         cm_rows_text(rows, 0, 6));
        note(f, check, true, detail.data, "");
    } else {
        const char *missing = cm_rows_text(rows, 0, 2);
        cm_buffer_printf(&detail, "%s%s%s%s", cm_rows_text(rows, 0, 1), *missing ? " (missing: " : "", missing,
                         *missing ? ")" : "");
        note(f, check, false, detail.data, aws_advice(cm_rows_text(rows, 0, 0), missing));
    }
    cm_buffer_free(&detail);
    cm_rows_free(rows);
    return true;
}

static void check_aws(cli *c, findings *f)
{
    cm_error err = {0};
    char id[CM_ID_HEX];
    cm_catalog *catalog = NULL;
    if (!cm_store_catalog_in_force(c->pg_, cli_now(c), id, &err))
        return; /* check_catalog has said so */
    if (!cm_store_catalog_load(c->pg_, id, &catalog, &err)) {
        note(f, "AWS access", false, err.text, "");
        return;
    }
    for (size_t i = 0; i < catalog->payer_count; i++)
        if (*catalog->payers[i].role_arn && !check_payer_access(c, f, &catalog->payers[i]))
            break;
    cm_catalog_free(catalog);
}

static int check_workers(cli *c, const char *lane, void *opaque)
{
    static const char *const workers[] = {"ingest-cur", "rate-engine", "invoice-writer", "org-linker",
                                          "tax-inheritance-checker"};
    findings *f = opaque;
    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
        cm_error err = {0};
        cm_rows *rows = NULL;
        char check[128], detail[64];
        snprintf(check, sizeof check, "%s of %s", workers[i], lane);
        if (!cm_pg_query(
                c->pg_,
                "SELECT count(*) FROM worker WHERE name = $1 AND lane = $2 AND seen_at > now() - interval '30 seconds'",
                2, (const char *const[]){workers[i], lane}, &rows, &err)) {
            note(f, check, false, err.text, "");
            continue;
        }
        int64_t count = cm_rows_i64(rows, 0, 0);
        cm_rows_free(rows);
        snprintf(detail, sizeof detail, "%" PRId64 " alive", count);
        note(f, check, count > 0, detail, "start one; if it does not stay up, its log says why");
    }
    return 0;
}

/* Issued documents that wait to be published, and those that the broker does not take. */
static void check_outbox(cli *c, findings *f)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    cm_buffer detail = {0};
    if (!cm_pg_query(c->pg_,
                     "SELECT count(*), count(*) FILTER (WHERE parked_at IS NOT NULL), min(statement_id) FILTER (WHERE "
                     "parked_at IS NOT NULL), min(error) FILTER (WHERE parked_at IS NOT NULL) FROM statement_outbox "
                     "WHERE published_at IS NULL",
                     0, NULL, &rows, &err)) {
        note(f, "issued documents", false, err.text, "");
        return;
    }
    bool parked = cm_rows_i64(rows, 0, 1) > 0;
    cm_buffer_printf(&detail, "%s wait for topic statement.issued", cm_rows_text(rows, 0, 0));
    if (parked)
        cm_buffer_printf(&detail, ", %s of them cannot be sent, such as %s: %s", cm_rows_text(rows, 0, 1),
                         cm_rows_text(rows, 0, 2), cm_rows_text(rows, 0, 3));
    cm_rows_free(rows);
    note(
        f, "issued documents", !parked, detail.data,
        "raise max.message.bytes of the topic (and kafka.message.max.bytes of invoice-writer) above statement.message.bytes; each is "
        "tried again after an hour");
    cm_buffer_free(&detail);
}

/* Documents that could not be made (statements.md section 4). */
static void check_documents(cli *c, findings *f)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    cm_buffer detail = {0};
    if (!cm_pg_query(
            c->pg_,
            "SELECT lane, period, reseller, customer, reason, count(*) OVER () FROM statement_trouble ORDER BY "
            "period, lane, reseller, customer, corrects LIMIT 1",
            0, NULL, &rows, &err)) {
        note(f, "documents", false, err.text, "");
        return;
    }
    bool good = cm_rows_count(rows) == 0;
    if (good)
        cm_buffer_text(&detail, "all could be made");
    else
        cm_buffer_printf(&detail, "%s could not be made, such as that of %s%s in %s (lane %s): %s",
                         cm_rows_text(rows, 0, 5),
                         *cm_rows_text(rows, 0, 3)   ? "customer "
                         : *cm_rows_text(rows, 0, 2) ? "reseller "
                                                     : "everybody",
                         *cm_rows_text(rows, 0, 3) ? cm_rows_text(rows, 0, 3) : cm_rows_text(rows, 0, 2),
                         cm_rows_text(rows, 0, 1), cm_rows_text(rows, 0, 0), cm_rows_text(rows, 0, 4));
    cm_rows_free(rows);
    note(f, "documents", good, detail.data,
         "correct what the reason names; `curmill statement list` has all of them, the others are not held up");
    cm_buffer_free(&detail);
}

/* Nobody looks for the deliveries of a payer whose lane is misspelt, and nobody rates them. */
static bool check_lane_of(cli *c, findings *f, const cm_payer *payer)
{
    cm_error err = {0};
    char check[64], absent[96], detail[512], next[256];
    snprintf(check, sizeof check, "lane of %s", payer->id);
    if (!cm_store_absent_workers(c->pg_, payer->lane, absent, &err)) {
        note(f, check, false, err.text, "");
        return false;
    }
    bool known = cli_knows_lane(c, payer->lane);
    if (!known)
        snprintf(detail, sizeof detail, "\"%s\" is none of the setting lanes (%s)%s%s", payer->lane,
                 cm_config_text(c->config, "lanes"), *absent ? ", and these workers of it are not running: " : "",
                 absent);
    else if (*absent)
        snprintf(detail, sizeof detail, "its reports are not billed: in lane %s no %s is running", payer->lane, absent);
    snprintf(next, sizeof next,
             known ? "start the workers of lane %s"
                   : "correct `lane` in the catalog and apply it, or add %s to the "
                     "setting lanes and start its workers",
             payer->lane);
    if (!known || *absent)
        note(f, check, false, detail, next);
    return known && !*absent;
}

static void check_lanes_of_payers(cli *c, findings *f)
{
    cm_error err = {0};
    char id[CM_ID_HEX], detail[96];
    cm_catalog *catalog = NULL;
    if (!cm_store_catalog_in_force(c->pg_, cli_now(c), id, &err))
        return; /* check_catalog has said so */
    if (!cm_store_catalog_load(c->pg_, id, &catalog, &err)) {
        note(f, "lanes of payers", false, err.text, "");
        return;
    }
    bool good = true;
    for (size_t i = 0; i < catalog->payer_count; i++)
        good = check_lane_of(c, f, &catalog->payers[i]) && good;
    snprintf(detail, sizeof detail, "%zu payers, each in a lane whose workers are running", catalog->payer_count);
    if (good)
        note(f, "lanes of payers", true, detail, "");
    cm_catalog_free(catalog);
}

int cmd_doctor(cli *c)
{
    static const cli_column columns[] = {
        {"check", CLI_TEXT}, {"good", CLI_BOOLEAN}, {"detail", CLI_TEXT}, {"what_to_do", CLI_TEXT}};
    findings f = {.table = cli_table_new(columns, 4)};
    check_broker(c, &f);
    if (f.admin)
        (void)cli_each_lane(c, check_topics, c, &f);
    if (check_database(c, &f)) {
        check_clock(c, &f);
        check_catalog(c, &f);
        check_aws(c, &f);
        check_archive(c, &f);
        check_documents(c, &f);
        check_outbox(c, &f);
        (void)cli_each_lane(c, check_workers, c, &f);
        check_lanes_of_payers(c, &f);
    }
    cm_admin_free(f.admin);
    cli_table_print(c, f.table);
    return f.bad ? 4 : 0;
}
