/*
 * The catalog in memory, read-only: threads may share it. A folder of YAML documents (docs/catalog.md) is checked
 * (check/read.h) and becomes canonical JSON, whose digest is the id of the version; from that text this struct is
 * loaded (parse/canonical.h), so every worker sees what `curmill catalog apply` stored. May use: base, decimal,
 * payer_model.
 */
#ifndef CM_CATALOG_CATALOG_H
#define CM_CATALOG_CATALOG_H

#include "base/base/buffer.h"
#include "base/decimal/decimal.h"
#include "base/digest/digest.h"
#include "base/time/time.h"
#include "billing/payer_model/payer_model.h"

#include <jansson.h>

/* Charge classes (rating.md section 2), in the order of its table. */
enum cm_class {
    CM_CLASS_TAX,
    CM_CLASS_PROVIDER_DISCOUNT,
    CM_CLASS_BUNDLED_DISCOUNT,
    CM_CLASS_CREDIT,
    CM_CLASS_REFUND,
    CM_CLASS_SUPPORT,
    CM_CLASS_MARKETPLACE,
    CM_CLASS_COVERED_USAGE,
    CM_CLASS_COMMITMENT_OFFSET,
    CM_CLASS_COMMITMENT_FEE,
    CM_CLASS_USAGE,
    CM_CLASS_FEE,
    CM_CLASS_COUNT,
    CM_CLASS_SUSPENDED = CM_CLASS_COUNT, /* only in results */
};
const char *cm_class_name(enum cm_class class);         /* "covered_usage" */
bool cm_class_parse(cm_slice name, enum cm_class *ret); /* not "suspended" */
/* The class that AWS's own line item types belong to by name alone, or false (Fee: CM_CLASS_FEE). */
bool cm_class_of_builtin_type(cm_slice line_item_type, enum cm_class *ret);

enum cm_layer { CM_LAYER_PAYER, CM_LAYER_LIST, CM_LAYER_BUY, CM_LAYER_SELL };

/* One key of a rule's match: any of `values`; with `glob` each may hold * and ?. count 0: key absent, matches
 * everything. */
typedef struct cm_match_list {
    const char *const *values;
    size_t count;
    bool glob;
} cm_match_list;

enum cm_match_key {
    CM_MATCH_SERVICE,
    CM_MATCH_USAGE_TYPE,
    CM_MATCH_OPERATION,
    CM_MATCH_REGION,
    CM_MATCH_SKU,
    CM_MATCH_CLASS,
    CM_MATCH_LINE_ITEM_TYPE,
    CM_MATCH_ACCOUNT,
    CM_MATCH_PAYER,
    CM_MATCH_UNIT,
    CM_MATCH_KEYS
};

enum cm_price_kind { CM_PRICE_PERCENT, CM_PRICE_RATE, CM_PRICE_PASS, CM_PRICE_FREE, CM_PRICE_TIERS };

typedef struct cm_tier {
    bool unbounded;
    cm_decimal up_to; /* inclusive upper border of the month's quantity */
    cm_decimal rate;  /* per unit of usage */
} cm_tier;
enum cm_tier_mode {
    CM_TIER_GRADUATED,
    CM_TIER_VOLUME
}; /* each part at its own tier's rate; all at the rate of the tier it ends in */
enum cm_tier_over { CM_TIER_OVER_ACCOUNT, CM_TIER_OVER_CUSTOMER };

typedef struct cm_rule {
    const char *id;
    int64_t priority;
    cm_match_list match[CM_MATCH_KEYS];
    int marketplace; /* -1 any, 0 false, 1 true */
    enum cm_price_kind price;
    cm_decimal percent;   /* PERCENT */
    enum cm_layer of;     /* PERCENT: LIST, PAYER or BUY; PASS: PAYER */
    cm_decimal rate;      /* RATE, in the book's currency per unit of usage */
    const cm_tier *tiers; /* TIERS: ascending borders, the last unbounded; computed when statements are built */
    size_t tier_count;
    enum cm_tier_mode mode;
    enum cm_tier_over over;
} cm_rule;

typedef struct cm_book_version {
    cm_instant effective_from;
    const cm_rule *rules; /* by ascending priority */
    size_t count;
} cm_book_version;

typedef struct cm_price_book {
    const char *id, *currency;
    const cm_book_version *versions; /* by ascending effective_from */
    size_t count;
    bool has_tiers; /* some rule of some version */
} cm_price_book;

