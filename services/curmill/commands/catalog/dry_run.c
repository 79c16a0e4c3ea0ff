/*
 * catalog apply --dry-run: what an edited catalog would change. The deliveries of the current runs are rated again in
 * this process; their new charges stand in a table of this session, which nobody else sees, and go with it.
 */
#include "cli/cli.h"

#include "billing/catalog/parse/canonical.h"
#include "delivery/rerate/rerate.h"
#include "store/catalog/link_store.h"
#include "store/reports/diff_store.h"
#include "store/runs/period_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 2 };

/* A payer's current run of one of the periods. */
typedef struct target {
    const char *run, *payer, *lane, *period, *state;
    cm_catalog *snapshot; /* the edited catalog with the payer's links; NULL: it has none */
    cm_rater *rater;      /* NULL: the run stays as it is */
    const char *note;     /* why it stays, "" otherwise */
} target;

typedef struct dry_run {
    cli *c;
    cm_pg *pg;
    cm_arena *arena;
    const cm_archive *archive;
    cm_catalog *catalog; /* the edited one */
    cm_applied_catalog preview;
    target *targets;
    size_t count;
    cm_rerate_file *files;
    size_t file_count;
    cm_diff diff;
} dry_run;

/* --- what is looked at --------------------------------------------------------------------------------------- */

static const char *keep(dry_run *d, const char *text)
{
    return cm_arena_strndup(d->arena, text, strlen(text));
}

/* A rater for the catalog and the links that a new run would have. */
static bool make_rater(dry_run *d, target *t, cm_period period, cm_error *err)
{
    char links[CM_ID_HEX];
    cm_given_link *list = NULL;
    size_t count = 0;
    if (!cm_store_links_of_payer(d->pg, t->payer, links, err) ||
        !cm_store_link_sets(d->pg, links, d->arena, &list, &count, err))
        return false;
    if (*links)
        t->snapshot = cm_catalog_with_links(d->catalog, t->payer, list, count);
    t->rater = cm_rater_new(t->snapshot ? t->snapshot : d->catalog, t->payer, period, err);
    return t->rater != NULL;
}

/* A late change counts from the next period on (rating.md section 8). */
static bool choose_target(dry_run *d, target *t, cm_error *err)
{
    cm_period period;
    bool valid = cm_period_parse(cm_slice_of(t->period), &period);
    cm_assert(valid);
    t->note = "";
    if (strcmp(t->state, cm_period_state_name(CM_PERIOD_SETTLED)) == 0 ||
        strcmp(t->state, cm_period_state_name(CM_PERIOD_CLOSED)) == 0)
        t->note = "a late change: it applies from the next period on";
    else if (!cm_catalog_payer(d->catalog, t->payer))
        t->note = "the edited catalog does not contain the payer, so its lines could not be rated";
    return *t->note || make_rater(d, t, period, err);
}

static bool find_targets(dry_run *d, const char *first, const char *last, cm_error *err)
{
    const char *values[] = {first, last, cli_value(d->c, "payer"), cli_value(d->c, "lane")};
    cm_rows *rows = NULL;
    if (!cm_pg_query(d->pg,
                     "SELECT c.run_id, c.payer, c.lane, c.period, coalesce(b.state, 'open') FROM current_run c"
                     " LEFT JOIN billing_period b ON b.payer = c.payer AND b.period = c.period"
                     " WHERE c.period BETWEEN $1 AND $2 AND ($3::text IS NULL OR c.payer = $3) AND ($4::text IS NULL "
                     "OR c.lane = $4)"
                     " ORDER BY c.lane, c.period, c.payer",
                     4, values, &rows, err))
        return false;
    bool done = true;
    d->targets = cm_alloc(((size_t)cm_rows_count(rows) + 1) * sizeof *d->targets);
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        target *t = &d->targets[d->count++];
        *t = (target){.run = keep(d, cm_rows_text(rows, i, 0)),
                      .payer = keep(d, cm_rows_text(rows, i, 1)),
                      .lane = keep(d, cm_rows_text(rows, i, 2)),
                      .period = keep(d, cm_rows_text(rows, i, 3)),
                      .state = keep(d, cm_rows_text(rows, i, 4))};
        done = choose_target(d, t, err);
    }
    cm_rows_free(rows);
    return done &&
           (d->count || cm_fail(err, CM_ERROR_NOT_FOUND, "NO_RUN",
                                "no payer has a current run from %s to %s: see `curmill run list`", first, last));
}

