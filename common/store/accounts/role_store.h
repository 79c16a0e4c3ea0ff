/*
 * Verdicts on roles (O13, O22): table role_check, column role_verdict of the request, history. A verdict that changed
 * is a row of its own; one that stays only moves the times of the newest row. May use: postgres, link.
 */
#ifndef CM_STORE_ROLE_STORE_H
#define CM_STORE_ROLE_STORE_H

#include "store/accounts/request_store.h"

typedef struct cm_role_tried {
    int64_t request;
    const char *role_arn, *external_id; /* that were tried: if the request has others by now, the verdict is dropped */
    enum cm_role_verdict verdict;       /* VALID or INVALID */
    const char *missing_action;         /* "sts:AssumeRole", or the first permission that is missing; "" */
    const char *detail;                 /* no secrets */
} cm_role_tried;

/* A transaction of its own. What follows by itself (a role that works may activate the link) is done in it. */
CM_NODISCARD bool cm_store_role_tried(cm_pg *pg, const cm_role_tried *tried, cm_instant now, const char *by,
                                      cm_error *err);
/* Requests of the payer whose role is to be tried now, never tried ones first; at most `most` ids into `ret`. */
CM_NODISCARD bool cm_store_roles_due(cm_pg *pg, const char *payer, cm_instant now, int most, int64_t *ret,
                                     int *ret_count, cm_error *err);

#endif
