#include "linker.h"

#include "platform/postgres/array.h"
#include "store/accounts/request_store.h"

#include <stdlib.h>

static int by_key(const void *a, const void *b)
{
    const cm_observed *x = a, *y = b;
    int order = strcmp(x->payer, y->payer);
    if (!order)
        order = strcmp(x->account, y->account);
    if (!order)
        order = (x->period.year > y->period.year) - (x->period.year < y->period.year);
    if (!order)
        order = (x->period.month > y->period.month) - (x->period.month < y->period.month);
    return order ? order : memcmp(x->delivery_id, y->delivery_id, CM_ID_BYTES);
}

/* The same account and month: the difference may be the delivery. */
static bool same_month(const cm_observed *x, const cm_observed *y)
{
    return strcmp(x->payer, y->payer) == 0 && strcmp(x->account, y->account) == 0 && x->period.year == y->period.year &&
           x->period.month == y->period.month;
}

typedef struct columns {
    cm_buffer payer, account, period, delivery, first, last, support, usage;
} columns;

static void add_instant(cm_buffer *array, cm_instant at)
{
    char text[CM_INSTANT_TEXT];
    cm_array_text(array, cm_instant_print(at, text));
}

/* Adds list[0] and those after it of the same chunks' delivery as one row; returns how many. */
static size_t add_row(columns *c, const cm_observed *list, size_t count)
{
    char period[CM_PERIOD_TEXT], delivery[CM_ID_HEX];
    cm_instant first = list->first_usage, last = list->last_usage;
    bool usage = false;
    cm_buffer support = {0};
    size_t n = 0;
    for (; n < count && by_key(&list[0], &list[n]) == 0; n++) {
        first = list[n].first_usage < first ? list[n].first_usage : first;
        last = list[n].last_usage > last ? list[n].last_usage : last;
        usage |= list[n].usage_lines > 0;
        for (size_t i = 0; i < list[n].support_count; i++)
            cm_buffer_printf(&support, "%s%s", support.length ? "\n" : "", list[n].support[i]);
    }
    cm_hex(list->delivery_id, CM_ID_BYTES, delivery);
    cm_array_text(&c->payer, list->payer);
    cm_array_text(&c->account, list->account);
    cm_array_text(&c->period, cm_period_print(list->period, period));
    cm_array_text(&c->delivery, delivery);
    add_instant(&c->first, first);
    add_instant(&c->last, last);
    cm_array_text(&c->support, cm_buffer_string(&support));
    cm_array_text(&c->usage, usage ? "t" : "f");
    cm_buffer_free(&support);
    return n;
}

/* A delivery that is not in the database says nothing: it was removed, or the record is of another installation. */
static const char upsert[] =
    "INSERT INTO account_usage AS a (lane, payer, account, period, delivery_seq, first_usage, last_usage, "
    "support_products, usage_seen)"
    " SELECT $9, g.payer, g.account, g.period, d.seq, g.first, g.last,"
    "   ARRAY(SELECT DISTINCT s FROM unnest(string_to_array(g.support, E'\\n')) s WHERE s <> '' ORDER BY s), g.usage"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], "
    "$8::boolean[])"
    "   g (payer, account, period, delivery, first, last, support, usage) JOIN delivery d ON d.id = g.delivery"
    " ORDER BY g.payer, g.account, g.period"
    " ON CONFLICT (payer, account, period) DO UPDATE SET delivery_seq = excluded.delivery_seq, lane = excluded.lane,"
    " first_usage = CASE WHEN excluded.delivery_seq > a.delivery_seq THEN excluded.first_usage ELSE "
    "least(a.first_usage, excluded.first_usage) END,"
    " last_usage = CASE WHEN excluded.delivery_seq > a.delivery_seq THEN excluded.last_usage ELSE "
    "greatest(a.last_usage, excluded.last_usage) END,"
    " support_products = CASE WHEN excluded.delivery_seq > a.delivery_seq THEN excluded.support_products"
    "   ELSE ARRAY(SELECT DISTINCT s FROM unnest(a.support_products || excluded.support_products) s ORDER BY s) END,"
    " usage_seen = excluded.usage_seen OR (a.usage_seen AND excluded.delivery_seq = a.delivery_seq)"
    " WHERE excluded.delivery_seq > a.delivery_seq OR (excluded.delivery_seq = a.delivery_seq AND "
    "(excluded.first_usage < a.first_usage"
    "   OR excluded.last_usage > a.last_usage OR NOT excluded.support_products <@ a.support_products OR "
    "(excluded.usage_seen AND NOT a.usage_seen)))"
    " RETURNING payer, account, (extract(epoch FROM first_usage) * 1000000)::bigint, (extract(epoch FROM last_usage) * "
    "1000000)::bigint";

/* What is new is merged into `account`: a request may wait for it. */
static bool tell_accounts(cm_linker *linker, const cm_rows *rows, cm_error *err)
{
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++) {
        const cm_account_seen seen = {.payer = cm_rows_text(rows, i, 0),
                                      .account = cm_rows_text(rows, i, 1),
                                      .lane = linker->lane,
                                      .first = cm_rows_i64(rows, i, 2),
                                      .last = cm_rows_i64(rows, i, 3)};
        done = cm_store_account_seen(linker->pg, &seen, linker->clock->now(linker->clock), CM_LINKER_NAME, err);
    }
    if (done)
        linker->counts.accounts_changed += cm_rows_count(rows);
    return done;
}

/* One row for each account and month: of two deliveries in a group the second waits for the next statement. */
static bool store_some(cm_linker *linker, cm_observed *list, size_t count, size_t *ret_left, cm_error *err)
{
    columns c = {0};
    cm_rows *rows = NULL;
    size_t left = 0;
    for (size_t i = 0; i < count;) {
        size_t same = add_row(&c, &list[i], count - i), next = i + same;
        for (; next < count && same_month(&list[i], &list[next]); next++)
            list[left++] = list[next];
        i = next;
    }
    const char *values[] = {cm_array_end(&c.payer),    cm_array_end(&c.account), cm_array_end(&c.period),
                            cm_array_end(&c.delivery), cm_array_end(&c.first),   cm_array_end(&c.last),
                            cm_array_end(&c.support),  cm_array_end(&c.usage),   linker->lane};
    bool done = cm_pg_query(linker->pg, upsert, 9, values, &rows, err) && tell_accounts(linker, rows, err);
    cm_rows_free(rows);
    cm_buffer *const all[] = {&c.payer, &c.account, &c.period, &c.delivery, &c.first, &c.last, &c.support, &c.usage};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        cm_buffer_free(all[i]);
    *ret_left = left;
    return done;
}

bool cm_linker_observe(cm_linker *linker, const cm_observed *list, size_t count, cm_error *err)
{
    cm_observed *work = cm_alloc((count + 1) * sizeof *work);
    size_t left = count;
    if (count) {
        memcpy(work, list, count * sizeof *work);
        qsort(work, count, sizeof *work, by_key);
    }
    bool done = cm_pg_begin(linker->pg, err);
    while (done && left)
        done = store_some(linker, work, left, &left, err);
    done = done && cm_pg_commit(linker->pg, err);
    if (!done)
        cm_pg_rollback(linker->pg);
    free(work);
    return done;
}
