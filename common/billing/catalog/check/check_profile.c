/* What documents print about their parties (I12): address, contact, tax number, logo; and the tags of accounts (R10).
 */
#include "base/digest/base64.h"
#include "billing/catalog/check/check.h"
#include "billing/catalog/fields/png.h"
#include "billing/catalog/yaml/files.h"

#include <stdlib.h>

enum { ADDRESS_LINES = 20, TAGS_LIMIT = 50, TAG_KEY_LIMIT = 128, TAG_VALUE_LIMIT = 256 };

static void put_address(cm_checker *checker, json_t *json, const cm_yaml_node *node)
{
    const cm_yaml_node *const *lines;
    const char *line;
    size_t count;
    if (!node || !cm_read_list(checker, node, "address", true, ADDRESS_LINES, &lines, &count))
        return;
    json_t *address = json_array();
    for (size_t i = 0; i < count; i++)
        if (cm_read_text(checker, lines[i], "address", &line))
            json_array_append_new(address, json_string(line));
    json_object_set_new(json, "address", address);
}

/* `contact: Jane Roe`, or with title, telephone and mail. */
static void put_contact(cm_checker *checker, json_t *json, const cm_yaml_node *node)
{
    cm_field fields[CM_KEY_CONTACT_COUNT];
    if (!node || node->kind != CM_YAML_MAPPING) {
        cm_put_text(checker, json, "contact", node);
        return;
    }
    json_t *contact = json_object();
    json_object_set_new(json, "contact", contact);
    if (!cm_read_mapping(checker, node, "contact", &cm_contact_keys, fields))
        return;
    for (size_t i = 0; i < CM_KEY_CONTACT_COUNT; i++)
        cm_put_text(checker, contact, fields[i].name, fields[i].value);
}

static void put_country(cm_checker *checker, json_t *json, const cm_yaml_node *node)
{
    const char *text;
    if (!node || !cm_read_text(checker, node, "country", &text))
        return;
    bool good = strlen(text) == 2;
    for (size_t i = 0; good && i < 2; i++)
        good = text[i] >= 'A' && text[i] <= 'Z';
    if (good)
        json_object_set_new(json, "country", json_string(text));
    else
        cm_wrong(checker, node,
                 "country \"%s\" is not a country code: two capital letters (ISO 3166-1 alpha-2), like DE", text);
}

void cm_put_profile(cm_checker *checker, json_t *json, const cm_field *fields)
{
    put_address(checker, json, fields[CM_PROFILE_ADDRESS].value);
    put_contact(checker, json, fields[CM_PROFILE_CONTACT].value);
    put_country(checker, json, fields[CM_PROFILE_COUNTRY].value);
    cm_put_text(checker, json, "email", fields[CM_PROFILE_EMAIL].value);
    static const char *const languages[] = {"en", "de", NULL};
    int language;
    if (fields[CM_PROFILE_LANGUAGE].value &&
        cm_read_one_of(checker, fields[CM_PROFILE_LANGUAGE].value, "language", languages, &language))
        json_object_set_new(json, "language", json_string(languages[language]));
    cm_put_text(checker, json, "tax_id", fields[CM_PROFILE_TAX_ID].value);
}

/* Below the catalog's folder, so that the folder alone is the catalog. */
static bool is_inside(const char *path)
{
    if (*path == '/')
        return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == 0))
            return false;
    }
    return true;
}

void cm_put_logo(cm_checker *checker, json_t *json, const cm_yaml_node *node)
{
    const char *name;
    cm_slice content;
    cm_error err = {0};
    if (!node || !cm_read_text(checker, node, "logo", &name))
        return;
    if (!is_inside(name)) {
        cm_wrong(checker, node, "logo \"%s\": the file is named relative to the catalog's folder and must be inside it",
                 name);
        return;
    }
    const char *path = cm_arena_printf(checker->arena, "%s/%s", checker->folder, name);
    if (!cm_file_read(path, CM_PNG_BYTES, &content, &err)) {
        cm_wrong(checker, node, "logo %s; it is a PNG of at most %d bytes, named from the catalog's folder", err.text,
                 CM_PNG_BYTES);
        return;
    }
    const char *problem = cm_png_problem(content);
    cm_buffer text = {0};
    cm_buffer_text(&text, "data:image/png;base64,");
    cm_base64_encode(content.text, content.length, &text);
    if (problem)
        cm_wrong(checker, node, "logo %s: %s; it must be a PNG of at most %d bytes", path, problem, CM_PNG_BYTES);
    else
        json_object_set_new(json, "logo", json_string(text.data));
    cm_buffer_free(&text);
    free((char *)content.text);
}

void cm_put_statement_url(cm_checker *checker, json_t *json, const cm_yaml_node *node)
{
    const char *url;
    if (!node || !cm_read_text(checker, node, "statement_url", &url))
        return;
    if (strncmp(url, "https://", 8) != 0 || url[strcspn(url, " \"<>")] || !strstr(url, "{id}"))
        cm_wrong(
            checker, node,
            "statement_url \"%s\" is not the address of a statement: https://... with {id} where its id stands (I04)",
            url);
    else
        json_object_set_new(json, "statement_url", json_string(url));
}

/* A scalar of at most `limit` bytes; a value may be empty. */
static bool read_tag(cm_checker *checker, const cm_yaml_node *node, const char *what, size_t limit, const char **ret)
{
    *ret = "";
    if (node->kind == CM_YAML_SCALAR && node->text.length == 0 && strcmp(what, "value") == 0)
        return true;
    if (!cm_read_text(checker, node, what, ret))
        return false;
    if (node->text.length <= limit)
        return true;
    cm_wrong(checker, node, "a tag's %s has at most %zu characters", what, limit);
    return false;
}

void cm_put_tags(cm_checker *checker, json_t *json, const cm_yaml_node *node, const char *title)
{
    if (!node)
        return;
    if (node->kind != CM_YAML_MAPPING || node->count > TAGS_LIMIT) {
        cm_wrong(checker, node, "tags of %s must be a mapping (key: value) of at most %d tags", title, TAGS_LIMIT);
        return;
    }
    json_t *tags = json_object();
    for (size_t i = 0; i < node->count; i++) {
        const char *key, *value;
        if (!read_tag(checker, node->items[2 * i], "key", TAG_KEY_LIMIT, &key) ||
            !read_tag(checker, node->items[2 * i + 1], "value", TAG_VALUE_LIMIT, &value))
            continue;
        if (json_object_get(tags, key))
            cm_wrong(checker, node->items[2 * i], "tag \"%s\" comes twice in the tags of %s", key, title);
        else
            json_object_set_new(tags, key, json_string(value));
    }
    if (json_object_size(tags))
        json_object_set_new(json, "tags", tags);
    else
        json_decref(tags);
}
