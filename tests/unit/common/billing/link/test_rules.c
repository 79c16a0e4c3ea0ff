/* Rules of requests, pure: domains, territories, roles, budget, plans, duties, advice (N06-N08, N22, N23, O25-O34,
 * P01-P18). */
#include "billing/link/advice.h"
#include "billing/link/link.h"
#include "billing/link/rules.h"

#include "catalog_fixture.h"

#include <criterion/criterion.h>

static cm_instant at(const char *text)
{
    cm_instant ret;
    cr_assert(cm_instant_parse(cm_slice_of(text), &ret), "%s", text);
    return ret;
}

#define MODEL(name) cm_payer_model_find(name)

/* P01 ECAM: the payer's root is the distributor's (P02), the member's is the end customer's (P03); where the reseller
 * holds the payer (P14) neither is checked. */
Test(rules, P01_P02_P03_who_owns_the_root)
{
    static const char *const domains[] = {"distributor.example", "dist.example"};
    const cm_distributor distributor = {.email_domains = domains, .email_domain_count = 2};
    static const struct {
        const char *model, *email;
        bool payer, fine, judged;
    } table[] = {
        {"tdsynnex", "a@distributor.example", true, true, true},
        {"tdsynnex", "a@DIST.example", true, true, true},
        {"tdsynnex", "a@aws.dist.example", true, true, true},
        {"tdsynnex", "a@notdist.example", true, false, true},
        {"tdsynnex", "a@customer.example", true, false, true},
        {"tdsynnex", "a@customer.example", false, true, true},
        {"tdsynnex", "a@dist.example", false, false, true},
        {"tdsynnex", "a@x.distributor.example", false, false, true},
        {"tdsynnex", "a@dist.example.org", false, true, true},
        {"tdsynnex", "", true, true, false},
        {"ingram", "a@dist.example", false, true, false},
        {"ingram", "a@reseller.example", true, true, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_error err = {0};
        bool judged;
        cr_assert_eq(
            cm_rule_root_domain(MODEL(table[i].model), table[i].payer, table[i].email, &distributor, &judged, &err),
            table[i].fine, "%zu %s", i, table[i].email);
        cr_assert_eq(judged, table[i].judged, "%zu", i);
        cr_assert(table[i].fine || strstr(err.text, table[i].payer ? "P02" : "P03"));
        cr_assert(cm_rule_root_domain(MODEL(table[i].model), table[i].payer, table[i].email, NULL, &judged, &err) &&
                  !judged);
    }
}

/* P04: a role belongs to the account itself; the distributor has no access to members. */
Test(rules, P04_O13_a_role_is_the_accounts_own)
{
    cm_error err = {0};
    cr_assert(cm_rule_role("", "", ACCOUNT, &err));
    cr_assert(cm_rule_role("arn:aws:iam::" ACCOUNT ":role/reader", "CA123456", ACCOUNT, &err));
    cr_assert(cm_rule_role("arn:aws-cn:iam::" ACCOUNT ":role/path/reader", "", ACCOUNT, &err));
    static const char *const bad[] = {"arn:aws:iam::" OTHER ":role/reader",
                                      "arn:aws:iam::" ACCOUNT ":user/reader",
                                      "arn:aws:iam::" ACCOUNT ":role/",
                                      "arn:aws-cn:iam::" OTHER ":role/reader",
                                      "reader",
                                      ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(cm_rule_role(bad[i], "CA123456", ACCOUNT, &err), "%s", bad[i]);
    static const char *const bad_ids[] = {"x", "with space", "\xc3\xa4\xc3\xa4", "a;b"};
    for (size_t i = 0; i < sizeof bad_ids / sizeof *bad_ids; i++)
        cr_assert_not(cm_rule_role("arn:aws:iam::" ACCOUNT ":role/reader", bad_ids[i], ACCOUNT, &err), "%s",
                      bad_ids[i]);
}

Test(rules, P17_a_dated_list)
{
    const cm_territory list[] = {{"AE", at("2025-01-01T00:00:00Z"), INT64_MAX},
                                 {"QA", at("2024-01-01T00:00:00Z"), at("2025-01-01T00:00:00Z")}};
    const cm_distributor d = {.territories = list, .territory_count = 2}, none = {0};
    const cm_payer_model *model = MODEL("ingram");
    cr_assert_eq(cm_rule_territory(model, &d, "AE", at("2025-01-01T00:00:00Z")), CM_TERRITORY_OK);
    cr_assert_eq(cm_rule_territory(model, &d, "AE", at("2024-12-31T23:59:59Z")), CM_TERRITORY_OUTSIDE);
    cr_assert_eq(cm_rule_territory(model, &d, "QA", at("2024-02-29T00:00:00Z")), CM_TERRITORY_OK);
    cr_assert_eq(cm_rule_territory(model, &d, "QA", at("2025-01-01T00:00:00Z")), CM_TERRITORY_OUTSIDE);
    cr_assert_eq(cm_rule_territory(model, &d, "", at("2025-01-01T00:00:00Z")), CM_TERRITORY_UNKNOWN);
    cr_assert_eq(cm_rule_territory(model, &none, "AE", at("2025-01-01T00:00:00Z")), CM_TERRITORY_UNKNOWN);
    cr_assert_eq(cm_rule_territory(model, NULL, "AE", at("2025-01-01T00:00:00Z")), CM_TERRITORY_UNKNOWN);
    cr_assert_eq(cm_rule_territory(MODEL("tdsynnex"), &d, "QA", at("2025-01-01T00:00:00Z")), CM_TERRITORY_NO_RULE);
}

/* P16, O25: IMBillingRole exists where the distributor created the payer; a payer that was transferred in needs it. */
Test(rules, P15_P16_O25_role_required)
{
    cr_assert(cm_rule_role_required(MODEL("tdsynnex"), false));
    cr_assert_not(cm_rule_role_required(MODEL("ingram"), false));
    cr_assert(cm_rule_role_required(MODEL("ingram"), true));
    cr_assert_str_eq(MODEL("ingram")->role_name,
                     "IMBillingRole"); /* P15: the cross-account role of the primary payer */
    cr_assert_null(MODEL("tdsynnex")->role_name);
}

static bool lists(const cm_payer_model *model, const char *rule, const char *service)
{
    for (const cm_payer_permission *p = model->permissions; p->action; p++) {
        if (strstr(p->purpose, rule) && strncmp(p->action, service, strlen(service)) == 0)
            return true;
    }
    return false;
}

/* What the role must allow: support tickets, billing console, help with billing (O26); console and CUR, support (O27).
 */
Test(rules, O26_O27_permission_matrix)
{
    const cm_payer_model *model = MODEL("ingram");
    cr_assert(lists(model, "O26", "support:") && lists(model, "O26", "billing:") && lists(model, "O26", "account:"));
    cr_assert(lists(model, "O27", "cur:") && lists(model, "O27", "support:"));
}

/* N23: 3 items and the CTA; P18: CloudCheckr's is among what must be removed. */
Test(rules, N23_O30_O31_O32_O33_O34_P18_gates_of_the_model)
{
    static const char *const wanted[] = {"O30", "O31", "O32", "O33", "O34"};
    const cm_payer_gate *gate = MODEL("ingram")->offboarding_gates;
    for (size_t i = 0; i < 5; i++, gate++)
        cr_assert_str_eq(gate->rule, wanted[i]);
    cr_assert_null(gate->code);
    const char *const *roles = MODEL("ingram")->roles_to_remove;
    cr_assert_str_eq(roles[0], "IMBillingRole");
    cr_assert_str_eq(roles[1], "CloudCheckr");
    cr_assert_null(roles[2]);
}

/* N07, N08, O28, O29: by the 21st, LATE on the 22nd. */
Test(rules, N07_N08_O28_O29_duties_by_date)
{
    const cm_period february = {2024, 2}, december = {2024, 12};
    int count = 0;
    for (const cm_payer_duty *d = MODEL("ingram")->duties; d->code; d++, count++) {
        cr_assert_eq(cm_duty_due(d, february), at("2024-03-22T00:00:00Z"));
        cr_assert_eq(cm_duty_due(d, december), at("2025-01-22T00:00:00Z"));
        cr_assert_eq(cm_duty_state_of(d, february, 0, at("2024-02-29T23:59:59Z")), CM_DUTY_NOT_DUE);
        cr_assert_eq(cm_duty_state_of(d, february, 0, at("2024-03-01T00:00:00Z")), CM_DUTY_DUE);
        cr_assert_eq(cm_duty_state_of(d, february, 0, at("2024-03-21T23:59:59Z")), CM_DUTY_DUE);
        cr_assert_eq(cm_duty_state_of(d, february, 0, at("2024-03-22T00:00:00Z")), CM_DUTY_LATE);
        cr_assert_eq(cm_duty_state_of(d, february, at("2024-03-21T23:59:59Z"), at("2024-05-01T00:00:00Z")),
                     CM_DUTY_DONE);
        cr_assert_eq(cm_duty_state_of(d, february, at("2024-03-22T00:00:00Z"), at("2024-05-01T00:00:00Z")),
                     CM_DUTY_DONE_LATE);
    }
    cr_assert_eq(count, 2);
    cr_assert_null(MODEL("tdsynnex")->duties->code);
}

/* 20 invitations in 24 hours, accepted ones do not count; open ones count against the quota
 * (accounts-and-taxes.md section 3). */
Test(rules, N01_invitation_budget)
{
    static const struct {
        int sent, members, open, quota, left;
        const char *bound_by;
    } table[] = {{0, 5, 0, -1, 20, ""},
                 {19, 5, 3, -1, 1, ""},
                 {20, 5, 3, -1, 0, "invitations_per_day"},
                 {25, 5, 3, 500, 0, "invitations_per_day"},
                 {0, 8, 1, 10, 1, ""},
                 {0, 8, 2, 10, 0, "account_quota"},
                 {0, 12, 0, 10, 0, "account_quota"},
                 {18, 8, 0, 10, 2, ""}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_invitation_budget b = {.sent = table[i].sent,
                                  .per_day = 20,
                                  .members = table[i].members,
                                  .open = table[i].open,
                                  .quota = table[i].quota};
        cm_invitation_budget_count(&b);
        cr_assert_eq(b.left, table[i].left, "%zu: %d", i, b.left);
        cr_assert_str_eq(b.bound_by, table[i].bound_by);
    }
}

/* O16, N06, P12: declared, assigned and observed plan are the same, or there is drift. */
Test(rules, O16_N06_P12_plan_drift)
{
    static const struct {
        const char *declared, *assigned, *observed;
        bool drift;
    } table[] = {{"", NULL, NULL, false},
                 {"business", "business", "business", false},
                 {"business", "business", NULL, false},
                 {"developer", "business", NULL, true},
                 {"business", NULL, "developer", true},
                 {"", "business", "developer", true},
                 {"basic", "basic", "business", true},
                 {"", NULL, "business", false},
                 {"business", NULL, NULL, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        cr_assert_eq(cm_plan_drifts(table[i].declared, table[i].assigned, table[i].observed), table[i].drift, "%zu", i);
}

Test(rules, O08_mail_addresses)
{
    static const char *const good[] = {"a@b.cd", "aws-root+1@customer.example", "x@sub.customer.example"};
    static const char *const bad[] = {
        NULL,      "",         "a@b",     "@b.cd",
        "a@@b.cd", "a b@c.de", "a@.b.cd", "a@b..cd",
        "a@b.cd.", "a,b@c.de", "a@-b.cd", "0123456789012345678901234567890123456789012345678901234567890@b.cd"};
    cm_error err = {0};
    char into[8];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert(cm_rule_root_email(good[i], &err), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(cm_rule_root_email(bad[i], &err), "%s", bad[i]);
    cr_assert(cm_email_normal("A@B.cD", into, sizeof into));
    cr_assert_str_eq(into, "a@b.cd");
    cr_assert_not(cm_email_normal("A@B.cDe1", into, sizeof into));
}

/* --- which payer ------------------------------------------------------------------------------------------------- */

static const char world[] =
    "{kind: Customer, id: acme, reseller: northwind, price_book: standard}\n---\n"
    "{kind: Customer, id: zenith, reseller: northwind, price_book: standard, accounts: [{id: '" ACCOUNT
    "', payer: '222222222222', from: 2025-01-01}]}\n---\n"
    "{kind: Payer, id: '222222222222', lane: tdsynnex, model: tdsynnex, payer_kind: dedicated, reseller: "
    "northwind}\n---\n"
    "{kind: Payer, id: '333333333333', lane: tdsynnex, model: tdsynnex, payer_kind: dedicated, reseller: northwind}\n";

static size_t advise(const cm_catalog *catalog, const char *customer, enum cm_organization_state organization,
                     const char *need, cm_advice *into)
{
    const cm_advice_question q = {.organization = organization,
                                  .customer = cm_catalog_customer(catalog, customer),
                                  .needs = &need,
                                  .need_count = need ? 1 : 0};
    return cm_advise(catalog, &q, into);
}

/* The truth table of P07, P08, P14: organization or a capability -> dedicated, else shared; the reseller's own payer is
 * the master. N22: shared is one organization. */
Test(rules, P07_P08_P09_P10_P14_N22_advice)
{
    cm_catalog *catalog = test_catalog(world);
    static const struct {
        const char *customer, *need, *kind, *payer, *why;
        enum cm_organization_state organization;
    } table[] = {
        {"acme", NULL, "shared", TDS, "P08", CM_ORGANIZATION_NONE},
        {"acme", NULL, "shared", TDS, "N22", CM_ORGANIZATION_OTHERS},
        {"acme", NULL, "shared", TDS, "P08", CM_ORGANIZATION_NEW},
        {"acme", NULL, "dedicated", "333333333333", "P07", CM_ORGANIZATION_OWN}, /* 222222222222 is zenith's */
        {"zenith", NULL, "dedicated", "222222222222", "P07", CM_ORGANIZATION_OWN},
        {"zenith", "control_tower", "dedicated", "222222222222", "P09", CM_ORGANIZATION_NONE},
        {"acme", "techcare_break_fix", "dedicated", "333333333333", "P10", CM_ORGANIZATION_NEW},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_advice answers[CM_ADVICE_MAX];
        cr_assert_eq(advise(catalog, table[i].customer, table[i].organization, table[i].need, answers), 2);
        for (int k = 0; k < 2; k++) {
            const cm_advice *a = &answers[k];
            bool master = strcmp(a->payer_kind, "master") == 0;
            cr_assert_str_eq(a->payer_kind, master ? "master" : table[i].kind, "%zu", i);
            cr_assert_str_eq(a->payer->id, master ? ING : table[i].payer, "%zu", i);
            cr_assert(strstr(a->why, master ? "P14" : table[i].why), "%zu: %s", i, a->why);
            cr_assert_gt(strlen(a->next), 20);
        }
    }
    /* org-linker's links count like the catalog's: no dedicated payer is left */
    const cm_payer_owner owners[] = {{"333333333333", "zenith"}};
    const cm_advice_question q = {.organization = CM_ORGANIZATION_OWN,
                                  .customer = cm_catalog_customer(catalog, "acme"),
                                  .lane = "tdsynnex",
                                  .owners = owners,
                                  .owner_count = 1};
    cm_advice answer[CM_ADVICE_MAX];
    cr_assert_eq(cm_advise(catalog, &q, answer), 1);
    cr_assert_null(answer->payer);
    cr_assert(strstr(answer->next, "ask the distributor"));
    cm_catalog_free(catalog);
}

Test(rules, P09_P10_capabilities)
{
    static const char *const names[] = {
        "control_tower",      "identity_center",        "security_hub", "config",
        "service_catalog",    "organizational_units",   "tag_policies", "service_control_policies",
        "techcare_break_fix", "dashboards_as_a_service"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert(cm_capability_known(names[i]), "%s", names[i]);
    cr_assert_not(cm_capability_known("teleport"));
}
