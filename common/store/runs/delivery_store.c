#include "store/runs/delivery_store.h"

#include "store/audit/audit.h"
#include "store/runs/run_row.h"
#include "store/runs/switch.h"

#include <stdlib.h>

typedef struct delivery_facts {
    char payer[32], month[CM_PERIOD_TEXT], state[16], held_run[CM_ID_HEX];
} delivery_facts;

static bool load_locked(cm_pg *pg, const cm_delivery_decision *d, delivery_facts *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = (delivery_facts){0};
    /* The held run first: the order of locks is the run's row, then the period, then other rows (switch.h). */
    if (!cm_pg_query(
            pg,
            "SELECT id FROM run WHERE delivery_id = $1 AND state = 'held' ORDER BY seq DESC LIMIT 1 FOR NO KEY UPDATE",
            1, (const char *[]){d->delivery}, &rows, err))
        return false;
    if (cm_rows_count(rows))
        snprintf(ret->held_run, sizeof ret->held_run, "%s", cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    if (!cm_pg_query(pg, "SELECT payer, period FROM delivery WHERE id = $1", 1, (const char *[]){d->delivery}, &rows,
                     err))
        return false;
    bool found = cm_rows_count(rows) == 1;
    if (found) {
        snprintf(ret->payer, sizeof ret->payer, "%s", cm_rows_text(rows, 0, 0));
        snprintf(ret->month, sizeof ret->month, "%s", cm_rows_text(rows, 0, 1));
    }
    cm_rows_free(rows);
    if (!found)
        return cm_fail(err, CM_ERROR_NOT_FOUND, "NO_DELIVERY", "there is no delivery %s; see `curmill delivery list`",
                       d->delivery);
    if (!cm_period_lock(pg, ret->payer, ret->month, err) ||
        !cm_pg_query(pg, "SELECT state FROM delivery WHERE id = $1 FOR NO KEY UPDATE", 1, (const char *[]){d->delivery},
                     &rows, err))
        return false;
    snprintf(ret->state, sizeof ret->state, "%s", cm_rows_text(rows, 0, 0));
    cm_rows_free(rows);
    return true;
}

static bool audit(cm_pg *pg, const cm_delivery_decision *d, const delivery_facts *facts, const char *action,
                  cm_error *err)
{
    char object[64];
    snprintf(object, sizeof object, "delivery:%s", d->delivery);
    json_t *detail =
        json_pack("{s:s, s:s, s:s}", "payer", facts->payer, "period", facts->month, "state_before", facts->state);
    char *text = json_dumps(detail, JSON_COMPACT);
    bool done = cm_store_audit(pg, d->now, d->by, action, object, d->reason, text, err);
    free(text);
    json_decref(detail);
    return done;
}

static bool in_state(const cm_delivery_decision *d, const delivery_facts *facts, const char *first, const char *second,
                     const char *next_step, cm_error *err)
{
    if (strcmp(facts->state, first) == 0 || strcmp(facts->state, second) == 0)
        return true;
    return cm_fail(err, CM_ERROR_REFUSED, "DELIVERY_STATE", "delivery %s is %s, so nothing was done: %s", d->delivery,
                   facts->state, next_step);
}

static bool end(cm_pg *pg, bool done, cm_error *err)
{
    done = done && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    return done;
}

/* --- accept ------------------------------------------------------------------------------------------------------ */

static bool accept_locked(cm_pg *pg, const cm_delivery_decision *d, cm_error *err)
{
    delivery_facts facts;
    bool current;
    return load_locked(pg, d, &facts, err) &&
           in_state(d, &facts, "held", "held",
                    "only a delivery that shrank (DELIVERY_SHRANK) is held until somebody accepts it", err) &&
           cm_pg_query(pg,
                       "UPDATE delivery SET accepted = true, error_code = '', error_text = '', state = 'planned' WHERE "
                       "id = $1",
                       1, (const char *[]){d->delivery}, NULL, err) &&
           audit(pg, d, &facts, "delivery.accepted", err) &&
           cm_store_run_switch(pg, facts.held_run, d->now, d->by, &current, err);
}

bool cm_store_delivery_accept(cm_pg *pg, const cm_delivery_decision *d, cm_error *err)
{
    return end(pg, cm_pg_begin(pg, err) && accept_locked(pg, d, err), err);
}

/* --- dismiss ----------------------------------------------------------------------------------------------------- */

static bool dismiss_locked(cm_pg *pg, const cm_delivery_decision *d, cm_error *err)
{
    delivery_facts facts;
    return load_locked(pg, d, &facts, err) &&
           in_state(d, &facts, "failed", "held",
                    "only a delivery that failed or is held can be dismissed; `curmill delivery restore DELIVERY --by "
                    "WHO --reason TEXT` makes an earlier delivery count again",
                    err) &&
           cm_pg_query(pg,
                       "UPDATE run SET state = 'superseded', reason = 'its delivery was dismissed' WHERE delivery_id = "
                       "$1 AND state = 'held'",
                       1, (const char *[]){d->delivery}, NULL, err) &&
           cm_pg_query(pg, "UPDATE delivery SET state = 'dismissed' WHERE id = $1", 1, (const char *[]){d->delivery},
                       NULL, err) &&
           audit(pg, d, &facts, "delivery.dismissed", err);
}

bool cm_store_delivery_dismiss(cm_pg *pg, const cm_delivery_decision *d, cm_error *err)
{
    return end(pg, cm_pg_begin(pg, err) && dismiss_locked(pg, d, err), err);
}

/* --- restore ----------------------------------------------------------------------------------------------------- */

/* `seq` says which delivery is the newest: an identity, which can be drawn again. */
static bool become_newest(cm_pg *pg, const cm_delivery_decision *d, cm_error *err)
{
    return cm_pg_query(pg,
                       "UPDATE delivery SET seq = DEFAULT, accepted = true, state = 'planned', error_code = '',"
                       " error_file = '', error_row = NULL, error_column = '', error_text = '' WHERE id = $1",
                       1, (const char *[]){d->delivery}, NULL, err);
}

static bool restore_locked(cm_pg *pg, const cm_catalog *catalog, const cm_delivery_decision *d,
                           const cm_run_settings *settings, char ret_run[static CM_ID_HEX], cm_error *err)
{
    delivery_facts facts;
    bool new_run;
    if (!load_locked(pg, d, &facts, err) ||
        !in_state(d, &facts, "superseded", "dismissed",
                  strcmp(facts.state, "held") == 0
                      ? "`curmill delivery accept DELIVERY --by WHO --reason TEXT` makes it count"
                  : strcmp(facts.state, "failed") == 0 ? "it was never read; see `curmill delivery list` for the reason"
                                                       : "it is the newest delivery of its payer and period",
                  err))
        return false;
    cm_run_order order = {.catalog = catalog,
                          .delivery = d->delivery,
                          .payer = facts.payer,
                          .settings = settings,
                          .now = d->now,
                          .actor = d->by,
                          .reason = d->reason};
    return (cm_period_parse(cm_slice_of(facts.month), &order.period) ||
            cm_fail(err, CM_ERROR_BUG, "PERIOD", "delivery %s has the period %s", d->delivery, facts.month)) &&
           become_newest(pg, d, err) && audit(pg, d, &facts, "delivery.restored", err) &&
           cm_run_start_locked(pg, &order, ret_run, &new_run, err);
}

bool cm_store_delivery_restore(cm_pg *pg, const cm_catalog *catalog, const cm_delivery_decision *d,
                               const cm_run_settings *settings, char ret_run[static CM_ID_HEX], cm_error *err)
{
    return end(pg, cm_pg_begin(pg, err) && restore_locked(pg, catalog, d, settings, ret_run, err), err);
}
