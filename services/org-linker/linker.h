/*
 * The core of org-linker (accounts-and-taxes.md section 1): what reports say of accounts -> tables, requests -> link
 * sets -> runs rated again, account.link. No Kafka in here: tests run it with a private PostgreSQL.
 *
 *   observe.c   account.observed records of a group -> account, account_usage
 *   sets.c      effective links -> the link set of each payer (common/store/catalog/link_store.h)
 *   rerate.c    months whose figures the new set changes get a run
 *   announce.c  what is known of each account's owners -> table account_link, which is the outbox of topic account.link
 *
 * All state is in PostgreSQL, every step finds out by itself what is to do, and doing it again does nothing: two
 * replicas may run, and one may die between any two steps.
 */
#ifndef CM_ORG_LINKER_LINKER_H
#define CM_ORG_LINKER_LINKER_H

#include "base/time/time.h"
#include "delivery/observed/observed.h"
#include "platform/postgres/postgres.h"
#include "store/catalog/catalog_store.h"

#define CM_LINKER_NAME "org-linker"

typedef struct cm_linker {
    cm_pg *pg;
    const cm_clock *clock;
    const char *lane;
    cm_catalog_cache *catalogs;
    int shards; /* of new runs */
    struct {
        int64_t accounts_changed, sets_changed, runs_started, links_changed;
    } counts;
} cm_linker;

/* One transaction. Repeated records change nothing; of two deliveries of a month the newer counts, whatever comes last.
 */
CM_NODISCARD bool cm_linker_observe(cm_linker *linker, const cm_observed *list, size_t count, cm_error *err);

/* The link sets of the lane's payers; one transaction. Memory is bounded by the largest payer. */
CM_NODISCARD bool cm_linker_sets(cm_linker *linker, cm_error *err);

/*
 * Months rated with another set than their payer's present one: rated again if accounts whose links differ have charges
 * there. Open periods with the catalog in force; settled ones with the catalog that they were settled with: the run
 * becomes their correction (statements.md section 4). A run of that set that failed or was stopped is a person's
 * matter.
 */
CM_NODISCARD bool cm_linker_rerate(cm_linker *linker, cm_error *err);

/* Table account_link follows the catalog in force and the link sets. */
CM_NODISCARD bool cm_linker_announce(cm_linker *linker, cm_error *err);

/* The outbox: up to `most` records that are not published yet, in a transaction of the caller, who marks them after the
 * broker has them. Columns: account, payload as hex. */
CM_NODISCARD bool cm_linker_outbox_take(cm_linker *linker, int most, cm_rows **ret, cm_error *err);
CM_NODISCARD bool cm_linker_outbox_published(cm_linker *linker, const cm_rows *rows, cm_error *err);

#endif
