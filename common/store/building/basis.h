/*
 * Which catalog version the documents of a month rest on (statements.md section 1): the one in force; of a settled or
 * closed month the one that was in force at its settlement. Payers of a lane are settled one by one: a customer's
 * document rests on the earliest version that one of its payers was settled with, so that what is settled stays, and
 * customers that can be on one document rest on the same.
 */
#ifndef CM_STORE_BASIS_H
#define CM_STORE_BASIS_H

#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

typedef struct cm_basis {
    char id[CM_ID_HEX];
    bool settled;        /* some payer of the month was settled with this version */
    cm_catalog *catalog; /* with the links of the runs; owned, NULL once it was taken */
    json_t *customers;   /* set of ids; NULL: all */
} cm_basis;

typedef struct cm_bases {
    cm_basis *list; /* settled ones first */
    size_t count;
} cm_bases;

/* The versions for (lane, month), with every customer in exactly one. `runs` (array literal): those that count;
 * `in_force`: the version that is. Free with cm_bases_free, also after an error. */
CM_NODISCARD bool cm_store_bases(cm_pg *pg, const char *lane, cm_period month, const char *runs, const char *in_force,
                                 cm_bases *ret, cm_error *err);
void cm_bases_free(cm_bases *bases);
bool cm_basis_has(const cm_basis *basis, const char *customer);

#endif
