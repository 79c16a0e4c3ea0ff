/* Distributor: who resells to the resellers of a lane. Its mail domains, territories (P17), tax data (T01, T03), where
 * it is paid. */
#include "base/json/json.h"
#include "billing/catalog/check/check.h"
#include "billing/catalog/model/country.h"

#include <ctype.h>
#include <stdlib.h>

/* What AWS takes (TaxSettings, type RegistrationType). */
static const char *const registration_types[] = {"VAT", "GST",  "CPF", "CNPJ", "SST", "TIN", "NRIC", "PAN",
                                                 "NIP", "CUIT", "CDI", "RUT",  "NIE", "CI",  NULL};

bool cm_read_country(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret)
{
    if (!cm_read_text(checker, node, field, ret))
        return false;
    if (cm_country_is_known(*ret))
        return true;
    cm_wrong(checker, node, "%s \"%s\" is no country of ISO 3166: two upper-case letters, like AE", field, *ret);
    return false;
}

/* Labels of letters, digits and hyphens, at least two. */
static bool is_domain(const char *text)
{
    size_t labels = 0, length = 0;
    for (const char *c = text;; c++) {
        if (*c == '.' || *c == 0) {
            if (length == 0 || length > 63 || c[-1] == '-')
                return false;
            labels++;
            length = 0;
            if (*c == 0)
                return labels >= 2;
        } else if (isascii(*c) && (isalnum((unsigned char)*c) || (*c == '-' && length > 0)))
            length++;
        else
            return false;
    }
}

