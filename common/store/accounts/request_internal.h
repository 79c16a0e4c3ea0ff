/* Private to common/store: rows of link_request, history, notifications. */
#ifndef CM_STORE_REQUEST_INTERNAL_H
#define CM_STORE_REQUEST_INTERNAL_H

#include "store/accounts/request_store.h"

/* Loads the row with FOR UPDATE. */
CM_NODISCARD bool cm_request_lock(cm_pg *pg, int64_t id, cm_request *ret, cm_error *err);
/* Writes every column that may change, where the version is still `before`. */
CM_NODISCARD bool cm_request_save(cm_pg *pg, const cm_request *request, int64_t before, cm_instant now, cm_error *err);
/* A row of history and of the audit trail. `from`: "" for the first; `detail`: JSON or NULL. */
CM_NODISCARD bool cm_request_history(cm_pg *pg, const cm_request *request, const char *event, const char *from,
                                     cm_instant now, const char *by, const char *reason, const char *detail,
                                     cm_error *err);
/* O08: unique and never used. Only observed accounts and all requests can be checked, not AWS's other customers. `own`:
 * a request that may use the address, 0: none. */
CM_NODISCARD bool cm_request_mail_unused(cm_pg *pg, const char *email, const char *account, int64_t own, cm_error *err);
/* An account that stays under the payer while its customer changes (O28) belongs to the next customer from the moment
 * that the last one left it. */
CM_NODISCARD bool cm_request_not_before_last(cm_pg *pg, const cm_request *request, cm_instant *joined, cm_error *err);
/* Applies automatic steps until none is left. */
CM_NODISCARD bool cm_request_settle(cm_pg *pg, cm_request *request, cm_instant now, cm_error *err);
/* The first off-boarding gate that is closed, "" if all are open. */
CM_NODISCARD bool cm_gates_shut(cm_pg *pg, const cm_request *request, char *into, size_t size, cm_error *err);

/* A notification for people; one row for each request and `code`, replaced if it comes again. */
CM_NODISCARD bool cm_notify_people(cm_pg *pg, const cm_request *request, const char *code, const char *recipient,
                                   const char *subject, const char *body, cm_instant now, cm_error *err);
/* The notifications of an event (O11, O18, O20, O24, O30). */
CM_NODISCARD bool cm_notify_of_event(cm_pg *pg, const cm_request *request, enum cm_link_event event, const char *reason,
                                     cm_instant now, cm_error *err);
CM_NODISCARD bool cm_notify_received(cm_pg *pg, const cm_request *request, const char *customer_name, cm_instant now,
                                     cm_error *err);

/* RFC 3339 or NULL for 0. */
const char *cm_instant_or_null(cm_instant at, char into[static CM_INSTANT_TEXT]);
cm_instant cm_rows_instant(const cm_rows *rows, int row,
                           int column); /* as EXTRACT(epoch) in microseconds; 0 for null */

#endif
