#include "billing/catalog/parse/json_reader.h"

#include "base/base/error.h"

void cm_json_open(cm_json_reader *reader, cm_slice text, cm_arena *arena)
{
    *reader = (cm_json_reader){.start = text.text, .at = text.text, .end = text.text + text.length, .arena = arena};
}

bool cm_json_fail(cm_json_reader *reader, const char *why)
{
    if (!reader->failed) {
        reader->failed = true;
        reader->why = why;
        reader->failed_at = (size_t)(reader->at - reader->start);
        reader->at = reader->end;
    }
    return false;
}

static void skip_space(cm_json_reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r'))
        reader->at++;
}

static bool take(cm_json_reader *reader, char c)
{
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

bool cm_json_enter(cm_json_reader *reader, char bracket)
{
    if (!take(reader, bracket))
        return cm_json_fail(reader, bracket == '{' ? "an object was expected" : "an array was expected");
    if (reader->depth + 1 >= CM_JSON_DEPTH)
        return cm_json_fail(reader, "nested too deeply");
    reader->first[++reader->depth] = true;
    return true;
}

/* Takes the comma between elements; false at the end (its bracket is taken) or on an error. */
static bool next_element(cm_json_reader *reader, char closing)
{
    if (reader->failed)
        return false;
    if (reader->depth == 0)
        return cm_json_fail(reader, "nothing is open");
    if (take(reader, closing)) {
        reader->depth--;
        return false;
    }
    if (!reader->first[reader->depth] && !take(reader, ','))
        return cm_json_fail(reader, "a comma or the end was expected");
    reader->first[reader->depth] = false;
    return true;
}

bool cm_json_item(cm_json_reader *reader)
{
    return next_element(reader, ']');
}

bool cm_json_key(cm_json_reader *reader, cm_slice *ret_key)
{
    if (!next_element(reader, '}') || !cm_json_text(reader, ret_key))
        return false;
    return take(reader, ':') || cm_json_fail(reader, "a colon was expected");
}

static bool hex4(const char *at, const char *end, uint32_t *ret)
{
    if (end - at < 4)
        return false;
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
        value = value << 4 | digit;
    }
    *ret = value;
    return true;
}

