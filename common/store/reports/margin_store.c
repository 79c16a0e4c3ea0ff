#include "store/reports/margin_store.h"

#include "store/building/document_build.h"
#include "store/catalog/catalog_store.h"
#include "store/catalog/link_store.h"
#include "store/ledgers/discount_store.h"

typedef struct looking {
    const char *id, *subtotal;
    bool same; /* the document built today has the same sum as the stored one */
    json_t *margin;
} looking;

static bool take(void *opaque, const cm_built_document *built, cm_error *err)
{
    looking *l = opaque;
    char subtotal[CM_DECIMAL_TEXT];
    (void)err;
    if (strcmp(built->statement->id, l->id) != 0)
        return true;
    cm_decimal_print(built->statement->subtotal, subtotal);
    l->same = strcmp(subtotal, l->subtotal) == 0;
    l->margin = json_incref(built->statement->margin);
    return true;
}

static bool build(cm_pg *pg, const cm_rows *rows, looking *l, cm_error *err)
{
    cm_catalog *catalog = NULL;
    cm_period period;
    bool valid = cm_period_parse(cm_slice_of(cm_rows_text(rows, 0, 1)), &period);
    cm_assert(valid);
    if (!cm_store_snapshot_of_runs(pg, cm_rows_text(rows, 0, 3), cm_rows_text(rows, 0, 2), &catalog, err))
        return false;
    cm_discounts discounts = {0};
    cm_document_build order = {.pg = pg,
                               .catalog = catalog,
                               .lane = cm_rows_text(rows, 0, 0),
                               .period = period,
                               .runs = cm_rows_text(rows, 0, 2),
                               .take = take,
                               .opaque = l,
                               .with_margin = true};
    bool done = cm_pg_begin(pg, err) && cm_store_discounts_applied(pg, order.lane, cm_rows_text(rows, 0, 1),
                                                                   cm_rows_text(rows, 0, 6), &discounts, err);
    order.discounts = discounts.list;
    order.discount_count = discounts.count;
    done = done && cm_documents_build(&order, NULL, err) && cm_pg_commit(pg, err);
    if (!done)
        cm_pg_rollback(pg);
    cm_discounts_free(&discounts);
    cm_catalog_free(catalog);
    return done;
}

bool cm_store_statement_margin(cm_pg *pg, const char *id, json_t **ret, cm_error *err)
{
    cm_rows *rows = NULL;
    looking l = {.id = id};
    *ret = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT lane, period, runs, catalog_id, trim_scale(subtotal), kind, customers FROM statement WHERE id = $1",
            1, (const char *[]){id}, &rows, err))
        return false;
    bool done;
    if (cm_rows_count(rows) == 0) {
        done = cm_fail(err, CM_ERROR_NOT_FOUND, "NO_DOCUMENT", "there is no document %s", id);
    } else if (strcmp(cm_rows_text(rows, 0, 5), "statement") != 0) {
        done = cm_fail(
            err, CM_ERROR_REFUSED, "CORRECTION",
            "document %s is a correction and has no margin of its own; ask for the margin of the document that it corrects",
            id);
    } else {
        l.subtotal = cm_rows_text(rows, 0, 4);
        done = build(pg, rows, &l, err);
        if (done && (!l.margin || !l.same))
            done = cm_fail(err, CM_ERROR_REFUSED, "OVERTAKEN",
                           "document %s does not follow from its runs as it was made any more (credits that other "
                           "months have used since): its margin is "
                           "not told",
                           id);
    }
    if (done)
        *ret = l.margin;
    else
        json_decref(l.margin);
    cm_rows_free(rows);
    return done;
}
