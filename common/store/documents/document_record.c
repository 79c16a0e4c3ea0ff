#include "store/documents/document_record.h"

#include "base/digest/digest.h"
#include "base/json/json.h"
#include "base/time/time.h"
#include "billing/labels/labels.h"
#include "store/ledgers/discount_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* R06: the rate with who set it and when; null: nothing was converted. */
static bool fx_json(cm_pg *pg, const cm_document_facts *facts, json_t **ret, cm_error *err)
{
    const char *rate = json_string_value(json_object_get(facts->document, "rate"));
    const char *values[] = {facts->fx_id, rate};
    cm_rows *rows = NULL;
    *ret = json_null();
    if (!*facts->fx_id || !rate)
        return true;
    if (!cm_pg_query(pg,
                     "SELECT set_by, to_char(set_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), period FROM fx_rate_set WHERE "
                     "fx_id = $1 AND rate = $2::numeric"
                     " ORDER BY set_at LIMIT 1",
                     2, values, &rows, err))
        return false;
    bool found = cm_rows_count(rows) == 1;
    *ret = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "id", facts->fx_id, "from", facts->source_currency, "to",
                     facts->currency, "rate", rate, "period", found ? cm_rows_text(rows, 0, 2) : NULL, "set_by",
                     found ? cm_rows_text(rows, 0, 0) : NULL, "set_at", found ? cm_rows_text(rows, 0, 1) : NULL);
    cm_rows_free(rows);
    return true;
}

static json_t *runs_json(cm_pg *pg, const cm_document_facts *facts, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT id, payer, period, delivery_id, catalog_id, engine_version, links_version FROM run WHERE id = ANY "
            "($1::text[]) ORDER BY payer, period, id",
            1, &facts->runs, &rows, err))
        return NULL;
    json_t *runs = json_array();
    for (int i = 0; i < cm_rows_count(rows); i++) {
        json_t *run = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "run", cm_rows_text(rows, i, 0), "payer",
                                cm_rows_text(rows, i, 1), "period", cm_rows_text(rows, i, 2), "delivery",
                                cm_rows_text(rows, i, 3), "catalog", cm_rows_text(rows, i, 4), "engine",
                                cm_rows_text(rows, i, 5));
        if (*cm_rows_text(rows, i, 6))
            json_object_set_new(run, "links", json_string(cm_rows_text(rows, i, 6)));
        json_array_append_new(runs, run);
    }
    cm_rows_free(rows);
    return runs;
}

/* The content of a catalog version; the last one is cached, because many documents use the same one. Owned by this
 * function. */
static const json_t *catalog_json(cm_pg *pg, const char *id, cm_error *err)
{
    static _Thread_local json_t *kept;
    static _Thread_local char kept_id[CM_ID_HEX];
    cm_rows *rows = NULL;
    if (kept && strcmp(kept_id, id) == 0)
        return kept;
    if (!cm_pg_query(pg, "SELECT content FROM catalog_version WHERE id = $1", 1, (const char *[]){id}, &rows, err))
        return NULL;
    json_decref(kept);
    kept = cm_rows_count(rows) ? json_loads(cm_rows_text(rows, 0, 0), 0, NULL) : NULL;
    snprintf(kept_id, sizeof kept_id, "%s", id);
    cm_rows_free(rows);
    if (!kept)
        cm_fail(err, CM_ERROR_BUG, "NO_CATALOG",
                "catalog version %s, which a document was made with, is not in the database; restore it from a backup",
                id);
    return kept;
}

bool cm_document_reseller(cm_pg *pg, const char *catalog_id, const char *reseller, const json_t **ret, cm_error *err)
{
    const json_t *catalog = catalog_json(pg, catalog_id, err);
    *ret = json_object_get(json_object_get(catalog, "Reseller"), reseller);
    return catalog != NULL;
}

/* Catalog documents of the reseller and the customers at that version. */
static json_t *parties_json(const json_t *catalog, const cm_document_facts *facts)
{
    json_t *customers = json_object();
    size_t i;
    json_t *customer;
    json_array_foreach (json_object_get(facts->document, "customers"), i, customer) {
        const char *id = cm_json_member_text(customer, "id");
        json_t *found = json_deep_copy(json_object_get(json_object_get(catalog, "Customer"), id));
        json_object_del(found,
                        "accounts"); /* the record is about this document, the links are in the catalog version */
        if (found)
            json_object_set_new(customers, id, found);
    }
    json_t *reseller = json_deep_copy(json_object_get(json_object_get(catalog, "Reseller"), facts->reseller));
    return json_pack("{s:o?, s:o}", "reseller", reseller, "customers", customers);
}

