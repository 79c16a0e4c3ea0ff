/* Verdicts of tax settings (T01-T07), each by a fixture; the expected ones follow from the text of the rules. */
#include "billing/tax/tax.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define PAYER "444455556666"
#define OTHER "999988887777"
#define GATE5                                                                                                          \
    {                                                                                                                  \
        "Gate 5", "Jebel Ali", "", "", "Dubai", "Dubai", "00000", "AE"                                                 \
    }

static const cm_tax_profile profiles[] = {{"AE", "100-123 456", "VAT", "Distributor FZE", GATE5}};
static const cm_distributor distributor = {
    .id = "im", .name = "im", .lane = "ingram", .tax_profiles = profiles, .tax_profile_count = 1};

static cm_payer payer_of(const char *model)
{
    return (cm_payer){.id = PAYER,
                      .lane = "ingram",
                      .model = cm_payer_model_find(model),
                      .country = "AE",
                      .role_arn = "arn:aws:iam::" PAYER ":role/x",
                      .external_id = ""};
}

/* The payer as the distributor requires it. */
#define RIGHT                                                                                                          \
    {                                                                                                                  \
        .id = PAYER, .name = "", .registration_id = "100123456", .registration_type = "VAT", .status = "Verified",     \
        .legal_name = "", .inherits_from = "", .has_address = true, .address = GATE5                                   \
    }
/* An account that inherits, one without anything, one with a number of its own. */
#define INHERITS(account)                                                                                              \
    {                                                                                                                  \
        .id = account, .name = "", .registration_id = "", .registration_type = "", .status = "", .legal_name = "",     \
        .inherits = true, .inherits_from = PAYER                                                                       \
    }
#define BARE(account)                                                                                                  \
    {                                                                                                                  \
        .id = account, .name = "", .registration_id = "", .registration_type = "", .status = "", .legal_name = "",     \
        .inherits_from = ""                                                                                            \
    }
#define OWN(account, number, word)                                                                                     \
    {                                                                                                                  \
        .id = account, .name = "", .registration_id = number, .registration_type = "VAT", .status = word,              \
        .legal_name = "", .inherits_from = "", .has_address = true, .address = GATE5                                   \
    }

static cm_arena *arena;

static void begin(void)
{
    arena = cm_arena_new(4096);
}

static void end(void)
{
    cm_arena_free(arena);
}

TestSuite(tax, .init = begin, .fini = end);

static cm_tax_findings decide(const char *inheritance, const char *transfer, const cm_tax_seen_account *accounts,
                              size_t count)
{
    cm_payer payer = payer_of("ingram");
    cm_tax_seen seen = {inheritance, transfer, accounts, count};
    cm_tax_case given = {&payer, &distributor, &seen, NULL, 0, INT64_MIN};
    return cm_tax_decide(&given, arena);
}

static void expect(const char *inheritance, cm_tax_seen_account of_payer, cm_tax_seen_account payee,
                   const char *payer_is, const char *payee_is, const char *words)
{
    cm_tax_seen_account accounts[] = {payee, of_payer};
    cm_tax_findings found = decide(inheritance, "", accounts, 2);
    cr_assert_not(found.whole);
    cr_assert_eq(found.count, 1);
    cr_assert_str_eq(found.payer.account, PAYER);
    cr_assert_str_eq(cm_tax_verdict_name(found.payer.verdict), payer_is, "%s", found.payer.detail);
    cr_assert_str_eq(found.accounts[0].account, payee.id);
    cr_assert_str_eq(cm_tax_verdict_name(found.accounts[0].verdict), payee_is, "%s", found.accounts[0].detail);
    cr_assert(strstr(found.accounts[0].detail, words), "\"%s\" is not in: %s", words, found.accounts[0].detail);
}

