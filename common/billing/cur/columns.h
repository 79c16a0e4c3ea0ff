/*
 * Which columns of a report are read, under their names in the legacy report and in CUR 2.0, and their positions in one
 * file. Internal to common/billing/cur.
 */
#ifndef CM_CUR_COLUMNS_H
#define CM_CUR_COLUMNS_H

#include "base/base/slice.h"
#include "billing/cur/reader.h"

/* The first ten are in the order of cm_kind's texts. */
enum cm_column {
    CM_COLUMN_USAGE_ACCOUNT,
    CM_COLUMN_LINE_ITEM_TYPE,
    CM_COLUMN_PRODUCT_CODE,
    CM_COLUMN_USAGE_TYPE,
    CM_COLUMN_OPERATION,
    CM_COLUMN_REGION,
    CM_COLUMN_UNIT,
    CM_COLUMN_SKU,
    CM_COLUMN_BILLING_ENTITY,
    CM_COLUMN_CURRENCY,
    CM_COLUMN_OLD_REGION, /* read where `region` is empty */
    CM_COLUMN_PAYER,
    CM_COLUMN_PERIOD_START,
    CM_COLUMN_START,
    CM_COLUMN_QUANTITY,
    CM_COLUMN_COST,
    CM_COLUMN_LIST_COST,
    CM_COLUMN_RESERVATION,
    CM_COLUMN_SAVINGS_PLAN,
    CM_COLUMN_INVOICE,
    CM_COLUMN_DISCOUNT,       /* a map, of CUR 2.0 only */
    CM_COLUMN_TOTAL_DISCOUNT, /* the same */
    CM_COLUMN_NET_COST,
    CM_COLUMNS,
};

typedef struct cm_columns {
    cm_slice *name; /* [count], unquoted; owned, together with their bytes */
    uint32_t count;
    char *text;
    bool cur2;                  /* the names have no slash */
    uint32_t index[CM_COLUMNS]; /* `count` where the file lacks the column */
} cm_columns;                   /* {0} means a file without a header */

/* `fields` are the header's fields, unquoted. Copies them. POISON: EMPTY_HEADER, COLUMN_MISSING, COLUMN_TWICE. */
CM_NODISCARD bool cm_columns_map(cm_columns *columns, const cm_slice *fields, uint32_t count, cm_place *ret_place,
                                 cm_error *err);
void cm_columns_free(cm_columns *columns);

/* The column's name in this file; if the file lacks it, the name that it would have in such a report. */
cm_slice cm_columns_name(const cm_columns *columns, enum cm_column column);

bool cm_columns_lack(const cm_columns *columns, enum cm_lack lack);
cm_slice cm_columns_lacking_name(const cm_columns *columns, enum cm_lack lack);

#endif
