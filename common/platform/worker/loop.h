/*
 * What the loop of every worker does in the same way: what an error means, waiting for a dependency, dead letters, and
 * the end of the process. One policy for all workers:
 *
 *   class       of an input record     of a scheduled task            of anything else
 *               cm_loop_reject         cm_log_unless_fatal            cm_loop_wait
 *   RETRY       wait, do it again      log, next time again           wait, do it again
 *   POISON      dead letter            log, next time again           end the process
 *   INVALID     dead letter            log, next time again           end the process
 *   REFUSED     dead letter            log, next time again           end the process
 *   NOT_FOUND   dead letter            log, next time again           end the process
 *   FENCED      drop it, log nothing   log nothing, next time again   end the process
 *   FATAL       end the process        end the process                end the process
 *   BUG         end the process        end the process                end the process
 *
 * "Anything else" is a failure that is not the input's own: sending its results, storing them, polling. Were those sent
 * to the dead letters, a missing topic would empty a lane. A wait keeps the partitions and is ended by a stop signal.
 */
#ifndef CM_WORKER_LOOP_H
#define CM_WORKER_LOOP_H

#include "platform/kafka/kafka.h"
#include "platform/worker/worker.h"

enum cm_error_source { CM_FROM_INPUT, CM_FROM_TASK, CM_FROM_ELSEWHERE };
enum cm_error_action { CM_ACTION_WAIT, CM_ACTION_DEAD_LETTER, CM_ACTION_LOG, CM_ACTION_DROP, CM_ACTION_END };
/* The table above. */
enum cm_error_action cm_error_action(enum cm_error_class class, enum cm_error_source source);

typedef struct cm_loop {
    cm_worker *worker;
    cm_producer *producer;
    cm_consumer *consumer;                    /* NULL: the worker reads no topic */
    cm_metric *retries, *dead, *lag, *oldest; /* may be NULL */
    bool full;   /* set by the worker: it can hold no more records, so fetching stays paused */
    bool paused; /* private: by a wait */
} cm_loop;

/* Once a turn: liveness, readiness, lag, and fetching again after a wait. */
void cm_loop_turned(cm_loop *loop);

/* True after a pause of at most a second: do it again. False: *err is not RETRY, or the process is to stop. */
CM_NODISCARD bool cm_loop_wait(cm_loop *loop, cm_error *err);

/* For an error of the record itself. True: the record is dealt with (dead letter, or dropped), call cm_input_done.
 * False: *err is *why (RETRY, FATAL, BUG), or the dead letter could not be sent. */
CM_NODISCARD bool cm_loop_reject(cm_loop *loop, const cm_record *record, const cm_error *why, cm_error *err);
/* Sends the record to the dead letters, with a log line and the metric; waits for the broker. */
CM_NODISCARD bool cm_loop_dead_letter(cm_loop *loop, const cm_record *record, const cm_error *why, cm_error *err);

/* For a task that runs again on its schedule: false only if the process must end, else the error is logged as `what`
 * and cleared. */
CM_NODISCARD bool cm_log_unless_fatal(bool done, const char *what, cm_error *err);

/*
 * The end of main(): flushes the producer, commits and closes the consumer, frees both, stops the worker. Returns the
 * exit code: 0 if `done`, or if a wait was ended by a stop signal; else the error is logged and decides. Free what the
 * worker owns afterwards.
 */
CM_NODISCARD int cm_loop_end(cm_loop *loop, bool done, const cm_error *err);

#endif
