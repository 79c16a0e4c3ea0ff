/*
 * Which payer an account should join, and why (P07-P10, P14, N22). Pure: a decision from what the operator knows and
 * what the catalog has.
 */
#ifndef CM_LINK_ADVICE_H
#define CM_LINK_ADVICE_H

#include "base/base/buffer.h"
#include "billing/catalog/model/catalog.h"

enum cm_organization_state {
    CM_ORGANIZATION_NONE,   /* a standalone account */
    CM_ORGANIZATION_OWN,    /* the customer has an organization of its own: this account manages it, or is in it */
    CM_ORGANIZATION_OTHERS, /* a member of somebody else's organization */
    CM_ORGANIZATION_NEW,    /* the account does not exist yet */
};
CM_NODISCARD bool cm_organization_state_parse(const char *name,
                                              enum cm_organization_state *ret); /* "none", "own", "others", "new" */

/* A customer that has an account under a payer by org-linker's links. */
typedef struct cm_payer_owner {
    const char *payer, *customer;
} cm_payer_owner;

typedef struct cm_advice_question {
    enum cm_organization_state organization;
    const cm_customer *customer;
    const char *lane;         /* NULL: every lane */
    const char *const *needs; /* capabilities (P09, P10), as the payer models name them */
    size_t need_count;
    const cm_payer_owner *owners; /* in addition to the links of the catalog */
    size_t owner_count;
} cm_advice_question;

typedef struct cm_advice {
    const cm_payer_model *model;
    const char *lane;
    const char *payer_kind;     /* "shared", "dedicated", "master" */
    const cm_payer *payer;      /* NULL: there is none yet */
    char why[1024], next[1024]; /* with rule ids; what to do */
} cm_advice;

enum { CM_ADVICE_MAX = 16 };
/* One piece of advice for each lane that has payers; returns the count. */
size_t cm_advise(const cm_catalog *catalog, const cm_advice_question *question, cm_advice into[static CM_ADVICE_MAX]);
/* Whether some model has this capability. */
bool cm_capability_known(const char *name);

#endif
