#include "store/documents/support_gates.h"
#include "billing/statement/statement.h"

#include <stdlib.h>

/* The accounts with charges of the document's customers, and the part of the month that each charge belongs to;
 * `class`: a condition on it. Columns: payer, account, customer, link_from. */
static bool accounts(cm_pg *pg, const cm_support_gate *gate, const char *class, cm_rows **ret, cm_error *err)
{
    const char *values[] = {gate->lane, gate->month, gate->customers, gate->source};
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT DISTINCT r.payer, h.account, h.customer, h.link_from FROM %s c JOIN run r ON r.id = c.run_id"
             " JOIN charge h ON h.period = $2 AND h.run_id = r.id WHERE c.lane = $1 AND c.period = $2"
             " AND h.customer = ANY ($3::text[]) AND h.currency = $4 AND h.class %s ORDER BY 1, 2, 3, 4",
             gate->runs_of, class);
    return cm_pg_query(pg, sql, 4, values, ret, err);
}

static const cm_support_group *group_of(const cm_support_gate *gate, const cm_rows *rows, int row)
{
    return cm_group_of_charges(gate->catalog, cm_rows_text(rows, row, 0), cm_rows_text(rows, row, 1),
                               cm_rows_text(rows, row, 2), cm_rows_text(rows, row, 3), gate->period);
}

/* The account of the row is that of the row before. */
static bool repeats(const cm_rows *rows, int row, int last)
{
    return last >= 0 && strcmp(cm_rows_text(rows, row, 1), cm_rows_text(rows, last, 1)) == 0;
}

/* O15, R05. */
bool cm_store_support_group_missing(cm_pg *pg, const cm_support_gate *gate, bool *ret_open, cm_buffer *ret_detail,
                                    cm_error *err)
{
    cm_rows *rows = NULL;
    if (!accounts(pg, gate, "= 'support'", &rows, err))
        return false;
    for (int i = 0, last = -1; i < cm_rows_count(rows); i++) {
        if (group_of(gate, rows, i) || repeats(rows, i, last))
            continue;
        cm_buffer_printf(ret_detail, "%s%s", last >= 0 ? ", " : "add a support_plan_group to the catalog for account ",
                         cm_rows_text(rows, i, 1));
        last = i;
    }
    cm_rows_free(rows);
    *ret_open = ret_detail->length == 0;
    if (*ret_open)
        cm_buffer_text(ret_detail, "every account with AWS support has a support plan group");
    return true;
}

/* Accounts of one group whose plan gives no price. */
static void tell(const cm_support_gate *gate, const cm_support_group *group, const cm_rows *rows, cm_buffer *detail)
{
    enum { NAMED = 5 };
    const cm_support_plan *plan;
    int count = 0;
    for (int i = 0, last = -1; i < cm_rows_count(rows); i++) {
        if (group_of(gate, rows, i) != group || repeats(rows, i, last))
            continue;
        if (count++ < NAMED)
            cm_buffer_printf(detail, "%s%s",
                             count > 1        ? ", "
                             : detail->length ? "; account "
                                              : "account ",
                             cm_rows_text(rows, i, 1));
        last = i;
    }
    if (count == 0)
        return;
    if (count > NAMED)
        cm_buffer_printf(detail, " and %d more", count - NAMED);
    cm_buffer_printf(detail, ", support plan group %s: ", group->id);
    cm_group_plan(gate->catalog, group, gate->period, gate->source, &plan, detail);
    cm_buffer_printf(detail,
                     "; give it a group whose plan has a price in %s, or add a SupportPlan for %s, and apply "
                     "the catalog",
                     gate->month, group->plan);
}

bool cm_store_support_plan_ended(cm_pg *pg, const cm_support_gate *gate, bool *ret_open, cm_buffer *ret_detail,
                                 cm_error *err)
{
    const cm_support_plan *plan;
    cm_rows *rows = NULL;
    for (size_t i = 0; i < gate->catalog->group_count; i++) {
        const cm_support_group *group = &gate->catalog->groups[i];
        if (cm_group_plan(gate->catalog, group, gate->period, gate->source, &plan, NULL))
            continue;
        if (!rows && !accounts(pg, gate, "<> 'suspended'", &rows, err))
            return false;
        tell(gate, group, rows, ret_detail);
    }
    cm_rows_free(rows);
    *ret_open = ret_detail->length == 0;
    if (*ret_open)
        cm_buffer_text(ret_detail, "every support plan has a price in this month");
    return true;
}
