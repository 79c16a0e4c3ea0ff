/* A month from end to end, in memory: YAML catalog, lines, charges, statements. */
#ifndef CM_TEST_RULES_MONTH_H
#define CM_TEST_RULES_MONTH_H

#include "billing/statement/statement.h"
#include "support.h"

typedef struct month {
    cm_catalog *catalog;
    cm_statements statements;
} month;

/* Lines of one payer, NULL-type ended by `count`; lane is the payer's. The test fails where a line is suspended. */
month close_month(const char *yaml, const char *payer, const test_line *lines, size_t count);
void month_free(month *m);

/* Member of document `i` as text ("null" for null). */
const char *member(const month *m, size_t i, const char *key);
/* amount_exact of the document's line with this product and class; "" if there is none. */
const char *exact_of(const month *m, size_t i, const char *product, const char *class);

/* A customer `acme` with ACCOUNT under `payer`, whose link names support plan group `g` (all of its YAML; NULL: none).
 */
char *with_group(const char *payer, const char *group);
/* Fails unless the catalog is refused with an error that holds `words`. */
void expect_refused(const char *yaml, const char *words);
/* Fails unless the catalog is accepted with a warning that holds `words`. */
void expect_warned(const char *yaml, const char *words);

#endif
