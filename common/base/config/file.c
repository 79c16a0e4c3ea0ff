/* The settings file: `key = value` lines, # comments, values in double quotes where they hold " #" or outer spaces. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char *trim(char *text)
{
    while (is_space(*text))
        text++;
    size_t length = strlen(text);
    while (length && is_space(text[length - 1]))
        length--;
    text[length] = 0;
    return text;
}

/* Removes a comment and quotes, in place. False: no closing quote, or text after it. */
static bool take_value(char *text, char **ret)
{
    if (*text == '"') {
        char *to = ++text;
        *ret = text;
        for (; *text && *text != '"'; text++) {
            if (*text == '\\' && (text[1] == '"' || text[1] == '\\'))
                text++;
            *to++ = *text;
        }
        bool closed = *text == '"';
        char *rest = closed ? trim(text + 1) : text;
        *to = 0;
        return closed && (*rest == 0 || *rest == '#');
    }
    for (char *c = text; *c; c++) {
        if (*c == '#' && (c == text || is_space(c[-1]))) {
            *c = 0;
            break;
        }
    }
    *ret = trim(text);
    return true;
}

/* Keys of other programs are not stored, so only our own are checked for repetition. */
static bool set_once(cm_config *config, const char *key, const char *value, const char *path, const char *source,
                     cm_error *err)
{
    char from_file[CM_ERROR_TEXT_MAX];
    const config_entry *entry = cm_config_find(config, key);
    snprintf(from_file, sizeof from_file, "file %s:", path);
    if (entry && entry->source && strncmp(entry->source, from_file, strlen(from_file)) == 0)
        return cm_fail(err, CM_ERROR_INVALID, "SETTING", "%s: %s is already set at %s; keep one of the two", source,
                       key, entry->source);
    if (!entry && !cm_config_known_anywhere(key))
        return cm_config_unknown(config, key, key, source, err);
    if (!entry && strncmp(key, CM_KAFKA_PREFIX, strlen(CM_KAFKA_PREFIX)) != 0)
        return true; /* another program's */
    return cm_config_set(config, key, value, source, err);
}

static bool take_line(cm_config *config, char *line, const char *path, int number, cm_error *err)
{
    char source[CM_ERROR_TEXT_MAX / 2];
    char *value;
    snprintf(source, sizeof source, "file %s:%d", path, number);
    if (number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3;
    line = trim(line);
    if (!*line || *line == '#')
        return true;
    char *equals = strchr(line, '=');
    if (!equals || equals == line)
        return cm_fail(err, CM_ERROR_INVALID, "SETTING", "%s: this line does not have the form key = value", source);
    *equals = 0;
    const char *key = trim(line);
    if (!take_value(trim(equals + 1), &value))
        return cm_fail(err, CM_ERROR_INVALID, "SETTING",
                       "%s: the quotes around the value of %s do not match; write \\\" for a quote inside", source,
                       key);
    return set_once(config, key, value, path, source, err);
}

bool cm_config_read_file(cm_config *config, const char *path, cm_error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return cm_fail(err, CM_ERROR_INVALID, "SETTING",
                       "settings file %s cannot be opened: %s; check --config or CURMILL_CONFIG", path,
                       strerror(errno));
    char *line = NULL;
    size_t capacity = 0;
    bool good = true;
    for (int number = 1; good && getline(&line, &capacity, file) >= 0; number++)
        good = take_line(config, line, path, number, err);
    if (good && ferror(file))
        good = cm_fail(err, CM_ERROR_INVALID, "SETTING", "settings file %s cannot be read: %s", path, strerror(errno));
    free(line);
    fclose(file);
    return good;
}
