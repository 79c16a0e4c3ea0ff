/* Private to common/billing/rating. */
#ifndef CM_RATING_INTERNAL_H
#define CM_RATING_INTERNAL_H

#include "billing/rating/rating.h"

struct cm_rater {
    const cm_catalog *catalog;
    const cm_payer *payer;
    cm_period period;
    cm_instant start, end; /* of the period, half-open */
};

/* The decision in progress, passed from step to step. */
typedef struct cm_deciding {
    const cm_rater *rater;
    const cm_kind *kind;
    cm_instant time;
    cm_decision *out;
    const cm_customer_terms *terms; /* of out->customer in the period; NULL: no customer */
    cm_trace trace;
    void *opaque;
} cm_deciding;

void cm_trace_step(const cm_deciding *d, const char *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Section 2. False: no row fits. */
bool cm_classify(const cm_rater *rater, const cm_kind *kind, enum cm_class *ret);

/* Narrows the interval for which the decision holds. */
static inline void cm_valid_from(cm_decision *decision, cm_instant at)
{
    if (at > decision->valid_from)
        decision->valid_from = at;
}

static inline void cm_valid_to(cm_decision *decision, cm_instant at)
{
    if (at < decision->valid_to)
        decision->valid_to = at;
}

/* The rule of `book` (NULL: there is none) that prices the line, or NULL with a reason (CURRENCY, NO_PRICE). */
const cm_rule *cm_book_decide(const cm_deciding *d, const cm_price_book *book, enum cm_class class, const char *side,
                              enum cm_reason *ret_reason);

#endif
