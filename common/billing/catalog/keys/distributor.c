/* Keys of Distributor and InvoiceFormat. */
#include "billing/catalog/keys/keys.h"

static const cm_key distributor[CM_KEY_DISTRIBUTOR_COUNT] = {
    [CM_KEY_DISTRIBUTOR_KIND] = {"kind", true, NULL, "`Distributor`", NULL, "the kind of this document", "Distributor"},
    [CM_KEY_DISTRIBUTOR_ID] = {"id", true, NULL, "id", NULL, "names it in messages", "example-distribution"},
    [CM_KEY_DISTRIBUTOR_NAME] = {"name", false, NULL, "text", "the id", "its name", "Example Distribution"},
    [CM_KEY_DISTRIBUTOR_LANE] = {"lane", true, "the lane of its payers", "lane of some payer", NULL,
                                 "the lane of its payers; one Distributor a lane", "{model}"},
    [CM_KEY_DISTRIBUTOR_DOMAINS] = {"email_domains", false, NULL, "list of up to 100 domains, or one",
                                    "root addresses are not checked",
                                    "whose root e-mail addresses are the distributor's own (P02, P03)",
                                    "[distributor.example]"},
    [CM_KEY_DISTRIBUTOR_TERRITORIES] =
        {"territories", false, NULL, "list of up to 1,000 territories", NULL, "where it may resell (P17)",
         "[{country: AE, from: 2025-01-01}, {country: SA, from: 2025-01-01, to: 2027-01-01}]"},
    [CM_KEY_DISTRIBUTOR_PROFILES] = {"tax_profiles", false, NULL, "list of tax profiles, one a country", NULL,
                                     "the tax data that its payers must carry in AWS (T01, T03)", NULL},
    [CM_KEY_DISTRIBUTOR_REMIT] =
        {"remit_to", false, NULL, "list of addresses, one a country", NULL,
         "where it is paid: printed on the view of the distributor, by the reseller's country",
         "[{country: DE, name: Example Distribution GmbH, address: [\"Hafen 1\", 20457 Hamburg]}]"},
};
const cm_key_table cm_distributor_keys = CM_KEY_TABLE("the document", "", distributor);

static const cm_key territory[CM_KEY_TERRITORY_COUNT] = {
    [CM_KEY_TERRITORY_COUNTRY] = {"country", true, NULL, "country", NULL, "the country", "SA"},
    [CM_KEY_TERRITORY_FROM] = {"from", false, NULL, "time", "always", "the first instant", "2025-01-01"},
    [CM_KEY_TERRITORY_TO] = {"to", false, NULL, "time", "no end", "the first instant that no longer counts",
                             "2027-01-01"},
};
const cm_key_table cm_territory_keys = CM_KEY_TABLE("a territory", "territories[]", territory);

static const cm_key tax_profile[CM_KEY_TAX_PROFILE_COUNT] = {
    [CM_KEY_TAX_PROFILE_COUNTRY] = {"country", true, NULL, "country", NULL, "for payers of this country", "AE"},
    [CM_KEY_TAX_PROFILE_ID] = {"registration_id", true, "the tax registration number that its payers must carry (T01)",
                               "text", NULL, "the tax registration number that its payers must carry (T01)",
                               "\"100123456700003\""},
    [CM_KEY_TAX_PROFILE_TYPE] =
        {"registration_type", true, NULL,
         "`VAT`, `GST`, `CPF`, `CNPJ`, `SST`, `TIN`, `NRIC`, `PAN`, `NIP`, `CUIT`, `CDI`, `RUT`, `NIE` or `CI`", NULL,
         "type of that number in AWS", "VAT"},
    [CM_KEY_TAX_PROFILE_NAME] = {"legal_name", true, NULL, "text", NULL, "the name that goes with it",
                                 "Example Distribution FZE"},
    [CM_KEY_TAX_PROFILE_ADDRESS] =
        {"address", true, "the tax address that its payers must carry (T03)", "the mapping below", NULL,
         "the tax address that its payers must carry (T03), compared without regard to case, spaces and punctuation",
         NULL},
};
const cm_key_table cm_tax_profile_keys = CM_KEY_TABLE("a tax profile", "tax_profiles[]", tax_profile);

