/*
 * What a table shows people instead of the canonical text: money with the decimals of its currency, yes and no, ids
 * only as long as they need to be. JSON and CSV keep the canonical text.
 */
#include "cli/eyes.h"

#include "base/base/buffer.h"
#include "billing/catalog/model/currency.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_SHORTEST = 8, ID_LENGTH = CM_ID_HEX - 1 };

bool cli_is_id(const char *text)
{
    return strlen(text) == ID_LENGTH && strspn(text, "0123456789abcdef") == ID_LENGTH;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int cli_id_length(const char *const *texts, size_t count)
{
    const char **ids = cm_alloc((count + 1) * sizeof *ids);
    size_t ids_count = 0, length = ID_SHORTEST;
    for (size_t i = 0; i < count; i++)
        if (texts[i] && cli_is_id(texts[i]))
            ids[ids_count++] = texts[i];
    if (ids_count)
        qsort(ids, ids_count, sizeof *ids, by_text);
    for (size_t i = 1; i < ids_count; i++) {
        size_t equal = 0; /* neighbours in order share the longest beginning */
        while (equal < ID_LENGTH && ids[i][equal] == ids[i - 1][equal])
            equal++;
        if (equal < ID_LENGTH && equal + 1 > length)
            length = equal + 1;
    }
    free(ids);
    return (int)length;
}

char *cli_money(const char *amount, const char *currency)
{
    int places = currency ? cm_currency_minor_digits(currency) : -1;
    const char *point = strchr(amount, '.');
    int has = point ? (int)strlen(point + 1) : 0;
    if (places <= has)
        return cm_strdup(amount);
    char *text = NULL;
    if (asprintf(&text, "%s%s%0*d", amount, point ? "" : ".", places - has, 0) < 0)
        cm_assert(!"memory");
    return text;
}

/* Bytes of the control character that begins here; 0: it is none. C0, DEL, and C1 as UTF-8 (U+0080 to U+009F). */
static int control_bytes(const unsigned char *at)
{
    if (*at < 0x20 || *at == 0x7f)
        return 1;
    return at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0 ? 2 : 0;
}

char *cli_plain_text(const char *text, const char *kept)
{
    cm_buffer out = {0};
    cm_buffer_reserve(&out, strlen(text) + 1);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        int bytes = strchr(kept, *at) ? 0 : control_bytes(at);
        if (bytes == 0)
            cm_buffer_char(&out, (char)*at);
        else if (*at == '\n' || *at == '\r' || *at == '\t')
            cm_buffer_printf(&out, "\\%c", *at == '\n' ? 'n' : *at == '\r' ? 'r' : 't');
        else
            cm_buffer_printf(&out, "\\x%02x", bytes == 2 ? *++at : *at);
    }
    char *plain = cm_strdup(cm_buffer_string(&out));
    cm_buffer_free(&out);
    return plain;
}

void cli_put(FILE *out, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        cm_assert(!"memory");
    va_end(arguments);
    char *plain = cli_plain_text(text, "\n");
    fputs(plain, out);
    free(plain);
    free(text);
}

char *cli_cut(const char *text, int width)
{
    size_t at = 0;
    int shown = 0;
    while (text[at]) {
        size_t next = at + 1;
        while ((text[next] & 0xC0) == 0x80)
            next++;
        if (++shown >= width && text[next]) {
            char *cut = cm_alloc(at + sizeof "…");
            memcpy(cut, text, at);
            memcpy(cut + at, "…", sizeof "…");
            return cut;
        }
        at = next;
    }
    return cm_strdup(text);
}
