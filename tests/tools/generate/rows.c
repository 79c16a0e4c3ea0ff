#include "rows.h"

#include "random.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const environments[4] = {"prod", "staging", "dev", "test"};
static const char *const teams[8] = {"payments", "R&D, Berlin",  "Größe", "data-platform",
                                     "",         "web \"shop\"", "ops",   "mobile"};

static void open_tags(struct renderer *r)
{
    for (unsigned i = 0; i < 4; i++)
        r->environment[i] = csv_cell(environments[i]);
    for (unsigned i = 0; i < 8; i++) {
        r->team[i] = csv_cell(teams[i]);
        r->created_by[i] = csv_cell(text_format("AssumedRole:AROA%016llX:deploy-%u", (unsigned long long)mix64(i), i));
    }
    for (unsigned i = 0; i < 16; i++)
        r->cost_center[i] = csv_cell(text_format("CC-%04u", 1200 + i * 37));
    for (unsigned i = 0; i < TAG_SETS; i++) {
        const char *environment = environments[i % 4], *team = i / 4 % 8 == 5 ? "web shop" : teams[i / 4 % 8];
        const char *center = r->cost_center[i / 32].p;
        r->tag_map[i] = csv_json_map("user_cost_center", center, "user_environment", environment, "user_team", team,
                                     (const char *)NULL);
        r->tag_map_full[i] = csv_json_map("resourceTags/user:CostCenter", center, "resourceTags/user:Environment",
                                          environment, (const char *)NULL);
    }
}

void renderer_open(struct renderer *r, const struct month *m, unsigned version)
{
    const struct world *w = m->world;
    const struct options *o = w->options;
    *r = (struct renderer){.month = m, .version = version, .cached_day = INT64_MIN};
    r->final = version == o->versions && !o->not_final;
    for (unsigned i = 0; i < 8; i++)
        r->invoice[i] = slice_of(
            text_format("%llu", (unsigned long long)(1000000000ULL + mix2(w->seed, 0x1417 + i) % 1000000000ULL)));
    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        const char *name = type_name((enum type)i, o);
        r->type[i] = csv_cell(name != NULL ? name : "");
    }
    int next_year = o->month == 12 ? o->year + 1 : o->year, next_month = o->month == 12 ? 1 : o->month + 1;
    r->period_start = slice_of(text_format("%04d-%02d-01T00:00:00.000Z", o->year, o->month));
    r->period_end = slice_of(text_format("%04d-%02d-01T00:00:00.000Z", next_year, next_month));
    r->next_period_start = r->period_end;
    r->ri_start = slice_of(text_format("%04d-09-12T10:11:12.000Z", o->year - 1));
    r->ri_end = slice_of(text_format("%04d-09-12T10:11:11.000Z", o->year + 2));
    open_tags(r);
    for (unsigned i = 0; i < PLAN_COUNT; i++)
        r->plan_arn[i] = slice_of(w->plan[i].arn);
    for (unsigned i = 0; i < RESERVATION_COUNT; i++) {
        r->reservation_arn[i] = slice_of(w->reservation[i].arn);
        r->subscription[i] = slice_of(text_format("%llu", (unsigned long long)(9381274 + i)));
    }
    r->newline_text = slice_of(o->odd.crlf ? "\"first line\r\nsecond, \"\"quoted\"\"\r\n\r\nlast\""
                                           : "\"first line\nsecond, \"\"quoted\"\"\n\nlast\"");
}

static char *room(struct row *row, size_t need)
{
    if (row->used + need > SCRATCH_SIZE)
        abort(); /* a row has a fixed number of computed cells; this is a mistake in this file */
    return row->scratch + row->used;
}

static void done(struct row *row, enum field field, size_t n)
{
    row->field[field] = (struct slice){row->scratch + row->used, (uint32_t)n};
    row->used += n;
}

static void put_number(struct row *row, enum field field, dec10 v)
{
    done(row, field, dec10_java(v, room(row, 32)));
}

static void put_rate(const struct renderer *r, struct row *row, enum field field, dec10 v)
{
    char *p = room(row, 32);
    done(row, field, is_cur2(r->month->world->options) ? dec10_fixed(v, p) : dec10_java(v, p));
}

