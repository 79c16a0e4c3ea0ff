/* Keys of Reseller and Customer. */
#include "billing/catalog/keys/keys.h"

#define PROFILE_KEYS(first)                                                                                            \
    [(first) +                                                                                                         \
        CM_PROFILE_ADDRESS] = {"address", .type = "list of up to 20 lines, or one line",                               \
                               .meaning = "postal address, printed on documents (I12)",                                \
                               .example = "[\"Hauptstr. 1\", 10115 Berlin]"},                                          \
        [(first) + CM_PROFILE_CONTACT] =                                                                               \
            {"contact", .type = "text, or the mapping below", .meaning = "whom to ask, printed on documents (I12)",    \
             .example =                                                                                                \
                 "{name: Jane Roe, title: Head of Finance, phone: \"+49 30 1234567\", email: finance@example.com}"},   \
        [(first) + CM_PROFILE_COUNTRY] =                                                                               \
            {"country", .type = "two capital letters (ISO 3166-1 alpha-2)",                                            \
             .meaning = "country, printed on documents; that of a reseller also selects the distributor's `remit_to`", \
             .example = "DE"},                                                                                         \
        [(first) + CM_PROFILE_EMAIL] = {"email", .type = "text", .meaning = "e-mail address, printed on documents",    \
                                        .example = "billing@example.com"},                                             \
        [(first) + CM_PROFILE_LANGUAGE] = {"language", .type = "`en` or `de`",                                         \
                                           .meaning = "language of the words on documents for customers; that of the " \
                                                      "customer, else of the reseller, else English",                  \
                                           .example = "de"},                                                           \
        [(first) + CM_PROFILE_TAX_ID] = {                                                                              \
            "tax_id", .type = "text", .meaning = "tax number, printed on documents (I12)", .example = "DE123456789"}

static const cm_key reseller[CM_KEY_RESELLER_COUNT] = {
    [CM_KEY_RESELLER_KIND] = {"kind", true, NULL, "`Reseller`", NULL, "the kind of this document", "Reseller"},
    [CM_KEY_RESELLER_ID] = {"id", true, NULL, "id", NULL, "what payers and customers refer to", "northwind"},
    [CM_KEY_RESELLER_NAME] = {"name", false, NULL, "text", "the id", "name on documents", "Northwind Cloud"},
    [CM_KEY_RESELLER_CONSOLIDATION] =
        {"consolidation", false, NULL, "`end_customer`, `semi` or `full`", "`end_customer`",
         "how its documents are made: one for each end customer, one with a section for each of them, one "
         "without a breakdown "
         "(I01-I03, N18)",
         "end_customer"},
    [CM_KEY_RESELLER_LOGO] =
        {"logo", false, NULL, "path below the catalog's folder", NULL,
         "PNG of at most 128 KiB and 2000 x 2000 pixels, printed on PDF documents; its content becomes part "
         "of the catalog version",
         "logo.png"},
    [CM_KEY_RESELLER_TEXT] = {"profile", false, NULL, "text", NULL,
                              "a sentence about the reseller, printed on PDF documents", "Your partner for AWS."},
    [CM_KEY_RESELLER_URL] = {"statement_url", false, NULL, "`https://` address with `{id}` in it", NULL,
                             "where the reseller's portal shows a document; `{id}` becomes the document's id (I04)",
                             "\"https://portal.example.com/statements/{id}\""},
    [CM_KEY_RESELLER_NUMBER] = {"document_number", false, NULL,
                                "text with `{series}`, `{year}` and `{number}`, and `{reseller}` if it likes",
                                "`{reseller}/{series}/{year}/{number}`",
                                "how the numbers of its documents are written; the counter runs for each lane and year",
                                "\"NW-{series}{year}-{number}\""},
    [CM_KEY_RESELLER_SERIES] = {"series", false, NULL, "mapping from lane to up to 16 letters and digits", NULL,
                                "what stands for a lane in numbers, so that they name no distributor; a lane "
                                "without an entry gets the next free letter when its first document is issued",
                                "{{model}: A}"},
    PROFILE_KEYS(CM_KEY_RESELLER_PROFILE),
};
const cm_key_table cm_reseller_keys = CM_KEY_TABLE("the document", "", reseller);

static const cm_key contact[CM_KEY_CONTACT_COUNT] = {
    [CM_KEY_CONTACT_NAME] = {"name", false, NULL, "text", NULL, "name of the person or desk", "Jane Roe"},
    [CM_KEY_CONTACT_TITLE] = {"title", false, NULL, "text", NULL, "position", "Head of Finance"},
    [CM_KEY_CONTACT_PHONE] = {"phone", false, NULL, "text", NULL, "telephone number", "\"+49 30 1234567\""},
    [CM_KEY_CONTACT_EMAIL] = {"email", false, NULL, "text", NULL, "e-mail address", "finance@example.com"},
};
const cm_key_table cm_contact_keys = CM_KEY_TABLE("a contact", "contact", contact);

