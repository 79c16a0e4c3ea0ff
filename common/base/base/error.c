#include "base/base/error.h"

#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool cm_fail_v(cm_error *err, enum cm_error_class class, const char *code, const char *format, va_list arguments)
{
    if (!err)
        return false;
    /* The arguments may point into `err` itself, so the text is built elsewhere. */
    char text[CM_ERROR_TEXT_MAX];
    char word[sizeof err->code];
    vsnprintf(text, sizeof text, format, arguments);
    snprintf(word, sizeof word, "%s", code ? code : "");
    err->class = class;
    memcpy(err->code, word, sizeof word);
    memcpy(err->text, text, strlen(text) + 1);
    return false;
}

bool cm_fail(cm_error *err, enum cm_error_class class, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cm_fail_v(err, class, code, format, arguments);
    va_end(arguments);
    return false;
}

bool cm_fail_context(cm_error *err, const char *format, ...)
{
    if (!err)
        return false;
    char text[2 * CM_ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(text, CM_ERROR_TEXT_MAX, format, arguments);
    va_end(arguments);
    size_t length = written < 0 ? 0 : (size_t)written;
    if (length >= CM_ERROR_TEXT_MAX)
        length = CM_ERROR_TEXT_MAX - 1;
    snprintf(text + length, sizeof text - length, ": %s", err->text);
    text[CM_ERROR_TEXT_MAX - 1] = 0;
    memcpy(err->text, text, sizeof err->text);
    return false;
}

void cm_error_clear(cm_error *err)
{
    if (!err)
        return;
    err->class = CM_ERROR_NONE;
    err->code[0] = 0;
    err->text[0] = 0;
}

const char *cm_error_class_name(enum cm_error_class class)
{
    switch (class) {
    case CM_ERROR_NONE:
        return "NONE";
    case CM_ERROR_RETRY:
        return "RETRY";
    case CM_ERROR_POISON:
        return "POISON";
    case CM_ERROR_INVALID:
        return "INVALID";
    case CM_ERROR_REFUSED:
        return "REFUSED";
    case CM_ERROR_NOT_FOUND:
        return "NOT_FOUND";
    case CM_ERROR_FENCED:
        return "FENCED";
    case CM_ERROR_FATAL:
        return "FATAL";
    case CM_ERROR_BUG:
        return "BUG";
    }
    return "UNKNOWN";
}

int cm_error_exit_code(const cm_error *err)
{
    switch (err->class) {
    case CM_ERROR_NONE:
        return 0;
    case CM_ERROR_INVALID:
        return 1;
    case CM_ERROR_REFUSED:
    case CM_ERROR_POISON: /* the input does not pass validation */
        return 2;
    case CM_ERROR_NOT_FOUND:
        return 3;
    case CM_ERROR_RETRY:
    case CM_ERROR_FENCED: /* somebody else is working on it: the same command may work later */
        return 4;
    case CM_ERROR_FATAL:
        return 71;
    case CM_ERROR_BUG:
        break;
    }
    return 70;
}

_Noreturn void cm_bug(const char *file, int line, const char *condition)
{
    void *frames[48];
    fprintf(stderr, "bug: %s:%d: not true: %s. Please report this with the lines below; calls, innermost first:\n",
            file, line, condition);
    fflush(NULL);
    backtrace_symbols_fd(frames, backtrace(frames, 48), STDERR_FILENO);
    _exit(70);
}
