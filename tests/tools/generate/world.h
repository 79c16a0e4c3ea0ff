/*
 * The invented business that the report is about: accounts, customers, Savings Plans, reservations. A pure function of
 * the options, shared by the report and the catalog that matches it.
 */
#ifndef GENERATE_WORLD_H
#define GENERATE_WORLD_H

#include "offers.h"
#include "options.h"
#include "text.h"

enum { MAX_ACCOUNTS = 4096, MAX_CUSTOMERS = 512, PLAN_COUNT = 3, RESERVATION_COUNT = 4, CURRENCY_COUNT = 2 };
enum { CUSTOMER_NONE = -1, CUSTOMER_CNY = -2, STAYS = -3 };

struct account {
    char id[13];
    const char *name;
    struct slice id_text, name_text;
    int customer; /* index; -1: none is linked; CUSTOMER_CNY */
    int moves_to; /* customer from the 16th on, or STAYS */
    bool late;    /* linked from the 16th only, nobody before */
    bool cny;     /* billed in CNY, lives in the China region */
    unsigned region;
};

struct customer {
    const char *id, *name;
};

struct plan {
    const char *arn;
    unsigned owner; /* account */
    dec10 hourly;
};

struct reservation {
    const char *arn;
    unsigned owner;
    unsigned template; /* usage it covers */
    dec10 hourly, upfront;
};

struct world {
    const struct options *options;
    uint64_t seed;              /* of this payer */
    int64_t start, end, middle; /* the period, and its 16th, in seconds since 1970 */
    unsigned account_count, customer_count;
    struct account account[MAX_ACCOUNTS + 1]; /* [account_count]: the payer itself */
    struct customer customer[MAX_CUSTOMERS];
    struct plan plan[PLAN_COUNT];
    struct reservation reservation[RESERVATION_COUNT];
    struct offer offer[OFFER_COUNT];
    struct offer special[SPECIAL_COUNT];
};

void world_build(struct world *w, const struct options *o);

/* Days since 1970-01-01 of a civil date, and back (proleptic Gregorian). */
int64_t days_of(int year, int month, int day);
void civil_of(int64_t days, int *ret_year, int *ret_month, int *ret_day);

/* A version 4 uuid made of `seed`; `out` holds 37 bytes. */
void uuid_of(uint64_t seed, char out[37]);

#endif
