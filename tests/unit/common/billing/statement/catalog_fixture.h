/* A catalog from YAML text, through the same checks as `curmill catalog apply`. Other tests may use it: DEPS
 * test_catalog. */
#ifndef CM_TEST_CATALOG_FIXTURE_H
#define CM_TEST_CATALOG_FIXTURE_H

#include "billing/catalog/model/catalog.h"

#define TDS     "111122223333" /* payer, model tdsynnex, lane tdsynnex */
#define TDS2    "777788889999" /* a second one in the same lane */
#define ING     "444455556666" /* payer, model ingram, lane ingram */
#define ACCOUNT "000011112222"
#define OTHER   "000033334444"

/* Payers, reseller northwind, book `standard` (USD, payer unchanged) come before `yaml`. The program ends on errors. */
json_t *test_catalog_json(const char *yaml);
cm_catalog *test_catalog(const char *yaml);

#endif
