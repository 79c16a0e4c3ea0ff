#include "billing/labels/labels.h"

#include "base/json/json.h"
#include "base/time/time.h"

#include <stdio.h>
#include <string.h>

typedef struct labelling {
    const json_t *catalog;
    const char *period;
    char start[CM_INSTANT_TEXT], end[CM_INSTANT_TEXT];
    json_t *tiered; /* customer -> rule id -> what is told of it */
} labelling;

static const json_t *document_of(const labelling *l, const char *kind, const char *id)
{
    return json_object_get(json_object_get(l->catalog, kind), id);
}

/* --- tiers ------------------------------------------------------------------------------------------------------- */

/* The customer's price book in the month: that of the latest terms that name one. */
static const char *book_of(const labelling *l, const json_t *customer)
{
    const char *book = cm_json_member_text(customer, "price_book");
    size_t i;
    json_t *term;
    json_array_foreach (json_object_get(customer, "terms"), i, term) {
        const char *named = cm_json_member_text(term, "price_book");
        if (*named && strncmp(cm_json_member_text(term, "from"), l->period, strlen(l->period)) <= 0)
            book = named;
    }
    return book;
}

static json_t *rule_json(const json_t *book, const json_t *rule)
{
    const json_t *price = json_object_get(rule, "price");
    return json_pack("{s:s, s:O?, s:O?, s:O?, s:O}", "label", cm_json_member_text(rule, "label"), "mode",
                     json_object_get(price, "mode"), "over", json_object_get(price, "over"), "currency",
                     json_object_get(book, "currency"), "tiers", json_object_get(price, "tiers"));
}

/* The tiers rules that hold in the month, each as in the latest version of the book (statement/tiers.c). */
static json_t *tiers_of(const labelling *l, const json_t *book)
{
    const json_t *versions = json_object_get(book, "versions");
    json_t *ret = json_object(), *rule;
    for (size_t v = json_array_size(versions), r; v-- > 0;) {
        const json_t *version = json_array_get(versions, v);
        const char *from = cm_json_member_text(version, "effective_from");
        if (strcmp(from, l->end) >= 0)
            continue;
        json_array_foreach (json_object_get(version, "rules"), r, rule) {
            const char *id = cm_json_member_text(rule, "id");
            if (json_object_get(json_object_get(rule, "price"), "tiers") && !json_object_get(ret, id))
                json_object_set_new(ret, id, rule_json(book, rule));
        }
        if (strcmp(from, l->start) <= 0)
            break;
    }
    return ret;
}

/* `customer` "": those of all customers (a document without a breakdown by customer). */
static json_t *rules_of(const labelling *l, const json_t *document, const char *customer)
{
    json_t *known = json_object_get(l->tiered, customer), *one;
    size_t i;
    if (known)
        return known;
    if (*customer) {
        known = tiers_of(l, document_of(l, "PriceBook", book_of(l, document_of(l, "Customer", customer))));
    } else {
        known = json_object();
        json_array_foreach (json_object_get(document, "customers"), i, one) {
            const char *id = cm_json_member_text(one, "id");
            if (*id)
                json_object_update_missing(known, rules_of(l, document, id));
        }
    }
    json_object_set_new(l->tiered, customer, known);
    return known;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static json_t *member(json_t *object, const char *key)
{
    json_t *found = json_object_get(object, key);
    if (!found) {
        found = json_object();
        json_object_set_new(object, key, found);
    }
    return found;
}

/* The label, else a name that is not just the id, else "". */
static const char *label_of(const json_t *document, const char *id)
{
    const char *label = cm_json_member_text(document, "label"), *name = cm_json_member_text(document, "name");
    return *label ? label : strcmp(name, id) == 0 ? "" : name;
}

static void add_line(const labelling *l, const json_t *of, const json_t *line, json_t *ret)
{
    static const struct {
        const char *class, *kind, *section;
    } kinds[] = {{"support", "SupportPlanGroup", "support"},
                 {"custom_charge", "CustomCharge", "charges"},
                 {"reseller_credit", "Credit", "credits"}};
    const char *class = cm_json_member_text(line, "class"), *id = cm_json_member_text(line, "usage_type"),
               *customer = cm_json_member_text(line, "customer");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const json_t *document = strcmp(class, kinds[i].class) == 0 ? document_of(l, kinds[i].kind, id) : NULL;
        if (document)
            json_object_set_new(member(ret, kinds[i].section), id, json_string(label_of(document, id)));
    }
    json_t *rule = json_object_get(rules_of(l, of, customer), id);
    if (rule)
        json_object_set(member(member(ret, "rules"), customer), id, rule);
}

json_t *cm_labels_of_document(const json_t *catalog, const json_t *document, const char *period)
{
    labelling l = {.catalog = catalog, .period = period};
    cm_period month;
    size_t i;
    json_t *line, *ret = json_object();
    bool valid = cm_period_parse(cm_slice_of(period), &month);
    cm_assert(valid);
    cm_instant_print(cm_period_start(month), l.start);
    cm_instant_print(cm_period_end(month), l.end);
    l.tiered = json_object();
    json_array_foreach (json_object_get(document, "lines"), i, line)
        add_line(&l, document, line, ret);
    json_decref(l.tiered);
    return ret;
}
