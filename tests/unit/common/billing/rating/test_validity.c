/*
 * A decision holds for [valid_from, valid_to): deciding again at any time inside must give the same decision, otherwise
 * a batch that reuses it would price lines wrongly. Checked on random catalogs, at every boundary and one microsecond
 * to each side.
 */
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static bool same_step(const cm_price_step *a, const cm_price_step *b)
{
    return a->op == b->op && (a->op == CM_OP_ZERO || a->op == CM_OP_RATE || a->layer == b->layer) &&
           cm_decimal_equal(a->number, b->number);
}

static bool same_decision(const cm_decision *a, const cm_decision *b)
{
    return a->class == b->class && a->class_before == b->class_before && a->reason == b->reason &&
           a->suspend_without_list_price == b->suspend_without_list_price && a->link == b->link &&
           a->group_changes == b->group_changes && a->customer == b->customer && a->buy_rule == b->buy_rule &&
           a->sell_rule == b->sell_rule && same_step(&a->buy, &b->buy) && same_step(&a->sell, &b->sell);
}

static int by_instant(const void *a, const void *b)
{
    const cm_instant *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Every boundary -1, 0, +1, and some times between, all within the period (times of lines are). */
static size_t times_of(const cm_catalog *catalog, const cm_rater *rater, random_state *random, cm_instant **ret)
{
    cm_instant *boundary;
    size_t count = boundaries_of(catalog, &boundary), used = 0;
    cm_instant *times = cm_alloc((3 * count + 20) * sizeof *times);
    for (size_t i = 0; i < count; i++)
        for (int d = -1; d <= 1; d++)
            times[used++] = cm_rater_time(rater, boundary[i] + d);
    for (int i = 0; i < 20; i++)
        times[used++] = cm_rater_time(rater, random_time(random, catalog));
    free(boundary);
    qsort(times, used, sizeof *times, by_instant);
    *ret = times;
    return used;
}

static size_t changes; /* decisions that ended before the period: the test must see boundaries to be worth anything */

static void check_kind(const cm_rater *rater, const cm_kind *kind, const cm_instant *times, size_t count,
                       cm_decision *at)
{
    for (size_t i = 0; i < count; i++) {
        cm_decide(rater, kind, times[i], &at[i], NULL, NULL);
        cr_assert(at[i].valid_from <= times[i] && times[i] < at[i].valid_to, "a decision must hold at its own time");
        changes += at[i].valid_to <= times[count - 1];
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i; j-- > 0 && times[j] >= at[i].valid_from;)
            cr_assert(same_decision(&at[i], &at[j]), "%.*s: %ld holds from %ld, but at %ld it is another",
                      CM_SLICE(kind->usage_account), times[i], at[i].valid_from, times[j]);
        for (size_t j = i + 1; j < count && times[j] < at[i].valid_to; j++)
            cr_assert(same_decision(&at[i], &at[j]), "%.*s: %ld holds to %ld, but at %ld it is another",
                      CM_SLICE(kind->usage_account), times[i], at[i].valid_to, times[j]);
    }
}

Test(validity, a_decision_holds_in_all_of_its_interval)
{
    static const char *const payers[] = {TDS, TDS_BUY, ING, ING_BUY};
    for (uint64_t seed = 1; seed <= 8; seed++) {
        cm_catalog *catalog = random_catalog(seed);
        random_state random = {seed * 1000};
        for (int p = 0; p < 4; p++) {
            cm_error err = {0};
            cm_rater *rater = cm_rater_new(catalog, payers[p], june, &err);
            cr_assert(rater, "%s", err.text);
            cm_instant *times;
            size_t count = times_of(catalog, rater, &random, &times);
            cm_decision *decisions = cm_alloc(count * sizeof *decisions);
            for (int k = 0; k < 25; k++) {
                cm_kind kind = random_kind(&random);
                check_kind(rater, &kind, times, count, decisions);
            }
            free(decisions);
            free(times);
            cm_rater_free(rater);
        }
        cm_catalog_free(catalog);
    }
    cr_assert_gt(changes, 10000, "only %zu decisions with an end inside the period: the catalogs are too simple",
                 changes);
}

/* The sums of lines in one interval may be rated together: intervals of a kind never overlap and leave no gap. */
Test(validity, intervals_tile_the_period)
{
    for (uint64_t seed = 21; seed <= 26; seed++) {
        cm_catalog *catalog = random_catalog(seed);
        random_state random = {seed};
        cm_error err = {0};
        cm_rater *rater = cm_rater_new(catalog, ING_BUY, june, &err);
        for (int k = 0; k < 60; k++) {
            cm_kind kind = random_kind(&random);
            cm_instant at = cm_period_start(june);
            cm_decision decision, last = {0};
            for (int pieces = 0; at < cm_period_end(june); pieces++) {
                cm_decide(rater, &kind, at, &decision, NULL, NULL);
                cr_assert(decision.valid_from <= at && decision.valid_to > at);
                if (pieces)
                    cr_assert_eq(decision.valid_from, last.valid_to,
                                 "an interval must begin where the one before it ended");
                cr_assert_lt(pieces, 200);
                last = decision;
                at = decision.valid_to;
            }
        }
        cm_rater_free(rater);
        cm_catalog_free(catalog);
    }
}