enum cm_commitment_policy { CM_COMMITMENT_ON_DEMAND, CM_COMMITMENT_PASS_THROUGH };
enum cm_credit_mode { CM_CREDIT_KEEP, CM_CREDIT_PASS, CM_CREDIT_SPLIT };
enum cm_refund_policy { CM_REFUND_PRICE_BOOK, CM_REFUND_KEEP };

enum cm_plan_type {
    CM_PLAN_BUSINESS, /* TD SYNNEX: flat percent of total usage (N02-N04) */
    CM_PLAN_PASSTHROUGH,
    CM_PLAN_DEVELOPER,
    CM_PLAN_BUSINESS_PUBLIC,
    CM_PLAN_BUSINESS_PLUS,
    CM_PLAN_ENTERPRISE,
    CM_PLAN_BASIC,
    CM_PLAN_NAMED, /* the plan that the group names by its id */
};
const char *cm_plan_type_name(enum cm_plan_type type);

typedef struct cm_plan_band {
    bool unbounded;
    cm_decimal up_to; /* inclusive upper border of the month's base */
    cm_decimal percent;
} cm_plan_band;

/* What a plan costs, for some months. */
typedef struct cm_support_plan {
    const char *name;     /* what groups name it by: a type ("developer") or an id */
    const char *currency; /* of minimum and borders */
    cm_instant from, to;  /* starts of months, half-open */
    cm_decimal minimum;
    const cm_plan_band *bands;
    size_t count;
} cm_support_plan;

/* What a group says from a month on. Whole: what a version does not name is as it was before. */
typedef struct cm_group_terms {
    cm_instant from; /* start of a month; INT64_MIN: the first, the keys of the document itself */
    bool has_percent, has_minimum, has_buy_percent;
    cm_decimal percent, minimum, buy_percent;
    enum cm_layer base_layer;        /* default SELL */
    bool base_class[CM_CLASS_COUNT]; /* default usage, covered_usage, bundled_discount */
} cm_group_terms;

typedef struct cm_support_group {
    const char *id;
    enum cm_plan_type type;
    const char *plan;            /* name of its SupportPlan; NULL: business, passthrough, basic */
    bool over_group;             /* fee and minimum over all of the customer's accounts in the group, then shared out */
    const cm_group_terms *terms; /* by ascending from */
    size_t term_count;           /* at least 1 */
} cm_support_group;

typedef struct cm_tax {
    const char *name;
    cm_decimal percent;
} cm_tax;

typedef struct cm_reseller {
    const char *id, *name;
    const char *consolidation; /* "end_customer" | "semi" | "full" */
} cm_reseller;

/* What is agreed with a customer from a month on. Whole: what an entry does not name is as it was before. */
typedef struct cm_customer_terms {
    cm_instant from;                 /* start of a month; INT64_MIN: the first terms, the keys of the document itself */
    const char *invoice_currency;    /* O03, R07 */
    const cm_price_book *price_book; /* NULL: before the first terms that name one: nothing has a price */
    enum cm_commitment_policy commitment_policy;
    enum cm_credit_mode credit_mode;
    cm_decimal credit_percent;
    enum cm_refund_policy refund_policy;
    const cm_tax *taxes;
    size_t tax_count;
    const cm_support_group *support_group; /* of accounts that name none; NULL: none */
} cm_customer_terms;

typedef struct cm_customer {
    const char *id, *name;
    const cm_reseller *reseller;
    const cm_customer_terms *terms; /* by ascending from; the first hold from the beginning of time */
    size_t term_count;              /* at least 1 */
} cm_customer;

typedef struct cm_payer {
    const char *id, *lane;
    const cm_payer_model *model;
    const char *payer_kind;
    const cm_reseller *reseller;
    const json_t *source;          /* borrowed from the catalog; NULL: none, its reports come by `ingest --file` only */
    const char *const *reports;    /* NULL-ended; NULL: all */
    cm_period reports_from;        /* the first month that has a report; year 0: they always came */
    bool no_reports;               /* none ever comes */
    const cm_price_book *buy_book; /* NULL: none */
    /* How its management account is reached in AWS; "" what is not said. */
    const char *role_arn, *external_id;
    const char *country; /* ISO 3166 alpha-2: whose tax profile of the distributor it must carry (T01, T03) */
    const char *root_email, *organization;
} cm_payer;

