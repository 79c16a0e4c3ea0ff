/* Rounding of a document, once: total first, lines by largest remainder (statements.md section 3, S12). */
#include "billing/statement/statement.h"

#include <stdlib.h>

typedef struct remainder {
    cm_decimal rest; /* exact - floor, 0 <= rest < one minor unit */
    size_t line;
} remainder;

static int by_rest_then_line(const void *a, const void *b)
{
    const remainder *x = a, *y = b;
    int order = cm_decimal_compare(y->rest, x->rest); /* largest first */
    return order ? order : (x->line < y->line ? -1 : x->line > y->line);
}

static cm_decimal minor_unit(int places)
{
    cm_decimal unit = {CM_DECIMAL_ONE_UNITS};
    for (int i = 0; i < places; i++)
        unit.units /= 10;
    return unit;
}

static bool floor_all(const cm_decimal *exact, size_t count, int places, cm_decimal *rounded, remainder *rests,
                      cm_decimal *ret_total, cm_decimal *ret_floors)
{
    cm_decimal sum = CM_DECIMAL_ZERO;
    *ret_floors = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < count; i++) {
        rests[i].line = i;
        if (!cm_decimal_floor(exact[i], places, &rounded[i]) ||
            !cm_decimal_subtract(exact[i], rounded[i], &rests[i].rest) || !cm_decimal_accumulate(&sum, exact[i]) ||
            !cm_decimal_accumulate(ret_floors, rounded[i]))
            return false;
    }
    return cm_decimal_round_half_away(sum, places, ret_total);
}

bool cm_round_lines_largest_remainder(const cm_decimal *exact, size_t count, int places, cm_decimal *rounded,
                                      cm_decimal *ret_total)
{
    remainder *rests = cm_alloc((count ? count : 1) * sizeof *rests);
    cm_decimal floors, missing;
    bool done = floor_all(exact, count, places, rounded, rests, ret_total, &floors) &&
                cm_decimal_subtract(*ret_total, floors, &missing);
    if (done) {
        cm_decimal unit = minor_unit(places);
        size_t units = (size_t)(missing.units / unit.units);
        cm_assert(missing.units >= 0 && missing.units % unit.units == 0 && units <= count);
        qsort(rests, count, sizeof *rests, by_rest_then_line);
        for (size_t i = 0; done && i < units; i++)
            done = cm_decimal_accumulate(&rounded[rests[i].line], unit);
    }
    free(rests);
    return done;
}
