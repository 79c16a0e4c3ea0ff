#include "billing/catalog/yaml/yaml.h"

#include "billing/catalog/yaml/problems.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum { DEPTH_LIMIT = 64 };

struct anchor {
    struct anchor *next;
    const char *name;
    cm_yaml_node *node;
};

struct reading {
    cm_arena *arena;
    const char *file;
    cm_catalog_problems *problems;
    yaml_parser_t parser;
    struct anchor *anchors; /* of this document */
    int depth;
};

static int from_one(size_t zero_based)
{
    return zero_based < INT_MAX ? (int)zero_based + 1 : INT_MAX;
}

static bool refuse(struct reading *reading, yaml_mark_t at, const char *text)
{
    cm_problem_at(reading->problems, reading->file, from_one(at.line), from_one(at.column), false, "%s", text);
    return false;
}

/* libyaml has found something that is no YAML. */
static bool syntax_error(struct reading *reading)
{
    yaml_parser_t *parser = &reading->parser;
    bool reader_error = parser->error == YAML_READER_ERROR || parser->error == YAML_MEMORY_ERROR;
    yaml_mark_t at = reader_error ? parser->mark : parser->problem_mark;
    const char *what = parser->problem ? parser->problem : "it cannot be read";
    char context[256] = "";
    if (parser->context && !reader_error)
        snprintf(context, sizeof context, ", %s that begins at line %d", parser->context,
                 from_one(parser->context_mark.line));
    cm_problem_at(reading->problems, reading->file, from_one(at.line), from_one(at.column), false,
                  "this is not YAML: %s%s; the rest of this file was not checked", what, context);
    return false;
}

static bool next_event(struct reading *reading, yaml_event_t *event)
{
    return yaml_parser_parse(&reading->parser, event) || syntax_error(reading);
}

static cm_yaml_node *new_node(struct reading *reading, enum cm_yaml_kind kind, const yaml_event_t *event)
{
    cm_yaml_node *node = cm_arena_zalloc(reading->arena, sizeof *node);
    node->kind = kind;
    node->file = reading->file;
    node->line = from_one(event->start_mark.line);
    node->column = from_one(event->start_mark.column);
    return node;
}

/* Known only once the node is complete: an anchor cannot contain itself. */
static void remember(struct reading *reading, const char *name, cm_yaml_node *node)
{
    if (!name)
        return;
    struct anchor *anchor = cm_arena_alloc(reading->arena, sizeof *anchor);
    *anchor = (struct anchor){reading->anchors, name, node};
    reading->anchors = anchor;
}

static cm_yaml_node *alias(struct reading *reading, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    for (const struct anchor *anchor = reading->anchors; anchor; anchor = anchor->next)
        if (strcmp(anchor->name, name) == 0)
            return anchor->node;
    cm_problem_at(reading->problems, reading->file, from_one(event->start_mark.line),
                  from_one(event->start_mark.column), false,
                  "*%s refers to an anchor that does not exist; a text that begins with * must be quoted: \"*%s\"; the "
                  "rest of this file was not checked",
                  name, name);
    return NULL;
}

static cm_yaml_node *read_node(struct reading *reading, yaml_event_t *event);

/* Items up to the end of the collection, into node->items. */
static bool read_items(struct reading *reading, cm_yaml_node *node, yaml_event_type_t end)
{
    const cm_yaml_node **items = NULL;
    size_t count = 0, capacity = 0;
    bool done = false;
    yaml_event_t event;
    while (next_event(reading, &event)) {
        if (event.type == end) {
            yaml_event_delete(&event);
            done = true;
            break;
        }
        cm_yaml_node *item = read_node(reading, &event);
        if (!item)
            break;
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 8;
            items = cm_realloc(items, capacity * sizeof(void *));
        }
        items[count++] = item;
    }
    if (done) {
        node->count = node->kind == CM_YAML_MAPPING ? count / 2 : count;
        node->items = cm_arena_alloc(reading->arena, count * sizeof(void *));
        if (count)
            memcpy(node->items, items, count * sizeof(void *));
    }
    free(items);
    return done;
}

