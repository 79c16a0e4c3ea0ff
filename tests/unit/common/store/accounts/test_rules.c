/* What is refused before anybody reviews it, each by its rule (O01-O19, P02-P17, N16, N20). */
#include "desk.h"

#define REFUSED(change, code, rule)                                                                                    \
    do {                                                                                                               \
        cm_request_order order = desk_order();                                                                         \
        change;                                                                                                        \
        cr_assert_str_eq(desk_refused(p, &order, rule), code);                                                         \
    } while (0)

Test(rules, O01_O02_O03_the_customer_exists_first)
{
    place *p = desk_open();
    REFUSED(order.customer = "nobody", "NO_CUSTOMER", "O01");
    REFUSED(order.payer = "999999999999", "NO_PAYER", "999999999999");
    place_close(p);
}

Test(rules, N16_O08_O09_O10_fields)
{
    place *p = desk_open();
    REFUSED(order.account = "12345", "BAD_ACCOUNT", "N16");
    REFUSED(order.account = "00005555666x", "BAD_ACCOUNT", "N16");
    REFUSED(order.account = TDS, "PAYER_ACCOUNT", "P06");
    REFUSED(order.support_plan = NULL, "BAD_SUPPORT_PLAN", "O10");
    REFUSED(order.support_plan = "gold", "BAD_SUPPORT_PLAN", "N20");
    REFUSED((order.kind = CM_LINK_CREATE, order.account = NULL, order.root_email = "r@a.example"), "BAD_NICKNAME",
            "O09");
    REFUSED((order.kind = CM_LINK_CREATE, order.account = NULL, order.nickname = "n"), "BAD_ROOT_EMAIL", "O08");
    REFUSED((order.kind = CM_LINK_CREATE, order.account = NULL, order.nickname = "n", order.root_email = "r@a.example",
             order.region = NULL),
            "NO_REGION", "O07");
    REFUSED(order.root_email = "root@nodot", "BAD_ROOT_EMAIL", "O08");
    REFUSED(order.root_email = "root@a@b.example", "BAD_ROOT_EMAIL", "O08");
    REFUSED(order.role_arn = "arn:aws:iam::" ACCOUNT ":role/reader", "BAD_ROLE", "O13");
    REFUSED(order.support_plan_group = "none-such", "NO_SUPPORT_PLAN_GROUP", "O14");
    REFUSED(order.billed_from_wanted = at("2025-07-02T00:00:00Z"), "BAD_MONTH", "N11");
    place_close(p);
}

/* O17, N20: Enterprise is not self-service. */
Test(rules, O17_N20_enterprise_is_guarded)
{
    place *p = desk_open();
    REFUSED(order.support_plan = "enterprise", "ENTERPRISE_SUPPORT", "O17");
    cm_request_order order = desk_order();
    order.support_plan = "enterprise", order.sales_reference = "quote 4711";
    desk_create(p, &order);
    place_close(p);
}

/* O08: unique, never used; forever, regardless of case. */
Test(rules, O08_a_root_address_is_used_once)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    order.kind = CM_LINK_CREATE, order.account = NULL, order.nickname = "one", order.root_email = "aws@acme.example";
    int64_t first = desk_create(p, &order);
    order.root_email = "AWS@ACME.example";
    cr_assert_str_eq(desk_refused(p, &order, "O08"), "ROOT_EMAIL_USED");
    desk_step(p, first, CM_LINK_REJECT); /* nothing was created with it */
    desk_create(p, &order);
    MUST(cm_pg_execute(p->pg,
                       "INSERT INTO account (payer, account, lane, root_email, first_seen, last_seen) VALUES ('" TDS
                       "', '" NEW2 "', 'tdsynnex', 'Old@acme.example', now(), now())",
                       &p->err));
    order.root_email = "old@acme.example";
    cr_assert_str_eq(desk_refused(p, &order, "O08"), "ROOT_EMAIL_USED");
    place_close(p);
}

/* P03: a member's root address is the end customer's. */
Test(rules, P03_the_member_is_the_customers)
{
    place *p = desk_open();
    REFUSED(order.root_email = "a@aws.Distributor.example", "ROOT_DOMAIN", "P03");
    cm_request_order order = desk_order();
    order.root_email = "a@notdistributor.example";
    desk_create(p, &order);
    place_close(p);
}

/* P17: only where the distributor may sell, by a dated list; only the model that has the rule. */
Test(rules, P17_authorized_territory)
{
    place *p = desk_open(); /* 2025-07-20; AE since 2025, QA until this very moment */
    REFUSED((order.payer = ING, order.country = "QA"), "TERRITORY", "P17");
    REFUSED((order.payer = ING, order.country = "DE"), "TERRITORY", "P17");
    REFUSED(order.payer = ING, "NO_COUNTRY", "P17");
    REFUSED((order.payer = ING, order.country = "A1"), "BAD_COUNTRY", "ISO 3166");
    cm_request_order order = desk_order();
    order.payer = ING, order.country = "ae";
    desk_create(p, &order);
    EXPECT("SELECT country FROM link_request", "AE");
    order.payer = TDS, order.account = NEW2, order.country = "DE";
    desk_create(p, &order);
    order = desk_order(); /* without a country of its own the account takes its customer's */
    order.payer = ING, order.account = "000012341234", order.customer = "solo";
    int64_t id = desk_create(p, &order);
    cr_assert_str_eq(desk_request(p, id).country, "AE");
    place_close(p);
}

/* P07: a dedicated payer is one customer's organization. */
Test(rules, P07_a_dedicated_payer_takes_one_customer)
{
    place *p = desk_open();
    REFUSED(order.payer = "222222222222", "DEDICATED_PAYER", "P07");
    cm_request_order order = desk_order();
    order.payer = "222222222222", order.customer = "solo";
    desk_create(p, &order);
    place_close(p);
}

/* The catalog is desired state too: a contradiction is never a silent choice. */
Test(rules, the_catalog_says_another_customer)
{
    place *p = desk_open();
    REFUSED((order.account = ACCOUNT, order.customer = "zenith"), "LINK_CONTRADICTION", "acme");
    cm_request_order order = desk_order();
    order.account = OTHER; /* zenith's until March: repurposed (O28) */
    int64_t id = desk_create(p, &order);
    cr_assert(desk_request(p, id).repurposed);
    place_close(p);
}

/* P16: with a payer that the distributor made the role is there; a payer that was transferred in needs it added. */
Test(rules, P16_role_required)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    cr_assert(desk_request(p, desk_create(p, &order)).link.role_required);
    order.payer = ING, order.account = NEW2, order.country = "AE";
    cr_assert_not(desk_request(p, desk_create(p, &order)).link.role_required);
    order.account = "000088889999", order.transferred_in = true;
    cr_assert(desk_request(p, desk_create(p, &order)).link.role_required);
    place_close(p);
}
