/* Orders of operators: a look at once, and switching inheritance on. */
#include "checker.h"

#include "base/log/log.h"

#include <inttypes.h>
#include <string.h>

typedef struct order {
    int64_t id;
    char payer[16];
    bool fix;
} order;

static const char *verdict_of(const cm_look *look)
{
    return look->findings.unchanged ? "" : cm_tax_verdict_name(look->findings.payer.verdict);
}

static void put_look(json_t *result, const char *key, const cm_look *look)
{
    json_object_set_new(result, key,
                        json_pack("{s:s, s:s, s:s, s:i}", "verdict", verdict_of(look), "detail",
                                  look->findings.unchanged ? look->why.text : look->findings.payer.detail,
                                  "inheritance", look->seen ? look->seen->inheritance : "", "changed", look->changed));
}

/* Payees would inherit what the payer has: only one that is otherwise right is switched on. */
static bool switch_on(cm_tax_checker *checker, const cm_look *before, cm_error *err)
{
    if (before->findings.unchanged || before->findings.payer.verdict != CM_TAX_INHERITANCE_OFF)
        return cm_fail(err, CM_ERROR_REFUSED, "NOTHING_TO_FIX",
                       "payer %s: --fix can only fix INHERITANCE_OFF, and this payer is %s: %s", before->payer->id,
                       before->findings.unchanged ? "not readable now" : verdict_of(before),
                       before->findings.unchanged ? before->why.text : before->findings.payer.detail);
    return checker->reader.switch_on(checker->reader.opaque, before->payer, err);
}

/* False: the database failed. What AWS or the rules say goes into *why. */
static bool carry_out(cm_tax_checker *checker, const order *o, json_t *result, bool *ret_switched, cm_error *why,
                      cm_arena *arena, cm_error *err)
{
    const cm_catalog *catalog;
    char basis[CM_ID_HEX];
    if (!cm_checker_catalog(checker, &catalog, err))
        return false;
    const cm_payer *payer = catalog ? cm_catalog_payer(catalog, o->payer) : NULL;
    if (!payer) {
        cm_fail(why, CM_ERROR_NOT_FOUND, "NO_PAYER", "payer %s is not in the catalog in force", o->payer);
        return true;
    }
    cm_look look = {.payer = payer, .distributor = cm_catalog_distributor(catalog, payer->lane)};
    if (payer->model->payees_inherit_tax && !cm_tax_is_checked(payer, look.distributor)) {
        cm_fail(why, CM_ERROR_REFUSED, "NOT_CONFIGURED",
                "payer %s cannot be checked: the catalog needs a Distributor of lane %s with tax_profiles, and the "
                "payer's country and access",
                o->payer, payer->lane);
        return true;
    }
    if (!cm_checker_basis(checker, catalog, payer, basis, err) || !cm_checker_look(checker, &look, basis, arena, err))
        return false;
    put_look(result, "before", &look);
    if (!o->fix)
        return true;
    if (!switch_on(checker, &look, why))
        return true;
    *ret_switched = true;
    checker->counts.switched_on++;
    cm_log(CM_INFO, "tax inheritance switched on", "payer", o->payer, NULL);
    if (!cm_checker_look(checker, &look, basis, arena, err))
        return false;
    put_look(result, "after", &look);
    return true;
}

static bool answer(cm_tax_checker *checker, const order *o, cm_error *err)
{
    cm_arena *arena = cm_arena_new(1 << 16);
    json_t *result = json_object();
    cm_error why = {0};
    bool switched = false, done = carry_out(checker, o, result, &switched, &why, arena, err);
    if (!done && switched) { /* it did happen: the trail must say so, even if the look after it could not be stored */
        json_object_set_new(result, "error", json_string(err->text));
        cm_error_clear(err);
        done = true;
    }
    if (why.class != CM_ERROR_NONE) {
        json_object_set_new(result, "error", json_string(why.text));
        json_object_set_new(result, "class", json_string(cm_error_class_name(why.class)));
    }
    done = done && cm_store_tax_answer(checker->pg, o->id, why.class == CM_ERROR_NONE, result, switched,
                                       cm_checker_now(checker), err);
    checker->counts.orders += done;
    json_decref(result);
    cm_arena_free(arena);
    return done;
}

bool cm_checker_orders(cm_tax_checker *checker, cm_error *err)
{
    for (;;) {
        order next = {0};
        cm_rows *rows = NULL;
        if (checker->stopping && checker->stopping(checker->opaque))
            return true;
        if (!cm_pg_query(checker->pg,
                         "SELECT id, payer, fix FROM tax_request WHERE lane = $1 AND state = 'asked'"
                         " AND pg_try_advisory_lock(hashtextextended('tax order ' || id, 0)) ORDER BY id LIMIT 1",
                         1, (const char *[]){checker->lane}, &rows, err))
            return false;
        bool found = cm_rows_count(rows) > 0;
        if (found) {
            next.id = cm_rows_i64(rows, 0, 0);
            snprintf(next.payer, sizeof next.payer, "%s", cm_rows_text(rows, 0, 1));
            next.fix = cm_rows_bool(rows, 0, 2);
        }
        cm_rows_free(rows);
        if (!found)
            return true;
        if (checker->turned)
            checker->turned(checker->opaque);
        bool done = answer(checker, &next, err);
        cm_error ignored = {0};
        if (!cm_pg_query(checker->pg, "SELECT pg_advisory_unlock_all()", 0, NULL, NULL, done ? err : &ignored) || !done)
            return false;
    }
}
