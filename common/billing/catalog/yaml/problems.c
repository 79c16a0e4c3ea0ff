#include "billing/catalog/yaml/problems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cm_problem_at_v(cm_catalog_problems *problems, const char *file, int line, int column, bool warning,
                     const char *format, va_list arguments)
{
    /* Room for 2^n of them. */
    if ((problems->count & (problems->count - 1)) == 0)
        problems->list =
            cm_realloc(problems->list, (problems->count ? problems->count * 2 : 1) * sizeof *problems->list);
    char text[CM_ERROR_TEXT_MAX];
    vsnprintf(text, sizeof text, format, arguments);
    problems->list[problems->count++] = (cm_catalog_problem){cm_strdup(file), line, column, warning, cm_strdup(text)};
    problems->errors += !warning;
}

void cm_problem_at(cm_catalog_problems *problems, const char *file, int line, int column, bool warning,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cm_problem_at_v(problems, file, line, column, warning, format, arguments);
    va_end(arguments);
}

static int by_place(const void *a, const void *b)
{
    const cm_catalog_problem *x = a, *y = b;
    int order = strcmp(x->file, y->file);
    if (!order)
        order = (x->line > y->line) - (x->line < y->line);
    if (!order)
        order = (x->column > y->column) - (x->column < y->column);
    return order ? order : strcmp(x->text, y->text);
}

void cm_problems_sort(cm_catalog_problems *problems)
{
    size_t kept = 0;
    if (problems->count)
        qsort(problems->list, problems->count, sizeof *problems->list, by_place);
    problems->errors = 0;
    for (size_t i = 0; i < problems->count; i++) {
        if (kept && by_place(&problems->list[kept - 1], &problems->list[i]) == 0) {
            free(problems->list[i].file);
            free(problems->list[i].text);
            continue;
        }
        problems->list[kept++] = problems->list[i];
        problems->errors += !problems->list[i].warning;
    }
    problems->count = kept;
}

void cm_catalog_problems_free(cm_catalog_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->list[i].file);
        free(problems->list[i].text);
    }
    free(problems->list);
    *problems = (cm_catalog_problems){0};
}
