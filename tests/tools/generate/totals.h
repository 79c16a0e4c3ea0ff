/*
 * Exact sums of what was written, for --totals: per line item type, account and currency, per chunk, and over all.
 * `list` is rating.md's list layer: publicOnDemandCost, or the cost where that is empty or zero.
 */
#ifndef GENERATE_TOTALS_H
#define GENERATE_TOTALS_H

#include "lines.h"

#include <jansson.h>

struct sums {
    uint64_t lines;
    sum10 quantity, payer, list, public_on_demand;
};

struct totals {
    const struct world *world;
    struct sums *group; /* [type][account][currency]; owned */
};

struct chunk_totals {
    struct sums currency[CURRENCY_COUNT];
};

void totals_open(struct totals *t, const struct world *w);
void totals_close(struct totals *t);
void totals_add(struct totals *t, struct chunk_totals *chunk, const struct line *l);

/* New arrays for the totals file; the caller owns them. */
json_t *totals_groups(const struct totals *t);
json_t *totals_by_type(const struct totals *t);
json_t *totals_grand(const struct totals *t);
json_t *totals_chunk(const struct chunk_totals *chunk);

#endif
