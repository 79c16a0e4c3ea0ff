/* ingest: a request to look now, or one delivery from files. */
#include "cli/cli.h"
#include "commands/commands.h"

#include "platform/postgres/array.h"
#include "store/runs/worker_store.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 4000, LANES_MAX = 64 };

/* --- what became of it --------------------------------------------------------------------------------------- */

static const cli_column delivery_columns[] = {
    {"delivery", CLI_TEXT},   {"payer", CLI_TEXT},       {"period", CLI_TEXT},       {"report", CLI_TEXT},
    {"state", CLI_TEXT},      {"lines", CLI_NUMBER},     {"amount", CLI_TEXT},       {"suspended_lines", CLI_NUMBER},
    {"error_file", CLI_TEXT}, {"error_row", CLI_NUMBER}, {"error_column", CLI_TEXT}, {"error", CLI_TEXT}};
enum { REPORT_COLUMNS = sizeof delivery_columns / sizeof *delivery_columns };

/* A delivery without lines would take the place of the one before: never in silence. */
static void tell_if_empty(const cm_rows *rows, int i)
{
    const char *state = cm_rows_text(rows, i, 4);
    bool held = strcmp(state, "held") == 0;
    if ((held || strcmp(state, "good") == 0) && strcmp(cm_rows_text(rows, i, 5), "0") == 0)
        cli_put(stderr, "curmill: the delivery of payer %s for %s holds no lines: is the report empty on purpose?\n",
                cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2));
    if (held)
        cli_put(stderr, "curmill: the delivery of payer %s for %s does not count yet: %s\n", cm_rows_text(rows, i, 1),
                cm_rows_text(rows, i, 2), cm_rows_text(rows, i, 11));
}

static void tell_what_it_holds(const cli *c, const cm_rows *rows, int i)
{
    const char *payer = cm_rows_text(rows, i, 1), *period = cm_rows_text(rows, i, 2);
    const char *amount = cm_rows_text(rows, i, 6), *suspended = cm_rows_text(rows, i, 7);
    if (strcmp(cm_rows_text(rows, i, 4), "good") != 0 || cm_rows_null(rows, i, 5))
        return;
    cli_note(c, "payer %s, %s: %s lines%s%s, %s suspended", payer, period, cm_rows_text(rows, i, 5),
             *amount ? ", " : "", amount, strcmp(suspended, "0") == 0 ? "none" : suspended);
    if (strcmp(suspended, "0") != 0)
        cli_note(c, "  why: `curmill suspended list --payer %s --period %s`", payer, period);
}

/* A file as a whole has no row and no column. */
static void print_failure(const cm_rows *rows, int i)
{
    const char *row = cm_rows_text(rows, i, 9), *column = cm_rows_text(rows, i, 10);
    cli_put(stderr, "curmill: the delivery of payer %s for %s failed: file %s%s%s%s%s: %s\n", cm_rows_text(rows, i, 1),
            cm_rows_text(rows, i, 2), cm_rows_text(rows, i, 8), *row ? ", row " : "", row, *column ? ", column " : "",
            column, cm_rows_text(rows, i, 11));
}

/* Prints these deliveries (an array of PostgreSQL), and what their newest complete rating holds; exit code 2 if one of
 * them failed, or is held until a person decides about it. */
static int report(cli *c, const char *deliveries)
{
    cm_error err = {0};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            c->pg_,
            "SELECT d.id, d.payer, d.period, d.report, d.state, r.lines, (SELECT string_agg(trim_scale(t.amount) || ' ' || t.currency, ', '"
            "   ORDER BY t.currency) FROM (SELECT currency, sum(applied) AS amount FROM run_chunk_cost WHERE run_id = r.id GROUP BY currency) t),"
            " r.suspended_lines, d.error_file, d.error_row, d.error_column, d.error_text FROM delivery d"
            " LEFT JOIN LATERAL (SELECT * FROM run WHERE delivery_id = d.id AND complete ORDER BY seq DESC LIMIT 1) r ON true"
            " WHERE d.id = ANY ($1::text[]) ORDER BY d.payer, d.period, d.seq",
            1, &deliveries, &rows, &err))
        return cli_fail(c, &err);
    int exit_code = 0;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        tell_if_empty(rows, i);
        tell_what_it_holds(c, rows, i);
        if (strcmp(cm_rows_text(rows, i, 4), "held") == 0)
            exit_code = 2;
        if (strcmp(cm_rows_text(rows, i, 4), "failed") != 0)
            continue;
        exit_code = 2;
        print_failure(rows, i);
    }
    cli_table *table = cli_table_new(delivery_columns, REPORT_COLUMNS);
    cli_table_add_rows(table, rows);
    cm_rows_free(rows);
    cli_table_print(c, table);
    return exit_code;
}

