#include "catalog_fixture.h"
#include "billing/catalog/check/read.h"
#include "billing/catalog/parse/canonical.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char base[] =
    "kind: Payer\nid: \"" TDS "\"\nlane: tdsynnex\nmodel: tdsynnex\npayer_kind: shared\nreseller: northwind\n---\n"
    "kind: Payer\nid: \"" TDS2 "\"\nlane: tdsynnex\nmodel: tdsynnex\npayer_kind: shared\nreseller: northwind\n---\n"
    "kind: Payer\nid: \"" ING "\"\nlane: ingram\nmodel: ingram\npayer_kind: master\nreseller: northwind\ncountry: AE\n"
    "access: {role_arn: 'arn:aws:iam::" ING ":role/curmill'}\n---\n"
    "kind: Reseller\nid: northwind\nname: Northwind Cloud\nconsolidation: end_customer\n---\n"
    "kind: PriceBook\nid: standard\ncurrency: USD\nversions:\n  - effective_from: 2024-01-01\n    rules:\n"
    "      - {id: rest, priority: 1000, match: {}, price: {pass: payer}}\n---\n";

json_t *test_catalog_json(const char *yaml)
{
    char folder[] = "/tmp/curmill-catalog-XXXXXX", path[64];
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/catalog.yaml", folder);
    FILE *file = fopen(path, "w");
    if (!file)
        abort();
    fputs(base, file);
    fputs(yaml, file);
    fclose(file);
    cm_catalog_problems problems = {0};
    cm_error err = {0};
    json_t *canonical = cm_catalog_read(folder, &problems, &err);
    for (size_t i = 0; i < problems.count; i++) {
        if (!problems.list[i].warning)
            fprintf(stderr, "catalog line %d: %s\n", problems.list[i].line, problems.list[i].text);
    }
    if (!canonical)
        fprintf(stderr, "%s\n%s", err.text, yaml);
    cm_catalog_problems_free(&problems);
    unlink(path);
    rmdir(folder);
    if (!canonical)
        abort();
    return canonical;
}

cm_catalog *test_catalog(const char *yaml)
{
    cm_error err = {0};
    json_t *canonical = test_catalog_json(yaml);
    char *text = cm_catalog_text(canonical);
    cm_catalog *catalog = cm_catalog_parse(text, &err);
    if (!catalog) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    json_decref(canonical);
    free(text);
    return catalog;
}