static const cm_key tax_address[CM_KEY_TAX_ADDRESS_COUNT] = {
    [CM_KEY_TAX_ADDRESS_LINE1] = {"address_line1", true, NULL, "text", NULL, "first line", "\"Gate 5, Warehouse 12\""},
    [CM_KEY_TAX_ADDRESS_LINE2] = {"address_line2", false, NULL, "text", NULL, "second line", "Free Zone"},
    [CM_KEY_TAX_ADDRESS_LINE3] = {"address_line3", false, NULL, "text", NULL, "third line", "Building C"},
    [CM_KEY_TAX_ADDRESS_DISTRICT] = {"district_or_county", false, NULL, "text", NULL, "district or county",
                                     "Jebel Ali"},
    [CM_KEY_TAX_ADDRESS_CITY] = {"city", true, NULL, "text", NULL, "city", "Dubai"},
    [CM_KEY_TAX_ADDRESS_STATE] = {"state_or_region", false, NULL, "text", NULL, "state or region", "Dubai"},
    [CM_KEY_TAX_ADDRESS_POSTAL] = {"postal_code", true, "AWS wants one in every tax address", "text", NULL,
                                   "postal code", "\"00000\""},
    [CM_KEY_TAX_ADDRESS_COUNTRY] = {"country_code", false, NULL, "country", "that of the profile",
                                    "the profile's own country: AWS takes a number only with an address in it", "AE"},
};
const cm_key_table cm_tax_address_keys = CM_KEY_TABLE("a tax address", "tax_profiles[].address", tax_address);

static const cm_key remit[CM_KEY_REMIT_COUNT] = {
    [CM_KEY_REMIT_COUNTRY] = {"country", true, NULL, "country", NULL, "for resellers of this country", "DE"},
    [CM_KEY_REMIT_NAME] = {"name", true, NULL, "text", NULL, "who is paid", "Example Distribution GmbH"},
    [CM_KEY_REMIT_ADDRESS] = {"address", true, NULL, "list of up to 20 lines, or one line", NULL, "postal address",
                              "[\"Hafen 1\", 20457 Hamburg]"},
};
const cm_key_table cm_remit_keys = CM_KEY_TABLE("where to pay", "remit_to[]", remit);

static const cm_key invoice[CM_KEY_INVOICE_COUNT] = {
    [CM_KEY_INVOICE_KIND] = {"kind", true, NULL, "`InvoiceFormat`", NULL, "the kind of this document", "InvoiceFormat"},
    [CM_KEY_INVOICE_ID] = {"id", true, NULL, "id", NULL, "what `reconcile --layout` names", "distributor-csv"},
    [CM_KEY_INVOICE_LEVEL] = {"level", false, NULL, "`account_product`, `account` or `invoice`", "`account_product`",
                              "what a row is for: an account and product, an account, or (AWS's own) an InvoiceId",
                              "account_product"},
    [CM_KEY_INVOICE_DELIMITER] = {"delimiter", false, NULL, "`,` `;` `|` or a tab", "`,`",
                                  "what stands between two columns", "\";\""},
    [CM_KEY_INVOICE_DECIMAL] = {"decimal", false, NULL, "`.` or `,`", "`.`",
                                "decimal point of amounts; another character than the delimiter", "\",\""},
    [CM_KEY_INVOICE_COLUMNS] = {"columns", true, "which column says what", "the mapping below", NULL,
                                "which column of the header says what",
                                "{account: Account, product: Service, amount: Amount, currency: Currency}"},
    [CM_KEY_INVOICE_CURRENCY] = {"currency", false, NULL, "currency", NULL,
                                 "the currency of all rows; either this or `columns.currency`", "USD"},
    [CM_KEY_INVOICE_TAX] = {"tax", false, NULL, "`excluded` or `included`", "`excluded`",
                            "do the amounts hold AWS's taxes?", "included"},
    [CM_KEY_INVOICE_PRODUCTS] = {"products", false, NULL, "mapping of up to 5,000 names to product codes",
                                 "names are product codes",
                                 "what the invoice calls a product; only with `account_product`",
                                 "{Elastic Compute Cloud: AmazonEC2, Simple Storage Service: AmazonS3}"},
    [CM_KEY_INVOICE_TAKE] = {"take", false, NULL, "mapping: column, and a value or a list of up to 100", "every row",
                             "only rows with one of the values of each column", "{Vendor: AWS}"},
    [CM_KEY_INVOICE_LEAVE] = {"leave", false, NULL, "mapping: column, and a value or a list of up to 100", "none",
                              "no row with one of the values", "{Service: [Total, \"\"]}"},
};
const cm_key_table cm_invoice_keys = CM_KEY_TABLE("the document", "", invoice);

static const cm_key column[CM_INVOICE_COLUMNS] = {
    [CM_INVOICE_ACCOUNT] = {"account", false, NULL, "text", NULL,
                            "usage account; needed for levels `account_product` and `account`", "Account"},
    [CM_INVOICE_PRODUCT] = {"product", false, NULL, "text", NULL, "product; needed for level `account_product`",
                            "Service"},
    [CM_INVOICE_AMOUNT] = {"amount", true, NULL, "text", NULL, "the amount", "Amount"},
    [CM_INVOICE_CURRENCY] = {"currency", false, NULL, "text", NULL,
                             "currency of the row; either this or `currency` of the document", "Currency"},
    [CM_INVOICE_ID] = {"invoice", false, NULL, "text", NULL, "AWS's InvoiceId; needed for level `invoice`",
                       "InvoiceId"},
};
const cm_key_table cm_invoice_column_keys = CM_KEY_TABLE("columns: names of the header", "columns", column);
