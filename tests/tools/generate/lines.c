#include "lines.h"

#include "random.h"

#include <assert.h>

enum { HOUR = 3600, DAY = 86400 };

static const char *const names[TYPE_COUNT] = {
    "Usage",
    "DiscountedUsage",
    "RIFee",
    "Fee",
    "SavingsPlanCoveredUsage",
    "SavingsPlanNegation",
    "SavingsPlanRecurringFee",
    "SavingsPlanUpfrontFee",
    "Tax",
    "Credit",
    "Refund",
    "BundledDiscount",
    "Discount",
    "EdpDiscount",
    "PrivateRateDiscount",
    "RiVolumeDiscount",
    "SppDiscount",
    "DistributorDiscount",
    "FlatRateSubscription",
    "",
};

const char *type_name(enum type type, const struct options *o)
{
    return type == TYPE_UNKNOWN ? o->unknown_type : names[type];
}

/* How much of the month a version has seen: num/den. */
static void progress(const struct month *m, unsigned version, int64_t *ret_num, int64_t *ret_den)
{
    unsigned versions = m->world->options->versions;
    *ret_den = versions <= 2 ? versions : versions - 1;
    *ret_num = (int64_t)version < *ret_den ? (int64_t)version : *ret_den;
}

uint64_t month_rows(const struct month *m, unsigned version)
{
    if (version >= m->world->options->versions || m->rows <= HEAD_LINES)
        return m->rows;
    int64_t num, den;
    progress(m, version, &num, &den);
    uint64_t lines = m->block_lines * (uint64_t)num / (uint64_t)den;
    return HEAD_LINES + (num == den ? lines : lines / BLOCK * BLOCK);
}

static void whole_month(const struct world *w, struct line *l)
{
    l->start = w->start;
    l->end = w->end;
    l->interval_start = w->start;
    l->interval_end = w->start + DAY;
}

/* Time order over the month for usage; hourly or daily by the options. */
static void set_time(const struct month *m, uint64_t index, struct rng *r, struct line *l)
{
    const struct world *w = m->world;
    uint64_t hours = (uint64_t)(w->end - w->start) / HOUR;
    uint64_t done = index >= HEAD_LINES ? index - HEAD_LINES : index;
    uint64_t hour = m->block_lines > 0 ? done * hours / m->block_lines : done % hours;
    if (hour >= hours)
        hour = hours - 1;
    uint64_t draw = rng_below(r, 32);
    l->start = w->start + (int64_t)hour * HOUR;
    if (w->options->daily) {
        l->interval_start = w->start + (int64_t)(hour / 24) * DAY;
        l->interval_end = l->interval_start + DAY;
        l->start = draw < 24 ? l->interval_start + (int64_t)draw * HOUR : l->interval_start;
        l->end = draw < 24 ? l->start + HOUR : l->interval_end;
    } else {
        l->end = l->start + HOUR;
        l->interval_start = l->start;
        l->interval_end = l->end;
    }
}

static uint64_t power10(uint64_t exponent)
{
    uint64_t p = 1;
    while (exponent-- > 0)
        p *= 10;
    return p;
}

static dec10 draw_quantity(enum quantity kind, int64_t span, struct rng *r)
{
    uint64_t size = rng_next(r);
    int64_t hours = span / HOUR;
    switch (kind) {
    case QUANTITY_HOURS:
        return size % 10 < 6 ? hours * DEC10_ONE
                             : dec10_scale(DEC10_ONE, (int64_t)(1 + rng_below(r, HOUR)) * hours, HOUR);
    case QUANTITY_GB_MONTH:
        return dec10_scale((dec10)(1 + rng_below(r, 2000)) * DEC10_ONE, hours, 720);
    case QUANTITY_GB:
        return (dec10)(1 + rng_below(r, power10(5 + size % 8)));
    case QUANTITY_REQUESTS:
        return (dec10)(1 + rng_below(r, power10(1 + size % 5))) * DEC10_ONE;
    case QUANTITY_MANY:
        return (dec10)(1 + rng_below(r, power10(3 + size % 6))) * DEC10_ONE;
    case QUANTITY_TINY:
    default:
        return (dec10)(1 + rng_below(r, power10(1 + size % 9)));
    }
}