/* As in the tax settings of AWS; "" what is absent. */
typedef struct cm_postal_address {
    const char *line1, *line2, *line3, *district_or_county, *city, *state_or_region, *postal_code, *country_code;
} cm_postal_address;

/* The tax data of the distributor that a payer of this country must carry (T01, T03). */
typedef struct cm_tax_profile {
    const char *country;
    const char *registration_id, *registration_type; /* "VAT", "GST", ... */
    const char *legal_name;
    cm_postal_address address;
} cm_tax_profile;

/* Where the distributor may resell (P17), half-open; INT64_MIN and INT64_MAX: open. */
typedef struct cm_territory {
    const char *country;
    cm_instant from, to;
} cm_territory;

typedef struct cm_remit_to {
    const char *country, *name;
    const char *const *address; /* lines, NULL-ended */
} cm_remit_to;

/* At most one a lane. */
typedef struct cm_distributor {
    const char *id, *name, *lane;
    const char *const *email_domains;
    size_t email_domain_count; /* lower case */
    const cm_territory *territories;
    size_t territory_count; /* by country and from */
    const cm_tax_profile *tax_profiles;
    size_t tax_profile_count; /* by country */
    const cm_remit_to *remit_to;
    size_t remit_to_count; /* by country */
} cm_distributor;

/* Who owns an account under a payer, when (half-open). */
typedef struct cm_link {
    const char *payer, *account;
    cm_instant from, to; /* to = INT64_MAX: open */
    const cm_customer *customer;
    const cm_support_group *own_group; /* NULL: that of the customer's terms; see cm_link_group */
    const char *declared_plan;         /* "" or the account's `support_plan` */
    bool given;                        /* by org-linker, not by the catalog (link_set.h) */
} cm_link;

/* A link of org-linker that counts only in part or not at all: told as an alert of the run. */
typedef struct cm_link_problem {
    const char *code; /* LINK_CONTRADICTION: another customer than the catalog says; LINK_REFUSED; LINK_GROUP_MISSING */
    const char *payer, *account, *detail;
    cm_instant from, to; /* the time in question, half-open */
} cm_link_problem;

enum cm_fx_set { CM_FX_RESELLER, CM_FX_DISTRIBUTOR }; /* R08 */
typedef struct cm_fx_rate {
    const char *id;
    enum cm_fx_set set;
    const char *from, *to;
    cm_period period;
    cm_decimal rate;
} cm_fx_rate;

/* What a customer owes besides its usage, by the month. */
typedef struct cm_custom_charge {
    const char *id, *name;
    const cm_customer *customer;
    const char *lane;    /* on whose documents it stands */
    cm_instant from, to; /* starts of months, half-open: due in the months whose start lies between */
    bool is_percent;
    cm_decimal amount;    /* fixed */
    const char *currency; /* fixed: on documents of charges in it; percent: "" */
    cm_decimal percent;   /* of the base, for each currency of charges */
    enum cm_layer base_layer;
    bool base_class[CM_CLASS_COUNT];
} cm_custom_charge;

/* A balance that the reseller grants: used up by documents, never below zero. */
typedef struct cm_credit {
    const char *id, *name;
    const cm_customer *customer;
    const char *lane, *currency; /* of the charges that it pays */
    cm_decimal amount;
    cm_instant from, expires; /* starts of months, half-open */
} cm_credit;

/* How a distributor's (or AWS's) invoice is written: a CSV file for `reconcile` (R11). */
enum cm_invoice_level {
    CM_INVOICE_BY_PRODUCT, /* a row for each account and product */
    CM_INVOICE_BY_ACCOUNT, /* a row for each account */
    CM_INVOICE_BY_ID,      /* AWS's own: a row for each InvoiceId */
};
enum cm_invoice_column {
    CM_INVOICE_ACCOUNT,
    CM_INVOICE_PRODUCT,
    CM_INVOICE_AMOUNT,
    CM_INVOICE_CURRENCY,
    CM_INVOICE_ID,
    CM_INVOICE_COLUMNS
};
typedef struct cm_text_pair {
    const char *key, *value;
} cm_text_pair;
typedef struct cm_invoice_format {
    const char *id;
    enum cm_invoice_level level;
    char delimiter, decimal;                /* default ',' and '.' */
    const char *column[CM_INVOICE_COLUMNS]; /* header names; NULL: the file has no such column */
    const char *currency;                   /* of all amounts where no column says so; "" otherwise */
    bool with_tax;                          /* amounts hold AWS's taxes; default false */
    const cm_text_pair *products;           /* the invoice's names -> product codes, sorted by key */
    size_t product_count;
    const cm_text_pair *take, *leave; /* (column, value): only rows with one of `take`, none with one of `leave` */
    size_t take_count, leave_count;
} cm_invoice_format;

