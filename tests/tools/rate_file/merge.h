/* Adds rated batches up and prints them as JSON: what PostgreSQL holds after a run. */
#ifndef RATE_FILE_MERGE_H
#define RATE_FILE_MERGE_H

#include "billing/batch/rated_batch.h"

#include <jansson.h>

typedef struct merge merge;
merge *merge_new(void);
void merge_free(merge *merge);
/* Copies what it keeps. */
void merge_add(merge *merge, const cm_rated_batch *batch);
/* Sorted by their keys, bytewise. False: a sum overflows. */
CM_NODISCARD bool merge_groups(merge *merge, json_t **ret_groups, json_t **ret_days, cm_error *err);

#endif
