/* The kinds of documents, for the reference page. */
#include "billing/catalog/keys/keys.h"

#define TABLES(...)                                                                                                    \
    (const cm_key_table *const[])                                                                                      \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }

const cm_kind_keys cm_kind_keys_of[CM_DOCUMENT_KINDS] = {
    [CM_DOCUMENT_CREDIT] = {"Money that the reseller grants a customer: used up by its statements, never below zero.",
                            "credit.yaml", TABLES(&cm_credit_keys)},
    [CM_DOCUMENT_CUSTOM_CHARGE] = {"What a customer owes besides its usage, once or every month, fixed or in percent.",
                                   "custom-charge.yaml", TABLES(&cm_charge_keys, &cm_base_keys)},
    [CM_DOCUMENT_CUSTOMER] = {"Who pays a reseller, for which accounts, at which prices.", "customer.yaml",
                              TABLES(&cm_customer_keys, &cm_account_keys, &cm_terms_keys, &cm_credit_policy_keys,
                                     &cm_tax_keys, &cm_contact_keys)},
    [CM_DOCUMENT_DISTRIBUTOR] = {"Who resells to the resellers of a lane, and what must stand in AWS for it.",
                                 "distributor.yaml",
                                 TABLES(&cm_distributor_keys, &cm_territory_keys, &cm_tax_profile_keys,
                                        &cm_tax_address_keys, &cm_remit_keys)},
    [CM_DOCUMENT_FX_RATE] = {"An exchange rate of one month, set by a person (R06, R08).", "fx-rate.yaml",
                             TABLES(&cm_fx_keys)},
    [CM_DOCUMENT_INVOICE_FORMAT] = {"How the CSV file of a distributor's (or AWS's) invoice is written, for "
                                    "`reconcile` (R11).",
                                    "invoice-format.yaml", TABLES(&cm_invoice_keys, &cm_invoice_column_keys)},
    [CM_DOCUMENT_LINE_ITEM_TYPE] = {"Teaches curmill a line item type that AWS added, without a new release.",
                                    "line-item-type.yaml", TABLES(&cm_line_type_keys)},
    [CM_DOCUMENT_PAYER] = {"An AWS account that receives a bill, and where its reports are.", "payer.yaml",
                           TABLES(&cm_payer_keys, &cm_reports_keys, &cm_folder_source_keys, &cm_s3_source_keys,
                                  &cm_access_keys)},
    [CM_DOCUMENT_PRICE_BOOK] = {"What lines cost: a customer's prices, or what a payer's reseller pays. See "
                                "[rating.md](rating.md), section 4.",
                                "price-book.yaml",
                                TABLES(&cm_book_keys, &cm_version_keys, &cm_rule_keys, &cm_match_keys, &cm_price_keys,
                                       &cm_tier_keys)},
    [CM_DOCUMENT_RESELLER] = {"Who bills the customers: the issuer of the documents.", "reseller.yaml",
                              TABLES(&cm_reseller_keys, &cm_contact_keys)},
    [CM_DOCUMENT_SUPPORT_PLAN] =
        {"What a support plan costs: AWS's, where it is newer than what curmill knows, or one of your own. It "
         "replaces the built-in data of the same name for its own months (S11).",
         "support-plan.yaml", TABLES(&cm_plan_keys, &cm_band_keys)},
    [CM_DOCUMENT_SUPPORT_PLAN_GROUP] = {"What customers pay for AWS Support on their accounts (N02-N05, O14, O15).",
                                        "support-plan-group.yaml",
                                        TABLES(&cm_group_keys, &cm_group_version_keys, &cm_base_keys)},
    [CM_DOCUMENT_SUPPORT_PRODUCT] =
        {"Teaches curmill a product code under which AWS charges for support, without a new release. Those that it "
         "knows: [rating.md](rating.md), section 2.",
         "support-product.yaml", TABLES(&cm_support_product_keys)},
};
