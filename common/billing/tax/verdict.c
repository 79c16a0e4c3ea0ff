/* Verdicts in their order of precedence. */
#include "billing/tax/tax.h"

#include <stdlib.h>

static const char *const names[CM_TAX_VERDICTS] = {
    [CM_TAX_NOT_APPLICABLE] = "NOT_APPLICABLE",
    [CM_TAX_NOT_READABLE] = "NOT_READABLE",
    [CM_TAX_STALE] = "STALE",
    [CM_TAX_PAYER_TRN_MISSING] = "PAYER_TRN_MISSING",
    [CM_TAX_PAYER_TRN_WRONG] = "PAYER_TRN_WRONG",
    [CM_TAX_PAYER_ADDRESS_MISMATCH] = "PAYER_ADDRESS_MISMATCH",
    [CM_TAX_PAYEE_TRN_OVERRIDE] = "PAYEE_TRN_OVERRIDE",
    [CM_TAX_PAYEE_TRN_MISSING] = "PAYEE_TRN_MISSING",
    [CM_TAX_PAYEE_ADDRESS_MISMATCH] = "PAYEE_ADDRESS_MISMATCH",
    [CM_TAX_INHERITANCE_OFF] = "INHERITANCE_OFF",
    [CM_TAX_OK] = "OK",
};

const char *cm_tax_verdict_name(enum cm_tax_verdict verdict)
{
    return names[verdict];
}

bool cm_tax_verdict_parse(const char *name, enum cm_tax_verdict *ret)
{
    for (int i = 0; i < CM_TAX_VERDICTS; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum cm_tax_verdict)i;
            return true;
        }
    }
    return false;
}

bool cm_tax_verdict_holds(enum cm_tax_verdict verdict)
{
    return verdict != CM_TAX_OK && verdict != CM_TAX_NOT_APPLICABLE;
}

bool cm_tax_is_checked(const cm_payer *payer, const cm_distributor *distributor)
{
    return payer->model->payees_inherit_tax && distributor && distributor->tax_profile_count &&
           (*payer->country || *payer->role_arn);
}

/* --- comparing --------------------------------------------------------------------------------------------------- */

static bool same(cm_arena *arena, const char *a, const char *b)
{
    return strcmp(cm_tax_normal(arena, a), cm_tax_normal(arena, b)) == 0;
}

static const char *lines_of(cm_arena *arena, const cm_postal_address *address)
{
    return cm_arena_printf(arena, "%s %s %s", address->line1, address->line2, address->line3);
}

/* What differs: "city"; NULL: nothing. */
static const char *difference(cm_arena *arena, const cm_postal_address *wanted, const cm_postal_address *seen)
{
    if (!same(arena, wanted->country_code, seen->country_code))
        return "country";
    if (!same(arena, wanted->postal_code, seen->postal_code))
        return "postal code";
    if (!same(arena, wanted->city, seen->city))
        return "city";
    if (*wanted->state_or_region && !same(arena, wanted->state_or_region, seen->state_or_region))
        return "state or region";
    if (*wanted->district_or_county && !same(arena, wanted->district_or_county, seen->district_or_county))
        return "district or county";
    return same(arena, lines_of(arena, wanted), lines_of(arena, seen)) ? NULL : "address lines";
}

static bool is(const char *status, const char *word)
{
    return strcmp(status, word) == 0;
}

/* Whether it counts for tax. */
static bool is_verified(const cm_tax_seen_account *account)
{
    return *account->registration_id && is(account->status, "Verified");
}

/* A registration that is in force or about to be; states that AWS may add later count too. */
static bool is_alive(const cm_tax_seen_account *account)
{
    return *account->registration_id && !is(account->status, "Deleted") && !is(account->status, "Rejected");
}

static bool same_number(cm_arena *arena, const cm_tax_seen_account *account, const cm_tax_profile *profile)
{
    return same(arena, account->registration_id, profile->registration_id) &&
           same(arena, account->registration_type, profile->registration_type);
}

/* --- the payer --------------------------------------------------------------------------------------------------- */

