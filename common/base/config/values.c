#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

config_entry *cm_config_find(const cm_config *config, const char *key)
{
    for (size_t i = 0; i < config->count; i++)
        if (strcmp(config->entries[i].key, key) == 0)
            return &config->entries[i];
    return NULL;
}

bool cm_config_known_anywhere(const char *key)
{
    if (strncmp(key, CM_KAFKA_PREFIX, strlen(CM_KAFKA_PREFIX)) == 0)
        return key[strlen(CM_KAFKA_PREFIX)] != 0;
    for (size_t i = 0; cm_known_keys[i]; i++)
        if (strcmp(cm_known_keys[i], key) == 0)
            return true;
    return false;
}

bool cm_config_is_boolean_word(const char *value, bool *ret)
{
    static const char *const words[][2] = {{"true", "false"}, {"yes", "no"}, {"on", "off"}, {"1", "0"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (int which = 0; which < 2; which++) {
            if (strcasecmp(value, words[i][which]) == 0) {
                *ret = which == 0;
                return true;
            }
        }
    }
    return false;
}

static bool parse_integer(const char *value, int64_t *ret)
{
    const char *digits = *value == '-' ? value + 1 : value;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits))
        return false;
    errno = 0;
    *ret = strtoll(value, NULL, 10);
    return errno == 0;
}

/* Minimum and maximum both 0: no range. */
static bool has_range(const cm_setting *setting)
{
    return setting->minimum != 0 || setting->maximum != 0;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (const char *at = choices; *at;) {
        size_t choice = strcspn(at, "|");
        if (choice == length && memcmp(at, value, length) == 0)
            return true;
        at += choice + (at[choice] == '|');
    }
    return false;
}

static bool check(const cm_setting *setting, const char *value, const char *source, cm_error *err)
{
    const char *shown = cm_config_key_is_secret(setting->key, setting) ? "(not shown)" : value;
    int64_t number;
    bool yes;
    switch (setting->type) {
    case CM_SETTING_TEXT:
        return true;
    case CM_SETTING_INTEGER:
        if (!parse_integer(value, &number))
            return cm_fail(err, CM_ERROR_INVALID, "SETTING", "%s: %s is \"%s\", which is not a whole number", source,
                           setting->key, shown);
        if (has_range(setting) && (number < setting->minimum || number > setting->maximum))
            return cm_fail(err, CM_ERROR_INVALID, "SETTING",
                           "%s: %s is %s, which is out of range; choose from %" PRId64 " to %" PRId64, source,
                           setting->key, shown, setting->minimum, setting->maximum);
        return true;
    case CM_SETTING_BOOLEAN:
        if (!cm_config_is_boolean_word(value, &yes))
            return cm_fail(err, CM_ERROR_INVALID, "SETTING", "%s: %s is \"%s\"; write true or false", source,
                           setting->key, shown);
        return true;
    case CM_SETTING_CHOICE:
        if (!is_choice(setting->choices, value))
            return cm_fail(err, CM_ERROR_INVALID, "SETTING", "%s: %s is \"%s\"; choose one of %s", source, setting->key,
                           shown, setting->choices);
        return true;
    }
    return cm_fail(err, CM_ERROR_BUG, "SETTING", "setting %s has no valid type", setting->key);
}

bool cm_config_set(cm_config *config, const char *key, const char *value, const char *source, cm_error *err)
{
    config_entry *entry = cm_config_find(config, key);
    if (!entry) {
        cm_assert(strncmp(key, CM_KAFKA_PREFIX, strlen(CM_KAFKA_PREFIX)) == 0);
        config->entries = cm_realloc(config->entries, (config->count + 1) * sizeof config->entries[0]);
        entry = &config->entries[config->count++];
        *entry = (config_entry){.key = cm_strdup(key)};
    }
    if (entry->setting && !check(entry->setting, value, source, err))
        return false;
    free(entry->value);
    free(entry->source);
    entry->value = cm_strdup(value);
    entry->source = cm_strdup(source);
    return true;
}

enum { KEY_MAX = 128 };

/* Levenshtein; -1 for keys that are too long to be a typo. */
static int distance(const char *a, const char *b)
{
    int row[KEY_MAX + 1];
    size_t length = strlen(b);
    if (strlen(a) > KEY_MAX || length > KEY_MAX)
        return -1;
    for (size_t j = 0; j <= length; j++)
        row[j] = (int)j;
    for (size_t i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= length; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int step = 1 + (row[j - 1] < row[j] ? row[j - 1] : row[j]);
            row[j] = change < step ? change : step;
        }
    }
    return row[length];
}

static void nearer(const char *key, const char *candidate, const char **best, int *best_distance)
{
    int found = distance(key, candidate);
    if (found >= 0 && (*best_distance < 0 || found < *best_distance)) {
        *best = candidate;
        *best_distance = found;
    }
}

bool cm_config_unknown(const cm_config *config, const char *key, const char *shown, const char *source, cm_error *err)
{
    const char *best = NULL;
    int best_distance = -1;
    if (cm_config_known_anywhere(key))
        return cm_fail(err, CM_ERROR_INVALID, "SETTING",
                       "%s: %s is a setting of another curmill program; %s does not use it, see %s --help", source,
                       shown, config->program, config->program);
    for (size_t i = 0; i < config->count; i++)
        nearer(key, config->entries[i].key, &best, &best_distance);
    if (best && best_distance <= 2 + (int)strlen(key) / 4)
        return cm_fail(err, CM_ERROR_INVALID, "SETTING", "%s: unknown setting %s; did you mean %s?", source, shown,
                       best);
    return cm_fail(err, CM_ERROR_INVALID, "SETTING", "%s: unknown setting %s; %s --help lists all of them", source,
                   shown, config->program);
}

const char *cm_config_text(const cm_config *config, const char *key)
{
    const config_entry *entry = cm_config_find(config, key);
    if (!entry && strncmp(key, CM_KAFKA_PREFIX, strlen(CM_KAFKA_PREFIX)) == 0)
        return NULL;
    cm_assert(entry != NULL);
    return entry->value;
}

int64_t cm_config_integer(const cm_config *config, const char *key)
{
    const config_entry *entry = cm_config_find(config, key);
    int64_t value = 0;
    cm_assert(entry && entry->setting && entry->setting->type == CM_SETTING_INTEGER);
    cm_assert(parse_integer(entry->value, &value));
    return value;
}

bool cm_config_boolean(const cm_config *config, const char *key)
{
    const config_entry *entry = cm_config_find(config, key);
    bool value = false;
    cm_assert(entry && entry->setting && entry->setting->type == CM_SETTING_BOOLEAN);
    cm_assert(cm_config_is_boolean_word(entry->value, &value));
    return value;
}

void cm_config_kafka(const cm_config *config, void (*each)(const char *property, const char *value, void *opaque),
                     void *opaque)
{
    const size_t prefix = strlen(CM_KAFKA_PREFIX);
    for (size_t i = 0; i < config->count; i++) {
        const config_entry *entry = &config->entries[i];
        if (strncmp(entry->key, CM_KAFKA_PREFIX, prefix) == 0 && entry->value && *entry->value)
            each(entry->key + prefix, entry->value, opaque);
    }
}
