/* "did you mean": the known word that is nearest to a wrong one. Pure. */
#ifndef CM_CATALOG_NEAREST_H
#define CM_CATALOG_NEAREST_H

#include "base/base/slice.h"

typedef struct cm_nearest {
    cm_slice word;
    const char *best; /* NULL: nothing is near */
    unsigned distance;
} cm_nearest;

cm_nearest cm_nearest_begin(cm_slice word);
void cm_nearest_offer(cm_nearest *search, const char *candidate);
/* Over a NULL-ended list. NULL if nothing is near. */
const char *cm_nearest_of(cm_slice word, const char *const *candidates);

#endif
