/* Properties of librdkafka's clients (as of 2.0.2) and why they are set. */
#include "platform/kafka/internal.h"

#include "base/log/log.h"
#include "base/time/time.h"

#include <stdio.h>
#include <string.h>

struct property {
    const char *name, *value;
};

static const struct property both[] = {
    {"socket.nagle.disable", "true"}, /* default only since 2.10 */
    {"socket.keepalive.enable", "true"},
    /* A commit queued while the coordinator was unreachable is abandoned only after this time, and only then does 2.0.2
     * rejoin the group: observed as a pause of 30 s after kill -9 of a busy broker. */
    {"socket.timeout.ms", "10000"},
    /* A broker that comes back (kill -9 and restart) is found within a second. */
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "500"},
    {"retry.backoff.ms", "100"},
    {"topic.metadata.refresh.sparse", "true"},
    {"topic.metadata.refresh.fast.interval.ms", "100"},
    {"message.max.bytes", "2000000"},
    {"log.connection.close", "false"},
    {0},
};

static const struct property producer[] = {
    {"linger.ms", "5"}, /* records are ~100 KB: batches fill quickly under load, and small runs do not wait */
    {"batch.size", "1000000"},
    {"compression.type", "lz4"},
    {"queue.buffering.max.kbytes", "16384"}, /* memory; cm_producer_send waits when it is full */
    {"queue.buffering.max.messages", "20000"},
    {"message.timeout.ms", "300000"},  /* far above a broker's restart */
    {"partitioner", "murmur2_random"}, /* the same partition for a key as Java clients */
    {0},
};

static const struct property consumer[] = {
    {"partition.assignment.strategy", "roundrobin"}, /* eager: cooperative has known bugs in 2.0.2 */
    {"session.timeout.ms", "8000"},                  /* takeover after a kill -9 */
    {"heartbeat.interval.ms", "1000"},               /* a member learns about a rebalance from its heartbeat */
    {"max.poll.interval.ms", "600000"},
    {"auto.offset.reset", "earliest"},
    {"check.crcs", "true"},
    {"queued.min.messages", "1000"},
    {"queued.max.messages.kbytes", "8192"}, /* memory */
    {"fetch.message.max.bytes", "1048576"}, /* of one partition at a time; a larger record still comes */
    {"fetch.max.bytes", "4194304"},
    {"fetch.wait.max.ms", "100"},
    {"fetch.error.backoff.ms", "50"},
    {0},
};

/* Newer than 2.0.2, which has a fixed second instead: see cm_consumer_wake. */
static const struct property newer[] = {{"fetch.queue.backoff.ms", "20"}, {0}};

/* Required by the guarantees: not changeable by a setting. */
static const struct property producer_fixed[] = {{"enable.idempotence", "true"}, {0}};
static const struct property consumer_fixed[] = {
    {"enable.auto.commit", "false"}, {"enable.auto.offset.store", "false"}, {"enable.partition.eof", "false"}, {0}};
static const struct property reader_fixed[] = {
    {"enable.auto.commit", "false"}, {"enable.auto.offset.store", "false"}, {"enable.partition.eof", "true"}, {0}};

/* --- librdkafka's own log ---------------------------------------------------------------------------------------- */

static void log_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    if (strcmp(facility, "CONFWARN") == 0)
        return; /* a producer's property on a consumer and the reverse: one list of settings serves both */
    cm_log(level <= 4   ? CM_WARN
           : level <= 6 ? CM_INFO
                        : CM_DEBUG,
           "librdkafka", "facility", facility, "text", text, NULL);
}

bool cm_kafka_may_log(int64_t *last_ms)
{
    int64_t now = cm_monotonic_milliseconds();
    if (*last_ms && now - *last_ms < 10000)
        return false;
    *last_ms = now;
    return true;
}

/* --- building ---------------------------------------------------------------------------------------------------- */

struct building {
    rd_kafka_conf_t *conf;
    cm_error *err;
    bool ok;
};

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, bool optional, cm_error *err)
{
    char text[256];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, text, sizeof text);
    if (result == RD_KAFKA_CONF_OK || (optional && result == RD_KAFKA_CONF_UNKNOWN))
        return true;
    return cm_fail(err, CM_ERROR_INVALID, "KAFKA_SETTING", "setting kafka.%s: %s", name, text);
}

