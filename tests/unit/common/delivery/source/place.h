/* A private folder, filled by the test and removed at its end. */
#ifndef TESTS_UNIT_SOURCE_PLACE_H
#define TESTS_UNIT_SOURCE_PLACE_H

#include "delivery/source/source.h"

typedef struct place {
    char path[64];
    cm_source *source;
    cm_arena *arena;
    cm_found_delivery *found;
    size_t count;
} place;

void place_begin(place *p);
void place_end(place *p);
/* Writes a file with its folders. */
void place_write(place *p, const char *key, const char *content);
/* Sets when a file was last written, in seconds since 1970. */
void place_age(place *p, const char *key, long seconds);
/* Legacy manifest: `keys` comma separated; `assembly`, `account` and the month as given. */
void place_legacy(place *p, const char *key, const char *report, const char *assembly, const char *account,
                  const char *from, const char *to, const char *keys);
/* CUR 2.0 manifest. */
void place_cur2(place *p, const char *key, const char *execution, const char *urls);
/* cm_reports_find; fails the test if it fails. */
void place_find(place *p, const char *payer);
/* Exactly one delivery, with this error ("" for none) and this word in its text. Returns it. */
const cm_found_delivery *place_only(place *p, const char *error_code, const char *word);

#endif
