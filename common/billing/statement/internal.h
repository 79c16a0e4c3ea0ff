/* Private to common/billing/statement. */
#ifndef CM_STATEMENT_INTERNAL_H
#define CM_STATEMENT_INTERNAL_H

#include "billing/statement/statement.h"

/* What created a line (rating.md section 5), in the order of a customer's lines. */
enum cm_line_step {
    CM_STEP_CHARGE,
    CM_STEP_SUPPORT,
    CM_STEP_CUSTOM,
    CM_STEP_CREDIT,
    CM_STEP_ARREARS /* no line: only in the margin */
};

/* A line on its way to a document. Texts are borrowed from charges and catalog. */
typedef struct cm_draft_line {
    const char *customer, *payer, *account, *product, *usage_type, *unit, *class;
    enum cm_line_step step;
    cm_decimal quantity;
    cm_decimal source_exact; /* in the charges' currency */
    cm_decimal source_buy;   /* support rows: what the reseller pays for it */
    cm_decimal exact;        /* in the document's currency */
    cm_decimal rounded;
} cm_draft_line;

typedef struct cm_draft_lines {
    cm_draft_line *list; /* malloc */
    size_t count, capacity;
} cm_draft_lines;
cm_draft_line *cm_draft_lines_add(cm_draft_lines *lines);

/* Shared by the steps of a build. */
typedef struct cm_building {
    const cm_catalog *catalog;
    const char *lane;
    cm_period period;
    const cm_credit_use *used;
    size_t used_count;
    bool with_margin;
    const cm_discount *discounts;
    size_t discount_count;
    const cm_month_visitor *visitor; /* NULL: none */
    bool with_rows;
} cm_building;

typedef struct cm_margin cm_margin;

/* A customer's part of a document: from all of its charges in one currency to the converted lines. */
typedef struct cm_section {
    const cm_customer *customer;
    const cm_customer_terms *terms; /* of the period */
    const char *source;             /* currency of its charges */
    const cm_fx_rate *fx;           /* the rate that was used; NULL: none was needed, or there is none */
    cm_draft_lines lines;           /* owned: sorted, converted, not yet rounded */
    cm_credit_use *credits;
    size_t credit_count;
    cm_margin *margin;                /* owned; NULL unless requested */
    const cm_fx_rate *distributor_fx; /* R08; NULL: none */
    json_t *rows;                     /* owned; NULL unless requested */
} cm_section;

cm_decimal cm_charge_layer(const cm_statement_charge *charge, enum cm_layer layer);
const char *cm_charge_link_from(const cm_statement_charge *charge); /* "" for NULL */

/* A customer's charges in one currency, changed by the tier step. */
typedef struct cm_work {
    cm_statement_charge *list; /* malloc */
    size_t count, capacity;
} cm_work;
cm_statement_charge *cm_work_add(cm_work *work);

/*
 * Tiers (rating.md sections 4, 5): the charges that a tiers rule decided lose quantity and sell; the price of the
 * month's quantity is added as separate charges, by account, product, unit and class, with the rule's id as usage type.
 */
CM_NODISCARD bool cm_tiers_apply(const cm_building *building, const cm_customer *customer, cm_work *work,
                                 cm_error *err);

/* Section 6: adds a support row for each payer, account and group; `charges` are all of the customer's charges in the
 * period in one currency, by payer and account (S10). */
CM_NODISCARD bool cm_support_add_rows(const cm_building *building, const cm_customer *customer,
                                      const cm_statement_charge *const *charges, size_t count, cm_draft_lines *lines,
                                      cm_error *err);

/* Adds custom charges that are due, after charges and support are in the lines. */
CM_NODISCARD bool cm_custom_add_rows(const cm_building *building, const cm_section *section, const cm_work *work,
                                     cm_draft_lines *lines, cm_error *err);
/* Reseller credits against what the lines add up to: never below zero. Fills section->credits. */
CM_NODISCARD bool cm_credit_add_rows(const cm_building *building, cm_section *section, cm_error *err);

/* Costs of the charges and the support lines (before lines are merged), revenue of the final lines. False: overflow. */
CM_NODISCARD bool cm_margin_begin(const cm_building *building, cm_section *section, const cm_work *work);
CM_NODISCARD bool cm_margin_finish(const cm_building *building, cm_section *section);
void cm_margin_free(cm_margin *margin);
/* What the tier step added after the first `charges` of `work`; what later steps added to the lines. */
void cm_rows_add_tiers(cm_section *section, const cm_work *work, size_t charges);
void cm_rows_add_lines(cm_section *section);

/* NULL: overflow. */
json_t *cm_margin_json(const cm_section *sections, size_t count, const char *id, const char *currency);

/* One document from its sections: one, or those of all customers of a reseller (semi, full), by customer. Takes over
 * their credits. */
CM_NODISCARD bool cm_document_make(const cm_building *building, cm_section *sections, size_t count, cm_statement *ret,
                                   cm_error *err);

#endif
