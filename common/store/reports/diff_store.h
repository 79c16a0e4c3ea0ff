/*
 * What changes from some runs to others, exactly, by customer and product (rating.md sections 5, 8; R02). Charges are
 * added up; the effect of the month's steps (tiers, support, custom charges, credits) is computed for both sides as for
 * drafts, without foreign exchange and rounding: with the catalog of each side's latest run, and with the current runs
 * of the lane's other payers on both sides. Provider discounts in arrears (N12) belong to the ledger and are in no
 * difference. Nothing is written.
 */
#ifndef CM_STORE_DIFF_STORE_H
#define CM_STORE_DIFF_STORE_H

#include "base/base/arena.h"
#include "billing/catalog/model/catalog.h"
#include "platform/postgres/postgres.h"

#define CM_RERATED_CHARGES "pg_temp.rerated_charge"

/* Two runs of one payer and period, both complete. */
typedef struct cm_diff_pair {
    const char *before, *after; /* ids; `after` NULL: its charges are in CM_RERATED_CHARGES under the id of `before` */
} cm_diff_pair;

typedef struct cm_diff_figures {
    cm_decimal buy, sell, suspended; /* suspended: layer payer of the suspended lines */
    int64_t suspended_lines;
} cm_diff_figures;

/* One row for each customer ("": the payer's own lines, and suspended ones without a customer) and product in a lane,
 * period and currency. Totals: by currency, the other texts are "". */
typedef struct cm_diff_row {
    const char *lane, *period, *customer, *product, *currency;
    cm_diff_figures before, after;
} cm_diff_row;

typedef struct cm_diff {
    cm_arena *arena;
    cm_diff_row *rows; /* rows that change, sorted by their texts */
    size_t count;
    cm_diff_row *totals; /* over all rows, including unchanged ones; sorted */
    size_t totals_count;
} cm_diff;
void cm_diff_free(cm_diff *diff);

/*
 * `edited`: the catalog of all runs after (with pairs whose `after` is NULL); NULL: the catalogs of the runs. On each
 * side, credits carry over from one compared month to the next by what that side would use. NOT_FOUND: no such run.
 * REFUSED: RUN_INCOMPLETE; RUNS_UNLIKE (two runs of a pair are not of one payer and period, or a payer and period comes
 * twice).
 */
CM_NODISCARD bool cm_store_diff(cm_pg *pg, const cm_diff_pair *pairs, size_t count, const cm_catalog *edited,
                                cm_diff *ret, cm_error *err);

/* Creates the empty table CM_RERATED_CHARGES for this session, or empties it if it exists. */
CM_NODISCARD bool cm_store_rerated_begin(cm_pg *pg, cm_error *err);

#endif
