#include "billing/print/view.h"

#include "base/decimal/decimal.h"
#include "base/time/time.h"
#include "billing/catalog/model/currency.h"
#include "billing/print/internal.h"

#include <stdio.h>
#include <string.h>

const char *const cm_view_names[CM_VIEW_COUNT + 1] = {
    [CM_VIEW_CUSTOMER] = "customer", [CM_VIEW_RESELLER] = "reseller", [CM_VIEW_DISTRIBUTOR] = "distributor"};

/* Copies those of `keys` (NULL-ended) that exist. */
static void copy(json_t *to, const json_t *from, const char *const *keys)
{
    for (; *keys; keys++) {
        json_t *value = json_object_get(from, *keys);
        if (value)
            json_object_set(to, *keys, value);
    }
}

/* I12: from the catalog's document, only what is meant to be printed. */
static json_t *party(const char *id, const json_t *document)
{
    static const char *const keys[] = {"name", "address", "country", "tax_id", "contact", "email", NULL};
    json_t *ret = json_pack("{s:s}", "id", id);
    copy(ret, document, keys);
    return ret;
}

static json_t *reseller_json(const json_t *document, const json_t *parties)
{
    static const char *const more[] = {"profile", "logo", NULL};
    const json_t *found = json_object_get(parties, "reseller");
    json_t *ret = party(cm_print_text(document, "reseller"), found);
    copy(ret, found, more);
    if (strncmp(cm_print_text(ret, "logo"), "data:", 5) != 0)
        json_object_del(ret, "logo"); /* the name of a file, stored by older versions; the file itself is not known */
    return ret;
}

static json_t *customers_json(const json_t *document, const json_t *parties)
{
    json_t *ret = json_array(), *customer;
    size_t i;
    json_array_foreach (json_object_get(document, "customers"), i, customer) {
        const char *id = cm_print_text(customer, "id");
        json_t *one = party(id, json_object_get(json_object_get(parties, "customers"), id));
        json_object_set(one, "name", json_object_get(customer, "name"));
        json_array_append_new(ret, one);
    }
    return ret;
}

/* The statement's own address (I04): the reseller's template with the id filled in. NULL: none. */
static json_t *link_json(const json_t *document, const json_t *parties)
{
    const char *url = cm_print_text(json_object_get(parties, "reseller"), "statement_url"), *at = strstr(url, "{id}");
    cm_buffer text = {0};
    if (!at)
        return NULL;
    cm_buffer_append(&text, url, (size_t)(at - url));
    cm_buffer_printf(&text, "%s%s", cm_print_text(document, "id"), at + strlen("{id}"));
    json_t *ret = json_string(text.data);
    cm_buffer_free(&text);
    return ret;
}

static const char *title_of(const json_t *document, enum cm_view view)
{
    const char *kind = cm_print_text(document, "kind");
    if (view == CM_VIEW_DISTRIBUTOR)
        return "Purchases of a statement";
    return strcmp(kind, "credit_note") == 0  ? "Credit note"
           : strcmp(kind, "adjustment") == 0 ? "Adjustment"
                                             : "Billing statement";
}

static void put_period(json_t *view, const char *month)
{
    char first[CM_INSTANT_TEXT], last[CM_INSTANT_TEXT];
    cm_period period;
    bool valid = cm_period_parse(cm_slice_of(month), &period);
    cm_assert(valid);
    cm_day_print(cm_day_of(cm_period_start(period)), first);
    cm_day_print(cm_day_of(cm_period_end(period)) - 1, last);
    json_object_set_new(view, "period", json_string(month));
    json_object_set_new(view, "cycle",
                        json_pack("{s:s, s:s, s:s}", "length", "monthly", "start", first, "end", last)); /* N13 */
}

static json_t *day_json(const char *instant)
{
    return strlen(instant) < 10 ? json_null() : json_stringn(instant, 10);
}

/* The language of a document about one customer is that customer's, else the reseller's. */
static void put_language(json_t *view, const json_t *document, const json_t *parties)
{
    const json_t *customers = json_object_get(document, "customers"),
                 *only = json_array_size(customers) == 1 ? json_array_get(customers, 0) : NULL,
                 *customer = json_object_get(json_object_get(parties, "customers"), cm_print_text(only, "id"));
    const char *language = cm_print_text(customer, "language"),
               *others = cm_print_text(json_object_get(parties, "reseller"), "language");
    json_object_set_new(view, "language", json_string(*language ? language : *others ? others : "en"));
    json_object_set_new(view, "title", json_string(cm_say(view, cm_print_text(view, "title"))));
}

