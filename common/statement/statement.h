/*
 * Documents from charges: support, foreign exchange, rounding, tax (rating.md sections 5, 6; statements.md section 3;
 * S10-S12). Pure: no I/O, no clock. The stored document is canonical JSON without gates; gates are computed when a
 * document is looked at. May use: base, decimal, catalog.
 */
#ifndef CM_STATEMENT_STATEMENT_H
#define CM_STATEMENT_STATEMENT_H

#include "catalog/catalog.h"

#include <jansson.h>

/* One merged charge of a current run, reduced to what documents need. Suspended charges are not given. */
typedef struct cm_statement_charge {
    const char *payer, *customer, *account, *product, *usage_type, *unit, *currency;
    enum cm_class class;
    cm_decimal quantity, payer_amount, list_amount, buy_amount, sell_amount;
} cm_statement_charge;

typedef struct cm_statement {
    char id[CM_ID_HEX];
    const char *reseller, *customer, *currency; /* borrowed from the document */
    const char *source_currency;                /* of its charges; borrowed from them */
    const char *fx_id;                          /* the rate that was used, "" if none; borrowed from the catalog */
    cm_decimal subtotal, total;
    json_t *document; /* owned: keys of `statement show` except gates */
} cm_statement;

typedef struct cm_statements {
    cm_statement *list; /* sorted by reseller, customer, currency, source currency */
    size_t count;
} cm_statements;
void cm_statements_free(cm_statements *statements);

/*
 * All draft statements of a lane and period from the charges of its current runs. `charges` in any order. One document
 * for each (reseller, customer, source currency), so that a document has one rate: amounts of different currencies are
 * never added. A customer that the catalog no longer has is skipped and named in *ret_missing (may be NULL). False:
 * overflow (BUG class with the place).
 */
CM_NODISCARD bool cm_statements_build(const cm_catalog *catalog, const char *lane, cm_period period,
                                      const cm_statement_charge *charges, size_t count, cm_statements *ret,
                                      cm_buffer *ret_missing, cm_error *err);

/* The latest link of (payer, account, customer) that overlaps the period, or NULL: its group counts for the month
 * (S10). */
const cm_link *cm_link_of_month(const cm_catalog *catalog, const char *payer, const char *account, const char *customer,
                                cm_period period);

/* Largest remainder: `rounded`[i] are multiples of 10^-places that add up to `total`, which is half_away(sum of exact).
 */
CM_NODISCARD bool cm_round_lines_largest_remainder(const cm_decimal *exact, size_t count, int places,
                                                   cm_decimal *rounded, cm_decimal *ret_total);

#endif