static const cm_tax_seen_account *find(const cm_tax_seen *seen, const char *account)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->accounts[i].id, account) == 0)
            return &seen->accounts[i];
    }
    return NULL;
}

static void say(cm_tax_finding *finding, enum cm_tax_verdict verdict, const char *detail)
{
    finding->verdict = verdict;
    finding->detail = detail;
}

/* T01, T03, T04 */
static void check_payer(const cm_tax_seen *seen, const cm_tax_profile *profile, cm_arena *arena, cm_tax_finding *ret)
{
    const cm_tax_seen_account *payer = find(seen, ret->account);
    if (!payer || !*payer->registration_id) {
        say(ret, CM_TAX_PAYER_TRN_MISSING,
            cm_arena_printf(arena, "the payer has no tax registration; it must be registered as %s %s of %s (T01)",
                            profile->registration_type, profile->registration_id, profile->legal_name));
    } else if (!is_verified(payer)) {
        say(ret, CM_TAX_PAYER_TRN_MISSING,
            cm_arena_printf(arena, "the payer's tax registration is %s at AWS; it must be Verified (T01)",
                            *payer->status ? payer->status : "of no status"));
    } else if (!same_number(arena, payer, profile)) {
        say(ret, CM_TAX_PAYER_TRN_WRONG,
            cm_arena_printf(arena, "the payer is registered as %s %s; the distributor requires %s %s (T01)",
                            payer->registration_type, payer->registration_id, profile->registration_type,
                            profile->registration_id));
    } else if (!payer->has_address) {
        say(ret, CM_TAX_PAYER_ADDRESS_MISMATCH, "the payer has no tax address (T03)");
    } else {
        const char *differs = difference(arena, &profile->address, &payer->address);
        if (differs)
            say(ret, CM_TAX_PAYER_ADDRESS_MISMATCH,
                cm_arena_printf(arena, "the payer's tax address is not the distributor's for %s: the %s differs (T03)",
                                profile->country, differs));
        else if (!is(seen->inheritance, "OptIn"))
            say(ret, CM_TAX_INHERITANCE_OFF,
                "\"Enable Tax Settings Inheritance\" is off in the payer (T04); `curmill tax check --payer P --fix` switches it on");
        else
            say(ret, CM_TAX_OK, "registration, address and inheritance are as the distributor requires");
    }
}

/* --- its accounts ------------------------------------------------------------------------------------------------ */

/* T02, if the payee has data of its own: it must equal the payer's, which is the distributor's. */
static void check_own_data(const cm_tax_seen_account *payee, const cm_tax_profile *profile, bool on, cm_arena *arena,
                           cm_tax_finding *ret)
{
    const char *differs = payee->has_address ? difference(arena, &profile->address, &payee->address) : "address";
    if (differs)
        say(ret, CM_TAX_PAYEE_ADDRESS_MISMATCH,
            cm_arena_printf(arena,
                            "the account carries the payer's number itself, with another tax address: the %s %s (T02)",
                            differs, payee->has_address ? "differs" : "is missing"));
    else if (!on)
        say(ret, CM_TAX_INHERITANCE_OFF, "the account has the payer's tax settings, but does not inherit them (T04)");
    else
        say(ret, CM_TAX_OK, "the account carries the payer's tax settings itself");
}

static void check_payee(const cm_tax_seen *seen, const cm_tax_seen_account *payee, const char *payer,
                        const cm_tax_profile *profile, cm_arena *arena, cm_tax_finding *ret)
{
    bool on = is(seen->inheritance, "OptIn");
    bool alive = is_alive(payee), right = alive && same_number(arena, payee, profile);
    bool inherits = on && payee->inherits && (!*payee->inherits_from || is(payee->inherits_from, payer));
    if (on && payee->inherits && !inherits)
        say(ret, CM_TAX_PAYEE_TRN_OVERRIDE,
            cm_arena_printf(arena, "the account inherits the tax settings of %s, not of its payer",
                            payee->inherits_from));
    else if (on && alive && !right)
        say(ret, CM_TAX_PAYEE_TRN_OVERRIDE,
            cm_arena_printf(
                arena,
                "the account has a registration of its own, %s %s (%s): AWS taxes it by that one; remove it "
                "in the tax settings of the account",
                payee->registration_type, payee->registration_id, payee->status));
    else if (inherits)
        say(ret, CM_TAX_OK, "the account inherits the payer's tax settings");
    else if (right && is_verified(payee))
        check_own_data(payee, profile, on, arena, ret);
    else if (on)
        say(ret, CM_TAX_PAYEE_TRN_MISSING,
            "inheritance is on, but AWS shows none for this account, nor the payer's number");
    else
        say(ret, CM_TAX_PAYEE_TRN_MISSING,
            *payee->registration_id
                ? cm_arena_printf(arena,
                                  "inheritance is off and the account carries %s %s (%s), not the payer's number (T02)",
                                  payee->registration_type, payee->registration_id, payee->status)
                : "inheritance is off and the account has no tax registration of its own (T02)");
}