/* What every view begins with. */
static json_t *head(const json_t *record, enum cm_view which)
{
    static const char *const identity[] = {"id", "number", "kind", "state", NULL};
    const json_t *document = json_object_get(record, "document"),
                 *parties = json_object_get(json_object_get(record, "settings"), "parties");
    json_t *view = json_pack("{s:s, s:s, s:b}", "view", cm_view_names[which], "title", title_of(document, which),
                             "payable", false); /* I06 */
    copy(view, document, identity);
    if (which == CM_VIEW_CUSTOMER && json_object_get(json_object_get(record, "settings"), "labels"))
        put_language(view, document, parties);
    put_period(view, cm_print_text(document, "period"));
    json_object_set_new(view, "issued_on", day_json(cm_print_text(json_object_get(record, "issued"), "at")));
    json_t *link = link_json(document, parties), *corrects = json_object_get(document, "corrects");
    if (link)
        json_object_set_new(view, "link", link);
    if (corrects)
        json_object_set(view, "corrects", corrects);
    json_object_set_new(view, "reseller", reseller_json(document, parties));
    json_object_set_new(view, "customers", customers_json(document, parties));
    return view;
}

static json_t *lines_json(const json_t *view, const json_t *document, const json_t *settings, bool for_customer)
{
    static const char *const keys[] = {"product",  "usage_type",   "unit",   "class",
                                       "quantity", "amount_exact", "amount", NULL};
    const json_t *accounts = json_object_get(settings, "accounts"), *labels = json_object_get(settings, "labels");
    json_t *ret = json_array(), *line;
    size_t i;
    json_array_foreach (json_object_get(document, "lines"), i, line) {
        const json_t *account = json_object_get(accounts, cm_print_text(line, "account"));
        json_t *tags = json_object_get(account, "tags");
        json_t *one = json_pack("{s:O, s:O, s:s, s:o}", "customer", json_object_get(line, "customer"), "account",
                                json_object_get(line, "account"), "account_name", cm_print_text(account, "name"),
                                "tags", tags ? json_incref(tags) : json_object());
        copy(one, line, keys);
        if (for_customer && labels) { /* records without labels are printed as they always were (I09) */
            cm_print_for_customer(view, one, labels);
            if (!json_object_get(one, "tiers"))
                cm_print_unit_price(one, document);
        }
        json_array_append_new(ret, one);
    }
    return ret;
}

/* The rate with who set it and when (R06); null: nothing was converted, or there is no rate. */
static json_t *rate_json(const json_t *document, const json_t *settings)
{
    static const char *const keys[] = {"from", "to", "rate", "period", "set_by", "set_at", NULL};
    const json_t *fx = json_object_get(settings, "fx");
    if (!json_is_object(fx))
        return json_null();
    json_t *ret = json_object();
    copy(ret, fx, keys);
    json_object_set(ret, "rate", json_object_get(document, "rate"));
    return ret;
}

/* The content of a document: figures as stored. */
static void put_figures(json_t *view, const json_t *record, enum cm_view which)
{
    static const char *const sums[] = {"subtotal", "tax", "total", NULL};
    const json_t *document = json_object_get(record, "document"), *settings = json_object_get(record, "settings");
    const char *currency = cm_print_text(document, "currency");
    int digits = cm_currency_minor_digits(currency);
    json_object_set_new(view, "currency", json_string(currency));
    json_object_set_new(view, "minor_digits", json_integer(digits < 0 ? 2 : digits));
    json_object_set(view, "rate", json_object_get(document, "rate"));
    json_object_set_new(view, "exchange_rate", rate_json(document, settings));
    json_object_set_new(view, "lines", lines_json(view, document, settings, which == CM_VIEW_CUSTOMER));
    copy(view, document, sums);
}

