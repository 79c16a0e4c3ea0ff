#include "billing/catalog/diff/diff.h"
#include "base/digest/digest.h"
#include "billing/catalog/model/names.h"

#include <stdlib.h>

enum { LONGEST = CM_TEXT_LIMIT }; /* a logo is told by its digest */

/* Where in a document we are: `versions[1].rules[0].price`. */
struct walk {
    cm_buffer *out;
    const char *kind, *id;
    cm_buffer path;
};

static void print_value(cm_buffer *out, const json_t *value)
{
    if (!value) {
        cm_buffer_text(out, "(none)");
    } else if (json_is_string(value) && json_string_length(value) > LONGEST) {
        uint8_t digest[CM_SHA256_BYTES];
        char hex[CM_SHA256_HEX];
        cm_sha256(json_string_value(value), json_string_length(value), digest);
        cm_hex(digest, sizeof digest, hex);
        cm_buffer_printf(out, "(%zu characters, sha256 %.16s)", json_string_length(value), hex);
    } else if (json_is_string(value)) {
        cm_buffer_append(out, json_string_value(value), json_string_length(value));
    } else {
        char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        cm_assert(text);
        cm_buffer_text(out, text);
        free(text);
    }
}

static void line(struct walk *walk, const json_t *before, const json_t *after)
{
    cm_buffer_printf(walk->out, "changed %s %s: %s ", walk->kind, walk->id, cm_buffer_string(&walk->path));
    print_value(walk->out, before);
    cm_buffer_text(walk->out, " -> ");
    print_value(walk->out, after);
    cm_buffer_char(walk->out, '\n');
}

static void cut_path(struct walk *walk, size_t length)
{
    walk->path.length = length;
    if (walk->path.data)
        walk->path.data[length] = 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Keys of both objects, sorted, each once. Caller frees the list, not the texts. */
static const char **keys_of_both(const json_t *a, const json_t *b, size_t *ret_count)
{
    const char **keys = cm_alloc((json_object_size(a) + json_object_size(b) + 1) * sizeof *keys);
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach ((json_t *)a, key, value)
        keys[count++] = key;
    json_object_foreach ((json_t *)b, key, value)
        if (!json_object_get(a, key))
            keys[count++] = key;
    if (count)
        qsort(keys, count, sizeof *keys, by_name);
    *ret_count = count;
    return keys;
}

static void compare(struct walk *walk, const json_t *before, const json_t *after);

static void compare_objects(struct walk *walk, const json_t *before, const json_t *after)
{
    size_t count, length = walk->path.length;
    const char **keys = keys_of_both(before, after, &count);
    for (size_t i = 0; i < count; i++) {
        cm_buffer_printf(&walk->path, "%s%s", length ? "." : "", keys[i]);
        compare(walk, json_object_get(before, keys[i]), json_object_get(after, keys[i]));
        cut_path(walk, length);
    }
    free(keys);
}

/* What an element of a list is recognised by: a rule's id, a version's time, an account with payer and beginning, a
 * tax's name. */
static bool identity(const json_t *element, cm_buffer *ret)
{
    static const char *const parts[] = {"id", "payer", "from", "effective_from", "country", "name"};
    cm_buffer_clear(ret);
    bool is_account = json_object_get(element, "payer") != NULL;
    bool has_id = json_object_get(element, "id") != NULL;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *text = json_string_value(json_object_get(element, parts[i]));
        bool wanted = i == 0 || (is_account ? i == 1 || i == 2 : !has_id);
        if (text && wanted)
            cm_buffer_printf(ret, "%s ", text);
    }
    return ret->length > 0;
}

static void element_path(struct walk *walk, const json_t *element, size_t index)
{
    const char *account = json_object_get(element, "payer") ? json_string_value(json_object_get(element, "id")) : NULL;
    if (account)
        cm_buffer_printf(&walk->path, "[%s]", account);
    else
        cm_buffer_printf(&walk->path, "[%zu]", index);
}

/* identity -> index; NULL if some element has none, or two the same. */
static json_t *positions(const json_t *list)
{
    cm_buffer name = {0};
    json_t *found = json_object();
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!identity(json_array_get(list, i), &name) || json_object_get(found, cm_buffer_string(&name)) ||
            json_object_set_new(found, cm_buffer_string(&name), json_integer((json_int_t)i)) != 0) {
            json_decref(found);
            found = NULL;
            break;
        }
    cm_buffer_free(&name);
    return found;
}

static void compare_element(struct walk *walk, const json_t *before, const json_t *after, size_t index)
{
    size_t length = walk->path.length;
    element_path(walk, after ? after : before, index);
    compare(walk, before, after);
    cut_path(walk, length);
}

static void compare_lists(struct walk *walk, const json_t *before, const json_t *after)
{
    json_t *old_positions = positions(before), *new_positions = positions(after);
    cm_buffer name = {0};
    if (!old_positions || !new_positions) {
        line(walk, before, after);
    } else {
        for (size_t i = 0; i < json_array_size(before); i++) {
            identity(json_array_get(before, i), &name);
            if (!json_object_get(new_positions, cm_buffer_string(&name)))
                compare_element(walk, json_array_get(before, i), NULL, i);
        }
        for (size_t i = 0; i < json_array_size(after); i++) {
            identity(json_array_get(after, i), &name);
            const json_t *was = json_object_get(old_positions, cm_buffer_string(&name));
            compare_element(walk, was ? json_array_get(before, (size_t)json_integer_value(was)) : NULL,
                            json_array_get(after, i), i);
        }
    }
    cm_buffer_free(&name);
    json_decref(old_positions);
    json_decref(new_positions);
}

static void compare(struct walk *walk, const json_t *before, const json_t *after)
{
    if (before && after && json_equal(before, after))
        return;
    if (json_is_object(before) && json_is_object(after))
        compare_objects(walk, before, after);
    else if (json_is_array(before) && json_is_array(after))
        compare_lists(walk, before, after);
    else
        line(walk, before, after);
}

static void compare_kind(const char *kind, const json_t *before, const json_t *after, cm_buffer *ret)
{
    size_t count;
    const char **ids = keys_of_both(before, after, &count);
    for (size_t i = 0; i < count; i++) {
        const json_t *was = json_object_get(before, ids[i]), *is = json_object_get(after, ids[i]);
        struct walk walk = {.out = ret, .kind = kind, .id = ids[i]};
        if (!was || !is)
            cm_buffer_printf(ret, "%s %s %s\n", was ? "removed" : "added", kind, ids[i]);
        else
            compare(&walk, was, is);
        cm_buffer_free(&walk.path);
    }
    free(ids);
}

void cm_catalog_diff(const json_t *old_canonical, const json_t *new_canonical, cm_buffer *ret)
{
    json_t *nothing = json_object();
    const json_t *before = old_canonical ? old_canonical : nothing, *after = new_canonical ? new_canonical : nothing;
    size_t count;
    const char **kinds = keys_of_both(before, after, &count);
    for (size_t i = 0; i < count; i++) {
        const json_t *was = json_object_get(before, kinds[i]), *is = json_object_get(after, kinds[i]);
        compare_kind(kinds[i], was ? was : nothing, is ? is : nothing, ret);
    }
    free(kinds);
    json_decref(nothing);
}
