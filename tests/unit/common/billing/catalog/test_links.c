/* Links of org-linker beside the catalog's (rating.md section 3). */
#include "billing/catalog/links/link_set.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define TD "111122223333"
#define IM "222233334444"

static const char parties[] =
    "kind: Customer\nid: acme\nname: Acme\nreseller: northwind\nprice_book: standard\naccounts:\n"
    "  - {id: \"000000000001\", payer: \"" TD "\", from: 2025-03-01, to: 2025-06-01}\n"
    "  - {id: \"000000000001\", payer: \"" TD "\", from: 2025-08-01}\n"
    "  - {id: \"000000000009\", payer: \"" TD "\", from: 2025-01-01}\n"
    "---\nkind: Customer\nid: beta\nname: Beta\nreseller: northwind\nprice_book: standard\n"
    "---\nkind: Customer\nid: passing\nname: Passing\nreseller: northwind\nprice_book: standard\n"
    "commitment_policy: pass_through\n";

static cm_instant day(const char *text)
{
    cm_instant at;
    if (!*text)
        return INT64_MAX;
    cr_assert(cm_instant_parse(cm_slice_of(text), &at), "%s", text);
    return at;
}

static cm_given_link given(const char *account, const char *customer, const char *from, const char *to)
{
    return (cm_given_link){TD, account, customer, "", "", day(from), day(to)};
}

/* "acme 2025-03-01..2025-06-01 beta+ 2025-06-01..": + stands for a link of org-linker. */
static char *shown(const cm_catalog *catalog, const char *account)
{
    cm_buffer text = {0};
    size_t count;
    const cm_link *links = cm_catalog_links(catalog, TD, cm_slice_of(account), &count);
    for (size_t i = 0; i < count; i++) {
        char from[CM_INSTANT_TEXT], to[CM_INSTANT_TEXT] = "";
        cm_day_print(cm_day_of(links[i].from), from);
        if (links[i].to != INT64_MAX)
            cm_day_print(cm_day_of(links[i].to), to);
        cm_buffer_printf(&text, "%s%s%s %s..%s", i ? " " : "", links[i].customer->id, links[i].given ? "+" : "", from,
                         to);
    }
    char *copy = cm_strdup(cm_buffer_string(&text));
    cm_buffer_free(&text);
    return copy;
}

static void expect(const cm_catalog *catalog, const char *account, const char *want)
{
    char *got = shown(catalog, account);
    cr_expect_str_eq(got, want, "%s: got %s, want %s", account, got, want);
    free(got);
}

static bool has_problem(const cm_catalog *catalog, const char *code, const char *account, const char *words)
{
    for (size_t i = 0; i < catalog->link_problem_count; i++) {
        const cm_link_problem *p = &catalog->link_problems[i];
        if (strcmp(p->code, code) == 0 && strcmp(p->account, account) == 0 && strstr(p->detail, words))
            return true;
    }
    return false;
}

Test(links, the_catalog_wins_and_only_free_time_is_taken)
{
    cm_catalog *base = catalog_of_text(parties);
    cm_given_link links[] = {
        given("000000000001", "beta", "2025-05-01", "2025-09-01"), /* March to June and from August on are acme's */
        given("000000000002", "beta", "2025-07-01", ""),
        given("000000000003", "acme", "2025-01-01", "2025-04-01"),
        given("000000000003", "beta", "2025-04-01", ""),
        given("000000000009", "acme", "2024-12-01",
              ""), /* the catalog says the same from January on: nothing to tell */
    };
    cm_catalog *merged = cm_catalog_with_links(base, NULL, links, 5);
    expect(merged, "000000000001", "acme 2025-03-01..2025-06-01 beta+ 2025-06-01..2025-08-01 acme 2025-08-01..");
    expect(merged, "000000000002", "beta+ 2025-07-01..");
    expect(merged, "000000000003", "acme+ 2025-01-01..2025-04-01 beta+ 2025-04-01..");
    expect(merged, "000000000009", "acme+ 2024-12-01..2025-01-01 acme 2025-01-01..");
    cr_expect_eq(merged->link_problem_count, 2);
    cr_expect(has_problem(merged, "LINK_CONTRADICTION", "000000000001",
                          "from 2025-05-01T00:00:00Z to 2025-06-01T00:00:00Z the catalog says customer acme, the link "
                          "request says beta"));
    cr_expect(has_problem(merged, "LINK_CONTRADICTION", "000000000001",
                          "from 2025-08-01T00:00:00Z to 2025-09-01T00:00:00Z the catalog says"));
    cr_expect_str_eq(merged->id, base->id);
    expect(base, "000000000002", ""); /* the catalog itself is as it was */
    cm_catalog_free(merged);
    cm_catalog_free(base);
}