/* For the reseller: what it costs and earns, and the document's history. */
static void put_own(json_t *view, const json_t *record)
{
    static const char *const history[] = {"arrears", "approved", "issued", "overrides", NULL};
    static const char *const origin[] = {"catalog", "runs", "remit_to", NULL};
    static const char *const margin[] = {"rate", "distributor_rate", "rows",     "sell", "buy",
                                         "fx",   "margin",           "negative", NULL};
    const json_t *settings = json_object_get(record, "settings"), *earned = json_object_get(record, "margin");
    json_object_set(view, "lane", json_object_get(json_object_get(record, "document"), "lane"));
    json_object_set_new(view, "margin", earned ? json_object() : json_null());
    copy(json_object_get(view, "margin"), earned, margin);
    copy(view, record, history);
    copy(view, settings, origin);
}

/* Billed minus credited for earlier months (N12), in the source currency. */
static json_t *net_json(const json_t *margin, const json_t *arrears)
{
    cm_decimal net, amount;
    char text[CM_DECIMAL_TEXT];
    size_t i;
    json_t *one;
    bool fits = cm_decimal_parse_strict(cm_slice_of(cm_print_text(margin, "source_buy")), &net);
    json_array_foreach (arrears, i, one)
        fits = fits && cm_decimal_parse_strict(cm_slice_of(cm_print_text(one, "amount")), &amount) &&
               cm_decimal_subtract(net, amount, &net);
    if (!fits)
        return json_null();
    cm_decimal_print(net, text);
    return json_string(text);
}

static void put_bought(json_t *view, const json_t *record)
{
    static const char *const bought[] = {"source_currency", "source_buy", "paid", "distributor_rate", NULL};
    const json_t *document = json_object_get(record, "document"), *margin = json_object_get(record, "margin");
    int digits = cm_currency_minor_digits(cm_print_text(document, "currency"));
    json_object_set(view, "lane", json_object_get(document, "lane"));
    json_object_set(view, "currency", json_object_get(document, "currency"));
    json_object_set_new(view, "minor_digits", json_integer(digits < 0 ? 2 : digits));
    copy(view, margin, bought);
    json_object_set(view, "rows", json_object_get(margin, "bought"));
    json_t *arrears = json_object_get(record, "arrears");
    json_object_set_new(view, "arrears", arrears ? json_incref(arrears) : json_array());
    json_object_set_new(view, "source_net", net_json(margin, arrears));
    json_object_set(view, "remit_to", json_object_get(json_object_get(record, "settings"), "remit_to"));
}

#define NOT_ISSUED "document %s is %s: customers see issued documents only (I11); "

static bool may_be_seen(const json_t *record, enum cm_view view, cm_error *err)
{
    const json_t *document = json_object_get(record, "document");
    const char *state = cm_print_text(document, "state"), *id = cm_print_text(document, "id");
    if (view == CM_VIEW_CUSTOMER && strcmp(state, "issued") != 0)
        return strcmp(state, "draft") == 0
                   ? cm_fail(err, CM_ERROR_REFUSED, "NOT_ISSUED",
                             NOT_ISSUED "`curmill statement approve %s --by WHO` and then `curmill statement issue %s "
                                        "--by WHO`, or look at it with --view reseller",
                             id, state, id, id)
               : strcmp(state, "approved") == 0
                   ? cm_fail(err, CM_ERROR_REFUSED, "NOT_ISSUED",
                             NOT_ISSUED "`curmill statement issue %s --by WHO`, or look at it with --view reseller", id,
                             state, id)
                   : cm_fail(err, CM_ERROR_REFUSED, "NOT_ISSUED",
                             NOT_ISSUED "it will never be issued; look at it with --view reseller", id, state);
    if (view == CM_VIEW_DISTRIBUTOR && !json_object_get(json_object_get(record, "margin"), "bought"))
        return cm_fail(err, CM_ERROR_REFUSED, "NOT_RECORDED", "what was bought is not stored with document %s: %s", id,
                       json_object_get(document, "corrects")
                           ? "it is a correction, export the document that it corrects"
                           : "an earlier version made it; `curmill statement margin` may show it");
    return true;
}

json_t *cm_view_make(const json_t *record, enum cm_view view, cm_error *err)
{
    if (!may_be_seen(record, view, err))
        return NULL;
    json_t *ret = head(record, view);
    if (view == CM_VIEW_DISTRIBUTOR) {
        put_bought(ret, record);
        return ret;
    }
    put_figures(ret, record, view);
    if (view == CM_VIEW_RESELLER)
        put_own(ret, record);
    return ret;
}
