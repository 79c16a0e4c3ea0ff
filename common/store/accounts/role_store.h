/*
 * Verdicts on roles (O13, O22): table role_check, column role_verdict of the request, history. A changed verdict adds a
 * row; an unchanged one only updates the times of the newest row.
 */
#ifndef CM_STORE_ROLE_STORE_H
#define CM_STORE_ROLE_STORE_H

#include "store/accounts/request_store.h"

typedef struct cm_role_tried {
    int64_t request;
    const char *role_arn,
        *external_id; /* the role that was tried: if the request has another one by now, the verdict is dropped */
    enum cm_role_verdict verdict; /* VALID or INVALID */
    const char *missing_action;   /* "sts:AssumeRole", or the first missing permission; "" */
    const char *detail;           /* no secrets */
} cm_role_tried;

/* Runs in its own transaction, including automatic steps (a working role may activate the link). */
CM_NODISCARD bool cm_store_role_tried(cm_pg *pg, const cm_role_tried *tried, cm_instant now, const char *by,
                                      cm_error *err);
/* Requests of the payer whose role is due to be tried, those never tried first; at most `most` ids in `ret`. */
CM_NODISCARD bool cm_store_roles_due(cm_pg *pg, const char *payer, cm_instant now, int most, int64_t *ret,
                                     int *ret_count, cm_error *err);

#endif
