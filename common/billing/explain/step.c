#include "billing/explain/internal.h"

#include <stdarg.h>
#include <stdio.h>

void cm_explain_step(const cm_explained *e, const char *step, const char *format, ...)
{
    char detail[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    json_array_append_new(e->steps, json_pack("{s:s, s:s}", "step", step, "detail", detail));
}
