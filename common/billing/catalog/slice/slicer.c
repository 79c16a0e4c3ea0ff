#include "billing/catalog/slice/slicer.h"

#include <stdlib.h>

struct cm_slicer {
    const json_t *canonical;
    json_t *accounts; /* payer -> customer -> its accounts under the payer, borrowed from the catalog */
    json_t *books;    /* PriceBook -> [digest, text], as they are named */
    json_t *fresh;    /* of these, what was not handed out yet: [[digest, text], ...] */
};

static const char *const payer_only_reading[] = {"access",     "country", "organization", "reports", "source",
                                                 "root_email", NULL};
static const char *const customer_only_documents[] = {
    "accounts", "address",     "contact", "country", "email", "invoice_currency", "language", "logo",
    "name",     "spend_limit", "tax",     "tax_id",  NULL};
static const char *const account_only_documents[] = {"name", "tags", NULL};

static bool is_one_of(const char *key, const char *const *list)
{
    for (size_t i = 0; list[i]; i++)
        if (strcmp(list[i], key) == 0)
            return true;
    return false;
}

/* A copy without some keys. */
static json_t *without(const json_t *document, const char *const *keys)
{
    json_t *copy = json_object(), *value;
    const char *key;
    json_object_foreach ((json_t *)document, key, value)
        if (!is_one_of(key, keys))
            json_object_set(copy, key, value);
    return copy;
}

static const json_t *document_of(const cm_slicer *slicer, const char *kind, const char *id)
{
    return json_object_get(json_object_get(slicer->canonical, kind), id);
}

static void id_of_text(const char *text, char ret[static CM_ID_HEX])
{
    cm_digest *digest = cm_digest_new();
    cm_digest_raw(digest, text, strlen(text));
    cm_digest_finish_id(digest, ret);
}

static char *text_of(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    cm_assert(text);
    return text;
}

/* The object's member, made if it is not there. */
static json_t *member(json_t *object, const char *key, json_t *fresh(void))
{
    json_t *found = json_object_get(object, key);
    if (!found) {
        found = fresh();
        json_object_set_new(object, key, found);
    }
    return found;
}

static void index_accounts(cm_slicer *slicer)
{
    const char *id;
    json_t *customer, *account;
    size_t i;
    json_object_foreach (json_object_get(slicer->canonical, "Customer"), id, customer) {
        json_array_foreach (json_object_get(customer, "accounts"), i, account) {
            const char *payer = json_string_value(json_object_get(account, "payer"));
            if (payer)
                json_array_append(member(member(slicer->accounts, payer, json_object), id, json_array), account);
        }
    }
}

cm_slicer *cm_slicer_new(const json_t *canonical)
{
    cm_slicer *slicer = cm_alloc(sizeof *slicer);
    *slicer = (cm_slicer){canonical, json_object(), json_object(), json_array()};
    index_accounts(slicer);
    return slicer;
}

void cm_slicer_free(cm_slicer *slicer)
{
    if (!slicer)
        return;
    json_decref(slicer->accounts);
    json_decref(slicer->books);
    json_decref(slicer->fresh);
    free(slicer);
}

bool cm_slicer_next_book(cm_slicer *slicer, cm_slice_book *ret)
{
    size_t left = json_array_size(slicer->fresh);
    if (!left)
        return false;
    const json_t *book = json_array_get(slicer->fresh, left - 1);
    *ret = (cm_slice_book){json_string_value(json_array_get(book, 0)), json_string_value(json_array_get(book, 1))};
    json_array_remove(slicer->fresh, left - 1); /* `books` holds it, too */
    return true;
}

/* --- a slice ----------------------------------------------------------------------------------------------------- */

typedef struct cutting {
    cm_slicer *slicer;
    const char *payer;
    json_t *slice;
} cutting;

static json_t *section(const cutting *c, const char *kind)
{
    return member(c->slice, kind, json_object);
}

/* A book as rating reads it: labels of rules are for documents only. */
static json_t *unlabelled(const json_t *book)
{
    json_t *copy = NULL, *version, *rule;
    size_t v, r;
    json_array_foreach (json_object_get(book, "versions"), v, version) {
        json_array_foreach (json_object_get(version, "rules"), r, rule) {
            if (!json_object_get(rule, "label"))
                continue;
            if (!copy)
                copy = json_deep_copy(book);
            json_t *twin = json_array_get(json_object_get(copy, "versions"), v);
            json_object_del(json_array_get(json_object_get(twin, "rules"), r), "label");
        }
    }
    return copy ? copy : json_incref((json_t *)book);
}

