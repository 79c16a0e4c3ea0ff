/* Distributor. */
#include "billing/catalog/parse/parse.h"

static bool parse_address(cm_parser *parser, cm_json_reader *reader, cm_postal_address *address)
{
    const struct {
        const char *name;
        const char **value;
    } keys[] = {
        {"address_line1", &address->line1},
        {"address_line2", &address->line2},
        {"address_line3", &address->line3},
        {"district_or_county", &address->district_or_county},
        {"city", &address->city},
        {"state_or_region", &address->state_or_region},
        {"postal_code", &address->postal_code},
        {"country_code", &address->country_code},
    };
    enum { KEYS = sizeof keys / sizeof keys[0] };
    cm_slice key;
    for (size_t i = 0; i < KEYS; i++)
        *keys[i].value = "";
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        size_t i = 0;
        while (i < KEYS && !cm_slice_is(key, keys[i].name))
            i++;
        if (i == KEYS)
            return cm_json_fail(reader, "an unknown key");
        cm_parse_text(parser, reader, keys[i].value);
    }
    return !reader->failed;
}

static bool parse_profile(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_tax_profile *profile = element;
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "country"))
            cm_parse_text(parser, reader, &profile->country);
        else if (cm_slice_is(key, "registration_id"))
            cm_parse_text(parser, reader, &profile->registration_id);
        else if (cm_slice_is(key, "registration_type"))
            cm_parse_text(parser, reader, &profile->registration_type);
        else if (cm_slice_is(key, "legal_name"))
            cm_parse_text(parser, reader, &profile->legal_name);
        else if (cm_slice_is(key, "address"))
            parse_address(parser, reader, &profile->address);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (!profile->country || !profile->registration_id || !profile->registration_type ||
                            !profile->legal_name || !profile->address.line1))
        return cm_json_fail(reader, "a tax profile needs country, registration_id and _type, legal_name and address");
    return !reader->failed;
}

static bool parse_territory(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_territory *territory = element;
    cm_slice key;
    territory->from = INT64_MIN;
    territory->to = INT64_MAX;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "country"))
            cm_parse_text(parser, reader, &territory->country);
        else if (cm_slice_is(key, "from"))
            cm_parse_instant(reader, &territory->from);
        else if (cm_slice_is(key, "to"))
            cm_parse_instant(reader, &territory->to);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    return reader->failed ? false : territory->country || cm_json_fail(reader, "a territory needs a country");
}

static bool parse_remit_to(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_remit_to *remit_to = element;
    cm_slice key;
    const char **lines = NULL;
    size_t ignored;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "country"))
            cm_parse_text(parser, reader, &remit_to->country);
        else if (cm_slice_is(key, "name"))
            cm_parse_text(parser, reader, &remit_to->name);
        else if (cm_slice_is(key, "address"))
            cm_parse_texts(parser, reader, &lines, &ignored);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    remit_to->address = lines;
    if (!reader->failed && (!remit_to->country || !remit_to->name || !lines))
        return cm_json_fail(reader, "a remit_to needs country, name and address");
    return !reader->failed;
}

static bool parse_key(cm_parser *parser, cm_json_reader *reader, cm_slice key, cm_distributor *distributor)
{
    const char **texts;
    if (cm_slice_is(key, "name"))
        return cm_parse_text(parser, reader, &distributor->name);
    if (cm_slice_is(key, "lane"))
        return cm_parse_text(parser, reader, &distributor->lane);
    if (cm_slice_is(key, "email_domains")) {
        bool done = cm_parse_texts(parser, reader, &texts, &distributor->email_domain_count);
        distributor->email_domains = done ? texts : NULL;
        return done;
    }
    if (cm_slice_is(key, "territories"))
        distributor->territories = cm_parse_list(parser, reader, sizeof *distributor->territories, parse_territory,
                                                 &distributor->territory_count);
    else if (cm_slice_is(key, "tax_profiles"))
        distributor->tax_profiles = cm_parse_list(parser, reader, sizeof *distributor->tax_profiles, parse_profile,
                                                  &distributor->tax_profile_count);
    else if (cm_slice_is(key, "remit_to"))
        distributor->remit_to =
            cm_parse_list(parser, reader, sizeof *distributor->remit_to, parse_remit_to, &distributor->remit_to_count);
    else
        return cm_json_fail(reader, "an unknown key");
    return !reader->failed;
}

static bool parse_distributor(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_distributor *distributor = element;
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key))
        if (!parse_key(parser, reader, key, distributor))
            return false;
    return !reader->failed &&
           ((distributor->name && distributor->lane) || cm_json_fail(reader, "a distributor needs name and lane"));
}

bool cm_parse_distributors(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->distributors = cm_parse_documents(parser, reader, sizeof *catalog->distributors, parse_distributor,
                                                       &catalog->distributor_count));
}
