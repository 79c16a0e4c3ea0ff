/*
 * Every key that a catalog may use: one table for each mapping. The checker finds unknown, missing and repeated keys by
 * these tables, and docs/catalog.md is printed from them, so the page and the program cannot disagree. Internal to
 * catalog/, but for tests/tools/catalog_reference.
 */
#ifndef CM_CATALOG_KEYS_H
#define CM_CATALOG_KEYS_H

#include "billing/catalog/model/catalog.h"
#include "billing/catalog/model/names.h"

typedef struct cm_key {
    const char *name;
    bool required;
    const char *why; /* said if a required key is missing; may be NULL */
    /* For the reference page. {models}, {payer_kinds} and {model} stand for what the registry of payer models says. */
    const char *type;
    const char *otherwise; /* what holds without the key; NULL: nothing, or it is required */
    const char *meaning;
    const char *example; /* as it is written after "key: "; it stands so in docs/examples/catalog */
} cm_key;

typedef struct cm_key_table {
    const char *title; /* of the mapping: "a rule" */
    const char *path;  /* of the mapping in its document: "versions[].rules[]"; "": the document itself */
    const cm_key *keys;
    size_t count;
} cm_key_table;
enum { CM_KEYS_MAX = 24 }; /* of one table */

/* The page's section of a kind. */
typedef struct cm_kind_keys {
    const char *what;                  /* one sentence or two */
    const char *file;                  /* below docs/examples/catalog: its example documents */
    const cm_key_table *const *tables; /* the document's own first; NULL-ended */
} cm_kind_keys;
extern const cm_kind_keys cm_kind_keys_of[CM_DOCUMENT_KINDS];

/* ---- the tables, and where their keys stand in them ---- */

