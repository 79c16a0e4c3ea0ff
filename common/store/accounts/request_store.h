/*
 * Requests and links in PostgreSQL (link/link.h; tables link_request, link_history, notification). Every change is one
 * row of history with who, when and why, is audited as `request.<event>` of object `request:<id>`, and sends NOTIFY
 * curmill_accounts (payload: the payer). The view effective_link shows what holds for rating. May use: postgres,
 * catalog, link.
 */
#ifndef CM_STORE_REQUEST_STORE_H
#define CM_STORE_REQUEST_STORE_H

#include "billing/catalog/model/catalog.h"
#include "billing/link/link.h"
#include "billing/link/rules.h"
#include "platform/postgres/postgres.h"

enum { CM_ANY_VERSION = -1 }; /* for workers that observe; operators always name the version that they saw */

typedef struct cm_request {
    int64_t id;
    cm_account_link link;
    const cm_payer_model *model;
    char payer[CM_ACCOUNT_ID], lane[64], customer[CM_LINK_NAME_TEXT], root_email[72], nickname[208],
        sales_reference[512], role_arn[256], external_id[1232], region[104], country[8], handshake[48];
    bool portal_enabled, transferred_in, repurposed;
    char requested_by[256], approved_by[256];
    cm_instant requested_at, approved_at, activated_at, changed_at;
} cm_request;

/* What is asked for. Texts: NULL or "" = not given. */
typedef struct cm_request_order {
    enum cm_link_kind kind;
    const char *payer, *account, *customer, *root_email, *nickname, *support_plan, *support_plan_group,
        *sales_reference, *role_arn, *external_id, *region, *country;
    bool portal_enabled, transferred_in;
    cm_instant billed_from_wanted; /* 0: the rule (N11) */
} cm_request_order;

/*
 * Checks against the catalog (and its Distributor of the lane, if there is one: P02, P03, P17) and stores a request; a
 * transaction of its own. REFUSED by a rule, whose id is in the text: O01 (no customer profile), O02, O03, O08-O10,
 * O14, O17, P03, P07, P17, N16; OPEN_REQUEST (the account has one already), LINK_CONTRADICTION (the catalog gives it to
 * another customer). NOT_FOUND: no such payer.
 */
CM_NODISCARD bool cm_store_request_create(cm_pg *pg, const cm_catalog *catalog, const cm_request_order *order,
                                          cm_instant now, const char *by, const char *reason, int64_t *ret_id,
                                          cm_error *err);

CM_NODISCARD bool cm_store_request(cm_pg *pg, int64_t id, cm_request *ret, cm_error *err); /* NOT_FOUND */
/* The request of an account that is not at its end, else the newest one. `payer` NULL: any. NOT_FOUND. */
CM_NODISCARD bool cm_store_request_of_account(cm_pg *pg, const char *payer, const char *account, cm_request *ret,
                                              cm_error *err);

/*
 * THE way to change a request: compare-and-set on `version` (CM_ANY_VERSION: as it is), cm_link_change, history, audit,
 * notifications. What follows by itself is done in the same transaction, as rows of history of their own: an approved
 * account that is under the payer already is accepted, the role is asked for, a link that lacks nothing becomes active.
 * *ret (may be NULL): as it is afterwards. `_locked`: in the caller's transaction.
 */
CM_NODISCARD bool cm_store_request_change(cm_pg *pg, int64_t id, int64_t version, const cm_link_cause *cause,
                                          cm_request *ret, cm_error *err);
CM_NODISCARD bool cm_store_request_change_locked(cm_pg *pg, int64_t id, int64_t version, const cm_link_cause *cause,
                                                 cm_request *ret, cm_error *err);

/* Wishes that do not change the state; whole values, never increments. NULL: as it was. */
typedef struct cm_request_wish {
    const char *nickname, *root_email, *support_plan, *support_plan_group, *sales_reference, *role_arn, *external_id,
        *country;
    const bool *role_waived, *mfa_confirmed, *portal_enabled;
    const cm_instant
        *billed_from_wanted; /* not once documents could have been made of it: REFUSED when the link is active */
} cm_request_wish;
/* The plan in AWS is the customer's to change (P12): `support_plan` records what was reported (O16). In force at once.
 * A transaction of its own. */
CM_NODISCARD bool cm_store_request_declare(cm_pg *pg, const cm_catalog *catalog, int64_t id, int64_t version,
                                           const cm_request_wish *wish, cm_instant now, const char *by,
                                           const char *reason, cm_request *ret, cm_error *err);

/* --- accounts as observed ----------------------------------------------------------------------------------------- */

typedef struct cm_account_seen {
    const char *payer, *lane, *account;
    const char *name, *root_email, *aws_state, *joined_method; /* NULL: not told (a report tells none of them) */
    cm_instant joined_at;                                      /* AWS's moment; 0: not told */
    cm_instant first, last;                                    /* usage of a report, or the time of a listing */
} cm_account_seen;
/* Merges what is seen into `account` (first the earliest, last the latest), and tells an approved or invited request
 * that it is a member. In the caller's transaction. Nothing new: nothing is written, nothing is notified but for `last`
 * once a day. */
CM_NODISCARD bool cm_store_account_seen(cm_pg *pg, const cm_account_seen *seen, cm_instant now, const char *by,
                                        cm_error *err);
/* AWS no longer lists the account under the payer. Its link begins to off-board. In the caller's transaction. */
CM_NODISCARD bool cm_store_account_gone(cm_pg *pg, const char *payer, const char *account, cm_instant left,
                                        cm_instant now, const char *by, cm_error *err);

#endif
