/*
 * Slices of catalog versions in PostgreSQL (billing/catalog/slice/slicer.h): contents, stored once, and which one each
 * payer has in a version. `catalog apply` writes them; whatever is missing is made from the version on demand. All
 * functions may run in the caller's transaction.
 */
#ifndef CM_STORE_SLICE_STORE_H
#define CM_STORE_SLICE_STORE_H

#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

/* Of every payer, with the link sets that its runs of months which are not settled have, and with its present one. */
CM_NODISCARD bool cm_store_slices_write(cm_pg *pg, const char *catalog_id, const json_t *canonical, cm_error *err);
/* The same for a stored version, as far as slices are missing. */
CM_NODISCARD bool cm_store_slices_ensure(cm_pg *pg, const char *catalog_id, cm_error *err);

/* The payer's slice in a version, with a link set ("": none). "": the version does not have the payer. */
CM_NODISCARD bool cm_store_slice_of(cm_pg *pg, const char *catalog_id, const char *payer, const char *links,
                                    char ret_id[static CM_ID_HEX], cm_error *err);

/* The slice as a catalog, whose id is the slice's. FATAL if it is not there. The caller frees it. */
CM_NODISCARD bool cm_store_slice_load(cm_pg *pg, const char *id, cm_catalog **ret, cm_error *err);

#endif
