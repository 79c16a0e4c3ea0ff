/* How many VAT invoices AWS will write: one for each registration, and one for each account without any. */
#include "billing/tax/tax.h"

#include <stdlib.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *registration(cm_arena *arena, const cm_tax_seen_account *account)
{
    return account && *account->registration_id && strcmp(account->status, "Verified") == 0
               ? cm_arena_printf(arena, "%s %s", cm_tax_normal(arena, account->registration_type),
                                 cm_tax_normal(arena, account->registration_id))
               : "";
}

size_t cm_tax_invoices(const char *payer, const cm_tax_seen *seen)
{
    cm_arena *arena = cm_arena_new(4096);
    const char **list = cm_arena_alloc(arena, (seen->count + 1) * sizeof *list), *of_payer = "";
    size_t registered = 0, invoices = 0;
    for (size_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->accounts[i].id, payer) == 0)
            of_payer = registration(arena, &seen->accounts[i]);
    }
    for (size_t i = 0; i < seen->count; i++) {
        const char *own = registration(arena, &seen->accounts[i]);
        if (!*own && seen->accounts[i].inherits && strcmp(seen->inheritance, "OptIn") == 0)
            own = of_payer;
        if (*own)
            list[registered++] = own;
        else
            invoices++;
    }
    if (registered)
        qsort(list, registered, sizeof *list, by_text);
    for (size_t i = 0; i < registered; i++)
        invoices += i == 0 || strcmp(list[i - 1], list[i]) != 0;
    cm_arena_free(arena);
    return invoices;
}