/* Later versions correct about one line in forty, by up to two percent. */
static dec10 restate(const struct world *w, uint64_t index, unsigned version, dec10 amount)
{
    for (unsigned v = 2; v <= version; v++) {
        uint64_t h = mix2(w->seed + v, index);
        if (h % 40 == 0)
            amount = dec10_clamp(amount + dec10_scale(amount, (int64_t)(h / 40 % 41) - 20, 1000));
    }
    return amount;
}

static void choose_account(const struct world *w, struct rng *r, struct line *l)
{
    uint64_t a = rng_below(r, w->account_count), b = rng_below(r, w->account_count);
    l->account = (unsigned)(a < b ? a : b);
    l->currency = w->account[l->account].cny;
}

static const struct offer *offer_at(const struct world *w, unsigned account, unsigned template, struct rng *r)
{
    const struct account *a = &w->account[account];
    unsigned region = a->region;
    if (!a->cny && rng_below(r, 4) == 0)
        region = (unsigned)rng_below(r, REGION_COUNT - 1);
    return &w->offer[region * TEMPLATE_COUNT + template];
}

static void price_usage(const struct world *w, uint64_t index, unsigned version, struct rng *r, struct line *l)
{
    const struct offer *o = l->offer;
    l->quantity = draw_quantity(o->quantity, l->end - l->start, r);
    if (o->quantity != QUANTITY_HOURS)
        l->quantity = restate(w, index, version, l->quantity);
    l->rate = o->rate;
    if (index % 19 == 3) /* a privately priced product: below list */
        l->rate = dec10_scale(l->rate, 9, 10);
    if (index % 23 == 5 && o->quantity >= QUANTITY_REQUESTS) {
        l->rate = 0;
        l->description = o->free_description;
    }
    l->has_rate = true;
    l->cost = dec10_mul(l->quantity, l->rate);
    l->has_list = true;
    l->list_cost = dec10_mul(l->quantity, o->list_rate);
    if (index % 10 == 0 && l->cost > 1000) /* AWS rounds hours and adds: cost is not exactly rate x amount */
        l->cost = dec10_clamp(l->cost + (int64_t)rng_below(r, 3) - 1);
    if (index % 14 == 0 && l->list_cost > 1000)
        l->list_cost = dec10_clamp(l->list_cost + (int64_t)rng_below(r, 3) - 1);
}

static void usage_line(const struct month *m, uint64_t index, unsigned version, int template, struct line *l)
{
    const struct world *w = m->world;
    /* Reports hold runs of one account's usage of one product; that is also what makes them compress as they do. */
    uint64_t length = m->rows < 10000 ? 3 : 20;
    struct rng r = rng_for(w->seed, index), run = rng_for(w->seed ^ 0x4a17, index / length);
    l->type = TYPE_USAGE;
    choose_account(w, &run, l);
    unsigned choice = (unsigned)rng_below(&run, TEMPLATE_COUNT);
    l->offer = offer_at(w, l->account, template >= 0 ? (unsigned)template : choice, &run);
    l->resource = (unsigned)rng_below(&r, 1 + rng_below(&r, 24));
    set_time(m, index, &r, l);
    price_usage(w, index, version, &r, l);
    if (w->options->odd.stray_currency && index % 101 == 7)
        l->currency = !l->currency;
}

