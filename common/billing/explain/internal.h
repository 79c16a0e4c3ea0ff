/* Private to common/billing/explain. */
#ifndef CM_EXPLAIN_INTERNAL_H
#define CM_EXPLAIN_INTERNAL_H

#include "base/json/json.h"
#include "billing/explain/explain.h"

/* The row that is explained. Texts are borrowed from the record. */
typedef struct cm_explained {
    const json_t *document, *line;
    const cm_catalog *catalog;
    cm_period period;               /* whose prices hold */
    const cm_customer *customer;    /* NULL: several (full), or not in the catalog */
    const cm_customer_terms *terms; /* NULL: no customer */
    const char *id;                 /* of the rule, group, charge or credit: the line's usage type */
    const char *source;             /* currency of its charges */
    json_t *steps;
} cm_explained;

void cm_explain_step(const cm_explained *e, const char *step, const char *format, ...) CM_PRINTF(3, 4);

/* The steps of a row that a tiers rule made; false: it is none. */
bool cm_explain_tiers(const cm_explained *e);
/* The steps of a support row. */
void cm_explain_support(const cm_explained *e);

#endif
