/*
 * Slices (rating.md section 8): what can influence the rating of one payer, cut out of a catalog. A slice is a catalog
 * of its own, canonical, so that equal parts of different versions are the same slice. It holds the payer's document,
 * the customers that have accounts under it (with these accounts alone, and with those that org-linker names), their
 * price books, the buy book, support plan groups and plans, line item types and support products. What only documents
 * say (addresses, taxes, names, custom charges, credits, rates) is left out. A key that this file does not know is
 * kept: better rated once too often than at an old price.
 *
 * Price books are shared by many payers and can be large: the text names each by its digest, and the book is stored
 * once. Cutting all slices takes time proportional to the catalog and the slices together. May use: base, links.
 */
#ifndef CM_CATALOG_SLICER_H
#define CM_CATALOG_SLICER_H

#include "billing/catalog/links/link_set.h"

#include <jansson.h>

typedef struct cm_slicer cm_slicer;
/* Borrows the canonical catalog. */
cm_slicer *cm_slicer_new(const json_t *canonical);
void cm_slicer_free(cm_slicer *slicer);

/* The slice's text (caller frees) and id; `links` is the payer's link set. NULL and "": the catalog does not have the
 * payer. */
char *cm_slicer_cut(cm_slicer *slicer, const char *payer, const cm_given_link *links, size_t count,
                    char ret_id[static CM_ID_HEX]);

/* A price book that a slice names: canonical text (owned by the slicer) and the digest that stands in the slice. */
typedef struct cm_slice_book {
    const char *id, *text;
} cm_slice_book;
/* Those named by the slices that were cut so far and not handed out yet; false: none is left. */
bool cm_slicer_next_book(cm_slicer *slicer, cm_slice_book *ret);

#endif
