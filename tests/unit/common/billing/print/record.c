#include "record.h"

#include <criterion/criterion.h>

json_t *test_record(void)
{
    json_error_t problem;
    json_t *record = json_load_file(PRINT_FIXTURES "/issued.json", 0, &problem);
    cr_assert(record, "%d: %s", problem.line, problem.text);
    return record;
}

json_t *test_record_in(const char *state)
{
    json_t *record = test_record(), *document = json_object_get(record, "document");
    json_object_set_new(document, "state", json_string(state));
    json_object_set_new(document, "number", json_null());
    json_object_del(record, "issued");
    return record;
}

json_t *test_view(json_t *record, enum cm_view view)
{
    cm_error err = {0};
    json_t *ret = cm_view_make(record, view, &err);
    cr_assert(ret, "%s", err.text);
    json_decref(record);
    return ret;
}

const char *test_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
