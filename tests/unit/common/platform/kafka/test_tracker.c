#include "platform/kafka/tracker.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static int64_t committable(cm_tracker *tracker, int32_t partition)
{
    return cm_tracker_find(tracker, "t", partition)->committable;
}

Test(tracker, only_the_done_prefix_is_committable)
{
    cm_tracker *tracker = cm_tracker_new();
    cm_tracker_assign(tracker, "t", 0);
    cm_input *inputs[4];
    for (int i = 0; i < 4; i++)
        inputs[i] = cm_tracker_read(tracker, "t", 0, 10 + 2 * i); /* offsets may have gaps */
    cr_assert_eq(cm_tracker_open(tracker), 4);
    cr_assert_eq(committable(tracker, 0), -1);
    cm_input_done(inputs[1]);
    cm_input_done(inputs[2]);
    cr_assert_eq(committable(tracker, 0), -1);
    cr_assert_eq(cm_tracker_open(tracker), 2);
    cm_input_done(inputs[0]);
    cr_assert_eq(committable(tracker, 0), 15);
    cm_input_done(inputs[3]);
    cr_assert_eq(committable(tracker, 0), 17);
    cr_assert_eq(cm_tracker_open(tracker), 0);
    cm_tracker_free(tracker);
}

Test(tracker, waits_for_every_consequence)
{
    cm_tracker *tracker = cm_tracker_new();
    cm_tracker_assign(tracker, "t", 0);
    cm_input *input = cm_tracker_read(tracker, "t", 0, 5);
    cm_input_consequence(input);
    cm_input_acknowledged(input, true); /* acknowledged before the worker is done: not the end */
    cr_assert_eq(committable(tracker, 0), -1);
    cm_input_consequence(input);
    cm_input_consequence(input);
    cm_input_done(input);
    cm_input_acknowledged(input, true);
    cr_assert_eq(committable(tracker, 0), -1);
    cr_assert_eq(cm_tracker_open(tracker), 1);
    cm_input_acknowledged(input, true);
    cr_assert_eq(committable(tracker, 0), 6);
    cm_tracker_free(tracker);
}

Test(tracker, lost_consequence_blocks_forever)
{
    cm_tracker *tracker = cm_tracker_new();
    cm_tracker_assign(tracker, "t", 0);
    cm_input *first = cm_tracker_read(tracker, "t", 0, 0), *second = cm_tracker_read(tracker, "t", 0, 1);
    cm_input_consequence(first);
    cm_input_done(first);
    cm_input_done(second);
    cm_input_acknowledged(first, false);
    cr_assert_eq(committable(tracker, 0), -1);
    cm_tracker_free(tracker);
}

Test(tracker, partitions_do_not_wait_for_each_other)
{
    cm_tracker *tracker = cm_tracker_new();
    cm_tracker_assign(tracker, "t", 0);
    cm_tracker_assign(tracker, "t", 1);
    cm_input *zero = cm_tracker_read(tracker, "t", 0, 3), *one = cm_tracker_read(tracker, "t", 1, 4);
    cm_input_done(one);
    cr_assert_eq(committable(tracker, 0), -1);
    cr_assert_eq(committable(tracker, 1), 5);
    cm_input_done(zero);
    cm_tracker_free(tracker);
}

Test(tracker, revoked_partition_makes_its_tokens_lost)
{
    cm_tracker *tracker = cm_tracker_new();
    cm_tracker_assign(tracker, "t", 0);
    cm_input *done = cm_tracker_read(tracker, "t", 0, 1), *open = cm_tracker_read(tracker, "t", 0, 2);
    cm_input *later = cm_tracker_read(tracker, "t", 0, 3), *on_its_way = cm_tracker_read(tracker, "t", 0, 4);
    cm_input_done(done);
    cm_input_done(later); /* waits for `open` */
    cm_input_consequence(on_its_way);
    cm_input_done(on_its_way);
    cr_assert_not(cm_input_lost(open));
    cm_tracker_revoke(tracker, "t", 0);
    cr_assert(cm_input_lost(open));
    cr_assert_null(cm_tracker_find(tracker, "t", 0));
    cr_assert_eq(cm_tracker_open(tracker), 2);
    /* The same partition comes back: the old tokens do not move its offset. */
    cm_tracker_assign(tracker, "t", 0);
    cm_input_done(open);
    cm_input_acknowledged(on_its_way, true);
    cr_assert_eq(committable(tracker, 0), -1);
    cr_assert_eq(cm_tracker_open(tracker), 0);
    cm_input *again = cm_tracker_read(tracker, "t", 0, 2);
    cm_input_done(again);
    cr_assert_eq(committable(tracker, 0), 3);
    cm_tracker_free(tracker);
}

Test(tracker, record_of_a_foreign_partition_is_lost_at_once)
{
    cm_tracker *tracker = cm_tracker_new();
    cm_input *input = cm_tracker_read(tracker, "t", 9, 1);
    cr_assert(cm_input_lost(input));
    cm_input_done(input);
    cr_assert_eq(cm_tracker_open(tracker), 0);
    cm_tracker_free(tracker);
}

Test(tracker, freed_before_the_delivery_reports) /* the sanitizer sees a leak or a use after free */
{
    cm_tracker *tracker = cm_tracker_new();
    cm_tracker_assign(tracker, "t", 0);
    cm_input *under_way = cm_tracker_read(tracker, "t", 0, 1);
    cm_input_consequence(under_way);
    cm_tracker_read(tracker, "t", 0, 2); /* never done by the worker */
    cm_tracker_free(tracker);
    cm_input_acknowledged(under_way, false);
}

/* Random orders against a model: the committable offset is the smallest offset that is not done. */
Test(tracker, random_orders)
{
    enum { COUNT = 200 };
    srand(7);
    for (int round = 0; round < 50; round++) {
        cm_tracker *tracker = cm_tracker_new();
        cm_tracker_assign(tracker, "t", 0);
        cm_input *inputs[COUNT];
        int steps[COUNT], left = COUNT; /* steps still to take: consequences, then none */
        bool ended[COUNT] = {false};
        for (int i = 0; i < COUNT; i++) {
            inputs[i] = cm_tracker_read(tracker, "t", 0, i);
            steps[i] = rand() % 3;
            for (int k = 0; k < steps[i]; k++)
                cm_input_consequence(inputs[i]);
            if (steps[i] > 0)
                cm_input_done(inputs[i]);
        }
        while (left > 0) {
            int i = rand() % COUNT;
            if (ended[i])
                continue;
            ended[i] = steps[i] <= 1;
            if (steps[i] == 0)
                cm_input_done(inputs[i]);
            else
                cm_input_acknowledged(inputs[i], true);
            steps[i]--;
            left -= ended[i];
            int64_t expected = 0;
            while (expected < COUNT && ended[expected])
                expected++;
            cr_assert_eq(committable(tracker, 0), expected ? expected : -1);
            cr_assert_eq(cm_tracker_open(tracker), left);
        }
        cm_tracker_free(tracker);
    }
}