static const cm_key customer[CM_KEY_CUSTOMER_COUNT] = {
    [CM_KEY_CUSTOMER_KIND] = {"kind", true, NULL, "`Customer`", NULL, "the kind of this document", "Customer"},
    [CM_KEY_CUSTOMER_ID] = {"id", true, NULL, "id", NULL, "what charges, credits and commands refer to", "acme"},
    [CM_KEY_CUSTOMER_NAME] = {"name", false, NULL, "text", "the id", "name on documents", "Acme GmbH"},
    [CM_KEY_CUSTOMER_RESELLER] = {"reseller", true, NULL, "id of a Reseller", NULL, "who bills this customer",
                                  "northwind"},
    [CM_KEY_CUSTOMER_FIRST + CM_TERMS_CURRENCY] =
        {"invoice_currency", false, NULL, "currency", "`USD` (N21)",
         "currency of its documents (O03, R07); where charges are in another one, the FxRate of the month "
         "converts them",
         "EUR"},
    [CM_KEY_CUSTOMER_FIRST + CM_TERMS_BOOK] = {"price_book", false, NULL, "id of a PriceBook",
                                               "that of the first `terms`, which must name one then",
                                               "the prices that this customer pays (R01, O02)", "standard"},
    [CM_KEY_CUSTOMER_FIRST + CM_TERMS_COMMITMENT] =
        {"commitment_policy", false, NULL, "`on_demand` or `pass_through`", "`on_demand`",
         "who has the benefit of Reserved Instances and Savings Plans: the reseller (covered usage is "
         "priced by the price book), or "
         "the customer (AWS's own amounts are handed on). Some payer models refuse `pass_through` (O06, R06)",
         "on_demand"},
    [CM_KEY_CUSTOMER_FIRST + CM_TERMS_CREDIT] = {"credit_policy", false, NULL, "`keep`, `pass`, or the mapping below",
                                                 "`keep`",
                                                 "who gets AWS's credits: the reseller, the customer, or each a part",
                                                 "{mode: split, percent: 50}"},
    [CM_KEY_CUSTOMER_FIRST + CM_TERMS_REFUND] = {"refund_policy", false, NULL, "`price_book` or `keep`", "`price_book`",
                                                 "AWS's refunds are priced by the price book, or kept by the reseller",
                                                 "price_book"},
    [CM_KEY_CUSTOMER_FIRST + CM_TERMS_TAX] = {"tax", false, NULL, "list of up to 20 taxes", "no tax",
                                              "taxes that its documents add to their subtotal",
                                              "[{name: VAT, percent: 19}]"},
    [CM_KEY_CUSTOMER_FIRST + CM_TERMS_GROUP] = {"support_plan_group", false, NULL, "id of a SupportPlanGroup", "none",
                                                "the group of its accounts that name none", "managed"},
    [CM_KEY_CUSTOMER_FIRST + CM_TERMS_LIMIT] = {"spend_limit", false, NULL, "number, not negative", "none",
                                                "what it may spend in a month; kept, nothing watches it yet", "5000"},
    [CM_KEY_CUSTOMER_TERMS] = {"terms", false, NULL, "list of terms, by ascending `from`", "none",
                               "what replaces the eight keys above from a month on; see below", NULL},
    [CM_KEY_CUSTOMER_ACCOUNTS] =
        {"accounts", false, NULL, "list of accounts", "none",
         "the AWS accounts that it pays for, each under a payer, since when. At most 1,000,000 in a catalog", NULL},
    [CM_KEY_CUSTOMER_LOGO] = {"logo", false, NULL, "text", NULL, "kept, printed nowhere", "acme.png"},
    PROFILE_KEYS(CM_KEY_CUSTOMER_PROFILE),
};
const cm_key_table cm_customer_keys = CM_KEY_TABLE("the document", "", customer);

