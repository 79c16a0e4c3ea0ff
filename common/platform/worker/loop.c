#include "platform/worker/loop.h"

#include "base/log/log.h"

enum { WAIT_MS = 1000, FLUSH_MS = 10000 };

enum cm_error_action cm_error_action(enum cm_error_class class, enum cm_error_source source)
{
    switch (class) {
    case CM_ERROR_RETRY:
        return source == CM_FROM_TASK ? CM_ACTION_LOG : CM_ACTION_WAIT;
    case CM_ERROR_POISON:
    case CM_ERROR_INVALID:
    case CM_ERROR_REFUSED:
    case CM_ERROR_NOT_FOUND:
        return source == CM_FROM_INPUT ? CM_ACTION_DEAD_LETTER : source == CM_FROM_TASK ? CM_ACTION_LOG : CM_ACTION_END;
    case CM_ERROR_FENCED:
        return source == CM_FROM_ELSEWHERE ? CM_ACTION_END : CM_ACTION_DROP;
    case CM_ERROR_NONE: /* a failure without an error is a bug */
    case CM_ERROR_FATAL:
    case CM_ERROR_BUG:
        break;
    }
    return CM_ACTION_END;
}

static void add(cm_metric *metric)
{
    if (metric)
        cm_metric_add(metric, 1);
}

void cm_loop_turned(cm_loop *loop)
{
    cm_worker_turned(loop->worker);
    if (!loop->consumer)
        return;
    if (loop->paused && !loop->full)
        cm_consumer_resume(loop->consumer);
    loop->paused = false;
    loop->worker->ready = cm_consumer_assigned(loop->consumer);
    if (loop->lag)
        cm_metric_set(loop->lag, cm_consumer_lag_records(loop->consumer));
    if (loop->oldest)
        cm_metric_set(loop->oldest, cm_consumer_oldest_unread_ms(loop->consumer));
}

bool cm_loop_wait(cm_loop *loop, cm_error *err)
{
    cm_record *record = NULL;
    if (cm_error_action(err->class, CM_FROM_ELSEWHERE) != CM_ACTION_WAIT || cm_worker_stopping())
        return false;
    cm_log_error(CM_WARN, "waiting for a dependency", err, NULL);
    cm_error_clear(err);
    add(loop->retries);
    cm_worker_turned(loop->worker);
    if (!loop->consumer)
        return cm_producer_poll(loop->producer, WAIT_MS, err);
    cm_consumer_pause(loop->consumer); /* polled, so that the partitions stay; nothing is fetched */
    loop->paused = true;
    if (!cm_consumer_poll(loop->consumer, WAIT_MS, &record, err) || !cm_producer_poll(loop->producer, 0, err))
        return false;
    cm_assert(!record);
    return true;
}

bool cm_loop_dead_letter(cm_loop *loop, const cm_record *record, const cm_error *why, cm_error *err)
{
    const cm_worker *worker = loop->worker;
    cm_log_error(CM_ERROR, "record set aside", why, "topic", record->topic, "partition", cm_log_i64(record->partition),
                 "offset", cm_log_i64(record->offset), NULL);
    while (!cm_dead_letter(loop->producer, worker->lane, worker->name, record, why, err)) {
        if (!cm_loop_wait(loop, err))
            return false;
    }
    add(loop->dead);
    return true;
}

bool cm_loop_reject(cm_loop *loop, const cm_record *record, const cm_error *why, cm_error *err)
{
    switch (cm_error_action(why->class, CM_FROM_INPUT)) {
    case CM_ACTION_DEAD_LETTER:
        return cm_loop_dead_letter(loop, record, why, err);
    case CM_ACTION_DROP:
        return true;
    case CM_ACTION_WAIT:
    case CM_ACTION_LOG:
    case CM_ACTION_END:
        break;
    }
    *err = *why;
    return false;
}

bool cm_log_unless_fatal(bool done, const char *what, cm_error *err)
{
    if (done)
        return true;
    enum cm_error_action action = cm_error_action(err->class, CM_FROM_TASK);
    if (action == CM_ACTION_END)
        return false;
    if (action == CM_ACTION_LOG)
        cm_log_error(err->class == CM_ERROR_RETRY ? CM_WARN : CM_ERROR, what, err, NULL);
    cm_error_clear(err);
    return true;
}

int cm_loop_end(cm_loop *loop, bool done, const cm_error *err)
{
    cm_error flush = {0};
    if (loop->producer && !cm_producer_flush(loop->producer, FLUSH_MS, &flush))
        cm_log_error(CM_WARN, "not everything was acknowledged; it is processed again after the restart", &flush, NULL);
    cm_consumer_close(loop->consumer);
    cm_producer_free(loop->producer);
    bool stopped = cm_worker_stopping() && err->class == CM_ERROR_RETRY;
    int exit_code = done || stopped ? 0 : cm_worker_failed(loop->worker, err);
    cm_worker_stop(loop->worker);
    return exit_code;
}