Test(links, two_requests_for_one_time_are_reported)
{
    cm_catalog *base = catalog_of_text(parties);
    cm_given_link links[] = {given("000000000002", "beta", "2025-06-01", ""),
                             given("000000000002", "acme", "2025-01-01", "2025-07-01")};
    cm_catalog *merged = cm_catalog_take_links(base, links, 2);
    expect(merged, "000000000002", "acme+ 2025-01-01..2025-07-01 beta+ 2025-07-01..");
    cr_expect(has_problem(merged, "LINK_CONTRADICTION", "000000000002", "another link request says customer acme"));
    cm_catalog_free(merged);
}

Test(links, O06_R06_unavailable_options_are_refused)
{
    cm_catalog *base = catalog_of_text(parties);
    cm_given_link links[] = {
        given("000000000002", "nobody", "2025-06-01", ""), given("000000000003", "passing", "2025-06-01", ""),
        given("000000000004", "beta", "2025-06-01", ""), given("000000000005", "passing", "2025-06-01", "")};
    links[2].group = "no-such-group";
    links[3].payer = IM; /* its model allows pass-through */
    cm_catalog *merged = cm_catalog_take_links(base, links, 4);
    expect(merged, "000000000002", "");
    expect(merged, "000000000003", "");
    expect(merged, "000000000004", "beta+ 2025-06-01..");
    cr_expect(has_problem(merged, "LINK_REFUSED", "000000000002", "customer nobody"));
    cr_expect(has_problem(merged, "LINK_REFUSED", "000000000003", "pass_through"));
    cr_expect(has_problem(merged, "LINK_GROUP_MISSING", "000000000004", "no-such-group"));
    cr_expect_eq(merged->link_problem_count, 3);
    cm_catalog_free(merged);
}

/* O06, R06: only the months whose terms the payer's model forbids are refused. */
Test(links, O06_R06_pass_through_for_a_time)
{
    cm_catalog *base =
        catalog_of_text("kind: Customer\nid: later\nname: Later\nreseller: northwind\nprice_book: standard\n"
                        "terms:\n  - {from: 2025-07, commitment_policy: pass_through}\n"
                        "  - {from: 2025-08, tax: []}\n"
                        "  - {from: 2025-10, commitment_policy: on_demand}\n");
    cm_given_link links[] = {given("000000000002", "later", "2025-06-01", ""),
                             given("000000000003", "later", "2025-10-01", ""),
                             given("000000000004", "later", "2025-07-15", "2025-09-01")};
    cm_catalog *merged = cm_catalog_take_links(base, links, 3);
    expect(merged, "000000000002", "later+ 2025-06-01..2025-07-01 later+ 2025-10-01..");
    expect(merged, "000000000003", "later+ 2025-10-01..");
    expect(merged, "000000000004", "");
    cr_expect_eq(merged->link_problem_count, 2);
    cr_expect(has_problem(merged, "LINK_REFUSED", "000000000002", "pass_through"));
    cr_expect_eq(merged->link_problems[0].from, day("2025-07-01"));
    cr_expect_eq(merged->link_problems[0].to, day("2025-10-01"));
    cr_expect(has_problem(merged, "LINK_REFUSED", "000000000004", "pass_through"));
    cm_catalog_free(merged);
}