/* Texts of one format sort like instants; an account's latest link that overlaps the month gives its name and tags. */
static bool overlaps(const json_t *account, const char *start, const char *end)
{
    const char *to = cm_json_member_text(account, "to");
    return strcmp(cm_json_member_text(account, "from"), end) < 0 && (!*to || strcmp(to, start) > 0);
}

/* R10: name and tags of the accounts on the document; accounts with neither are left out. */
static json_t *accounts_json(const json_t *catalog, const cm_document_facts *facts)
{
    char start[CM_INSTANT_TEXT], end[CM_INSTANT_TEXT];
    cm_period period;
    size_t i, k;
    json_t *item, *account, *wanted = json_object(), *ret = json_object();
    const json_t *corrects = json_object_get(facts->document, "corrects");
    bool valid =
        cm_period_parse(cm_slice_of(cm_json_member_text(corrects ? corrects : facts->document, "period")), &period);
    cm_assert(valid);
    cm_instant_print(cm_period_start(period), start);
    cm_instant_print(cm_period_end(period), end);
    json_array_foreach (json_object_get(facts->document, "lines"), i, item)
        json_object_set_new(wanted, cm_json_member_text(item, "account"), json_true());
    json_array_foreach (json_object_get(facts->document, "customers"), i, item) {
        const json_t *customer = json_object_get(json_object_get(catalog, "Customer"), cm_json_member_text(item, "id"));
        json_array_foreach (json_object_get(customer, "accounts"), k, account) {
            const char *id = cm_json_member_text(account, "id");
            json_t *name = json_object_get(account, "name"), *tags = json_object_get(account, "tags");
            if (json_object_get(wanted, id) && (name || tags) && overlaps(account, start, end))
                json_object_set_new(ret, id, json_pack("{s:O?, s:O?}", "name", name, "tags", tags));
        }
    }
    json_decref(wanted);
    return ret;
}

/* I14: where the reseller pays the lane's distributor, by the reseller's country. NULL: not given. */
static json_t *remit_to_json(const json_t *catalog, const cm_document_facts *facts)
{
    const char *country =
        cm_json_member_text(json_object_get(json_object_get(catalog, "Reseller"), facts->reseller), "country");
    const char *id;
    json_t *distributor, *place;
    size_t i;
    json_object_foreach (json_object_get(catalog, "Distributor"), id, distributor) {
        if (strcmp(cm_json_member_text(distributor, "lane"), facts->lane) != 0)
            continue;
        json_array_foreach (json_object_get(distributor, "remit_to"), i, place) {
            if (*country && strcmp(cm_json_member_text(place, "country"), country) == 0)
                return json_deep_copy(place);
        }
    }
    return NULL;
}

/* A correction also takes over those of the document that it corrects: its lines may name what the catalog no longer
 * has. */
static bool labels_json(cm_pg *pg, const json_t *catalog, const cm_document_facts *facts, json_t **ret, cm_error *err)
{
    const json_t *corrects = json_object_get(facts->document, "corrects");
    const char *id = cm_json_member_text(corrects, "id"),
               *period = cm_json_member_text(corrects ? corrects : facts->document, "period");
    cm_rows *rows = NULL;
    *ret = NULL;
    if (*id && !cm_pg_query(pg, "SELECT record::jsonb -> 'settings' -> 'labels' FROM statement WHERE id = $1", 1, &id,
                            &rows, err))
        return false;
    json_t *own = cm_labels_of_document(catalog, facts->document, period);
    if (rows && cm_rows_count(rows) && !cm_rows_null(rows, 0, 0))
        *ret = json_loads(cm_rows_text(rows, 0, 0), 0, NULL);
    cm_rows_free(rows);
    if (*ret)
        json_object_update_recursive(*ret, own);
    else
        *ret = json_incref(own);
    json_decref(own);
    return true;
}

json_t *cm_document_settings(cm_pg *pg, const cm_document_facts *facts, cm_error *err)
{
    json_t *fx = NULL, *runs = NULL, *labels = NULL;
    const json_t *catalog = catalog_json(pg, facts->catalog_id, err);
    if (!catalog || !fx_json(pg, facts, &fx, err) || !labels_json(pg, catalog, facts, &labels, err) ||
        !(runs = runs_json(pg, facts, err))) {
        json_decref(fx);
        json_decref(labels);
        return NULL;
    }
    json_t *settings =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "catalog", facts->catalog_id, "runs", runs, "fx", fx, "parties",
                  parties_json(catalog, facts), "accounts", accounts_json(catalog, facts), "labels", labels);
    json_t *remit_to = remit_to_json(catalog, facts);
    cm_assert(settings);
    if (remit_to)
        json_object_set_new(settings, "remit_to", remit_to);
    return settings;
}

