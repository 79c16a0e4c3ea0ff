/* curmill: parses by the tree, loads the settings, runs one command. */
#include "cli/cli.h"
#include "commands/commands.h"
#include "tree.h"

#include "base/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cm_setting settings[] = {
    {"lanes", CM_SETTING_TEXT, "tdsynnex,ingram", 0, 0, NULL, false, "lanes of this installation, comma separated"},
    {"topic.partitions", CM_SETTING_INTEGER, "8", 1, 1000, NULL, false,
     "partitions of topics that `topic create` makes"},
    {"delivery.late.hours", CM_SETTING_INTEGER, "30", 1, 8760, NULL, false,
     "an open month without a new delivery for so long is told as DELIVERY_LATE"},
    {"archive.path", CM_SETTING_TEXT, "", 0, 0, NULL, false,
     "folder with copies of deliveries, as ingest-cur has it; empty: none"},
    {"archive.all", CM_SETTING_BOOLEAN, "false", 0, 0, NULL, false,
     "copies of all deliveries are kept, as ingest-cur has it"},
    {"topic.replication", CM_SETTING_INTEGER, "-1", -1, 100, NULL, false,
     "their replication factor; -1: the broker's default"},
    {0},
};

static bool is_global_setting(const char *name, size_t length)
{
    static const char *const own[] = {"config",           "database",          "lanes",
                                      "topic.partitions", "topic.replication", "archive.path",
                                      "archive.all",      "log.level",         "log.format"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strlen(own[i]) == length && strncmp(own[i], name, length) == 0)
            return true;
    }
    return length > 6 && strncmp(name, "kafka.", 6) == 0;
}

static void print_command_line(const cli_command *command, const char *path)
{
    fprintf(stdout, "usage: %s", path);
    if (command->children)
        fputs(command->run ? " [COMMAND]" : " COMMAND", stdout);
    if (command->operands)
        fprintf(stdout, " %s", command->operands);
    for (const cli_option *o = command->options; o && o->name; o++)
        fprintf(stdout, o->required ? " --%s%s%s%s" : " [--%s%s%s%s]", o->name, o->argument ? " " : "",
                o->argument ? o->argument : "", o->many ? "..." : "");
    fprintf(stdout, "\n\n%s\n", command->summary);
}

static int print_help(const cli_command *command, const char *path)
{
    print_command_line(command, path);
    if (command->children) {
        fputs("\ncommands:\n", stdout);
        for (const cli_command *child = command->children; child->name; child++)
            fprintf(stdout, "  %-14s %s\n", child->name, child->summary);
    }
    if (command->options) {
        fputs("\noptions:\n", stdout);
        for (const cli_option *o = command->options; o->name; o++)
            fprintf(stdout, "  --%s%s%-*s %s\n", o->name, o->argument ? " " : "", (int)(18 - strlen(o->name)),
                    o->argument ? o->argument : "", o->help);
    }
    fputs(
        "\nglobal options:\n"
        "  --format table|json|csv   default: table on a terminal, else json\n"
        "  --config FILE             settings file (also CURMILL_CONFIG)\n"
        "  --database CONNECTION     libpq connection string\n"
        "  --kafka.PROPERTY VALUE    any librdkafka property\n"
        "  --wide                    tables: ids whole, nothing cut to the terminal's width\n"
        "  --quiet                   no notes and no progress on standard error\n"
        "  --help, --version, --print-config\n"
        "\nexit codes: 0 done, 1 wrong usage, 2 refused by a rule, 3 not found, 4 a dependency is unavailable, 70 a bug\n",
        stdout);
    return 0;
}