/* Usage under Savings Plan; `leader` is the first of the lines that one negation offsets and gives account and time. */
static void covered_line(const struct month *m, uint64_t index, uint64_t leader, unsigned version, struct line *l)
{
    const struct world *w = m->world;
    usage_line(m, leader, version, 0, l);
    if (index != leader) {
        struct rng r = rng_for(w->seed, index);
        l->offer = offer_at(w, l->account, 1, &r);
        price_usage(w, index, version, &r, l);
        l->resource++;
    }
    l->type = TYPE_SP_COVERED;
    l->plan = (int)(leader % PLAN_COUNT);
    l->effective = dec10_scale(l->cost, 72, 100);
}

static void negation_line(const struct month *m, uint64_t index, unsigned covered, unsigned version, struct line *l)
{
    uint64_t leader = index - covered;
    dec10 cost = 0, quantity = 0;
    for (unsigned i = 0; i < covered; i++) {
        covered_line(m, leader + i, leader, version, l);
        cost += l->cost;
        quantity += l->quantity;
    }
    l->type = TYPE_SP_NEGATION;
    l->cost = -cost;
    l->quantity = quantity;
    l->has_list = false;
    l->list_zero = true;
    l->effective = 0;
    l->resource = UINT32_MAX;
    l->description = slice_of("SavingsPlanNegation used by AccountId and UsageSku");
}

static void discounted_line(const struct month *m, uint64_t index, unsigned version, struct line *l)
{
    const struct world *w = m->world;
    unsigned reservation = (unsigned)(mix2(w->seed, index) % RESERVATION_COUNT);
    usage_line(m, index, version, (int)w->reservation[reservation].template, l);
    l->type = TYPE_DISCOUNTED_USAGE;
    l->reservation = (int)reservation;
    l->effective = dec10_scale(l->list_cost, 61, 100);
    l->cost = l->rate = 0;
    unsigned every = w->options->no_list_every;
    if (every > 0 && index % every == 0) {
        l->has_list = false;
        l->list_zero = index / every % 2 == 0;
    }
}

/* A line without usage of its own: a fee, a tax, a credit ... */
static void plain_line(const struct world *w, enum type type, unsigned account, const struct offer *offer, dec10 cost,
                       struct line *l)
{
    l->type = type;
    l->account = account;
    l->currency = w->account[account].cny;
    l->offer = offer;
    l->quantity = DEC10_ONE;
    l->cost = cost;
    l->resource = UINT32_MAX;
    l->list_zero = true;
}

#define CENTS(n) ((dec10)(n)*100000000LL)

enum flag {
    MONTHLY = 1, /* grows with the month */
    PURCHASE = 2,
    REFUNDED = 4,
    MARKET = 8,
    FUTURE = 16, /* starts months after the period */
    BEFORE = 32,
    AFTER = 64, /* usage just outside the period */
    PAYER = 128,
    YEAR = 256, /* ends a year later */
    OWNER_RI = 512,
    OWNER_SP = 1024,
    NO_QUANTITY = 2048,
};

