/* Payer: its model, lane and where its reports come from. */
#include "billing/catalog/check/check.h"

#include <stdlib.h>

/* Source types and their keys: "type", and then those of the type itself. What they mean: delivery/source. */
static const struct source_type {
    const char *name;
    const cm_key_table *keys;
} source_types[] = {
    {"folder", &cm_folder_source_keys},
    {"s3", &cm_s3_source_keys},
};
enum { SOURCE_TYPES = sizeof source_types / sizeof source_types[0] };

static const struct source_type *read_source_type(cm_checker *checker, const cm_yaml_node *node)
{
    const char *names[SOURCE_TYPES + 1] = {0};
    int which;
    for (size_t i = 0; i < SOURCE_TYPES; i++)
        names[i] = source_types[i].name;
    if (node->kind != CM_YAML_MAPPING) {
        cm_wrong(checker, node, "source must be a mapping, like {type: folder, path: /data/cur}");
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++)
        if (node->items[2 * i]->kind == CM_YAML_SCALAR && cm_slice_is(node->items[2 * i]->text, "type"))
            return cm_read_one_of(checker, node->items[2 * i + 1], "type", names, &which) ? &source_types[which] : NULL;
    cm_wrong(checker, node, "source has no \"type\": folder or s3");
    return NULL;
}

static void check_source_value(cm_checker *checker, const cm_yaml_node *node, const char *key, const char *value)
{
    if (strcmp(key, "role_arn") == 0 && strncmp(value, "arn:", 4) != 0)
        cm_wrong(checker, node, "role_arn \"%s\" is not an ARN: arn:aws:iam::<account>:role/<name>", value);
    if (strcmp(key, "endpoint") == 0 && strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
        cm_wrong(checker, node, "endpoint \"%s\" must begin with http:// or https://", value);
}

static json_t *check_source(cm_checker *checker, const cm_yaml_node *node, const char *title)
{
    const struct source_type *type = read_source_type(checker, node);
    if (!type)
        return NULL;
    cm_field fields[CM_KEYS_MAX];
    size_t count = type->keys->count;
    json_t *source = json_object();
    json_object_set_new(source, "type", json_string(type->name));
    cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "source (%s) of %s", type->name, title), type->keys,
                    fields);
    for (size_t i = 1; i < count; i++) {
        const char *value;
        if (fields[i].value && cm_read_text(checker, fields[i].value, fields[i].name, &value)) {
            check_source_value(checker, fields[i].value, fields[i].name, value);
            json_object_set_new(source, fields[i].name, json_string(value));
        }
    }
    return source;
}

/* A list of texts, sorted. */
static json_t *check_names(cm_checker *checker, const cm_yaml_node *node)
{
    const cm_yaml_node *const *items;
    size_t count, good = 0;
    if (!cm_read_list(checker, node, "reports", false, CM_MATCH_LIMIT, &items, &count))
        return NULL;
    const char **texts = cm_alloc((count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++)
        good += cm_read_text(checker, items[i], "reports", &texts[i]);
    json_t *list = good == count ? cm_json_sorted_texts(checker, texts, items, count, "reports") : json_array();
    free(texts);
    return list;
}

static bool is_none(cm_checker *checker, const cm_yaml_node *node)
{
    bool none = false;
    if (node && cm_read_bool(checker, node, "none", &none) && !none)
        cm_wrong(checker, node, "none can only be true; leave it out where reports come");
    return none;
}

/* A list of names, or {names, from, none}. */
static json_t *check_reports(cm_checker *checker, const cm_yaml_node *node, const char *title)
{
    cm_field fields[CM_KEY_REPORTS_COUNT];
    const char *text;
    cm_period from;
    if (node->kind != CM_YAML_MAPPING)
        return check_names(checker, node);
    json_t *reports = json_object();
    if (!cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "reports of %s", title), &cm_reports_keys,
                         fields))
        return reports;
    const cm_yaml_node *month = fields[CM_KEY_REPORTS_FROM].value;
    if (fields[CM_KEY_REPORTS_NAMES].value)
        json_object_set_new(reports, "names", check_names(checker, fields[CM_KEY_REPORTS_NAMES].value));
    if (month && cm_read_text(checker, month, "from", &text)) {
        if (!cm_period_parse(cm_slice_of(text), &from))
            cm_wrong(checker, month, "from \"%s\" is not a month, like 2025-03", text);
        json_object_set_new(reports, "from", json_string(text));
    }
    if (is_none(checker, fields[CM_KEY_REPORTS_NONE].value)) {
        if (json_object_size(reports))
            cm_wrong(checker, node, "none says that no reports come: leave out names and from");
        json_object_set_new(reports, "none", json_true());
    }
    return reports;
}

