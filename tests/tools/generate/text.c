#include "text.h"

#include <stdio.h>
#include <stdlib.h>

struct kept {
    struct kept *next;
    char bytes[];
};
static struct kept *kept_list;

static char *keep(size_t size)
{
    struct kept *k = malloc(sizeof *k + size);
    if (k == NULL) {
        fputs("generate: out of memory\n", stderr);
        exit(70);
    }
    k->next = kept_list;
    kept_list = k;
    return k->bytes;
}

void text_free_all(void)
{
    while (kept_list != NULL) {
        struct kept *next = kept_list->next;
        free(kept_list);
        kept_list = next;
    }
}

const char *text_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = keep((size_t)n + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)n + 1, format, arguments);
    va_end(arguments);
    return text;
}

struct slice csv_cell(const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL)
        return slice_of(text);
    char *quoted = keep(2 * strlen(text) + 3), *p = quoted;
    *p++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"')
            *p++ = '"';
        *p++ = *text;
    }
    *p++ = '"';
    *p = '\0';
    return (struct slice){quoted, (uint32_t)(p - quoted)};
}

static char *append(char *p, const char *text)
{
    size_t n = strlen(text);
    memcpy(p, text, n);
    return p + n;
}

struct slice csv_json_map(const char *key, ...)
{
    size_t size = 8;
    va_list arguments;
    va_start(arguments, key);
    for (const char *k = key; k != NULL; k = va_arg(arguments, const char *))
        size += strlen(k) + strlen(va_arg(arguments, const char *)) + 16;
    va_end(arguments);
    char *cell = keep(size), *p = append(cell, "\"{");
    int pairs = 0;
    va_start(arguments, key);
    for (const char *k = key; k != NULL; k = va_arg(arguments, const char *)) {
        const char *value = va_arg(arguments, const char *);
        if (value[0] == '\0')
            continue;
        p = append(p, pairs++ > 0 ? ",\"\"" : "\"\"");
        p = append(append(p, k), "\"\":\"\"");
        p = append(append(p, value), "\"\"");
    }
    va_end(arguments);
    if (pairs == 0)
        return slice_of("{}");
    p = append(p, "}\"");
    *p = '\0';
    return (struct slice){cell, (uint32_t)(p - cell)};
}
