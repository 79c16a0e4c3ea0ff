/* A checker with a private database and an AWS scripted by the test. */
#ifndef CHECKED_H
#define CHECKED_H

#include "checker.h"
#include "place.h"

#define WILD "000055556666" /* an account of ING without an owner yet */

typedef struct checked {
    place *place;
    cm_tax_checker core;
    cm_clock clock;
    /* what AWS shows */
    char inheritance[16], transfer_to[16], other_number[32];
    bool lists_wild;
    cm_error fails; /* class NONE: it answers */
    int reads, switched;
} checked;

/* Catalog with a Distributor of lane ingram; acme has ACCOUNT, zenith has OTHER, both of ING. Everything is as
 * required. */
checked *checked_open(void);
void checked_close(checked *c);
void checked_catalog(checked *c, bool with_distributor, const char *number, const char *more);
void checked_round(checked *c);
/* "444455556666 OK, 000011112222 OK": account and verdict of ING, sorted. Static. */
const char *verdicts(checked *c);
void later(checked *c, int64_t seconds);

#endif
