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

/* The missing units, also more or fewer than one a line: each line gets its share, the largest remainders the rest. */
static bool hand_out(cm_decimal missing, int places, size_t count, remainder *rests, cm_decimal *rounded)
{
    const __int128 unit = minor_unit(places).units, lines = (__int128)count;
    if (missing.units % unit != 0)
        return false;
    __int128 units = missing.units / unit, each = units / lines, more = units % lines;
    if (more < 0) {
        more += lines;
        each--;
    }
    qsort(rests, count, sizeof *rests, by_rest_then_line);
    for (size_t i = 0; i < count; i++) {
        cm_decimal own = {(each + ((__int128)i < more)) * unit};
        if (!cm_decimal_accumulate(&rounded[rests[i].line], own))
            return false;
    }
    return true;
}

bool cm_round_lines_to_total(const cm_decimal *exact, size_t count, int places, cm_decimal total, cm_decimal *rounded)
{
    remainder *rests = cm_alloc((count ? count : 1) * sizeof *rests);
    cm_decimal missing = total;
    bool done = true;
    for (size_t i = 0; done && i < count; i++) {
        rests[i].line = i;
        done = cm_decimal_floor(exact[i], places, &rounded[i]) &&
               cm_decimal_subtract(exact[i], rounded[i], &rests[i].rest) &&
               cm_decimal_subtract(missing, rounded[i], &missing);
    }
    done = done && (count ? hand_out(missing, places, count, rests, rounded) : cm_decimal_is_zero(missing));
    free(rests);
    return done;
}

bool cm_round_lines_largest_remainder(const cm_decimal *exact, size_t count, int places, cm_decimal *rounded,
                                      cm_decimal *ret_total)
{
    cm_decimal sum = CM_DECIMAL_ZERO;
    for (size_t i = 0; i < count; i++)
        if (!cm_decimal_accumulate(&sum, exact[i]))
            return false;
    return cm_decimal_round_half_away(sum, places, ret_total) &&
           cm_round_lines_to_total(exact, count, places, *ret_total, rounded);
}