static bool set_all(rd_kafka_conf_t *conf, const struct property *list, bool optional, cm_error *err)
{
    for (; list->name; list++) {
        if (!set(conf, list->name, list->value, optional, err))
            return false;
    }
    return true;
}

static void set_theirs(const char *name, const char *value, void *opaque)
{
    struct building *building = opaque;
    if (!building->ok)
        return;
    if (strcmp(name, "group.id") == 0 || strcmp(name, "group.instance.id") == 0)
        building->ok =
            cm_fail(building->err, CM_ERROR_INVALID, "KAFKA_SETTING",
                    "setting kafka.%s: the group is curmill.<lane>.<worker>, members are dynamic; remove it", name);
    else if (strcmp(name, "partition.assignment.strategy") == 0 && strstr(value, "cooperative"))
        building->ok =
            cm_fail(building->err, CM_ERROR_INVALID, "KAFKA_SETTING",
                    "setting kafka.%s: cooperative assignment is not supported; use range or roundrobin", name);
    else
        building->ok = set(building->conf, name, value, false, building->err);
}

static bool has_servers(rd_kafka_conf_t *conf, cm_error *err)
{
    char value[8];
    size_t size = 0;
    if (rd_kafka_conf_get(conf, "bootstrap.servers", NULL, &size) == RD_KAFKA_CONF_OK && size > 1)
        return true;
    size = sizeof value;
    if (rd_kafka_conf_get(conf, "test.mock.num.brokers", value, &size) == RD_KAFKA_CONF_OK && strcmp(value, "0") != 0)
        return true;
    return cm_fail(err, CM_ERROR_INVALID, "KAFKA_SETTING",
                   "no broker is configured: set kafka.bootstrap.servers = host:port,...");
}

static bool fill(rd_kafka_conf_t *conf, const cm_config *config, enum cm_client client, const char *client_id,
                 const char *group, cm_error *err)
{
    bool reads = client == CM_CLIENT_CONSUMER || client == CM_CLIENT_READER;
    struct building building = {conf, err, true};
    if (!set(conf, "client.id", client_id, false, err) || !set_all(conf, both, false, err))
        return false;
    if (client == CM_CLIENT_PRODUCER && !set_all(conf, producer, false, err))
        return false;
    if (reads && (!set_all(conf, consumer, false, err) || !set_all(conf, newer, true, err)))
        return false;
    cm_config_kafka(config, set_theirs, &building);
    if (!building.ok)
        return false;
    if (client == CM_CLIENT_PRODUCER && !set_all(conf, producer_fixed, false, err))
        return false;
    if (reads && (!set_all(conf, client == CM_CLIENT_READER ? reader_fixed : consumer_fixed, false, err) ||
                  !set(conf, "group.id", group, false, err)))
        return false;
    return has_servers(conf, err);
}

rd_kafka_conf_t *cm_kafka_conf(const cm_config *config, enum cm_client client, const char *client_id, const char *group,
                               cm_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, log_line);
    if (fill(conf, config, client, client_id, group, err))
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

rd_kafka_t *cm_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, cm_error *err)
{
    char text[512];
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (rk)
        return rk;
    rd_kafka_conf_destroy(conf);
    cm_fail(err, CM_ERROR_INVALID, "KAFKA_SETTING", "kafka: %s; check the kafka.* settings", text);
    return NULL;
}

bool cm_kafka_fail(cm_error *err, rd_kafka_resp_err_t code, const char *doing, const char *text)
{
    enum cm_error_class class = CM_ERROR_RETRY;
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
        class = CM_ERROR_FATAL;
        break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
        class = CM_ERROR_BUG;
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        class = CM_ERROR_NOT_FOUND;
        break;
    default:
        break;
    }
    return cm_fail(err, class, rd_kafka_err2name(code), "kafka: %s: %s", doing, text ? text : rd_kafka_err2str(code));
}
