#include "base/log/log.h"

#include "base/base/buffer.h"
#include "base/time/time.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    char worker[64];
    char lane[64];
    enum cm_log_level level;
    bool json;
    void (*sink)(const char *line, void *opaque);
    void *opaque;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = CM_INFO};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void cm_log_setup(const char *worker, const char *lane, enum cm_log_level level, bool json)
{
    pthread_mutex_lock(&logger.lock);
    snprintf(logger.worker, sizeof logger.worker, "%s", worker ? worker : "");
    snprintf(logger.lane, sizeof logger.lane, "%s", lane ? lane : "");
    logger.level = level;
    logger.json = json;
    pthread_mutex_unlock(&logger.lock);
}

void cm_log_capture(void (*sink)(const char *line, void *opaque), void *opaque)
{
    pthread_mutex_lock(&logger.lock);
    logger.sink = sink;
    logger.opaque = opaque;
    pthread_mutex_unlock(&logger.lock);
}

bool cm_log_level_parse(const char *name, enum cm_log_level *ret)
{
    for (int i = CM_DEBUG; i <= CM_ERROR; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret = (enum cm_log_level)i;
            return true;
        }
    }
    return false;
}

/* Length of the UTF-8 sequence at `text` (NUL-terminated), 0 if it is none. Surrogates and overlong forms are refused.
 */
static int utf8_length(const unsigned char *text)
{
    unsigned char c = text[0];
    int length = c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) || (c == 0xf0 && text[1] < 0x90) ||
        (c == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

/* A JSON string; the same form is used for quoted logfmt values. */
static void append_quoted(cm_buffer *line, const char *value)
{
    cm_buffer_char(line, '"');
    for (const unsigned char *c = (const unsigned char *)value; *c;) {
        int sequence = *c >= 0x80 ? utf8_length(c) : 1;
        if (*c == '"' || *c == '\\')
            cm_buffer_printf(line, "\\%c", *c);
        else if (*c == '\n')
            cm_buffer_text(line, "\\n");
        else if (*c < 0x20 || *c == 0x7f)
            cm_buffer_printf(line, "\\u%04x", *c);
        else if (sequence == 0)
            cm_buffer_text(line, "\\ufffd");
        else
            cm_buffer_append(line, c, (size_t)sequence);
        c += sequence ? sequence : 1;
    }
    cm_buffer_char(line, '"');
}

static bool needs_quotes(const char *value)
{
    if (!*value)
        return true;
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        if (*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || *c >= 0x7f)
            return true;
    return false;
}

static void append_field(cm_buffer *line, const char *key, const char *value)
{
    if (!value)
        value = "";
    if (line->length > (logger.json ? 1u : 0u))
        cm_buffer_char(line, logger.json ? ',' : ' ');
    if (logger.json) {
        append_quoted(line, key);
        cm_buffer_char(line, ':');
        append_quoted(line, value);
        return;
    }
    cm_buffer_text(line, key);
    cm_buffer_char(line, '=');
    if (needs_quotes(value))
        append_quoted(line, value);
    else
        cm_buffer_text(line, value);
}

/* "2025-06-01T00:00:00.123Z": always with milliseconds, so that the columns of a log line up. */
static void append_time(cm_buffer *line)
{
    char text[CM_INSTANT_TEXT], with_millis[CM_INSTANT_TEXT + 8];
    cm_instant now = cm_clock_system.now(&cm_clock_system);
    cm_instant_print(now - now % CM_SECOND, text);
    text[strlen(text) - 1] = 0;
    snprintf(with_millis, sizeof with_millis, "%s.%03dZ", text, (int)(now % CM_SECOND / 1000));
    append_field(line, "time", with_millis);
}

static void write_line(cm_buffer *line)
{
    if (logger.sink) {
        logger.sink(cm_buffer_string(line), logger.opaque);
        return;
    }
    cm_buffer_char(line, '\n');
    for (size_t done = 0; done < line->length;) {
        ssize_t written = write(STDERR_FILENO, line->data + done, line->length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* there is nowhere left to report it */
        done += (size_t)written;
    }
}

static void log_fields(enum cm_log_level level, const char *msg, const cm_error *err, va_list fields)
{
    int saved_errno = errno;
    cm_buffer line = {0};
    pthread_mutex_lock(&logger.lock);
    if (level >= logger.level) {
        if (logger.json)
            cm_buffer_char(&line, '{');
        append_time(&line);
        append_field(&line, "level", level_names[level]);
        append_field(&line, "worker", logger.worker);
        append_field(&line, "lane", logger.lane);
        append_field(&line, "msg", msg);
        for (const char *key; (key = va_arg(fields, const char *)) != NULL;)
            append_field(&line, key, va_arg(fields, const char *));
        if (err) {
            append_field(&line, "class", cm_error_class_name(err->class));
            append_field(&line, "code", err->code);
            append_field(&line, "error", err->text);
        }
        if (logger.json)
            cm_buffer_char(&line, '}');
        write_line(&line);
    }
    pthread_mutex_unlock(&logger.lock);
    cm_buffer_free(&line);
    errno = saved_errno;
}

void cm_log(enum cm_log_level level, const char *msg, ...)
{
    va_list fields;
    va_start(fields, msg);
    log_fields(level, msg, NULL, fields);
    va_end(fields);
}

void cm_log_error(enum cm_log_level level, const char *msg, const cm_error *err, ...)
{
    va_list fields;
    va_start(fields, err);
    log_fields(level, msg, err, fields);
    va_end(fields);
}

const char *cm_log_i64(long long value)
{
    static _Thread_local char texts[16][24];
    static _Thread_local unsigned next;
    char *text = texts[next++ % 16];
    snprintf(text, sizeof texts[0], "%lld", value);
    return text;
}
