/* migrate, topic create, topic list. */
#include "cli/cli.h"
#include "commands/commands.h"

#include <stdio.h>

int cmd_migrate(cli *c)
{
    cm_error err = {0};
    int from = 0, to = 0;
    cm_pg *pg = cm_pg_open(cm_config_text(c->config, "database"), "curmill", &err);
    if (!pg)
        return cli_fail(c, &err);
    bool done = cm_pg_migrate(pg, &from, &to, &err);
    cm_pg_close(pg);
    if (!done)
        return cli_fail(c, &err);
    if (from == to)
        cli_note(c, "the database already has schema version %d; nothing was done", to);
    else
        cli_note(c, "schema %d -> %d", from, to);
    return 0;
}

static int create_topics(cli *c, const char *lane, void *opaque)
{
    cm_error err = {0};
    int created = 0;
    if (!cm_admin_create_topics(opaque, lane, (int)cm_config_integer(c->config, "topic.partitions"),
                                (int)cm_config_integer(c->config, "topic.replication"), &created, &err))
        return cli_fail(c, &err);
    cli_note(c, "lane %s: %d topics created", lane, created);
    return 0;
}

static int with_admin(cli *c, int (*each)(cli *c, const char *lane, void *opaque))
{
    cm_error err = {0};
    cm_admin *admin = cm_admin_new(c->config, &err);
    if (!admin)
        return cli_fail(c, &err);
    int exit_code = cli_each_lane(c, each, c, admin);
    cm_admin_free(admin);
    return exit_code;
}

int cmd_topic_create(cli *c)
{
    return with_admin(c, create_topics);
}

typedef struct listing {
    cm_admin *admin;
    cli_table *table;
} listing;

static int list_topics(cli *c, const char *lane, void *opaque)
{
    listing *l = opaque;
    cm_error err = {0};
    for (const cm_topic *topic = cm_topics; topic->name; topic++) {
        char name[CM_TOPIC_NAME_MAX], number[16];
        int partitions = 0;
        cm_topic_full_name(lane, topic->name, name);
        if (!cm_admin_partitions(l->admin, name, &partitions, &err))
            return cli_fail(c, &err);
        snprintf(number, sizeof number, "%d", partitions);
        cli_table_add(l->table, (const char *const[]){lane, name, number});
    }
    return 0;
}

int cmd_topic_list(cli *c)
{
    static const cli_column columns[] = {{"lane", CLI_TEXT}, {"topic", CLI_TEXT}, {"partitions", CLI_NUMBER}};
    cm_error err = {0};
    listing l = {.admin = cm_admin_new(c->config, &err)};
    if (!l.admin)
        return cli_fail(c, &err);
    l.table = cli_table_new(columns, 3);
    int exit_code = cli_each_lane(c, list_topics, c, &l);
    cm_admin_free(l.admin);
    if (exit_code == 0)
        return cli_table_print(c, l.table);
    cli_table_free(l.table);
    return exit_code;
}
