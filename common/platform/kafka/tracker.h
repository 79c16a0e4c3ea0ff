/*
 * Which input offsets may be committed (architecture.md section 4, point 1): for each owned partition an ordered list
 * of the records read; an offset becomes committable when its record and all records before it are done, and a record
 * is done when the worker has finished and every output that depends on it was acknowledged. Does not use Kafka. One
 * thread.
 */
#ifndef CM_KAFKA_TRACKER_H
#define CM_KAFKA_TRACKER_H

#include "platform/kafka/kafka.h"

typedef struct cm_tracker cm_tracker;

typedef struct cm_partition {
    char *topic;
    int32_t number;
    int64_t committable;       /* next offset to resume from, -1: nothing done yet */
    int64_t asked;             /* highest offset that a commit was asked for, -1: none */
    int64_t position;          /* offset after the last record read, or the committed one, -1: not known */
    int64_t last_timestamp_ms; /* of the last record read, -1: none read yet */
    int64_t assigned_ms;       /* when it was assigned, wall clock */
    struct cm_input *first, *last;
    struct cm_partition *next;
} cm_partition;

cm_tracker *cm_tracker_new(void);
/* Tokens with pending consequences stay until those end (cm_input_acknowledged); all others are freed. */
void cm_tracker_free(cm_tracker *tracker);

cm_partition *cm_tracker_assign(cm_tracker *tracker, const char *topic,
                                int32_t number);                                /* returns an existing one, too */
void cm_tracker_revoke(cm_tracker *tracker, const char *topic, int32_t number); /* its open tokens become lost */
cm_partition *cm_tracker_find(cm_tracker *tracker, const char *topic, int32_t number);
cm_partition *cm_tracker_partitions(cm_tracker *tracker); /* first of the list */
int cm_tracker_open(const cm_tracker *tracker);

/* A token for a record that was read; a record of a partition that is not owned gets a lost token. */
cm_input *cm_tracker_read(cm_tracker *tracker, const char *topic, int32_t number, int64_t offset);

/* Adds a consequence / ends one. `good` false: it was lost, so the input will never be committable. */
void cm_input_consequence(cm_input *input);
void cm_input_acknowledged(cm_input *input, bool good);

#endif
