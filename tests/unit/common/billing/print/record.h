/* The record that the tests of outputs print: tests/unit/common/billing/print/fixtures/issued.json. */
#ifndef CM_TEST_PRINT_RECORD_H
#define CM_TEST_PRINT_RECORD_H

#include "billing/print/view.h"

/* An issued statement: 10.00 + 2.01 + 1.20 + 5.00 - 3.00 = 15.21 EUR, VAT 19 % = 2.89, total 18.10. */
json_t *test_record(void);
/* The same, not issued: no number, `state`. */
json_t *test_record_in(const char *state);
/* A view of it, which must succeed. Takes over the record. */
json_t *test_view(json_t *record, enum cm_view view);
const char *test_text(const json_t *object, const char *key);

#endif
