/* InvoiceFormat. */
#include "billing/catalog/parse/parse.h"

static bool parse_columns(cm_parser *parser, cm_json_reader *reader, cm_invoice_format *format)
{
    cm_slice key;
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        int i = 0;
        while (i < CM_INVOICE_COLUMNS && !cm_slice_is(key, cm_invoice_column_names[i]))
            i++;
        if (i == CM_INVOICE_COLUMNS)
            return cm_json_fail(reader, "an unknown key");
        cm_parse_text(parser, reader, &format->column[i]);
    }
    return !reader->failed;
}

static bool parse_character(cm_json_reader *reader, char *ret)
{
    cm_slice text;
    if (!cm_json_text(reader, &text))
        return false;
    if (text.length != 1)
        return cm_json_fail(reader, "one character was expected");
    *ret = text.text[0];
    return true;
}

static bool parse_products(cm_parser *parser, cm_json_reader *reader, cm_invoice_format *format)
{
    size_t room = cm_parse_count(reader), count = 0;
    cm_text_pair *list = cm_arena_zalloc(parser->arena, room * sizeof *list);
    const char *name = NULL;
    cm_json_enter(reader, '{');
    while (cm_parse_id(parser, reader, &name)) {
        if (count >= room)
            return cm_json_fail(reader, "brackets that do not match");
        list[count].key = name;
        cm_parse_text(parser, reader, &list[count++].value);
    }
    format->products = list;
    format->product_count = count;
    return !reader->failed;
}

static bool parse_filter(cm_parser *parser, cm_json_reader *reader, const cm_text_pair **ret, size_t *ret_count)
{
    cm_text_pair *list = NULL;
    size_t count = 0, capacity = 0;
    const char *column = NULL;
    cm_json_enter(reader, '{');
    while (cm_parse_id(parser, reader, &column)) {
        const char **values;
        size_t values_count;
        if (!cm_parse_texts(parser, reader, &values, &values_count))
            break;
        if (count + values_count > capacity) {
            capacity = 2 * (count + values_count);
            cm_text_pair *larger = cm_arena_zalloc(parser->arena, capacity * sizeof *larger);
            for (size_t i = 0; i < count; i++)
                larger[i] = list[i];
            list = larger;
        }
        for (size_t i = 0; i < values_count; i++)
            list[count++] = (cm_text_pair){column, values[i]};
    }
    *ret = list;
    *ret_count = count;
    return !reader->failed;
}

static bool parse_format(cm_parser *parser, cm_json_reader *reader, void *element)
{
    cm_invoice_format *format = element;
    cm_slice key, text;
    int level = -1;
    format->delimiter = ',';
    format->decimal = '.';
    format->currency = "";
    cm_json_enter(reader, '{');
    while (cm_json_key(reader, &key)) {
        if (cm_slice_is(key, "level"))
            cm_parse_one_of(reader, cm_invoice_level_names, &level);
        else if (cm_slice_is(key, "delimiter"))
            parse_character(reader, &format->delimiter);
        else if (cm_slice_is(key, "decimal"))
            parse_character(reader, &format->decimal);
        else if (cm_slice_is(key, "columns"))
            parse_columns(parser, reader, format);
        else if (cm_slice_is(key, "currency"))
            cm_parse_text(parser, reader, &format->currency);
        else if (cm_slice_is(key, "tax"))
            format->with_tax = cm_json_text(reader, &text) && cm_slice_is(text, "included");
        else if (cm_slice_is(key, "products"))
            parse_products(parser, reader, format);
        else if (cm_slice_is(key, "take"))
            parse_filter(parser, reader, &format->take, &format->take_count);
        else if (cm_slice_is(key, "leave"))
            parse_filter(parser, reader, &format->leave, &format->leave_count);
        else
            return cm_json_fail(reader, "an unknown key");
    }
    if (!reader->failed && (level < 0 || !format->column[CM_INVOICE_AMOUNT]))
        return cm_json_fail(reader, "an invoice format needs level and columns");
    format->level = level < 0 ? CM_INVOICE_BY_PRODUCT : (enum cm_invoice_level)level;
    return !reader->failed;
}

bool cm_parse_invoice_formats(cm_parser *parser, cm_json_reader *reader)
{
    cm_catalog *catalog = parser->catalog;
    return (catalog->invoice_formats = cm_parse_documents(parser, reader, sizeof *catalog->invoice_formats,
                                                          parse_format, &catalog->invoice_format_count));
}
