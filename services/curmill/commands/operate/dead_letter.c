/* dead-letter list | show | redrive: what could not be decoded, with its raw bytes; nothing is lost. */
#include "cli/cli.h"
#include "commands/commands.h"
#include "store/audit/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void header_text(const cm_record *record, const char *name, char *into, size_t size)
{
    size_t length = 0;
    const void *value = cm_record_header(record, name, &length);
    snprintf(into, size, "%.*s", (int)length, value ? (const char *)value : "");
}

typedef struct listing {
    cm_admin *admin;
    cli_table *table;
    const char *lane;
} listing;

static bool list_record(const cm_record *record, void *opaque)
{
    static const char *const names[] = {"curmill-worker",    "curmill-topic",       "curmill-partition",
                                        "curmill-offset",    "curmill-error-class", "curmill-error-code",
                                        "curmill-error-text"};
    listing *l = opaque;
    char id[128], at[CM_INSTANT_TEXT], bytes[24], text[7][512];
    snprintf(id, sizeof id, "%s:%" PRId32 ":%" PRId64, l->lane, record->partition, record->offset);
    snprintf(bytes, sizeof bytes, "%zu", record->length);
    for (int i = 0; i < 7; i++)
        header_text(record, names[i], text[i], sizeof text[i]);
    cli_table_add(l->table, (const char *const[]){id, cm_instant_print(record->timestamp_ms * 1000, at), text[0],
                                                  text[1], text[2], text[3], text[4], text[5], bytes, text[6]});
    return true;
}

static int list_lane(cli *c, const char *lane, void *opaque)
{
    listing *l = opaque;
    cm_error err = {0};
    char topic[CM_TOPIC_NAME_MAX];
    l->lane = lane;
    return cm_admin_read(l->admin, cm_topic_full_name(lane, "dead-letter", topic), list_record, l, &err)
               ? 0
               : cli_fail(c, &err);
}

int cmd_dead_letter_list(cli *c)
{
    static const cli_column columns[] = {{"id", CLI_TEXT},    {"at", CLI_TEXT},          {"worker", CLI_TEXT},
                                         {"topic", CLI_TEXT}, {"partition", CLI_NUMBER}, {"offset", CLI_NUMBER},
                                         {"class", CLI_TEXT}, {"code", CLI_TEXT},        {"bytes", CLI_NUMBER},
                                         {"error", CLI_TEXT}};
    cm_error err = {0};
    listing l = {.admin = cm_admin_new(c->config, &err)};
    if (!l.admin)
        return cli_fail(c, &err);
    l.table = cli_table_new(columns, 10);
    int exit_code = cli_each_lane(c, list_lane, c, &l);
    cm_admin_free(l.admin);
    if (exit_code == 0)
        return cli_table_print(c, l.table);
    cli_table_free(l.table);
    return exit_code;
}

/* One record, copied out of the topic. */
typedef struct letter {
    char lane[64];
    int32_t partition;
    int64_t offset;
    bool found;
    uint8_t *bytes, *key;
    size_t length, key_length;
    char worker[64], topic[CM_TOPIC_NAME_MAX], from_partition[16], from_offset[24], class[32], code[64],
        text[CM_ERROR_TEXT_MAX];
} letter;

static bool pick_record(const cm_record *record, void *opaque)
{
    letter *l = opaque;
    if (record->partition != l->partition || record->offset != l->offset)
        return true;
    l->found = true;
    l->length = record->length;
    l->bytes = cm_alloc(record->length + 1);
    memcpy(l->bytes, record->length ? record->payload : "", record->length);
    l->key_length = record->key_length;
    l->key = cm_alloc(record->key_length + 1);
    memcpy(l->key, record->key_length ? record->key : "", record->key_length);
    header_text(record, "curmill-worker", l->worker, sizeof l->worker);
    header_text(record, "curmill-topic", l->topic, sizeof l->topic);
    header_text(record, "curmill-partition", l->from_partition, sizeof l->from_partition);
    header_text(record, "curmill-offset", l->from_offset, sizeof l->from_offset);
    header_text(record, "curmill-error-class", l->class, sizeof l->class);
    header_text(record, "curmill-error-code", l->code, sizeof l->code);
    header_text(record, "curmill-error-text", l->text, sizeof l->text);
    return false;
}

static int find_letter(cli *c, letter *l)
{
    cm_error err = {0};
    char topic[CM_TOPIC_NAME_MAX];
    /* NOLINTNEXTLINE(cert-err34-c): so many digits are in range */
    if (sscanf(c->operand[0], "%63[^:]:%9" SCNd32 ":%18" SCNd64, l->lane, &l->partition, &l->offset) != 3)
        return cli_usage(c,
                         "write a dead letter as LANE:PARTITION:OFFSET, as in `curmill dead-letter list`, not \"%s\"",
                         c->operand[0]);
    cm_admin *admin = cm_admin_new(c->config, &err);
    bool done = admin && cm_admin_read(admin, cm_topic_full_name(l->lane, "dead-letter", topic), pick_record, l, &err);
    cm_admin_free(admin);
    if (done && !l->found)
        done = cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_DEAD_LETTER",
                       "there is no dead letter %s; see `curmill dead-letter list`", c->operand[0]);
    return done ? -1 : cli_fail(c, &err);
}

static void free_letter(letter *l)
{
    free(l->bytes);
    free(l->key);
}

int cmd_dead_letter_show(cli *c)
{
    letter l = {0};
    int exit_code = find_letter(c, &l);
    if (exit_code < 0) {
        char *hex = cm_alloc(l.length * 2 + 1);
        cm_hex(l.bytes, l.length, hex);
        exit_code = cli_json_print(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "id", c->operand[0],
                                             "worker", l.worker, "topic", l.topic, "partition", l.from_partition,
                                             "offset", l.from_offset, "code", l.code, "error", l.text, "bytes",
                                             (json_int_t)l.length, "payload_hex", hex));
        free(hex);
    }
    free_letter(&l);
    return exit_code;
}

int cmd_dead_letter_redrive(cli *c)
{
    cm_error err = {0};
    letter l = {0};
    char object[256];
    int exit_code = 0;
    if (!cli_pg(c, &exit_code))
        return exit_code;
    exit_code = find_letter(c, &l);
    if (exit_code >= 0)
        return exit_code;
    cm_producer *producer = cm_producer_new(c->config, "curmill", &err);
    snprintf(object, sizeof object, "dead-letter:%s", c->operand[0]);
    bool done =
        producer &&
        cm_producer_send(producer, l.topic, (int32_t)strtol(l.from_partition, NULL, 10), l.key, l.key_length, l.bytes,
                         l.length, NULL, 0, NULL, &err) &&
        cm_producer_flush(producer, 30000, &err) &&
        cm_store_audit(c->pg_, cli_now(c), cli_value(c, "by"), "dead-letter.redriven", object, l.text, NULL, &err);
    cm_producer_free(producer);
    free_letter(&l);
    if (!done)
        return cli_fail(c, &err);
    cli_note(c, "sent to %s again", l.topic);
    return 0;
}
