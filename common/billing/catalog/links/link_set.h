/*
 * Links that org-linker gives beside those of the catalog (rating.md section 3, accounts-and-taxes.md section 1). The
 * effective links of a payer are a *link set*: an immutable canonical text whose digest is its id, "" for none. A run
 * names the set that it is rated with, so the bytes of a rating depend on (delivery, catalog, link set) alone. May use:
 * base, catalog.
 */
#ifndef CM_CATALOG_LINK_SET_H
#define CM_CATALOG_LINK_SET_H

#include "base/base/arena.h"
#include "billing/catalog/model/catalog.h"

/* What org-linker says: all texts are never NULL. */
typedef struct cm_given_link {
    const char *payer, *account, *customer;
    const char *group;         /* support plan group, "": none */
    const char *declared_plan; /* "": none */
    cm_instant from, to;       /* half-open; to = INT64_MAX: open */
} cm_given_link;

/* Canonical text (caller frees) and id of a payer's links, in any order; it sorts them. No links: "" and "". */
char *cm_link_set_text(cm_given_link *links, size_t count, char ret_id[static CM_ID_HEX]);
/* The links of a canonical text, appended to *links, everything in `arena`. FATAL (LINK_SET_DAMAGED). */
CM_NODISCARD bool cm_link_set_parse(const char *text, cm_arena *arena, cm_given_link **links, size_t *count,
                                    cm_error *err);

/*
 * The catalog with given links beside its own: a catalog of its own (cm_catalog_free) that borrows everything else from
 * `base`, which must outlive it. Catalog entries are the desired state: of a given link only the time counts that no
 * link of the catalog holds; among given links the one that begins first. What that leaves out or cannot use is told in
 * `link_problems`. `payer` not NULL: `links` of the result are those of this payer alone (for rating its runs).
 */
cm_catalog *cm_catalog_with_links(const cm_catalog *base, const char *payer, const cm_given_link *links, size_t count);
/* The same; `base` becomes part of the result and is freed with it. */
cm_catalog *cm_catalog_take_links(cm_catalog *base, const cm_given_link *links, size_t count);

/* The merge by itself, for some accounts: `own` are links of the catalog, sorted by payer, account, from. *ret and its
 * texts live in `arena`, or in `base`. */
size_t cm_links_merge(const cm_catalog *base, const cm_link *own, size_t own_count, const cm_given_link *links,
                      size_t count, cm_arena *arena, const cm_link **ret);

/* Accounts of one payer whose links differ between two sets, as far as lines up to the end of time from `since` on can
 * tell: sorted, each once. Texts are those of the links. *ret in `arena`. */
size_t cm_link_sets_differ(const cm_given_link *a, size_t a_count, const cm_given_link *b, size_t b_count,
                           cm_instant since, cm_arena *arena, const char *const **ret);

#endif
