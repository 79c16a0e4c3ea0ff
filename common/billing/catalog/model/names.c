#include "billing/catalog/model/names.h"

const char *const cm_document_kind_names[CM_DOCUMENT_KINDS + 1] = {
    [CM_DOCUMENT_CREDIT] = "Credit",
    [CM_DOCUMENT_CUSTOM_CHARGE] = "CustomCharge",
    [CM_DOCUMENT_CUSTOMER] = "Customer",
    [CM_DOCUMENT_DISTRIBUTOR] = "Distributor",
    [CM_DOCUMENT_FX_RATE] = "FxRate",
    [CM_DOCUMENT_INVOICE_FORMAT] = "InvoiceFormat",
    [CM_DOCUMENT_LINE_ITEM_TYPE] = "LineItemType",
    [CM_DOCUMENT_PAYER] = "Payer",
    [CM_DOCUMENT_PRICE_BOOK] = "PriceBook",
    [CM_DOCUMENT_RESELLER] = "Reseller",
    [CM_DOCUMENT_SUPPORT_PLAN] = "SupportPlan",
    [CM_DOCUMENT_SUPPORT_PLAN_GROUP] = "SupportPlanGroup",
    [CM_DOCUMENT_SUPPORT_PRODUCT] = "SupportProduct",
};

const char *const cm_layer_names[] = {"payer", "list", "buy", "sell", NULL};
const char *const cm_match_key_names[CM_MATCH_KEYS + 1] = {
    [CM_MATCH_SERVICE] = "service",
    [CM_MATCH_USAGE_TYPE] = "usage_type",
    [CM_MATCH_OPERATION] = "operation",
    [CM_MATCH_REGION] = "region",
    [CM_MATCH_SKU] = "sku",
    [CM_MATCH_CLASS] = "class",
    [CM_MATCH_LINE_ITEM_TYPE] = "line_item_type",
    [CM_MATCH_ACCOUNT] = "account",
    [CM_MATCH_PAYER] = "payer",
    [CM_MATCH_UNIT] = "unit",
};
const char *const cm_credit_mode_names[] = {"keep", "pass", "split", NULL};
const char *const cm_refund_policy_names[] = {"price_book", "keep", NULL};
const char *const cm_commitment_policy_names[] = {"on_demand", "pass_through", NULL};
const char *const cm_consolidation_names[] = {"end_customer", "semi", "full", NULL}; /* N18 */
const char *const cm_fx_set_names[] = {"reseller", "distributor", NULL};             /* R08 */
const char *const cm_tier_mode_names[] = {"graduated", "volume", NULL};
const char *const cm_tier_over_names[] = {"account", "customer", NULL};
const char *const cm_invoice_level_names[] = {"account_product", "account", "invoice", NULL};
const char *const cm_invoice_column_names[CM_INVOICE_COLUMNS + 1] = {"account",  "product", "amount",
                                                                     "currency", "invoice", NULL};