static const cm_key terms[CM_KEY_TERMS_COUNT] = {
    [CM_KEY_TERMS_FROM] =
        {"from", true, "the month from which it holds", "month", NULL,
         "the first month in which this entry holds; it replaces the keys that it names, until a later "
         "entry names them. What a month's lines and documents are made with are the terms of that "
         "month, whenever they are made",
         "2025-07"},
    [CM_KEY_TERMS_REPLACED +
        CM_TERMS_CURRENCY] = {"invoice_currency", false, NULL, "currency", "as before", "as in the document", "USD"},
    [CM_KEY_TERMS_REPLACED + CM_TERMS_BOOK] = {"price_book", false, NULL, "id of a PriceBook", "as before",
                                               "as in the document", "standard"},
    [CM_KEY_TERMS_REPLACED + CM_TERMS_COMMITMENT] = {"commitment_policy", false, NULL, "`on_demand` or `pass_through`",
                                                     "as before", "as in the document", "on_demand"},
    [CM_KEY_TERMS_REPLACED + CM_TERMS_CREDIT] = {"credit_policy", false, NULL, "`keep`, `pass`, or the mapping below",
                                                 "as before", "as in the document", "pass"},
    [CM_KEY_TERMS_REPLACED + CM_TERMS_REFUND] = {"refund_policy", false, NULL, "`price_book` or `keep`", "as before",
                                                 "as in the document", "keep"},
    [CM_KEY_TERMS_REPLACED +
        CM_TERMS_TAX] = {"tax", false, NULL, "list of up to 20 taxes", "as before",
                         "as in the document; the whole list is replaced; `[]` takes all taxes away",
                         "[{name: VAT, percent: 21}]"},
    [CM_KEY_TERMS_REPLACED + CM_TERMS_GROUP] = {"support_plan_group", false, NULL, "id of a SupportPlanGroup",
                                                "as before", "as in the document", "none"},
    [CM_KEY_TERMS_REPLACED + CM_TERMS_LIMIT] = {"spend_limit", false, NULL, "number, not negative", "as before",
                                                "as in the document", "9000"},
};
const cm_key_table cm_terms_keys = CM_KEY_TABLE("an entry of terms", "terms[]", terms);

static const cm_key credit_policy[CM_KEY_CREDIT_POLICY_COUNT] = {
    [CM_KEY_CREDIT_POLICY_MODE] = {"mode", true, "keep, pass or split", "`keep`, `pass` or `split`", NULL,
                                   "as above; `split` gives the customer a part", "split"},
    [CM_KEY_CREDIT_POLICY_PERCENT] = {"percent", false, NULL, "0 to 100", NULL,
                                      "the customer's part; needed with `split`, refused otherwise", "50"},
};
const cm_key_table cm_credit_policy_keys = CM_KEY_TABLE("a credit policy", "credit_policy", credit_policy);

static const cm_key tax[CM_KEY_TAX_COUNT] = {
    [CM_KEY_TAX_NAME] = {"name", true, NULL, "text", NULL, "name on documents", "VAT"},
    [CM_KEY_TAX_PERCENT] = {"percent", true, NULL, "0 to 100", NULL, "percent of the document's subtotal", "19"},
};
const cm_key_table cm_tax_keys = CM_KEY_TABLE("a tax", "tax[]", tax);

static const cm_key account[CM_KEY_ACCOUNT_COUNT] = {
    [CM_KEY_ACCOUNT_ID] = {"id", true, NULL, "12 digits in quotes (N16)", NULL, "the usage account",
                           "\"000011112222\""},
    [CM_KEY_ACCOUNT_PAYER] = {"payer", true, NULL, "id of a Payer", NULL, "the payer under which it is billed",
                              "\"111122223333\""},
    [CM_KEY_ACCOUNT_FROM] =
        {"from", true, "the 1st of the month from which it is billed (N11)", "time", NULL,
         "the first instant that the customer pays for; the 1st of a month (N11), other days are warned of",
         "2025-06-01"},
    [CM_KEY_ACCOUNT_TO] = {"to", false, NULL, "time", "no end", "the first instant that it no longer pays for",
                           "2025-09-01"},
    [CM_KEY_ACCOUNT_GROUP] =
        {"support_plan_group", false, NULL, "id of a SupportPlanGroup", "that of the customer's terms",
         "what the customer pays for AWS Support on this account; needed where AWS charges support (O15)", "managed"},
    [CM_KEY_ACCOUNT_PLAN] =
        {"support_plan", false, NULL, "`basic`, `developer`, `business`, `business_plus` or `enterprise`", "none",
         "the plan that the customer has with AWS (N20), compared with what AWS charges: `SUPPORT_PLAN_DRIFT`",
         "business"},
    [CM_KEY_ACCOUNT_NAME] = {"name", false, NULL, "text", NULL, "name on documents", "Production"},
    [CM_KEY_ACCOUNT_TAGS] = {"tags", false, NULL, "mapping of up to 50 tags", NULL,
                             "printed on each line of the account (R10). A key has at most 128 characters, a value 256",
                             "{cost centre: \"4711\", team: web}"},
};
const cm_key_table cm_account_keys = CM_KEY_TABLE("an account", "accounts[]", account);
