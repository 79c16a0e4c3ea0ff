/*
 * Documents of months that are over: drafts to approve, documents to issue, gates that are shut; and money that was
 * left unbilled. Documents with the same obstacle are one duty.
 */
#include "base/json/json.h"
#include "store/documents/statement_store.h"
#include "store/duties/internal.h"

#include <stdio.h>
#include <string.h>

enum { DOCUMENTS_MAX = 1000, NAMES_MAX = 5 };

/* Documents with the same month, lane, code and detail. */
typedef struct obstacle {
    char code[64], lane[64], period[CM_PERIOD_TEXT], customer[256];
    char *detail; /* owned; "" of what is ready */
    size_t documents;
    cm_buffer names; /* the first few customers */
} obstacle;

typedef struct obstacles {
    obstacle *list;
    size_t count;
} obstacles;

static void obstacles_free(obstacles *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free(all->list[i].detail);
        cm_buffer_free(&all->list[i].names);
    }
    free(all->list);
}

static void add_obstacle(obstacles *all, const char *code, const char *lane, const char *period, const char *customer,
                         const char *detail)
{
    size_t i = 0;
    while (i < all->count && (strcmp(all->list[i].code, code) != 0 || strcmp(all->list[i].lane, lane) != 0 ||
                              strcmp(all->list[i].period, period) != 0 || strcmp(all->list[i].detail, detail) != 0))
        i++;
    if (i == all->count) {
        all->list = cm_realloc(all->list, ++all->count * sizeof *all->list);
        obstacle *new = &all->list[i];
        *new = (obstacle){.detail = cm_strdup(detail)};
        snprintf(new->code, sizeof new->code, "%s", code);
        snprintf(new->lane, sizeof new->lane, "%s", lane);
        snprintf(new->period, sizeof new->period, "%s", period);
        snprintf(new->customer, sizeof new->customer, "%s", customer);
    }
    obstacle *one = &all->list[i];
    if (one->documents < NAMES_MAX)
        cm_buffer_printf(&one->names, "%s%s", one->documents ? ", " : "", customer);
    else if (one->documents == NAMES_MAX)
        cm_buffer_text(&one->names, " ...");
    one->documents++;
}

/* --- documents --------------------------------------------------------------------------------------------------- */

static bool take_document(const duties *d, obstacles *all, const cm_rows *rows, int row, cm_error *err)
{
    const char *state = cm_rows_text(rows, row, 1), *lane = cm_rows_text(rows, row, 2),
               *period = cm_rows_text(rows, row, 3), *customer = cm_rows_text(rows, row, 4);
    if (!*customer)
        customer = cm_rows_text(rows, row, 5); /* a document for all customers of a reseller */
    json_t *document = json_loads(cm_rows_text(rows, row, 0), 0, NULL);
    cm_assert(document);
    json_t *gates = cm_store_statement_gates(d->pg, d->order->now, document, err);
    json_decref(document);
    if (!gates)
        return false;
    bool open = true, ready = true; /* open: it can be issued today; ready: it can once it is the 16th */
    size_t i;
    json_t *gate;
    json_array_foreach (gates, i, gate) {
        const char *code = cm_json_member_text(gate, "code");
        if (json_is_true(json_object_get(gate, "open")))
            continue;
        open = false;
        if (strcmp(code, "TOO_EARLY") == 0)
            continue;
        ready = false;
        add_obstacle(all, code, lane, period, customer, cm_json_member_text(gate, "detail"));
    }
    json_decref(gates);
    if (strcmp(state, "draft") == 0 && ready)
        add_obstacle(all, "APPROVE", lane, period, customer, "");
    else if (strcmp(state, "approved") == 0 && open)
        add_obstacle(all, "ISSUE", lane, period, customer, "");
    return true;
}

/* What is typed to get on with it; the detail of a gate says more. */
static void command_of(const obstacle *one, cm_buffer *ret)
{
    static const struct {
        const char *code, *command;
    } commands[] = {
        {"RUN_INCOMPLETE", "curmill run list --period %s"},  {"DELIVERY_MISSING", "curmill delivery list --period %s"},
        {"PRICES_STALE", "curmill run list --period %s"},    {"NOT_FINAL", "curmill period list --period %s"},
        {"SUSPENDED", "curmill suspended list --period %s"}, {"TAX_HOLD", "curmill tax status"},
    };
    if (strcmp(one->code, "APPROVE") == 0 || strcmp(one->code, "ISSUE") == 0) {
        cm_buffer_printf(ret, "curmill statement %s --period %s --lane %s --by WHO",
                         strcmp(one->code, "ISSUE") == 0 ? "issue" : "approve", one->period, one->lane);
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].code, one->code) != 0)
            continue;
        const char *at = strstr(commands[i].command, "%s");
        cm_buffer_printf(ret, "%.*s%s", at ? (int)(at - commands[i].command) : (int)strlen(commands[i].command),
                         commands[i].command, at ? one->period : "");
        return;
    }
    cm_buffer_text(ret,
                   "curmill catalog apply DIR --by WHO --reason TEXT --now"); /* what is missing is in the catalog */
}