/* T01-T04: everything as required. */
Test(tax, ok_when_inheritance_is_on_and_the_payer_is_right)
{
    expect("OptIn", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)INHERITS("000000000001"), "OK", "OK", "inherits");
    /* what AWS shows for one that inherits may be the payer's number */
    cm_tax_seen_account shown = OWN("000000000001", "100123456", "Verified");
    shown.inherits = true;
    shown.inherits_from = PAYER;
    shown.has_address = false;
    expect("OptIn", (cm_tax_seen_account)RIGHT, shown, "OK", "OK", "inherits");
    /* the parent need not be named */
    shown.inherits_from = "";
    expect("OptIn", (cm_tax_seen_account)RIGHT, shown, "OK", "OK", "inherits");
}

Test(tax, T01_payer_without_a_number)
{
    cm_tax_seen_account payee = INHERITS("000000000001");
    expect("OptIn", (cm_tax_seen_account)BARE(PAYER), payee, "PAYER_TRN_MISSING", "PAYER_TRN_MISSING",
           "must be registered as VAT 100-123 456 of Distributor FZE");
    /* not in the list at all */
    cm_tax_findings found = decide("OptIn", "", &payee, 1);
    cr_assert_eq(found.payer.verdict, CM_TAX_PAYER_TRN_MISSING);
}

Test(tax, T01_status_of_the_payers_registration)
{
    static const char *const words[] = {"Pending", "Rejected", "Deleted", "Suspended", ""};
    for (size_t i = 0; i < 5; i++) {
        cm_tax_seen_account payer = RIGHT;
        payer.status = words[i];
        expect("OptIn", payer, (cm_tax_seen_account)INHERITS("000000000001"), "PAYER_TRN_MISSING", "PAYER_TRN_MISSING",
               *words[i] ? words[i] : "of no status");
    }
}

Test(tax, T01_payer_with_another_number_or_type)
{
    cm_tax_seen_account payer = RIGHT;
    payer.registration_id = "100123457";
    expect("OptIn", payer, (cm_tax_seen_account)INHERITS("000000000001"), "PAYER_TRN_WRONG", "PAYER_TRN_WRONG",
           "registered as VAT 100123457; the distributor requires VAT 100-123 456");
    payer = (cm_tax_seen_account)RIGHT;
    payer.registration_type = "GST";
    expect("OptIn", payer, (cm_tax_seen_account)INHERITS("000000000001"), "PAYER_TRN_WRONG", "PAYER_TRN_WRONG", "GST");
}

