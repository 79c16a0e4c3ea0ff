#include "store/runs/stale.h"

#include "store/catalog/catalog_store.h"
#include "store/catalog/slice_store.h"

typedef struct judged {
    const char *run, *payer, *period, *catalog; /* the version that counts for the period */
    char slice[CM_ID_HEX], wanted[CM_ID_HEX];   /* "": the version does not have the payer */
    bool settled;
} judged;

/* Is a run with the wanted slice under way? */
static bool being_rated(cm_pg *pg, const judged *j, bool *ret, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(pg,
                     "SELECT FROM run WHERE payer = $1 AND period = $2 AND slice_id = $3 AND state = 'running' LIMIT 1",
                     3, (const char *[]){j->payer, j->period, j->wanted}, &rows, err))
        return false;
    *ret = cm_rows_count(rows) > 0;
    cm_rows_free(rows);
    return true;
}

static bool tell(cm_pg *pg, const judged *j, cm_buffer *detail, cm_error *err)
{
    bool running = false;
    if (*j->wanted && !being_rated(pg, j, &running, err))
        return false;
    cm_buffer_printf(detail, "%spayer %s: ", detail->length ? "; " : "", j->payer);
    if (!*j->wanted)
        cm_buffer_printf(detail,
                         "catalog version %s, which %s, does not have the payer: apply a catalog that contains it",
                         j->catalog, j->settled ? "was in force when the month was settled" : "is in force");
    else if (running)
        cm_buffer_printf(detail,
                         "run %s has older prices than catalog version %s; it is being rated again, wait until that is "
                         "complete (`curmill run list --payer %s --period %s`)",
                         j->run, j->catalog, j->payer, j->period);
    else if (j->settled)
        cm_buffer_printf(detail,
                         "run %s has other prices than catalog version %s, which the month was settled with: `curmill "
                         "period reopen --payer %s --period %s --by WHO --reason TEXT`, then settle it again",
                         j->run, j->catalog, j->payer, j->period);
    else
        cm_buffer_printf(
            detail,
            "run %s has older prices than catalog version %s, which is in force: `curmill run start --payer "
            "%s --period %s`",
            j->run, j->catalog, j->payer, j->period);
    return true;
}

/* Columns: id, payer, period, slice, catalog, links, settled catalog. */
static bool judge(cm_pg *pg, const cm_rows *rows, int i, const char *in_force, cm_buffer *detail, cm_error *err)
{
    const char *links = cm_rows_text(rows, i, 5);
    judged j = {.run = cm_rows_text(rows, i, 0),
                .payer = cm_rows_text(rows, i, 1),
                .period = cm_rows_text(rows, i, 2),
                .settled = !cm_rows_null(rows, i, 6)};
    j.catalog = j.settled ? cm_rows_text(rows, i, 6) : in_force;
    if (!*j.catalog)
        return true; /* no version is in force */
    snprintf(j.slice, sizeof j.slice, "%s", cm_rows_text(rows, i, 3));
    if ((!*j.slice && !cm_store_slice_of(pg, cm_rows_text(rows, i, 4), j.payer, links, j.slice, err)) ||
        !cm_store_slice_of(pg, j.catalog, j.payer, links, j.wanted, err))
        return false;
    return strcmp(j.slice, j.wanted) == 0 || tell(pg, &j, detail, err);
}

bool cm_store_runs_stale(cm_pg *pg, const char *runs, cm_instant now, cm_buffer *detail, cm_error *err)
{
    char in_force[CM_ID_HEX] = "";
    cm_error none = {0};
    const char *values[] = {runs};
    cm_rows *rows = NULL;
    if (!cm_store_catalog_in_force(pg, now, in_force, &none) && none.class != CM_ERROR_NOT_FOUND) {
        *err = none;
        return false;
    }
    if (!cm_pg_query(
            pg,
            "SELECT r.id, r.payer, r.period, r.slice_id, r.catalog_id, r.links_version, s.catalog_id FROM run r"
            " LEFT JOIN settled_period s ON s.payer = r.payer AND s.period = r.period WHERE r.id = ANY "
            "($1::text[]) ORDER BY r.payer, r.id",
            1, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = judge(pg, rows, i, in_force, detail, err);
    cm_rows_free(rows);
    return done;
}

bool cm_store_run_slices_ensure(cm_pg *pg, const char *lane, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT r.id, r.catalog_id, r.payer, r.links_version FROM run r LEFT JOIN settled_period s ON s.payer "
            "= r.payer AND s.period = r.period WHERE r.lane = $1 AND r.slice_id = '' AND s.payer IS NULL AND "
            "r.state IN ('running', 'current')",
            1, (const char *[]){lane}, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        char slice[CM_ID_HEX];
        const char *values[] = {cm_rows_text(rows, i, 0), slice};
        done = cm_store_slice_of(pg, cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2), cm_rows_text(rows, i, 3),
                                 slice, err) &&
               cm_pg_query(pg, "UPDATE run SET slice_id = $2 WHERE id = $1", 2, values, NULL, err);
    }
    cm_rows_free(rows);
    return done;
}
