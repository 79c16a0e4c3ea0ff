/* Private to common/billing/print. */
#ifndef CM_PRINT_INTERNAL_H
#define CM_PRINT_INTERNAL_H

#include "billing/print/view.h"

/* The text of a key, "" if there is none. */
const char *cm_print_text(const json_t *object, const char *key);

/* Parts of a document, as their headings say. */
enum cm_part { CM_PART_USAGE, CM_PART_SUPPORT, CM_PART_CHARGES, CM_PART_CREDITS, CM_PARTS };
extern const char *const cm_part_titles[CM_PARTS];
enum cm_part cm_part_of_class(const char *class);

/* A view's line as its customer reads it: labels instead of ids (`labels`: those of the record), a word for people
 * instead of the charge class, and `part`, the heading under which it stands. */
void cm_print_for_customer(json_t *line, const json_t *labels);

#endif