/* Takes the settings out of the words; the rest is the command's. */
static void split_words(int argc, char **argv, char **for_config, int *ret_config, char **rest, int *ret_rest)
{
    *ret_config = *ret_rest = 0;
    for_config[(*ret_config)++] = argv[0];
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        size_t length = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;
        /* `--version N` is an option of commands: compare-and-set. */
        bool own_version = i + 1 < argc && argv[i + 1][0] >= '0' && argv[i + 1][0] <= '9';
        if (strcmp(word, "--print-config") == 0 || (strcmp(word, "--version") == 0 && !own_version)) {
            for_config[(*ret_config)++] = argv[i];
        } else if (length && is_global_setting(word + 2, length)) {
            for_config[(*ret_config)++] = argv[i];
            if (word[2 + length] != '=' && i + 1 < argc)
                for_config[(*ret_config)++] = argv[++i];
        } else {
            rest[(*ret_rest)++] = argv[i];
        }
    }
}

static const cli_option *find_option(const cli_command *command, const char *name, size_t length)
{
    for (const cli_option *o = command->options; o && o->name; o++) {
        if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
            return o;
    }
    return NULL;
}

static bool give(cli *c, const char *option, const char *value)
{
    if (c->given_count == CLI_VALUES_MAX)
        return false;
    c->given[c->given_count].option = option;
    c->given[c->given_count++].value = value;
    return true;
}

/* The values of one option; *at stands on the option's word and is moved over its values. -1: fine. */
static int take_option(cli *c, char **words, int count, int *at)
{
    const char *word = words[*at] + 2;
    size_t length = strcspn(word, "=");
    const cli_option *option = find_option(c->command, word, length);
    if (!option)
        return cli_usage(c, "unknown option --%.*s", (int)length, word);
    if (!option->argument) {
        if (word[length])
            return cli_usage(c, "--%s takes no value", option->name);
        (void)give(c, option->name, NULL);
        return -1;
    }
    if (!option->many && cli_value(c, option->name))
        return cli_usage(c, "--%s is given twice", option->name);
    if (word[length] == '=') {
        (void)give(c, option->name, word + length + 1);
        return -1;
    }
    if (*at + 1 >= count)
        return cli_usage(c, "--%s needs a value: %s", option->name, option->argument);
    do {
        if (!give(c, option->name, words[++*at]))
            return cli_usage(c, "too many values (at most %d)", CLI_VALUES_MAX);
    } while (option->many && *at + 1 < count && strncmp(words[*at + 1], "--", 2) != 0);
    return -1;
}

static int take_format(cli *c, const char *format)
{
    static const char *const names[] = {
        [CLI_TABLE] = "table", [CLI_JSON] = "json", [CLI_CSV] = "csv", [CLI_PDF] = "pdf"};
    for (int i = 0; format && i < 4; i++) {
        if (strcmp(names[i], format) == 0) {
            c->format = (enum cli_format)i;
            c->format_given = true;
            return -1;
        }
    }
    return cli_usage(c, "--format is table, json or csv; `statement export` has json, csv and pdf");
}

/* Global options that are not settings: --format, --wide, --quiet, --help. They may stand anywhere. */
static int take_globals(cli *c, char **words, int *count, bool *ret_help)
{
    int kept = 0, exit_code = -1;
    c->format = isatty(STDOUT_FILENO) ? CLI_TABLE : CLI_JSON;
    for (int i = 0; i < *count && exit_code < 0; i++) {
        if (strcmp(words[i], "--quiet") == 0)
            c->quiet = true;
        else if (strcmp(words[i], "--wide") == 0)
            c->wide = true;
        else if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            *ret_help = true;
        else if (strcmp(words[i], "--format") == 0)
            exit_code = take_format(c, i + 1 < *count ? words[++i] : NULL);
        else if (strncmp(words[i], "--format=", 9) == 0)
            exit_code = take_format(c, words[i] + 9);
        else
            words[kept++] = words[i];
    }
    *count = kept;
    return exit_code;
}

