#include "world.h"

#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void civil_of(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = (int)(yoe + era * 400 + (*ret_month <= 2));
}

void uuid_of(uint64_t seed, char out[37])
{
    uint64_t a = mix64(seed), b = mix64(a);
    snprintf(out, 37, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64, a >> 32, a & 0xffff,
             (a >> 16) & 0xfff, 0x8000 | (b & 0x3fff), b >> 16);
}

static const char *const customer_names[] = {
    "Alpine Foods GmbH",    "Birch Logistics, Inc.", "Cedar Analytics KK", "Dune Energy W.L.L.",
    "Elm Street Media Ltd", "Fjord Robotics AS",     "Grove Health SA",    "Harbour \"H2\" Games BV",
};
enum { NAME_COUNT = sizeof customer_names / sizeof customer_names[0] };
static const char *const customer_ids[NAME_COUNT] = {"alpine", "birch", "cedar", "dune",
                                                     "elm",    "fjord", "grove", "harbour"};
static const char *const account_uses[] = {"prod", "staging", "dev", "data", "shared-services", "sandbox"};

static void name_account(struct account *a, const char *id)
{
    snprintf(a->id, sizeof a->id, "%s", id);
    a->id_text = slice_of(a->id);
    a->name_text = csv_cell(a->name);
}

static bool id_taken(const struct world *w, unsigned count, const char *id)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(w->account[i].id, id) == 0)
            return true;
    return strcmp(id, w->options->payer) == 0;
}

/* Twelve digits; every third with three or four leading zeros (N16). Shared accounts do not depend on the payer. */
static void pick_id(const struct world *w, unsigned i, char out[13])
{
    bool shared = i < w->options->shared_accounts;
    uint64_t base = shared ? mix2(w->options->seed, 0x5a4ed) : w->seed;
    for (uint64_t attempt = 0;; attempt++) {
        uint64_t number = mix2(base, i * 64 + attempt) % 900000000000ULL + 100000000000ULL;
        if (i % 3 == 0)
            number %= i % 2 == 0 ? 1000000000ULL : 100000000ULL;
        snprintf(out, 13, "%012" PRIu64, number);
        if (!id_taken(w, i, out))
            return;
    }
}

static void build_accounts(struct world *w)
{
    const struct options *o = w->options;
    for (unsigned i = 0; i < w->account_count; i++) {
        struct account *a = &w->account[i];
        char id[13];
        pick_id(w, i, id);
        a->customer = (int)(i % w->customer_count);
        a->moves_to = STAYS;
        a->region = i % (REGION_COUNT - 1);
        a->name = text_format("%s-%s", w->customer[a->customer].id, account_uses[i / w->customer_count % 6]);
        name_account(a, id);
    }
    unsigned last = w->account_count; /* the switches take accounts from the end, the move takes the second */
    if (!o->no_move && w->customer_count > 1)
        w->account[1].moves_to = w->customer_count > 2 ? 2 : 0;
    if (o->cny) {
        w->account[--last].cny = true;
        w->account[last].customer = CUSTOMER_CNY;
        w->account[last].region = REGION_COUNT - 1;
    }
    if (o->unlinked)
        w->account[--last].customer = CUSTOMER_NONE;
    if (o->late_link)
        w->account[--last].late = true;
    struct account *payer = &w->account[w->account_count];
    payer->customer = CUSTOMER_NONE;
    payer->moves_to = STAYS;
    payer->name = "payer";
    name_account(payer, o->payer);
}

static void build_commitments(struct world *w)
{
    for (unsigned i = 0; i < PLAN_COUNT; i++) {
        char uuid[37];
        uuid_of(mix2(w->seed, 0x5900 + i), uuid);
        w->plan[i].owner = (i * 2) % w->account_count;
        w->plan[i].arn = text_format("arn:aws:savingsplans::%s:savingsplan/%s", w->account[w->plan[i].owner].id, uuid);
        w->plan[i].hourly = (dec10)(i + 1) * 12500000000LL; /* 1.25 an hour and more */
    }
    for (unsigned i = 0; i < RESERVATION_COUNT; i++) {
        char uuid[37];
        uuid_of(mix2(w->seed, 0x4100 + i), uuid);
        struct reservation *r = &w->reservation[i];
        r->owner = (i + 1) % w->account_count;
        r->template = i == 2 ? 16 : i % 2; /* RDS, else EC2 */
        r->arn = text_format("arn:aws:%s:%s:%s:%s%s", i == 2 ? "rds" : "ec2", "us-east-1", w->account[r->owner].id,
                             i == 2 ? "ri:ri-" : "reserved-instances/", uuid);
        r->hourly = i == 3 ? 0 : (dec10)(i + 1) * 612000000LL; /* the last one is all upfront */
        r->upfront = i == 0 ? 0 : (dec10)(i + 1) * 3650000000000LL;
    }
}

void world_build(struct world *w, const struct options *o)
{
    w->options = o;
    w->seed = mix2(o->seed, strtoull(o->payer, NULL, 10) + 1);
    w->start = days_of(o->year, o->month, 1) * 86400;
    w->end = days_of(o->month == 12 ? o->year + 1 : o->year, o->month == 12 ? 1 : o->month + 1, 1) * 86400;
    w->middle = w->start + 15 * 86400;
    w->account_count = o->accounts;
    w->customer_count = o->customers;
    for (unsigned i = 0; i < w->customer_count; i++) {
        unsigned round = i / NAME_COUNT;
        const char *more = round > 0 ? text_format("-%u", round + 1) : "";
        w->customer[i].id = text_format("%s%s-%s", customer_ids[i % NAME_COUNT], more, o->suffix);
        w->customer[i].name = text_format("%s%s", customer_names[i % NAME_COUNT], more);
    }
    build_accounts(w);
    build_commitments(w);
    offers_build(w->offer, w->special);
}
