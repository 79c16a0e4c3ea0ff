#include "billing/catalog/yaml/nearest.h"

enum { LONGEST = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Letters to add, drop, change or swap with their neighbour (optimal string alignment). */
static unsigned distance_between(cm_slice a, cm_slice b)
{
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.length; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a.length; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b.length; j++) {
            unsigned change = a.text[i - 1] != b.text[j - 1];
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
            if (i > 1 && j > 1 && a.text[i - 1] == b.text[j - 2] && a.text[i - 2] == b.text[j - 1])
                row[j] = min3(row[j], before[j - 2] + 1, row[j]);
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b.length];
}

cm_nearest cm_nearest_begin(cm_slice word)
{
    /* A third of the letters may differ; further away it is another word. */
    return (cm_nearest){word, NULL, (unsigned)(word.length < LONGEST ? word.length : LONGEST) / 3 + 2};
}

void cm_nearest_offer(cm_nearest *search, const char *candidate)
{
    cm_slice other = cm_slice_of(candidate);
    if (search->word.length > LONGEST || other.length > LONGEST)
        return;
    size_t longer = search->word.length > other.length ? search->word.length : other.length;
    size_t shorter = search->word.length > other.length ? other.length : search->word.length;
    if (longer - shorter >= search->distance)
        return;
    unsigned distance = distance_between(search->word, other);
    if (distance < search->distance && distance < longer) {
        search->distance = distance;
        search->best = candidate;
    }
}

const char *cm_nearest_of(cm_slice word, const char *const *candidates)
{
    cm_nearest search = cm_nearest_begin(word);
    for (size_t i = 0; candidates[i]; i++)
        cm_nearest_offer(&search, candidates[i]);
    return search.best;
}
