/* Shared by the files of this folder only. */
#ifndef CM_HEALTH_INTERNAL_H
#define CM_HEALTH_INTERNAL_H

#include "base/base/buffer.h"
#include "platform/health/health.h"

/* All metrics in Prometheus' text format 0.0.4. */
void cm_metrics_print(cm_buffer *into);

#endif
