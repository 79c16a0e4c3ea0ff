/* A mock cluster of librdkafka in the test's own process, with helpers. */
#ifndef CM_TEST_KAFKA_MOCK_H
#define CM_TEST_KAFKA_MOCK_H

#include "platform/kafka/admin.h"
#include "platform/kafka/kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

extern cm_error err;
extern rd_kafka_mock_cluster_t *mock;

/* Starts the cluster with topic "in" of `partitions` partitions and "out" of 4. */
void mock_start(int partitions);
void mock_stop(void);

/* Settings with the mock's address and "name=value" pairs separated by blanks ("kafka.linger.ms=1"). Freed by
 * mock_stop. */
cm_config *settings(const char *more);
cm_config *settings_only(const char *all); /* without the address */

cm_consumer *consumer_of(const char *group, const char *more);
cm_producer *producer_of(const char *more);
/* Sends "0", "1" ... to a partition of "in" and waits until all are acknowledged. */
void fill(int32_t partition, int count);
/* The next record, waits up to 10 s. */
cm_record *next_record(cm_consumer *consumer);
/* What the group committed for a partition of "in": -1 nothing. */
int64_t committed(const char *group, int32_t partition);
/* Polls until the group's offset is that, 15 s at most. */
void await_committed(cm_consumer *consumer, const char *group, int32_t partition, int64_t offset);
/* Polls for that long; a record is a failure. */
void poll_for(cm_consumer *consumer, int ms);
void must(bool ok);

#endif
