/* Helpers to create charges and to read documents. */
#ifndef CM_TEST_DOCUMENTS_H
#define CM_TEST_DOCUMENTS_H

#include "billing/statement/statement.h"
#include "catalog_fixture.h"

/* A customer document with the two usual accounts; `fields` are lines of YAML for it, `group` names a support plan
 * group or is NULL. */
char *customer(const char *id, const char *fields, const char *payer, const char *account, const char *group);
cm_decimal amount(const char *text);
/* A charge of ACCOUNT under TDS for `acme`, all layers `sell`. */
cm_statement_charge charge(enum cm_class class, const char *product, const char *sell);

typedef struct built {
    cm_catalog *catalog;
    cm_statements statements;
    cm_buffer missing;
} built;
/* Lane tdsynnex, period 2025-06 unless said otherwise. */
built build(const char *yaml, const cm_statement_charge *charges, size_t count);
built build_in(const char *yaml, const char *lane, const char *period, const cm_statement_charge *charges,
               size_t count);
void built_free(built *b);

/* Text of a member of document `i`, "null" for null. */
const char *text(const built *b, size_t i, const char *key);
const json_t *line(const built *b, size_t i, size_t n);
const char *line_text(const built *b, size_t i, size_t n, const char *key);
size_t lines(const built *b, size_t i);
/* amount_exact of support rows (product AWSSupport) of document `i`, joined by spaces. */
const char *support_rows(const built *b, size_t i);
/* "product/class=amount" of all lines, joined by spaces. */
const char *all_lines(const built *b, size_t i);

#endif