// clang-format off
/* Every rare type at least once; `product` >= 0: a usage template, else -1 - enum special. */
static const struct head {
    enum type type;
    int product;
    dec10 cost;
    unsigned account, flags;
    const char *description;
} head[HEAD_LINES] = {
    {TYPE_RI_FEE, 0, CENTS(4553), 0, OWNER_RI, "USD 0.0612 hourly fee per Linux/UNIX, m5.xlarge instance"},
    {TYPE_RI_FEE, 1, CENTS(9106), 1, OWNER_RI, "USD 0.1224 hourly fee per Windows, c6i.2xlarge instance"},
    {TYPE_RI_FEE, 16, CENTS(13660), 2, OWNER_RI, "USD 0.1836 hourly fee per PostgreSQL, db.r6g.large instance"},
    {TYPE_RI_FEE, 1, 0, 3, OWNER_RI, "USD 0.0 hourly fee per Windows, c6i.2xlarge instance (all upfront)"},
    {TYPE_FEE, 1, CENTS(14600), 3, OWNER_RI | PURCHASE | YEAR, "Sign up charge for subscription: 9381274, planId: 2137"},
    {TYPE_FEE, 16, CENTS(10950), 2, OWNER_RI | PURCHASE | YEAR, "Sign up charge for subscription: 9381275, planId: 2138"},
    {TYPE_FEE, -1 - SPECIAL_REGISTRAR, CENTS(1400), 1, FUTURE | YEAR, NULL},
    {TYPE_FEE, -1 - SPECIAL_REINVENT, CENTS(20990), 2, FUTURE, NULL},
    {TYPE_FEE, -1 - SPECIAL_CAPACITY_BLOCK, CENTS(9439), 3, FUTURE | PURCHASE, NULL},
    {TYPE_FEE, -1 - SPECIAL_MARKETPLACE_CONTRACT, CENTS(12000), 0, MARKET | YEAR, NULL},
    {TYPE_USAGE, -1 - SPECIAL_MARKETPLACE_USAGE, CENTS(2419), 0, MARKET, NULL},
    {TYPE_USAGE, -1 - SPECIAL_MARKETPLACE_USAGE, CENTS(311), 4, MARKET, NULL},
    {TYPE_SP_UPFRONT, -1 - SPECIAL_SAVINGS_PLAN, CENTS(87600), 0, OWNER_SP | PURCHASE | YEAR, "1 year Partial Upfront Compute Savings Plan"},
    {TYPE_SP_RECURRING, -1 - SPECIAL_SAVINGS_PLAN, CENTS(250), 1, OWNER_SP, NULL},
    {TYPE_FEE, -1 - SPECIAL_SUPPORT_BUSINESS, CENTS(18240), 0, MONTHLY, NULL},
    {TYPE_FEE, -1 - SPECIAL_SUPPORT_BUSINESS, CENTS(5000), 2, 0, "AWS Support (Business), prorated minimum charge for 15 days"},
    {TYPE_FEE, -1 - SPECIAL_SUPPORT_BUSINESS, CENTS(10000), 2, 0, "AWS Support (Business), upfront charge for the month"},
    {TYPE_USAGE, -1 - SPECIAL_SUPPORT_BUSINESS, CENTS(731), 5, MONTHLY, NULL},
    {TYPE_FEE, -1 - SPECIAL_SUPPORT_DEVELOPER, CENTS(2900), 3, 0, NULL},
    {TYPE_FEE, -1 - SPECIAL_SUPPORT_PREMIUM, CENTS(15000), 4, 0, NULL},
    {TYPE_FEE, -1 - SPECIAL_SUPPORT_ENTERPRISE, CENTS(150000), 6, 0, "AWS Support (Enterprise), prorated"},
    {TYPE_REFUND, -1 - SPECIAL_SUPPORT_BUSINESS, CENTS(-2500), 2, REFUNDED, "Refund of prorated support"},
    {TYPE_TAX, 0, CENTS(1912), 0, MONTHLY | NO_QUANTITY, ""},
    {TYPE_TAX, 9, 0, 0, NO_QUANTITY, ""},
    {TYPE_TAX, 16, CENTS(844), 1, MONTHLY | NO_QUANTITY, ""},
    {TYPE_TAX, 27, 0, 2, NO_QUANTITY, ""},
    {TYPE_TAX, 0, CENTS(-120), 3, REFUNDED | NO_QUANTITY, ""},
    {TYPE_TAX, 4, CENTS(655), 0, PAYER | MONTHLY | NO_QUANTITY, ""},
    {TYPE_TAX, -1 - SPECIAL_MARKETPLACE_USAGE, CENTS(173), 0, MARKET | NO_QUANTITY, ""},
    {TYPE_CREDIT, 0, CENTS(-5000), 0, NO_QUANTITY, "Promotional credit, \"Activate\""},
    {TYPE_CREDIT, 9, CENTS(-750), 1, MONTHLY | NO_QUANTITY, "AWS Free Tier"},
    {TYPE_CREDIT, 0, CENTS(1250), 2, NO_QUANTITY, "Reversal of promotional credit"},
    {TYPE_CREDIT, 0, CENTS(-10000), 0, PAYER | NO_QUANTITY, "Migration Acceleration Program credit"},
    {TYPE_CREDIT, 16, -33333333333LL, 3, NO_QUANTITY, "Well-Architected credit"},
    {TYPE_REFUND, 0, CENTS(-4711), 1, REFUNDED, "Refund for overcharged usage"},
    {TYPE_REFUND, 9, CENTS(-199), 2, REFUNDED, "Refund, service level agreement"},
    {TYPE_BUNDLED, 6, CENTS(-360), 0, MONTHLY, "Bundled discount: NAT gateway with Network Firewall"},
    {TYPE_BUNDLED, 22, CENTS(-1207), 2, MONTHLY, "Bundled discount: WAF with Shield Advanced"},
    {TYPE_EDP, 0, CENTS(-4120), 0, MONTHLY | NO_QUANTITY, "Enterprise Discount Program discount"},
    {TYPE_EDP, 9, -8038363727LL, 1, MONTHLY | NO_QUANTITY, "Enterprise Discount Program discount"},
    {TYPE_EDP, 16, CENTS(-977), 0, PAYER | MONTHLY | NO_QUANTITY, "Enterprise Discount Program discount"},
    {TYPE_SPP, 0, -123456789012LL, 0, MONTHLY | NO_QUANTITY, "AWS Solution Provider Program Discount"},
    {TYPE_SPP, 4, CENTS(-207), 1, MONTHLY | NO_QUANTITY, "AWS Solution Provider Program Discount"},
    {TYPE_SPP, 16, CENTS(-812), 2, MONTHLY | NO_QUANTITY, "AWS Solution Provider Program Discount"},
    {TYPE_DISTRIBUTOR, 0, -98765432101LL, 0, MONTHLY | NO_QUANTITY, "Distributor Discount"},
    {TYPE_DISTRIBUTOR, 9, CENTS(-144), 1, MONTHLY | NO_QUANTITY, "Distributor Discount"},
    {TYPE_DISTRIBUTOR, 16, CENTS(-404), 3, MONTHLY | NO_QUANTITY, "Distributor Discount"},
    {TYPE_PRIVATE_RATE, 22, CENTS(-1520), 2, MONTHLY | NO_QUANTITY, "Private rate card discount"},
    {TYPE_PRIVATE_RATE, 7, CENTS(-333), 3, MONTHLY | NO_QUANTITY, "Private rate card discount"},
    {TYPE_RI_VOLUME, 0, CENTS(-2275), 0, OWNER_RI | NO_QUANTITY, "Volume discount on reserved instances"},
    {TYPE_DISCOUNT, 14, CENTS(-88), 1, NO_QUANTITY, "Other discount"},
    {TYPE_DISCOUNT, 20, CENTS(-512), 0, PAYER | NO_QUANTITY, "Other discount"},
    {TYPE_FLAT_RATE, -1 - SPECIAL_KIRO, CENTS(2000), 0, 0, NULL},
    {TYPE_FLAT_RATE, -1 - SPECIAL_KIRO, CENTS(6000), 3, 0, NULL},
    {TYPE_USAGE, 0, 0, 0, BEFORE, NULL},
    {TYPE_USAGE, 9, 0, 1, BEFORE, NULL},
    {TYPE_USAGE, 4, 0, 0, AFTER, NULL},
    {TYPE_USAGE, 16, 0, 1, AFTER, NULL},
    {TYPE_USAGE, 9, 0, 0, PAYER, NULL},
    {TYPE_USAGE, 20, 0, 0, PAYER, NULL},
    {TYPE_UNKNOWN, 0, CENTS(4242), 0, 0, "A line item type that AWS has not documented yet"},
    {TYPE_UNKNOWN, 16, CENTS(1717), 1, 0, "A line item type that AWS has not documented yet"},
    {TYPE_SP_RECURRING, -1 - SPECIAL_SAVINGS_PLAN, CENTS(375), 2, OWNER_SP, NULL},
    {TYPE_FEE, 23, CENTS(0), 2, 0, "Zero fee"},
};
// clang-format on
static void outside_period(const struct world *w, unsigned flags, uint64_t draw, struct line *l)
{
    int64_t hours = (int64_t)(1 + draw % 30);
    if ((flags & BEFORE) != 0)
        l->start = l->interval_start = w->start - hours * HOUR;
    else
        l->start = l->interval_start = w->end + (hours - 1) * HOUR; /* the first one starts exactly at the end */
    l->end = l->interval_end = l->start + HOUR;
}