Test(tax, T03_address_of_the_payer)
{
    static const struct {
        cm_postal_address address;
        const char *differs; /* NULL: the same */
    } cases[] = {
        {{"GATE 5,", "jebel-ali", "", "", "DUBAI", "Dubai.", "00 000", "AE"}, NULL},
        {{"Gate 5 Jebel Ali", "", "", "", "Dubai", "Dubai", "00000", "AE"}, NULL},
        {{"", "Gate", "5 Jebel Ali", "somewhere", "Dubai", "Dubai", "00000", "AE"}, NULL}, /* no district is required */
        {{"Gate 6", "Jebel Ali", "", "", "Dubai", "Dubai", "00000", "AE"}, "address lines differs"},
        {{"Gate 5", "", "", "", "Dubai", "Dubai", "00000", "AE"}, "address lines differs"},
        {{"Gate 5", "Jebel Ali", "", "", "Sharjah", "Dubai", "00000", "AE"}, "city differs"},
        {{"Gate 5", "Jebel Ali", "", "", "Dubai", "", "00000", "AE"}, "state or region differs"},
        {{"Gate 5", "Jebel Ali", "", "", "Dubai", "Dubai", "00001", "AE"}, "postal code differs"},
        {{"Gate 5", "Jebel Ali", "", "", "Dubai", "Dubai", "00000", "SA"}, "country differs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cm_tax_seen_account payer = RIGHT;
        payer.address = cases[i].address;
        const char *verdict = cases[i].differs ? "PAYER_ADDRESS_MISMATCH" : "OK";
        expect("OptIn", payer, (cm_tax_seen_account)INHERITS("000000000001"), verdict, verdict,
               cases[i].differs ? cases[i].differs : "");
    }
    cm_tax_seen_account none = RIGHT;
    none.has_address = false;
    expect("OptIn", none, (cm_tax_seen_account)INHERITS("000000000001"), "PAYER_ADDRESS_MISMATCH",
           "PAYER_ADDRESS_MISMATCH", "no tax address");
}

/* Inheritance on, and a number of its own (feature 66): from Pending on, since it is about to count. */
Test(tax, T02_payee_with_a_number_of_its_own)
{
    cm_tax_seen_account inheriting = OWN("000000000001", "555", "Verified");
    inheriting.inherits = true;
    inheriting.inherits_from = PAYER;
    expect("OptIn", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)OWN("000000000001", "555", "Verified"), "OK",
           "PAYEE_TRN_OVERRIDE", "VAT 555 (Verified)");
    expect("OptIn", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)OWN("000000000001", "555", "Pending"), "OK",
           "PAYEE_TRN_OVERRIDE", "VAT 555 (Pending)");
    expect("OptIn", (cm_tax_seen_account)RIGHT, inheriting, "OK", "PAYEE_TRN_OVERRIDE", "of its own");
    /* a deleted one does not count */
    inheriting.status = "Deleted";
    expect("OptIn", (cm_tax_seen_account)RIGHT, inheriting, "OK", "OK", "inherits");
    inheriting.status = "Rejected";
    expect("OptIn", (cm_tax_seen_account)RIGHT, inheriting, "OK", "OK", "inherits");
    cm_tax_seen_account elsewhere = INHERITS("000000000001");
    elsewhere.inherits_from = OTHER;
    expect("OptIn", (cm_tax_seen_account)RIGHT, elsewhere, "OK", "PAYEE_TRN_OVERRIDE", OTHER);
    /* the payer's number as its own is the same tax setting (T02) ... */
    expect("OptIn", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)OWN("000000000001", "100 123-456", "Verified"),
           "OK", "OK", "carries");
    /* ... unless it has another address */
    cm_tax_seen_account moved = OWN("000000000001", "100123456", "Verified");
    moved.address.city = "Ajman";
    expect("OptIn", (cm_tax_seen_account)RIGHT, moved, "OK", "PAYEE_ADDRESS_MISMATCH", "city differs");
}

Test(tax, T02_inheritance_on_but_not_for_this_account)
{
    expect("OptIn", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)BARE("000000000001"), "OK", "PAYEE_TRN_MISSING",
           "inheritance is on, but");
}

/* T04: the payer's verdict; T02: each payee by its own data. */
Test(tax, T04_inheritance_off)
{
    static const char *const off[] = {"OptOut", "", "Something"};
    for (size_t i = 0; i < 3; i++)
        expect(off[i], (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)BARE("000000000001"), "INHERITANCE_OFF",
               "PAYEE_TRN_MISSING", "no tax registration of its own");
    expect("OptOut", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)INHERITS("000000000001"), "INHERITANCE_OFF",
           "PAYEE_TRN_MISSING", "inheritance is off");
    expect("OptOut", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)OWN("000000000001", "555", "Verified"),
           "INHERITANCE_OFF", "PAYEE_TRN_MISSING", "not the payer's number");
    expect("OptOut", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)OWN("000000000001", "100123456", "Pending"),
           "INHERITANCE_OFF", "PAYEE_TRN_MISSING", "Pending");
    expect("OptOut", (cm_tax_seen_account)RIGHT, (cm_tax_seen_account)OWN("000000000001", "100123456", "Verified"),
           "INHERITANCE_OFF", "INHERITANCE_OFF", "does not inherit");
    cm_tax_seen_account moved = OWN("000000000001", "100123456", "Verified");
    moved.address.line1 = "Gate 9";
    expect("OptOut", (cm_tax_seen_account)RIGHT, moved, "INHERITANCE_OFF", "PAYEE_ADDRESS_MISMATCH", "address lines");
    moved.has_address = false;
    expect("OptOut", (cm_tax_seen_account)RIGHT, moved, "INHERITANCE_OFF", "PAYEE_ADDRESS_MISMATCH", "is missing");
}

