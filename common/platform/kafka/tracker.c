#include "platform/kafka/tracker.h"

#include <stdlib.h>
#include <string.h>

struct cm_input {
    cm_tracker *tracker;     /* NULL once the tracker is gone */
    cm_partition *partition; /* NULL: lost */
    int64_t offset;
    int under_way;    /* consequences not yet acknowledged */
    bool worker_done; /* cm_input_done was called */
    bool failed;      /* a consequence was permanently lost: never committable */
    cm_input *previous, *next;
};

struct cm_tracker {
    cm_partition *partitions;
    cm_input *first_lost, *last_lost; /* of revoked partitions, not yet done */
    int open;
};

/* --- lists ------------------------------------------------------------------------------------------------------- */

static void append(cm_input **first, cm_input **last, cm_input *input)
{
    input->previous = *last;
    input->next = NULL;
    if (*last)
        (*last)->next = input;
    else
        *first = input;
    *last = input;
}

static void take_out(cm_input **first, cm_input **last, cm_input *input)
{
    if (input->previous)
        input->previous->next = input->next;
    else
        *first = input->next;
    if (input->next)
        input->next->previous = input->previous;
    else
        *last = input->previous;
}

/* --- tokens ------------------------------------------------------------------------------------------------------ */

static bool complete(const cm_input *input)
{
    return input->worker_done && input->under_way == 0;
}

/* Frees the done tokens at the front and moves the committable offset behind them. */
static void advance(cm_partition *partition)
{
    while (partition->first && complete(partition->first) && !partition->first->failed) {
        cm_input *input = partition->first;
        take_out(&partition->first, &partition->last, input);
        cm_assert(input->offset >= partition->committable); /* offsets of a partition only grow */
        partition->committable = input->offset + 1;
        free(input);
    }
}

static void release_if_complete(cm_input *input)
{
    if (!complete(input))
        return;
    cm_tracker *tracker = input->tracker;
    if (!tracker) {
        free(input);
        return;
    }
    tracker->open--;
    cm_assert(tracker->open >= 0);
    if (input->partition) {
        advance(input->partition);
        return;
    }
    take_out(&tracker->first_lost, &tracker->last_lost, input);
    free(input);
}

void cm_input_consequence(cm_input *input)
{
    cm_assert(!input->worker_done);
    input->under_way++;
}

void cm_input_acknowledged(cm_input *input, bool good)
{
    cm_assert(input->under_way > 0);
    input->under_way--;
    input->failed = input->failed || !good;
    release_if_complete(input);
}

void cm_input_done(cm_input *input)
{
    cm_assert(!input->worker_done);
    input->worker_done = true;
    release_if_complete(input);
}

bool cm_input_lost(const cm_input *input)
{
    return input->partition == NULL;
}

/* --- partitions -------------------------------------------------------------------------------------------------- */

cm_tracker *cm_tracker_new(void)
{
    return cm_alloc(sizeof(cm_tracker));
}

cm_partition *cm_tracker_find(cm_tracker *tracker, const char *topic, int32_t number)
{
    for (cm_partition *p = tracker->partitions; p; p = p->next) {
        if (p->number == number && strcmp(p->topic, topic) == 0)
            return p;
    }
    return NULL;
}

cm_partition *cm_tracker_assign(cm_tracker *tracker, const char *topic, int32_t number)
{
    cm_partition *partition = cm_tracker_find(tracker, topic, number);
    if (partition)
        return partition;
    partition = cm_alloc(sizeof *partition);
    partition->topic = cm_strdup(topic);
    partition->number = number;
    partition->committable = partition->asked = partition->position = partition->last_timestamp_ms = -1;
    partition->next = tracker->partitions;
    tracker->partitions = partition;
    return partition;
}

/* Done tokens that waited for earlier ones are freed, the others become lost. */
static void lose_inputs(cm_tracker *tracker, cm_partition *partition)
{
    for (cm_input *input = partition->first, *next; input; input = next) {
        next = input->next;
        if (complete(input)) {
            free(input);
            continue;
        }
        input->partition = NULL;
        append(&tracker->first_lost, &tracker->last_lost, input);
    }
}

void cm_tracker_revoke(cm_tracker *tracker, const char *topic, int32_t number)
{
    cm_partition *partition = cm_tracker_find(tracker, topic, number);
    if (!partition)
        return;
    cm_partition **link = &tracker->partitions;
    while (*link != partition)
        link = &(*link)->next;
    *link = partition->next;
    lose_inputs(tracker, partition);
    free(partition->topic);
    free(partition);
}

cm_partition *cm_tracker_partitions(cm_tracker *tracker)
{
    return tracker->partitions;
}

int cm_tracker_open(const cm_tracker *tracker)
{
    return tracker->open;
}

cm_input *cm_tracker_read(cm_tracker *tracker, const char *topic, int32_t number, int64_t offset)
{
    cm_input *input = cm_alloc(sizeof *input);
    input->tracker = tracker;
    input->offset = offset;
    input->partition = cm_tracker_find(tracker, topic, number);
    tracker->open++;
    if (!input->partition) {
        append(&tracker->first_lost, &tracker->last_lost, input);
        return input;
    }
    cm_assert(!input->partition->last || input->partition->last->offset < offset);
    append(&input->partition->first, &input->partition->last, input);
    input->partition->position = offset + 1;
    return input;
}

void cm_tracker_free(cm_tracker *tracker)
{
    if (!tracker)
        return;
    while (tracker->partitions)
        cm_tracker_revoke(tracker, tracker->partitions->topic, tracker->partitions->number);
    for (cm_input *input = tracker->first_lost, *next; input; input = next) {
        next = input->next;
        input->tracker = NULL; /* pending consequences still point here; their end frees it */
        input->worker_done = true;
        if (complete(input))
            free(input);
    }
    free(tracker);
}
