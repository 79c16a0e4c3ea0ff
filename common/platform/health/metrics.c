/*
 * The registry: metrics are appended at start and never freed; values are atomics. Format: Prometheus "Text-based
 * exposition format" 0.0.4: HELP and TYPE once for a name, all its series behind them.
 */
#include "platform/health/internal.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "curmill_"

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

/* Upper bounds in microseconds: from a fast commit to a slow one, from a small file to a large one. */
static const int64_t bounds_us[] = {1000,   2500,    5000,    10000,   25000,    50000,    100000,   250000,
                                    500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 300000000};
enum { BOUNDS = sizeof bounds_us / sizeof *bounds_us };

struct cm_metric {
    enum kind kind;
    char *name, *labels, *help; /* labels "" if none */
    _Atomic bool shown;
    _Atomic int64_t value;               /* histogram: sum in microseconds */
    _Atomic int64_t buckets[BOUNDS + 1]; /* not cumulative; the last one is +Inf */
    cm_metric *next;
};

static struct {
    pthread_mutex_t lock; /* of the list, not of the values */
    cm_metric *first, *last;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- registering ------------------------------------------------------------------------------------------------- */

static cm_metric *find(const char *name, const char *labels)
{
    for (cm_metric *m = registry.first; m; m = m->next) {
        if (strcmp(m->name, name) == 0 && strcmp(m->labels, labels) == 0)
            return m;
    }
    return NULL;
}

static bool valid_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static cm_metric *registered(enum kind kind, const char *name, const char *labels, const char *help)
{
    cm_assert(valid_name(name));
    labels = labels ? labels : "";
    pthread_mutex_lock(&registry.lock);
    cm_metric *metric = find(name, labels);
    if (!metric) {
        metric = cm_alloc(sizeof *metric);
        metric->kind = kind;
        metric->name = cm_strdup(name);
        metric->labels = cm_strdup(labels);
        metric->help = cm_strdup(help);
        metric->shown = kind != GAUGE; /* a gauge that was never set has no value */
        if (registry.last)
            registry.last->next = metric;
        else
            registry.first = metric;
        registry.last = metric;
    }
    pthread_mutex_unlock(&registry.lock);
    cm_assert(metric->kind == kind);
    return metric;
}

cm_metric *cm_counter(const char *name, const char *labels, const char *help)
{
    return registered(COUNTER, name, labels, help);
}

cm_metric *cm_gauge(const char *name, const char *labels, const char *help)
{
    return registered(GAUGE, name, labels, help);
}

cm_metric *cm_histogram(const char *name, const char *labels, const char *help)
{
    return registered(HISTOGRAM, name, labels, help);
}

char *cm_label(const char *name, const char *value, char *into, size_t size)
{
    size_t at = (size_t)snprintf(into, size, "%s=\"", name);
    cm_assert(at < size);
    for (; *value; value++) {
        char escape = *value == '\n' ? 'n' : *value == '"' || *value == '\\' ? *value : 0;
        cm_assert(at + 4 < size);
        if (escape)
            into[at++] = '\\';
        into[at++] = escape ? escape : *value;
    }
    into[at++] = '"';
    into[at] = '\0';
    return into;
}

/* --- values ------------------------------------------------------------------------------------------------------ */

void cm_metric_add(cm_metric *metric, int64_t delta)
{
    cm_assert(metric->kind == GAUGE || (metric->kind == COUNTER && delta >= 0));
    atomic_fetch_add_explicit(&metric->value, delta, memory_order_relaxed);
    atomic_store_explicit(&metric->shown, true, memory_order_relaxed);
}

void cm_metric_set(cm_metric *metric, int64_t value)
{
    cm_assert(metric->kind == GAUGE);
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
    atomic_store_explicit(&metric->shown, true, memory_order_relaxed);
}

void cm_metric_observe_us(cm_metric *metric, int64_t microseconds)
{
    cm_assert(metric->kind == HISTOGRAM);
    if (microseconds < 0)
        microseconds = 0; /* the clock was set back */
    int bucket = 0;
    while (bucket < BOUNDS && microseconds > bounds_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->value, microseconds, memory_order_relaxed);
    atomic_store_explicit(&metric->shown, true, memory_order_relaxed);
}

void cm_metric_drop(cm_metric *metric)
{
    atomic_store_explicit(&metric->shown, false, memory_order_relaxed);
}

/* --- printing ---------------------------------------------------------------------------------------------------- */

/* 2500000 -> "2.5": exact, by integer arithmetic. */
static const char *seconds(int64_t microseconds, char into[static 32])
{
    int length = snprintf(into, 32, "%" PRId64 ".%06" PRId64, microseconds / 1000000, microseconds % 1000000);
    while (into[length - 1] == '0')
        into[--length] = '\0';
    if (into[length - 1] == '.')
        into[--length] = '\0';
    return into;
}

static void print_histogram(cm_buffer *into, const cm_metric *m)
{
    const char *comma = *m->labels ? "," : "", *open = *m->labels ? "{" : "", *close = *m->labels ? "}" : "";
    char text[32];
    int64_t count = 0;
    for (int i = 0; i <= BOUNDS; i++) {
        count += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
        cm_buffer_printf(into, PREFIX "%s_bucket{%s%sle=\"%s\"} %" PRId64 "\n", m->name, m->labels, comma,
                         i < BOUNDS ? seconds(bounds_us[i], text) : "+Inf", count);
    }
    int64_t sum = atomic_load_explicit(&m->value, memory_order_relaxed);
    cm_buffer_printf(into, PREFIX "%s_sum%s%s%s %s\n", m->name, open, m->labels, close, seconds(sum, text));
    cm_buffer_printf(into, PREFIX "%s_count%s%s%s %" PRId64 "\n", m->name, open, m->labels, close, count);
}

static void print_series(cm_buffer *into, const cm_metric *m)
{
    if (!atomic_load_explicit(&m->shown, memory_order_relaxed))
        return;
    if (m->kind == HISTOGRAM) {
        print_histogram(into, m);
        return;
    }
    const char *open = *m->labels ? "{" : "", *close = *m->labels ? "}" : "";
    cm_buffer_printf(into, PREFIX "%s%s%s%s %" PRId64 "\n", m->name, open, m->labels, close,
                     atomic_load_explicit(&m->value, memory_order_relaxed));
}

static void print_head(cm_buffer *into, const cm_metric *m)
{
    cm_buffer_printf(into, "# HELP " PREFIX "%s ", m->name);
    for (const char *c = m->help; *c; c++) {
        if (*c == '\n')
            cm_buffer_text(into, "\\n");
        else if (*c == '\\')
            cm_buffer_text(into, "\\\\");
        else
            cm_buffer_char(into, *c);
    }
    cm_buffer_printf(into, "\n# TYPE " PREFIX "%s %s\n", m->name, kind_names[m->kind]);
}

static bool first_of_name(const cm_metric *metric)
{
    const cm_metric *m = registry.first;
    while (strcmp(m->name, metric->name) != 0)
        m = m->next;
    return m == metric;
}

static int64_t resident_bytes(void)
{
    long long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    /* NOLINTNEXTLINE(cert-err34-c): numbers of the kernel */
    if (fscanf(file, "%lld %lld", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

void cm_metrics_print(cm_buffer *into)
{
    char label[64];
    cm_metric_set(cm_gauge("process_resident_memory_bytes", NULL, "Resident memory of this process."),
                  resident_bytes());
    cm_metric_set(cm_gauge("build_info", cm_label("version", CURMILL_VERSION, label, sizeof label),
                           "Version of the program, always 1."),
                  1);
    pthread_mutex_lock(&registry.lock);
    for (const cm_metric *m = registry.first; m; m = m->next) {
        if (!first_of_name(m))
            continue;
        print_head(into, m);
        for (const cm_metric *same = m; same; same = same->next) {
            if (strcmp(same->name, m->name) == 0)
                print_series(into, same);
        }
    }
    pthread_mutex_unlock(&registry.lock);
}
