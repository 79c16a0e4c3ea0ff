/* What must be done today (statements.md section 6): I08, DELIVERY_LATE, DAY_MISSING, PAYER_SILENT ... */
#include "place.h"
#include "store/catalog/catalog_store.h"
#include "store/duties/duties.h"

#define LINE "('acme', '" ACCOUNT "', 'usage', 'AmazonEC2', 1, 10)"

/* "code/payer/period/customer" of the duties with this code, sorted, joined by blanks. Static. */
static const char *duties(place *p, const char *code)
{
    static char found[1024];
    cm_catalog *catalog = NULL;
    json_t *list = NULL, *one;
    size_t i;
    found[0] = '\0';
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    cm_duties_order order = {.catalog = catalog, .now = p->now, .late_hours = CM_DELIVERY_LATE_HOURS};
    MUST(cm_store_duties(p->pg, &order, &list, &p->err));
    json_array_foreach (list, i, one) {
        const char *key[] = {"code", "payer", "period", "customer"}, *value[4];
        for (int k = 0; k < 4; k++) {
            value[k] = json_string_value(json_object_get(one, key[k]));
            value[k] = value[k] ? value[k] : "-";
        }
        cr_assert_str_neq(json_string_value(json_object_get(one, "detail")), "");
        cr_assert_eq(strncmp(json_string_value(json_object_get(one, "command")), "curmill ", 8), 0);
        if (strcmp(value[0], code) == 0)
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s/%s/%s/%s", *found ? " " : "", value[0],
                     value[1], value[2], value[3]);
    }
    json_decref(list);
    cm_catalog_free(catalog);
    return found;
}

Test(duties, a_payer_that_never_delivered_is_told_three_days_after_the_month_began)
{
    place *p = place_open();
    p->now = at("2025-06-03T23:59:59Z");
    cr_assert_null(strstr(duties(p, "PAYER_SILENT"), "2025-06"));
    p->now = at("2025-06-04T00:00:00Z");
    cr_assert_not_null(strstr(duties(p, "PAYER_SILENT"), "PAYER_SILENT/" TDS "/2025-06/-"));
    deliver(p, "v1", false, LINE);
    cr_assert_null(strstr(duties(p, "PAYER_SILENT"), "2025-06"));
    place_close(p);
}

Test(duties, I08_customers_of_whom_nothing_came_are_overdue_too)
{
    place *p = place_open();
    p->now = at("2025-07-20T23:59:59Z");
    cr_assert_null(strstr(duties(p, "STATEMENT_OVERDUE"), "2025-06"));
    p->now = at("2025-07-21T00:00:00Z");
    cr_assert_not_null(strstr(duties(p, "STATEMENT_OVERDUE"), "STATEMENT_OVERDUE/" TDS "/2025-06/acme"));
    cr_assert_not_null(strstr(duties(p, "STATEMENT_OVERDUE"), "STATEMENT_OVERDUE/" TDS "/2025-06/zenith"));
    deliver(p, "v1", true, LINE); /* zenith used nothing: nothing is due */
    cr_assert_not_null(strstr(duties(p, "STATEMENT_OVERDUE"), "STATEMENT_OVERDUE/" TDS "/2025-06/acme"));
    cr_assert_null(strstr(duties(p, "STATEMENT_OVERDUE"), "2025-06/zenith"));
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(change(p, CM_DOCUMENT_ISSUE, "acme", NULL), "");
    cr_assert_null(strstr(duties(p, "STATEMENT_OVERDUE"), "2025-06/acme"));
    place_close(p);
}

Test(duties, an_open_month_without_a_new_delivery_is_late)
{
    place *p = place_open();
    deliver(p, "v1", false, LINE);
    MUST(cm_pg_execute(p->pg, "UPDATE delivery SET discovered_at = '2025-07-01T00:00:00Z'", &p->err));
    p->now = at("2025-07-02T06:00:00Z");
    cr_assert_str_eq(duties(p, "DELIVERY_LATE"), "");
    p->now = at("2025-07-02T06:00:01Z");
    cr_assert_str_eq(duties(p, "DELIVERY_LATE"), "DELIVERY_LATE/" TDS "/2025-06/-");
    MUST(cm_pg_execute(p->pg, "UPDATE billing_period SET state = 'final'", &p->err));
    cr_assert_str_eq(duties(p, "DELIVERY_LATE"), "");
    place_close(p);
}