/* The files of a run, with what was read in them. */
static bool find_files(dry_run *d, const target *t, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(d->pg,
                     "SELECT chunk, expected_lines, expected_checksum FROM run_chunk WHERE run_id = $1 ORDER BY chunk",
                     1, (const char *[]){t->run}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        d->files = cm_realloc(d->files, (d->file_count + 1) * sizeof *d->files);
        cm_rerate_file *file = &d->files[d->file_count];
        *file = (cm_rerate_file){.rater = t->rater,
                                 .lines = (uint64_t)cm_rows_i64(rows, i, 1),
                                 .checksum = strtoull(cm_rows_text(rows, i, 2), NULL, 10)};
        done = cm_store_run_chunk(d->pg, t->run, (uint32_t)cm_rows_i64(rows, i, 0), d->arena, &file->chunk, err);
        d->file_count += done;
    }
    cm_rows_free(rows);
    return done;
}

/* --- rating again -------------------------------------------------------------------------------------------- */

static void copy_charge(cm_copy *copy, const cm_rerate_file *file, const cm_charge *charge)
{
    char month[CM_PERIOD_TEXT];
    cm_period_print(file->chunk.period, month);
    const cm_slice texts[] = {cm_slice_of(month),     cm_slice_of(file->chunk.run),
                              charge->customer,       charge->account,
                              charge->line_item_type, charge->class,
                              charge->product,        charge->usage_type,
                              charge->operation,      charge->region,
                              charge->unit,           charge->rule,
                              charge->currency,       charge->reason,
                              charge->link_from};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cm_copy_text(copy, texts[i].length ? texts[i].text : "", texts[i].length);
    cm_copy_i64(copy, (int64_t)charge->lines);
    cm_copy_i64(copy, (int64_t)charge->derived_lines);
    cm_copy_i64(copy, (int64_t)charge->final_lines);
    cm_copy_i64(copy, 0);
    cm_copy_i64(copy, 0);
    cm_copy_decimal(copy, charge->sum.quantity);
    cm_copy_decimal(copy, charge->sum.payer);
    cm_copy_decimal(copy, charge->sum.list);
    cm_copy_decimal(copy, charge->sum.buy);
    cm_copy_decimal(copy, charge->sum.sell);
}

static bool take_charges(void *opaque, const cm_rerate_file *file, const cm_merge *merge, cm_error *err)
{
    dry_run *d = opaque;
    cm_copy copy;
    bool done =
        cm_pg_begin(d->pg, err) &&
        cm_copy_begin(&copy, d->pg,
                      CM_RERATED_CHARGES
                      " (period, run_id, customer, account, line_item_type, class, product, "
                      "usage_type, operation, region, unit, rule, currency,"
                      " reason, link_from, lines, derived_lines, final_lines, example_chunk, example_row, quantity, "
                      "payer_amount, list_amount, buy_amount, sell_amount)",
                      err);
    for (size_t i = 0; done && i < merge->charges.count; i++) {
        copy_charge(&copy, file, &merge->charge[i].charge);
        done = cm_copy_row(&copy, err);
    }
    done = done && cm_copy_end(&copy, err) && cm_pg_commit(d->pg, err);
    if (!done)
        cm_pg_rollback(d->pg);
    return done;
}

static void show_progress(void *opaque, size_t files, uint64_t lines)
{
    const dry_run *d = opaque;
    fprintf(stderr, "\r%zu of %zu files, %llu lines   ", files, d->file_count, (unsigned long long)lines);
}

static bool rate_again(dry_run *d, cm_error *err)
{
    bool terminal = !d->c->quiet && isatty(STDERR_FILENO);
    const cm_rerate order = {.files = d->files,
                             .count = d->file_count,
                             .threads = THREADS,
                             .archive = d->archive,
                             .take = take_charges,
                             .progress = terminal ? show_progress : NULL,
                             .opaque = d};
    bool done = cm_store_rerated_begin(d->pg, err) && cm_rerate_files(&order, err) &&
                cm_pg_execute(d->pg, "ANALYZE " CM_RERATED_CHARGES, err);
    if (terminal)
        fputc('\n', stderr);
    return done;
}

