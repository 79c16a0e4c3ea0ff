/* Canonical text -> struct cm_catalog: what the parse_*.c files share. Internal to catalog/. */
#ifndef CM_CATALOG_PARSE_H
#define CM_CATALOG_PARSE_H

#include "billing/catalog/model/names.h"
#include "billing/catalog/model/private.h"
#include "billing/catalog/parse/canonical.h"
#include "billing/catalog/parse/intern.h"
#include "billing/catalog/parse/json_reader.h"

typedef struct cm_parser {
    cm_arena *arena;
    cm_intern texts;
    cm_catalog *catalog;
    struct cm_catalog_private *private;
} cm_parser;

/* One kind each: reads the object {id: document}. On false the reader says why. */
bool cm_parse_resellers(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_payers(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_customers(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_books(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_groups(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_plans(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_fx_rates(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_custom_charges(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_credits(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_distributors(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_invoice_formats(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_line_types(cm_parser *parser, cm_json_reader *reader);
bool cm_parse_support_products(cm_parser *parser, cm_json_reader *reader);

/* Values. All of them fail the reader with a reason. */
bool cm_parse_text(cm_parser *parser, cm_json_reader *reader, const char **ret);
bool cm_parse_decimal(cm_json_reader *reader, cm_decimal *ret);
bool cm_parse_instant(cm_json_reader *reader, cm_instant *ret);
bool cm_parse_month(cm_json_reader *reader, cm_instant *ret); /* "2025-06": its start */
/* A text that is the id of an element of `list`; NULL: there is none. */
const void *cm_parse_reference(cm_parser *parser, cm_json_reader *reader, const void *list, size_t count, size_t size);
#define CM_PARSE_REFERENCE(parser, reader, list, count) cm_parse_reference(parser, reader, list, count, sizeof *(list))
/* Position of a text in `names` (NULL-ended). */
bool cm_parse_one_of(cm_json_reader *reader, const char *const *names, int *ret);
bool cm_parse_layer(cm_json_reader *reader, enum cm_layer *ret);
void cm_parse_label(cm_json_reader *reader); /* only documents read it, from the text (store/documents) */
/* {layer, classes}; `classes` of CM_CLASS_COUNT elements. */
bool cm_parse_base(cm_json_reader *reader, enum cm_layer *layer, bool *classes);
bool cm_parse_class(cm_json_reader *reader, enum cm_class *ret);
bool cm_parse_texts(cm_parser *parser, cm_json_reader *reader, const char ***ret, size_t *ret_count); /* + a NULL */

/* --- what is agreed with a customer (parse_terms.c) --- */
/* The value of a key of terms; `*named` (0 at first) collects which keys came. Other keys fail the reader. */
bool cm_parse_terms_key(cm_parser *parser, cm_json_reader *reader, cm_slice key, unsigned *named,
                        cm_customer_terms *terms);
/* The customer's terms: the keys of its document, and `later`, its list of `terms` (empty: none), which replace them
 * one after the other. On false `reader` says why. */
bool cm_parse_terms(cm_parser *parser, cm_slice later, const cm_customer_terms *first, cm_json_reader *reader,
                    cm_customer *customer);

/* Elements of the object or array that comes next; nothing is read. */
size_t cm_parse_count(const cm_json_reader *reader);
/* The next document's id, greater than the one before (`*last`, NULL at first), interned into *last. */
bool cm_parse_id(cm_parser *parser, cm_json_reader *reader, const char **last);

/* Reads one element, which is zeroed (but for a document's id). On false the reader says why. */
typedef bool cm_parse_element(cm_parser *parser, cm_json_reader *reader, void *element);
/*
 * The documents of a kind, {id: document}: elements of `size` bytes that begin with `const char *id`, in the arena.
 * Never NULL but where the reader failed.
 */
const void *cm_parse_documents(cm_parser *parser, cm_json_reader *reader, size_t size, cm_parse_element *parse,
                               size_t *ret_count);
/* The same for a list, [element]. */
const void *cm_parse_list(cm_parser *parser, cm_json_reader *reader, size_t size, cm_parse_element *parse,
                          size_t *ret_count);

#endif