static void tell(const duties *d, const obstacle *one)
{
    cm_buffer detail = {0}, command = {0};
    cm_period period;
    bool valid = cm_period_parse(cm_slice_of(one->period), &period);
    cm_assert(valid);
    duty what = {.code = one->code,
                 .lane = one->lane,
                 .period = one->period,
                 .customer = one->documents == 1 ? one->customer : NULL,
                 .since = cm_period_end(period)};
    if (*one->detail)
        cm_buffer_printf(&detail, "%zu document%s (%s): %s", one->documents, one->documents == 1 ? "" : "s",
                         one->names.data, one->detail);
    else
        cm_buffer_printf(&detail, "%zu %s%s (%s)", one->documents,
                         strcmp(one->code, "ISSUE") == 0 ? "approved document" : "draft",
                         one->documents == 1 ? "" : "s", one->names.data);
    command_of(one, &command);
    duties_add(d, &what, detail.data, command.data);
    cm_buffer_free(&detail);
    cm_buffer_free(&command);
}

static bool documents(const duties *d, cm_error *err)
{
    char month[CM_PERIOD_TEXT], most[16];
    snprintf(most, sizeof most, "%d", DOCUMENTS_MAX);
    const cm_duties_order *o = d->order;
    const char *values[] = {cm_period_print(cm_period_of(o->now), month), o->lane, o->payer, o->period, most};
    cm_rows *rows = NULL;
    obstacles all = {0};
    if (!cm_pg_query(d->pg,
                     "SELECT document, state, lane, period, customer, reseller FROM statement WHERE state IN ('draft', "
                     "'approved') AND period < $1 AND ($2::text IS NULL OR lane = $2)"
                     " AND ($3::text IS NULL OR $3 = ANY (payers)) AND ($4::text IS NULL OR period = $4)"
                     " ORDER BY period, lane, customer, id LIMIT $5::int",
                     5, values, &rows, err))
        return false;
    bool done = true;
    for (int i = 0; done && i < cm_rows_count(rows); i++)
        done = take_document(d, &all, rows, i, err);
    for (size_t i = 0; done && i < all.count; i++)
        tell(d, &all.list[i]);
    obstacles_free(&all);
    cm_rows_free(rows);
    return done;
}

/* --- unbilled money ---------------------------------------------------------------------------------------------- */

static bool unbilled(const duties *d, cm_error *err)
{
    cm_rows *rows = NULL;
    if (!cm_pg_query(d->pg,
                     "SELECT payer, lane, period, currency, trim_scale(sum(amount)), (extract(epoch FROM "
                     "min(acknowledged_at)) * 1000000)::bigint FROM unbilled WHERE state = 'open' GROUP BY 1, 2, 3, 4",
                     0, NULL, &rows, err))
        return false;
    for (int i = 0; i < cm_rows_count(rows); i++) {
        duty what = {.code = "UNBILLED",
                     .payer = cm_rows_text(rows, i, 0),
                     .lane = cm_rows_text(rows, i, 1),
                     .period = cm_rows_text(rows, i, 2),
                     .object = cm_rows_text(rows, i, 3),
                     .since = cm_rows_i64(rows, i, 5)};
        cm_buffer detail = {0}, command = {0};
        cm_buffer_printf(&detail, "%s %s was settled without being billed: bill it later, or write it off",
                         cm_rows_text(rows, i, 4), cm_rows_text(rows, i, 3));
        cm_buffer_printf(&command, "curmill unbilled list --payer %s --period %s", what.payer, what.period);
        duties_add(d, &what, detail.data, command.data);
        cm_buffer_free(&detail);
        cm_buffer_free(&command);
    }
    cm_rows_free(rows);
    return true;
}

bool duties_closing(const duties *d, cm_error *err)
{
    return documents(d, err) && unbilled(d, err);
}
