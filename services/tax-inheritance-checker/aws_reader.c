/*
 * What AWS shows of a payer: outbound billing transfers (Organizations), GetTaxInheritance and the pages of
 * ListTaxRegistrations (Tax Settings). An account whose address the list does not carry, and whose registration is its
 * own, costs one GetTaxRegistration more.
 */
#include "checker.h"

#include "platform/aws/organizations/organizations.h"
#include "platform/aws/tax/tax_settings.h"

#include <stdlib.h>
#include <string.h>

enum { SLICE_MS = 20000 }; /* of one payer: another one's trouble ends there */

typedef struct reading {
    const cm_payer *payer;
    cm_arena *arena;
    cm_instant now;
    cm_tax_seen *seen;
    cm_tax_seen_account *accounts;
    size_t count, capacity;
} reading;

static const char *keep(const reading *r, const char *text)
{
    return *text ? cm_arena_strndup(r->arena, text, strlen(text)) : "";
}

static void take_address(const reading *r, const cm_tax_address *from, cm_postal_address *to)
{
    *to = (cm_postal_address){keep(r, from->line1),       keep(r, from->line2),  keep(r, from->line3),
                              keep(r, from->district),    keep(r, from->city),   keep(r, from->state),
                              keep(r, from->postal_code), keep(r, from->country)};
}

static bool take_account(void *opaque, const cm_tax_account *account, cm_error *err)
{
    reading *r = opaque;
    (void)err;
    if (!*account->id)
        return true;
    if (r->count == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 64;
        r->accounts = cm_realloc(r->accounts, r->capacity * sizeof *r->accounts);
    }
    const cm_tax_registration *registration = &account->registration;
    cm_tax_seen_account *to = &r->accounts[r->count++];
    *to = (cm_tax_seen_account){.id = keep(r, account->id),
                                .name = keep(r, account->name),
                                .registration_id = registration->there ? keep(r, registration->id) : "",
                                .registration_type = registration->there ? keep(r, registration->type) : "",
                                .status = registration->there ? keep(r, registration->status) : "",
                                .legal_name = registration->there ? keep(r, registration->legal_name) : "",
                                .inherits = account->inherits,
                                .inherits_from = keep(r, account->inherits_from),
                                .has_address = account->has_address};
    if (account->has_address)
        take_address(r, &account->address, &to->address);
    return true;
}

/* The bills of this payer are managed by another organization's (feature of November 2025): that one controls tax. */
static bool take_transfer(void *opaque, const cm_org_transfer *transfer, cm_error *err)
{
    reading *r = opaque;
    (void)err;
    bool runs = strcmp(transfer->status, "ACCEPTED") == 0 && transfer->starts_at <= r->now &&
                (transfer->ends_at == 0 || r->now < transfer->ends_at);
    if (runs && *transfer->target && strcmp(transfer->target, r->payer->id) != 0)
        r->seen->transfer_to = keep(r, transfer->target);
    return true;
}

/* Names the permission: it is what a person must add. */
static bool refused(cm_error *err, const char *action)
{
    return strcmp(err->code, "DENIED") == 0 ? cm_fail_context(err, "%s", action) : false;
}

static bool read_transfers(cm_aws_access *access, reading *r, cm_error *err)
{
    r->seen->transfer_to = "";
    if (cm_org_list_transfers(access, CM_ORG_OUTBOUND, take_transfer, r, err))
        return true;
    if (err->class == CM_ERROR_RETRY && strcmp(err->code, "DENIED") != 0)
        return false;
    /* No organization, no right to see transfers: then the settings that can be seen are what there is. */
    cm_error_clear(err);
    return true;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const cm_tax_seen_account *)a)->id, ((const cm_tax_seen_account *)b)->id);
}

/* Sorted, each once. */
static void settle(reading *r)
{
    size_t kept = 0;
    if (r->count)
        qsort(r->accounts, r->count, sizeof *r->accounts, by_id);
    for (size_t i = 0; i < r->count; i++) {
        if (!kept || strcmp(r->accounts[kept - 1].id, r->accounts[i].id) != 0)
            r->accounts[kept++] = r->accounts[i];
    }
    cm_tax_seen_account *list = cm_arena_alloc(r->arena, (kept + 1) * sizeof *list);
    if (kept)
        memcpy(list, r->accounts, kept * sizeof *list);
    r->seen->accounts = list;
    r->seen->count = kept;
    free(r->accounts);
    r->accounts = list; /* the arena's */
}

static bool read_addresses(cm_aws_access *access, reading *r, cm_error *err)
{
    for (size_t i = 0; i < r->seen->count; i++) {
        cm_tax_seen_account *account = &r->accounts[i];
        cm_tax_registration registration;
        if (account->has_address || account->inherits || !*account->registration_id)
            continue;
        if (!cm_tax_registration_of(access, account->id, &registration, err))
            return refused(err, "tax:GetTaxRegistration");
        account->has_address = registration.there && registration.has_address;
        if (account->has_address)
            take_address(r, &registration.address, &account->address);
    }
    return true;
}

static cm_aws_access *open_access(cm_tax_aws *aws, const cm_payer *payer)
{
    char name[32];
    snprintf(name, sizeof name, "payer %s", payer->id);
    cm_aws_provider *provider =
        cm_aws_sessions_get(aws->sessions, payer->role_arn, *payer->external_id ? payer->external_id : NULL, NULL);
    cm_aws_access_config config = {.name = name,
                                   .partition = cm_aws_partition_of(payer->role_arn),
                                   .provider = provider,
                                   .slice_milliseconds = SLICE_MS};
    cm_aws_access *access = cm_aws_access_new(&config);
    cm_aws_provider_free(provider);
    return access;
}

static void close_access(cm_tax_aws *aws, cm_aws_access *access)
{
    aws->calls += (int64_t)cm_aws_access_calls(access);
    cm_aws_access_free(access);
}

static bool read_payer(void *opaque, const cm_payer *payer, cm_arena *arena, cm_tax_seen *ret, cm_error *err)
{
    cm_tax_aws *aws = opaque;
    char inheritance[CM_TAX_WORD];
    reading r = {.payer = payer, .arena = arena, .now = aws->clock->now(aws->clock), .seen = ret};
    cm_aws_access *access = open_access(aws, payer);
    bool done = cm_tax_inheritance(access, inheritance, err) || refused(err, "tax:GetTaxInheritance");
    if (done && !cm_tax_list_registrations(access, take_account, &r, err)) {
        done = refused(err, "tax:ListTaxRegistrations");
        free(r.accounts);
    } else if (done) {
        ret->inheritance = keep(&r, inheritance);
        settle(&r);
        done = read_transfers(access, &r, err) && (*ret->transfer_to || read_addresses(access, &r, err));
    }
    close_access(aws, access);
    return done;
}

static bool switch_on(void *opaque, const cm_payer *payer, cm_error *err)
{
    char account[CM_AWS_ACCOUNT_ID];
    cm_aws_access *access = open_access(opaque, payer);
    bool done = cm_aws_identity(access, account, err);
    if (done && strcmp(account, payer->id) != 0)
        done = cm_fail(err, CM_ERROR_REFUSED, "OTHER_ACCOUNT",
                       "the credentials for payer %s are those of account %s: nothing was changed", payer->id, account);
    done =
        done && (cm_tax_set_inheritance(access, CM_TAX_INHERITANCE_ON, err) || refused(err, "tax:PutTaxInheritance"));
    close_access(opaque, access);
    return done;
}

cm_tax_reader cm_tax_aws_reader(cm_tax_aws *aws)
{
    return (cm_tax_reader){read_payer, switch_on, aws};
}