static void name_book(const cutting *c, const char *id)
{
    json_t *known = json_object_get(c->slicer->books, id);
    const json_t *book = document_of(c->slicer, "PriceBook", id);
    if (!known && book) {
        json_t *rated = unlabelled(book);
        char digest[CM_ID_HEX], *text = text_of(rated);
        json_decref(rated);
        id_of_text(text, digest);
        known = json_pack("[s, s]", digest, text);
        json_object_set_new(c->slicer->books, id, known);
        json_array_append(c->slicer->fresh, known);
        free(text);
    }
    if (known)
        json_object_set(section(c, "PriceBook"), id, json_array_get(known, 0));
}

static void name_reseller(const cutting *c, const char *id)
{
    /* Referred to by payer and customers; rating does not look into it. */
    json_object_set_new(section(c, "Reseller"), id,
                        json_pack("{s:s, s:s}", "consolidation", "end_customer", "name", id));
}

static void name_group(const cutting *c, const char *id)
{
    static const char *const only_documents[] = {"label", NULL};
    const json_t *group = document_of(c->slicer, "SupportPlanGroup", id), *type = json_object_get(group, "type");
    const char *plan_id;
    json_t *plan;
    if (!group || json_object_get(section(c, "SupportPlanGroup"), id))
        return;
    json_object_set_new(section(c, "SupportPlanGroup"), id, without(group, only_documents));
    json_object_foreach (json_object_get(c->slicer->canonical, "SupportPlan"), plan_id, plan)
        if (json_equal(json_object_get(plan, "type"), type))
            json_object_set(section(c, "SupportPlan"), plan_id, plan);
}

/* Documents that a customer names, wherever in it. */
static void follow(const cutting *c, const json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;
    json_array_foreach ((json_t *)value, i, inner)
        follow(c, inner);
    json_object_foreach ((json_t *)value, key, inner) {
        const char *text = json_string_value(inner);
        if (!text)
            follow(c, inner);
        else if (strcmp(key, "price_book") == 0)
            name_book(c, text);
        else if (strcmp(key, "support_plan_group") == 0)
            name_group(c, text);
        else if (strcmp(key, "reseller") == 0)
            name_reseller(c, text);
    }
}

/* Terms that say nothing about rating are none. */
static json_t *rating_terms(const json_t *terms)
{
    json_t *kept = json_array(), *term;
    size_t i;
    json_array_foreach ((json_t *)terms, i, term) {
        json_t *own = without(term, customer_only_documents);
        if (json_object_size(own) > 1) /* more than `from` */
            json_array_append(kept, own);
        json_decref(own);
    }
    return kept;
}

static void add_customer(const cutting *c, const char *id)
{
    const json_t *document = document_of(c->slicer, "Customer", id);
    json_t *customers = section(c, "Customer"), *account;
    size_t i;
    if (!document || json_object_get(customers, id))
        return;
    json_t *customer = without(document, customer_only_documents), *accounts = json_array();
    json_object_set_new(customers, id, customer);
    json_array_foreach (json_object_get(json_object_get(c->slicer->accounts, c->payer), id), i, account)
        json_array_append_new(accounts, without(account, account_only_documents));
    if (json_object_get(customer, "terms")) {
        json_t *terms = rating_terms(json_object_get(customer, "terms"));
        if (json_array_size(terms))
            json_object_set(customer, "terms", terms);
        else
            json_object_del(customer, "terms");
        json_decref(terms);
    }
    json_object_set_new(customer, "accounts", accounts);
    follow(c, customer);
    json_object_set_new(customer, "name", json_string(id)); /* what every customer must have */
    json_object_set_new(customer, "invoice_currency", json_string(""));
}

static void add_whole(const cutting *c, const char *kind)
{
    json_t *documents = json_object_get(c->slicer->canonical, kind);
    if (json_object_size(documents))
        json_object_set(c->slice, kind, documents);
}

static void add_payer(const cutting *c, const json_t *document)
{
    json_t *payer = without(document, payer_only_reading);
    const char *buy_book = json_string_value(json_object_get(payer, "buy_book"));
    json_object_set_new(section(c, "Payer"), c->payer, payer);
    follow(c, payer);
    if (buy_book)
        name_book(c, buy_book);
}

char *cm_slicer_cut(cm_slicer *slicer, const char *payer, const cm_given_link *links, size_t count,
                    char ret_id[static CM_ID_HEX])
{
    const json_t *document = document_of(slicer, "Payer", payer);
    const char *customer;
    json_t *accounts;
    ret_id[0] = '\0';
    if (!document)
        return NULL;
    cutting c = {slicer, payer, json_object()};
    add_payer(&c, document);
    json_object_foreach (json_object_get(slicer->accounts, payer), customer, accounts)
        add_customer(&c, customer);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(links[i].payer, payer) != 0)
            continue;
        add_customer(&c, links[i].customer);
        name_group(&c, links[i].group);
    }
    add_whole(&c, "LineItemType");
    add_whole(&c, "SupportProduct");
    char *text = text_of(c.slice);
    id_of_text(text, ret_id);
    json_decref(c.slice);
    return text;
}
