/* What a server's error means for the caller: SQLSTATE (PostgreSQL manual, appendix A) to error class. */
#include "platform/postgres/internal.h"

#include <string.h>

struct meaning {
    const char *prefix; /* prefix of the SQLSTATE; the first match counts */
    enum cm_error_class class;
    const char *code;
};

static const struct meaning meanings[] = {
    {"08", CM_ERROR_RETRY, "CONNECTION_LOST"},
    {"40001", CM_ERROR_RETRY, "SERIALIZATION_FAILURE"},
    {"40P01", CM_ERROR_RETRY, "DEADLOCK"},
    {"40", CM_ERROR_RETRY, "TRANSACTION_ROLLED_BACK"},
    {"25P03", CM_ERROR_RETRY, "IDLE_IN_TRANSACTION"}, /* this process was suspended for too long; rolled back */
    {"25006", CM_ERROR_RETRY, "READ_ONLY"},           /* a standby, or a primary that became one */
    {"53100", CM_ERROR_RETRY, "DISK_FULL"},
    {"53", CM_ERROR_RETRY, "OUT_OF_RESOURCES"},
    {"55006", CM_ERROR_RETRY, "LOCKED"},
    {"55P03", CM_ERROR_RETRY, "LOCKED"},
    {"57014", CM_ERROR_RETRY, "CANCELED"},
    {"57P04", CM_ERROR_FATAL, "DATABASE_DROPPED"},
    {"57P", CM_ERROR_RETRY, "SHUTDOWN"},
    {"58", CM_ERROR_RETRY, "SYSTEM_ERROR"},
    {"23505", CM_ERROR_REFUSED, "UNIQUE_VIOLATION"},
    {"23503", CM_ERROR_REFUSED, "FOREIGN_KEY_VIOLATION"},
    {"23502", CM_ERROR_REFUSED, "NOT_NULL_VIOLATION"},
    {"23514", CM_ERROR_REFUSED, "CHECK_VIOLATION"},
    {"23", CM_ERROR_REFUSED, "CONSTRAINT_VIOLATION"},
    {"P0001", CM_ERROR_REFUSED, "RAISED"},
    {"22", CM_ERROR_POISON, "DATA_EXCEPTION"}, /* not UTF-8, out of range: the same value fails again */
    {"28", CM_ERROR_FATAL, "NOT_AUTHORIZED"},
    {"42501", CM_ERROR_FATAL, "PERMISSION_DENIED"},
    {"3D000", CM_ERROR_FATAL, "NO_SUCH_DATABASE"},
    {"3F000", CM_ERROR_FATAL, "SCHEMA"},
    {"42P01", CM_ERROR_FATAL, "SCHEMA"}, /* table, column or function does not exist */
    {"42703", CM_ERROR_FATAL, "SCHEMA"},
    {"42883", CM_ERROR_FATAL, "SCHEMA"},
    {"42", CM_ERROR_BUG, "WRONG_SQL"},
};

enum cm_error_class cm_pg_classify(const char *sqlstate, const char **ret_code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (strncmp(sqlstate, meanings[i].prefix, strlen(meanings[i].prefix)) == 0) {
            *ret_code = meanings[i].code;
            return meanings[i].class;
        }
    }
    *ret_code = "DATABASE_ERROR";
    return CM_ERROR_BUG;
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);
    return text ? text : "";
}

bool cm_pg_fail(const cm_pg *pg, const PGresult *result, const char *doing, cm_error *err)
{
    const char *sqlstate = result ? field(result, PG_DIAG_SQLSTATE) : "";
    if (!*sqlstate) {
        /* libpq's own error: nothing came from the server. */
        const char *text = pg->conn ? PQerrorMessage(pg->conn) : "no connection";
        if (!*text && result)
            text = PQresultErrorMessage(result);
        bool lost = !pg->conn || PQstatus(pg->conn) != CONNECTION_OK;
        int length = (int)strcspn(text, "\n");
        return cm_fail(err, lost ? CM_ERROR_RETRY : CM_ERROR_BUG, lost ? "CONNECTION_LOST" : "DATABASE_ERROR",
                       "database: %s: %.*s", doing, length, text);
    }
    const char *code;
    enum cm_error_class class = cm_pg_classify(sqlstate, &code);
    const char *detail = field(result, PG_DIAG_MESSAGE_DETAIL);
    const char *constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
    const char *context = field(result, PG_DIAG_CONTEXT);
    const char *next =
        strcmp(code, "SCHEMA") == 0 ? "; does the schema belong to this version? Run `curmill migrate`" : "";
    return cm_fail(err, class, code, "database: %s: %s%s%s%s%s%s%.*s (SQLSTATE %s)%s", doing,
                   field(result, PG_DIAG_MESSAGE_PRIMARY), *detail ? ": " : "", detail,
                   *constraint ? ", constraint " : "", constraint, *context ? ", " : "", (int)strcspn(context, "\n"),
                   context, sqlstate, next);
}