/* The payer's problem comes first, even for a payee with one of its own. */
Test(tax, precedence_of_the_payers_problems)
{
    cm_tax_seen_account wrong = RIGHT;
    wrong.registration_id = "1";
    wrong.has_address = false;
    expect("OptOut", wrong, (cm_tax_seen_account)OWN("000000000001", "555", "Verified"), "PAYER_TRN_WRONG",
           "PAYER_TRN_WRONG", "T01");
    wrong = (cm_tax_seen_account)RIGHT;
    wrong.has_address = false;
    expect("OptOut", wrong, (cm_tax_seen_account)OWN("000000000001", "555", "Verified"), "PAYER_ADDRESS_MISMATCH",
           "PAYER_ADDRESS_MISMATCH", "T03");
}

/* T07: TD SYNNEX has a tax section of its own; nothing of AWS's inheritance applies, whatever was seen. */
Test(tax, T07_model_without_inheritance)
{
    cm_payer payer = payer_of("tdsynnex");
    cm_tax_seen_account bare = BARE(PAYER);
    cm_tax_seen seen = {"OptOut", "", &bare, 1};
    cm_tax_case given = {&payer, &distributor, &seen, "no role", 0, INT64_MIN};
    cm_tax_findings found = cm_tax_decide(&given, arena);
    cr_assert(found.whole && found.payer.verdict == CM_TAX_NOT_APPLICABLE);
    cr_assert_not(cm_tax_is_checked(&payer, &distributor));
}

/* Feature 67: the settings of a source account are ignored while its bills are transferred. */
Test(tax, billing_transfer_makes_it_not_applicable)
{
    cm_tax_seen_account bare = BARE(PAYER);
    cm_tax_findings found = decide("OptOut", OTHER, &bare, 1);
    cr_assert(found.whole && found.payer.verdict == CM_TAX_NOT_APPLICABLE);
    cr_assert(strstr(found.payer.detail, OTHER));
}

