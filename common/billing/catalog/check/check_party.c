/* Reseller and Customer with its accounts. */
#include "base/json/json.h"
#include "billing/catalog/check/check.h"

#include <stdlib.h>

/* `name`, by default the id. */
static void put_name(cm_checker *checker, cm_document *document, const cm_yaml_node *node)
{
    if (node)
        cm_put_text(checker, document->json, "name", node);
    else if (document->id)
        json_object_set_new(document->json, "name", json_string(document->id));
}

void cm_check_reseller(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_RESELLER_COUNT];
    const char *text;
    document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_reseller_keys, fields))
        return;
    if (fields[CM_KEY_RESELLER_ID].value)
        cm_read_id(checker, fields[CM_KEY_RESELLER_ID].value, "id", &text);
    put_name(checker, document, fields[CM_KEY_RESELLER_NAME].value);
    cm_put_one_of(checker, document->json, "consolidation", fields[CM_KEY_RESELLER_CONSOLIDATION].value,
                  cm_consolidation_names);
    cm_put_profile(checker, document->json, fields + CM_KEY_RESELLER_PROFILE);
    cm_put_logo(checker, document->json, fields[CM_KEY_RESELLER_LOGO].value);
    cm_put_text(checker, document->json, "profile", fields[CM_KEY_RESELLER_TEXT].value);
    cm_put_statement_url(checker, document->json, fields[CM_KEY_RESELLER_URL].value);
    cm_put_numbers(checker, document, fields[CM_KEY_RESELLER_NUMBER].value, fields[CM_KEY_RESELLER_SERIES].value);
}

/* ---- customer ---- */

/* What a customer may have with AWS (N20; the rest through the sales representative, O17). */
static const char *const declared_plans[] = {"basic", "developer", "business", "business_plus", "enterprise", NULL};

/* N11: billing of a moved account goes live on the 1st. */
static void check_interval(cm_checker *checker, const cm_field *fields, cm_checked_link *link)
{
    cm_period period = cm_period_of(link->from);
    if (cm_period_start(period) != link->from)
        cm_warn(checker, fields[CM_KEY_ACCOUNT_FROM].value,
                "account %s: from is not the 1st of a month, 00:00 UTC (N11): usage of that month "
                "before it stays with the owner before, and is suspended (BEFORE_BILLED_FROM) if there is none",
                link->account);
    if (link->to <= link->from)
        cm_wrong(checker, fields[CM_KEY_ACCOUNT_TO].value,
                 "account %s: to must be after from (the interval is half-open: to is the first "
                 "instant that no longer counts)",
                 link->account);
}

static json_t *account(cm_checker *checker, const cm_yaml_node *node, const cm_document *customer)
{
    cm_field fields[CM_KEY_ACCOUNT_COUNT];
    cm_checked_link link = {.customer = customer, .to = INT64_MAX};
    json_t *json = json_object();
    const char *group;
    int plan;
    if (!cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "an account of %s", customer->title),
                         &cm_account_keys, fields))
        return json;
    bool good = fields[CM_KEY_ACCOUNT_ID].value &&
                cm_read_account(checker, fields[CM_KEY_ACCOUNT_ID].value, "id", &link.account);
    good &= fields[CM_KEY_ACCOUNT_PAYER].value &&
            cm_read_reference(checker, fields[CM_KEY_ACCOUNT_PAYER].value, "payer", CM_DOCUMENT_PAYER, &link.payer);
    good &= fields[CM_KEY_ACCOUNT_FROM].value &&
            cm_read_instant(checker, fields[CM_KEY_ACCOUNT_FROM].value, "from", &link.from);
    good &=
        !fields[CM_KEY_ACCOUNT_TO].value || cm_read_instant(checker, fields[CM_KEY_ACCOUNT_TO].value, "to", &link.to);
    if (fields[CM_KEY_ACCOUNT_GROUP].value &&
        cm_read_reference(checker, fields[CM_KEY_ACCOUNT_GROUP].value, "support_plan_group",
                          CM_DOCUMENT_SUPPORT_PLAN_GROUP, &group))
        json_object_set_new(json, "support_plan_group", json_string(link.group = group));
    if (fields[CM_KEY_ACCOUNT_PLAN].value &&
        cm_read_one_of(checker, fields[CM_KEY_ACCOUNT_PLAN].value, "support_plan", declared_plans, &plan))
        json_object_set_new(json, "support_plan", json_string(declared_plans[plan]));
    cm_put_text(checker, json, "name", fields[CM_KEY_ACCOUNT_NAME].value);
    cm_put_tags(checker, json, fields[CM_KEY_ACCOUNT_TAGS].value, customer->title);
    if (!good)
        return json;
    check_interval(checker, fields, &link);
    json_object_set_new(json, "id", json_string(link.account));
    json_object_set_new(json, "payer", json_string(link.payer));
    json_object_set_new(json, "from", cm_json_instant(link.from));
    if (link.to != INT64_MAX)
        json_object_set_new(json, "to", cm_json_instant(link.to));
    link.node = fields[CM_KEY_ACCOUNT_ID].value;
    checker->links = cm_room(checker->links, checker->link_count, &checker->link_capacity, sizeof *checker->links);
    checker->links[checker->link_count++] = link;
    return json;
}

/* By payer, id, from: instants of one form sort as texts. */
static int by_account(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = strcmp(cm_json_member_text(x, "payer"), cm_json_member_text(y, "payer"));
    if (!order)
        order = strcmp(cm_json_member_text(x, "id"), cm_json_member_text(y, "id"));
    return order ? order : strcmp(cm_json_member_text(x, "from"), cm_json_member_text(y, "from"));
}

static json_t *accounts(cm_checker *checker, const cm_yaml_node *node, const cm_document *customer)
{
    json_t *array = json_array();
    const cm_yaml_node *const *items;
    size_t count;
    if (!node || !cm_read_list(checker, node, "accounts", false, CM_ACCOUNT_LIMIT, &items, &count))
        return array;
    if (checker->link_count + count > CM_ACCOUNT_LIMIT) {
        cm_wrong(checker, node, "more than %d accounts in the catalog", CM_ACCOUNT_LIMIT);
        return array;
    }
    json_t **list = cm_alloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = account(checker, items[i], customer);
    if (count)
        qsort(list, count, sizeof *list, by_account);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, list[i]);
    free(list);
    return array;
}

void cm_check_customer(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_CUSTOMER_COUNT];
    const char *text;
    json_t *json = document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_customer_keys, fields))
        return;
    if (fields[CM_KEY_CUSTOMER_ID].value)
        cm_read_id(checker, fields[CM_KEY_CUSTOMER_ID].value, "id", &text);
    put_name(checker, document, fields[CM_KEY_CUSTOMER_NAME].value);
    if (fields[CM_KEY_CUSTOMER_RESELLER].value &&
        cm_read_reference(checker, fields[CM_KEY_CUSTOMER_RESELLER].value, "reseller", CM_DOCUMENT_RESELLER, &text))
        json_object_set_new(json, "reseller", json_string(text));
    cm_check_terms(checker, document, fields + CM_KEY_CUSTOMER_FIRST, fields[CM_KEY_CUSTOMER_TERMS].value);
    json_object_set_new(json, "accounts", accounts(checker, fields[CM_KEY_CUSTOMER_ACCOUNTS].value, document));
    cm_put_profile(checker, json, fields + CM_KEY_CUSTOMER_PROFILE);
    cm_put_text(checker, json, "logo", fields[CM_KEY_CUSTOMER_LOGO].value);
}