/* Topics and consumer groups carry the lane's name: curmill.<lane>.<dataset>.<event>.v1 */
static void check_lane(cm_checker *checker, const cm_yaml_node *node, json_t *json)
{
    const char *lane;
    bool known = cm_read_lane(checker, node, &lane);
    if (!lane)
        return;
    bool good = node->text.length <= 40 && lane[0] != '-';
    for (size_t i = 0; good && lane[i]; i++)
        good = (lane[i] >= 'a' && lane[i] <= 'z') || (lane[i] >= '0' && lane[i] <= '9') || lane[i] == '-';
    if (!good && known)
        cm_wrong(checker, node,
                 "lane \"%s\" must be a short name of small letters, digits and -: it is part of the names of "
                 "topics",
                 lane);
    json_object_set_new(json, "lane", json_string(lane));
}

/* P07, P08: shared or dedicated; P14: master */
static void check_model(cm_checker *checker, const cm_yaml_node *model_node, const cm_yaml_node *kind_node,
                        cm_document *document)
{
    size_t count = 0;
    int which;
    while (cm_payer_models[count])
        count++;
    const char **names = cm_arena_zalloc(checker->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = cm_payer_models[i]->name;
    if (model_node && cm_read_one_of(checker, model_node, "model", names, &which)) {
        document->model = cm_payer_models[which];
        json_object_set_new(document->json, "model", json_string(document->model->name));
    }
    if (!kind_node || !document->model)
        return;
    const char *field =
        cm_arena_printf(checker->arena, "payer_kind for model %s (P07, P08, P14)", document->model->name);
    if (cm_read_one_of(checker, kind_node, field, document->model->payer_kinds, &which)) {
        document->payer_kind = document->model->payer_kinds[which];
        json_object_set_new(document->json, "payer_kind", json_string(document->payer_kind));
    }
}

/* How its management account is reached: the role lies in it, and what AWS takes for an external id (STS AssumeRole).
 */
static json_t *check_access(cm_checker *checker, const cm_yaml_node *node, const cm_document *document)
{
    cm_field fields[CM_KEY_ACCESS_COUNT];
    json_t *access = json_object();
    const char *text;
    if (!cm_read_mapping(checker, node, cm_arena_printf(checker->arena, "access of %s", document->title),
                         &cm_access_keys, fields))
        return access;
    if (fields[CM_KEY_ACCESS_ROLE].value &&
        cm_read_text(checker, fields[CM_KEY_ACCESS_ROLE].value, "role_arn", &text)) {
        const char *account = strstr(text, ":iam::");
        size_t digits = account ? strspn(account + 6, "0123456789") : 0;
        if (strncmp(text, "arn:", 4) != 0 || digits != 12 || strncmp(account + 18, ":role/", 6) != 0 || !account[24])
            cm_wrong(checker, fields[CM_KEY_ACCESS_ROLE].value,
                     "role_arn \"%s\" is not the ARN of a role: arn:aws:iam::<account>:role/<name>", text);
        else if (document->id && strncmp(account + 6, document->id, 12) != 0)
            cm_wrong(checker, fields[CM_KEY_ACCESS_ROLE].value,
                     "role_arn is a role of account %.12s; it must be one of the payer %s itself", account + 6,
                     document->id);
        json_object_set_new(access, "role_arn", json_string(text));
    }
    if (fields[CM_KEY_ACCESS_EXTERNAL].value &&
        cm_read_text(checker, fields[CM_KEY_ACCESS_EXTERNAL].value, "external_id", &text)) {
        size_t good = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@:/-");
        if (text[good] || good < 2)
            cm_wrong(checker, fields[CM_KEY_ACCESS_EXTERNAL].value,
                     "external_id: AWS takes at least 2 characters, letters, digits and _ + = , . @ : / -");
        json_object_set_new(access, "external_id", json_string(text));
    }
    return access;
}

static void check_organization(cm_checker *checker, const cm_yaml_node *node, json_t *json)
{
    const char *text;
    if (!cm_read_text(checker, node, "organization", &text))
        return;
    size_t length = strlen(text);
    if (strncmp(text, "o-", 2) != 0 || length < 12 || length > 34 ||
        strspn(text + 2, "abcdefghijklmnopqrstuvwxyz0123456789") != length - 2)
        cm_wrong(checker, node,
                 "organization \"%s\" is not the id of an organization: o- and 10 to 32 lower-case letters or digits",
                 text);
    json_object_set_new(json, "organization", json_string(text));
}

void cm_check_payer(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_PAYER_COUNT];
    const char *text;
    document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_payer_keys, fields))
        return;
    if (fields[CM_KEY_PAYER_ID].value)
        cm_read_account(checker, fields[CM_KEY_PAYER_ID].value, "id", &text);
    if (fields[CM_KEY_PAYER_LANE].value)
        check_lane(checker, fields[CM_KEY_PAYER_LANE].value, document->json);
    check_model(checker, fields[CM_KEY_PAYER_MODEL].value, fields[CM_KEY_PAYER_PAYER_KIND].value, document);
    if (fields[CM_KEY_PAYER_RESELLER].value &&
        cm_read_reference(checker, fields[CM_KEY_PAYER_RESELLER].value, "reseller", CM_DOCUMENT_RESELLER, &text))
        json_object_set_new(document->json, "reseller", json_string(text));
    if (fields[CM_KEY_PAYER_BUY_BOOK].value &&
        cm_read_reference(checker, fields[CM_KEY_PAYER_BUY_BOOK].value, "buy_book", CM_DOCUMENT_PRICE_BOOK,
                          &document->buy_book))
        json_object_set_new(document->json, "buy_book", json_string(document->buy_book));
    if (fields[CM_KEY_PAYER_COUNTRY].value &&
        cm_read_country(checker, fields[CM_KEY_PAYER_COUNTRY].value, "country", &text))
        json_object_set_new(document->json, "country", json_string(text));
    if (fields[CM_KEY_PAYER_ACCESS].value)
        json_object_set_new(document->json, "access",
                            check_access(checker, fields[CM_KEY_PAYER_ACCESS].value, document));
    if (fields[CM_KEY_PAYER_ROOT_EMAIL].value &&
        cm_read_email(checker, fields[CM_KEY_PAYER_ROOT_EMAIL].value, "root_email", &text))
        json_object_set_new(document->json, "root_email", json_string(text));
    if (fields[CM_KEY_PAYER_ORGANIZATION].value)
        check_organization(checker, fields[CM_KEY_PAYER_ORGANIZATION].value, document->json);
    if (fields[CM_KEY_PAYER_SOURCE].value)
        json_object_set_new(document->json, "source",
                            check_source(checker, fields[CM_KEY_PAYER_SOURCE].value, document->title));
    const cm_yaml_node *of_reports = fields[CM_KEY_PAYER_REPORTS].value;
    json_t *reports = of_reports ? check_reports(checker, of_reports, document->title) : json_array();
    if (is_none(checker, fields[CM_KEY_PAYER_NONE].value)) {
        if (of_reports)
            cm_wrong(checker, fields[CM_KEY_PAYER_NONE].value, "none says that no reports come: leave out reports");
        json_decref(reports);
        reports = json_pack("{s:b}", "none", 1);
    }
    json_object_set_new(document->json, "reports", reports);
}