static void head_times(const struct world *w, const struct head *h, struct line *l)
{
    if ((h->flags & FUTURE) != 0)
        l->start = w->end + 61 * DAY + 9 * HOUR;
    else if ((h->flags & PURCHASE) != 0)
        l->start = w->start + 3 * DAY + 14 * HOUR;
    if ((h->flags & (FUTURE | PURCHASE)) != 0)
        l->end = l->start + DAY;
    if ((h->flags & YEAR) != 0)
        l->end = l->start + 365 * DAY;
    if (h->type == TYPE_SP_RECURRING)
        l->end = l->start + HOUR;
}

static void head_line(const struct month *m, uint64_t index, unsigned version, struct line *l)
{
    const struct world *w = m->world;
    const struct head *h = &head[index];
    unsigned account = (h->flags & PAYER) != 0 ? w->account_count : h->account % w->account_count;
    if ((h->flags & OWNER_RI) != 0) {
        l->reservation = (int)(h->account % RESERVATION_COUNT);
        account = w->reservation[l->reservation].owner;
    } else if ((h->flags & OWNER_SP) != 0) {
        l->plan = (int)(h->account % PLAN_COUNT);
        account = w->plan[l->plan].owner;
    }
    enum type type = h->type == TYPE_UNKNOWN && w->options->unknown_type == NULL ? TYPE_USAGE : h->type;
    if (type == TYPE_USAGE && h->product >= 0) {
        usage_line(m, index, version, h->product, l);
        l->account = account;
        l->currency = w->account[account].cny;
        if ((h->flags & (BEFORE | AFTER)) != 0)
            outside_period(w, h->flags, index == 56 ? 0 : index, l);
        return;
    }
    dec10 cost = h->cost;
    if ((h->flags & MONTHLY) != 0) {
        int64_t num, den;
        progress(m, version, &num, &den);
        cost = restate(w, index, version, dec10_scale(cost, num, den));
    }
    const struct offer *offer = h->product >= 0
                                    ? &w->offer[w->account[account].region * TEMPLATE_COUNT + (unsigned)h->product]
                                    : &w->special[-1 - h->product];
    plain_line(w, type, account, offer, cost, l);
    whole_month(w, l);
    head_times(w, h, l);
    if (h->description != NULL)
        l->description = h->description[0] == '\0' ? offer->tax_description : m->head_text[index];
    if ((h->flags & NO_QUANTITY) != 0 && type != TYPE_TAX)
        l->quantity = 0;
    l->marketplace = (h->flags & MARKET) != 0;
    l->bill = (h->flags & PURCHASE) != 0 ? BILL_PURCHASE : (h->flags & REFUNDED) != 0 ? BILL_REFUND : BILL_ANNIVERSARY;
    if (type == TYPE_SP_RECURRING)
        l->commitment = cost;
    else if (type == TYPE_RI_FEE) {
        l->commitment = cost;
        l->upfront = w->reservation[l->reservation].upfront;
    } else if (type == TYPE_SP_UPFRONT || (type == TYPE_FEE && l->reservation >= 0))
        l->upfront = cost;
}

