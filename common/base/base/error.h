/*
 * Errors are values.
 *
 * A fallible function returns bool (true = done) or a pointer, takes `cm_error *err` last and fills it when it fails.
 * Callers branch on the class, people read the text. The function that knows most about a failure logs it, once.
 */
#ifndef CM_BASE_ERROR_H
#define CM_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#define CM_NODISCARD          __attribute__((warn_unused_result))
#define CM_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

enum cm_error_class {
    CM_ERROR_NONE = 0,
    CM_ERROR_RETRY,   /* a dependency is unavailable or busy: the same call may work later */
    CM_ERROR_POISON,  /* this input can never be processed: set it aside, with its reason */
    CM_ERROR_INVALID, /* a user's input was wrong: usage, settings, catalog */
    CM_ERROR_REFUSED, /* a rule forbids it (a gate, a validation) */
    CM_ERROR_NOT_FOUND,
    CM_ERROR_FENCED, /* somebody else owns this now: drop it silently */
    CM_ERROR_FATAL,  /* this process cannot go on: exit, be restarted */
    CM_ERROR_BUG,    /* an invariant is broken: needs manual review */
};

enum { CM_ERROR_TEXT_MAX = 1024 };

typedef struct cm_error {
    enum cm_error_class class;
    char code[48];                /* stable code for programs, e.g. "NOT_A_NUMBER"; "" if none */
    char text[CM_ERROR_TEXT_MAX]; /* what, why, what next; never a secret */
} cm_error;

/* Fills `err` (may be NULL). Always returns false, so that `return cm_fail(err, ...)` reads well. */
bool cm_fail(cm_error *err, enum cm_error_class class, const char *code, const char *format, ...) CM_PRINTF(4, 5);
bool cm_fail_v(cm_error *err, enum cm_error_class class, const char *code, const char *format, va_list arguments)
    CM_PRINTF(4, 0);

/* Puts "context: " before the present text. Returns false. */
bool cm_fail_context(cm_error *err, const char *format, ...) CM_PRINTF(2, 3);

void cm_error_clear(cm_error *err);
const char *cm_error_class_name(enum cm_error_class class); /* "RETRY", ... static */

/*
 * Exit codes of every program (cli.md): 0 done, 1 wrong usage, 2 refused by a rule, 3 not found,
 * 4 a dependency is unavailable, 70 a bug. FATAL of a worker is 71.
 */
int cm_error_exit_code(const cm_error *err);

/* Programmer errors stop the program, also in release builds. Input is never asserted. */
_Noreturn void cm_bug(const char *file, int line, const char *condition);
#define cm_assert(condition) ((condition) ? (void)0 : cm_bug(__FILE__, __LINE__, #condition))

/* Out of memory is not an error value: it ends the process with a message. */
void *cm_alloc(unsigned long bytes) CM_NODISCARD;              /* zeroed, never NULL */
void *cm_realloc(void *old, unsigned long bytes) CM_NODISCARD; /* never NULL */
char *cm_strdup(const char *text) CM_NODISCARD;                /* never NULL */

#endif