static size_t put_utf8(char *into, uint32_t c)
{
    if (c < 0x80) {
        into[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        into[0] = (char)(0xc0 | c >> 6);
        into[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        into[0] = (char)(0xe0 | c >> 12);
        into[1] = (char)(0x80 | (c >> 6 & 0x3f));
        into[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    into[0] = (char)(0xf0 | c >> 18);
    into[1] = (char)(0x80 | (c >> 12 & 0x3f));
    into[2] = (char)(0x80 | (c >> 6 & 0x3f));
    into[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* \uXXXX at `at` (behind the u), with its second half if it is a surrogate; 0 and surrogates alone are refused. */
static const char *unescape_u(const char *at, const char *end, char *into, size_t *length)
{
    uint32_t c, low;
    if (!hex4(at, end, &c) || c == 0 || (c >= 0xdc00 && c <= 0xdfff))
        return NULL;
    at += 4;
    if (c >= 0xd800) {
        if (c <= 0xdbff) {
            if (end - at < 6 || at[0] != '\\' || at[1] != 'u' || !hex4(at + 2, end, &low) || low < 0xdc00 ||
                low > 0xdfff)
                return NULL;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
    }
    *length += put_utf8(into + *length, c);
    return at;
}

static bool unescape(cm_json_reader *reader, const char *from, const char *to, cm_slice *ret)
{
    static const char plain[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char *into = cm_arena_alloc(reader->arena, (size_t)(to - from) + 1);
    size_t length = 0;
    while (from < to) {
        if (*from != '\\') {
            into[length++] = *from++;
            continue;
        }
        from++; /* the scan that found the end made sure that a character follows */
        const char *found;
        if (*from == 'u') {
            from = unescape_u(from + 1, to, into, &length);
            if (!from)
                return cm_json_fail(reader, "an escape that means nothing");
        } else if ((found = memchr(plain, *from, sizeof plain - 1))) {
            into[length++] = means[found - plain];
            from++;
        } else {
            return cm_json_fail(reader, "an escape that means nothing");
        }
    }
    into[length] = 0;
    *ret = (cm_slice){into, length};
    return true;
}

/* Moves behind the closing quote. */
static bool scan_text(cm_json_reader *reader, cm_slice *ret, bool *ret_escapes)
{
    if (!take(reader, '"'))
        return cm_json_fail(reader, "a text was expected");
    const char *from = reader->at;
    bool escapes = false;
    for (; reader->at < reader->end; reader->at++) {
        unsigned char c = (unsigned char)*reader->at;
        if (c == '"') {
            *ret = (cm_slice){from, (size_t)(reader->at - from)};
            *ret_escapes = escapes;
            reader->at++;
            return true;
        }
        if (c < 0x20)
            break;
        if (c == '\\') {
            escapes = true;
            if (++reader->at >= reader->end)
                break;
        }
    }
    return cm_json_fail(reader, "a text without end, or with a control character");
}

bool cm_json_text(cm_json_reader *reader, cm_slice *ret)
{
    bool escapes;
    if (!scan_text(reader, ret, &escapes))
        return false;
    return !escapes || unescape(reader, ret->text, ret->text + ret->length, ret);
}

bool cm_json_integer(cm_json_reader *reader, int64_t *ret)
{
    skip_space(reader);
    bool negative = take(reader, '-');
    int64_t value = 0;
    int digits = 0;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++, digits++)
        value = value * 10 + (digits < 18 ? *reader->at - '0' : 0);
    char next = 0;
    if (reader->at < reader->end)
        next = *reader->at;
    if (digits == 0 || digits > 18 || next == '.' || next == 'e' || next == 'E')
        return cm_json_fail(reader, "a whole number was expected");
    *ret = negative ? -value : value;
    return true;
}

static bool word(cm_json_reader *reader, const char *text)
{
    size_t length = strlen(text);
    skip_space(reader);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, text, length) != 0)
        return false;
    reader->at += length;
    return true;
}

bool cm_json_bool(cm_json_reader *reader, bool *ret)
{
    *ret = word(reader, "true");
    return *ret || word(reader, "false") || cm_json_fail(reader, "true or false was expected");
}

/* One value of any kind. Only brackets and texts are looked at. */
bool cm_json_raw(cm_json_reader *reader, cm_slice *ret)
{
    skip_space(reader);
    const char *from = reader->at;
    unsigned open = 0;
    cm_slice ignored;
    bool escapes;
    while (reader->at < reader->end) {
        char c = *reader->at;
        if (c == '"') {
            if (!scan_text(reader, &ignored, &escapes))
                return false;
        } else if (open == 0 && (c == ',' || c == '}' || c == ']')) {
            break; /* behind a number or a word */
        } else {
            reader->at++;
            open += c == '{' || c == '[';
            open -= c == '}' || c == ']';
        }
        if (open == 0 && (c == '"' || c == '}' || c == ']'))
            break;
    }
    if (open || reader->at == from)
        return cm_json_fail(reader, "a value without end");
    *ret = (cm_slice){from, (size_t)(reader->at - from)};
    return true;
}

bool cm_json_end(cm_json_reader *reader)
{
    if (reader->failed)
        return false;
    skip_space(reader);
    return reader->at == reader->end || cm_json_fail(reader, "text behind the end");
}

size_t cm_json_count(cm_slice raw)
{
    cm_json_reader reader;
    cm_slice ignored;
    size_t count = 0;
    bool escapes;
    cm_json_open(&reader, raw, NULL);
    if (raw.length == 0 || (raw.text[0] != '{' && raw.text[0] != '['))
        return 0;
    bool object = raw.text[0] == '{';
    if (!cm_json_enter(&reader, raw.text[0]))
        return 0;
    while (next_element(&reader, object ? '}' : ']')) {
        if (object && (!scan_text(&reader, &ignored, &escapes) || !take(&reader, ':')))
            break;
        if (!cm_json_raw(&reader, &ignored))
            break;
        count++;
    }
    return count;
}