static cm_yaml_node *read_collection(struct reading *reading, const yaml_event_t *event, enum cm_yaml_kind kind,
                                     yaml_event_type_t end)
{
    if (reading->depth >= DEPTH_LIMIT) {
        refuse(reading, event->start_mark, "nested too deeply (more than 64 levels)");
        return NULL;
    }
    cm_yaml_node *node = new_node(reading, kind, event);
    reading->depth++;
    bool done = read_items(reading, node, end);
    reading->depth--;
    return done ? node : NULL;
}

/* Takes the event. NULL: a problem was noted. */
static cm_yaml_node *read_node(struct reading *reading, yaml_event_t *event)
{
    cm_yaml_node *node = NULL;
    const yaml_char_t *anchor = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        node = new_node(reading, CM_YAML_SCALAR, event);
        node->text.length = event->data.scalar.length;
        node->text.text = cm_arena_strndup(reading->arena, (const char *)event->data.scalar.value, node->text.length);
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        anchor = event->data.scalar.anchor;
        break;
    case YAML_SEQUENCE_START_EVENT:
        node = read_collection(reading, event, CM_YAML_SEQUENCE, YAML_SEQUENCE_END_EVENT);
        anchor = event->data.sequence_start.anchor;
        break;
    case YAML_MAPPING_START_EVENT:
        node = read_collection(reading, event, CM_YAML_MAPPING, YAML_MAPPING_END_EVENT);
        anchor = event->data.mapping_start.anchor;
        break;
    case YAML_ALIAS_EVENT:
        node = alias(reading, event);
        break;
    default:
        cm_assert(!"an event that begins no node");
    }
    if (node && anchor)
        remember(reading, cm_arena_strndup(reading->arena, (const char *)anchor, strlen((const char *)anchor)), node);
    yaml_event_delete(event);
    return node;
}

static void append(cm_yaml_documents *documents, const cm_yaml_node *node)
{
    if (documents->count == documents->capacity) {
        documents->capacity = documents->capacity ? documents->capacity * 2 : 64;
        documents->list = cm_realloc(documents->list, documents->capacity * sizeof(void *));
    }
    documents->list[documents->count++] = node;
}

static bool read_stream(struct reading *reading, cm_yaml_documents *documents)
{
    yaml_event_t event;
    while (next_event(reading, &event)) {
        yaml_event_type_t type = event.type;
        if (type == YAML_STREAM_END_EVENT || type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT ||
            type == YAML_DOCUMENT_END_EVENT) {
            yaml_event_delete(&event);
            if (type == YAML_STREAM_END_EVENT)
                return true;
            if (type == YAML_DOCUMENT_START_EVENT)
                reading->anchors = NULL;
            continue;
        }
        const cm_yaml_node *node = read_node(reading, &event);
        if (!node)
            return false;
        if (!cm_yaml_is_null(node))
            append(documents, node);
    }
    return false;
}

bool cm_yaml_read(cm_arena *arena, const char *file, cm_slice content, cm_yaml_documents *documents,
                  cm_catalog_problems *problems)
{
    struct reading reading = {.arena = arena, .file = file, .problems = problems};
    if (!yaml_parser_initialize(&reading.parser))
        cm_bug(__FILE__, __LINE__, "out of memory");
    yaml_parser_set_input_string(&reading.parser, (const unsigned char *)content.text, content.length);
    bool done = read_stream(&reading, documents);
    yaml_parser_delete(&reading.parser);
    return done;
}

bool cm_yaml_is_null(const cm_yaml_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != CM_YAML_SCALAR || !node->plain)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (cm_slice_is(node->text, words[i]))
            return true;
    return false;
}

const char *cm_yaml_kind_name(const cm_yaml_node *node)
{
    return node->kind == CM_YAML_MAPPING ? "a mapping" : node->kind == CM_YAML_SEQUENCE ? "a list" : "a single value";
}
