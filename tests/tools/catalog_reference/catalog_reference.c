/*
 * catalog-reference EXAMPLES > docs/catalog.md: every kind of document with its keys, printed from the tables that
 * `curmill catalog check` goes by (common/billing/catalog/keys), and the example documents of the folder EXAMPLES.
 */
#include "base/base/buffer.h"
#include "billing/catalog/keys/keys.h"
#include "billing/payer_model/registry.h"

#include <stdio.h>
#include <string.h>

static const enum cm_document_kind order[] = {
    CM_DOCUMENT_RESELLER,
    CM_DOCUMENT_PAYER,
    CM_DOCUMENT_CUSTOMER,
    CM_DOCUMENT_PRICE_BOOK,
    CM_DOCUMENT_SUPPORT_PLAN_GROUP,
    CM_DOCUMENT_SUPPORT_PLAN,
    CM_DOCUMENT_FX_RATE,
    CM_DOCUMENT_CUSTOM_CHARGE,
    CM_DOCUMENT_CREDIT,
    CM_DOCUMENT_LINE_ITEM_TYPE,
    CM_DOCUMENT_SUPPORT_PRODUCT,
    CM_DOCUMENT_DISTRIBUTOR,
    CM_DOCUMENT_INVOICE_FORMAT,
};
_Static_assert(sizeof order / sizeof *order == CM_DOCUMENT_KINDS, "a kind is not on the page");

static const char introduction[] =
    "# Catalog reference\n"
    "\n"
    "<!-- Printed by tests/tools/catalog_reference from common/billing/catalog/keys and docs/examples/catalog: change those, then\n"
    "     cmake --build --preset dev --target docs-catalog -->\n"
    "\n"
    "Every kind of document that a catalog may hold, and every key of it. The examples together are a catalog that\n"
    "`curmill catalog check` accepts: [examples/catalog](examples/catalog). What the terms mean: [glossary.md](glossary.md); how they\n"
    "are used in billing: [rating.md](rating.md) and [statements.md](statements.md).\n"
    "\n"
    "A catalog is a folder. All files below it whose names end in `.yaml` or `.yml` are read, at any depth, in the order of their paths;\n"
    "files and folders whose names begin with a point are left out. A file holds any number of documents, separated by `---`. Each names its\n"
    "`kind` and its `id`, which is unique within the kind. Unknown keys, keys that come twice and missing ones are refused with file, line and\n"
    "column; everything that is wrong is reported at once. A key without a value counts as absent.\n"
    "\n"
    "| limit | |\n"
    "|---|---|\n";

static const char values[] =
    "\n"
    "How values are written:\n"
    "\n"
    "| value | form |\n"
    "|---|---|\n"
    "| text | one line, without tabs and control characters |\n"
    "| id | letters, digits and `. _ - + @`, beginning with a letter or digit |\n"
    "| number | decimal with a point and at most 18 decimals, without thousands separators: `12.5`; never read as binary floating point |\n"
    "| currency | three capital letters of ISO 4217: `USD` |\n"
    "| country | two capital letters of ISO 3166-1: `DE` |\n"
    "| time | a date, which is its 00:00 UTC: `2025-06-01`; or an instant in UTC: `2025-06-01T12:00:00Z`. Intervals are half-open: `to` is the "
    "first instant that no longer counts |\n"
    "| month | `2025-06` |\n"
    "| charge class | ";

static void put_limits(void)
{
    printf(
        "| documents of a catalog | 200,000 |\n| size of a file | 256 MiB |\n| length of an id | 100 |\n| length of a text | %d bytes |\n",
        CM_TEXT_LIMIT);
}

static void put_classes(void)
{
    for (int i = 0; i < CM_CLASS_COUNT; i++)
        printf("%s`%s`", i ? ", " : "", cm_class_name((enum cm_class)i));
    printf(" |\n");
}

static void put_models(void)
{
    for (size_t i = 0; cm_payer_models[i]; i++)
        printf("%s`%s`", i ? " or " : "", cm_payer_models[i]->name);
}

static void put_payer_kinds(void)
{
    for (size_t i = 0; cm_payer_models[i]; i++) {
        printf("%s%s: ", i ? "; " : "", cm_payer_models[i]->name);
        for (size_t k = 0; cm_payer_models[i]->payer_kinds[k]; k++)
            printf("%s`%s`", k ? ", " : "", cm_payer_models[i]->payer_kinds[k]);
    }
}

/* A cell of a table: | is escaped, placeholders are replaced. */
static void put_cell(const char *text)
{
    static const struct {
        const char *name;
        void (*put)(void);
    } places[] = {{"{models}", put_models}, {"{payer_kinds}", put_payer_kinds}};
    for (const char *c = text; *c;) {
        size_t i = 0;
        while (i < 2 && strncmp(c, places[i].name, strlen(places[i].name)) != 0)
            i++;
        if (i < 2) {
            places[i].put();
            c += strlen(places[i].name);
        } else if (strncmp(c, "{model}", 7) == 0) {
            printf("%s", cm_payer_models[0]->name);
            c += 7;
        } else {
            printf(*c == '|' ? "\\|" : "%c", *c);
            c++;
        }
    }
}

static void put_key(const cm_key *key)
{
    printf("| `%s` | ", key->name);
    put_cell(key->type);
    printf(" | %s | ", key->required ? "yes" : "");
    put_cell(key->otherwise ? key->otherwise : "");
    printf(" | ");
    put_cell(key->meaning);
    printf(" | ");
    if (key->example) {
        printf("`%s: ", key->name);
        put_cell(key->example);
        printf("`");
    } else {
        printf("below");
    }
    printf(" |\n");
}

static void put_table(const cm_key_table *table)
{
    if (*table->path)
        printf("\n`%s`, %s:\n", table->path, table->title);
    printf("\n| key | value | required | without it | meaning | example |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < table->count; i++)
        put_key(&table->keys[i]);
}

static bool put_example(const char *folder, const char *name)
{
    char path[4096], line[4096];
    cm_assert((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path);
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "%s cannot be read\n", path);
        return false;
    }
    printf("\n[examples/catalog/%s](examples/catalog/%s):\n\n```yaml\n", name, name);
    while (fgets(line, sizeof line, file))
        fputs(line, stdout);
    fclose(file);
    printf("```\n");
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: catalog-reference EXAMPLES > docs/catalog.md\n");
        return 1;
    }
    printf("%s", introduction);
    put_limits();
    printf("%s", values);
    put_classes();
    for (size_t i = 0; i < CM_DOCUMENT_KINDS; i++) {
        const cm_kind_keys *kind = &cm_kind_keys_of[order[i]];
        printf("\n## %s\n\n%s\n", cm_document_kind_names[order[i]], kind->what);
        for (const cm_key_table *const *table = kind->tables; *table; table++)
            put_table(*table);
        if (!put_example(argv[1], kind->file))
            return 1;
    }
    return 0;
}
