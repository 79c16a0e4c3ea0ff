/* What commands share: options, errors, database, catalog, lanes. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cli_value(const cli *c, const char *option)
{
    for (int i = 0; i < c->given_count; i++) {
        if (strcmp(c->given[i].option, option) == 0)
            return c->given[i].value;
    }
    return NULL;
}

bool cli_switch(const cli *c, const char *option)
{
    for (int i = 0; i < c->given_count; i++) {
        if (strcmp(c->given[i].option, option) == 0)
            return true;
    }
    return false;
}

int cli_values(const cli *c, const char *option, const char **into, int most)
{
    int count = 0;
    for (int i = 0; i < c->given_count && count < most; i++) {
        if (strcmp(c->given[i].option, option) == 0)
            into[count++] = c->given[i].value;
    }
    return count;
}

cm_instant cli_now(const cli *c)
{
    return c->clock.now(&c->clock);
}

int cli_fail(const cli *c, const cm_error *err)
{
    (void)c;
    cli_put(stderr, "curmill: %s\n", err->text);
    /* What ends a worker (71) is here a dependency that is not as it must be: a schema of another version. */
    return err->class == CM_ERROR_FATAL ? 4 : cm_error_exit_code(err);
}

static void put_line(const char *before, const char *format, va_list arguments, const char *after)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        cm_assert(!"memory");
    cli_put(stderr, "%s%s%s\n", before, text, after);
    free(text);
}

int cli_usage(const cli *c, const char *format, ...)
{
    char help[256];
    va_list arguments;
    snprintf(help, sizeof help, " (`%s --help`)", *c->path ? c->path : "curmill");
    va_start(arguments, format);
    put_line("curmill: ", format, arguments, help);
    va_end(arguments);
    return 1;
}

void cli_note(const cli *c, const char *format, ...)
{
    if (c->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    put_line("", format, arguments, "");
    va_end(arguments);
}

cm_pg *cli_pg(cli *c, int *ret_exit)
{
    cm_error err = {0};
    if (c->pg_)
        return c->pg_;
    const char *database = cm_config_text(c->config, "database");
    if (!*database)
        cm_fail(&err, CM_ERROR_INVALID, "NO_DATABASE",
                "no database is configured: give --database, CURMILL_DATABASE or `database = ...` in --config FILE");
    else
        c->pg_ = cm_pg_open(database, "curmill", &err);
    if (c->pg_ && !cm_pg_check_schema(c->pg_, &err)) {
        cm_pg_close(c->pg_);
        c->pg_ = NULL;
    }
    if (!c->pg_)
        *ret_exit = cli_fail(c, &err);
    return c->pg_;
}

bool cli_period(const cli *c, cm_period *ret, int *ret_exit)
{
    const char *text = cli_value(c, "period");
    if (text && cm_period_parse(cm_slice_of(text), ret))
        return true;
    *ret_exit = cli_usage(c, "--period is a month such as 2025-06, not \"%s\"", text ? text : "");
    return false;
}

bool cli_periods(const cli *c, const char *option, cm_period *ret_first, cm_period *ret_last, int *ret_exit)
{
    const char *text = cli_value(c, option);
    const char *dots = text ? strstr(text, "..") : NULL;
    if (text && cm_period_parse((cm_slice){text, dots ? (size_t)(dots - text) : strlen(text)}, ret_first) &&
        cm_period_parse(cm_slice_of(dots ? dots + 2 : text), ret_last) &&
        cm_period_start(*ret_first) <= cm_period_start(*ret_last))
        return true;
    *ret_exit = cli_usage(c, "--%s is a month such as 2025-06, or several such as 2025-05..2025-06, not \"%s\"", option,
                          text ? text : "");
    return false;
}

bool cli_archive(cli *c, const cm_archive **ret, int *ret_exit)
{
    cm_error err = {0};
    const char *path = cm_config_text(c->config, "archive.path");
    if (*path && !c->archive_) {
        c->archive_ = cm_archive_open(path, &err);
        if (!c->archive_)
            *ret_exit = cli_fail(c, &err);
    }
    *ret = c->archive_;
    return !*path || c->archive_;
}

enum cm_archive_policy cli_archive_policy(const cli *c)
{
    if (!*cm_config_text(c->config, "archive.path"))
        return CM_ARCHIVE_NONE;
    return cm_config_boolean(c->config, "archive.all") ? CM_ARCHIVE_ALL : CM_ARCHIVE_OVERWRITTEN;
}

cm_catalog *cli_catalog(cli *c, int *ret_exit)
{
    cm_error err = {0};
    char id[CM_ID_HEX];
    cm_catalog *catalog = NULL;
    cm_pg *pg = cli_pg(c, ret_exit);
    if (!pg)
        return NULL;
    if (!cm_store_catalog_in_force(pg, cli_now(c), id, &err) || !cm_store_catalog_load(pg, id, &catalog, &err))
        *ret_exit = cli_fail(c, &err);
    return catalog;
}

const char **cli_lanes(const cli *c)
{
    const char *text = cm_config_text(c->config, "lanes");
    size_t most = strlen(text) / 2 + 2; /* a letter and a comma each */
    const char **lanes = cm_alloc(most * sizeof *lanes + strlen(text) + 1);
    char *copy = (char *)(lanes + most), *save = NULL;
    size_t count = 0;
    memcpy(copy, text, strlen(text) + 1);
    for (char *lane = strtok_r(copy, ", ", &save); lane; lane = strtok_r(NULL, ", ", &save))
        lanes[count++] = lane;
    lanes[count] = NULL;
    return lanes;
}

bool cli_knows_lane(const cli *c, const char *lane)
{
    const char **lanes = cli_lanes(c);
    bool known = false;
    for (size_t i = 0; lanes[i]; i++)
        known |= strcmp(lanes[i], lane) == 0;
    free(lanes);
    return known;
}

int cli_each_lane(const cli *c, int (*each)(cli *c, const char *lane, void *opaque), cli *self, void *opaque)
{
    const char *only = cli_value(c, "lane");
    const char **lanes = cli_lanes(c);
    int exit_code = only ? each(self, only, opaque) : 0;
    for (size_t i = 0; !only && lanes[i] && exit_code == 0; i++)
        exit_code = each(self, lanes[i], opaque);
    free(lanes);
    return exit_code;
}
