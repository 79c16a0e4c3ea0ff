/* Lanes: a payer in a lane that the installation does not have would never be billed. */
#include "billing/catalog/check/read.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char *const lanes[] = {"tdsynnex", "ingram", NULL};

/* The problems of the base documents and `text`, "|" between them. */
static char *found_in(const char *text, const char *const *known)
{
    char *folder = folder_new();
    cm_catalog_problems problems = {0};
    cm_error err = {0};
    cm_buffer all = {0};
    folder_write(folder, "base.yaml", base_documents);
    folder_write(folder, "t.yaml", text);
    json_decref(cm_catalog_read_for(folder, known, &problems, &err));
    for (size_t i = 0; i < problems.count; i++)
        cm_buffer_printf(&all, "%s%s:%d:%d: %s", i ? "|" : "", problems.list[i].file + strlen(folder) + 1,
                         problems.list[i].line, problems.list[i].column, problems.list[i].text);
    cm_catalog_problems_free(&problems);
    folder_remove(folder);
    cm_buffer_text(&all, "");
    return all.data ? cm_buffer_take(&all) : cm_strdup("");
}

#define NEXT "; correct it, or add it to the setting lanes and start its workers"

static void expect(const char *text, const char *wanted)
{
    char *found = found_in(text, lanes);
    cr_assert_str_eq(found, wanted, "%s\n  is not %s\n  for %s", found, wanted, text);
    free(found);
}

#define PAYER(lane)                                                                                                    \
    "kind: Payer\nid: '999999999999'\nlane: " lane "\nmodel: tdsynnex\npayer_kind: shared\nreseller: northwind\n"
#define CUSTOMER "{kind: Customer, id: c, name: C, reseller: northwind, price_book: standard}\n---\n"

Test(lanes, of_payers_charges_credits_and_distributors_are_those_of_the_installation)
{
    expect(PAYER("tds"), "t.yaml:3:7: lane \"tds\" is not a lane of this installation (tdsynnex, ingram); did you mean "
                         "\"tdsynnex\"?" NEXT);
    expect(PAYER("ingrma"),
           "t.yaml:3:7: lane \"ingrma\" is not a lane of this installation (tdsynnex, ingram); did you "
           "mean \"ingram\"?" NEXT);
    expect(PAYER("arrow-ecs"),
           "t.yaml:3:7: lane \"arrow-ecs\" is not a lane of this installation (tdsynnex, ingram)" NEXT);
    expect("kind: Distributor\nid: im\nlane: ingrm\n",
           "t.yaml:3:7: lane \"ingrm\" is not a lane of this installation (tdsynnex, ingram); did you mean "
           "\"ingram\"?" NEXT);
    expect(CUSTOMER "kind: CustomCharge\nid: k\ncustomer: c\nlane: tdsynex\npercent: 5\nperiod: 2025-06\n",
           "t.yaml:6:7: lane \"tdsynex\" is not a lane of this installation (tdsynnex, ingram); did you mean "
           "\"tdsynnex\"?" NEXT);
    expect(
        CUSTOMER "{kind: Credit, id: k, name: K, customer: c, lane: in, from: 2025-06, amount: 5, currency: USD}\n",
        "t.yaml:3:51: lane \"in\" is not a lane of this installation (tdsynnex, ingram); did you mean \"ingram\"?" NEXT);
    expect(PAYER("tdsynnex"), "");
}

/* One mistake is one problem: what else has the lane is not judged as well. */
Test(lanes, one_mistake_is_told_once)
{
    char *found = found_in(PAYER("tds") "---\n{kind: Distributor, id: td, lane: tdsynnex}\n---\n"
                                        "kind: Distributor\nid: im\nlane: tds\n",
                           lanes);
    char *second = strchr(found, '|');
    cr_assert(second && !strchr(second + 1, '|'), "%s", found);
    cr_assert(strstr(found, "t.yaml:3:7: lane \"tds\"") && strstr(found, "t.yaml:12:7: lane \"tds\""), "%s", found);
    free(found);
}

/* Only a program that knows the setting can judge it. */
Test(lanes, any_where_the_setting_is_not_known)
{
    char *found = found_in(PAYER("tds"), NULL);
    cr_assert_str_eq(found, "");
    free(found);
}
