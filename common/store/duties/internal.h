/* Kinds of duties, one file each. Internal to store/duties. */
#ifndef CM_STORE_DUTIES_INTERNAL_H
#define CM_STORE_DUTIES_INTERNAL_H

#include "store/duties/duties.h"

typedef struct duties {
    cm_pg *pg;
    const cm_duties_order *order;
    json_t *list;
} duties;

typedef struct duty {
    const char *code, *lane, *payer, *period, *customer, *object; /* NULL: does not apply */
    cm_instant since;
} duty;

/* add.c. Adds it unless the order asks for another lane, payer or period. */
void duties_add(const duties *d, const duty *what, const char *detail, const char *command);
bool duties_wanted(const duties *d, const char *lane, const char *payer, const char *period);

bool duties_arrivals(const duties *d, cm_error *err); /* arrivals.c: what comes late, in part, or not at all */
bool duties_overdue(const duties *d, cm_error *err);  /* overdue.c: statements, and reports to the distributor */
bool duties_closing(const duties *d, cm_error *err);  /* closing.c: documents, gates, unbilled money */

/* add.c. The links of a payer, one next to the other (links are sorted by payer). */
const cm_link *duties_links(const cm_catalog *catalog, const char *payer, size_t *ret_count);
/* Does the link hold in the month? */
bool duties_link_holds(const cm_link *link, cm_period period);
/* Does some account have a link under this payer in the month? */
bool duties_has_link(const cm_catalog *catalog, const char *payer, cm_period period);

#endif
