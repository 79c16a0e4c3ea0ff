/* What is wrong with a catalog: all of it is collected and told at once, each problem with its place in the files. */
#ifndef CM_CATALOG_PROBLEMS_H
#define CM_CATALOG_PROBLEMS_H

#include "base/base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* One thing that is wrong; all of them are reported at once. */
typedef struct cm_catalog_problem {
    char *file;       /* owned */
    int line, column; /* from 1 */
    bool warning;     /* does not stop an apply */
    char *text;       /* what, why, what next */
} cm_catalog_problem;

typedef struct cm_catalog_problems {
    cm_catalog_problem *list;
    size_t count, errors; /* errors: those that are no warnings */
} cm_catalog_problems;    /* {0}; sorted by file, line, column */
void cm_catalog_problems_free(cm_catalog_problems *problems);

/* Noting one. Only for those who check. */
void cm_problem_at(cm_catalog_problems *problems, const char *file, int line, int column, bool warning,
                   const char *format, ...) CM_PRINTF(6, 7);
void cm_problem_at_v(cm_catalog_problems *problems, const char *file, int line, int column, bool warning,
                     const char *format, va_list arguments) CM_PRINTF(6, 0);
/* By file, line, column, text; the same thing said twice is kept once (an alias is read at each of its places). */
void cm_problems_sort(cm_catalog_problems *problems);

#endif
