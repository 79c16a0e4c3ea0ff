/* Distributor, and how a payer's management account is reached. */
#include "billing/catalog/diff/diff.h"
#include "billing/catalog/parse/canonical.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define HEAD    "kind: Distributor\nid: im\nlane: ingram\n" /* 3 lines */
#define ADDRESS "address: {address_line1: Gate 5, city: Dubai, postal_code: '00000'}"
#define PROFILE "country: AE, registration_id: '100123456700003', registration_type: VAT, legal_name: IM FZE, "
#define PAYER   "kind: Payer\nid: '444455556666'\nlane: ingram\nmodel: ingram\npayer_kind: master\nreseller: northwind\n"

static const char whole[] =
    HEAD "name: Ingram Micro\nemail_domains: [Ingram.example, cloud.ingram.example]\n"
         "territories: [{country: SA, from: 2025-06-01}, {country: AE, from: 2025-03-01}, "
         "{country: AE, to: 2025-02-01}]\n"
         "tax_profiles:\n- {country: SA, registration_id: '3', registration_type: VAT, legal_name: x, "
         "address: {address_line1: a, address_line2: b, address_line3: c, district_or_county: d, city: e, "
         "state_or_region: f, postal_code: '1', country_code: SA}}\n"
         "- {" PROFILE ADDRESS "}\n"
         "remit_to: [{country: AE, name: IM FZE, address: [Gate 5, Dubai]}]\n";

/* T01, T03, P17: what is written is what is looked up. */
Test(distributor, parsed_and_looked_up_by_lane)
{
    cm_catalog *catalog = catalog_of_text(whole);
    const cm_distributor *found = cm_catalog_distributor(catalog, "ingram");
    cr_assert_not_null(found);
    cr_assert_null(cm_catalog_distributor(catalog, "tdsynnex"));
    cr_assert_str_eq(found->id, "im");
    cr_assert_str_eq(found->name, "Ingram Micro");
    cr_assert_eq(found->email_domain_count, 2);
    cr_assert_str_eq(found->email_domains[0], "cloud.ingram.example");
    cr_assert_str_eq(found->email_domains[1], "ingram.example", "a domain has no case");
    const cm_tax_profile *profile = cm_distributor_tax_profile(found, "AE");
    cr_assert_str_eq(profile->registration_id, "100123456700003");
    cr_assert_str_eq(profile->registration_type, "VAT");
    cr_assert_str_eq(profile->legal_name, "IM FZE");
    cr_assert_str_eq(profile->address.line1, "Gate 5");
    cr_assert_str_eq(profile->address.line2, "");
    cr_assert_str_eq(profile->address.country_code, "AE", "the country of the profile, if none is said");
    const cm_postal_address *all = &cm_distributor_tax_profile(found, "SA")->address;
    const char *const parts[] = {all->line1, all->line2,           all->line3,      all->district_or_county,
                                 all->city,  all->state_or_region, all->postal_code};
    for (size_t i = 0; i < 7; i++)
        cr_assert_eq(parts[i][0], "abcdef1"[i]);
    cr_assert_null(cm_distributor_tax_profile(found, "DE"));
    cr_assert_null(cm_distributor_tax_profile(found, ""));
    cr_assert_null(cm_distributor_tax_profile(NULL, "AE"));
    cm_instant february = cm_period_start((cm_period){2025, 2}), march = cm_period_start((cm_period){2025, 3});
    cr_assert(cm_distributor_has_territory(found, "AE", february - 1));
    cr_assert_not(cm_distributor_has_territory(found, "AE", february));
    cr_assert_not(cm_distributor_has_territory(found, "AE", march - 1));
    cr_assert(cm_distributor_has_territory(found, "AE", march));
    cr_assert_not(cm_distributor_has_territory(found, "SA", march));
    cr_assert_not(cm_distributor_has_territory(found, "DE", march));
    cr_assert_str_eq(found->remit_to[0].country, "AE");
    cr_assert_str_eq(found->remit_to[0].address[1], "Dubai");
    cr_assert_null(found->remit_to[0].address[2]);
    cm_catalog_free(catalog);
}