static const char *lower(cm_checker *checker, const char *text)
{
    char *copy = cm_arena_printf(checker->arena, "%s", text);
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

bool cm_read_email(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret)
{
    if (!cm_read_text(checker, node, field, ret))
        return false;
    const char *at = strrchr(*ret, '@');
    bool good = at && at > *ret && is_domain(at + 1) && !strchr(*ret, ' ');
    if (!good)
        cm_wrong(checker, node, "%s \"%s\" is no mail address: like aws-root@example.com", field, *ret);
    return good;
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
        if (is_domain(texts[i]))
            texts[i] = lower(checker, texts[i]), good++;
        else
            cm_wrong(checker, items[i], "email_domains: \"%s\" is no domain: like example.com, without @", texts[i]);
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
    enum { COUNTRY, FROM, TO };
    cm_field fields[] = {{"country", true, NULL, NULL}, {"from", false, NULL, NULL}, {"to", false, NULL, NULL}};
    json_t *json = json_object();
    cm_instant from = INT64_MIN, to = INT64_MAX;
    if (!CM_READ_MAPPING(checker, node, "a territory", fields))
        return json;
    put_country(checker, json, fields[COUNTRY].value);
    if (fields[FROM].value && cm_read_instant(checker, fields[FROM].value, "from", &from))
        json_object_set_new(json, "from", cm_json_instant(from));
    if (fields[TO].value && cm_read_instant(checker, fields[TO].value, "to", &to))
        json_object_set_new(json, "to", cm_json_instant(to));
    if (to <= from)
        cm_wrong(checker, fields[TO].value, "to must be after from (the interval is half-open)");
    return json;
}

/* As in the tax settings of AWS; compared there without regard to case, spaces and punctuation (T03). */
static json_t *tax_address(cm_checker *checker, const cm_yaml_node *node, const char *country)
{
    enum { LINE1, LINE2, LINE3, DISTRICT, CITY, STATE, POSTAL, COUNTRY };
    cm_field fields[] = {
        {"address_line1", true, NULL, NULL},
        {"address_line2", false, NULL, NULL},
        {"address_line3", false, NULL, NULL},
        {"district_or_county", false, NULL, NULL},
        {"city", true, NULL, NULL},
        {"state_or_region", false, NULL, NULL},
        {"postal_code", true, "AWS wants one in every tax address", NULL},
        {"country_code", false, NULL, NULL},
    };
    json_t *json = json_object();
    if (!CM_READ_MAPPING(checker, node, "the address of a tax profile", fields))
        return json;
    for (int i = LINE1; i <= POSTAL; i++)
        cm_put_text(checker, json, fields[i].name, fields[i].value);
    const char *code = country;
    if (fields[COUNTRY].value && !cm_read_country(checker, fields[COUNTRY].value, "country_code", &code))
        return json;
    if (code && country && strcmp(code, country) != 0)
        cm_wrong(checker, fields[COUNTRY].value,
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
    enum { COUNTRY, ID, TYPE, NAME, ADDRESS };
    cm_field fields[] = {
        {"country", true, NULL, NULL},
        {"registration_id", true, "the tax registration number that its payers must carry (T01)", NULL},
        {"registration_type", true, NULL, NULL},
        {"legal_name", true, NULL, NULL},
        {"address", true, "the tax address that its payers must carry (T03)", NULL},
    };
    json_t *json = json_object();
    int type;
    if (!CM_READ_MAPPING(checker, node, "a tax profile", fields))
        return json;
    put_country(checker, json, fields[COUNTRY].value);
    cm_put_text(checker, json, "registration_id", fields[ID].value);
    cm_put_text(checker, json, "legal_name", fields[NAME].value);
    if (fields[TYPE].value &&
        cm_read_one_of(checker, fields[TYPE].value, "registration_type", registration_types, &type))
        json_object_set_new(json, "registration_type", json_string(registration_types[type]));
    if (fields[ADDRESS].value)
        json_object_set_new(
            json, "address",
            tax_address(checker, fields[ADDRESS].value, json_string_value(json_object_get(json, "country"))));
    return json;
}

static json_t *remit_to(cm_checker *checker, const cm_yaml_node *node)
{
    enum { COUNTRY, NAME, ADDRESS };
    cm_field fields[] = {{"country", true, NULL, NULL}, {"name", true, NULL, NULL}, {"address", true, NULL, NULL}};
    json_t *json = json_object(), *address;
    const cm_yaml_node *const *lines;
    const char *line;
    size_t count;
    if (!CM_READ_MAPPING(checker, node, "a remit_to", fields))
        return json;
    put_country(checker, json, fields[COUNTRY].value);
    cm_put_text(checker, json, "name", fields[NAME].value);
    json_object_set_new(json, "address", address = json_array());
    if (fields[ADDRESS].value && cm_read_list(checker, fields[ADDRESS].value, "address", true, 20, &lines, &count))
        for (size_t i = 0; i < count; i++)
            if (cm_read_text(checker, lines[i], "address", &line))
                json_array_append_new(address, json_string(line));
    return json;
}

void cm_check_distributor(cm_checker *checker, cm_document *document)
{
    enum { KIND, ID, NAME, LANE, DOMAINS, TERRITORIES, PROFILES, REMIT };
    cm_field fields[] = {
        {"kind", true, NULL, NULL},           {"id", true, NULL, NULL},
        {"name", false, NULL, NULL},          {"lane", true, "the lane of its payers", NULL},
        {"email_domains", false, NULL, NULL}, {"territories", false, NULL, NULL},
        {"tax_profiles", false, NULL, NULL},  {"remit_to", false, NULL, NULL},
    };
    const char *text;
    json_t *json = document->json = json_object();
    if (!CM_READ_MAPPING(checker, document->root, document->title, fields))
        return;
    if (fields[ID].value)
        cm_read_id(checker, fields[ID].value, "id", &text);
    if (fields[NAME].value)
        cm_put_text(checker, json, "name", fields[NAME].value);
    else if (document->id)
        json_object_set_new(json, "name", json_string(document->id));
    if (fields[LANE].value && cm_read_id(checker, fields[LANE].value, "lane", &text)) {
        json_object_set_new(json, "lane", json_string(text));
        document->lane_node = fields[LANE].value;
        document->unique = text; /* one a lane */
        document->to = INT64_MAX;
    }
    static const struct {
        int field;
        json_t *(*read)(cm_checker *, const cm_yaml_node *);
    } lists[] = {{TERRITORIES, territory}, {PROFILES, tax_profile}, {REMIT, remit_to}};
    if (fields[DOMAINS].value)
        json_object_set_new(json, "email_domains", email_domains(checker, fields[DOMAINS].value));
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
        cm_warn(checker, payer->id_node,
                "%s is in %s, for which %s has no tax profile: whether AWS taxes its accounts rightly cannot be told",
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