/* Walks down the tree; *at is the first word behind the command. */
static int find_command(cli *c, char **words, int count, int *at)
{
    c->command = &cli_root;
    snprintf(c->path, sizeof c->path, "%s", cli_root.name);
    for (*at = 0; c->command->children && *at < count; (*at)++) {
        const cli_command *child = c->command->children;
        while (child->name && strcmp(child->name, words[*at]) != 0)
            child++;
        if (!child->name && c->command->run)
            break;
        if (!child->name)
            return cli_usage(c, "unknown command \"%s\"", words[*at]);
        c->command = child;
        size_t length = strlen(c->path);
        snprintf(c->path + length, sizeof c->path - length, " %s", child->name);
    }
    return -1;
}

static int take_words(cli *c, char **words, int count, int at)
{
    int exit_code = -1;
    for (; at < count && exit_code < 0; at++) {
        if (strncmp(words[at], "--", 2) == 0)
            exit_code = take_option(c, words, count, &at);
        else if (c->operands < c->command->most_operands)
            c->operand[c->operands++] = words[at];
        else
            exit_code = cli_usage(c, "unexpected argument \"%s\"", words[at]);
    }
    for (const cli_option *o = c->command->options; exit_code < 0 && o && o->name; o++) {
        if (o->required && !cli_value(c, o->name))
            exit_code = cli_usage(c, "--%s %s is missing: %s", o->name, o->argument, o->help);
    }
    cm_period period;
    const cli_option *month = find_option(c->command, "period", strlen("period"));
    bool one_month = month && strcmp(month->argument, "YYYY-MM") == 0;
    if (exit_code < 0 && one_month && cli_value(c, "period") && !cli_period(c, &period, &exit_code))
        return exit_code;
    if (exit_code < 0 && c->operands < c->command->least_operands)
        exit_code = cli_usage(c, "%s is missing", c->command->operands);
    return exit_code;
}

static int parse_and_run(cli *c, char **words, int count)
{
    bool help = false;
    int at;
    int exit_code = take_globals(c, words, &count, &help);
    if (exit_code < 0)
        exit_code = find_command(c, words, count, &at);
    if (exit_code >= 0)
        return exit_code;
    if (help)
        return print_help(c->command, c->path);
    if (!c->command->run) {
        print_help(c->command, c->path);
        return 1;
    }
    if (c->format == CLI_PDF && c->command->run != cmd_statement_export)
        return cli_usage(c, "--format pdf is for `curmill statement export --view VIEW`");
    exit_code = take_words(c, words, count, at);
    return exit_code >= 0 ? exit_code : c->command->run(c);
}

int main(int argc, char **argv)
{
    static cli c; /* large */
    cm_error err = {0};
    const cm_setting *const tables[] = {cm_settings_common, settings, NULL};
    if (cli_reference_print(argc, argv, &cli_root, tables))
        return fflush(stdout) == 0 ? 0 : 4;
    c.clock = cm_clock_from_environment();
    c.command = &cli_root;
    char **for_config = cm_alloc(((size_t)argc + 1) * sizeof *for_config),
         **words = cm_alloc(((size_t)argc + 1) * sizeof *words);
    int config_count, count, rest, exit_code = -1;
    split_words(argc, argv, for_config, &config_count, words, &count);
    c.config = cm_config_load("curmill", cli_root.summary, tables, config_count, for_config, &rest, &exit_code, &err);
    if (!c.config && exit_code < 0)
        exit_code = cli_fail(&c, &err);
    if (exit_code < 0) {
        /* A person reads what the command says, not log lines of a library; a script that collects them gets warnings.
         */
        enum cm_log_level level = isatty(STDERR_FILENO) ? CM_SILENT : CM_WARN;
        cm_log_setup("curmill", "", level, strcmp(cm_config_text(c.config, "log.format"), "json") == 0);
        exit_code = parse_and_run(&c, words, count);
    }
    if (fflush(stdout) != 0 && exit_code == 0)
        exit_code = 4;
    cm_pg_close(c.pg_);
    cm_archive_close(c.archive_);
    cm_config_free(c.config);
    free(for_config);
    free(words);
    return exit_code;
}
