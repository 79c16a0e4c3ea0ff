#include "base/csv/csv.h"

static bool begins_like_a_formula(cm_slice text)
{
    /* U+FF1D, U+FF0B, U+FF0D, U+FF20: spreadsheets read them like = + - @ */
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};
    if (text.length == 0)
        return false;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (text.length >= 3 && memcmp(text.text, wide[i], 3) == 0)
            return true;
    return *text.text != '\0' && strchr("=+-@\t\r\n", *text.text) != NULL;
}

static bool is_number(cm_slice text)
{
    size_t at = text.length && *text.text == '-', whole = 0, decimals = 0;
    for (; at < text.length && text.text[at] >= '0' && text.text[at] <= '9'; at++)
        whole++;
    if (at == text.length)
        return whole > 0;
    if (text.text[at++] != '.')
        return false;
    for (; at < text.length && text.text[at] >= '0' && text.text[at] <= '9'; at++)
        decimals++;
    return at == text.length && whole && decimals;
}

static bool needs_quotes(cm_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.text[i] != '\0' && strchr(",\"\r\n", text.text[i]))
            return true;
    return false;
}

void cm_csv_text(cm_buffer *row, cm_slice text)
{
    bool quoted = needs_quotes(text);
    if (quoted)
        cm_buffer_char(row, '"');
    if (begins_like_a_formula(text))
        cm_buffer_char(row, '\'');
    for (size_t i = 0, end; i < text.length; i = end) {
        for (end = i; end < text.length && text.text[end] != '"'; end++)
            ;
        cm_buffer_append(row, text.text + i, end - i);
        if (end < text.length) {
            cm_buffer_append(row, "\"\"", 2);
            end++;
        }
    }
    if (quoted)
        cm_buffer_char(row, '"');
}

void cm_csv_number(cm_buffer *row, cm_slice text)
{
    if (is_number(text))
        cm_buffer_append(row, text.text, text.length);
    else
        cm_csv_text(row, text);
}

void cm_csv_next(cm_buffer *row)
{
    cm_buffer_char(row, ',');
}

void cm_csv_end(cm_buffer *row)
{
    cm_buffer_append(row, "\r\n", 2);
}
