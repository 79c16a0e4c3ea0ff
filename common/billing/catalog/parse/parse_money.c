/* CustomCharge and Credit. */
#include "billing/catalog/parse/parse.h"

static bool parse_customer(cm_parser *parser, cm_json_reader *reader, const cm_customer **ret)
{
    const char *id;
    if (!cm_parse_text(parser, reader, &id))
        return false;
    *ret = cm_catalog_customer(parser->catalog, id);
    return *ret || cm_json_fail(reader, "a customer that is not there");
}

static bool parse_custom_charge(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_custom_charge *charge = element;
    cm_slice key;
    bool has_amount = false, has_base = false;
    charge->from = INT64_MIN;
    charge->to = INT64_MAX;
    charge->currency = "";
    charge->base_layer = CM_LAYER_SELL;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "name"))
            cm_parse_text(parser, reader, &charge->name);
        else if (cm_slice_is(key, "label"))
            cm_parse_label(reader);
        else if (cm_slice_is(key, "customer"))
            parse_customer(parser, reader, &charge->customer);
        else if (cm_slice_is(key, "lane"))
            cm_parse_text(parser, reader, &charge->lane);
        else if (cm_slice_is(key, "from"))
            cm_parse_month(reader, &charge->from);
        else if (cm_slice_is(key, "to"))
            cm_parse_month(reader, &charge->to);
        else if (cm_slice_is(key, "amount"))
            has_amount = cm_parse_decimal(reader, &charge->amount);
        else if (cm_slice_is(key, "currency"))
            cm_parse_text(parser, reader, &charge->currency);
        else if (cm_slice_is(key, "percent"))
            charge->is_percent = cm_parse_decimal(reader, &charge->percent);
        else if (cm_slice_is(key, "base"))
            has_base = cm_parse_base(reader, &charge->base_layer, charge->base_class);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (!charge->name || !charge->customer || !charge->lane || charge->from == INT64_MIN ||
                            has_amount == charge->is_percent || has_base != charge->is_percent ||
                            has_amount != (*charge->currency != '\0')))
        return cm_json_fail(
            reader,
            "a custom charge needs name, customer, lane, from, and an amount with currency or a percent with base");
    return !reader->failed;
}

bool cm_parse_custom_charges(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->custom_charges = cm_parse_documents(parser, reader, sizeof *catalog->custom_charges,
                                                         parse_custom_charge, &catalog->custom_charge_count));
}

static bool parse_credit(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_credit *credit = element;
    cm_slice key;
    bool has_amount = false;
    credit->from = INT64_MIN;
    credit->expires = INT64_MAX;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "name"))
            cm_parse_text(parser, reader, &credit->name);
        else if (cm_slice_is(key, "customer"))
            parse_customer(parser, reader, &credit->customer);
        else if (cm_slice_is(key, "lane"))
            cm_parse_text(parser, reader, &credit->lane);
        else if (cm_slice_is(key, "amount"))
            has_amount = cm_parse_decimal(reader, &credit->amount);
        else if (cm_slice_is(key, "currency"))
            cm_parse_text(parser, reader, &credit->currency);
        else if (cm_slice_is(key, "from"))
            cm_parse_month(reader, &credit->from);
        else if (cm_slice_is(key, "expires"))
            cm_parse_month(reader, &credit->expires);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (!credit->name || !credit->customer || !credit->lane || !has_amount || !credit->currency ||
                            credit->from == INT64_MIN))
        return cm_json_fail(reader, "a credit needs name, customer, lane, amount, currency and from");
    return !reader->failed;
}

bool cm_parse_credits(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->credits =
                cm_parse_documents(parser, reader, sizeof *catalog->credits, parse_credit, &catalog->credit_count));
}
