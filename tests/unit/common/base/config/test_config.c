#include "base/config/config.h"
#include "internal.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cm_setting own[] = {
    {.key = "batch.rows",
     .type = CM_SETTING_INTEGER,
     .default_value = "1000",
     .minimum = 1,
     .maximum = 100000,
     .help = "lines in a batch"},
    {.key = "offset", .type = CM_SETTING_INTEGER, .default_value = "-5", .help = "any number"},
    {.key = "quiet", .type = CM_SETTING_BOOLEAN, .default_value = "false", .help = "say less"},
    {.key = "api.key", .type = CM_SETTING_TEXT, .default_value = "", .secret = true, .help = "a secret"},
    {.key = "kafka.bootstrap.servers", .type = CM_SETTING_TEXT, .default_value = "localhost:9092", .help = "brokers"},
    {0},
};
static const cm_setting *const tables[] = {cm_settings_common, own, NULL};

static cm_error err;
static int rest, code;

/* Arguments are separated by one blank each. */
static cm_config *load(const char *arguments)
{
    static char copy[1000];
    static char *list[20];
    int count = 0;
    list[count++] = (char[]){"test"};
    snprintf(copy, sizeof copy, "%s", arguments);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        list[count++] = word;
    list[count] = NULL;
    cm_error_clear(&err);
    return cm_config_load("test-program", "tests settings", tables, count, list, &rest, &code, &err);
}

static void refused(const char *arguments, const char *text)
{
    cm_config *config = load(arguments);
    cr_expect_null(config, "\"%s\" was taken", arguments);
    cr_expect_eq(err.class, CM_ERROR_INVALID);
    cr_expect_eq(code, 1);
    cr_expect_str_eq(err.text, text);
    cm_config_free(config);
}

static char path[] = "/tmp/curmill-config-XXXXXX";

static const char *file_of(const char *text)
{
    static char arguments[100];
    int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
    snprintf(arguments, sizeof arguments, "--config %s", path);
    return arguments;
}

static void remove_file(void)
{
    unlink(path);
}

/* The settings of whoever runs the tests must not matter. */
static void clean_environment(void)
{
    extern char **environ;
    for (char **variable = environ; *variable;) {
        if (strncmp(*variable, "CURMILL_", 8) == 0) {
            char name[200];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(*variable, "="), *variable);
            unsetenv(name);
            variable = environ;
        } else {
            variable++;
        }
    }
}

TestSuite(config, .init = clean_environment, .fini = remove_file);

Test(config, defaults)
{
    cm_config *config = load("");
    cr_assert_not_null(config, "%s", err.text);
    cr_assert_eq(code, -1);
    cr_assert_eq(rest, 1);
    cr_assert_str_eq(cm_config_text(config, "lane"), "tdsynnex");
    cr_assert_str_eq(cm_config_text(config, "health.address"), "127.0.0.1");
    cr_assert_eq(cm_config_integer(config, "health.port"), 0);
    cr_assert_eq(cm_config_integer(config, "batch.rows"), 1000);
    cr_assert_eq(cm_config_integer(config, "offset"), -5);
    cr_assert_not(cm_config_boolean(config, "quiet"));
    cr_assert_null(cm_config_text(config, "kafka.sasl.username"));
    cm_config_free(config);
}

Test(config, later_sources_win)
{
    const char *arguments = file_of("lane = file\nhealth.port = 1\nlog.level = warn\n");
    setenv("CURMILL_HEALTH_PORT", "2", 1);
    setenv("CURMILL_LOG_LEVEL", "error", 1);
    char line[200];
    snprintf(line, sizeof line, "--log.level=debug %s --quiet run --lane x", arguments);
    cm_config *config = load(line);
    cr_assert_not_null(config, "%s", err.text);
    cr_assert_str_eq(cm_config_text(config, "lane"), "file");
    cr_assert_eq(cm_config_integer(config, "health.port"), 2);
    cr_assert_str_eq(cm_config_text(config, "log.level"), "debug");
    cr_assert(cm_config_boolean(config, "quiet"));
    cr_assert_eq(rest, 5, "stops at the first argument that is not an option");
    cm_config_free(config);
    setenv("CURMILL_CONFIG", path, 1);
    config = load("--quiet false -- --lane");
    cr_assert_not_null(config, "%s", err.text);
    cr_assert_str_eq(cm_config_text(config, "lane"), "file");
    cr_assert_not(cm_config_boolean(config, "quiet"));
    cr_assert_eq(rest, 4);
    cm_config_free(config);
}

