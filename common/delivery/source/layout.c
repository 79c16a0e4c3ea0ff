#include "delivery/source/reports.h"

#include <string.h>

static const char suffix[] = "-Manifest.json";

cm_slice cm_layout_file(const char *key)
{
    const char *slash = strrchr(key, '/');
    return cm_slice_of(slash ? slash + 1 : key);
}

cm_slice cm_layout_parent(const char *key)
{
    const char *end = cm_layout_file(key).text;
    while (end > key && end[-1] == '/')
        end--;
    const char *start = end;
    while (start > key && start[-1] != '/')
        start--;
    return (cm_slice){start, (size_t)(end - start)};
}

static bool all_digits(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

static int number(const char *text, size_t length)
{
    int value = 0;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

/* A calendar month; its end is the 1st of the next one, or, as in AWS's own example, the last day. */
static bool legacy_period(cm_slice name, cm_period *ret)
{
    if (name.length != 17 || name.text[8] != '-' || !all_digits(name.text, 8) || !all_digits(name.text + 9, 8))
        return false;
    *ret = (cm_period){number(name.text, 4), number(name.text + 4, 2)};
    if (ret->month < 1 || ret->month > 12 || ret->year < 1970 || number(name.text + 6, 2) != 1)
        return false;
    int32_t end = cm_day_of(cm_period_end(*ret));
    int32_t said = cm_day_from_civil(number(name.text + 9, 4), number(name.text + 13, 2), number(name.text + 15, 2));
    return said == end || said == end - 1;
}

bool cm_layout_period_name(cm_slice name, cm_period *ret)
{
    static const char cur2[] = "BILLING_PERIOD=";
    size_t length = sizeof cur2 - 1;
    if (name.length > length && memcmp(name.text, cur2, length) == 0)
        return cm_period_parse((cm_slice){name.text + length, name.length - length}, ret);
    return legacy_period(name, ret);
}

bool cm_layout_period(const char *key, cm_period *ret)
{
    bool found = false;
    for (const char *at = key; *at;) {
        size_t length = strcspn(at, "/");
        if (!at[length])
            break; /* the file itself */
        cm_period period;
        if (cm_layout_period_name((cm_slice){at, length}, &period)) {
            *ret = period;
            found = true;
        }
        at += length + 1;
    }
    return found;
}

/* # is a digit, h a hex digit */
static bool looks_like(const char *text, const char *form)
{
    for (; *form; form++, text++) {
        bool digit = *text >= '0' && *text <= '9';
        bool hex = digit || (*text >= 'a' && *text <= 'f') || (*text >= 'A' && *text <= 'F');
        if (*form == '#' ? !digit : *form == 'h' ? !hex : *form != *text)
            return false;
    }
    return true;
}

bool cm_layout_is_time_stamp(const char *assembly)
{
    return looks_like(assembly, "########T######Z") || looks_like(assembly, "####-##-##T##:##:##");
}

bool cm_layout_is_version(const char *name)
{
    return cm_layout_is_time_stamp(name) ||
           (strlen(name) == 36 && looks_like(name, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"));
}

bool cm_layout_read(const char *key, cm_arena *arena, cm_layout *ret)
{
    cm_slice file = cm_layout_file(key), parent = cm_layout_parent(key);
    size_t length = sizeof suffix - 1;
    if (file.length <= length || memcmp(file.text + file.length - length, suffix, length) != 0)
        return false;
    *ret = (cm_layout){.report = cm_arena_strndup(arena, file.text, file.length - length)};
    if (cm_layout_period_name(parent, &ret->period)) {
        ret->has_period = true;
        return true;
    }
    const char *folder = cm_arena_strndup(arena, key, parent.length ? (size_t)(parent.text - key) + parent.length : 0);
    const char *name = cm_arena_strndup(arena, parent.text, parent.length);
    ret->has_period = cm_layout_period_name(cm_layout_parent(folder), &ret->period);
    if (ret->has_period || cm_layout_is_version(name))
        ret->assembly = name;
    else
        ret->has_period = cm_layout_period(key, &ret->period);
    return true;
}
