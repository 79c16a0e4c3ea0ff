/* Shared by the files of this folder only. */
#ifndef CM_KAFKA_INTERNAL_H
#define CM_KAFKA_INTERNAL_H

#include "platform/kafka/kafka.h"
#include "platform/kafka/tracker.h"

#include <librdkafka/rdkafka.h>

enum cm_client { CM_CLIENT_PRODUCER, CM_CLIENT_CONSUMER, CM_CLIENT_ADMIN, CM_CLIENT_READER };

/*
 * Our defaults, then `kafka.<property>` from the settings, then the properties that our guarantees need. The caller
 * frees the result with rd_kafka_conf_destroy unless rd_kafka_new took it. INVALID: unknown property, bad value, no
 * bootstrap.servers.
 */
rd_kafka_conf_t *cm_kafka_conf(const cm_config *config, enum cm_client client, const char *client_id, const char *group,
                               cm_error *err);
/* rd_kafka_new; takes over `conf` in any case. */
rd_kafka_t *cm_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, cm_error *err);

/* RETRY, unless waiting will not help with this code. Returns false. */
bool cm_kafka_fail(cm_error *err, rd_kafka_resp_err_t code, const char *doing, const char *text);

/* At most one line in 10 s for each kind of problem: false = do not log. */
bool cm_kafka_may_log(int64_t *last_ms);

/* A record for a message of librdkafka; the record owns it. */
cm_record *cm_record_of(rd_kafka_message_t *message);

struct cm_consumer {
    rd_kafka_t *rk;
    char *group;
    cm_tracker *tracker;
    rd_kafka_queue_t *commits; /* replies to our own commits */
    int commits_under_way;
    int64_t next_commit_ms;
    int64_t next_position_ms; /* earliest next look at committed offsets, for the lag */
    int64_t last_warning_ms;
    int64_t rebalances;
    struct cm_wake *wake; /* NULL: this librdkafka wakes its fetchers itself */
    bool assigned;        /* a member of the group: has an assignment (maybe an empty one) that was not lost */
    bool paused;
    bool fatal;
    cm_error fatal_error;
};

/* producer.c: asks the broker; NOT_FOUND if the topic does not exist. */
bool cm_kafka_partition_count(rd_kafka_t *rk, const char *topic, int *ret, cm_error *err);

/* rebalance.c */
void cm_consumer_rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                            void *opaque);
/*
 * wake.c: librdkafka before `fetch.queue.backoff.ms` looks only once a second whether a local queue that was full has
 * room again, so a consumer with a small queue (queued.max.messages.kbytes) is idle for most of each second. These
 * functions wake its threads in between.
 */
struct cm_wake *cm_wake_new(const rd_kafka_conf_t *conf); /* NULL if not needed */
void cm_wake_free(struct cm_wake *wake);
void cm_wake_after_record(struct cm_wake *wake, rd_kafka_t *rk); /* NULL allowed; acts at most every 10 ms */

/* commit.c: asynchronous; synchronous with a bound in milliseconds. */
void cm_consumer_commit_soon(cm_consumer *consumer);
void cm_consumer_commit_now(cm_consumer *consumer, int timeout_ms);

#endif
