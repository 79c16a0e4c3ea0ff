/* Rows of alerts: written, and read for them. */
#include "alerting.h"

bool cm_alert_add(const cm_alerting *a, const char *code, const char *object, const char *detail, cm_error *err)
{
    const char *values[] = {a->run, code, object, detail};
    return cm_pg_query(
        a->pg,
        "INSERT INTO alert (run_id, code, object, detail) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (run_id, code, object) DO UPDATE SET detail = alert.detail || '; ' || excluded.detail",
        4, values, NULL, err);
}

bool cm_alert_query(const cm_alerting *a, const char *sql, cm_rows **ret, cm_error *err)
{
    const char *values[] = {a->run, a->period};
    return cm_pg_query(a->pg, sql, 2, values, ret, err);
}
