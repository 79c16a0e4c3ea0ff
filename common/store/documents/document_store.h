/*
 * Life of documents (statements.md section 4): one function changes states. Issuing happens in one transaction: gates,
 * number, the exact copy of figures and settings, outbox, audit, closing of the period; all of it or nothing. May use:
 * postgres, statement_store, period_store, the messages of proto/.
 */
#ifndef CM_STORE_DOCUMENT_STORE_H
#define CM_STORE_DOCUMENT_STORE_H

#include "store/documents/statement_store.h"

enum cm_document_change {
    CM_DOCUMENT_APPROVE, /* draft -> approved: frozen figures, a person's name on it */
    CM_DOCUMENT_RETURN,  /* approved -> draft */
    CM_DOCUMENT_ISSUE,   /* approved -> issued */
    CM_DOCUMENT_VOID,    /* draft -> void: will not be issued */
};
const char *cm_document_change_name(enum cm_document_change change); /* "approve" */
/* The state that a change starts from: "draft", "approved". */
const char *cm_document_change_from(enum cm_document_change change);

typedef struct cm_document_order {
    const char *id;
    enum cm_document_change change;
    const char *by, *reason;
    const char *const *overrides; /* gates that a person takes upon himself (ISSUE) */
    size_t override_count;
} cm_document_order;

/* The gates that nobody can override. */
bool cm_gate_can_be_overridden(const char *code, bool *ret_known);

/*
 * THE function that changes a document's state; a transaction of its own. NOT_FOUND; REFUSED with code DOCUMENT_STATE,
 * or GATES_SHUT: then *ret_shut is the array of the gates that are shut (caller: json_decref), each with what would
 * open it; NULL otherwise. Every override of a gate that was shut is audited as `statement.gate_overridden`, for ever.
 * Numbers: "<reseller>/<lane>/<year of issue>/<000001...>".
 * COMMIT_UNKNOWN: look at the document's state; asking again for an issued document is refused, so nothing happens
 * twice.
 */
CM_NODISCARD bool cm_store_document_change(cm_pg *pg, cm_instant now, const cm_document_order *order, json_t **ret_shut,
                                           cm_error *err);

/* The document of an issued record (the stored copy; caller: json_decref): reprinting it gives the same bytes each
 * time. */
CM_NODISCARD bool cm_store_document_issued(cm_pg *pg, const char *id, json_t **ret, cm_error *err);

/* Outbox: payloads that are not published yet, oldest first. In a transaction; other publishers of the lane are kept
 * out until it ends
 * (*ret_rows NULL: one is at it). Columns: id, statement id, payload as hex. */
CM_NODISCARD bool cm_store_outbox_take(cm_pg *pg, const char *lane, int most, cm_rows **ret_rows, cm_error *err);
/* All rows of cm_store_outbox_take were acknowledged by the broker. */
CM_NODISCARD bool cm_store_outbox_published(cm_pg *pg, const cm_rows *rows, cm_instant now, cm_error *err);

#endif