/* Of a reseller and a customer: what documents print about them (I12). */
enum {
    CM_PROFILE_ADDRESS,
    CM_PROFILE_CONTACT,
    CM_PROFILE_COUNTRY,
    CM_PROFILE_EMAIL,
    CM_PROFILE_LANGUAGE,
    CM_PROFILE_TAX_ID,
    CM_PROFILE_KEYS,
};
enum {
    CM_KEY_RESELLER_KIND,
    CM_KEY_RESELLER_ID,
    CM_KEY_RESELLER_NAME,
    CM_KEY_RESELLER_CONSOLIDATION,
    CM_KEY_RESELLER_LOGO,
    CM_KEY_RESELLER_TEXT,
    CM_KEY_RESELLER_URL,
    CM_KEY_RESELLER_NUMBER,
    CM_KEY_RESELLER_SERIES,
    CM_KEY_RESELLER_PROFILE, /* CM_PROFILE_KEYS of them */
    CM_KEY_RESELLER_COUNT = CM_KEY_RESELLER_PROFILE + CM_PROFILE_KEYS,
};
enum { CM_KEY_CONTACT_NAME, CM_KEY_CONTACT_TITLE, CM_KEY_CONTACT_PHONE, CM_KEY_CONTACT_EMAIL, CM_KEY_CONTACT_COUNT };
/* What is agreed with a customer and may change at a month's beginning. */
enum {
    CM_TERMS_CURRENCY,
    CM_TERMS_BOOK,
    CM_TERMS_COMMITMENT,
    CM_TERMS_CREDIT,
    CM_TERMS_REFUND,
    CM_TERMS_TAX,
    CM_TERMS_GROUP,
    CM_TERMS_LIMIT,
    CM_TERMS_KEYS
};
enum {
    CM_KEY_CUSTOMER_KIND,
    CM_KEY_CUSTOMER_ID,
    CM_KEY_CUSTOMER_NAME,
    CM_KEY_CUSTOMER_RESELLER,
    CM_KEY_CUSTOMER_FIRST, /* CM_TERMS_KEYS of them: its first terms */
    CM_KEY_CUSTOMER_TERMS = CM_KEY_CUSTOMER_FIRST + CM_TERMS_KEYS,
    CM_KEY_CUSTOMER_ACCOUNTS,
    CM_KEY_CUSTOMER_LOGO,
    CM_KEY_CUSTOMER_PROFILE, /* CM_PROFILE_KEYS of them */
    CM_KEY_CUSTOMER_COUNT = CM_KEY_CUSTOMER_PROFILE + CM_PROFILE_KEYS,
};
enum { CM_KEY_TERMS_FROM, CM_KEY_TERMS_REPLACED, CM_KEY_TERMS_COUNT = CM_KEY_TERMS_REPLACED + CM_TERMS_KEYS };
enum { CM_KEY_CREDIT_POLICY_MODE, CM_KEY_CREDIT_POLICY_PERCENT, CM_KEY_CREDIT_POLICY_COUNT };
enum { CM_KEY_TAX_NAME, CM_KEY_TAX_PERCENT, CM_KEY_TAX_COUNT };
enum {
    CM_KEY_ACCOUNT_ID,
    CM_KEY_ACCOUNT_PAYER,
    CM_KEY_ACCOUNT_FROM,
    CM_KEY_ACCOUNT_TO,
    CM_KEY_ACCOUNT_GROUP,
    CM_KEY_ACCOUNT_PLAN,
    CM_KEY_ACCOUNT_NAME,
    CM_KEY_ACCOUNT_TAGS,
    CM_KEY_ACCOUNT_COUNT
};
enum {
    CM_KEY_PAYER_KIND,
    CM_KEY_PAYER_ID,
    CM_KEY_PAYER_LANE,
    CM_KEY_PAYER_MODEL,
    CM_KEY_PAYER_PAYER_KIND,
    CM_KEY_PAYER_RESELLER,
    CM_KEY_PAYER_SOURCE,
    CM_KEY_PAYER_REPORTS,
    CM_KEY_PAYER_NONE,
    CM_KEY_PAYER_BUY_BOOK,
    CM_KEY_PAYER_COUNTRY,
    CM_KEY_PAYER_ACCESS,
    CM_KEY_PAYER_ROOT_EMAIL,
    CM_KEY_PAYER_ORGANIZATION,
    CM_KEY_PAYER_COUNT
};
enum { CM_KEY_REPORTS_NAMES, CM_KEY_REPORTS_FROM, CM_KEY_REPORTS_NONE, CM_KEY_REPORTS_COUNT };
enum { CM_KEY_ACCESS_ROLE, CM_KEY_ACCESS_EXTERNAL, CM_KEY_ACCESS_COUNT };
enum { CM_KEY_BOOK_KIND, CM_KEY_BOOK_ID, CM_KEY_BOOK_CURRENCY, CM_KEY_BOOK_VERSIONS, CM_KEY_BOOK_COUNT };
enum { CM_KEY_VERSION_FROM, CM_KEY_VERSION_RULES, CM_KEY_VERSION_COUNT };
enum {
    CM_KEY_RULE_ID,
    CM_KEY_RULE_LABEL,
    CM_KEY_RULE_PRIORITY,
    CM_KEY_RULE_MATCH,
    CM_KEY_RULE_PRICE,
    CM_KEY_RULE_COUNT
};
/* enum cm_match_key, and */
enum { CM_KEY_MATCH_MARKETPLACE = CM_MATCH_KEYS, CM_KEY_MATCH_COUNT };
enum {
    CM_KEY_PRICE_PERCENT,
    CM_KEY_PRICE_RATE,
    CM_KEY_PRICE_PASS,
    CM_KEY_PRICE_FREE,
    CM_KEY_PRICE_TIERS,
    CM_KEY_PRICE_OF,
    CM_KEY_PRICE_MODE,
    CM_KEY_PRICE_OVER,
    CM_KEY_PRICE_COUNT
};
enum { CM_KEY_TIER_UP_TO, CM_KEY_TIER_RATE, CM_KEY_TIER_COUNT };
enum {
    CM_KEY_GROUP_KIND,
    CM_KEY_GROUP_ID,
    CM_KEY_GROUP_LABEL,
    CM_KEY_GROUP_TYPE,
    CM_KEY_GROUP_PLAN,
    CM_KEY_GROUP_OVER, /* from here on: without effect on basic and passthrough */
    CM_KEY_GROUP_PERCENT,
    CM_KEY_GROUP_MINIMUM,
    CM_KEY_GROUP_BUY_PERCENT,
    CM_KEY_GROUP_BASE,
    CM_KEY_GROUP_VERSIONS,
    CM_KEY_GROUP_COUNT
};
enum {
    CM_KEY_GROUP_VERSION_FROM,
    CM_KEY_GROUP_VERSION_PERCENT,
    CM_KEY_GROUP_VERSION_MINIMUM,
    CM_KEY_GROUP_VERSION_BUY_PERCENT,
    CM_KEY_GROUP_VERSION_BASE,
    CM_KEY_GROUP_VERSION_COUNT
};
enum { CM_KEY_BASE_LAYER, CM_KEY_BASE_CLASSES, CM_KEY_BASE_COUNT };
enum {
    CM_KEY_PLAN_KIND,
    CM_KEY_PLAN_ID,
    CM_KEY_PLAN_TYPE,
    CM_KEY_PLAN_CURRENCY,
    CM_KEY_PLAN_FROM,
    CM_KEY_PLAN_TO,
    CM_KEY_PLAN_MINIMUM,
    CM_KEY_PLAN_BANDS,
    CM_KEY_PLAN_COUNT
};
enum { CM_KEY_BAND_UP_TO, CM_KEY_BAND_PERCENT, CM_KEY_BAND_COUNT };
enum {
    CM_KEY_FX_KIND,
    CM_KEY_FX_ID,
    CM_KEY_FX_SET,
    CM_KEY_FX_FROM,
    CM_KEY_FX_TO,
    CM_KEY_FX_PERIOD,
    CM_KEY_FX_RATE,
    CM_KEY_FX_COUNT
};
enum {
    CM_KEY_LINE_TYPE_KIND,
    CM_KEY_LINE_TYPE_ID,
    CM_KEY_LINE_TYPE_NAME,
    CM_KEY_LINE_TYPE_CLASS,
    CM_KEY_LINE_TYPE_COUNT
};
enum { CM_KEY_SUPPORT_PRODUCT_KIND, CM_KEY_SUPPORT_PRODUCT_ID, CM_KEY_SUPPORT_PRODUCT_COUNT };
enum {
    CM_KEY_CHARGE_KIND,
    CM_KEY_CHARGE_ID,
    CM_KEY_CHARGE_NAME,
    CM_KEY_CHARGE_LABEL,
    CM_KEY_CHARGE_CUSTOMER,
    CM_KEY_CHARGE_LANE,
    CM_KEY_CHARGE_PERIOD,
    CM_KEY_CHARGE_FROM,
    CM_KEY_CHARGE_TO,
    CM_KEY_CHARGE_AMOUNT,
    CM_KEY_CHARGE_CURRENCY,
    CM_KEY_CHARGE_PERCENT,
    CM_KEY_CHARGE_BASE,
    CM_KEY_CHARGE_COUNT
};
enum {
    CM_KEY_CREDIT_KIND,
    CM_KEY_CREDIT_ID,
    CM_KEY_CREDIT_NAME,
    CM_KEY_CREDIT_CUSTOMER,
    CM_KEY_CREDIT_LANE,
    CM_KEY_CREDIT_AMOUNT,
    CM_KEY_CREDIT_CURRENCY,
    CM_KEY_CREDIT_FROM,
    CM_KEY_CREDIT_EXPIRES,
    CM_KEY_CREDIT_COUNT
};
enum {
    CM_KEY_DISTRIBUTOR_KIND,
    CM_KEY_DISTRIBUTOR_ID,
    CM_KEY_DISTRIBUTOR_NAME,
    CM_KEY_DISTRIBUTOR_LANE,
    CM_KEY_DISTRIBUTOR_DOMAINS,
    CM_KEY_DISTRIBUTOR_TERRITORIES,
    CM_KEY_DISTRIBUTOR_PROFILES,
    CM_KEY_DISTRIBUTOR_REMIT,
    CM_KEY_DISTRIBUTOR_COUNT
};
enum { CM_KEY_TERRITORY_COUNTRY, CM_KEY_TERRITORY_FROM, CM_KEY_TERRITORY_TO, CM_KEY_TERRITORY_COUNT };
enum {
    CM_KEY_TAX_PROFILE_COUNTRY,
    CM_KEY_TAX_PROFILE_ID,
    CM_KEY_TAX_PROFILE_TYPE,
    CM_KEY_TAX_PROFILE_NAME,
    CM_KEY_TAX_PROFILE_ADDRESS,
    CM_KEY_TAX_PROFILE_COUNT
};
enum {
    CM_KEY_TAX_ADDRESS_LINE1,
    CM_KEY_TAX_ADDRESS_LINE2,
    CM_KEY_TAX_ADDRESS_LINE3,
    CM_KEY_TAX_ADDRESS_DISTRICT,
    CM_KEY_TAX_ADDRESS_CITY,
    CM_KEY_TAX_ADDRESS_STATE,
    CM_KEY_TAX_ADDRESS_POSTAL,
    CM_KEY_TAX_ADDRESS_COUNTRY,
    CM_KEY_TAX_ADDRESS_COUNT
};
enum { CM_KEY_REMIT_COUNTRY, CM_KEY_REMIT_NAME, CM_KEY_REMIT_ADDRESS, CM_KEY_REMIT_COUNT };
enum {
    CM_KEY_INVOICE_KIND,
    CM_KEY_INVOICE_ID,
    CM_KEY_INVOICE_LEVEL,
    CM_KEY_INVOICE_DELIMITER,
    CM_KEY_INVOICE_DECIMAL,
    CM_KEY_INVOICE_COLUMNS,
    CM_KEY_INVOICE_CURRENCY,
    CM_KEY_INVOICE_TAX,
    CM_KEY_INVOICE_PRODUCTS,
    CM_KEY_INVOICE_TAKE,
    CM_KEY_INVOICE_LEAVE,
    CM_KEY_INVOICE_COUNT
};

