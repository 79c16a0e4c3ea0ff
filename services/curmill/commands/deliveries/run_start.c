/* run start: rates months of payers again, one or many. */
#include "cli/cli.h"
#include "commands/commands.h"

#include "platform/postgres/array.h"
#include "store/runs/period_store.h"

#include <stdlib.h>
#include <string.h>

enum { PAYERS_MAX = 4096 };

typedef struct orders {
    const cm_catalog *catalog;
    const char *payer[PAYERS_MAX];
    size_t payers;
    cm_period first, last;
    bool several;   /* asked for more than one run: then the answer is an array */
    bool all;       /* the payers were not named: one without a delivery has nothing to rate */
    cm_buffer runs; /* an array of PostgreSQL */
    json_t *list;   /* {payer, period, run} */
    int exit_code;  /* of the first that was refused */
} orders;

static bool is_last(const orders *o, cm_period period)
{
    return cm_period_start(period) >= cm_period_start(o->last);
}

/* Notes, and goes on with the others: one payer's trouble is not that of another. */
static void refused(cli *c, orders *o, const char *payer, const char *period, const cm_error *err)
{
    bool nothing = strcmp(err->code, "NO_DELIVERY") == 0;
    if (nothing && (o->all || o->several)) {
        cli_note(c, "payer %s has no good delivery for %s: nothing to rate", payer, period);
        if (o->all)
            return;
    } else {
        (void)cli_fail(c, err);
    }
    if (!o->exit_code)
        o->exit_code = cm_error_exit_code(err);
}

/* What settles stays: --catalog cannot name another version. */
static bool keeps_basis(const cli *c, const cm_catalog *catalog, const char *payer, const char *month, cm_error *err)
{
    char settled[CM_ID_HEX];
    if (!cm_store_period_settled_catalog(c->pg_, payer, month, settled, err))
        return false;
    return !*settled || strcmp(settled, catalog->id) == 0 ||
           cm_fail(err, CM_ERROR_REFUSED, "PERIOD_STATE",
                   "period %s of payer %s is settled and rests on catalog version %s: leave --catalog out, or take the "
                   "settlement back first (`curmill period reopen --payer %s --period %s --by WHO --reason TEXT`)",
                   month, payer, settled, payer, month);
}

static void start(cli *c, orders *o, const char *payer, cm_period period)
{
    cm_error err = {0};
    char run[CM_ID_HEX], month[CM_PERIOD_TEXT];
    bool started = false;
    const char *by = cli_value(c, "by"), *reason = cli_value(c, "reason");
    cm_run_settings settings = {0};
    cm_period_print(period, month);
    if ((cli_value(c, "catalog") && !keeps_basis(c, o->catalog, payer, month, &err)) ||
        !cm_store_run_start(c->pg_, o->catalog, payer, period, &settings, cli_now(c), by ? by : "curmill run start",
                            reason ? reason : "", run, &started, &err)) {
        refused(c, o, payer, month, &err);
        return;
    }
    cli_note(c,
             started ? "run %s of payer %s for %s began"
                     : "run %s of payer %s for %s already holds the same rating; nothing was done",
             run, payer, month);
    cm_array_text(&o->runs, run);
    json_array_append_new(o->list, json_pack("{s:s, s:s, s:s}", "run", run, "payer", payer, "period", month));
}

/* What became of them; 2 if a run failed or was stopped. */
static int look_up(cli *c, orders *o)
{
    size_t i;
    json_t *one;
    int exit_code = 0;
    json_array_foreach (o->list, i, one) {
        cm_error err = {0};
        cm_run facts;
        if (!cm_store_run(c->pg_, json_string_value(json_object_get(one, "run")), &facts, &err))
            return cli_fail(c, &err);
        json_object_set_new(one, "state", json_string(facts.state));
        json_object_set_new(one, "complete", json_boolean(facts.complete));
        if (strcmp(facts.state, "failed") == 0 || strcmp(facts.state, "stopped") == 0)
            exit_code = 2;
    }
    return exit_code;
}

static int start_all(cli *c, orders *o)
{
    for (size_t i = 0; i < o->payers; i++) {
        cm_period period = o->first;
        for (;; period = cm_period_next(period)) {
            start(c, o, o->payer[i], period);
            if (is_last(o, period))
                break;
        }
    }
    int exit_code = 0;
    if (json_array_size(o->list) == 0) {
        if (!o->exit_code)
            cli_put(stderr, "curmill: no payer of the catalog has a good delivery for these months; see `curmill "
                            "delivery list`\n");
        return o->exit_code ? o->exit_code : 3;
    }
    if (cli_switch(c, "wait")) {
        cli_wait wait = {.runs = cm_array_end(&o->runs), .deadline_ms = cli_deadline(c)};
        exit_code = cli_wait_for_runs(c, &wait);
    }
    int looked = exit_code == 0 || o->several ? look_up(c, o) : 0;
    if (o->several)
        cli_json_print(json_incref(o->list));
    else if (exit_code == 0)
        cli_json_print(json_incref(json_array_get(o->list, 0)));
    return exit_code ? exit_code : looked ? looked : o->exit_code;
}

static cm_catalog *catalog_to_rate_with(cli *c, int *ret_exit)
{
    cm_error err = {0};
    cm_catalog *catalog = NULL;
    const char *version = cli_value(c, "catalog");
    if (!version)
        return cli_catalog(c, ret_exit);
    if (cli_pg(c, ret_exit) && !cm_store_catalog_load(c->pg_, version, &catalog, &err))
        *ret_exit = cli_fail(c, &err);
    return catalog;
}

int cmd_run_start(cli *c)
{
    static orders o; /* large */
    int exit_code = 0;
    if (!cli_periods(c, "period", &o.first, &o.last, &exit_code))
        return exit_code;
    cm_catalog *catalog = catalog_to_rate_with(c, &exit_code);
    if (!catalog)
        return exit_code;
    o.catalog = catalog;
    o.payers = (size_t)cli_values(c, "payer", o.payer, PAYERS_MAX);
    o.all = o.payers == 0;
    o.several =
        o.payers != 1 || cm_period_start(o.first) != cm_period_start(o.last) || strstr(cli_value(c, "period"), "..");
    for (size_t i = 0; o.all && i < catalog->payer_count && o.payers < PAYERS_MAX; i++)
        o.payer[o.payers++] = catalog->payers[i].id;
    o.list = json_array();
    exit_code = start_all(c, &o);
    json_decref(o.list);
    cm_buffer_free(&o.runs);
    cm_catalog_free(catalog);
    return exit_code;
}