/* --- look now ------------------------------------------------------------------------------------------------ */

typedef struct request {
    const char *lane;
    int64_t id;
} request;

/* The lanes that have to look: that of the payer, or all lanes of the catalog's payers. */
static int lanes_of(const cm_catalog *catalog, const char *payer, request *into)
{
    int count = 0;
    for (size_t i = 0; i < catalog->payer_count && count < LANES_MAX; i++) {
        const cm_payer *one = &catalog->payers[i];
        if (payer && strcmp(one->id, payer) != 0)
            continue;
        int known = 0;
        while (known < count && strcmp(into[known].lane, one->lane) != 0)
            known++;
        if (known == count)
            into[count++].lane = one->lane;
    }
    return count;
}

static void print_texts(const json_t *outcome, const char *name)
{
    size_t i;
    json_t *text;
    json_array_foreach (json_object_get(outcome, name), i, text)
        cli_put(stderr, "curmill: %s\n", json_string_value(text));
}

/* *ret_done: what it had to say is printed, *ret_exit is 4 if that was trouble, and the deliveries that it saw are
 * added to `deliveries`. */
static bool look_at_request(cli *c, const request *r, cm_buffer *deliveries, bool *ret_done, int *ret_exit,
                            cm_error *err)
{
    char id[32];
    cm_rows *rows = NULL;
    snprintf(id, sizeof id, "%" PRId64, r->id);
    if (!cm_pg_query(c->pg_, "SELECT done_at IS NOT NULL, outcome FROM scan_request WHERE id = $1::bigint", 1,
                     (const char *const[]){id}, &rows, err))
        return false;
    *ret_done = cm_rows_bool(rows, 0, 0);
    json_t *outcome = *ret_done ? json_loads(cm_rows_text(rows, 0, 1), 0, NULL) : NULL, *delivery;
    cm_rows_free(rows);
    size_t i;
    print_texts(outcome, "errors");
    print_texts(outcome, "notes");
    json_array_foreach (json_object_get(outcome, "ids"), i, delivery)
        cm_array_text(deliveries, json_string_value(delivery));
    if (json_array_size(json_object_get(outcome, "errors")))
        *ret_exit = 4;
    json_decref(outcome);
    return true;
}

/* 0: done. */
static int wait_for_scan(cli *c, const request *r, int64_t deadline_ms, cm_buffer *deliveries)
{
    cm_error err = {0};
    int exit_code = 0;
    int64_t alive_ms = cm_monotonic_milliseconds(); /* when somebody was there, or may have been starting */
    for (bool done = false;;) {
        char absent[96];
        if (!look_at_request(c, r, deliveries, &done, &exit_code, &err) ||
            !cm_store_absent_workers(c->pg_, r->lane, absent, &err))
            return cli_fail(c, &err);
        if (done)
            return exit_code;
        int64_t now = cm_monotonic_milliseconds();
        if (!strstr(absent, "ingest-cur"))
            alive_ms = now;
        else if (now - alive_ms >= CLI_NOBODY_MS || !cli_knows_lane(c, r->lane))
            return cli_nobody_works(c, r->lane, absent, "its sources are not looked at");
        if (now > deadline_ms) {
            cm_fail(&err, CM_ERROR_RETRY, "TIMEOUT",
                    "looking into the sources takes too long in lane %s: see the log of its ingest-cur, and "
                    "`curmill doctor`",
                    r->lane);
            return cli_fail(c, &err);
        }
        usleep(100000);
    }
}

