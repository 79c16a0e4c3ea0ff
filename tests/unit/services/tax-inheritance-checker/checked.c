#include "checked.h"

#include <stdio.h>
#include <stdlib.h>

static const char accounts[] = "kind: Customer\nid: acme\nreseller: northwind\nprice_book: standard\n"
                               "accounts: [{id: \"" ACCOUNT "\", payer: \"" ING "\", from: 2025-01-01}]\n---\n"
                               "kind: Customer\nid: zenith\nreseller: northwind\nprice_book: standard\n"
                               "accounts: [{id: \"" OTHER "\", payer: \"" ING "\", from: 2025-01-01}]\n";

#define GATE5                                                                                                          \
    {                                                                                                                  \
        "Gate 5", "", "", "", "Dubai", "", "00000", "AE"                                                               \
    }

static bool read_payer(void *opaque, const cm_payer *payer, cm_arena *arena, cm_tax_seen *ret, cm_error *err)
{
    checked *c = opaque;
    c->reads++;
    cr_assert_str_eq(payer->id, ING);
    if (c->fails.class != CM_ERROR_NONE) {
        *err = c->fails;
        return false;
    }
    cm_tax_seen_account all[] = {
        {.id = ING,
         .name = "Northwind",
         .registration_id = "100",
         .registration_type = "VAT",
         .status = "Verified",
         .legal_name = "IM",
         .inherits_from = "",
         .has_address = true,
         .address = GATE5},
        {.id = ACCOUNT,
         .name = "",
         .registration_id = "",
         .registration_type = "",
         .status = "",
         .legal_name = "",
         .inherits = true,
         .inherits_from = ING},
        {.id = OTHER,
         .name = "",
         .registration_id = c->other_number,
         .registration_type = *c->other_number ? "VAT" : "",
         .status = *c->other_number ? "Verified" : "",
         .legal_name = "",
         .inherits = !*c->other_number,
         .inherits_from = ""},
        {.id = WILD,
         .name = "",
         .registration_id = "",
         .registration_type = "",
         .status = "",
         .legal_name = "",
         .inherits = true,
         .inherits_from = ING},
    };
    cm_tax_seen_account *list = cm_arena_alloc(arena, sizeof all);
    memcpy(list, all, sizeof all);
    *ret = (cm_tax_seen){c->inheritance, c->transfer_to, list, c->lists_wild ? 4 : 3};
    return true;
}

static bool switch_on(void *opaque, const cm_payer *payer, cm_error *err)
{
    checked *c = opaque;
    (void)payer;
    (void)err;
    c->switched++;
    snprintf(c->inheritance, sizeof c->inheritance, "OptIn");
    return true;
}

void checked_catalog(checked *c, bool with_distributor, const char *number, const char *more)
{
    cm_buffer yaml = {0};
    cm_buffer_text(&yaml, accounts);
    if (with_distributor)
        cm_buffer_printf(
            &yaml,
            "---\nkind: Distributor\nid: im\nlane: ingram\ntax_profiles: [{country: AE, registration_id: '%s', "
            "registration_type: VAT, legal_name: IM, address: {address_line1: Gate 5, city: Dubai, postal_code: "
            "'00000'}}]\n",
            number);
    cm_buffer_text(&yaml, more);
    place_catalog(c->place, yaml.data);
    cm_buffer_free(&yaml);
}

checked *checked_open(void)
{
    checked *c = cm_alloc(sizeof *c);
    c->place = place_open();
    c->clock = cm_clock_fixed(c->place->now);
    snprintf(c->inheritance, sizeof c->inheritance, "OptIn");
    c->core = (cm_tax_checker){.pg = c->place->pg,
                               .clock = &c->clock,
                               .lane = "ingram",
                               .catalogs = cm_catalog_cache_new(),
                               .reader = {read_payer, switch_on, c},
                               .interval = 3600 * CM_SECOND,
                               .retry_after = 60 * CM_SECOND,
                               .max_age = 2 * CM_DAY};
    checked_catalog(c, true, "100", "");
    return c;
}

void checked_close(checked *c)
{
    cm_catalog_cache_free(c->core.catalogs);
    place_close(c->place);
    free(c);
}

void checked_round(checked *c)
{
    cm_error err = {0};
    cr_assert(cm_checker_round(&c->core, &err), "%s", err.text);
}

const char *verdicts(checked *c)
{
    return ask(c->place,
               "SELECT string_agg(account || ' ' || verdict, ', ' ORDER BY account <> payer, account) FROM tax_verdict "
               "WHERE payer = '" ING "'");
}

void later(checked *c, int64_t seconds)
{
    c->place->now += seconds * CM_SECOND;
    c->clock = cm_clock_fixed(c->place->now);
}
