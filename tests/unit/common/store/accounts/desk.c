#include "desk.h"

#include <stdio.h>
#include <stdlib.h>

static const char catalog[] =
    "kind: Customer\nid: acme\nname: Acme GmbH\naddress: [1 Main Street, Springfield]\nreseller: "
    "northwind\ninvoice_currency: USD\nprice_book: standard\n"
    "accounts: [{id: \"" ACCOUNT "\", payer: \"" TDS "\", from: 2025-01-01}]\n---\n"
    "kind: Customer\nid: zenith\nname: Zenith\nreseller: northwind\ninvoice_currency: USD\nprice_book: standard\n"
    "accounts: [{id: \"" OTHER "\", payer: \"" TDS "\", from: 2025-01-01, to: 2025-03-01}]\n---\n"
    "kind: Payer\nid: \"222222222222\"\nlane: tdsynnex\nmodel: tdsynnex\npayer_kind: dedicated\nreseller: "
    "northwind\n---\n"
    "kind: Customer\nid: solo\nname: Solo\ncountry: AE\nreseller: northwind\ninvoice_currency: USD\nprice_book: "
    "standard\n"
    "accounts: [{id: \"000099990000\", payer: \"222222222222\", from: 2025-01-01}]\n---\n"
    "kind: SupportPlanGroup\nid: tds-business\ntype: business\n---\n"
    "kind: Distributor\nid: south\nname: South\nlane: tdsynnex\nemail_domains: [distributor.example]\n---\n"
    "kind: Distributor\nid: east\nname: East\nlane: ingram\nemail_domains: [east.example]\n"
    "territories: [{country: AE, from: 2025-01-01}, {country: QA, from: 2024-01-01, to: 2025-07-20}]\n";

place *desk_open(void)
{
    place *p = place_open();
    place_catalog(p, catalog);
    return p;
}

cm_request_order desk_order(void)
{
    return (cm_request_order){.kind = CM_LINK_EXISTING,
                              .payer = TDS,
                              .account = NEW,
                              .customer = "acme",
                              .support_plan = "basic",
                              .region = "EMEA"};
}

static bool create(place *p, const cm_request_order *order, int64_t *ret)
{
    cm_catalog *now = NULL;
    cm_error_clear(&p->err);
    MUST(cm_store_catalog_load(p->pg, p->catalog, &now, &p->err));
    bool done = cm_store_request_create(p->pg, now, order, p->now, "maria", "a new project", ret, &p->err);
    cm_catalog_free(now);
    return done;
}

int64_t desk_create(place *p, const cm_request_order *order)
{
    int64_t id = 0;
    MUST(create(p, order, &id));
    return id;
}

const char *desk_refused(place *p, const cm_request_order *order, const char *rule)
{
    int64_t id;
    char before[64];
    static char code[64];
    snprintf(before, sizeof before, "%s",
             ask(p, "SELECT count(*) || ' ' || (SELECT count(*) FROM notification) FROM link_request"));
    cr_assert_not(create(p, order, &id));
    snprintf(code, sizeof code, "%s", p->err.code);
    cr_assert(strstr(p->err.text, rule), "%s: %s", rule, p->err.text);
    EXPECT("SELECT count(*) || ' ' || (SELECT count(*) FROM notification) FROM link_request", before);
    return code;
}

const char *desk_cause(place *p, int64_t id, int64_t version, cm_link_cause cause)
{
    static char code[64];
    cm_error_clear(&p->err);
    cause.at = cause.at ? cause.at : p->now;
    cause.by = cause.by ? cause.by : "maria";
    cause.reason = cause.reason ? cause.reason : "because";
    bool done = cm_store_request_change(p->pg, id, version, &cause, NULL, &p->err);
    snprintf(code, sizeof code, "%s", p->err.code);
    cr_assert_eq(done, code[0] == '\0', "%s", p->err.text);
    return code;
}

const char *desk_step(place *p, int64_t id, enum cm_link_event event)
{
    return desk_cause(p, id, CM_ANY_VERSION, (cm_link_cause){.event = event});
}

cm_request desk_request(place *p, int64_t id)
{
    cm_request r;
    cm_error_clear(&p->err);
    MUST(cm_store_request(p->pg, id, &r, &p->err));
    return r;
}

void desk_seen(place *p, const char *payer, const char *account, const char *joined)
{
    const cm_account_seen seen = {.payer = payer,
                                  .lane = "tdsynnex",
                                  .account = account,
                                  .joined_at = at(joined),
                                  .first = at(joined),
                                  .last = p->now,
                                  .aws_state = "ACTIVE",
                                  .joined_method = "INVITED"};
    cm_error_clear(&p->err);
    MUST(cm_pg_begin(p->pg, &p->err) && cm_store_account_seen(p->pg, &seen, p->now, "test", &p->err) &&
         cm_pg_commit(p->pg, &p->err));
}