/* A small amount on the account and product of a usage line: `num`/`den` of its cost, at least a few 10^-10. */
static void share_line(const struct month *m, uint64_t index, unsigned version, enum type type, int64_t num,
                       int64_t den, const char *description, struct line *l)
{
    usage_line(m, index, version, -1, l);
    int64_t hour_start = l->start, hour_end = l->end, from = l->interval_start, to = l->interval_end;
    dec10 cost = dec10_scale(l->cost, num, den);
    plain_line(m->world, type, l->account, l->offer, cost != 0 ? cost : num < 0 ? -7 : 7, l);
    l->quantity = 0;
    l->has_rate = l->has_list = false;
    l->start = hour_start;
    l->end = hour_end;
    l->interval_start = from;
    l->interval_end = to;
    l->description = description == NULL ? l->offer->tax_description : slice_of(description);
    if (type == TYPE_TAX) {
        whole_month(m->world, l);
        l->quantity = DEC10_ONE;
        if (index % 3 != 0)
            l->cost = 0;
    }
}

static void provider_discount_line(const struct month *m, uint64_t index, uint64_t block, unsigned version,
                                   struct line *l)
{
    static const struct {
        enum type type;
        int64_t percent;
        const char *text;
    } kinds[] = {
        {TYPE_EDP, -9, "Enterprise Discount Program discount"},
        {TYPE_SPP, -3, "AWS Solution Provider Program Discount"},
        {TYPE_DISTRIBUTOR, -4, "Distributor Discount"},
        {TYPE_PRIVATE_RATE, -11, "Private rate card discount"},
        {TYPE_SPP, -5, "AWS Solution Provider Program Discount"},
        {TYPE_RI_VOLUME, -2, "Volume discount on reserved instances"},
        {TYPE_DISCOUNT, -1, "Other discount"},
    };
    size_t k = block % (sizeof kinds / sizeof kinds[0]);
    share_line(m, index, version, kinds[k].type, kinds[k].percent, 100, kinds[k].text, l);
}

