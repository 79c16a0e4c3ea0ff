#include "base/config/reference.h"
#include "internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

#define ENVIRONMENT_PREFIX "CURMILL_"
enum { KEY_MAX = 256 };

const cm_setting cm_settings_common[] = {
    {.key = "lane",
     .type = CM_SETTING_TEXT,
     .default_value = "tdsynnex",
     .help = "the lane that this process works in; its topics and consumer groups carry the lane's name"},
    {.key = "database",
     .type = CM_SETTING_TEXT,
     .default_value = "",
     .help = "libpq connection string or URI of the PostgreSQL database; its password is never shown"},
    {.key = "health.port",
     .type = CM_SETTING_INTEGER,
     .default_value = "0",
     .minimum = 0,
     .maximum = 65535,
     .help = "port that serves /metrics, /healthz and /readyz; 0 for none"},
    {.key = "health.address",
     .type = CM_SETTING_TEXT,
     .default_value = "127.0.0.1",
     .help = "address on which the health port listens"},
    {.key = "log.level",
     .type = CM_SETTING_CHOICE,
     .default_value = "info",
     .choices = "debug|info|warn|error",
     .help = "lowest level that is logged"},
    {.key = "log.format",
     .type = CM_SETTING_CHOICE,
     .default_value = "logfmt",
     .choices = "logfmt|json",
     .help = "format of a log line"},
    {0},
};

void cm_config_free(cm_config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->count; i++) {
        free(config->entries[i].key);
        free(config->entries[i].value);
        free(config->entries[i].source);
    }
    free(config->entries);
    free(config);
}

/* A later table's entry replaces an earlier one of the same key (a program may give a common setting another default).
 */
static void add_table(cm_config *config, const cm_setting *table)
{
    for (; table->key; table++) {
        config_entry *entry = cm_config_find(config, table->key);
        if (!entry) {
            config->entries = cm_realloc(config->entries, (config->count + 1) * sizeof config->entries[0]);
            entry = &config->entries[config->count++];
            *entry = (config_entry){.key = cm_strdup(table->key)};
        }
        entry->setting = table;
        free(entry->value);
        free(entry->source);
        entry->value = entry->source = NULL;
        if (table->default_value) {
            cm_error err;
            if (!cm_config_set(config, table->key, table->default_value, "default", &err))
                cm_bug(__FILE__, __LINE__, err.text);
        }
    }
}

/* --- environment ------------------------------------------------------------------------------------------------- */

/* "health.port" -> "CURMILL_HEALTH_PORT" */
static void environment_name(const char *key, char into[static KEY_MAX])
{
    size_t at = strlen(ENVIRONMENT_PREFIX);
    memcpy(into, ENVIRONMENT_PREFIX, at);
    for (; *key && at < KEY_MAX - 1; key++)
        into[at++] = isalnum((unsigned char)*key) ? (char)toupper((unsigned char)*key) : '_';
    into[at] = 0;
}

/* "CURMILL_KAFKA_SASL_USERNAME" -> "kafka.sasl.username"; librdkafka's properties have no underscores. */
static void key_of_environment(const char *name, char into[static KEY_MAX])
{
    size_t at = 0;
    for (name += strlen(ENVIRONMENT_PREFIX); *name && at < KEY_MAX - 1; name++)
        into[at++] = *name == '_' ? '.' : (char)tolower((unsigned char)*name);
    into[at] = 0;
}

/*
 * Kubernetes gives a pod variables for every service of the namespace: CURMILL_X_SERVICE_HOST, CURMILL_X_SERVICE_PORT,
 * CURMILL_X_SERVICE_PORT_HTTP, CURMILL_X_PORT=tcp://..., CURMILL_X_PORT_80_TCP, ... They are not settings.
 */
static bool is_service_link(const char *name, const char *value)
{
    size_t length = strlen(name);
    static const char host[] = "_SERVICE_HOST", port[] = "_PORT";
    if (length > sizeof host && strcmp(name + length - (sizeof host - 1), host) == 0)
        return true;
    if (strstr(name, "_SERVICE_PORT") || strstr(name, "_TCP") || strstr(name, "_UDP") || strstr(name, "_SCTP"))
        return true;
    return length > sizeof port && strcmp(name + length - (sizeof port - 1), port) == 0 && strstr(value, "://");
}

