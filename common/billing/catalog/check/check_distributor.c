/* Distributor: who resells to the resellers of a lane. Its mail domains, territories (P17), tax data (T01, T03), where
 * it is paid. */
#include "base/json/json.h"
#include "billing/catalog/check/check.h"

#include <stdlib.h>

/* What AWS takes (TaxSettings, type RegistrationType). */
static const char *const registration_types[] = {"VAT", "GST",  "CPF", "CNPJ", "SST", "TIN", "NRIC", "PAN",
                                                 "NIP", "CUIT", "CDI", "RUT",  "NIE", "CI",  NULL};

static const char *lower(cm_checker *checker, const char *text)
{
    char *copy = cm_arena_printf(checker->arena, "%s", text);
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

static json_t *email_domains(cm_checker *checker, const cm_yaml_node *node)
{
    const cm_yaml_node *const *items;
    size_t count, good = 0;
    if (!cm_read_list(checker, node, "email_domains", true, 100, &items, &count))
        return json_array();
    const char **texts = cm_alloc((count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        if (!cm_read_text(checker, items[i], "email_domains", &texts[i]))
            continue;
        if (cm_is_domain(texts[i]))
            texts[i] = lower(checker, texts[i]), good++;
        else
            cm_wrong(checker, items[i], "email_domains: \"%s\" is not a domain: write it like example.com, without @",
                     texts[i]);
    }
    json_t *list = good == count ? cm_json_sorted_texts(checker, texts, items, count, "email_domains") : json_array();
    free(texts);
    return list;
}

/* An element of a list that is kept sorted, with where it stands. */
struct entry {
    json_t *json;
    const cm_yaml_node *node;
};

/* By country, then from: instants of one form sort as texts, and none is before all. */
static int by_country(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(cm_json_member_text(x->json, "country"), cm_json_member_text(y->json, "country"));
    if (!order)
        order = strcmp(cm_json_member_text(x->json, "from"), cm_json_member_text(y->json, "from"));
    if (!order)
        order = (x->node->line > y->node->line) - (x->node->line < y->node->line);
    return order ? order : (x->node->column > y->node->column) - (x->node->column < y->node->column);
}

/* The same country twice, unless (territories) the one ends before the other begins. */
static void check_countries(cm_checker *checker, const char *field, const struct entry *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const char *country = cm_json_member_text(list[i].json, "country"),
                   *to = cm_json_member_text(list[i - 1].json, "to");
        if (!*country || strcmp(cm_json_member_text(list[i - 1].json, "country"), country) != 0)
            continue;
        if (*to && strcmp(to, cm_json_member_text(list[i].json, "from")) <= 0)
            continue;
        cm_wrong(checker, list[i].node, "%s names %s twice%s; the first is at %s", field, country,
                 strcmp(field, "territories") == 0 ? " for the same time" : "", cm_place(checker, list[i - 1].node));
    }
}

static json_t *countries(cm_checker *checker, const cm_yaml_node *node, const char *field,
                         json_t *(*read)(cm_checker *, const cm_yaml_node *))
{
    const cm_yaml_node *const *items;
    size_t count;
    json_t *array = json_array();
    if (!cm_read_list(checker, node, field, false, 1000, &items, &count))
        return array;
    struct entry *list = cm_alloc((count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct entry){read(checker, items[i]), items[i]};
    if (count)
        qsort(list, count, sizeof *list, by_country);
    check_countries(checker, field, list, count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, list[i].json);
    free(list);
    return array;
}

static void put_country(cm_checker *checker, json_t *json, const cm_yaml_node *node)
{
    const char *country;
    if (node && cm_read_country(checker, node, "country", &country))
        json_object_set_new(json, "country", json_string(country));
}

/* P17 */
static json_t *territory(cm_checker *checker, const cm_yaml_node *node)
{
    cm_field fields[CM_KEY_TERRITORY_COUNT];
    json_t *json = json_object();
    cm_instant from = INT64_MIN, to = INT64_MAX;
    if (!cm_read_mapping(checker, node, "a territory", &cm_territory_keys, fields))
        return json;
    put_country(checker, json, fields[CM_KEY_TERRITORY_COUNTRY].value);
    if (fields[CM_KEY_TERRITORY_FROM].value &&
        cm_read_instant(checker, fields[CM_KEY_TERRITORY_FROM].value, "from", &from))
        json_object_set_new(json, "from", cm_json_instant(from));
    if (fields[CM_KEY_TERRITORY_TO].value && cm_read_instant(checker, fields[CM_KEY_TERRITORY_TO].value, "to", &to))
        json_object_set_new(json, "to", cm_json_instant(to));
    if (to <= from)
        cm_wrong(checker, fields[CM_KEY_TERRITORY_TO].value, "to must be after from (the interval is half-open)");
    return json;
}

/* As in the tax settings of AWS; compared there without regard to case, spaces and punctuation (T03). */
static json_t *tax_address(cm_checker *checker, const cm_yaml_node *node, const char *country)
{
    cm_field fields[CM_KEY_TAX_ADDRESS_COUNT];
    json_t *json = json_object();
    if (!cm_read_mapping(checker, node, "the address of a tax profile", &cm_tax_address_keys, fields))
        return json;
    for (int i = CM_KEY_TAX_ADDRESS_LINE1; i <= CM_KEY_TAX_ADDRESS_POSTAL; i++)
        cm_put_text(checker, json, fields[i].name, fields[i].value);
    const char *code = country;
    if (fields[CM_KEY_TAX_ADDRESS_COUNTRY].value &&
        !cm_read_country(checker, fields[CM_KEY_TAX_ADDRESS_COUNTRY].value, "country_code", &code))
        return json;
    if (code && country && strcmp(code, country) != 0)
        cm_wrong(checker, fields[CM_KEY_TAX_ADDRESS_COUNTRY].value,
                 "country_code %s: the tax profile is for %s, and AWS takes a registration number only with a legal "
                 "address in its country",
                 code, country);
    if (code)
        json_object_set_new(json, "country_code", json_string(code));
    return json;
}

/* T01, T03 */
static json_t *tax_profile(cm_checker *checker, const cm_yaml_node *node)
{
    cm_field fields[CM_KEY_TAX_PROFILE_COUNT];
    json_t *json = json_object();
    int type;
    if (!cm_read_mapping(checker, node, "a tax profile", &cm_tax_profile_keys, fields))
        return json;
    put_country(checker, json, fields[CM_KEY_TAX_PROFILE_COUNTRY].value);
    cm_put_text(checker, json, "registration_id", fields[CM_KEY_TAX_PROFILE_ID].value);
    cm_put_text(checker, json, "legal_name", fields[CM_KEY_TAX_PROFILE_NAME].value);
    if (fields[CM_KEY_TAX_PROFILE_TYPE].value &&
        cm_read_one_of(checker, fields[CM_KEY_TAX_PROFILE_TYPE].value, "registration_type", registration_types, &type))
        json_object_set_new(json, "registration_type", json_string(registration_types[type]));
    if (fields[CM_KEY_TAX_PROFILE_ADDRESS].value)
        json_object_set_new(json, "address",
                            tax_address(checker, fields[CM_KEY_TAX_PROFILE_ADDRESS].value,
                                        json_string_value(json_object_get(json, "country"))));
    return json;
}

static json_t *remit_to(cm_checker *checker, const cm_yaml_node *node)
{
    cm_field fields[CM_KEY_REMIT_COUNT];
    json_t *json = json_object(), *address;
    const cm_yaml_node *const *lines;
    const char *line;
    size_t count;
    if (!cm_read_mapping(checker, node, "a remit_to", &cm_remit_keys, fields))
        return json;
    put_country(checker, json, fields[CM_KEY_REMIT_COUNTRY].value);
    cm_put_text(checker, json, "name", fields[CM_KEY_REMIT_NAME].value);
    json_object_set_new(json, "address", address = json_array());
    if (fields[CM_KEY_REMIT_ADDRESS].value &&
        cm_read_list(checker, fields[CM_KEY_REMIT_ADDRESS].value, "address", true, 20, &lines, &count))
        for (size_t i = 0; i < count; i++)
            if (cm_read_text(checker, lines[i], "address", &line))
                json_array_append_new(address, json_string(line));
    return json;
}

void cm_check_distributor(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_DISTRIBUTOR_COUNT];
    const char *text;
    json_t *json = document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_distributor_keys, fields))
        return;
    if (fields[CM_KEY_DISTRIBUTOR_ID].value)
        cm_read_id(checker, fields[CM_KEY_DISTRIBUTOR_ID].value, "id", &text);
    if (fields[CM_KEY_DISTRIBUTOR_NAME].value)
        cm_put_text(checker, json, "name", fields[CM_KEY_DISTRIBUTOR_NAME].value);
    else if (document->id)
        json_object_set_new(json, "name", json_string(document->id));
    if (fields[CM_KEY_DISTRIBUTOR_LANE].value &&
        cm_read_id(checker, fields[CM_KEY_DISTRIBUTOR_LANE].value, "lane", &text)) {
        (void)cm_read_lane(checker, fields[CM_KEY_DISTRIBUTOR_LANE].value, &text);
        json_object_set_new(json, "lane", json_string(text));
        document->lane_node = fields[CM_KEY_DISTRIBUTOR_LANE].value;
        document->unique = text; /* one a lane */
        document->to = INT64_MAX;
    }
    static const struct {
        int field;
        json_t *(*read)(cm_checker *, const cm_yaml_node *);
    } lists[] = {{CM_KEY_DISTRIBUTOR_TERRITORIES, territory},
                 {CM_KEY_DISTRIBUTOR_PROFILES, tax_profile},
                 {CM_KEY_DISTRIBUTOR_REMIT, remit_to}};
    if (fields[CM_KEY_DISTRIBUTOR_DOMAINS].value)
        json_object_set_new(json, "email_domains", email_domains(checker, fields[CM_KEY_DISTRIBUTOR_DOMAINS].value));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const cm_field *field = &fields[lists[i].field];
        if (field->value)
            json_object_set_new(json, field->name, countries(checker, field->value, field->name, lists[i].read));
    }
}

