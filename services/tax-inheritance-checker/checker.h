/*
 * The core of tax-inheritance-checker: payers of a lane -> what AWS shows -> verdicts. No Kafka, no health server and,
 * in tests, no AWS in here: reading is a pair of functions.
 *
 *   checker.c     which payers are due, one look at a payer
 *   orders.c      what operators ask for; the only thing that changes something in AWS
 *   aws_reader.c  the reader that asks AWS
 */
#ifndef CM_CHECKER_H
#define CM_CHECKER_H

#include "base/time/time.h"
#include "platform/aws/access/sessions.h"
#include "store/catalog/catalog_store.h"
#include "store/tax/tax_store.h"

#define CM_CHECKER_NAME "tax-inheritance-checker"

typedef struct cm_tax_reader {
    /*
     * Everything in `arena`. Class RETRY, code not DENIED: AWS cannot say now (throttled, away). Everything else: it
     * will not say until a person fixes it, and the text names what (a role, a permission).
     */
    bool (*read)(void *opaque, const cm_payer *payer, cm_arena *arena, cm_tax_seen *ret, cm_error *err);
    /* PutTaxInheritance OptIn, on credentials that are proven to be the payer's. */
    bool (*switch_on)(void *opaque, const cm_payer *payer, cm_error *err);
    void *opaque;
} cm_tax_reader;

typedef struct cm_tax_counts {
    int64_t looks, looks_failed, changes, orders, switched_on;
} cm_tax_counts;

typedef struct cm_tax_checker {
    cm_pg *pg;
    const cm_clock *clock;
    const char *lane;
    cm_catalog_cache *catalogs;
    cm_tax_reader reader;
    int64_t interval, retry_after, max_age; /* microseconds: between looks, after one that failed, of an answer */
    void (*turned)(void *opaque);   /* called before each look, so that the process is seen to live; may be NULL */
    bool (*stopping)(void *opaque); /* true: look at no further payer; may be NULL */
    void *opaque;
    cm_tax_counts counts;
} cm_tax_checker;

cm_instant cm_checker_now(const cm_tax_checker *checker);

/*
 * Looks at every payer of the lane that is due: never seen, compared with other data than before (profile, access,
 * linked accounts), its interval is over, or its last look failed a while ago. No catalog in force: nothing to do. A
 * payer's trouble does not end the round.
 */
CM_NODISCARD bool cm_checker_round(cm_tax_checker *checker, cm_error *err);

/* Answers all orders that wait. */
CM_NODISCARD bool cm_checker_orders(cm_tax_checker *checker, cm_error *err);

/* A look at one payer: read, judge, store. *ret_seen NULL: nothing was read; then *why says why. All in `arena`. */
typedef struct cm_look {
    const cm_payer *payer;
    const cm_distributor *distributor;
    const cm_tax_seen *seen;
    cm_tax_findings findings;
    cm_error why;
    int changed;
} cm_look;
CM_NODISCARD bool cm_checker_look(cm_tax_checker *checker, cm_look *look, const char *basis, cm_arena *arena,
                                  cm_error *err);
/* What the payer is compared with, with its linked accounts. */
CM_NODISCARD bool cm_checker_basis(cm_tax_checker *checker, const cm_catalog *catalog, const cm_payer *payer,
                                   char ret[static CM_ID_HEX], cm_error *err);
/* The catalog in force; *ret NULL: there is none yet. */
CM_NODISCARD bool cm_checker_catalog(cm_tax_checker *checker, const cm_catalog **ret, cm_error *err);

/* ---- AWS ---------------------------------------------------------------------------------------------------- */

typedef struct cm_tax_aws {
    cm_aws_sessions *sessions;
    const cm_clock *clock;
    int64_t calls; /* made so far */
} cm_tax_aws;
cm_tax_reader cm_tax_aws_reader(cm_tax_aws *aws);

#endif
