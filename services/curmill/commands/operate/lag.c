/* lag: how far behind each worker is, in records and in seconds, is it moving, when will it be done (operations.md
 * section 1). */
#include "cli/cli.h"
#include "commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct stage {
    const char *worker, *topic;
} stages[] = {{"ingest-cur", "chunk.planned"},
              {"rate-engine", "line.ingested"},
              {"invoice-writer", "line.rated"},
              {"org-linker", "account.observed"}};
enum { STAGES = 4, LANES_MAX = 32, SAMPLE_US = 1000000, WATCH_US = 2000000 };

typedef struct sample {
    char lane[64];
    int partitions;
    int64_t lag, committed, oldest_ms;
} sample;

typedef struct samples {
    cm_admin *admin;
    sample list[LANES_MAX][STAGES];
    int lanes;
} samples;

static int take_lane(cli *c, const char *lane, void *opaque)
{
    samples *all = opaque;
    cm_error err = {0};
    if (all->lanes == LANES_MAX)
        return 0;
    for (int i = 0; i < STAGES; i++) {
        char topic[CM_TOPIC_NAME_MAX], group[CM_TOPIC_NAME_MAX];
        cm_lag *lags = NULL;
        size_t count = 0;
        sample *one = &all->list[all->lanes][i];
        *one = (sample){.oldest_ms = -1};
        snprintf(one->lane, sizeof one->lane, "%s", lane);
        snprintf(group, sizeof group, "curmill.%s.%s", lane, stages[i].worker);
        cm_topic_full_name(lane, stages[i].topic, topic);
        if (!cm_admin_lag(all->admin, group, topic, &lags, &count, &err))
            return cli_fail(c, &err);
        one->partitions = (int)count;
        for (size_t p = 0; p < count; p++) {
            one->lag += lags[p].lag;
            one->committed += lags[p].committed > 0 ? lags[p].committed : 0;
            if (lags[p].oldest_unread_ms >= 0 && (one->oldest_ms < 0 || lags[p].oldest_unread_ms < one->oldest_ms))
                one->oldest_ms = lags[p].oldest_unread_ms;
        }
        free(lags);
    }
    all->lanes++;
    return 0;
}

static bool any_lag(const samples *all)
{
    for (int lane = 0; lane < all->lanes; lane++) {
        for (int i = 0; i < STAGES; i++) {
            if (all->list[lane][i].lag)
                return true;
        }
    }
    return false;
}

static int print_samples(cli *c, const samples *before, const samples *now, int64_t between_ms)
{
    static const cli_column columns[] = {{"lane", CLI_TEXT},          {"worker", CLI_TEXT},
                                         {"topic", CLI_TEXT},         {"partitions", CLI_NUMBER},
                                         {"lag_records", CLI_NUMBER}, {"oldest_unread_seconds", CLI_NUMBER},
                                         {"moving", CLI_BOOLEAN},     {"records_per_second", CLI_NUMBER},
                                         {"eta_seconds", CLI_NUMBER}};
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t now_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000;
    cli_table *table = cli_table_new(columns, 9);
    for (int lane = 0; lane < now->lanes; lane++) {
        for (int i = 0; i < STAGES; i++) {
            const sample *s = &now->list[lane][i];
            char topic[CM_TOPIC_NAME_MAX], cell[5][32];
            int64_t drained = before && lane < before->lanes ? s->committed - before->list[lane][i].committed : 0;
            int64_t rate = between_ms > 0 ? drained * 1000 / between_ms : 0;
            bool fell = before && lane < before->lanes && drained > 0;
            snprintf(cell[0], 32, "%d", s->partitions);
            snprintf(cell[1], 32, "%" PRId64, s->lag);
            snprintf(cell[2], 32, "%" PRId64,
                     s->oldest_ms < 0 || now_ms < s->oldest_ms ? 0 : (now_ms - s->oldest_ms) / 1000);
            snprintf(cell[3], 32, "%" PRId64, rate);
            snprintf(cell[4], 32, "%" PRId64, rate > 0 ? s->lag / rate : 0);
            const char *cells[] = {
                s->lane,          stages[i].worker, cm_topic_full_name(s->lane, stages[i].topic, topic),
                cell[0],          cell[1],          cell[2],
                fell ? "t" : "f", cell[3],          s->lag == 0 || rate > 0 ? cell[4] : NULL};
            cli_table_add(table, cells);
        }
    }
    return cli_table_print(c, table);
}

int cmd_lag(cli *c)
{
    cm_error err = {0};
    static samples before, now;
    now.admin = before.admin = cm_admin_new(c->config, &err);
    if (!now.admin)
        return cli_fail(c, &err);
    bool watch = cli_switch(c, "watch");
    int exit_code = cli_each_lane(c, take_lane, c, &before);
    do {
        int64_t began = cm_monotonic_milliseconds();
        if (exit_code == 0 && (watch || any_lag(&before)))
            usleep(watch ? WATCH_US : SAMPLE_US);
        now.lanes = 0;
        if (exit_code == 0)
            exit_code = cli_each_lane(c, take_lane, c, &now);
        if (watch && c->format == CLI_TABLE)
            fputs("\033[H\033[2J", stdout);
        if (exit_code == 0)
            exit_code = print_samples(c, &before, &now, cm_monotonic_milliseconds() - began);
        fflush(stdout);
        before = now;
    } while (watch && exit_code == 0);
    cm_admin_free(now.admin);
    return exit_code;
}