/* ---- over all documents ---- */

/* Few documents are distributors: `list` holds all. */
static const cm_document *distributor_of(const cm_document *const *list, size_t count, const char *lane)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->unique, lane) == 0)
            return list[i];
    return NULL;
}

static bool has_profile(const cm_document *distributor, const char *country)
{
    size_t i;
    const json_t *profile;
    json_array_foreach (json_object_get(distributor->json, "tax_profiles"), i, profile)
        if (strcmp(cm_json_member_text(profile, "country"), country) == 0)
            return true;
    return false;
}

static void check_country(cm_checker *checker, const cm_document *payer, const cm_document *distributor)
{
    const char *country = cm_json_member_text(payer->json, "country");
    if (distributor && *country && json_array_size(json_object_get(distributor->json, "tax_profiles")) &&
        !has_profile(distributor, country))
        cm_warn(
            checker, payer->id_node,
            "%s is in %s, for which %s has no tax profile: whether AWS taxes its accounts correctly cannot be checked",
            payer->title, country, distributor->title);
}

/* A lane that is misspelt, or a country without a profile, must not pass as "nothing to check". */
void cm_check_distributors(cm_checker *checker)
{
    if (checker->incomplete)
        return;
    const cm_document **list = cm_alloc((checker->document_count + 1) * sizeof(void *));
    size_t count = 0;
    for (size_t i = 0; i < checker->document_count; i++) {
        const cm_document *document = &checker->documents[i];
        if (document->kind != CM_DOCUMENT_DISTRIBUTOR || !document->unique)
            continue;
        list[count++] = document;
        if (!cm_some_payer_has_lane(checker, document->unique))
            cm_wrong(checker, document->lane_node, "lane: no payer of this catalog has the lane \"%s\"",
                     document->unique);
    }
    for (size_t i = 0; count && i < checker->document_count; i++) {
        const cm_document *payer = &checker->documents[i];
        if (payer->kind == CM_DOCUMENT_PAYER)
            check_country(checker, payer, distributor_of(list, count, cm_json_member_text(payer->json, "lane")));
    }
    free(list);
}
