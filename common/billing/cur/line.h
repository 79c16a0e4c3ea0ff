/*
 * One line item of a Cost and Usage Report, reduced to what rating, statements and explanations use
 * (facts: CUR user guide, line item columns; CUR 2.0 table dictionary). Slices point into the reader's buffer.
 */
#ifndef CM_CUR_LINE_H
#define CM_CUR_LINE_H

#include "base/base/slice.h"
#include "base/decimal/decimal.h"
#include "base/time/time.h"

#include <stdint.h>

/* The texts that decide how a line is priced: a *kind* (see proto/line_batch.proto). */
typedef struct cm_kind {
    cm_slice usage_account;  /* lineItem/UsageAccountId */
    cm_slice line_item_type; /* lineItem/LineItemType */
    cm_slice product_code;   /* lineItem/ProductCode */
    cm_slice usage_type;     /* lineItem/UsageType */
    cm_slice operation;      /* lineItem/Operation */
    cm_slice region;         /* product/regionCode, else product/region; product_region_code */
    cm_slice unit;           /* pricing/unit */
    cm_slice sku;            /* product/sku */
    cm_slice billing_entity; /* bill/BillingEntity */
    cm_slice currency;       /* lineItem/CurrencyCode */
    uint32_t flags;
} cm_kind;

enum {
    CM_KIND_RESERVATION = 1u << 0,  /* reservation/ReservationARN is filled */
    CM_KIND_FINAL = 1u << 1,        /* bill/InvoiceId is filled */
    CM_KIND_SAVINGS_PLAN = 1u << 2, /* savingsPlan/SavingsPlanARN is filled */
    CM_KIND_DERIVED = 1u << 3,      /* no row: a discount that stands in columns of one (rating.md section 2a) */
};

/* Where a report has its discounts (rating.md section 2a). */
enum cm_discount_columns {
    CM_DISCOUNTS_AS_LINES,   /* in lines of their own only */
    CM_DISCOUNTS_IN_COLUMNS, /* CUR 2.0: in columns; derived lines follow each line */
    CM_DISCOUNTS_REPEATED,   /* legacy: in lines of their own, and the net column repeats them */
};

enum { CM_KIND_TEXTS = 10, CM_KIND_TEXT_MAX = 4096 /* bytes of one; longer ones are refused as TOO_LONG */ };

/* What a report says that has no such column: nothing, which is not the same as an empty value. */
enum cm_lack {
    CM_LACK_QUANTITY,
    CM_LACK_LIST_COST,
    CM_LACK_OPERATION,
    CM_LACK_REGION,
    CM_LACK_UNIT,
    CM_LACK_SKU,
    CM_LACK_BILLING_ENTITY,
    CM_LACK_RESERVATION,
    CM_LACK_INVOICE,
    CM_LACKS
};

/* The ten texts as an array, in the order above. */
static inline const cm_slice *cm_kind_texts(const cm_kind *kind)
{
    return (const cm_slice *)(const void *)kind;
}

/*
 * Numbers that the reader has given to kinds and texts it has seen, so that later steps need not compare texts again.
 * They are comparable among lines with the same `source`. Equal numbers mean equal texts; two kind numbers may mean the
 * same kind.
 */
typedef struct cm_line_memo {
    uint64_t source;      /* 0: nothing is known */
    uint32_t kind;        /* < CM_MEMO_KINDS */
    const uint32_t *text; /* [CM_KIND_TEXTS], each < CM_MEMO_TEXTS; valid as long as the line */
} cm_line_memo;

enum { CM_MEMO_KINDS = 16384, CM_MEMO_TEXTS = 32768 };

/* A row of the report, or a discount that stands in columns of the row before it (CM_KIND_DERIVED): with that row's
 * number, texts and time, quantity and list cost 0. */
typedef struct cm_line {
    uint64_t row; /* data row, from 1; the header is row 0 */
    cm_kind kind;
    cm_line_memo memo;
    cm_instant start;     /* lineItem/UsageStartDate */
    cm_decimal quantity;  /* lineItem/UsageAmount, 0 where empty */
    cm_decimal cost;      /* lineItem/UnblendedCost */
    cm_decimal list_cost; /* pricing/publicOnDemandCost, 0 where empty */
    uint64_t checksum;    /* XXH3-64 of the row's bytes without its line end; 0 of a derived line */
    uint32_t rounded;     /* numbers of this row that had more than 18 decimals */
    /* The rest is meaningful only where `discounts` is not CM_DISCOUNTS_AS_LINES. */
    enum cm_discount_columns discounts; /* of the file */
    bool has_net;                       /* lineItem/NetUnblendedCost is filled: `net` */
    bool unexplained;                   /* of a derived line: it is what the map `discount` does not add up to */
    cm_decimal net;
} cm_line;

static inline bool cm_line_is_derived(const cm_line *line)
{
    return (line->kind.flags & CM_KIND_DERIVED) != 0;
}

#endif