static void special_line(const struct month *m, uint64_t index, enum type type, enum special special, dec10 cost,
                         struct line *l)
{
    struct rng r = rng_for(m->world->seed, index);
    choose_account(m->world, &r, l);
    plain_line(m->world, type, l->account, &m->world->special[special], cost, l);
    set_time(m, index, &r, l);
}

// clang-format off
/* Slots of a block that are not plain usage; false: it is. `whole`: the block is not cut off by the end of the month. */
static bool block_special(const struct month *m, uint64_t index, uint64_t block, uint64_t slot, bool whole, unsigned version, struct line *l)
{
    const struct world *w = m->world;
    switch (slot) {
    case 0: case 2:
        return whole ? covered_line(m, index, index, version, l), true : false;
    case 1:
        return whole ? negation_line(m, index, 1, version, l), true : false;
    case 3:
        return whole ? covered_line(m, index, index - 1, version, l), true : false;
    case 4:
        return whole ? negation_line(m, index, 2, version, l), true : false;
    case 5: case 6: case 7: case 8: case 9: case 10:
        return discounted_line(m, index, version, l), true;
    case 11:
        return share_line(m, index, version, TYPE_CREDIT, block % 9 == 4 ? 1 : -1, 10, block % 9 == 4 ? "Credit reversal" : "AWS Free Tier", l), true;
    case 12:
        return share_line(m, index, version, TYPE_TAX, 5, 100, NULL, l), true;
    case 13:
        return share_line(m, index, version, TYPE_BUNDLED, -50, 100, "Bundled discount", l), true;
    case 14:
        return provider_discount_line(m, index, block, version, l), true;
    case 15:
        special_line(m, index, TYPE_USAGE, SPECIAL_MARKETPLACE_USAGE, CENTS(8 + block % 90), l);
        l->marketplace = true;
        return true;
    case 16:
        special_line(m, index, TYPE_SP_RECURRING, SPECIAL_SAVINGS_PLAN, w->plan[block % PLAN_COUNT].hourly, l);
        l->plan = (int)(block % PLAN_COUNT);
        l->account = w->plan[l->plan].owner;
        l->currency = w->account[l->account].cny;
        l->commitment = l->cost;
        return true;
    case 17:
        if (block % 4 == 0) {
            usage_line(m, index, version, -1, l);
            l->account = w->account_count;
            l->currency = 0;
            return true;
        }
        return false;
    case 18:
        if (block % 16 == 0) {
            usage_line(m, index, version, -1, l);
            outside_period(w, block % 32 == 0 ? BEFORE : AFTER, block / 16, l);
            return true;
        }
        return false;
    case 19:
        if (w->options->unknown_type != NULL && block % 8 == 0) {
            usage_line(m, index, version, -1, l);
            l->type = TYPE_UNKNOWN;
            return true;
        }
        return false;
    case 20:
        if (block % 32 == 1) {
            share_line(m, index, version, TYPE_REFUND, -1, 1, "Refund for overcharged usage", l);
            l->bill = BILL_REFUND;
            return true;
        }
        return false;
    case 21:
        if (block % 8 == 2)
            return special_line(m, index, TYPE_FEE, SPECIAL_SUPPORT_BUSINESS, CENTS(block % 700), l), true;
        if (block % 8 == 5)
            return special_line(m, index, TYPE_FLAT_RATE, SPECIAL_KIRO, CENTS(2000), l), true;
        return false;
    default:
        return false;
    }
}
// clang-format on
static void tail_line(const struct month *m, uint64_t index, uint64_t number, unsigned version, struct line *l)
{
    switch (number % 6) {
    case 0:
    case 3:
        share_line(m, index, version, TYPE_CREDIT, -15, 100, "Credit granted after the close", l);
        break;
    case 1:
        share_line(m, index, version, TYPE_REFUND, -1, 4, "Refund after the close", l);
        l->bill = BILL_REFUND;
        break;
    case 2:
        share_line(m, index, version, TYPE_CREDIT, 1, 20, "Credit corrected after the close", l);
        break;
    case 4:
        special_line(m, index, TYPE_FEE, SPECIAL_SUPPORT_BUSINESS, CENTS(100 + number), l);
        break;
    default:
        share_line(m, index, version, TYPE_TAX, -1, 10, NULL, l);
        l->bill = BILL_REFUND;
        break;
    }
    l->late = true;
}

