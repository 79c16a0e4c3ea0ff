#include "billing/catalog/fields/fields.h"
#include "billing/catalog/yaml/nearest.h"
#include "billing/catalog/yaml/problems.h"

#include <stdio.h>

void cm_wrong(cm_checker *checker, const cm_yaml_node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cm_problem_at_v(checker->problems, node->file, node->line, node->column, false, format, arguments);
    va_end(arguments);
}

void cm_warn(cm_checker *checker, const cm_yaml_node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    cm_problem_at_v(checker->problems, node->file, node->line, node->column, true, format, arguments);
    va_end(arguments);
}

const char *cm_place(cm_checker *checker, const cm_yaml_node *node)
{
    return cm_arena_printf(checker->arena, "%s:%d:%d", node->file, node->line, node->column);
}

void *cm_room(void *list, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return list;
    *capacity = *capacity ? *capacity * 2 : 64;
    return cm_realloc(list, *capacity * size);
}

static void unknown_key(cm_checker *checker, const cm_yaml_node *key, const char *what, const cm_key_table *table)
{
    cm_nearest search = cm_nearest_begin(key->text);
    char known[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->keys[i].name;
        cm_nearest_offer(&search, name);
        int wrote = snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", name);
        if (wrote > 0 && (size_t)wrote < sizeof known - used)
            used += (size_t)wrote;
    }
    if (search.best)
        cm_wrong(checker, key, "unknown key \"%.*s\" in %s; did you mean \"%s\"?", CM_SLICE(key->text), what,
                 search.best);
    else
        cm_wrong(checker, key, "unknown key \"%.*s\" in %s; its keys are %s", CM_SLICE(key->text), what, known);
}

static void take_pair(cm_checker *checker, const cm_yaml_node *key, const cm_yaml_node *value, const char *what,
                      const cm_key_table *table, cm_field *fields, const cm_yaml_node **seen)
{
    if (key->kind != CM_YAML_SCALAR) {
        cm_wrong(checker, key, "a key of %s is %s; keys are single words", what, cm_yaml_kind_name(key));
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        if (!cm_slice_is(key->text, fields[i].name))
            continue;
        if (seen[i]) {
            cm_wrong(checker, key, "key \"%s\" comes twice in %s; the first is at %s", fields[i].name, what,
                     cm_place(checker, seen[i]));
            return;
        }
        seen[i] = key;
        fields[i].value = cm_yaml_is_null(value) ? NULL : value;
        return;
    }
    unknown_key(checker, key, what, table);
}

bool cm_read_mapping(cm_checker *checker, const cm_yaml_node *node, const char *what, const cm_key_table *table,
                     cm_field *ret)
{
    const cm_yaml_node *seen[CM_KEYS_MAX] = {0};
    cm_assert(table->count <= CM_KEYS_MAX);
    for (size_t i = 0; i < table->count; i++)
        ret[i] = (cm_field){table->keys[i].name, NULL};
    if (node->kind != CM_YAML_MAPPING) {
        cm_wrong(checker, node, "%s must be a mapping (key: value), not %s", what, cm_yaml_kind_name(node));
        return false;
    }
    for (size_t i = 0; i < node->count; i++)
        take_pair(checker, node->items[2 * i], node->items[2 * i + 1], what, table, ret, seen);
    for (size_t i = 0; i < table->count; i++) {
        const cm_key *key = &table->keys[i];
        if (key->required && !ret[i].value)
            cm_wrong(checker, seen[i] ? seen[i] : node, "%s has no \"%s\"%s%s", what, key->name, key->why ? ": " : "",
                     key->why ? key->why : "");
    }
    return true;
}

bool cm_read_list(cm_checker *checker, const cm_yaml_node *node, const char *field, bool or_one, size_t limit,
                  const cm_yaml_node *const **ret, size_t *ret_count)
{
    *ret_count = 0;
    if (node->kind == CM_YAML_SEQUENCE) {
        if (node->count > limit) {
            cm_wrong(checker, node, "%s has %zu entries; at most %zu are taken", field, node->count, limit);
            return false;
        }
        *ret = node->items;
        *ret_count = node->count;
        return true;
    }
    if (or_one && node->kind == CM_YAML_SCALAR) {
        const cm_yaml_node **one = cm_arena_alloc(checker->arena, sizeof *one);
        one[0] = node;
        *ret = one;
        *ret_count = 1;
        return true;
    }
    cm_wrong(checker, node, "%s must be a list%s, not %s", field, or_one ? " or a single value" : "",
             cm_yaml_kind_name(node));
    return false;
}