/* The same values in forms that other writers use. */
static void put_odd_number(struct row *row, enum field field, dec10 v, uint64_t index)
{
    static const char *const zeros[] = {"-0.0", "0E-10", "0", "0.0000000000", "+0.0", "0e0"};
    if (v == 0) {
        row->field[field] = slice_of(zeros[index % 6]);
    } else if (index % 3 == 0) {
        done(row, field, dec10_fixed(v, room(row, 32)));
    } else if (index % 3 == 1) {
        int n = snprintf(room(row, 40), 40, "%lldE-10", (long long)v);
        done(row, field, (size_t)n);
    } else {
        put_number(row, field, v);
    }
}

static void date_text(struct renderer *r, int64_t day, char *out)
{
    if (day != r->cached_day) {
        int y, m, d;
        civil_of(day, &y, &m, &d);
        char text[16];
        snprintf(text, sizeof text, "%04u-%02u-%02u", (unsigned)y % 10000u, (unsigned)m % 100u, (unsigned)d % 100u);
        memcpy(r->cached_date, text, 10);
        r->cached_day = day;
    }
    memcpy(out, r->cached_date, 10);
}

/* "2025-06-01T00:00:00" and `tail`; returns the length. */
static size_t time_text(struct renderer *r, int64_t t, const char *tail, char *out)
{
    int64_t day = t / 86400;
    int second = (int)(t - day * 86400);
    date_text(r, day, out);
    char *p = out + 10;
    *p++ = tail[0] == '\0' ? ' ' : 'T';
    int part[3] = {second / 3600, second / 60 % 60, second % 60};
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            *p++ = ':';
        *p++ = (char)('0' + part[i] / 10);
        *p++ = (char)('0' + part[i] % 10);
    }
    size_t n = strlen(tail);
    memcpy(p, tail, n);
    return (size_t)(p - out) + n;
}

static void put_times(struct renderer *r, const struct line *l, struct row *row)
{
    static const char *const forms[] = {".000Z", "Z", ""};
    const char *tail = r->month->world->options->odd.date_forms ? forms[l->index % 3] : forms[0];
    done(row, FIELD_START, time_text(r, l->start, tail, room(row, 32)));
    done(row, FIELD_END, time_text(r, l->end, tail, room(row, 32)));
    char *p = room(row, 64);
    size_t n = time_text(r, l->interval_start, "Z", p);
    p[n++] = '/';
    n += time_text(r, l->interval_end, "Z", p + n);
    done(row, FIELD_TIME_INTERVAL, n);
}

/* 52 characters of lower-case base32, as AWS writes. In some blocks an id comes back half a month later, as in real
 * reports: only (id, interval) is unique. */
static void put_line_item_id(const struct renderer *r, const struct line *l, struct row *row)
{
    const struct month *m = r->month;
    uint64_t half = m->block_lines / 2, key = l->index;
    if (key >= HEAD_LINES + half && key < HEAD_LINES + 2 * half && key / BLOCK % 5 == 0)
        key -= half;
    char *p = room(row, 52);
    for (uint64_t word = 0; word < 4; word++) {
        uint64_t bits = mix2(m->world->seed + 77 + word, key);
        for (int i = 0; i < 13; i++, bits = (bits >> 5) | (bits << 59))
            *p++ = "abcdefghijklmnopqrstuvwxyz234567"[bits & 31];
    }
    done(row, FIELD_LINE_ITEM_ID, 52);
}

static char *put_hex(char *p, uint64_t bits, int digits)
{
    for (int i = 0; i < digits; i++, bits >>= 4)
        *p++ = "0123456789abcdef"[bits & 15];
    return p;
}

static char *put_text(char *p, const char *text)
{
    size_t n = strlen(text);
    memcpy(p, text, n);
    return p + n;
}

