#include "internal.h"

/*
 * Every setting of every curmill program, so that one file and one environment can serve them all: a key listed here is
 * accepted in a file and in the environment even by programs that do not use it. Add a program's new key here;
 * test-config fails if a table of the common settings has one that is missing. kafka.<property> needs no entry.
 */
const char *const cm_known_keys[] = {
    /* all workers */
    "lane",
    "lanes",
    "database",
    "health.port",
    "health.address",
    "log.level",
    "log.format",
    /* ingest-cur */
    "scan.interval.seconds",
    "shards",
    "archive.path",
    "archive.all",
    /* invoice-writer */
    "delivery.late.hours",
    "statement.message.bytes",
    /* org-linker */
    "links.interval.seconds",
    "aws.interval.seconds",
    "aws.slice.seconds",
    "aws.calls.per.minute",
    "aws.invitations.per.day",
    /* tax-inheritance-checker */
    "tax.check.interval.seconds",
    "tax.retry.seconds",
    "tax.max.age.hours",
    /* curmill */
    "topic.partitions",
    "topic.replication",
    NULL,
};

/* Names with our prefix that are not settings: the local stack's, the tests', the clock of tests, the settings file. */
const char *const cm_known_environment[] = {
    "CURMILL_CONFIG",   "CURMILL_HOME",    "CURMILL_PORT_BASE", "CURMILL_CLOCK",    "CURMILL_SAMPLES",
    "CURMILL_BUILD",    "CURMILL_PRESET",  "CURMILL_SANITIZE",  "CURMILL_TSAN",     "CURMILL_COVERAGE",
    "CURMILL_TESTS",    "CURMILL_VERSION", "CURMILL_FAULT",     "CURMILL_FAULTS",   "CURMILL_BIN",
    "CURMILL_REPLICAS", "CURMILL_WORKERS", "CURMILL_SEED",      "CURMILL_GENERATE", NULL,
};
