#include "columns.h"

#include "random.h"

#include <string.h>

static const struct column extra[] = {
    {"product/quantumBits", "String", FIELD_NONE, "", 0},
    {"lineItem/NewColumn", "String", FIELD_REGION, "", 0},
    {"x/Free, \"quoted\"", "String", FIELD_TEAM_NOTE, "", 0},
};
static const struct column extra_cur2[] = {
    {"line_item_iam_principal", "string", FIELD_NONE, "\"\"", 0},
    {"x_new_column", "string", FIELD_REGION, "", 0},
    {"x_note", "string", FIELD_TEAM_NOTE, "", 0},
};
static const struct column nameless = {"", "String", FIELD_NONE, "", 0};

static void add(struct column_list *list, const struct column *column)
{
    if (list->count < MAX_COLUMNS)
        list->column[list->count++] = column;
}

void columns_of_version(const struct options *o, unsigned version, struct column_list *ret_list)
{
    const struct column *all = is_cur2(o) ? cur2_columns : legacy_columns;
    size_t count = is_cur2(o) ? cur2_column_count : legacy_column_count;
    ret_list->count = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned from = all[i].grow + 1;
        if (from > o->versions)
            from = o->versions;
        if (version < from)
            continue;
        if (o->odd.missing_column != NULL && odd_applies(o, version) && strcmp(all[i].name, o->odd.missing_column) == 0)
            continue;
        add(ret_list, &all[i]);
    }
    if (o->odd.extra_columns)
        for (size_t i = 0; i < sizeof extra / sizeof extra[0]; i++)
            add(ret_list, is_cur2(o) ? &extra_cur2[i] : &extra[i]);
    if (o->odd.empty_header_name)
        add(ret_list, &nameless);
}

void columns_of_chunk(const struct options *o, const struct column_list *version, unsigned chunk,
                      struct column_list *ret_list)
{
    *ret_list = *version;
    if (!o->shuffle || chunk == 0)
        return;
    struct rng r = rng_for(o->seed ^ 0xc01, chunk);
    for (size_t i = ret_list->count - 1; i > 0; i--) {
        size_t j = (size_t)rng_below(&r, i + 1);
        const struct column *c = ret_list->column[i];
        ret_list->column[i] = ret_list->column[j];
        ret_list->column[j] = c;
    }
}

int columns_find(const struct column_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->column[i]->name, name) == 0)
            return (int)i;
    return -1;
}
