/*
 * Alerts of a complete run (O15, O16, P06; rating.md sections 6, 7): one row for each run, code and object. They say
 * where to look; nothing is decided by them.
 */
#include "alerting.h"

#include "billing/catalog/model/plans.h"
#include "billing/link/rules.h"
#include "billing/statement/statement.h"
#include "platform/postgres/array.h"
#include "store/accounts/support_charge_store.h"

/* --- support plans ------------------------------------------------------------------------------------------- */

/* AWS's own word on the account's plan (Billing API), as AWS calls it; NULL: there is none, or not one that we know. */
static const char *told_of(const cm_alerting *a, const char *account)
{
    int low = 0, high = cm_rows_count(a->told);
    while (low < high) {
        int middle = low + (high - low) / 2, order = strcmp(cm_rows_text(a->told, middle, 0), account);
        if (order == 0) {
            const char *name = cm_rows_text(a->told, middle, 1);
            return cm_support_plan_told(name) ? name : NULL;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* O16, N06: declared, assigned and observed must be one plan. */
static bool compare_plans(const cm_alerting *a, const cm_link *link, const char *observed, const char *product,
                          cm_error *err)
{
    char detail[512];
    const cm_support_group *group = cm_link_group(link, a->facts.period);
    const char *assigned = cm_plan_of_group(group);
    const char *declared = *link->declared_plan ? link->declared_plan : NULL;
    if (!cm_plan_drifts(declared, assigned, observed))
        return true;
    snprintf(detail, sizeof detail, "customer %s: declared %s, assigned group %s (%s), observed %s%s%s%s",
             link->customer->id, declared ? declared : "nothing", group ? group->id : "none",
             group ? cm_plan_type_name(group->type) : "-", observed ? observed : "nothing", observed ? " (" : "",
             observed ? product : "", observed ? ")" : "");
    return cm_alert_add(a, "SUPPORT_PLAN_DRIFT", link->account, detail, err);
}

/* What the report's product code tells, unless AWS itself says it: such accounts are compared in link_plan_alerts. */
static bool compare_product(const cm_alerting *a, const cm_link *link, const char *product, cm_error *err)
{
    return told_of(a, link->account) != NULL ||
           compare_plans(a, link, cm_support_plan_observed(a->catalog, product), product, err);
}

/* O15: AWS charges for support on an account, and nobody said what the customer pays for it. */
static bool missing_group(const cm_alerting *a, const char *account, const char *customer, const char *product,
                          cm_error *err)
{
    char detail[512];
    snprintf(detail, sizeof detail,
             "%s is charged on this account of customer %s and it has no support plan group: name one in the catalog "
             "(support_plan_group)",
             product, customer);
    return cm_alert_add(a, "SUPPORT_PLAN_GROUP_MISSING", account, detail, err);
}

static bool support_alerts(const cm_alerting *a, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_alert_query(a,
                        "SELECT account, customer, product, sum(buy_amount) > sum(sell_amount), currency,"
                        " trim_scale(sum(sell_amount) - sum(buy_amount)) FROM charge WHERE run_id = $1 AND period = $2 "
                        "AND class = 'support'"
                        " AND customer <> '' GROUP BY account, customer, product, currency ORDER BY account, customer, "
                        "product, currency",
                        &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const char *account = cm_rows_text(rows, i, 0), *customer = cm_rows_text(rows, i, 1),
                   *product = cm_rows_text(rows, i, 2);
        const cm_link *link = cm_link_of_month(a->catalog, a->facts.payer, account, customer, a->facts.period);
        if (link && cm_link_group(link, a->facts.period)) {
            done = compare_product(a, link, product, err);
            continue;
        }
        done = missing_group(a, account, customer, product, err) && (!link || compare_product(a, link, product, err));
        if (done && cm_rows_bool(rows, i, 3)) {
            char object[300], detail[256];
            snprintf(object, sizeof object, "%s/%.200s", account, product);
            snprintf(detail, sizeof detail, "SUPPORT_GROUP_MISSING: sell - buy = %s %s", cm_rows_text(rows, i, 5),
                     cm_rows_text(rows, i, 4));
            done = cm_alert_add(a, "NEGATIVE_MARGIN", object, detail, err);
        }
    }
    cm_rows_free(rows);
    return done;
}

/* Declared, assigned and what AWS itself says are compared for every link of the payer, whether or not the report has
 * charges for support. */
static bool link_plan_alerts(const cm_alerting *a, cm_error *err)
{
    for (size_t i = 0; i < a->catalog->link_count; i++) {
        const cm_link *link = &a->catalog->links[i];
        if (strcmp(link->payer, a->facts.payer) != 0)
            continue;
        const char *told = told_of(a, link->account);
        if ((!told && (!*link->declared_plan || !cm_link_group(link, a->facts.period))) ||
            cm_link_of_month(a->catalog, link->payer, link->account, link->customer->id, a->facts.period) != link)
            continue;
        char source[96] = "";
        if (told)
            snprintf(source, sizeof source, "AWS says %s", told);
        if (!compare_plans(a, link, told ? cm_support_plan_told(told) : NULL, source, err))
            return false;
    }
    return true;
}

/* --- links of org-linker that count only in part, or not at all ------------------------------------------------- */

static bool link_alerts(const cm_alerting *a, cm_error *err)
{
    for (size_t i = 0; i < a->catalog->link_problem_count; i++) {
        const cm_link_problem *problem = &a->catalog->link_problems[i];
        bool touches = problem->from < cm_period_end(a->facts.period) && problem->to > cm_period_start(a->facts.period);
        if (touches && !cm_alert_add(a, problem->code, problem->account, problem->detail, err))
            return false;
    }
    return true;
}

/* --- usage in the payer account (P06) ------------------------------------------------------------------------- */

static bool payer_usage(const cm_alerting *a, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_alert_query(
            a,
            "SELECT c.account || '/' || left(c.product, 200), sum(c.lines), trim_scale(sum(c.payer_amount)), "
            "c.currency FROM charge c JOIN run r"
            " ON r.id = c.run_id WHERE c.run_id = $1 AND c.period = $2 AND c.account = r.payer"
            " AND c.class IN ('usage', 'covered_usage') AND (c.quantity > 0 OR c.payer_amount > 0)"
            " GROUP BY c.account, c.product, c.currency ORDER BY c.account, c.product, c.currency",
            &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        char detail[256];
        snprintf(detail, sizeof detail,
                 "%s lines of usage in the management account, %s %s: workloads do not belong there",
                 cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 2), cm_rows_text(rows, i, 3));
        done = cm_alert_add(a, "PAYER_USAGE", cm_rows_text(rows, i, 0), detail, err);
    }
    cm_rows_free(rows);
    return done;
}

/* --- negative margin (rating.md section 7) -------------------------------------------------------------------- */

/* Tax is not the reseller's to earn on; support of accounts with a group and what tiers price are settled on the
 * statement: left out here. */
static const char negative_sql[] =
    "SELECT account || '/' || left(product, 200), currency, trim_scale(sum(sell_amount - buy_amount)), CASE"
    " WHEN sum(sell_amount - buy_amount) FILTER (WHERE class IN ('covered_usage', 'commitment_offset', "
    "'commitment_fee')) < 0"
    "   THEN 'COMMITMENT_SHIFT'"
    " WHEN sum(sell_amount - buy_amount) FILTER (WHERE class = 'credit') < 0 THEN 'CREDIT'"
    " WHEN sum(sell_amount - buy_amount) - sum(payer_amount) FILTER (WHERE class = 'provider_discount' AND buy_amount "
    "= 0) >= 0"
    "   THEN 'DISCOUNT_WITHHELD_ELSEWHERE'"
    " ELSE 'PRICE_BELOW_BUY' END"
    " FROM charge WHERE run_id = $1 AND period = $2 AND customer <> '' AND class NOT IN ('tax', 'support', 'suspended')"
    " AND (customer, rule) NOT IN (SELECT * FROM unnest($3::text[], $4::text[]))"
    " GROUP BY account, product, currency HAVING sum(sell_amount - buy_amount) < 0 ORDER BY account, product, currency";

/* (customer, rule) of every rule with tiers in the month, as two array literals. */
static void tiers_of(const cm_catalog *catalog, cm_period period, cm_buffer *customers, cm_buffer *rules)
{
    for (size_t i = 0; i < catalog->customer_count; i++) {
        const cm_price_book *book = cm_customer_terms_in(&catalog->customers[i], period)->price_book;
        for (size_t v = 0; book && book->has_tiers && v < book->count; v++)
            for (size_t r = 0; r < book->versions[v].count; r++)
                if (book->versions[v].rules[r].price == CM_PRICE_TIERS) {
                    cm_array_text(customers, catalog->customers[i].id);
                    cm_array_text(rules, book->versions[v].rules[r].id);
                }
    }
}

static bool negative_margins(const cm_alerting *a, cm_error *err)
{
    cm_rows *rows = NULL;
    cm_buffer customers = {0}, rules = {0};
    tiers_of(a->catalog, a->facts.period, &customers, &rules);
    const char *values[] = {a->run, a->period, cm_array_end(&customers), cm_array_end(&rules)};
    bool done = cm_pg_query(a->pg, negative_sql, 4, values, &rows, err);
    cm_buffer_free(&customers);
    cm_buffer_free(&rules);
    if (!done)
        return false;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        char detail[256];
        snprintf(detail, sizeof detail, "%s: sell - buy = %s %s", cm_rows_text(rows, i, 3), cm_rows_text(rows, i, 2),
                 cm_rows_text(rows, i, 1));
        done = cm_alert_add(a, "NEGATIVE_MARGIN", cm_rows_text(rows, i, 0), detail, err);
    }
    cm_rows_free(rows);
    return done;
}

/* --- the same lines under two names ----------------------------------------------------------------------------- */

static bool same_content(const cm_alerting *a, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(
            a->pg,
            "SELECT g.name, f.name, k.expected_lines, coalesce((SELECT string_agg(c.value || ' ' || c.key, ', ' "
            "ORDER BY c.key)"
            " FROM jsonb_each_text(k.expected_cost) c), '') FROM run_chunk k JOIN run_chunk o ON o.run_id = "
            "k.run_id AND o.chunk ="
            " (SELECT min(chunk) FROM run_chunk e WHERE e.run_id = k.run_id AND e.expected_lines = "
            "k.expected_lines"
            "   AND e.expected_checksum = k.expected_checksum AND e.expected_cost = k.expected_cost)"
            " JOIN run r ON r.id = k.run_id JOIN chunk f ON f.delivery_id = r.delivery_id AND f.chunk = o.chunk"
            " JOIN chunk g ON g.delivery_id = r.delivery_id AND g.chunk = k.chunk"
            " WHERE k.run_id = $1 AND o.chunk < k.chunk AND k.expected_lines > 0 ORDER BY k.chunk",
            1, &a->run, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        char detail[640];
        snprintf(detail, sizeof detail,
                 "it holds the same %s lines as %s, and both are counted: %s twice. Is one of them a copy?",
                 cm_rows_text(rows, i, 2), cm_rows_text(rows, i, 1), cm_rows_text(rows, i, 3));
        done = cm_alert_add(a, "SAME_CONTENT", cm_rows_text(rows, i, 0), detail, err);
    }
    cm_rows_free(rows);
    return done;
}

bool cm_writer_alerts(cm_writer *writer, const char *run, cm_error *err)
{
    cm_alerting a = {.pg = writer->pg, .run = run};
    if (!cm_store_run(writer->pg, run, &a.facts, err))
        return false;
    cm_period_print(a.facts.period, a.period);
    const cm_run_basis basis = {a.facts.catalog, a.facts.slice, a.facts.links, a.facts.payer};
    a.catalog = cm_catalog_cache_of_run(writer->catalogs, writer->pg, &basis, err);
    bool done = a.catalog && cm_store_support_plans(writer->pg, a.facts.payer, a.facts.period, &a.told, err) &&
                support_alerts(&a, err) && link_plan_alerts(&a, err) && link_alerts(&a, err) && payer_usage(&a, err) &&
                same_content(&a, err) && negative_margins(&a, err) && cm_discount_alerts(&a, err);
    cm_rows_free(a.told);
    return done;
}
