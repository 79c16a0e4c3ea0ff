#include "base/base/buffer.h"
#include "base/log/log.h"
#include "internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void cm_config_print(const cm_config *config, FILE *out)
{
    for (size_t i = 0; i < config->count; i++) {
        char *shown = cm_config_shown(&config->entries[i]);
        /* In the format of a settings file, so that it can be used as one. */
        if (strchr(shown, '#') || strchr(shown, '"') || isspace((unsigned char)shown[0])) {
            fprintf(out, "%s = \"", config->entries[i].key);
            for (const char *c = shown; *c; c++)
                fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
            fprintf(out, "\"");
        } else {
            fprintf(out, "%s = %s", config->entries[i].key, shown);
        }
        fprintf(out, " # %s\n", config->entries[i].source ? config->entries[i].source : "not set");
        free(shown);
    }
}

void cm_config_log(const cm_config *config)
{
    cm_buffer all = {0};
    for (size_t i = 0; i < config->count; i++) {
        char *shown = cm_config_shown(&config->entries[i]);
        cm_buffer_printf(&all, "%s%s=%s", i ? "; " : "", config->entries[i].key, shown);
        free(shown);
    }
    cm_log(CM_INFO, "settings", "version", CURMILL_VERSION, "settings", cm_buffer_string(&all), NULL);
    cm_buffer_free(&all);
}

void cm_config_describe_type(const cm_setting *setting, cm_buffer *into)
{
    switch (setting->type) {
    case CM_SETTING_TEXT:
        cm_buffer_text(into, "text");
        break;
    case CM_SETTING_INTEGER:
        cm_buffer_text(into, "integer");
        if (setting->minimum || setting->maximum)
            cm_buffer_printf(into, " %" PRId64 "..%" PRId64, setting->minimum, setting->maximum);
        break;
    case CM_SETTING_BOOLEAN:
        cm_buffer_text(into, "true|false");
        break;
    case CM_SETTING_CHOICE:
        cm_buffer_text(into, setting->choices);
        break;
    }
}

void cm_config_describe(const cm_setting *setting, cm_buffer *into)
{
    cm_config_describe_type(setting, into);
    if (!setting->default_value)
        cm_buffer_text(into, ", required");
    else if (*setting->default_value)
        cm_buffer_printf(into, ", default %s", setting->default_value);
    if (cm_config_key_is_secret(setting->key, setting))
        cm_buffer_text(into, ", never shown");
}

void cm_config_help(const cm_config *config, const char *summary, FILE *out)
{
    fprintf(out,
            "%s: %s\n\n"
            "Usage: %s [--KEY VALUE | --KEY=VALUE]...\n\n"
            "Settings. A later source replaces an earlier one: default, settings file, environment (CURMILL_KEY, with\n"
            "underscores for dots), command line.\n",
            config->program, summary, config->program);
    for (size_t i = 0; i < config->count; i++) {
        const cm_setting *setting = config->entries[i].setting;
        if (!setting)
            continue;
        cm_buffer type = {0};
        cm_config_describe(setting, &type);
        fprintf(out, "  --%s (%s)\n        %s\n", setting->key, cm_buffer_string(&type), setting->help);
        cm_buffer_free(&type);
    }
    fprintf(out, "  --kafka.PROPERTY\n        any property of librdkafka, such as kafka.bootstrap.servers or "
                 "kafka.security.protocol\n\n"
                 "Options:\n"
                 "  --config FILE    read this settings file: lines of the form key = value (also CURMILL_CONFIG)\n"
                 "  --print-config   print the settings in force and the source of each, without secrets, and exit\n"
                 "  --version        print the version and exit\n"
                 "  --help, -h       print this text and exit\n\n"
                 "Exit codes: 0 done, 1 wrong usage, 2 refused by a rule, 3 not found, 4 a dependency is unavailable,\n"
                 "70 a bug, 71 the process could not go on and should be started again.\n");
}
