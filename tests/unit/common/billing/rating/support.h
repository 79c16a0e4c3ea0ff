/* Catalogs and lines for tests of rating: YAML in a folder of its own, read the way `curmill catalog apply` reads it.
 */
#ifndef CM_TEST_RATING_SUPPORT_H
#define CM_TEST_RATING_SUPPORT_H

#include "billing/rating/rating.h"

#define TDS     "111122223333" /* tdsynnex, no buy book */
#define TDS_BUY "111122224444" /* tdsynnex, buy book `buy` */
#define ING     "444455556666" /* ingram, no buy book */
#define ING_BUY "444455557777" /* ingram, buy book `buy` */
#define ACCOUNT "000011112222"
#define OTHER   "000011113333"
#define NOBODYS "000011119999"

/* Reseller, the four payers, book `buy` (payer - 10 %), book `standard` (rule `rest`: list + 10 %). */
extern const char base_documents[];
/* base_documents and `text`. The test fails if the catalog is refused. Caller: cm_catalog_free. */
cm_catalog *catalog_of(const char *text);
/* The problems of base_documents and `text`, one a line; "" if there are none. Caller: free. */
char *problems_of(const char *text);
/* Customer `id` with `settings` (flow YAML, may be "") and one account from 2025-01-01 under each of the payers
 * (NULL-ended). */
char *customer_text(const char *id, const char *settings, const char *account, ...) __attribute__((sentinel));

/* NULL takes the default in brackets. */
typedef struct test_line {
    const char *type;       /* [Usage] */
    const char *account;    /* [ACCOUNT] */
    const char *product;    /* [AmazonEC2] */
    const char *usage_type; /* [BoxUsage:t3.micro] */
    const char *operation;  /* [RunInstances] */
    const char *region;     /* [eu-west-1] */
    const char *unit;       /* [Hrs] */
    const char *sku;        /* [SKU1] */
    const char *entity;     /* [AWS] */
    const char *currency;   /* [USD] */
    uint32_t flags;
    const char *start;    /* [2025-06-10T00:00:00Z] */
    const char *quantity; /* [3] */
    const char *cost;     /* [10] */
    const char *list;     /* [20] */
} test_line;

typedef struct test_result {
    cm_decision decision;
    const char *class, *reason, *customer, *rule, *buy_rule;
    char payer[CM_DECIMAL_TEXT], list[CM_DECIMAL_TEXT], buy[CM_DECIMAL_TEXT], sell[CM_DECIMAL_TEXT];
} test_result;

cm_kind kind_of_line(const test_line *line);
cm_decimal decimal_of(const char *text);
cm_instant instant_of(const char *text);
extern const cm_period june; /* 2025-06 */

/* The line rated under `payer` in 2025-06: class, reason, customer and rule as a charge shows them. */
test_result rate(const cm_catalog *catalog, const char *payer, test_line line);
#define RATE(catalog, payer, ...) rate(catalog, payer, (test_line){__VA_ARGS__})
/* "class rule buy sell" or "REASON customer" (rule and customer "-" where empty) */
char *short_of(const test_result *result, char into[static 256]);

/* Fails unless the line's short form is `expected`. */
#define EXPECT(catalog, payer, expected, ...)                                                                          \
    do {                                                                                                               \
        char expect_text_[256];                                                                                        \
        test_result expect_result_ = rate(catalog, payer, (test_line){__VA_ARGS__});                                   \
        cr_assert_str_eq(short_of(&expect_result_, expect_text_), expected,                                            \
                         "(" #__VA_ARGS__ ")\n  is       %s\n  expected %s", expect_text_, expected);                  \
    } while (0)

/* --- random catalogs and lines ----------------------------------------------------------------------------------- */

typedef struct random_state {
    uint64_t state;
} random_state;
uint64_t random_next(random_state *random);
uint32_t random_below(random_state *random, uint32_t bound);

/* Accounts that come and go, books of several versions in two currencies. Payers: the four of the base. */
cm_catalog *random_catalog(uint64_t seed);
/* A kind over the accounts and products of random_catalog; the texts are static. */
cm_kind random_kind(random_state *random);
/* The account at `index`, NULL after the last. */
const char *random_account(size_t index);
/* A time near a boundary of the catalog, or anywhere around 2025-06. */
cm_instant random_time(random_state *random, const cm_catalog *catalog);
/* All instants at which something starts or ends in the catalog or the period; *ret is malloc'ed. */
size_t boundaries_of(const cm_catalog *catalog, cm_instant **ret);

#endif
