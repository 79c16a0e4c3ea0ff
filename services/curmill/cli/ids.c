/* Ids as people type them: tables show the beginning of an id, so the beginning is enough where an id is asked for. */
#include "cli/cli.h"

#include <stdio.h>

/* What an id may stand for. `sql`: id, payer, period of those that begin with $1, the newest first. */
typedef struct kind {
    const char *one, *several, *none_code, *several_code, *sql;
} kind;

static const kind runs = {"run", "runs", "NO_RUN", "SEVERAL_RUNS",
                          "SELECT id, payer, period FROM run WHERE starts_with(id, $1) ORDER BY seq DESC LIMIT 10"};
static const kind deliveries = {
    "delivery", "deliveries", "NO_DELIVERY", "SEVERAL_DELIVERIES",
    "SELECT id, payer, period FROM delivery WHERE starts_with(id, $1) ORDER BY seq DESC LIMIT 10"};

static bool whole_id(cli *c, const kind *of, const char *text, char ret[static CM_ID_HEX], cm_error *err)
{
    cm_rows *rows = NULL;
    cm_buffer which = {0};
    const char *values[] = {text};
    if (!cm_pg_query(c->pg_, of->sql, 1, values, &rows, err))
        return false;
    int count = cm_rows_count(rows);
    for (int i = 0; i < count; i++)
        cm_buffer_printf(&which, "\n  %s  %s  %s", cm_rows_text(rows, i, 0), cm_rows_text(rows, i, 1),
                         cm_rows_text(rows, i, 2));
    if (count == 0)
        cm_fail(err, CM_ERROR_NOT_FOUND, of->none_code, "there is no %s %s; see `curmill %s list`", of->one, text,
                of->one);
    else if (count > 1)
        cm_fail(err, CM_ERROR_REFUSED, of->several_code, "several %s begin with %s; give more of the id:%s",
                of->several, text, cm_buffer_string(&which));
    else
        snprintf(ret, CM_ID_HEX, "%s", cm_rows_text(rows, 0, 0));
    cm_buffer_free(&which);
    cm_rows_free(rows);
    return count == 1;
}

bool cli_run_id(cli *c, const char *text, char ret[static CM_ID_HEX], cm_error *err)
{
    return whole_id(c, &runs, text, ret, err);
}

bool cli_delivery_id(cli *c, const char *text, char ret[static CM_ID_HEX], cm_error *err)
{
    return whole_id(c, &deliveries, text, ret, err);
}
