#include "mock.h"

#include <criterion/criterion.h>
#include <string.h>

static void refused(const char *all, const char *word)
{
    static const char *const topics[] = {"in", NULL};
    cm_config *config = settings_only(all);
    cm_error_clear(&err);
    cr_assert_null(cm_consumer_new(config, "g", topics, &err), "%s", all);
    cr_assert_eq(err.class, CM_ERROR_INVALID, "%s", err.text);
    cr_assert(strstr(err.text, word) != NULL, "%s", err.text);
}

Test(settings, wrong_ones_are_refused_with_their_name)
{
    refused("kafka.bootstrap.servers=x:1 kafka.no.such.thing=1", "kafka.no.such.thing");
    refused("kafka.bootstrap.servers=x:1 kafka.fetch.wait.max.ms=soon", "kafka.fetch.wait.max.ms");
    refused("kafka.bootstrap.servers=x:1 kafka.group.id=mine", "kafka.group.id");
    refused("kafka.bootstrap.servers=x:1 kafka.partition.assignment.strategy=cooperative-sticky", "cooperative");
    refused("kafka.linger.ms=5", "kafka.bootstrap.servers");
    mock_stop();
}

/* One list serves both: a property that only the other kind of client knows is not an error. */
Test(settings, properties_of_the_other_kind)
{
    mock_start(1);
    fill(0, 1);
    cm_consumer *consumer =
        consumer_of("g", "kafka.linger.ms=7 kafka.compression.type=zstd kafka.enable.auto.commit=true");
    cm_producer *producer = producer_of("kafka.fetch.min.bytes=9 kafka.auto.offset.reset=latest");
    cm_record *record = next_record(consumer);
    cm_record_free(record);
    cm_producer_free(producer);
    cm_consumer_close(consumer);
    cr_assert_eq(committed("g", 0), -1); /* enable.auto.commit=true had no effect */
    mock_stop();
}

Test(settings, topic_names)
{
    char name[CM_TOPIC_NAME_MAX];
    cr_assert_str_eq(cm_topic_full_name("tdsynnex", "line.rated", name), "curmill.tdsynnex.line.rated.v1");
    cr_assert_str_eq(cm_topic_full_name("ingram", "dead-letter", name), "curmill.ingram.dead-letter.v1");
}
