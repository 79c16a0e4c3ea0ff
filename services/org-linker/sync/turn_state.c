/* State shared by all parts of a turn: the first error of AWS, the database's failure, the accounts that AWS listed. */
#include "sync/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cm_turn_failed(turn *t, const cm_error *err)
{
    static const char *const ends[] = {"THROTTLED", "UNAVAILABLE", "SLICE_SPENT", "NO_CREDENTIALS"};
    if (t->first.class == CM_ERROR_NONE)
        t->first = *err;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(err->code, ends[i]) == 0)
            return false;
    return true;
}

bool cm_turn_database(turn *t, bool done)
{
    t->database_failed |= !done;
    return done;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, CM_AWS_ACCOUNT_ID);
}

void cm_turn_listing_done(turn *t)
{
    qsort(t->listed, t->listed_count, sizeof *t->listed, by_id);
}

bool cm_turn_listed(const turn *t, const char *account)
{
    char id[CM_AWS_ACCOUNT_ID] = "";
    snprintf(id, sizeof id, "%s", account);
    return t->listed_count > 0 && bsearch(id, t->listed, t->listed_count, sizeof *t->listed, by_id) != NULL;
}
