/*
 * The line items of a month. Line `index` of version `version` is a pure function of (world, index, version): nothing
 * is remembered between lines, so memory does not grow and any part can be written alone.
 *
 * Order: a head of monthly lines (fees, support, tax, discounts, every rare type once), blocks of 100 lines in time
 * order (usage, covered usage and its negation, ...), and in the last version of several a tail of lines that AWS adds
 * after the close.
 */
#ifndef GENERATE_LINES_H
#define GENERATE_LINES_H

#include "world.h"

enum type {
    TYPE_USAGE,
    TYPE_DISCOUNTED_USAGE,
    TYPE_RI_FEE,
    TYPE_FEE,
    TYPE_SP_COVERED,
    TYPE_SP_NEGATION,
    TYPE_SP_RECURRING,
    TYPE_SP_UPFRONT,
    TYPE_TAX,
    TYPE_CREDIT,
    TYPE_REFUND,
    TYPE_BUNDLED,
    TYPE_DISCOUNT,
    TYPE_EDP,
    TYPE_PRIVATE_RATE,
    TYPE_RI_VOLUME,
    TYPE_SPP,
    TYPE_DISTRIBUTOR,
    TYPE_FLAT_RATE,
    TYPE_UNKNOWN,
    TYPE_COUNT
};

enum bill { BILL_ANNIVERSARY, BILL_PURCHASE, BILL_REFUND };

struct line {
    uint64_t index;
    enum type type;
    unsigned account;  /* account_count: the payer itself */
    unsigned currency; /* 0 USD, 1 CNY */
    const struct offer *offer;
    struct slice description; /* p NULL: the offer's */
    unsigned resource;        /* number of the resource among the account's for this offer; UINT32_MAX: none */
    int64_t start, end, interval_start, interval_end; /* seconds since 1970 */
    dec10 quantity, rate, cost, list_cost;
    bool has_rate, has_list, list_zero; /* list_zero: publicOnDemandCost is written as 0.0, else it is left empty */
    bool marketplace, late;
    enum bill bill;
    int plan, reservation; /* -1: none */
    dec10 effective;       /* RI or Savings Plan effective cost */
    dec10 commitment;      /* recurring fee of the line, hourly or monthly */
    dec10 upfront;
};

enum { HEAD_LINES = 64, BLOCK = 100 };

struct month {
    const struct world *world;
    uint64_t rows; /* of the last version */
    uint64_t late; /* of these, added after the close */
    uint64_t block_lines;
    struct slice head_text[HEAD_LINES]; /* ready cells */
};

void month_plan(struct month *m, const struct world *w);

/* Rows of a version, 1 to options->versions. */
uint64_t month_rows(const struct month *m, unsigned version);

/* Makes line `index` (from 0) as version `version` tells it. */
void month_line(const struct month *m, uint64_t index, unsigned version, struct line *ret_line);

/* The name in lineItem/LineItemType. */
const char *type_name(enum type type, const struct options *o);

#endif