Test(distributor, access_of_a_payer)
{
    cm_catalog *catalog =
        catalog_of_text(PAYER "country: AE\nroot_email: aws@northwind.example\norganization: o-abcdefghij\n"
                              "access: {role_arn: 'arn:aws:iam::444455556666:role/curmill', external_id: CA-1}\n");
    const cm_payer *payer = cm_catalog_payer(catalog, "444455556666");
    cr_assert_str_eq(payer->country, "AE");
    cr_assert_str_eq(payer->role_arn, "arn:aws:iam::444455556666:role/curmill");
    cr_assert_str_eq(payer->external_id, "CA-1");
    cr_assert_str_eq(payer->root_email, "aws@northwind.example");
    cr_assert_str_eq(payer->organization, "o-abcdefghij");
    payer = cm_catalog_payer(catalog, "111122223333");
    const char *const absent[] = {payer->country, payer->role_arn, payer->external_id, payer->root_email,
                                  payer->organization};
    for (size_t i = 0; i < 5; i++)
        cr_assert_str_eq(absent[i], "");
    cm_catalog_free(catalog);
}

/* Catalogs that say nothing of this keep their text, and with it their id. */
Test(distributor, absent_keys_leave_the_canonical_text_as_it_was)
{
    json_t *canonical = canonical_of_text("# nothing\n");
    char *text = cm_catalog_text(json_object_get(json_object_get(canonical, "Payer"), "111122223333"));
    cr_assert_str_eq(text, "{\"lane\":\"tdsynnex\",\"model\":\"tdsynnex\",\"payer_kind\":\"shared\",\"reports\":[],"
                           "\"reseller\":\"northwind\"}");
    cr_assert_null(json_object_get(canonical, "Distributor"));
    free(text);
    json_decref(canonical);
}

Test(distributor, order_case_of_domains_and_layout_do_not_matter)
{
    json_t *a = canonical_of_text(HEAD "email_domains: [a.example, B.example]\nterritories:\n- {country: SA}\n"
                                       "- {country: AE, from: 2025-01-01}\n");
    json_t *b = canonical_of_text("{lane: ingram, kind: Distributor, name: im, id: im, email_domains: [b.EXAMPLE, "
                                  "a.example], territories: [{country: AE, from: '2025-01-01T00:00:00Z'}, "
                                  "{country: SA}]}\n");
    cr_assert(json_equal(a, b));
    json_decref(a);
    json_decref(b);
}

Test(distributor, difference_names_the_profile)
{
    json_t *before = canonical_of_text(HEAD "tax_profiles: [{" PROFILE ADDRESS "}]\n");
    json_t *after = canonical_of_text(whole);
    json_object_set_new(
        json_array_get(json_object_get(json_object_get(json_object_get(before, "Distributor"), "im"), "tax_profiles"),
                       0),
        "registration_id", json_string("old"));
    cm_buffer diff = {0};
    cm_catalog_diff(before, after, &diff);
    cr_assert(strstr(cm_buffer_string(&diff), "registration_id old -> 100123456700003"), "%s", cm_buffer_string(&diff));
    cm_buffer_free(&diff);
    json_decref(before);
    json_decref(after);
}