static void put_resource(const struct renderer *r, const struct line *l, struct row *row)
{
    const struct world *w = r->month->world;
    const struct offer *o = l->offer;
    uint64_t h = mix2(w->seed ^ ((uint64_t)l->account << 20), (uint64_t)(o - w->offer) * 64 + l->resource);
    char *start = room(row, 128), *p = start;
    switch (o->resource) {
    case RESOURCE_INSTANCE:
        p = put_hex(put_text(p, "i-0"), h, 16);
        break;
    case RESOURCE_VOLUME:
        p = put_hex(put_text(p, "vol-0"), h, 16);
        break;
    case RESOURCE_BUCKET:
        p = put_hex(put_text(put_text(p, w->account[l->account].name), "-assets-"), h, 6);
        break;
    case RESOURCE_ARN:
        p = put_text(p, o->arn_head);
        p = put_text(put_text(p, w->account[l->account].id), o->arn_tail);
        p = put_hex(p, h, 8);
        break;
    case RESOURCE_NONE:
    default:
        return;
    }
    done(row, FIELD_RESOURCE, (size_t)(p - start));
    unsigned set = (unsigned)(h >> 32) % TAG_SETS;
    if (h % 8 == 0)
        return; /* untagged */
    row->field[FIELD_TAG_ENVIRONMENT] = r->environment[set % 4];
    row->field[FIELD_TAG_TEAM] = r->team[set / 4 % 8];
    row->field[FIELD_TAG_COST_CENTER] = r->cost_center[set / 32];
    row->field[FIELD_TAG_CREATED_BY] = r->created_by[set % 8];
    row->field[FIELD_TAG_MAP] = r->tag_map[set];
    row->field[FIELD_TAG_MAP_FULL] = r->tag_map_full[set];
}

static void put_product(const struct line *l, struct row *row)
{
    const struct offer *o = l->offer;
    struct slice *f = row->field;
    f[FIELD_PRODUCT_CODE] = o->product_code;
    f[FIELD_PRODUCT_NAME] = o->product_name;
    f[FIELD_PRODUCT_MAP] = o->product_map;
    if (l->type == TYPE_TAX)
        return; /* a tax line knows its product and nothing more */
    f[FIELD_USAGE_TYPE] = f[FIELD_PRODUCT_USAGE_TYPE] = o->usage_type;
    f[FIELD_OPERATION] = f[FIELD_PRODUCT_OPERATION] = o->operation;
    f[FIELD_UNIT] = o->unit;
    f[FIELD_SERVICE_CODE] = o->service_code;
    f[FIELD_FAMILY] = o->family;
    f[FIELD_REGION] = o->region;
    f[FIELD_SKU] = o->sku;
    f[FIELD_RATE_CODE] = o->rate_code;
    f[FIELD_RATE_ID] = o->rate_id;
    f[FIELD_TERM] = l->type == TYPE_DISCOUNTED_USAGE ? (struct slice){"Reserved", 8} : o->term;
    if (o->transfer_type.n > 0) {
        f[FIELD_FROM_LOCATION] = o->location;
        f[FIELD_FROM_LOCATION_TYPE] = o->location_type;
        f[FIELD_FROM_REGION] = o->region;
        f[FIELD_TO_LOCATION] = o->to_location;
        f[FIELD_TO_LOCATION_TYPE] = (struct slice){"Other", 5};
        f[FIELD_TO_REGION] = o->to_region;
        f[FIELD_TRANSFER_TYPE] = o->transfer_type;
    } else {
        f[FIELD_LOCATION] = o->location;
        f[FIELD_LOCATION_TYPE] = o->location_type;
    }
    f[FIELD_STORAGE_CLASS] = o->storage_class;
    f[FIELD_VOLUME_TYPE] = o->volume_type;
    f[FIELD_AVAILABILITY] = o->availability;
    f[FIELD_DURABILITY] = o->durability;
    f[FIELD_GROUP] = o->group;
    if (o->instance_type.n == 0)
        return;
    f[FIELD_INSTANCE_TYPE] = o->instance_type;
    f[FIELD_INSTANCE_FAMILY] = o->instance_family;
    f[FIELD_VCPU] = o->vcpu;
    f[FIELD_MEMORY] = o->memory;
    f[FIELD_OPERATING_SYSTEM] = o->operating_system;
    f[FIELD_TENANCY] = o->tenancy;
    f[FIELD_CURRENT_GENERATION] = (struct slice){"Yes", 3};
    f[FIELD_CAPACITY] = (struct slice){"Used", 4};
    f[FIELD_LICENSE] = (struct slice){"No License required", 19};
    f[FIELD_NETWORK] = (struct slice){"Up to 12.5 Gigabit", 18};
    f[FIELD_PROCESSOR] = (struct slice){"Intel Xeon Platinum 8175", 24};
    f[FIELD_PREINSTALLED] = (struct slice){"NA", 2};
    f[FIELD_ARCHITECTURE] = (struct slice){"64-bit", 6};
}