Test(tax, not_readable_names_what_is_missing)
{
    static const struct {
        const char *country, *role, *unreadable;
        bool no_distributor;
        const char *words;
    } cases[] = {
        {"AE", "r", "tax:GetTaxInheritance was refused", false, "tax:GetTaxInheritance was refused"},
        {"AE", "", NULL, false, "no access (role_arn)"},
        {"", "r", NULL, false, "no country"},
        {"SA", "r", NULL, false, "distributor im has no tax profile for SA"},
        {"AE", "r", NULL, true, "distributor (none) has no tax profile for AE"},
        {"AE", "r", NULL, false, "AWS has not answered yet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cm_payer payer = payer_of("ingram");
        payer.country = cases[i].country;
        payer.role_arn = cases[i].role;
        /* an earlier fresh answer does not help once the permission is revoked */
        cm_tax_case given = {&payer, cases[i].no_distributor ? NULL : &distributor,
                             NULL,   cases[i].unreadable,
                             0,      i == 0 ? 1000 : INT64_MIN};
        cm_tax_findings found = cm_tax_decide(&given, arena);
        cr_assert(found.whole && found.payer.verdict == CM_TAX_NOT_READABLE && !found.unchanged);
        cr_assert(strstr(found.payer.detail, cases[i].words), "%s", found.payer.detail);
    }
}

/* AWS is unavailable: earlier verdicts stay until they are too old. */
Test(tax, stale_when_the_last_good_answer_is_too_old)
{
    cm_payer payer = payer_of("ingram");
    cm_tax_case given = {&payer, &distributor, NULL, NULL, 999, 1000};
    cr_assert(cm_tax_decide(&given, arena).unchanged);
    given.now = 1000;
    cm_tax_findings found = cm_tax_decide(&given, arena);
    cr_assert(!found.unchanged && found.whole && found.payer.verdict == CM_TAX_STALE);
}

Test(tax, who_is_checked)
{
    cm_payer payer = payer_of("ingram");
    cm_distributor bare = {.id = "im"};
    cr_assert(cm_tax_is_checked(&payer, &distributor));
    cr_assert_not(cm_tax_is_checked(&payer, NULL));
    cr_assert_not(cm_tax_is_checked(&payer, &bare));
    payer.role_arn = "";
    cr_assert(cm_tax_is_checked(&payer, &distributor), "configured by half: NOT_READABLE, not a silent pass");
    payer.country = "";
    cr_assert_not(cm_tax_is_checked(&payer, &distributor));
    payer.role_arn = "r";
    cr_assert(cm_tax_is_checked(&payer, &distributor));
}

/* T05: every verdict except two blocks statements. */
Test(tax, T05_blocking_verdicts_and_names)
{
    enum cm_tax_verdict back;
    for (int i = 0; i < CM_TAX_VERDICTS; i++) {
        enum cm_tax_verdict verdict = (enum cm_tax_verdict)i;
        cr_assert(cm_tax_verdict_parse(cm_tax_verdict_name(verdict), &back) && back == verdict);
        cr_assert_eq(cm_tax_verdict_holds(verdict), verdict != CM_TAX_OK && verdict != CM_TAX_NOT_APPLICABLE);
    }
    cr_assert_not(cm_tax_verdict_parse("ok", &back));
}

Test(tax, accounts_come_sorted)
{
    cm_tax_seen_account accounts[] = {INHERITS("000000000003"), INHERITS("000000000001"), RIGHT, BARE("000000000002")};
    cm_tax_findings found = decide("OptIn", "", accounts, 4);
    cr_assert_eq(found.count, 3);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(found.accounts[i].account[11], "123"[i]);
    cr_assert_eq(found.accounts[1].verdict, CM_TAX_PAYEE_TRN_MISSING);
}

/* AWS's own example (re:Post, trn-all-accounts): a payer and 4 members with one number, 6 members without: 1 + 6 = 7.
 */
Test(tax, seven_vat_invoices)
{
    cm_tax_seen_account accounts[11] = {RIGHT};
    char ids[11][13];
    for (int i = 1; i < 11; i++) {
        snprintf(ids[i], sizeof ids[i], "%012d", i);
        accounts[i] = i <= 4 ? (cm_tax_seen_account)OWN("", "100-123-456", "Verified") : (cm_tax_seen_account)BARE("");
        accounts[i].id = ids[i];
    }
    cm_tax_seen seen = {"OptOut", "", accounts, 11};
    cr_assert_eq(cm_tax_invoices(PAYER, &seen), 7);
    /* a number that is not verified does not count: 1 + 7; another number: one more */
    accounts[4].status = "Pending";
    cr_assert_eq(cm_tax_invoices(PAYER, &seen), 8);
    accounts[4] = (cm_tax_seen_account)OWN("000000000004", "555", "Verified");
    cr_assert_eq(cm_tax_invoices(PAYER, &seen), 8);
    /* all inherit: those with the payer's number, and the one with another */
    for (int i = 5; i < 11; i++)
        accounts[i].inherits = true;
    seen.inheritance = "OptIn";
    cr_assert_eq(cm_tax_invoices(PAYER, &seen), 2);
    seen.count = 0;
    cr_assert_eq(cm_tax_invoices(PAYER, &seen), 0);
}

Test(tax, T03_texts_are_normalised)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"Gate 5, Jebel-Ali", "GATE 5 Jebel Ali", true},
        {"Stra\xc3\x9f"
         "e 1",
         "STRASSE 1", true},                      /* sharp s folds to ss */
        {"\xef\xbc\xa1\xef\xbc\x92", "a2", true}, /* full width A2 */
        {"Caf\xc3\xa9", "cafe\xcc\x81", true},    /* composed and not */
        {"Caf\xc3\xa9", "cafe", false},
        {"\xce\x91\xce\x98\xce\x97\xce\x9d\xce\x91", "\xce\xb1\xce\xb8\xce\xb7\xce\xbd\xce\xb1", true}, /* Greek */
        {"No. 5 (Block B)", "no 5 / block b", true},
        {"5", "6", false},
        {"\xff", "\xff", true}, /* not UTF-8: unchanged */
        {"\xff", "", false},
        {"", " .,-", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *a = cm_tax_normal(arena, cases[i].a), *b = cm_tax_normal(arena, cases[i].b);
        cr_assert_eq(strcmp(a, b) == 0, cases[i].same, "%zu: \"%s\" \"%s\"", i, a, b);
    }
}