Test(distributor, problems_with_their_places)
{
    static const struct {
        const char *text, *place, *words;
    } cases[] = {
        {"kind: Distributor\nid: im\n", "t.yaml:1:1", "Distributor \"im\" has no \"lane\": the lane of its payers"},
        {"kind: Distributor\nid: im\nlane: ingrem\n", "t.yaml:3:7", "no payer of this catalog has the lane \"ingrem\""},
        {HEAD "---\n{kind: Distributor, id: in, lane: ingram}\n", "t.yaml:5:25", "have the same lane ingram"},
        {HEAD "email_domains: ['@x.example']\n", "t.yaml:4:17", "\"@x.example\" is not a domain"},
        {HEAD "email_domains: [localhost]\n", "t.yaml:4:17", "is not a domain"},
        {HEAD "email_domains: [a.example, A.example]\n", "t.yaml:4:28", "names \"a.example\" twice"},
        {HEAD "territories: [{country: UAE}]\n", "t.yaml:4:25", "\"UAE\" is not a country of ISO 3166"},
        {HEAD "territories: [{country: XX}]\n", "t.yaml:4:25", "is not a country"},
        {HEAD "territories: [{country: AE}, {country: AE, from: 2025-01-01}]\n", "t.yaml:4:30",
         "names AE twice for the same time"},
        {HEAD "territories: [{country: AE, from: 2025-02-01, to: 2025-02-01}]\n", "t.yaml:4:51", "to must be after"},
        {HEAD "tax_profiles: [{" PROFILE "}]\n", "t.yaml:4:16", "has no \"address\": the tax address"},
        {HEAD "tax_profiles: [{country: AE, registration_id: x, registration_type: VATT, legal_name: y, " ADDRESS
              "}]\n",
         "t.yaml:4:69", "did you mean \"VAT\"?"},
        {HEAD "tax_profiles: [{country: AE, registration_id: x, registration_type: VAT, legal_name: y, "
              "address: {address_line1: a, city: b}}]\n",
         "t.yaml:4:98", "has no \"postal_code\""},
        {HEAD "tax_profiles: [{country: AE, registration_id: x, registration_type: VAT, legal_name: y, "
              "address: {address_line1: a, city: b, postal_code: c, country_code: SA}}]\n",
         "t.yaml:4:156", "country_code SA: the tax profile is for AE"},
        {HEAD "tax_profiles: [{" PROFILE ADDRESS "}, {" PROFILE ADDRESS "}]\n", "t.yaml:4:180", "names AE twice"},
        {HEAD "remit_to: [{country: AE, name: x}]\n", "t.yaml:4:12", "has no \"address\""},
        {HEAD "tax_profile: []\n", "t.yaml:4:1", "did you mean \"tax_profiles\"?"},
        {PAYER "access: {external_id: abc}\n", "t.yaml:7:9", "has no \"role_arn\""},
        {PAYER "access: {role_arn: 'arn:aws:s3:::x'}\n", "t.yaml:7:20", "is not the ARN of a role"},
        {PAYER "access: {role_arn: 'arn:aws:iam::111122223333:role/x'}\n", "t.yaml:7:20",
         "is a role of account 111122223333; it must be one of the payer 444455556666"},
        {PAYER "access: {role_arn: 'arn:aws:iam::444455556666:role/x', external_id: 'a b'}\n", "t.yaml:7:69",
         "external_id: AWS takes"},
        {PAYER "root_email: northwind.example\n", "t.yaml:7:13", "is not a mail address"},
        {PAYER "organization: o-x\n", "t.yaml:7:15", "is not the id of an organization"},
        {PAYER "country: ae\n", "t.yaml:7:10", "is not a country of ISO 3166"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_one(cases[i].text, cases[i].place, cases[i].words);
}

/* A country without a profile would pass as "nothing to check". */
Test(distributor, payer_without_a_profile_for_its_country_is_a_warning)
{
    char *found = problems_of(HEAD "tax_profiles: [{" PROFILE ADDRESS "}]\n---\n" PAYER "country: SA\n");
    cr_assert(
        strstr(found, "warning: Payer \"444455556666\" is in SA, for which Distributor \"im\" has no tax profile"),
        "%s", found);
    free(found);
    found = problems_of(HEAD "tax_profiles: [{" PROFILE ADDRESS "}]\n---\n" PAYER "country: AE\n");
    cr_assert_str_eq(found, "");
    free(found);
}
