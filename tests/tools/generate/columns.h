/* Which columns a chunk has, in which order, and what of a line stands in each. */
#ifndef GENERATE_COLUMNS_H
#define GENERATE_COLUMNS_H

#include "options.h"
#include "text.h"

/* What a column can hold; several columns may show one field, FIELD_NONE is always empty. */
enum field {
    FIELD_NONE,
    FIELD_LINE_ITEM_ID,
    FIELD_TIME_INTERVAL,
    FIELD_INVOICE_ID,
    FIELD_INVOICING_ENTITY,
    FIELD_BILLING_ENTITY,
    FIELD_BILL_TYPE,
    FIELD_PAYER,
    FIELD_PERIOD_START,
    FIELD_PERIOD_END,
    FIELD_ACCOUNT,
    FIELD_TYPE,
    FIELD_START,
    FIELD_END,
    FIELD_PRODUCT_CODE,
    FIELD_USAGE_TYPE,
    FIELD_OPERATION,
    FIELD_AZ,
    FIELD_RESOURCE,
    FIELD_QUANTITY,
    FIELD_NORMALIZATION_FACTOR,
    FIELD_NORMALIZED_AMOUNT,
    FIELD_CURRENCY,
    FIELD_RATE,
    FIELD_COST,
    FIELD_BLENDED_COST,
    FIELD_DESCRIPTION,
    FIELD_TAX_TYPE,
    FIELD_LEGAL_ENTITY,
    FIELD_PRODUCT_NAME,
    FIELD_AVAILABILITY,
    FIELD_CAPACITY,
    FIELD_CURRENT_GENERATION,
    FIELD_DURABILITY,
    FIELD_FROM_LOCATION,
    FIELD_FROM_LOCATION_TYPE,
    FIELD_FROM_REGION,
    FIELD_GROUP,
    FIELD_INSTANCE_FAMILY,
    FIELD_INSTANCE_TYPE,
    FIELD_LICENSE,
    FIELD_LOCATION,
    FIELD_LOCATION_TYPE,
    FIELD_MEMORY,
    FIELD_NETWORK,
    FIELD_OPERATING_SYSTEM,
    FIELD_PRODUCT_OPERATION,
    FIELD_PROCESSOR,
    FIELD_PREINSTALLED,
    FIELD_ARCHITECTURE,
    FIELD_FAMILY,
    FIELD_REGION,
    FIELD_SERVICE_CODE,
    FIELD_SKU,
    FIELD_STORAGE_CLASS,
    FIELD_TENANCY,
    FIELD_TO_LOCATION,
    FIELD_TO_LOCATION_TYPE,
    FIELD_TO_REGION,
    FIELD_TRANSFER_TYPE,
    FIELD_PRODUCT_USAGE_TYPE,
    FIELD_VCPU,
    FIELD_VOLUME_TYPE,
    FIELD_LEASE,
    FIELD_OFFERING_CLASS,
    FIELD_PURCHASE_OPTION,
    FIELD_RATE_CODE,
    FIELD_RATE_ID,
    FIELD_PRICING_CURRENCY,
    FIELD_LIST_COST,
    FIELD_LIST_RATE,
    FIELD_TERM,
    FIELD_UNIT,
    FIELD_RI_AMORTIZED_USAGE,
    FIELD_RI_AMORTIZED_PERIOD,
    FIELD_RI_EFFECTIVE,
    FIELD_RI_END,
    FIELD_RI_STATUS,
    FIELD_RI_NUMBER,
    FIELD_RI_RECURRING,
    FIELD_RI_ARN,
    FIELD_RI_START,
    FIELD_RI_SUBSCRIPTION,
    FIELD_RI_TOTAL_UNITS,
    FIELD_RI_UNITS,
    FIELD_RI_UNUSED_AMORTIZED,
    FIELD_RI_UNUSED_QUANTITY,
    FIELD_RI_UNUSED_RECURRING,
    FIELD_RI_UPFRONT,
    FIELD_SP_TOTAL,
    FIELD_SP_ARN,
    FIELD_SP_RATE,
    FIELD_SP_USED,
    FIELD_SP_EFFECTIVE,
    FIELD_SP_AMORTIZED,
    FIELD_SP_RECURRING,
    FIELD_SP_START,
    FIELD_SP_END,
    FIELD_SP_OFFERING,
    FIELD_SP_PAYMENT,
    FIELD_SP_TERM,
    FIELD_SP_REGION,
    FIELD_TAG_CREATED_BY,
    FIELD_TAG_COST_CENTER,
    FIELD_TAG_ENVIRONMENT,
    FIELD_TAG_TEAM,
    FIELD_COST_CATEGORY,
    FIELD_PAYER_NAME,
    FIELD_COST_CATEGORY_MAP,
    FIELD_ACCOUNT_NAME,
    FIELD_PRODUCT_MAP,
    FIELD_TAG_MAP,
    FIELD_TAG_MAP_FULL,
    FIELD_TEAM_NOTE,
    FIELD_COUNT
};

struct column {
    const char *name; /* "lineItem/UsageType" or "line_item_usage_type" */
    const char *type; /* as the manifest says it */
    enum field field;
    const char *empty; /* written where the line has nothing: "", "0.0", "{}" or a quoted empty text */
    unsigned grow;     /* the column appears from the version after this one on; 0: from the first */
};

extern const struct column legacy_columns[], cur2_columns[];
extern const size_t legacy_column_count, cur2_column_count;

enum { MAX_COLUMNS = 160 };

/* The columns of one chunk in file order. */
struct column_list {
    const struct column *column[MAX_COLUMNS];
    size_t count;
};

/* Columns of a version in AWS's order, without what odd.missing_column names, with what odd.extra_columns adds. */
void columns_of_version(const struct options *o, unsigned version, struct column_list *ret_list);

/* The same columns in the order of chunk `chunk` (from 0): with options->shuffle every chunk but the first has its own.
 */
void columns_of_chunk(const struct options *o, const struct column_list *version, unsigned chunk,
                      struct column_list *ret_list);

/* Index of a column by its exact name, or -1. */
int columns_find(const struct column_list *list, const char *name);

#endif
