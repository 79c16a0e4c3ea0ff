/* Reports the steps of a decision to whoever asked for them (`curmill explain`). */
#include "billing/rating/internal.h"

#include <stdarg.h>
#include <stdio.h>

void cm_trace_step(const cm_deciding *d, const char *step, const char *format, ...)
{
    if (!d->trace)
        return;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    d->trace(d->opaque, step, text);
}
