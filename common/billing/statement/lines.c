#include "billing/statement/internal.h"

cm_draft_line *cm_draft_lines_add(cm_draft_lines *lines)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity ? lines->capacity * 2 : 256;
        lines->list = cm_realloc(lines->list, lines->capacity * sizeof *lines->list);
    }
    return &lines->list[lines->count++];
}
