#include "store/building/basis.h"

#include "store/catalog/link_store.h"

#include <stdlib.h>

void cm_bases_free(cm_bases *bases)
{
    for (size_t i = 0; i < bases->count; i++) {
        cm_catalog_free(bases->list[i].catalog);
        json_decref(bases->list[i].customers);
    }
    free(bases->list);
    *bases = (cm_bases){0};
}

bool cm_basis_has(const cm_basis *basis, const char *customer)
{
    return !basis->customers || json_object_get(basis->customers, customer);
}

/* Versions of the lane's payers in the month: settled ones by age, then the one in force, if a payer is open. */
static bool list_versions(cm_pg *pg, const char *lane, const char *month, const char *in_force, cm_bases *ret,
                          cm_error *err)
{
    const char *values[] = {lane, month, in_force};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT x.id, x.settled FROM (SELECT coalesce(s.catalog_id, $3) AS id, bool_or(s.catalog_id IS NOT NULL) AS "
            "settled, bool_or(s.catalog_id IS NULL) AS open FROM current_run c LEFT JOIN settled_period s ON s.payer = "
            "c.payer AND s.period = c.period WHERE c.lane = $1 AND c.period = $2 GROUP BY 1) x JOIN catalog_version v ON"
            " v.id = x.id ORDER BY x.open, v.created_at, v.id",
            3, values, &rows, err))
        return false;
    ret->count = (size_t)cm_rows_count(rows);
    ret->list = cm_alloc((ret->count + 1) * sizeof *ret->list);
    for (size_t i = 0; i < ret->count; i++) {
        snprintf(ret->list[i].id, CM_ID_HEX, "%s", cm_rows_text(rows, (int)i, 0));
        ret->list[i].settled = cm_rows_bool(rows, (int)i, 1);
    }
    cm_rows_free(rows);
    return true;
}

/* --- more than one ----------------------------------------------------------------------------------------------- */

typedef struct sorting {
    cm_bases *bases;
    json_t *rank_of_payer; /* payer -> place in the list */
    json_t *rank;          /* customer -> place in the list */
    bool changed;
} sorting;

/* The earlier version wins. */
static void lower(sorting *s, json_t *object, const char *key, json_int_t to)
{
    const json_t *now = json_object_get(object, key);
    if (now && json_integer_value(now) <= to)
        return;
    json_object_set_new(object, key, json_integer(to));
    s->changed = true;
}

static void belongs_to(sorting *s, const char *customer, const char *payer)
{
    const json_t *rank = json_object_get(s->rank_of_payer, payer);
    if (rank)
        lower(s, s->rank, customer, json_integer_value(rank));
}

static bool rank_payers(sorting *s, cm_pg *pg, const char *lane, const char *month, cm_error *err)
{
    const char *values[] = {lane, month};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT c.payer, s.catalog_id FROM current_run c LEFT JOIN settled_period s ON s.payer = c.payer AND "
            "s.period = c.period WHERE c.lane = $1 AND c.period = $2",
            2, values, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        size_t rank = s->bases->count - 1; /* open: the last one */
        for (size_t k = 0; !cm_rows_null(rows, i, 1) && k < s->bases->count; k++)
            if (strcmp(s->bases->list[k].id, cm_rows_text(rows, i, 1)) == 0)
                rank = k;
        json_object_set_new(s->rank_of_payer, cm_rows_text(rows, i, 0), json_integer((json_int_t)rank));
    }
    cm_rows_free(rows);
    return true;
}

/* By charges, and by the links of every version in question. */
static bool rank_customers(sorting *s, cm_pg *pg, cm_period period, const char *month, const char *runs, cm_error *err)
{
    const char *values[] = {month, runs};
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT DISTINCT h.customer, r.payer FROM charge h JOIN run r ON r.id = h.run_id WHERE h.period = $1"
            " AND h.run_id = ANY ($2::text[]) AND h.customer <> ''",
            2, values, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++)
        belongs_to(s, cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1));
    cm_rows_free(rows);
    for (size_t k = 0; k < s->bases->count; k++) {
        const cm_catalog *catalog = s->bases->list[k].catalog;
        for (size_t i = 0; i < catalog->link_count; i++) {
            const cm_link *link = &catalog->links[i];
            if (link->from < cm_period_end(period) && link->to > cm_period_start(period))
                belongs_to(s, link->customer->id, link->payer);
        }
        for (size_t i = 0; i < catalog->customer_count; i++) /* the others: the last one */
            lower(s, s->rank, catalog->customers[i].id, (json_int_t)s->bases->count - 1);
    }
    return true;
}

/* Customers of a consolidated document share its version. */
static void level(sorting *s)
{
    do {
        s->changed = false;
        for (size_t k = 0; k < s->bases->count; k++) {
            const cm_catalog *catalog = s->bases->list[k].catalog;
            json_t *of_reseller = json_object();
            for (int pass = 0; pass < 2; pass++) {
                for (size_t i = 0; i < catalog->customer_count; i++) {
                    const cm_customer *customer = &catalog->customers[i];
                    const char *reseller = customer->reseller->id;
                    if (strcmp(customer->reseller->consolidation, "end_customer") == 0)
                        continue;
                    bool changed = s->changed;
                    if (pass == 0)
                        lower(s, of_reseller, reseller, json_integer_value(json_object_get(s->rank, customer->id)));
                    s->changed = changed;
                    if (pass == 1)
                        lower(s, s->rank, customer->id, json_integer_value(json_object_get(of_reseller, reseller)));
                }
            }
            json_decref(of_reseller);
        }
    } while (s->changed);
}

static bool sort_customers(sorting *s, cm_pg *pg, const char *lane, cm_period period, const char *month,
                           const char *runs, cm_error *err)
{
    const char *customer;
    json_t *rank;
    if (!rank_payers(s, pg, lane, month, err) || !rank_customers(s, pg, period, month, runs, err))
        return false;
    level(s);
    for (size_t k = 0; k < s->bases->count; k++)
        s->bases->list[k].customers = json_object();
    json_object_foreach (s->rank, customer, rank)
        json_object_set_new(s->bases->list[json_integer_value(rank)].customers, customer, json_true());
    return true;
}

bool cm_store_bases(cm_pg *pg, const char *lane, cm_period month, const char *runs, const char *in_force, cm_bases *ret,
                    cm_error *err)
{
    char text[CM_PERIOD_TEXT];
    *ret = (cm_bases){0};
    bool done = list_versions(pg, lane, cm_period_print(month, text), in_force, ret, err);
    for (size_t i = 0; done && i < ret->count; i++)
        done = cm_store_snapshot_of_runs(pg, ret->list[i].id, runs, &ret->list[i].catalog, err);
    if (!done || ret->count < 2)
        return done;
    sorting s = {ret, json_object(), json_object(), false};
    done = sort_customers(&s, pg, lane, month, text, runs, err);
    json_decref(s.rank_of_payer);
    json_decref(s.rank);
    return done;
}
