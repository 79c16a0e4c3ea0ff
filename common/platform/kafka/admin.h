/*
 * What operators need from the broker: create topics, lag of a group, read one record. Used by `curmill`; not by the
 * hot path.
 */
#ifndef CM_KAFKA_ADMIN_H
#define CM_KAFKA_ADMIN_H

#include "platform/kafka/kafka.h"

typedef struct cm_admin cm_admin;
CM_NODISCARD cm_admin *cm_admin_new(const cm_config *config, cm_error *err);
void cm_admin_free(cm_admin *admin);

CM_NODISCARD bool cm_admin_ping(cm_admin *admin, int timeout_ms, int *ret_brokers, cm_error *err);

/* Creates missing topics (replication factor: setting topic.replication, -1 = broker default); *ret_created counts. An
 * existing topic with fewer partitions than `partitions` is reported, never changed. */
CM_NODISCARD bool cm_admin_create_topics(cm_admin *admin, const char *lane, int partitions, int replication,
                                         int *ret_created, cm_error *err);
/* Partition count, 0 if the topic does not exist. */
CM_NODISCARD bool cm_admin_partitions(cm_admin *admin, const char *topic, int *ret, cm_error *err);

typedef struct cm_lag {
    int32_t partition;
    int64_t committed;        /* -1: nothing committed yet */
    int64_t first, end;       /* low and high watermark */
    int64_t lag;              /* records: end - max(committed, first) */
    int64_t oldest_unread_ms; /* timestamp (epoch ms) of the first unread record, read from the record; -1 if lag 0 */
} cm_lag;
/* Caller frees *ret. */
CM_NODISCARD bool cm_admin_lag(cm_admin *admin, const char *group, const char *topic, cm_lag **ret, size_t *ret_count,
                               cm_error *err);

/* Reads the records of a topic from its beginning to its present end, calling `each` until it returns false. For dead
 * letters. */
CM_NODISCARD bool cm_admin_read(cm_admin *admin, const char *topic, bool (*each)(const cm_record *record, void *opaque),
                                void *opaque, cm_error *err);

#endif