static int by_account(const void *a, const void *b)
{
    return strcmp(((const cm_tax_finding *)a)->account, ((const cm_tax_finding *)b)->account);
}

static void check_accounts(const cm_tax_case *given, const cm_tax_profile *profile, cm_arena *arena,
                           cm_tax_findings *ret)
{
    const cm_tax_seen *seen = given->seen;
    const char *payer = given->payer->id;
    bool payer_is_right = ret->payer.verdict == CM_TAX_OK || ret->payer.verdict == CM_TAX_INHERITANCE_OFF;
    cm_tax_finding *list = cm_arena_zalloc(arena, (seen->count + 1) * sizeof *list);
    for (size_t i = 0; i < seen->count; i++) {
        const cm_tax_seen_account *account = &seen->accounts[i];
        if (strcmp(account->id, payer) == 0)
            continue;
        cm_tax_finding *finding = &list[ret->count++];
        finding->account = account->id;
        if (payer_is_right)
            check_payee(seen, account, payer, profile, arena, finding);
        else
            say(finding, ret->payer.verdict, ret->payer.detail);
    }
    if (ret->count)
        qsort(list, ret->count, sizeof *list, by_account);
    ret->accounts = list;
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

/* What the catalog lacks for a check; NULL: nothing. */
static const char *missing_for_check(const cm_tax_case *given, const cm_tax_profile *profile, cm_arena *arena)
{
    const cm_payer *payer = given->payer;
    if (!*payer->country)
        return "the payer has no country in the catalog, so it is not known which tax profile it must carry";
    if (!profile)
        return cm_arena_printf(arena, "distributor %s has no tax profile for %s in the catalog",
                               given->distributor ? given->distributor->id : "(none)", payer->country);
    if (!*payer->role_arn)
        return "the payer has no access (role_arn) in the catalog";
    return given->unreadable;
}

cm_tax_findings cm_tax_decide(const cm_tax_case *given, cm_arena *arena)
{
    cm_tax_findings found = {.payer = {.account = given->payer->id}, .whole = true};
    const cm_tax_profile *profile = cm_distributor_tax_profile(given->distributor, given->payer->country);
    if (!given->payer->model->payees_inherit_tax) {
        say(&found.payer, CM_TAX_NOT_APPLICABLE, "the payer model has no tax inheritance");
        return found;
    }
    const char *lacks = missing_for_check(given, profile, arena);
    if (lacks) {
        say(&found.payer, CM_TAX_NOT_READABLE, lacks);
        return found;
    }
    if (!given->seen) {
        found.unchanged = given->now < given->fresh_until;
        if (given->fresh_until == INT64_MIN)
            say(&found.payer, CM_TAX_NOT_READABLE, "AWS has not answered yet");
        else
            say(&found.payer, CM_TAX_STALE, "AWS has not answered for longer than allowed");
        return found;
    }
    if (*given->seen->transfer_to) {
        say(&found.payer, CM_TAX_NOT_APPLICABLE,
            cm_arena_printf(arena,
                            "billing is transferred to payer %s of another organization, whose tax settings apply",
                            given->seen->transfer_to));
        return found;
    }
    found.whole = false;
    check_payer(given->seen, profile, arena, &found.payer);
    check_accounts(given, profile, arena, &found);
    return found;
}
