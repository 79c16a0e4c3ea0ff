/*
 * Link sets in PostgreSQL (catalog/link_set.h): immutable contents, each payer's present set (which new runs are rated
 * with), and snapshots: a catalog version with the links of runs. Everything that rates, makes documents or explains
 * reads a snapshot, so that all of them see the same owners. Written by org-linker.
 */
#ifndef CM_STORE_LINK_STORE_H
#define CM_STORE_LINK_STORE_H

#include "billing/catalog/links/link_set.h"
#include "platform/postgres/postgres.h"

/* The ids of the link sets that runs (array literal) were rated with, without duplicates, sorted, joined by commas; ""
 * for none; appended to `ret`. With `lane`: also the present sets of the lane's payers that have none of these runs. */
CM_NODISCARD bool cm_store_links_of_runs(cm_pg *pg, const char *runs, const char *lane, cm_buffer *ret, cm_error *err);

/* A catalog version with the link sets named by cm_store_links_of_runs ("": the version as it is). The caller frees
 * it. */
CM_NODISCARD bool cm_store_snapshot_load(cm_pg *pg, const char *catalog_id, const char *links, cm_catalog **ret,
                                         cm_error *err);
/* Both of the above. */
CM_NODISCARD bool cm_store_snapshot_of_runs(cm_pg *pg, const char *catalog_id, const char *runs, cm_catalog **ret,
                                            cm_error *err);

/* The links of sets (ids joined by commas), appended to *links, in `arena`. FATAL if a set is missing. */
CM_NODISCARD bool cm_store_link_sets(cm_pg *pg, const char *ids, cm_arena *arena, cm_given_link **links, size_t *count,
                                     cm_error *err);

/* The set that new runs of a payer are rated with, "" for none. */
CM_NODISCARD bool cm_store_links_of_payer(cm_pg *pg, const char *payer, char ret_id[static CM_ID_HEX], cm_error *err);
/* Stores the set (once) and makes it the payer's present set, in the caller's transaction. `links` are sorted.
 * *ret_changed false: it already is. */
CM_NODISCARD bool cm_store_links_set(cm_pg *pg, const char *payer, const char *lane, cm_given_link *links, size_t count,
                                     cm_instant now, bool *ret_changed, char ret_id[static CM_ID_HEX], cm_error *err);

#endif