static void put_bill(const struct renderer *r, const struct line *l, struct row *row)
{
    const struct world *w = r->month->world;
    struct slice *f = row->field;
    static const char *const bills[] = {"Anniversary", "Purchase", "Refund"};
    f[FIELD_BILL_TYPE] = slice_of(bills[l->bill]);
    f[FIELD_BILLING_ENTITY] = slice_of(l->marketplace ? "AWS Marketplace" : "AWS");
    bool cny = w->account[l->account].cny;
    f[FIELD_INVOICING_ENTITY] =
        slice_of(cny ? "\"Beijing Sinnet Technology Co., Ltd.\"" : "Amazon Web Services EMEA SARL");
    f[FIELD_LEGAL_ENTITY] = l->marketplace ? slice_of("\"Example Software, LLC\"") : f[FIELD_INVOICING_ENTITY];
    f[FIELD_PAYER] = w->account[w->account_count].id_text;
    f[FIELD_PAYER_NAME] = w->account[w->account_count].name_text;
    f[FIELD_PERIOD_START] = r->period_start;
    f[FIELD_PERIOD_END] = r->period_end;
    if (r->final || l->bill == BILL_PURCHASE) /* an upfront purchase has its invoice at once */
        f[FIELD_INVOICE_ID] = r->invoice[l->marketplace ? 6 : (unsigned)l->bill + (l->late ? 3u : 0u)];
}

static void put_reservation(struct renderer *r, const struct line *l, struct row *row)
{
    if (l->reservation < 0)
        return;
    const struct reservation *ri = &r->month->world->reservation[l->reservation];
    struct slice *f = row->field;
    f[FIELD_RI_ARN] = r->reservation_arn[l->reservation];
    f[FIELD_RI_SUBSCRIPTION] = r->subscription[l->reservation];
    f[FIELD_LEASE] = (struct slice){"3yr", 3};
    f[FIELD_OFFERING_CLASS] = (struct slice){"standard", 8};
    f[FIELD_PURCHASE_OPTION] = slice_of(ri->hourly == 0    ? "All Upfront"
                                        : ri->upfront == 0 ? "No Upfront"
                                                           : "Partial Upfront");
    if (l->type == TYPE_DISCOUNTED_USAGE) {
        put_number(row, FIELD_RI_EFFECTIVE, l->effective);
        put_number(row, FIELD_RI_AMORTIZED_USAGE, ri->upfront == 0 ? 0 : dec10_scale(l->effective, 2, 5));
        put_number(row, FIELD_RI_RECURRING, dec10_mul(l->quantity, ri->hourly));
        put_number(row, FIELD_NORMALIZATION_FACTOR, 8 * DEC10_ONE);
        put_number(row, FIELD_NORMALIZED_AMOUNT, dec10_clamp(l->quantity * 8));
        return;
    }
    f[FIELD_RI_START] = r->ri_start;
    f[FIELD_RI_END] = r->ri_end;
    f[FIELD_RI_STATUS] = (struct slice){"Original", 8};
    f[FIELD_RI_NUMBER] = f[FIELD_RI_UNITS] = (struct slice){"1", 1};
    f[FIELD_RI_TOTAL_UNITS] = (struct slice){"744", 3};
    put_number(row, FIELD_RI_UPFRONT, l->upfront);
    put_number(row, FIELD_RI_AMORTIZED_PERIOD, dec10_scale(ri->upfront, 1, 36));
    put_number(row, FIELD_RI_UNUSED_AMORTIZED, dec10_scale(ri->upfront, 1, 360));
    put_number(row, FIELD_RI_UNUSED_QUANTITY, 74 * DEC10_ONE);
    put_number(row, FIELD_RI_UNUSED_RECURRING, dec10_scale(ri->hourly, 74, 1));
}