typedef struct cm_catalog {
    char id[CM_ID_HEX]; /* digest of the canonical content */
    const cm_reseller *resellers;
    size_t reseller_count;
    const cm_payer *payers;
    size_t payer_count; /* sorted by id, as everything below */
    const cm_customer *customers;
    size_t customer_count;
    const cm_distributor *distributors;
    size_t distributor_count;
    const cm_price_book *books;
    size_t book_count;
    const cm_support_group *groups;
    size_t group_count;
    const cm_support_plan *plans;
    size_t plan_count;
    const cm_link *links;
    size_t link_count; /* sorted by payer, account, from */
    const cm_link_problem *link_problems;
    size_t link_problem_count; /* of links that org-linker gave (link_set.h) */
    const cm_fx_rate *fx_rates;
    size_t fx_rate_count;
    const cm_custom_charge *custom_charges;
    size_t custom_charge_count;
    const cm_credit *credits;
    size_t credit_count;
    const cm_invoice_format *invoice_formats;
    size_t invoice_format_count;
    const struct cm_line_type {
        const char *name;
        enum cm_class class;
    } * line_types;
    size_t line_type_count;
    const char *const *support_products; /* product codes */
    size_t support_product_count;
    void *private_;
} cm_catalog;

void cm_catalog_free(cm_catalog *catalog);
/* The class of a line item type by its name: AWS's own, or taught by a LineItemType. False: unknown. */
bool cm_class_of_type(const cm_catalog *catalog, cm_slice line_item_type, enum cm_class *ret);
/* Lookups: NULL if there is none. */
/* The rule with tiers and that id in the latest version in force in the month; versions in force in one month agree
 * (check_book.c). `book` may be NULL. */
const cm_rule *cm_price_book_tiers(const cm_price_book *book, const char *rule, cm_period period);
/* Does a report of the month come for this payer? */
bool cm_payer_reports(const cm_payer *payer, cm_period period);
const cm_payer *cm_catalog_payer(const cm_catalog *catalog, const char *id);
const cm_customer *cm_catalog_customer(const cm_catalog *catalog, const char *id);
/* What is agreed for a month: rates, documents and gates of the month go by it, whenever they are made. */
const cm_customer_terms *cm_customer_terms_in(const cm_customer *customer, cm_period period);
/* The link's support plan group in a month: its own, otherwise that of the customer's terms; NULL: none. */
const cm_support_group *cm_link_group(const cm_link *link, cm_period period);
/* The distributor of a lane. */
const cm_distributor *cm_catalog_distributor(const cm_catalog *catalog, const char *lane);
/* NULL also without a distributor, and for country "". */
const cm_tax_profile *cm_distributor_tax_profile(const cm_distributor *distributor, const char *country);
bool cm_distributor_has_territory(const cm_distributor *distributor, const char *country, cm_instant at); /* P17 */
const cm_invoice_format *cm_catalog_invoice_format(const cm_catalog *catalog, const char *id);
/* The links of (payer, account): first and count. */
const cm_link *cm_catalog_links(const cm_catalog *catalog, const char *payer, cm_slice account, size_t *ret_count);
const cm_fx_rate *cm_catalog_fx(const cm_catalog *catalog, enum cm_fx_set set, const char *from, const char *to,
                                cm_period period);
/* The plan of that name in force at an instant. */
const cm_support_plan *cm_catalog_plan(const cm_catalog *catalog, const char *name, cm_instant at);
const cm_group_terms *cm_group_terms_in(const cm_support_group *group, cm_period period);
/*
 * The plan that a group's fee is computed with in a month, for charges in a currency. False: there is none, so there is
 * no fee (SUPPORT_PLAN_ENDED); *ret_why (may be NULL) gets a sentence. *ret NULL: the group needs no plan.
 */
bool cm_group_plan(const cm_catalog *catalog, const cm_support_group *group, cm_period period, const char *currency,
                   const cm_support_plan **ret, cm_buffer *ret_why);

#endif