static bool compare(dry_run *d, cm_error *err)
{
    cm_diff_pair *pairs = cm_alloc((d->count + 1) * sizeof *pairs);
    size_t count = 0;
    for (size_t i = 0; i < d->count; i++)
        if (d->targets[i].rater)
            pairs[count++] = (cm_diff_pair){.before = d->targets[i].run};
    bool done = cm_store_diff(d->pg, pairs, count, d->catalog, &d->diff, err);
    free(pairs);
    return done;
}

static bool look(dry_run *d, const json_t *canonical, const char *first, const char *last, cm_error *err)
{
    char *text = cm_catalog_text(canonical);
    d->catalog = cm_catalog_parse(text, err);
    free(text);
    bool done = d->catalog &&
                cm_store_catalog_preview(d->pg, canonical, cli_now(d->c), cli_switch(d->c, "now"), &d->preview, err) &&
                find_targets(d, first, last, err);
    for (size_t i = 0; done && i < d->count; i++)
        done = !d->targets[i].rater || find_files(d, &d->targets[i], err);
    return done && rate_again(d, err) && compare(d, err);
}

/* --- telling ------------------------------------------------------------------------------------------------- */

static cli_table *periods_table(const dry_run *d)
{
    static const cli_column columns[] = {{"lane", CLI_TEXT},  {"period", CLI_TEXT}, {"payer", CLI_TEXT},
                                         {"state", CLI_TEXT}, {"run", CLI_TEXT},    {"rated", CLI_BOOLEAN},
                                         {"note", CLI_TEXT}};
    cli_table *table = cli_table_new(columns, 7);
    for (size_t i = 0; i < d->count; i++) {
        const target *t = &d->targets[i];
        cli_table_add(table,
                      (const char *[]){t->lane, t->period, t->payer, t->state, t->run, t->rater ? "t" : "f", t->note});
    }
    return table;
}

static void tell(const dry_run *d)
{
    char from[CM_INSTANT_TEXT];
    cli_table *periods = periods_table(d);
    cm_instant_print(d->preview.in_force_from, from);
    if (d->c->format == CLI_JSON) {
        cli_json_print(json_pack("{s:b, s:s, s:s, s:b, s:s, s:o, s:o, s:o}", "dry_run", 1, "version", d->preview.id,
                                 "in_force_from", from, "changed", !d->preview.unchanged, "diff", d->preview.diff,
                                 "periods", cli_table_json(periods), "rows", cli_diff_rows(&d->diff), "totals",
                                 cli_diff_totals(&d->diff)));
        cli_table_free(periods);
        return;
    }
    if (d->c->format == CLI_TABLE) {
        cli_put(stdout, "version %s would be in force from %s; nothing was stored\n%s\n", d->preview.id, from,
                d->preview.diff);
        cli_table_print(d->c, periods);
        fputc('\n', stdout);
    } else {
        for (size_t i = 0; i < d->count; i++)
            if (*d->targets[i].note)
                cli_note(d->c, "payer %s, %s (%s): %s", d->targets[i].payer, d->targets[i].period, d->targets[i].state,
                         d->targets[i].note);
        cli_table_free(periods);
    }
    cli_diff_print(d->c, &d->diff);
}

int cli_catalog_dry_run(cli *c, const json_t *canonical)
{
    cm_error err = {0};
    char first[CM_PERIOD_TEXT], last[CM_PERIOD_TEXT];
    int exit_code = 0;
    cm_period from, to;
    if (!cli_periods(c, "periods", &from, &to, &exit_code))
        return exit_code;
    cm_period_print(from, first);
    cm_period_print(to, last);
    const cm_archive *archive;
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg || !cli_archive(c, &archive, &exit_code))
        return exit_code;
    dry_run d = {.c = c, .pg = pg, .archive = archive, .arena = cm_arena_new(64 * 1024)};
    if (look(&d, canonical, first, last, &err)) {
        tell(&d);
        cm_diff_free(&d.diff);
    } else {
        exit_code = cli_fail(c, &err);
    }
    for (size_t i = 0; i < d.count; i++) {
        cm_rater_free(d.targets[i].rater);
        cm_catalog_free(d.targets[i].snapshot);
    }
    free(d.targets);
    free(d.files);
    free(d.preview.diff);
    cm_catalog_free(d.catalog);
    cm_arena_free(d.arena);
    return exit_code;
}
