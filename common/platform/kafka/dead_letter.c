#include "platform/kafka/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { THEIR_HEADERS_MAX = 16, OUR_HEADERS = 7 };

static cm_header text_header(const char *name, const char *text)
{
    return (cm_header){name, text, strlen(text)};
}

bool cm_dead_letter(cm_producer *producer, const char *lane, const char *worker, const cm_record *record,
                    const cm_error *why, cm_error *err)
{
    char topic[CM_TOPIC_NAME_MAX], partition[16], offset[24];
    cm_header headers[OUR_HEADERS + THEIR_HEADERS_MAX];
    size_t count = 0;
    snprintf(partition, sizeof partition, "%" PRId32, record->partition);
    snprintf(offset, sizeof offset, "%" PRId64, record->offset);
    headers[count++] = text_header("curmill-topic", record->topic);
    headers[count++] = text_header("curmill-partition", partition);
    headers[count++] = text_header("curmill-offset", offset);
    headers[count++] = text_header("curmill-worker", worker);
    headers[count++] = text_header("curmill-error-class", cm_error_class_name(why->class));
    headers[count++] = text_header("curmill-error-code", why->code);
    headers[count++] = text_header("curmill-error-text", why->text);
    rd_kafka_headers_t *theirs = NULL;
    if (record->message)
        rd_kafka_message_headers(record->message, &theirs);
    for (size_t i = 0; theirs && i < THEIR_HEADERS_MAX; i++) {
        cm_header *header = &headers[count];
        if (rd_kafka_header_get_all(theirs, i, &header->name, &header->value, &header->length))
            break;
        count++;
    }
    return cm_producer_send(producer, cm_topic_full_name(lane, "dead-letter", topic), -1, record->key,
                            record->key_length, record->payload, record->length, headers, count, record->input, err);
}
