/* A database with a catalog in force and charges of runs, as ingest, rating and the writer would leave them. */
#ifndef PLACE_H
#define PLACE_H

#include "catalog_fixture.h"
#include "private_postgres.h"

#include "store/documents/document_store.h"
#include "store/documents/statement_store.h"
#include "store/runs/period_store.h"
#include "store/runs/switch.h"

#include <criterion/criterion.h>

#define JUNE "2025-06"

typedef struct place {
    char conninfo[256];
    cm_pg *pg;
    cm_instant now;
    char catalog[CM_ID_HEX];
    cm_error err;
} place;

#define MUST(call) cr_assert((call), "%s", p->err.text)

/* Customers acme (USD, VAT 19 %, account ACCOUNT) and zenith (USD, account OTHER) of payer TDS; now = 2025-07-20. Freed
 * by place_close. */
place *place_open(void);
void place_close(place *p);
cm_instant at(const char *text);
void place_catalog(place *p, const char *yaml);

/*
 * A complete run of a new delivery (`name`) of TDS for June, switched. `charges`: rows "(customer, account, class,
 * product, quantity, sell)" of SQL, buy and payer = sell; reason '' (class suspended: 'NO_PRICE'). `final`: all lines
 * have invoice ids. Returns whether it became current.
 */
bool deliver(place *p, const char *name, bool final, const char *charges);
/* The same for another month, another payer. Provider discounts have buy = sell = 0. */
bool deliver_to(place *p, const char *payer, const char *month, const char *name, bool final, const char *charges);
bool deliver_in(place *p, const char *month, const char *name, bool final, const char *charges);
/* The id of the run of that delivery, 32 hex digits. Static. */
const char *run_of(const char *name);
void refresh(place *p);
/* First column of the first row as text; static. */
const char *ask(place *p, const char *sql);
#define EXPECT(sql, wanted)                                                                                            \
    do {                                                                                                               \
        const char *got_ = ask(p, sql);                                                                                \
        cr_assert_str_eq(got_, wanted, "%s\n  is %s, wanted %s", sql, got_, wanted);                                   \
    } while (0)

/* Changes the state of the document of (customer, kind); the error's code, "" if it was done. Static. */
const char *change(place *p, enum cm_document_change change, const char *customer, const char *override);
const char *id_of(place *p, const char *where); /* of the one document that fits; static */
const char *change_id(place *p, enum cm_document_change change, const char *id, const char *override);

#endif