void month_line(const struct month *m, uint64_t index, unsigned version, struct line *ret_line)
{
    struct line *l = ret_line;
    assert(index < m->rows);
    *l = (struct line){.index = index, .plan = -1, .reservation = -1, .resource = UINT32_MAX};
    if (index < HEAD_LINES) {
        head_line(m, index, version, l);
    } else if (index >= HEAD_LINES + m->block_lines) {
        tail_line(m, index, index - HEAD_LINES - m->block_lines, version, l);
    } else {
        uint64_t done = index - HEAD_LINES, block = done / BLOCK;
        bool whole = (block + 1) * BLOCK <= m->block_lines;
        if (!block_special(m, index, block, done % BLOCK, whole, version, l))
            usage_line(m, index, version, -1, l);
    }
    l->index = index;
}

void month_plan(struct month *m, const struct world *w)
{
    const struct options *o = w->options;
    *m = (struct month){.world = w, .rows = o->rows};
    for (unsigned i = 0; i < HEAD_LINES; i++)
        if (head[i].description != NULL)
            m->head_text[i] = csv_cell(head[i].description);
    if (o->rows <= HEAD_LINES)
        return;
    uint64_t rest = o->rows - HEAD_LINES;
    if (o->versions > 1) {
        m->late = o->rows / 100;
        m->late = m->late < 6 ? 6 : m->late > 2000 ? 2000 : m->late;
        if (m->late > rest)
            m->late = rest;
    }
    m->block_lines = rest - m->late;
}
