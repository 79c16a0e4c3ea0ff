#include "platform/health/internal.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text;

static void print(void)
{
    cm_buffer buffer = {0};
    cm_buffer_char(&buffer, '\n'); /* so that `has` can ask for whole lines */
    cm_metrics_print(&buffer);
    free(text);
    text = cm_buffer_take(&buffer);
}

static void has(const char *lines)
{
    char with_newline[2048];
    snprintf(with_newline, sizeof with_newline, "\n%s\n", lines);
    cr_assert(strstr(text, with_newline) != NULL, "not in the page: %s\n---\n%s", lines, text);
}

static void has_not(const char *part)
{
    cr_assert(strstr(text, part) == NULL, "%s\n---\n%s", part, text);
}

static void end(void)
{
    free(text);
}

Test(metrics, names_are_grouped_and_described_once, .fini = end)
{
    cm_metric *rated = cm_counter("records_total", "outcome=\"rated\"", "Records by outcome.");
    cm_metric *open = cm_gauge("inputs_open", NULL, "Tokens \\ not done\nyet.");
    cm_metric *dead = cm_counter("records_total", "outcome=\"dead\"", "Records by outcome.");
    cm_metric_add(rated, 5);
    cm_metric_add(rated, 2);
    cm_metric_set(open, -3);
    print();
    has("# HELP curmill_records_total Records by outcome.\n# TYPE curmill_records_total counter\n"
        "curmill_records_total{outcome=\"rated\"} 7\ncurmill_records_total{outcome=\"dead\"} 0");
    has("# HELP curmill_inputs_open Tokens \\\\ not done\\nyet.\n# TYPE curmill_inputs_open gauge\ncurmill_inputs_open "
        "-3");
    cr_assert_eq(cm_counter("records_total", "outcome=\"dead\"", "again"), dead); /* the same series */
    cm_metric_add(open, 10);
    print();
    has("curmill_inputs_open 7");
}

Test(metrics, dropped_series_is_gone_until_set_again, .fini = end)
{
    cm_metric *lag = cm_gauge("lag_records", "partition=\"3\"", "Lag.");
    print();
    has_not("partition=\"3\""); /* never set: no value */
    cm_metric_set(lag, 4);
    print();
    has("curmill_lag_records{partition=\"3\"} 4");
    cm_metric_drop(lag);
    print();
    has_not("partition=\"3\"");
    cm_metric_set(lag, 5);
    print();
    has("curmill_lag_records{partition=\"3\"} 5");
}

Test(metrics, histogram_in_seconds_by_integers, .fini = end)
{
    cm_metric *h = cm_histogram("commit_duration_seconds", "db=\"a\"", "Commits.");
    cm_metric_observe_us(h, 0);
    cm_metric_observe_us(h, 1000);      /* on the bound: inside */
    cm_metric_observe_us(h, 1001);      /* next bucket */
    cm_metric_observe_us(h, 999999999); /* above all */
    cm_metric_observe_us(h, -5);        /* clock set back: counts as 0 */
    print();
    has("# TYPE curmill_commit_duration_seconds histogram\n"
        "curmill_commit_duration_seconds_bucket{db=\"a\",le=\"0.001\"} 3\n"
        "curmill_commit_duration_seconds_bucket{db=\"a\",le=\"0.0025\"} 4");
    has("curmill_commit_duration_seconds_bucket{db=\"a\",le=\"300\"} 4\n"
        "curmill_commit_duration_seconds_bucket{db=\"a\",le=\"+Inf\"} 5\n"
        "curmill_commit_duration_seconds_sum{db=\"a\"} 1000.002\n"
        "curmill_commit_duration_seconds_count{db=\"a\"} 5");
    cm_histogram("plain_seconds", NULL, "Plain.");
    print();
    has("curmill_plain_seconds_bucket{le=\"0.001\"} 0");
    has("curmill_plain_seconds_sum 0\ncurmill_plain_seconds_count 0");
}

Test(metrics, label_values_are_escaped)
{
    char label[64];
    cr_assert_str_eq(cm_label("reason", "a\"b\\c\nd", label, sizeof label), "reason=\"a\\\"b\\\\c\\nd\"");
}

Test(metrics, build_and_memory, .fini = end)
{
    print();
    has("curmill_build_info{version=\"" CURMILL_VERSION "\"} 1");
    const char *line = strstr(text, "\ncurmill_process_resident_memory_bytes ");
    cr_assert_not_null(line);
    long long bytes = strtoll(strchr(line + 1, ' '), NULL, 10);
    cr_assert(bytes > 500000 && bytes % 4096 == 0, "%lld", bytes);
}

static void *count(void *metric)
{
    for (int i = 0; i < 100000; i++)
        cm_metric_add(metric, 1);
    return NULL;
}

Test(metrics, any_thread, .fini = end)
{
    cm_metric *metric = cm_counter("threads_total", NULL, "Threads.");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count, metric);
    print();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    print();
    has("curmill_threads_total 400000");
}