json_t *cm_document_arrears(cm_pg *pg, const cm_document_facts *facts, cm_error *err)
{
    cm_discounts discounts = {0};
    json_t *ret = json_array();
    if (json_object_get(facts->document, "corrects"))
        return ret;
    if (!cm_store_discounts_applied(pg, facts->lane, cm_json_member_text(facts->document, "period"), facts->customers,
                                    &discounts, err)) {
        json_decref(ret);
        return NULL;
    }
    for (size_t i = 0; i < discounts.count; i++) {
        const cm_discount *one = &discounts.list[i];
        char amount[CM_DECIMAL_TEXT];
        cm_decimal_print(one->amount, amount);
        if (strcmp(one->currency, facts->source_currency) == 0)
            json_array_append_new(ret, json_pack("{s:s, s:s, s:s, s:s, s:s}", "customer", one->customer, "account",
                                                 one->account, "product", one->product, "earned", one->earned, "amount",
                                                 amount));
    }
    cm_discounts_free(&discounts);
    return ret;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

enum {
    STATE,
    RECORD,
    RESELLER,
    LANE,
    CURRENCY,
    SOURCE_CURRENCY,
    FX_ID,
    CATALOG,
    RUNS,
    CUSTOMERS,
    DOCUMENT,
    MARGIN,
    APPROVED_BY,
    APPROVED_AT
};

static json_t *loads(const cm_rows *rows, int column)
{
    return cm_rows_null(rows, 0, column) ? NULL : json_loads(cm_rows_text(rows, 0, column), 0, NULL);
}

/* Not issued: what would be stored today. */
static json_t *assemble(cm_pg *pg, const cm_rows *rows, cm_error *err)
{
    json_t *document = loads(rows, DOCUMENT);
    cm_assert(document);
    cm_document_facts facts = {.reseller = cm_rows_text(rows, 0, RESELLER),
                               .lane = cm_rows_text(rows, 0, LANE),
                               .currency = cm_rows_text(rows, 0, CURRENCY),
                               .source_currency = cm_rows_text(rows, 0, SOURCE_CURRENCY),
                               .fx_id = cm_rows_text(rows, 0, FX_ID),
                               .catalog_id = cm_rows_text(rows, 0, CATALOG),
                               .runs = cm_rows_text(rows, 0, RUNS),
                               .customers = cm_rows_text(rows, 0, CUSTOMERS),
                               .document = document};
    json_t *settings = cm_document_settings(pg, &facts, err);
    json_t *arrears = settings ? cm_document_arrears(pg, &facts, err) : NULL;
    if (!arrears) {
        json_decref(settings);
        json_decref(document);
        return NULL;
    }
    json_object_set_new(document, "state", json_string(cm_rows_text(rows, 0, STATE)));
    json_t *record = json_pack("{s:o, s:o, s:o, s:o?}", "document", document, "settings", settings, "arrears", arrears,
                               "margin", loads(rows, MARGIN));
    cm_assert(record);
    if (!cm_rows_null(rows, 0, APPROVED_BY))
        json_object_set_new(record, "approved",
                            json_pack("{s:s, s:s}", "by", cm_rows_text(rows, 0, APPROVED_BY), "at",
                                      cm_rows_text(rows, 0, APPROVED_AT)));
    return record;
}

bool cm_store_document_record(cm_pg *pg, const char *id, json_t **ret, cm_error *err)
{
    cm_rows *rows = NULL;
    *ret = NULL;
    if (!cm_pg_query(
            pg,
            "SELECT state, record, reseller, lane, currency, source_currency, fx_id, catalog_id, runs, customers, "
            "document, margin, approved_by,"
            " to_char(approved_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM statement WHERE id = $1",
            1, &id, &rows, err))
        return false;
    if (cm_rows_count(rows) == 0)
        cm_fail(err, CM_ERROR_NOT_FOUND, "NO_STATEMENT", "there is no document %s; see `curmill statement list`", id);
    else if (!cm_rows_null(rows, 0, RECORD))
        *ret = loads(rows, RECORD);
    else
        *ret = assemble(pg, rows, err);
    cm_rows_free(rows);
    return *ret != NULL;
}
