/* What every step of invoice-writer uses: the clock, commits, and stopping a run. */
#include "writer.h"

#include "base/log/log.h"
#include "store/runs/switch.h"

#include <time.h>

cm_instant cm_writer_now(const cm_writer *writer)
{
    return writer->clock->now(writer->clock);
}

bool cm_writer_step(const cm_writer *writer, const char *name, cm_error *err)
{
    if (!writer->step || writer->step(writer->step_opaque, name))
        return true;
    return cm_fail(err, CM_ERROR_RETRY, "TEST", "given up at step \"%s\"", name);
}

bool cm_writer_commit(cm_writer *writer, cm_error *err)
{
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (!cm_pg_commit(writer->pg, err))
        return false;
    clock_gettime(CLOCK_MONOTONIC, &after);
    writer->counts.commit_us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    return true;
}

bool cm_writer_stop_run(cm_writer *writer, const char *run, const char *code, const char *text, const char *detail,
                        int64_t *counter, cm_error *err)
{
    bool stopped = false;
    bool done =
        cm_pg_begin(writer->pg, err) &&
        cm_store_run_stop(writer->pg, run, code, text, detail, cm_writer_now(writer), CM_WRITER_NAME, &stopped, err) &&
        cm_writer_commit(writer, err);
    if (!done) {
        cm_pg_rollback(writer->pg);
        return false;
    }
    if (stopped) {
        *counter += 1;
        cm_log(CM_ERROR, "run stopped", "run", run, "code", code, "error", text, NULL);
    }
    return true;
}