static int look_now(cli *c, const cm_catalog *catalog, const char *payer, const char *period)
{
    cm_error err = {0};
    request requests[LANES_MAX];
    int count = lanes_of(catalog, payer, requests), exit_code = 0;
    int64_t deadline = cli_deadline(c);
    for (int i = 0; i < count; i++) {
        if (!cm_store_scan_request(c->pg_, requests[i].lane, payer, period, cli_now(c), &requests[i].id, &err))
            return cli_fail(c, &err);
    }
    if (!cli_switch(c, "wait")) {
        cli_note(c, "asked %d lane%s to look now", count, count == 1 ? "" : "s");
        return 0;
    }
    cm_buffer deliveries = {0};
    for (int i = 0; i < count; i++) {
        int trouble = wait_for_scan(c, &requests[i], deadline, &deliveries);
        exit_code = trouble ? trouble : exit_code;
    }
    cli_wait wait = {
        .payer = payer, .period = period, .deliveries = cm_array_end(&deliveries), .deadline_ms = deadline};
    int waited = exit_code == 0 || exit_code == 4 ? cli_wait_for_runs(c, &wait) : 0;
    int reported = report(c, wait.deliveries);
    cm_buffer_free(&deliveries);
    return waited ? waited : exit_code ? exit_code : reported;
}

/* --- files --------------------------------------------------------------------------------------------------- */

static bool add_to_digest(const char *path, EVP_MD_CTX *digest, cm_error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_FILE", "%s cannot be read: %s", path, strerror(errno));
    static char bytes[1 << 20];
    size_t got;
    uint64_t total = 0;
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0) {
        EVP_DigestUpdate(digest, bytes, got);
        total += got;
    }
    bool done = !ferror(file);
    fclose(file);
    EVP_DigestUpdate(digest, &total, sizeof total); /* where one file ends and the next begins */
    return done || cm_fail(err, CM_ERROR_NOT_FOUND, "NO_FILE", "%s cannot be read: %s", path, strerror(errno));
}

/* A file that is named twice would count twice. */
static bool is_named_before(const cm_found_delivery *found, const char *key)
{
    for (size_t i = 0; i < found->chunks; i++) {
        if (strcmp(found->chunk[i].key, key) == 0)
            return true;
    }
    return false;
}

/* A delivery "without manifest": its identity is the content of the files, in the order given. */
static bool describe_files(const char *const *files, int count, cm_period period, cm_arena *arena,
                           cm_found_delivery *ret, cm_error *err)
{
    *ret = (cm_found_delivery){.report = "files",
                               .assembly = "",
                               .format = "files",
                               .manifest = "",
                               .account = "",
                               .period = period,
                               .immutable_keys = true,
                               .error_code = "",
                               .error_file = "",
                               .error_text = ""};
    ret->chunk = cm_arena_zalloc(arena, (size_t)count * sizeof *ret->chunk);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    bool done = true;
    for (int i = 0; done && i < count; i++) {
        struct stat status;
        char *path = realpath(files[i], NULL);
        if (!path || stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
            done = cm_fail(err, CM_ERROR_NOT_FOUND, "NO_FILE", "%s is not a readable file: %s", files[i],
                           path ? "not a regular file" : strerror(errno));
        } else if (is_named_before(ret, path + 1)) {
            done = cm_fail(err, CM_ERROR_INVALID, "FILE_TWICE", "%s is given twice, so its lines would count twice",
                           files[i]);
        } else {
            const char *slash = strrchr(path, '/');
            cm_found_chunk *chunk = &ret->chunk[ret->chunks++];
            chunk->key = cm_arena_strndup(arena, path + 1, strlen(path + 1)); /* below the folder "/" */
            chunk->name = cm_arena_strndup(arena, slash + 1, strlen(slash + 1));
            chunk->manifest_key = chunk->key;
            chunk->bytes = status.st_size;
            chunk->fingerprint =
                cm_arena_printf(arena, "%lld:%lld", (long long)status.st_size,
                                (long long)status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec);
            if (status.st_size == 0 && !*ret->error_code) {
                ret->error_code = "EMPTY_FILE";
                ret->error_file = chunk->name;
                ret->error_text =
                    "the file has 0 bytes: a copy that broke off or is not finished (even an empty gzip has "
                    "20 bytes); deliver it again";
            }
            done = add_to_digest(path, digest, err);
        }
        free(path);
    }
    uint8_t bytes[CM_SHA256_BYTES];
    EVP_DigestFinal_ex(digest, bytes, NULL);
    EVP_MD_CTX_free(digest);
    cm_hex(bytes, CM_SHA256_BYTES, ret->manifest_digest);
    return done;
}

/* The same content may lie elsewhere today: the workers are told where. */
static bool move_chunks(cm_pg *pg, const char *delivery, const cm_found_delivery *found, cm_error *err)
{
    for (size_t i = 0; i < found->chunks; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        const char *values[] = {delivery, number, found->chunk[i].key, found->chunk[i].name,
                                found->chunk[i].fingerprint};
        if (!cm_pg_query(
                pg,
                "UPDATE chunk SET location = $3, name = $4, fingerprint = $5 WHERE delivery_id = $1 AND chunk = $2::int",
                5, values, NULL, err))
            return false;
    }
    return true;
}

