#include "base/json/json.h"

const char *cm_json_member_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

bool cm_json_member_decimal(const json_t *object, const char *key, cm_decimal *ret)
{
    return cm_decimal_parse_strict(cm_slice_of(cm_json_member_text(object, key)), ret);
}

json_t *cm_json_decimal(cm_decimal value)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(value, text);
    return json_string(text);
}