Test(config, file_syntax)
{
    cm_config *config = load(file_of("\xef\xbb\xbf# comment\r\n"
                                     "\r\n"
                                     "  lane=ingram # of the second distributor\r\n"
                                     "database = host=db password='a#b' # comment\n"
                                     "api.key = \" a # \\\"b\\\\ \" # comment\n"
                                     "scan.interval.seconds = 60\n"
                                     "kafka.ssl.ca.location =\n"
                                     "health.address = \"\""));
    cr_assert_not_null(config, "%s", err.text);
    cr_assert_str_eq(cm_config_text(config, "lane"), "ingram");
    cr_assert_str_eq(cm_config_text(config, "database"), "host=db password='a#b'");
    cr_assert_str_eq(cm_config_text(config, "api.key"), " a # \"b\\ ");
    cr_assert_str_eq(cm_config_text(config, "health.address"), "");
    cm_config_free(config);
}

static void file_refused(const char *text, const char *format)
{
    char expected[400];
    strcpy(path + strlen(path) - 6, "XXXXXX");
    const char *arguments = file_of(text);
    snprintf(expected, sizeof expected, "file %s:%s", path, format);
    refused(arguments, expected);
    unlink(path);
}

Test(config, file_errors_name_the_line)
{
    file_refused("lane = a\nlanee = b\n", "2: unknown setting lanee; did you mean lane?");
    file_refused("\nzzzzzzzzzzzz = b\n", "2: unknown setting zzzzzzzzzzzz; test-program --help lists all of them");
    file_refused("lane\n", "1: this line does not have the form key = value");
    file_refused("= x\n", "1: this line does not have the form key = value");
    file_refused("lane = \"x\n", "1: the quotes around the value of lane do not match; write \\\" for a quote inside");
    file_refused("lane = \"x\" y\n",
                 "1: the quotes around the value of lane do not match; write \\\" for a quote inside");
    file_refused("batch.rows = ten\n", "1: batch.rows is \"ten\", which is not a whole number");
    char expected[200];
    strcpy(path + strlen(path) - 6, "XXXXXX");
    const char *arguments = file_of("lane = a\nlane = b\n");
    snprintf(expected, sizeof expected, "file %s:2: lane is already set at file %s:1; keep one of the two", path, path);
    refused(arguments, expected);
    refused(
        "--config /nonexistent/x",
        "settings file /nonexistent/x cannot be opened: No such file or directory; check --config or CURMILL_CONFIG");
}

Test(config, wrong_values)
{
    refused("--batch.rows 0", "command line: batch.rows is 0, which is out of range; choose from 1 to 100000");
    refused("--batch.rows 100001",
            "command line: batch.rows is 100001, which is out of range; choose from 1 to 100000");
    refused("--batch.rows=", "command line: batch.rows is \"\", which is not a whole number");
    refused("--batch.rows 1e3", "command line: batch.rows is \"1e3\", which is not a whole number");
    refused("--offset 99999999999999999999",
            "command line: offset is \"99999999999999999999\", which is not a whole number");
    refused("--offset +5", "command line: offset is \"+5\", which is not a whole number");
    refused("--quiet=maybe", "command line: quiet is \"maybe\"; write true or false");
    refused("--log.level loud", "command line: log.level is \"loud\"; choose one of debug|info|warn|error");
    refused("--log.level inf", "command line: log.level is \"inf\"; choose one of debug|info|warn|error");
    refused("--health.port 65536", "command line: health.port is 65536, which is out of range; choose from 0 to 65535");
}