static bool in_list(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static bool known_key_of_other_program(const char *name)
{
    char candidate[KEY_MAX];
    for (size_t i = 0; cm_known_keys[i]; i++) {
        environment_name(cm_known_keys[i], candidate);
        if (strcmp(candidate, name) == 0)
            return true;
    }
    return false;
}

/* Any variable of the tests. */
static bool is_for_tests(const char *name)
{
    static const char *const prefixes[] = {"CURMILL_TEST_", "CURMILL_FAULT_", "CURMILL_BENCH_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static bool take_variable(cm_config *config, const char *name, const char *value, cm_error *err)
{
    char source[KEY_MAX + 32], key[KEY_MAX], candidate[KEY_MAX];
    snprintf(source, sizeof source, "environment %s", name);
    if (in_list(cm_known_environment, name) || is_for_tests(name) || is_service_link(name, value))
        return true;
    for (size_t i = 0; i < config->count; i++) {
        environment_name(config->entries[i].key, candidate);
        if (strcmp(candidate, name) == 0)
            return cm_config_set(config, config->entries[i].key, value, source, err);
    }
    key_of_environment(name, key);
    if (strncmp(key, CM_KAFKA_PREFIX, strlen(CM_KAFKA_PREFIX)) == 0 && key[strlen(CM_KAFKA_PREFIX)])
        return cm_config_set(config, key, value, source, err);
    if (known_key_of_other_program(name))
        return true;
    return cm_config_unknown(config, key, key, source, err);
}

static bool take_environment(cm_config *config, cm_error *err)
{
    for (char **variable = environ; *variable; variable++) {
        const char *equals = strchr(*variable, '=');
        if (!equals || strncmp(*variable, ENVIRONMENT_PREFIX, strlen(ENVIRONMENT_PREFIX)) != 0)
            continue;
        char name[KEY_MAX];
        if ((size_t)(equals - *variable) >= sizeof name)
            continue;
        memcpy(name, *variable, (size_t)(equals - *variable));
        name[equals - *variable] = 0;
        if (!take_variable(config, name, equals + 1, err))
            return false;
    }
    return true;
}

/* --- command line ------------------------------------------------------------------------------------------------ */

struct option {
    char key[KEY_MAX];
    const char *value;
};

struct arguments {
    struct option *options;
    size_t count;
    const char *file; /* --config */
    bool print;
    bool help, version;
};

/* Fills option->key from "--key" or "--key=value"; option->value is NULL if it must follow. */
static bool split_option(const char *argument, struct option *ret, cm_error *err)
{
    const char *name = argument + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    if (length == 0 || length >= sizeof ret->key)
        return cm_fail(err, CM_ERROR_INVALID, "USAGE", "\"%.*s\" is not an option", (int)(length + 2), argument);
    memcpy(ret->key, name, length);
    ret->key[length] = 0;
    ret->value = equals ? equals + 1 : NULL;
    return true;
}

static bool is_kafka(const char *key)
{
    return strncmp(key, CM_KAFKA_PREFIX, strlen(CM_KAFKA_PREFIX)) == 0 && key[strlen(CM_KAFKA_PREFIX)];
}

/* A true/false setting may come without a value and then means true. */
static bool take_value(const cm_config *config, struct option *option, int argc, char **argv, int *at, cm_error *err)
{
    const config_entry *entry = cm_config_find(config, option->key);
    bool ignored;
    if (option->value)
        return true;
    if (entry && entry->setting && entry->setting->type == CM_SETTING_BOOLEAN &&
        (*at >= argc || !cm_config_is_boolean_word(argv[*at], &ignored))) {
        option->value = "true";
        return true;
    }
    if (*at >= argc)
        return cm_fail(err, CM_ERROR_INVALID, "USAGE", "--%s needs a value", option->key);
    option->value = argv[(*at)++];
    return true;
}

static bool scan_arguments(const cm_config *config, int argc, char **argv, struct arguments *arguments, int *ret_rest,
                           cm_error *err)
{
    int at = 1;
    while (at < argc && !arguments->help && !arguments->version) {
        const char *argument = argv[at];
        struct option option = {0};
        if (strcmp(argument, "-h") != 0 && strncmp(argument, "--", 2) != 0)
            break;
        at++;
        if (strcmp(argument, "--") == 0)
            break;
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            arguments->help = true;
            continue;
        }
        if (strcmp(argument, "--version") == 0) {
            arguments->version = true;
            continue;
        }
        if (strcmp(argument, "--print-config") == 0) {
            arguments->print = true;
            continue;
        }
        if (!split_option(argument, &option, err))
            return false;
        bool is_file = strcmp(option.key, "config") == 0;
        if (!is_file && !cm_config_find(config, option.key) && !is_kafka(option.key)) {
            char shown[KEY_MAX + 2];
            snprintf(shown, sizeof shown, "--%s", option.key);
            return cm_config_unknown(config, option.key, shown, "command line", err);
        }
        if (!take_value(config, &option, argc, argv, &at, err))
            return false;
        if (is_file)
            arguments->file = option.value;
        else
            arguments->options[arguments->count++] = option;
    }
    *ret_rest = at;
    return true;
}

/* --- all together ------------------------------------------------------------------------------------------------ */

static bool take_sources(cm_config *config, const struct arguments *arguments, cm_error *err)
{
    const char *file = arguments->file ? arguments->file : getenv("CURMILL_CONFIG");
    if (file && *file && !cm_config_read_file(config, file, err))
        return false;
    if (!take_environment(config, err))
        return false;
    for (size_t i = 0; i < arguments->count; i++)
        if (!cm_config_set(config, arguments->options[i].key, arguments->options[i].value, "command line", err))
            return false;
    for (size_t i = 0; i < config->count; i++) {
        char name[KEY_MAX];
        environment_name(config->entries[i].key, name);
        if (!config->entries[i].value)
            return cm_fail(err, CM_ERROR_INVALID, "SETTING",
                           "setting %s is required; give --%s, %s, or a line in the settings file",
                           config->entries[i].key, config->entries[i].key, name);
    }
    return true;
}

static bool run(cm_config *config, const char *summary, struct arguments *arguments, int argc, char **argv,
                int *ret_rest, int *ret_exit, cm_error *err)
{
    if (!scan_arguments(config, argc, argv, arguments, ret_rest, err))
        return false;
    if (arguments->help) {
        cm_config_help(config, summary, stdout);
        *ret_exit = 0;
        return true;
    }
    if (arguments->version) {
        printf("%s %s\n", config->program, CURMILL_VERSION);
        *ret_exit = 0;
        return true;
    }
    if (!take_sources(config, arguments, err))
        return false;
    if (arguments->print) {
        cm_config_print(config, stdout);
        *ret_exit = 0;
    }
    return true;
}

/* --print-reference=FORM as the only argument; not for people, so no other option is looked at. */
static bool print_reference(const char *program, const char *summary, const cm_setting *const *tables, int argc,
                            char **argv)
{
    enum cm_reference form = argc == 2 ? cm_reference_asked(argv[1]) : CM_REFERENCE_NONE;
    return form != CM_REFERENCE_NONE && cm_reference_print(form, program, summary, tables, stdout);
}

cm_config *cm_config_load(const char *program, const char *summary, const cm_setting *const *tables, int argc,
                          char **argv, int *ret_rest, int *ret_exit, cm_error *err)
{
    cm_config *config = cm_alloc(sizeof *config);
    struct arguments arguments = {.options = cm_alloc(sizeof(struct option) * (size_t)(argc + 1))};
    int rest = 1;
    config->program = program;
    for (const cm_setting *const *table = tables; *table; table++)
        add_table(config, *table);
    *ret_exit = -1;
    bool good = true;
    if (print_reference(program, summary, tables, argc, argv))
        *ret_exit = 0;
    else
        good = run(config, summary, &arguments, argc, argv, &rest, ret_exit, err);
    free(arguments.options);
    if (!good) {
        *ret_exit = err ? cm_error_exit_code(err) : 1;
        cm_config_free(config);
        return NULL;
    }
    if (ret_rest)
        *ret_rest = rest;
    return config;
}
