#include "store/audit/audit.h"

bool cm_store_audit(cm_pg *pg, cm_instant now, const char *actor, const char *action, const char *object,
                    const char *reason, const char *detail, cm_error *err)
{
    char at[CM_INSTANT_TEXT];
    const char *values[] = {cm_instant_print(now, at), actor, action, object, reason, detail ? detail : "{}"};
    return cm_pg_query(
        pg, "INSERT INTO audit (at, actor, action, object, reason, detail) VALUES ($1, $2, $3, $4, $5, $6::jsonb)", 6,
        values, NULL, err);
}
