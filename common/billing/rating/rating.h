/*
 * Rating: a pure function of (line, catalog snapshot). rating.md sections 2, 3, 4.
 *
 * In two steps, so that the texts are examined once for many lines: a *decision* depends on the kind of a line and on
 * its time; it holds for an interval of time. Applying it to quantity and costs gives the four layers. Thread safe once
 * made.
 */
#ifndef CM_RATING_RATING_H
#define CM_RATING_RATING_H

#include "billing/catalog/model/catalog.h"
#include "billing/cur/line.h"

enum cm_reason {
    CM_REASON_NONE,
    CM_REASON_UNKNOWN_LINE_TYPE,
    CM_REASON_UNKNOWN_ACCOUNT,
    CM_REASON_BEFORE_BILLED_FROM,
    CM_REASON_NO_LIST_PRICE,
    CM_REASON_CURRENCY,
    CM_REASON_NO_PRICE,
};
const char *cm_reason_name(enum cm_reason reason);      /* "UNKNOWN_ACCOUNT"; "" for NONE */
const char *cm_reason_next_step(enum cm_reason reason); /* what to do, for people */

enum cm_price_op {
    CM_OP_ZERO,
    CM_OP_LAYER,       /* the layer unchanged */
    CM_OP_ADD_PERCENT, /* layer * (100 + percent) / 100 */
    CM_OP_PERCENT,     /* layer * percent / 100 (credit split) */
    CM_OP_RATE,        /* quantity * rate */
};

typedef struct cm_price_step {
    enum cm_price_op op;
    enum cm_layer layer;
    cm_decimal number; /* percent or rate */
} cm_price_step;

typedef struct cm_decision {
    cm_instant valid_from, valid_to; /* half-open interval of line times for which it holds */
    enum cm_class class;             /* CM_CLASS_SUSPENDED if reason is set */
    enum cm_class class_before;      /* the class found before suspension (CM_CLASS_SUSPENDED: none) */
    enum cm_reason reason;
    /* S8: lines with a quantity and no list price are suspended as NO_LIST_PRICE, even if `reason` comes from the sell
     * book (S4). */
    bool suspend_without_list_price;
    const cm_link *link;                 /* NULL: none */
    bool group_changes;                  /* the customer's support plan group of the account changes in the month */
    const cm_customer *customer;         /* NULL: none */
    const cm_rule *buy_rule, *sell_rule; /* NULL: no rule decided */
    cm_price_step buy, sell;
} cm_decision;

typedef struct cm_priced {
    cm_decimal payer, list, buy, sell;
    enum cm_reason reason; /* NONE, or why it is suspended: then class is "suspended", rule "", buy = sell = 0 */
} cm_priced;

/* One step from the line to its price, for `explain`; called with short sentences. */
typedef void (*cm_trace)(void *opaque, const char *step, const char *detail);

typedef struct cm_rater cm_rater;
/* `catalog` must outlive the rater. NOT_FOUND if the payer is not in it. */
CM_NODISCARD cm_rater *cm_rater_new(const cm_catalog *catalog, const char *payer, cm_period period, cm_error *err);
void cm_rater_free(cm_rater *rater);

/* The line's time: usage start clamped into the period (S2). */
cm_instant cm_rater_time(const cm_rater *rater, cm_instant usage_start);
/* `time` from cm_rater_time. `trace` may be NULL. */
void cm_decide(const cm_rater *rater, const cm_kind *kind, cm_instant time, cm_decision *ret, cm_trace trace,
               void *opaque);
/* False: a product does not fit (POISON, OVERFLOW). */
CM_NODISCARD bool cm_price(const cm_decision *decision, cm_decimal quantity, cm_decimal cost, cm_decimal list_cost,
                           cm_priced *ret, cm_error *err);

/* The shard that an account belongs to. */
uint32_t cm_shard_of(cm_slice account, uint32_t shards);
/* "rating 2; models tdsynnex 1, ingram 1; plans 1": changes whenever rating would give other figures. Part of the run
 * id. */
const char *cm_engine_version(void);

#endif
