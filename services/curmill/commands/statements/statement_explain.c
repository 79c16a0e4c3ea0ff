/* statement explain: why a row of a document has its amount (billing/explain). For the reseller: it names rules and
 * groups. */
#include "cli/cli.h"
#include "commands/commands.h"

#include "base/json/json.h"
#include "billing/explain/explain.h"
#include "store/documents/document_record.h"

#include <stdlib.h>
#include <string.h>

static json_t *explain(cli *c, const char *document, size_t row, cm_error *err)
{
    json_t *record = NULL, *explained = NULL;
    cm_catalog *catalog = NULL;
    if (cm_store_document_record(c->pg_, document, &record, err) &&
        cm_store_catalog_load(c->pg_, cm_json_member_text(json_object_get(record, "settings"), "catalog"), &catalog,
                              err))
        explained = cm_explain_row(record, catalog, row, err);
    cm_catalog_free(catalog);
    json_decref(record);
    return explained;
}

static void print_explained(const json_t *explained)
{
    static const char *const facts[] = {"document", "period",   "customer", "account",      "product", "usage_type",
                                        "class",    "quantity", "unit",     "amount_exact", "amount",  "currency"};
    size_t i;
    const json_t *step;
    for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) {
        const char *text = cm_json_member_text(explained, facts[k]);
        if (*text)
            cli_put(stdout, "%-14s %s\n", facts[k], text);
    }
    cli_put(stdout, "\nsteps\n");
    json_array_foreach (json_object_get(explained, "steps"), i, step)
        cli_put(stdout, "  %-13s %s\n", cm_json_member_text(step, "step"), cm_json_member_text(step, "detail"));
}

int cmd_statement_explain(cli *c)
{
    cm_error err = {0};
    int exit_code = 0;
    char id[CM_ID_HEX];
    const char *text = cli_value(c, "row");
    if (strspn(text, "0123456789") != strlen(text) || !*text || strlen(text) > 9)
        return cli_usage(c, "--row is the number of a row of the document, from 1, not \"%s\"", text);
    if (!cli_one_document(c, id, &exit_code))
        return exit_code;
    json_t *explained = explain(c, id, strtoul(text, NULL, 10), &err);
    if (!explained)
        return cli_fail(c, &err);
    if (c->format == CLI_JSON)
        return cli_json_print(explained);
    print_explained(explained);
    json_decref(explained);
    return 0;
}
