/* Collects what is wrong with a catalog. Internal to catalog/; the type is public (catalog.h). */
#ifndef CM_CATALOG_PROBLEMS_H
#define CM_CATALOG_PROBLEMS_H

#include "billing/catalog/model/catalog.h"

void cm_problem_at(cm_catalog_problems *problems, const char *file, int line, int column, bool warning,
                   const char *format, ...) CM_PRINTF(6, 7);
void cm_problem_at_v(cm_catalog_problems *problems, const char *file, int line, int column, bool warning,
                     const char *format, va_list arguments) CM_PRINTF(6, 0);
/* By file, line, column, text; the same thing said twice is kept once (an alias is read at each of its places). */
void cm_problems_sort(cm_catalog_problems *problems);

#endif