Test(config, wrong_arguments)
{
    refused("--lane", "--lane needs a value");
    refused("--lame x", "command line: unknown setting --lame; did you mean lane?");
    refused("--batch-rows 7", "command line: unknown setting --batch-rows; did you mean batch.rows?");
    refused("--kafka. 7", "command line: unknown setting --kafka.; test-program --help lists all of them");
    refused("--=7", "\"--\" is not an option");
    refused("--scan.interval.seconds 7",
            "command line: --scan.interval.seconds is a setting of another curmill program; "
            "test-program does not use it, see test-program --help");
}

Test(config, required_setting)
{
    static const cm_setting needed[] = {{.key = "batch.rows", .type = CM_SETTING_INTEGER, .help = "needed"}, {0}};
    static const cm_setting *const needs[] = {cm_settings_common, own, needed, NULL};
    char *arguments[] = {(char[]){"t"}, (char[]){"--batch.rows"}, (char[]){"3"}, NULL};
    cr_assert_null(cm_config_load("t", "s", needs, 1, arguments, &rest, &code, &err));
    cr_assert_str_eq(err.text,
                     "setting batch.rows is required; give --batch.rows, CURMILL_BATCH_ROWS, or a line in the "
                     "settings file");
    cm_config *config = cm_config_load("t", "s", needs, 3, arguments, &rest, &code, &err);
    cr_assert_not_null(config);
    cr_assert_eq(cm_config_integer(config, "batch.rows"), 3);
    cm_config_free(config);
}

Test(config, environment)
{
    setenv("CURMILL_LANEE", "x", 1);
    refused("", "environment CURMILL_LANEE: unknown setting lanee; did you mean lane?");
    unsetenv("CURMILL_LANEE");
    setenv("CURMILL_HOME", "x", 1);
    setenv("CURMILL_PORT_BASE", "x", 1);
    setenv("CURMILL_CLOCK", "x", 1);
    setenv("CURMILL_SCAN_INTERVAL_SECONDS", "not looked at: another program's", 1);
    /* what Kubernetes adds for services of the names curmill-health and curmill-web */
    setenv("CURMILL_WEB_SERVICE_HOST", "10.0.0.1", 1);
    setenv("CURMILL_WEB_SERVICE_PORT", "80", 1);
    setenv("CURMILL_WEB_SERVICE_PORT_HTTP", "80", 1);
    setenv("CURMILL_WEB_PORT", "tcp://10.0.0.1:80", 1);
    setenv("CURMILL_WEB_PORT_80_TCP_ADDR", "10.0.0.1", 1);
    setenv("CURMILL_HEALTH_PORT", "tcp://10.0.0.1:80", 1);
    cm_config *config = load("");
    cr_assert_not_null(config, "%s", err.text);
    cr_assert_eq(cm_config_integer(config, "health.port"), 0);
    cm_config_free(config);
}

static void collect(const char *property, const char *value, void *opaque)
{
    char *all = opaque;
    sprintf(all + strlen(all), "%s=%s;", property, value);
}

Test(config, kafka_properties_pass)
{
    char all[400] = "";
    setenv("CURMILL_KAFKA_SASL_MECHANISM", "SCRAM-SHA-512", 1);
    cm_config *config = load("--kafka.security.protocol sasl_ssl --kafka.client.rack=");
    cr_assert_not_null(config, "%s", err.text);
    cm_config_kafka(config, collect, all);
    cr_assert_str_eq(all, "bootstrap.servers=localhost:9092;sasl.mechanism=SCRAM-SHA-512;security.protocol=sasl_ssl;");
    cm_config_free(config);
}

static void shown(const char *key, const char *value, const char *expected)
{
    config_entry entry = {.key = cm_strdup(key), .value = cm_strdup(value)};
    char *text = cm_config_shown(&entry);
    cr_expect_str_eq(text, expected);
    free(text);
    free(entry.key);
    free(entry.value);
}

