#include "platform/kafka/kafka.h"

#include <stdio.h>
#include <string.h>

#define DAYS_MS(days) ((int64_t)(days)*86400 * 1000)

const cm_topic cm_topics[] = {
    {"chunk.planned", 1, false, DAYS_MS(7), 0},
    {"line.ingested", 1, false, DAYS_MS(7), 0},
    {"line.rated", 1, false, DAYS_MS(7), 0},
    {"account.observed", 1, false, DAYS_MS(7), 0},
    {"account.link", 1, true, -1, 1},               /* the latest record of each account is kept */
    {"statement.issued", 1, false, DAYS_MS(90), 1}, /* in the order of issue; the documents stay in PostgreSQL */
    {"tax.verdict", 1, true, -1, 1},                /* the last verdict of each account */
    {"dead-letter", 1, false, DAYS_MS(90), 1},
    {0},
};

char *cm_topic_full_name(const char *lane, const char *name, char into[static CM_TOPIC_NAME_MAX])
{
    for (const cm_topic *topic = cm_topics; topic->name; topic++) {
        if (strcmp(topic->name, name) != 0)
            continue;
        int length = snprintf(into, CM_TOPIC_NAME_MAX, "curmill.%s.%s.v%d", lane, name, topic->version);
        cm_assert(length > 0 && length < CM_TOPIC_NAME_MAX);
        return into;
    }
    cm_bug(__FILE__, __LINE__, name); /* not in the table */
}
