/*
 * Kafka behind two small structs (librdkafka 2.0.2 or newer): a producer, and a consumer with an offset tracker.
 *
 * Guarantees (architecture.md section 4): acks=all and idempotent producer; an input offset is stored for commit only
 * after every output that depends on it was acknowledged (cm_input_done); commits are hints, correctness rests on batch
 * identity. Eager assignor, no Kafka transactions, socket.nagle.disable=true (traps: librdkafka 2.0.2 release notes,
 * known issues). Memory is bounded: queue.buffering.max.kbytes and queued.max.messages.kbytes are set small here,
 * overridable by `kafka.<property>`. One thread owns each struct.
 */
#ifndef CM_KAFKA_KAFKA_H
#define CM_KAFKA_KAFKA_H

#include "base/base/error.h"
#include "base/config/config.h"

#include <stddef.h>
#include <stdint.h>

/* --- topics ------------------------------------------------------------------------------------------------------ */

/* One definition for the workers' checks, `curmill topic create`, and the chart. */
typedef struct cm_topic {
    const char *name; /* "chunk.planned", "line.ingested", "line.rated", "account.observed", ... */
    int version;      /* 1 */
    bool compacted;
    int64_t retention_ms; /* -1: the broker's default */
    int fixed_partitions; /* 0: the setting topic.partitions */
} cm_topic;
extern const cm_topic cm_topics[]; /* ended by {0} */

enum { CM_TOPIC_NAME_MAX = 128 };
/* "curmill.<lane>.<name>.v<version>" */
char *cm_topic_full_name(const char *lane, const char *name, char into[static CM_TOPIC_NAME_MAX]);

/* --- records ----------------------------------------------------------------------------------------------------- */

typedef struct cm_header {
    const char *name;
    const void *value;
    size_t length;
} cm_header;

/* --- producer ---------------------------------------------------------------------------------------------------- */

typedef struct cm_producer cm_producer;
typedef struct cm_input cm_input; /* an input record whose consequences are still pending, see consumer */

CM_NODISCARD cm_producer *cm_producer_new(const cm_config *config, const char *client_id, cm_error *err);
void cm_producer_free(cm_producer *producer); /* does not flush; NULL allowed */

/*
 * Copies payload and headers. `partition` -1: by key hash. Blocks (serving callbacks) while the local queue is full;
 * waits at most message.timeout.ms. If `because` is given, one more consequence of that input is counted until the
 * broker acknowledges. FATAL: idempotent producer in a fatal state: the process must end, and its input since the last
 * commit is processed again.
 */
CM_NODISCARD bool cm_producer_send(cm_producer *producer, const char *topic, int32_t partition, const void *key,
                                   size_t key_length, const void *payload, size_t length, const cm_header *headers,
                                   size_t header_count, cm_input *because, cm_error *err);
/*
 * For a sender that goes on without a record that the broker does not take: what becomes of each of `count` records is
 * written into `receipts`, from cm_producer_receipts until it is called again (NULL, 0: no more). A record that is
 * refused for what it is (too large, invalid) is then no loss. The broker refuses with it what was in the same batch.
 */
typedef struct cm_receipt {
    enum { CM_RECEIPT_NONE, CM_RECEIPT_STORED, CM_RECEIPT_REFUSED } state;
    const char *why; /* REFUSED; static */
} cm_receipt;
void cm_producer_receipts(cm_producer *producer, cm_receipt *receipts, size_t count);
/* cm_producer_send by key hash, without headers; its receipt is number `nth`. */
CM_NODISCARD bool cm_producer_send_nth(cm_producer *producer, const char *topic, const void *key, size_t key_length,
                                       const void *payload, size_t length, size_t nth, cm_error *err);
/* Serves delivery reports; false if a record was permanently lost since the last call (FATAL). */
CM_NODISCARD bool cm_producer_poll(cm_producer *producer, int timeout_ms, cm_error *err);
CM_NODISCARD bool cm_producer_flush(cm_producer *producer, int timeout_ms, cm_error *err);
/* Partition count of a topic from metadata (cached 60 s). NOT_FOUND: topic is missing. */
CM_NODISCARD bool cm_producer_partitions(cm_producer *producer, const char *topic, int *ret, cm_error *err);

/* --- consumer ---------------------------------------------------------------------------------------------------- */

typedef struct cm_consumer cm_consumer;

typedef struct cm_record {
    const char *topic; /* all pointers valid until cm_record_free */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1 unknown */
    const void *key;
    size_t key_length;
    const void *payload;
    size_t length;
    cm_input *input; /* needs exactly one cm_input_done, even after a failure; cm_consumer_close ends the rest */
    void *message;   /* private */
} cm_record;

/* `group` e.g. "curmill.tdsynnex.rate-engine". Subscribes to `topics` (NULL-ended full names), from the earliest. */
CM_NODISCARD cm_consumer *cm_consumer_new(const cm_config *config, const char *group, const char *const *topics,
                                          cm_error *err);
/*
 * Commits what is done, leaves the group, frees. Flush the producer before and free it afterwards: open tokens are
 * abandoned here and must no longer be used (those whose records the producer still holds end with their delivery
 * reports). Takes a limited time, even without a broker.
 */
void cm_consumer_close(cm_consumer *consumer);

/* ret = NULL: nothing within timeout. False: an error that the caller must handle (RETRY ones are handled and logged
 * inside). */
CM_NODISCARD bool cm_consumer_poll(cm_consumer *consumer, int timeout_ms, cm_record **ret, cm_error *err);
void cm_record_free(cm_record *record); /* the payload; the input token lives on until its consequences are done */
/* A header's value or NULL. */
const void *cm_record_header(const cm_record *record, const char *name, size_t *ret_length);

/*
 * Input tokens. cm_input_done: the worker has finished with the record (all sends are queued or its transaction is
 * committed). Once every consequence is acknowledged too, the offset becomes committable; offsets are stored in order
 * per partition and committed by a timer (cm_consumer_poll) and at close. cm_input_lost: the partition has been revoked
 * in the meantime (the work may be dropped).
 */
void cm_input_done(cm_input *input);
bool cm_input_lost(const cm_input *input);
int cm_consumer_inputs_open(const cm_consumer *consumer); /* tokens not yet fully done: back-pressure */

/* Stops and resumes fetching while one record takes long (ingest-cur reading a file); keep calling poll in the
 * meantime. */
void cm_consumer_pause(cm_consumer *consumer);
void cm_consumer_resume(cm_consumer *consumer);
int64_t cm_consumer_rebalances(const cm_consumer *consumer); /* assignments and revocations so far, for /metrics */
/* Has joined the group and not lost it since: for /readyz. */
bool cm_consumer_assigned(const cm_consumer *consumer);
/* Owned partitions: end - position, -1 unknown. Local, but may query the broker once (1 s at most) after an
 * assignment. */
int64_t cm_consumer_lag_records(cm_consumer *consumer);
/* Now - timestamp of the last record read while lag > 0, 0 if none. */
int64_t cm_consumer_oldest_unread_ms(cm_consumer *consumer);

/* --- dead letters ------------------------------------------------------------------------------------------------ */

/*
 * Sends the raw record to curmill.<lane>.dead-letter.v1, its headers and curmill-topic, -partition, -offset, -worker,
 * -error-class, -error-code, -error-text before them. It is a consequence of the record: call cm_input_done as usual.
 */
CM_NODISCARD bool cm_dead_letter(cm_producer *producer, const char *lane, const char *worker, const cm_record *record,
                                 const cm_error *why, cm_error *err);

#endif