static void put_plan(const struct renderer *r, const struct line *l, struct row *row)
{
    if (l->plan < 0)
        return;
    struct slice *f = row->field;
    f[FIELD_SP_ARN] = r->plan_arn[l->plan];
    f[FIELD_SP_OFFERING] = (struct slice){"ComputeSavingsPlans", 19};
    f[FIELD_SP_PAYMENT] = (struct slice){"No Upfront", 10};
    f[FIELD_SP_TERM] = (struct slice){"1yr", 3};
    if (l->type == TYPE_SP_COVERED || l->type == TYPE_SP_NEGATION) {
        put_number(row, FIELD_SP_EFFECTIVE, l->effective);
        put_number(row, FIELD_SP_RATE, dec10_scale(l->rate, 72, 100));
        return;
    }
    f[FIELD_SP_START] = r->ri_start;
    f[FIELD_SP_END] = r->ri_end;
    put_number(row, FIELD_SP_TOTAL, r->month->world->plan[l->plan].hourly);
    put_number(row, FIELD_SP_USED, dec10_scale(r->month->world->plan[l->plan].hourly, 94, 100));
    put_number(row, FIELD_SP_AMORTIZED, l->upfront == 0 ? 0 : dec10_scale(l->upfront, 1, 12));
    put_number(row, FIELD_SP_RECURRING, l->commitment);
}

static void put_amounts(const struct renderer *r, const struct line *l, struct row *row)
{
    struct slice *f = row->field;
    if (r->month->world->options->odd.odd_numbers) {
        put_odd_number(row, FIELD_QUANTITY, l->quantity, l->index);
        put_odd_number(row, FIELD_COST, l->cost, l->index);
    } else {
        put_number(row, FIELD_QUANTITY, l->quantity);
        put_number(row, FIELD_COST, l->cost);
    }
    bool discount = l->type >= TYPE_BUNDLED && l->type <= TYPE_DISTRIBUTOR;
    if (!discount)
        f[FIELD_BLENDED_COST] = f[FIELD_COST];
    if (l->has_rate)
        put_rate(r, row, FIELD_RATE, l->rate);
    if (l->has_list) {
        put_number(row, FIELD_LIST_COST, l->list_cost);
        put_rate(r, row, FIELD_LIST_RATE, l->offer->list_rate);
    } else if (l->list_zero) {
        f[FIELD_LIST_COST] = (struct slice){"0.0", 3};
    }
    f[FIELD_CURRENCY] = slice_of(l->currency == 0 ? "USD" : "CNY");
    if (l->has_list)
        f[FIELD_PRICING_CURRENCY] = f[FIELD_CURRENCY];
}

void render(struct renderer *r, const struct line *l, struct row *ret_row)
{
    const struct world *w = r->month->world;
    struct row *row = ret_row;
    struct slice *f = row->field;
    memset(f, 0, sizeof row->field);
    row->used = 0;
    put_line_item_id(r, l, row);
    put_times(r, l, row);
    put_bill(r, l, row);
    const struct account *a = &w->account[l->account];
    f[FIELD_ACCOUNT] = a->id_text;
    f[FIELD_ACCOUNT_NAME] = a->name_text;
    f[FIELD_TYPE] = r->type[l->type];
    put_product(l, row);
    if (l->resource != UINT32_MAX) {
        put_resource(r, l, row);
        f[FIELD_AZ] = l->offer->az;
    }
    f[FIELD_DESCRIPTION] = l->description.p != NULL ? l->description : l->offer->description;
    if (l->type == TYPE_TAX)
        f[FIELD_TAX_TYPE] = (struct slice){"VAT", 3};
    put_amounts(r, l, row);
    put_reservation(r, l, row);
    put_plan(r, l, row);
    if (l->type == TYPE_USAGE && !l->marketplace)
        f[FIELD_COST_CATEGORY] = (struct slice){"\"Usage, on demand\"", 18};
    if (f[FIELD_COST_CATEGORY].n > 0)
        f[FIELD_COST_CATEGORY_MAP] = slice_of("\"{\"\"charge_type\"\":\"\"Usage, on demand\"\"}\"");
    if (w->options->odd.newlines && l->index % 7 == 3) {
        f[FIELD_DESCRIPTION] = r->newline_text;
        f[FIELD_TAG_TEAM] = r->newline_text;
    }
    f[FIELD_TEAM_NOTE] = f[FIELD_TAG_TEAM];
}