static int register_files(cli *c, const cm_catalog *catalog, const cm_payer *payer, const cm_found_delivery *found,
                          cm_registered *ret)
{
    cm_error err = {0};
    cm_run_settings settings = {.archive = cli_archive_policy(c)};
    json_t *source = json_pack("{s:s, s:s}", "type", "folder", "path", "/");
    bool done = cm_store_register(c->pg_, catalog, payer, source, found, &settings, cli_now(c), "curmill ingest --file",
                                  ret, &err);
    json_decref(source);
    if (!done || (ret->what == CM_REGISTRATION_KNOWN && !move_chunks(c->pg_, ret->delivery, found, &err)))
        return cli_fail(c, &err);
    if (ret->what == CM_REGISTRATION_KNOWN && *ret->superseded_by)
        cli_note(
            c,
            "these files were delivered before (delivery %s) and have been superseded by delivery %s; nothing was changed",
            ret->delivery, ret->superseded_by);
    else if (ret->what == CM_REGISTRATION_KNOWN)
        cli_note(c, "these files were already delivered (delivery %s); nothing was done", ret->delivery);
    else if (ret->what == CM_REGISTRATION_FAILED)
        cli_note(c, "delivery %s was refused; see `curmill delivery list --payer %s`", ret->delivery, payer->id);
    else
        cli_note(c, "delivery %s, run %s", ret->delivery, ret->run);
    return 0;
}

static int ingest_files(cli *c, const cm_catalog *catalog, const char *payer_id, const char *const *files, int count)
{
    cm_error err = {0};
    cm_period period;
    int exit_code = 0;
    const cm_payer *payer = payer_id ? cm_catalog_payer(catalog, payer_id) : NULL;
    if (!payer_id)
        return cli_usage(c, "--file needs --payer and --period");
    if (!cli_period(c, &period, &exit_code))
        return exit_code;
    if (!payer) {
        cm_fail(&err, CM_ERROR_NOT_FOUND, "UNKNOWN_PAYER", "payer %s is not in the catalog in force (%s)", payer_id,
                catalog->id);
        return cli_fail(c, &err);
    }
    cm_arena *arena = cm_arena_new(64 * 1024);
    cm_found_delivery found;
    cm_registered registered = {0};
    exit_code = describe_files(files, count, period, arena, &found, &err)
                    ? register_files(c, catalog, payer, &found, &registered)
                    : cli_fail(c, &err);
    cm_arena_free(arena);
    bool refused = registered.what == CM_REGISTRATION_FAILED;
    if (exit_code || (!cli_switch(c, "wait") && !refused))
        return exit_code;
    cm_buffer own = {0};
    cm_array_text(&own, registered.delivery);
    cli_wait wait = {.lane = payer->lane,
                     .payer = payer_id,
                     .period = cli_value(c, "period"),
                     .deliveries = cm_array_end(&own),
                     .deadline_ms = cli_deadline(c)};
    exit_code = refused ? 0 : cli_wait_for_runs(c, &wait);
    exit_code = exit_code ? exit_code : report(c, wait.deliveries);
    cm_buffer_free(&own);
    return exit_code;
}

int cmd_ingest(cli *c)
{
    static const char *files[FILES_MAX];
    cm_period period;
    int exit_code = 0, count = cli_values(c, "file", files, FILES_MAX);
    const char *payer = cli_value(c, "payer");
    if (cli_value(c, "period") && !cli_period(c, &period, &exit_code))
        return exit_code;
    cm_catalog *catalog = cli_catalog(c, &exit_code);
    if (!catalog)
        return exit_code;
    if (count) {
        exit_code = ingest_files(c, catalog, payer, files, count);
    } else if (payer && !cm_catalog_payer(catalog, payer)) {
        cm_error err = {0};
        cm_fail(&err, CM_ERROR_NOT_FOUND, "UNKNOWN_PAYER", "payer %s is not in the catalog in force (%s)", payer,
                catalog->id);
        exit_code = cli_fail(c, &err);
    } else {
        exit_code = look_now(c, catalog, payer, cli_value(c, "period"));
    }
    cm_catalog_free(catalog);
    return exit_code;
}
