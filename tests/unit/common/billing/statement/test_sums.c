/* The sum of the lines is the subtotal, in documents of currencies of 0, 2 and 3 decimals, and the three modes bill the
 * same (statements.md sections 2, 3; N18, I01-I03). The test counts in integers of its own. */
#include "documents.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { CUSTOMERS = 120, ROUNDS = 120, CHARGES_MOST = 4 };

static const struct {
    const char *code;
    int places;
} currencies[] = {{"USD", 2}, {"JPY", 0}, {"KWD", 3}, {"EUR", 2}};
enum { CURRENCIES = sizeof currencies / sizeof *currencies };

static uint64_t state = 1000000;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Customer i pays in currency i modulo 4; every third has a tax. */
static char *yaml_of(const char *mode)
{
    cm_buffer yaml = {0};
    cm_buffer_printf(&yaml, "kind: Reseller\nid: south\nconsolidation: %s\n---\n", mode);
    for (int i = 1; i < CURRENCIES; i++)
        cm_buffer_printf(&yaml,
                         "kind: FxRate\nid: f%d\nset: reseller\nfrom: USD\nto: %s\nperiod: 2025-06\nrate: %s\n---\n", i,
                         currencies[i].code,
                         i == 1   ? "151.73"
                         : i == 2 ? "0.30721"
                                  : "0.921700000000000001");
    for (int i = 0; i < CUSTOMERS; i++)
        cm_buffer_printf(&yaml,
                         "kind: Customer\nid: c%03d\nreseller: south\nprice_book: standard\ninvoice_currency: "
                         "%s\n%saccounts: [{id: \"%012d\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n",
                         i, currencies[i % CURRENCIES].code, i % 3 ? "" : "tax: [{name: VAT, percent: 7.7}]\n", i);
    return cm_buffer_take(&yaml);
}

/* Cents, long fractions, tiny ones, halves of a unit, credits; seldom nothing. */
static cm_decimal random_amount(void)
{
    cm_i128 wide = ((cm_i128)(next_random() >> 2) << 24) ^ (cm_i128)next_random(), value;
    switch (next_random() % 5) {
    case 0:
        value = (cm_i128)(next_random() % 100000) * (CM_DECIMAL_ONE_UNITS / 100);
        break;
    case 1:
        value = wide % ((cm_i128)100000 * CM_DECIMAL_ONE_UNITS);
        break;
    case 2:
        value = wide % (CM_DECIMAL_ONE_UNITS / 100);
        break;
    case 3:
        value = (cm_i128)(next_random() % 2000) * (CM_DECIMAL_ONE_UNITS / 2000);
        break;
    default:
        value = wide % ((cm_i128)10 * CM_DECIMAL_ONE_UNITS);
        break;
    }
    return (cm_decimal){next_random() % 4 ? value : -value};
}

static size_t random_charges(cm_statement_charge *charges, char (*ids)[16], char (*accounts)[16])
{
    static const char *const products[] = {"AmazonEC2", "AmazonS3", "AWSLambda"};
    size_t count = 0;
    for (int i = 0; i < CUSTOMERS; i++) {
        uint64_t kind = next_random() % 20;
        int most = kind == 0   ? CHARGES_MOST * 5
                   : kind < 14 ? 1 + (int)(next_random() % 2)
                               : (int)(next_random() % CHARGES_MOST);
        for (int n = 0; n < most; n++) {
            cm_statement_charge c = charge(CM_CLASS_USAGE, products[next_random() % 3], "0");
            c.customer = ids[i];
            c.account = accounts[i];
            c.usage_type = n % 2 ? "a" : "b";
            c.sell_amount = random_amount();
            charges[count++] = c;
        }
    }
    return count;
}

static cm_i128 unit_of(const char *currency)
{
    cm_i128 unit = CM_DECIMAL_ONE_UNITS;
    for (int i = 0; i < CURRENCIES; i++)
        if (strcmp(currencies[i].code, currency) == 0)
            for (int p = 0; p < currencies[i].places; p++)
                unit /= 10;
    return unit;
}

/* sums[i]: exact amounts in currency i, of all documents. Returns how many there are. */
static size_t check(const cm_statements *statements, cm_i128 sums[CURRENCIES])
{
    memset(sums, 0, CURRENCIES * sizeof *sums);
    for (size_t i = 0; i < statements->count; i++) {
        const cm_statement *s = &statements->list[i];
        cm_i128 exact = 0, rounded = 0, unit = unit_of(s->currency);
        size_t n;
        const json_t *line;
        json_array_foreach (json_object_get(s->document, "lines"), n, line) {
            cm_i128 amount_units = amount(json_string_value(json_object_get(line, "amount"))).units;
            exact += amount(json_string_value(json_object_get(line, "amount_exact"))).units;
            rounded += amount_units;
            cr_assert(amount_units % unit == 0, "document %s: a part of a unit of %s", s->id, s->currency);
        }
        cm_i128 magnitude = exact < 0 ? -exact : exact, half_away = (magnitude + unit / 2) / unit * unit;
        cr_assert(s->subtotal.units == (exact < 0 ? -half_away : half_away),
                  "document %s: the subtotal is not half away from zero", s->id);
        cr_assert(rounded == s->subtotal.units, "document %s: the lines do not add up to the subtotal", s->id);
        for (int k = 0; k < CURRENCIES; k++)
            if (strcmp(currencies[k].code, s->currency) == 0)
                sums[k] += exact;
    }
    return statements->count;
}

Test(sums, documents_of_all_modes, .timeout = 120)
{
    static const char *const modes[] = {"end_customer", "semi", "full"};
    static char ids[CUSTOMERS][16], accounts[CUSTOMERS][16];
    cm_catalog *catalogs[3];
    size_t documents = 0;
    for (int m = 0; m < 3; m++) {
        char *yaml = yaml_of(modes[m]);
        catalogs[m] = test_catalog(yaml);
        free(yaml);
    }
    for (int i = 0; i < CUSTOMERS; i++) {
        snprintf(ids[i], sizeof ids[i], "c%03d", i);
        snprintf(accounts[i], sizeof accounts[i], "%012d", i);
    }
    cm_statement_charge *charges = cm_alloc(CUSTOMERS * CHARGES_MOST * 5 * sizeof *charges);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = random_charges(charges, ids, accounts);
        cm_i128 sums[3][CURRENCIES];
        for (int m = 0; m < 3; m++) {
            cm_statements statements;
            cm_error err = {0};
            cr_assert(cm_statements_build(catalogs[m], "tdsynnex", (cm_period){2025, 6}, charges, count, &statements,
                                          NULL, &err),
                      "%s", err.text);
            documents += check(&statements, sums[m]);
            cm_statements_free(&statements);
            for (int k = 0; k < CURRENCIES; k++)
                cr_assert(sums[m][k] == sums[0][k], "round %d: %s adds up to another sum in %s", round, modes[m],
                          currencies[k].code);
        }
    }
    fprintf(stderr, "%zu documents\n", documents);
    free(charges);
    for (int m = 0; m < 3; m++)
        cm_catalog_free(catalogs[m]);
}