extern const cm_key_table cm_reseller_keys, cm_contact_keys, cm_customer_keys, cm_terms_keys, cm_credit_policy_keys,
    cm_tax_keys, cm_account_keys;
extern const cm_key_table cm_payer_keys, cm_reports_keys, cm_access_keys;
/* A payer's source, by type: "type" and then the type's own keys. */
extern const cm_key_table cm_folder_source_keys, cm_s3_source_keys;
extern const cm_key_table cm_book_keys, cm_version_keys, cm_rule_keys, cm_match_keys, cm_price_keys, cm_tier_keys;
extern const cm_key_table cm_group_keys, cm_group_version_keys, cm_base_keys, cm_plan_keys, cm_band_keys, cm_fx_keys,
    cm_line_type_keys, cm_support_product_keys;
extern const cm_key_table cm_charge_keys, cm_credit_keys;
extern const cm_key_table cm_distributor_keys, cm_territory_keys, cm_tax_profile_keys, cm_tax_address_keys,
    cm_remit_keys;
extern const cm_key_table cm_invoice_keys, cm_invoice_column_keys;

/* cm_some_keys = CM_KEY_TABLE("a thing", "path[]", list); */
#define CM_KEY_TABLE(title, path, list)                                                                                \
    {                                                                                                                  \
        title, path, list, sizeof(list) / sizeof(list)[0]                                                              \
    }

#endif
