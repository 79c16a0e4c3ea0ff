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

/* The same in the language of the view; as it is where there is no other word. */
const char *cm_say(const json_t *view, const char *english);

/* A view's line as its customer reads it: labels instead of ids (`labels`: those of the record), a word for people
 * instead of the charge class, `part`, the heading under which it stands, and `tiers`, the steps of its price. */
void cm_print_for_customer(const json_t *view, json_t *line, const json_t *labels);
/* Adds `unit_price` where the line's amount is its quantity times one number. */
void cm_print_unit_price(json_t *line, const json_t *document);
/* "up to 1000: 0.05 USD; above: 0.02 USD"; nothing if the line has no tiers. */
void cm_print_tiers(const json_t *view, const json_t *line, cm_buffer *ret);

#endif
