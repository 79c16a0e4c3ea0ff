/*
 * Documents from charges: tiers, support, custom charges, reseller credits, foreign exchange, rounding, tax (rating.md
 * sections 5, 6; statements.md sections 2, 3; S10-S12; N18, I01-I03). Pure: no I/O, no clock. The stored document is
 * canonical JSON without gates; gates are computed when a document is read.
 */
#ifndef CM_STATEMENT_STATEMENT_H
#define CM_STATEMENT_STATEMENT_H

#include "billing/catalog/model/catalog.h"

#include <jansson.h>

/* One merged charge of a current run, reduced to what documents need. Suspended charges are not given. */
typedef struct cm_statement_charge {
    const char *payer, *customer, *account, *product, *usage_type, *unit, *currency;
    enum cm_class class;
    cm_decimal quantity, payer_amount, list_amount, buy_amount, sell_amount;
    const char
        *rule; /* id of the sell rule that applied, "" or NULL: none. Charges of different rules must not be merged. */
    const char *link_from; /* since when the link of its lines holds, where the account's support plan group changes in
                            * the month; "" or NULL otherwise */
} cm_statement_charge;

/* How much of a reseller credit documents used, in the credit's currency. */
typedef struct cm_credit_use {
    const char *credit; /* id */
    cm_decimal amount;
} cm_credit_use;

/* A provider discount of an earlier month that the distributor credits in the document's month (N12). Only in the
 * reseller's own view. */
typedef struct cm_discount {
    const char *customer, *account, *product, *currency;
    const char *earned; /* "2025-05", the month whose charges earned it */
    cm_decimal amount;  /* positive when owed to the reseller */
} cm_discount;

typedef struct cm_statement {
    char id[CM_ID_HEX];
    const char *reseller, *currency; /* borrowed from the document */
    const char *customer;            /* the same; "" if the document is about several (semi, full) */
    const char *source_currency;     /* of its charges; borrowed from them */
    const char *fx_id;               /* the rate that was used, "" if none; borrowed from the catalog */
    cm_decimal subtotal, total;
    cm_credit_use *credits; /* owned; the credits that it uses, whose ids are borrowed from the catalog */
    size_t credit_count;
    json_t *margin;   /* owned; the reseller's own view, NULL unless requested. Never for customers (P13) */
    json_t *rows;     /* owned; what the month adds to the lines of deliveries, NULL unless requested: see with_rows */
    json_t *document; /* owned: keys of `statement show` except gates */
} cm_statement;

typedef struct cm_statements {
    cm_statement *list; /* sorted by reseller, customer, currency, source currency */
    size_t count;
} cm_statements;
void cm_statements_free(cm_statements *statements);

/* What documents are made from. Zeroed: nothing. */
typedef struct cm_statement_input {
    const cm_catalog *catalog;
    const char *lane;
    cm_period period;
    const cm_statement_charge
        *charges; /* in any order; all of a customer's, and all of a reseller's where it has one document for them */
    size_t count;
    const cm_credit_use *used; /* by documents of earlier periods; a credit may come several times */
    size_t used_count;
    bool with_margin;
    const cm_discount *discounts; /* for the margin; of customers or currencies without a document: not used */
    size_t discount_count;
    /* Fills `rows` of the documents: array of {"customer", "step" (tiers, support, custom_charge, reseller_credit),
     * "account", "product", "usage_type", "unit", "class", "quantity", "amount"}, the amount exact in the charges'
     * currency. Together with the lines' own `sell` they are everything on a document. */
    bool with_rows;
} cm_statement_input;

/*
 * All draft statements of a lane and period from the charges of its current runs. By the reseller's consolidation (N18,
 * I01-I03) one document for each (customer, source currency), or for each (reseller, source currency, invoice
 * currency), with the customers' lines one after the other (semi) or merged without customer and account (full). So a
 * document has one rate, and amounts of different currencies are never added. The exact amounts add up to the same sum,
 * credits are the same, in all three. A customer that the catalog no longer has is skipped and named in *ret_missing
 * (may be NULL). False: overflow (BUG class with the place).
 */
CM_NODISCARD bool cm_statements_build_month(const cm_statement_input *input, cm_statements *ret, cm_buffer *ret_missing,
                                            cm_error *err);
/* The same, for catalogs without credits or if no earlier document used any. */
CM_NODISCARD bool cm_statements_build(const cm_catalog *catalog, const char *lane, cm_period period,
                                      const cm_statement_charge *charges, size_t count, cm_statements *ret,
                                      cm_buffer *ret_missing, cm_error *err);

/*
 * How the steps of the month (tiers, support, custom charges, credits) change the sum of a customer's charges of a
 * product, in the charges' currency: before foreign exchange and rounding. Several for one product: they add up.
 */
typedef struct cm_month_change {
    const char *customer, *product, *currency; /* valid during the call */
    cm_decimal buy, sell;
} cm_month_change;

/* False: a sum does not fit. */
typedef struct cm_month_visitor {
    bool (*change)(void *opaque, const cm_month_change *change);
    bool (*credit)(void *opaque, const cm_credit_use *use);
    void *opaque;
} cm_month_visitor;

/* The steps of a build without its documents. Customers that are not in the catalog are left out. */
CM_NODISCARD bool cm_statements_visit_month(const cm_statement_input *input, const cm_month_visitor *visitor,
                                            cm_error *err);

/* The custom charge is due in the period on documents of the lane. */
bool cm_custom_charge_is_due(const cm_custom_charge *charge, const char *lane, cm_period period);
/*
 * A zero charge that causes a document for a customer without charges of its own, in a fixed custom charge's currency.
 * Texts are borrowed from `charge`.
 */
cm_statement_charge cm_custom_charge_presence(const cm_custom_charge *charge);

/* The latest link of (payer, account, customer) that overlaps the period, or NULL (S10). */
const cm_link *cm_link_of_month(const cm_catalog *catalog, const char *payer, const char *account, const char *customer,
                                cm_period period);
/* The support plan group of charges: that of the link that holds since `link_from` (see cm_statement_charge), otherwise
 * of the latest one; NULL: none. */
const cm_support_group *cm_group_of_charges(const cm_catalog *catalog, const char *payer, const char *account,
                                            const char *customer, const char *link_from, cm_period period);

/* Largest remainder: `rounded`[i] are multiples of 10^-places that add up to `total`, which is half_away(sum of exact).
 */
CM_NODISCARD bool cm_round_lines_largest_remainder(const cm_decimal *exact, size_t count, int places,
                                                   cm_decimal *rounded, cm_decimal *ret_total);
/* The same to a given multiple of 10^-places, which may be units away from the sum of `exact`. False: overflow; no
 * lines and a total that is not 0; the total is not such a multiple. */
CM_NODISCARD bool cm_round_lines_to_total(const cm_decimal *exact, size_t count, int places, cm_decimal total,
                                          cm_decimal *rounded);

#endif
