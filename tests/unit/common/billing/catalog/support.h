/* Catalog folders that a test writes itself. */
#ifndef CM_TEST_CATALOG_SUPPORT_H
#define CM_TEST_CATALOG_SUPPORT_H

#include "billing/catalog/model/catalog.h"

/* A fresh folder; `folder_remove` deletes it with its files. */
char *folder_new(void);
void folder_write(const char *folder, const char *name, const char *text);
void folder_remove(char *folder);

/* Problems of a catalog of the base documents and `text` (file "t.yaml"), one a line: "t.yaml:3:5: error: ..." */
char *problems_of(const char *text);
/* The same without the base documents. */
char *problems_of_alone(const char *text);
/* Fails the test unless the problems of base + text are exactly one line that begins with `place` and holds `words`. */
void expect_one(const char *text, const char *place, const char *words);
/* Canonical JSON of base + text; fails the test on any error. */
json_t *canonical_of_text(const char *text);
cm_catalog *catalog_of_text(const char *text);
/* The valid documents that most tests build upon: payers, reseller, book, group. */
extern const char base_documents[];

#endif