Test(links, one_payer_alone)
{
    cm_catalog *base = catalog_of_text(parties);
    cm_given_link links[] = {given("000000000002", "beta", "2025-06-01", ""),
                             given("000000000004", "beta", "2025-06-01", "")};
    links[1].payer = IM;
    cm_catalog *merged = cm_catalog_with_links(base, TD, links, 2);
    expect(merged, "000000000002", "beta+ 2025-06-01..");
    for (size_t i = 0; i < merged->link_count; i++)
        cr_expect_str_eq(merged->links[i].payer, TD);
    cr_expect_eq(merged->link_count, 4);
    cm_catalog_free(merged);
    cm_catalog_free(base);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* For every day: the catalog's owner, else the owner by the request that begins first. */
Test(links, random_links_day_by_day)
{
    static const char *const customers[] = {"acme", "beta"};
    cm_catalog *base = catalog_of_text(parties);
    cm_instant epoch = day("2025-02-01");
    uint64_t random = 7;
    for (int round = 0; round < 300; round++) {
        cm_given_link links[6];
        size_t count = next_random(&random) % 7;
        for (size_t i = 0; i < count; i++) {
            cm_instant from = epoch + (cm_instant)(next_random(&random) % 240) * CM_DAY;
            cm_instant to =
                next_random(&random) % 4 ? from + (cm_instant)(1 + next_random(&random) % 90) * CM_DAY : INT64_MAX;
            links[i] = (cm_given_link){TD, "000000000001", customers[next_random(&random) % 2], "", "", from, to};
        }
        cm_catalog *merged = cm_catalog_with_links(base, NULL, links, count);
        size_t merged_count, own_count;
        const cm_link *own = cm_catalog_links(base, TD, cm_slice_of("000000000001"), &own_count);
        const cm_link *got = cm_catalog_links(merged, TD, cm_slice_of("000000000001"), &merged_count);
        for (cm_instant at = epoch - 30 * CM_DAY; at < epoch + 400 * CM_DAY; at += CM_DAY) {
            const char *want = "", *is = "";
            cm_instant earliest = INT64_MAX;
            for (size_t i = 0; i < count; i++) {
                bool earlier =
                    links[i].from < earliest || (links[i].from == earliest && strcmp(links[i].customer, want) < 0);
                if (links[i].from <= at && at < links[i].to && earlier) {
                    want = links[i].customer;
                    earliest = links[i].from;
                }
            }
            for (size_t i = 0; i < own_count; i++)
                want = own[i].from <= at && at < own[i].to ? own[i].customer->id : want;
            int holding = 0;
            for (size_t i = 0; i < merged_count; i++) {
                if (got[i].from <= at && at < got[i].to) {
                    is = got[i].customer->id;
                    holding++;
                }
            }
            cr_assert(strcmp(is, want) == 0 && holding <= 1, "round %d: %s, want %s", round, is, want);
        }
        cm_catalog_free(merged);
    }
    cm_catalog_free(base);
}

Test(links, the_same_links_are_the_same_set)
{
    cm_given_link links[] = {given("000000000003", "beta", "2025-06-01", ""),
                             given("000000000002", "acme", "2025-01-01", "2025-07-01")};
    char id[CM_ID_HEX], again[CM_ID_HEX];
    links[0].group = "g";
    links[1].declared_plan = "business";
    char *text = cm_link_set_text(links, 2, id);
    cr_expect_str_eq(
        text,
        "[{\"account\":\"000000000002\",\"customer\":\"acme\",\"from\":\"2025-01-01T00:00:00Z\",\"group\":\"\","
        "\"payer\":\"" TD
        "\",\"plan\":\"business\",\"to\":\"2025-07-01T00:00:00Z\"},{\"account\":\"000000000003\",\"customer\":\"beta\","
        "\"from\":\"2025-06-01T00:00:00Z\",\"group\":\"g\",\"payer\":\"" TD "\",\"plan\":\"\",\"to\":\"\"}]");
    cm_arena *arena = cm_arena_new(1024);
    cm_given_link *parsed = NULL;
    size_t count = 0;
    cm_error err = {0};
    cr_assert(cm_link_set_parse(text, arena, &parsed, &count, &err), "%s", err.text);
    cr_assert_eq(count, 2);
    cm_given_link turned[] = {parsed[1], parsed[0]};
    char *second = cm_link_set_text(turned, 2, again);
    cr_expect_str_eq(second, text);
    cr_expect_str_eq(again, id);
    free(second);
    char *none = cm_link_set_text(NULL, 0, again);
    cr_expect(*none == '\0' && *again == '\0');
    cr_assert(cm_link_set_parse(none, arena, &parsed, &count, &err));
    cr_expect_eq(count, 2);
    cr_expect(!cm_link_set_parse("[{\"payer\":1}]", arena, &parsed, &count, &err));
    cr_expect_str_eq(err.code, "LINK_SET_DAMAGED");
    free(none);
    free(text);
    cm_arena_free(arena);
}

Test(links, which_accounts_differ)
{
    cm_given_link a[] = {
        given("000000000001", "acme", "2024-01-01", "2025-01-01"), given("000000000002", "acme", "2025-01-01", ""),
        given("000000000003", "acme", "2025-01-01", ""), given("000000000005", "acme", "2024-01-01", "2024-06-01")};
    cm_given_link b[] = {
        given("000000000001", "beta", "2024-01-01", "2025-01-01"), given("000000000002", "acme", "2025-01-01", ""),
        given("000000000003", "beta", "2025-01-01", ""), given("000000000004", "acme", "2025-09-01", "")};
    cm_arena *arena = cm_arena_new(1024);
    const char *const *accounts;
    cr_assert_eq(cm_link_sets_differ(a, 4, b, 4, day("2025-06-01"), arena, &accounts),
                 2); /* what ended before June tells nothing */
    cr_expect_str_eq(accounts[0], "000000000003");
    cr_expect_str_eq(accounts[1], "000000000004");
    cr_assert_eq(cm_link_sets_differ(a, 4, b, 4, day("2023-01-01"), arena, &accounts), 4);
    cr_expect_eq(cm_link_sets_differ(a, 4, a, 4, day("2023-01-01"), arena, &accounts), 0);
    cm_arena_free(arena);
}
