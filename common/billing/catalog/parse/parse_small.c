/* FxRate, LineItemType, SupportProduct. */
#include "billing/catalog/parse/parse.h"

static bool parse_fx_rate(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_fx_rate *rate = element;
    cm_slice key, text;
    int set = -1;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "set"))
            cm_parse_one_of(reader, cm_fx_set_names, &set);
        else if (cm_slice_is(key, "from"))
            cm_parse_text(parser, reader, &rate->from);
        else if (cm_slice_is(key, "to"))
            cm_parse_text(parser, reader, &rate->to);
        else if (cm_slice_is(key, "rate"))
            cm_parse_decimal(reader, &rate->rate);
        else if (!cm_slice_is(key, "period"))
            return cm_json_fail(reader, "an unknown key");
        else if (cm_json_text(reader, &text) && !cm_period_parse(text, &rate->period))
            return cm_json_fail(reader, "a period was expected");
    }
    if (!reader->failed &&
        (set < 0 || !rate->from || !rate->to || !rate->period.year || cm_decimal_is_zero(rate->rate)))
        return cm_json_fail(reader, "a rate needs set, from, to, period and rate");
    rate->set = set == 1 ? CM_FX_DISTRIBUTOR : CM_FX_RESELLER;
    return !reader->failed;
}

bool cm_parse_fx_rates(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->fx_rates =
                cm_parse_documents(parser, reader, sizeof *catalog->fx_rates, parse_fx_rate, &catalog->fx_rate_count));
}

static bool parse_line_type(cm_parser *parser, cm_json_reader *reader, void *element)
{
    struct cm_line_type *type = element;
    cm_slice key;
    bool has_class = false;
    (void)parser;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (!cm_slice_is(key, "class"))
            return cm_json_fail(reader, "an unknown key");
        has_class = cm_parse_class(reader, &type->class);
    }
    return !reader->failed && (has_class || cm_json_fail(reader, "a line item type needs a class"));
}

bool cm_parse_line_types(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->line_types = cm_parse_documents(parser, reader, sizeof *catalog->line_types, parse_line_type,
                                                     &catalog->line_type_count));
}

static bool parse_support_product(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_slice key;
    (void)parser, (void)element; /* the id says it all */
    cm_json_enter(reader, '{');
    if (cm_json_key(reader, &key))
        return cm_json_fail(reader, "an unknown key");
    return !reader->failed;
}

bool cm_parse_support_products(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->support_products = cm_parse_documents(parser, reader, sizeof *catalog->support_products,
                                                           parse_support_product, &catalog->support_product_count));
}