Test(config, secrets_are_masked)
{
    shown("kafka.sasl.password", "x", "***");
    shown("kafka.sasl.password", "", "");
    shown("kafka.sasl.oauthbearer.client.secret", "x", "***");
    shown("kafka.ssl.key.password", "x", "***");
    shown("database", "host=a user=b", "host=a user=b");
    shown("database", "host=a password=b user=c", "host=a password=*** user=c");
    shown("database", "password = 'b \\' c' user=d sslpassword=e", "password = *** user=d sslpassword=***");
    shown("database", "PASSWORD=b\\ c host=d", "PASSWORD=*** host=d");
    shown("database", "password='unclosed secret", "password=***");
    shown("database", "host=a password=x://y@z user=c", "host=a password=*** user=c");
    shown("database", "postgresql://u:p@h:5432/db", "postgresql://u:***@h:5432/db");
    shown("database", "postgresql://u:p@q/r?s:t@h/db", "postgresql://u:***@h/db");
    shown("database", "postgresql://u@h:5432/db", "postgresql://u@h:5432/db");
    shown("database", "postgresql://h:5432/db?user=u&password=p@q&sslmode=require",
          "postgresql://h:5432/db?user=u&password=***&sslmode=require");
    shown("lane", "x", "x");
}

Test(config, print_shows_source_and_no_secret, .init = cr_redirect_stdout)
{
    clean_environment();
    setenv("CURMILL_DATABASE", "postgresql://u:hidden@h/db", 1);
    cm_config *config = load("--api.key hidden --kafka.sasl.password hidden --quiet --print-config");
    cr_assert_not_null(config, "%s", err.text);
    cr_assert_eq(code, 0);
    cm_config_free(config);
    fflush(stdout);
    cr_assert_stdout_eq_str("lane = tdsynnex # default\n"
                            "database = postgresql://u:***@h/db # environment CURMILL_DATABASE\n"
                            "health.port = 0 # default\n"
                            "health.address = 127.0.0.1 # default\n"
                            "log.level = info # default\n"
                            "log.format = logfmt # default\n"
                            "batch.rows = 1000 # default\n"
                            "offset = -5 # default\n"
                            "quiet = true # command line\n"
                            "api.key = *** # command line\n"
                            "kafka.bootstrap.servers = localhost:9092 # default\n"
                            "kafka.sasl.password = *** # command line\n");
}

Test(config, wrong_secret_is_not_in_the_error)
{
    static const cm_setting pin[] = {
        {.key = "pin", .type = CM_SETTING_INTEGER, .default_value = "0", .secret = true, .help = "h"}, {0}};
    static const cm_setting *const list[] = {pin, NULL};
    char *arguments[] = {(char[]){"t"}, (char[]){"--pin"}, (char[]){"hidden"}, NULL};
    cr_assert_null(cm_config_load("t", "s", list, 3, arguments, &rest, &code, &err));
    cr_assert_null(strstr(err.text, "hidden"), "%s", err.text);
}

Test(config, version, .init = cr_redirect_stdout)
{
    cm_config *config = load("--version");
    cr_assert_not_null(config);
    cr_assert_eq(code, 0);
    cm_config_free(config);
    fflush(stdout);
    cr_assert_stdout_eq_str("test-program " CURMILL_VERSION "\n");
}

Test(config, help_is_given_whatever_else_is_wrong)
{
    setenv("CURMILL_LANEE", "x", 1);
    cm_config *config = load("--help");
    cr_assert_not_null(config, "%s", err.text);
    cr_assert_eq(code, 0);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    cm_config_help(config, "tests settings", out);
    fclose(out);
    for (size_t i = 0; own[i].key; i++)
        cr_expect_not_null(strstr(text, own[i].key), "%s is not in the help text", own[i].key);
    cr_expect_not_null(strstr(text, "--batch.rows (integer 1..100000, default 1000)"));
    cr_expect_not_null(strstr(text, "--log.level (debug|info|warn|error, default info)"));
    cr_expect_not_null(strstr(text, "--api.key (text, never shown)"));
    free(text);
    cm_config_free(config);
}

Test(config, common_settings_are_known_to_all)
{
    for (const cm_setting *setting = cm_settings_common; setting->key; setting++)
        cr_expect(cm_config_known_anywhere(setting->key), "%s is missing in known_keys.c", setting->key);
}

Test(config, unknown_key_is_a_bug, .exit_code = 70)
{
    cm_config *config = load("");
    cm_config_text(config, "no.such.key");
}
