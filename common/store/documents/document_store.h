/*
 * Life cycle of documents (statements.md section 4): one function changes states. Issuing is one transaction, all or
 * nothing: gates, number, the exact copy of figures and settings, outbox, audit, closing of the period.
 */
#ifndef CM_STORE_DOCUMENT_STORE_H
#define CM_STORE_DOCUMENT_STORE_H

#include "store/documents/statement_store.h"

enum cm_document_change {
    CM_DOCUMENT_APPROVE, /* draft -> approved: figures are frozen, the approver's name is recorded */
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
    const char *const *overrides; /* gates that the operator overrides (ISSUE) */
    size_t override_count;
} cm_document_order;

/* Gates that cannot be overridden would change the figures when they open; APPROVE, too, is refused for them. */
bool cm_gate_can_be_overridden(const char *code, bool *ret_known);

/*
 * The only function that changes a document's state, in its own transaction. NOT_FOUND; REFUSED with code
 * DOCUMENT_STATE, or GATES_SHUT: then *ret_shut is an array of the closed gates (caller: json_decref), each with what
 * would open it; NULL otherwise. Every override of a closed gate is audited permanently as `statement.gate_overridden`.
 * Numbers: by the reseller's pattern (billing/number), without gaps for each reseller, lane and year of issue.
 * COMMIT_UNKNOWN: check the document's state; issuing an issued document is refused, so nothing happens twice. RETURN
 * of a draft that left `approved` because its figures changed is done already.
 */
CM_NODISCARD bool cm_store_document_change(cm_pg *pg, cm_instant now, const cm_document_order *order, json_t **ret_shut,
                                           cm_error *err);

/* The stored copy of an issued document (caller: json_decref): reprinting it gives the same bytes each time. */
CM_NODISCARD bool cm_store_document_issued(cm_pg *pg, const char *id, json_t **ret, cm_error *err);

#endif
