/* Ids as people type them: tables show the beginning of an id, so the beginning is enough where an id is asked for. */
#include "cli/cli.h"

#include <stdio.h>

bool cli_run_id(cli *c, const char *text, char ret[static CM_ID_HEX], cm_error *err)
{
    cm_rows *rows = NULL;
    cm_buffer which = {0};
    const char *values[] = {text};
    if (!cm_pg_query(c->pg_, "SELECT id, payer, period FROM run WHERE starts_with(id, $1) ORDER BY seq DESC LIMIT 10",
                     1, values, &rows, err))
        return false;
    int count = cm_rows_count(rows);
    for (int i = 0; i < count; i++)
        cm_buffer_printf(&which, "\n  %s  %s  %s", cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1),
                         cm_rows_text(rows, i, 2));
    if (count == 0)
        cm_fail(err, CM_ERROR_NOT_FOUND, "NO_RUN", "there is no run %s; see `curmill run list`", text);
    else if (count > 1)
        cm_fail(err, CM_ERROR_REFUSED, "SEVERAL_RUNS", "several runs begin with %s; give more of the id:%s", text,
                cm_buffer_string(&which));
    else
        snprintf(ret, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 0));
    cm_buffer_free(&which);
    cm_rows_free(rows);
    return count == 1;
}