Test(duties, a_day_without_lines_between_days_that_have_some)
{
    place *p = place_open();
    deliver(p, "v1", false, LINE);
    MUST(cm_pg_execute(
        p->pg,
        "DELETE FROM charge_day; INSERT INTO charge_day SELECT '2025-06', run_id, d::date, '" ACCOUNT
        "', 'AmazonEC2', 'USD', 1, 1, 1, 1, 1, 1 FROM current_run, unnest(ARRAY['2025-06-01', '2025-06-03', '2025-06-04']) d",
        &p->err));
    p->now = at("2025-06-04T23:59:59Z"); /* the 2nd ended 48 hours before the 5th */
    cr_assert_str_eq(duties(p, "DAY_MISSING"), "");
    p->now = at("2025-06-05T00:00:00Z");
    cr_assert_str_eq(duties(p, "DAY_MISSING"), "DAY_MISSING/" TDS "/2025-06/-");
    place_close(p);
}

Test(duties, failed_and_held_deliveries_wait_for_a_person)
{
    place *p = place_open();
    deliver(p, "v1", false, LINE ", " LINE ", " LINE);
    deliver(p, "v2", false, LINE);
    cr_assert_str_eq(duties(p, "DELIVERY_SHRANK"), "DELIVERY_SHRANK/" TDS "/2025-06/-");
    MUST(cm_pg_execute(p->pg, "UPDATE delivery SET state = 'failed' WHERE state = 'held'", &p->err));
    cr_assert_str_eq(duties(p, "DELIVERY_SHRANK"), "");
    cr_assert_str_eq(duties(p, "DELIVERY_FAILED"), "DELIVERY_FAILED/" TDS "/2025-06/-");
    MUST(cm_pg_execute(p->pg, "UPDATE delivery SET state = 'dismissed' WHERE state = 'failed'", &p->err));
    cr_assert_str_eq(duties(p, "DELIVERY_FAILED"), "");
    place_close(p);
}

Test(duties, documents_say_what_comes_next)
{
    place *p = place_open();
    deliver(p, "v1", false, LINE);
    refresh(p);
    cr_assert_str_eq(duties(p, "NOT_FINAL"), "NOT_FINAL/-/2025-06/acme");
    cr_assert_str_eq(duties(p, "APPROVE"), "");
    deliver(p, "v2", true, LINE);
    refresh(p);
    cr_assert_str_eq(duties(p, "NOT_FINAL"), "");
    cr_assert_str_eq(duties(p, "APPROVE"), "APPROVE/-/2025-06/acme");
    cr_assert_str_eq(change(p, CM_DOCUMENT_APPROVE, "acme", NULL), "");
    cr_assert_str_eq(duties(p, "APPROVE"), "");
    cr_assert_str_eq(duties(p, "ISSUE"), "ISSUE/-/2025-06/acme");
    p->now = at("2025-07-15T00:00:00Z"); /* I13: not before the 16th */
    cr_assert_str_eq(duties(p, "ISSUE"), "");
    place_close(p);
}

Test(duties, money_that_was_left_unbilled)
{
    place *p = place_open();
    cr_assert_str_eq(duties(p, "UNBILLED"), "");
    MUST(cm_pg_execute(p->pg,
                       "INSERT INTO unbilled (payer, period, lane, account, reason, currency, amount, lines, "
                       "acknowledged_at, acknowledged_by, acknowledged_reason) VALUES ('" TDS
                       "', '2025-06', 'tdsynnex', '1', 'NO_PRICE', 'USD', 5, 1, now(), 'm', 'r')",
                       &p->err));
    cr_assert_str_eq(duties(p, "UNBILLED"), "UNBILLED/" TDS "/2025-06/-");
    place_close(p);
}
