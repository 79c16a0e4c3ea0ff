/* Which payers are due, and one look at a payer. */
#include "checker.h"

#include "base/log/log.h"
#include "platform/postgres/array.h"
#include "store/catalog/link_store.h"

#include <string.h>

cm_instant cm_checker_now(const cm_tax_checker *checker)
{
    return checker->clock->now(checker->clock);
}

bool cm_checker_catalog(cm_tax_checker *checker, const cm_catalog **ret, cm_error *err)
{
    char id[CM_ID_HEX];
    *ret = NULL;
    if (!cm_store_catalog_in_force(checker->pg, cm_checker_now(checker), id, err)) {
        if (err->class != CM_ERROR_NOT_FOUND)
            return false;
        cm_error_clear(err);
        return true;
    }
    return (*ret = cm_catalog_cache_get(checker->catalogs, checker->pg, id, err)) != NULL;
}

bool cm_checker_basis(cm_tax_checker *checker, const cm_catalog *catalog, const cm_payer *payer,
                      char ret[static CM_ID_HEX], cm_error *err)
{
    char profile[CM_ID_HEX], links[CM_ID_HEX] = "";
    if (!cm_store_links_of_payer(checker->pg, payer->id, links, err))
        return false;
    cm_tax_basis(payer, cm_catalog_distributor(catalog, payer->lane), profile);
    cm_digest *digest = cm_digest_new();
    cm_digest_text(digest, profile);
    cm_digest_text(digest, links);
    for (size_t i = 0; i < catalog->link_count; i++) {
        if (strcmp(catalog->links[i].payer, payer->id) == 0)
            cm_digest_text(digest, catalog->links[i].account);
    }
    cm_digest_finish_id(digest, ret);
    return true;
}

/* What a person must correct, in words; NULL: AWS could not answer this time. */
static const char *unreadable(const cm_error *why)
{
    return why->class == CM_ERROR_NONE || (why->class == CM_ERROR_RETRY && strcmp(why->code, "DENIED") != 0)
               ? NULL
               : why->text;
}

bool cm_checker_look(cm_tax_checker *checker, cm_look *look, const char *basis, cm_arena *arena, cm_error *err)
{
    cm_tax_state state;
    cm_tax_seen *seen = cm_arena_zalloc(arena, sizeof *seen);
    const cm_payer *payer = look->payer;
    cm_instant now = cm_checker_now(checker);
    bool asks = payer->model->payees_inherit_tax && *payer->role_arn &&
                cm_distributor_tax_profile(look->distributor, payer->country);
    look->seen = NULL;
    cm_error_clear(&look->why);
    if (asks && checker->reader.read(checker->reader.opaque, payer, arena, seen, &look->why))
        look->seen = seen;
    if (!cm_store_tax_state(checker->pg, payer->id, &state, err))
        return false;
    cm_tax_case given = {payer, look->distributor, look->seen, unreadable(&look->why), now, state.fresh_until};
    look->findings = cm_tax_decide(&given, arena);
    cm_tax_look stored = {payer,
                          basis,
                          &look->findings,
                          look->seen,
                          look->why.class == CM_ERROR_NONE ? NULL : look->why.text,
                          now,
                          now + checker->max_age,
                          look->seen ? cm_tax_invoices(payer->id, look->seen) : 0};
    if (!cm_store_tax_look(checker->pg, &stored, &look->changed, err))
        return false;
    checker->counts.looks += asks;
    checker->counts.looks_failed += look->why.class != CM_ERROR_NONE;
    checker->counts.changes += look->changed;
    if (look->why.class != CM_ERROR_NONE)
        cm_log_error(CM_WARN, "tax settings could not be read", &look->why, "payer", payer->id, NULL);
    return true;
}

/* Once a payer at a time, also with several replicas: the others find it done. */
static bool lock(cm_tax_checker *checker, const char *payer, bool take, bool *ret_mine, cm_error *err)
{
    cm_rows *rows = NULL;
    const char *sql = take ? "SELECT pg_try_advisory_lock(hashtextextended('tax look ' || $1, 0))"
                           : "SELECT pg_advisory_unlock(hashtextextended('tax look ' || $1, 0))";
    if (!cm_pg_query(checker->pg, sql, 1, (const char *[]){payer}, &rows, err))
        return false;
    *ret_mine = cm_rows_bool(rows, 0, 0);
    cm_rows_free(rows);
    return true;
}

static bool is_due(const cm_tax_checker *checker, const cm_payer *payer, const cm_tax_state *state, const char *basis)
{
    cm_instant now = cm_checker_now(checker);
    if (!state->there || strcmp(state->basis, basis) != 0)
        return true;
    if (!payer->model->payees_inherit_tax)
        return false; /* nothing can change */
    return now - state->tried_at >= (state->failed ? checker->retry_after : checker->interval);
}

static bool look_if_due(cm_tax_checker *checker, const cm_catalog *catalog, const cm_payer *payer, cm_arena *arena,
                        cm_error *err)
{
    char basis[CM_ID_HEX];
    cm_tax_state state;
    bool mine;
    if (!cm_checker_basis(checker, catalog, payer, basis, err) ||
        !cm_store_tax_state(checker->pg, payer->id, &state, err))
        return false;
    if (!is_due(checker, payer, &state, basis))
        return true;
    if (!lock(checker, payer->id, true, &mine, err) || !mine)
        return err->class == CM_ERROR_NONE;
    cm_look look = {.payer = payer, .distributor = cm_catalog_distributor(catalog, payer->lane)};
    bool done = cm_store_tax_state(checker->pg, payer->id, &state, err) &&
                (!is_due(checker, payer, &state, basis) || cm_checker_look(checker, &look, basis, arena, err));
    cm_error ignored = {0}; /* a connection that is lost loses the lock too */
    return lock(checker, payer->id, false, &mine, done ? err : &ignored) && done;
}

/* The payers that the catalog wants checked, as an array literal; and those of models without the rule, which have a
 * verdict too. */
static bool has_verdict(const cm_payer *payer, const cm_distributor *distributor)
{
    return !payer->model->payees_inherit_tax || cm_tax_is_checked(payer, distributor);
}

bool cm_checker_round(cm_tax_checker *checker, cm_error *err)
{
    const cm_catalog *catalog;
    if (!cm_checker_catalog(checker, &catalog, err) || !catalog)
        return err->class == CM_ERROR_NONE;
    const cm_distributor *distributor = cm_catalog_distributor(catalog, checker->lane);
    cm_arena *arena = cm_arena_new(1 << 16);
    cm_buffer checked = {0};
    bool done = true;
    for (size_t i = 0; done && i < catalog->payer_count; i++) {
        const cm_payer *payer = &catalog->payers[i];
        if (strcmp(payer->lane, checker->lane) != 0 || !has_verdict(payer, distributor))
            continue;
        cm_array_text(&checked, payer->id);
        if (checker->stopping && checker->stopping(checker->opaque))
            continue;
        if (checker->turned)
            checker->turned(checker->opaque);
        cm_arena_reset(arena);
        done = look_if_due(checker, catalog, payer, arena, err);
    }
    done =
        done && cm_store_tax_forget(checker->pg, checker->lane, cm_array_end(&checked), cm_checker_now(checker), err);
    cm_buffer_free(&checked);
    cm_arena_free(arena);
    return done;
}
