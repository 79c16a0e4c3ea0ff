/* Looking things up among the documents that are being checked. */
#include "billing/catalog/check/check.h"
#include "billing/catalog/yaml/nearest.h"

cm_document *cm_checker_find(const cm_checker *checker, enum cm_document_kind kind, const char *id)
{
    size_t low = 0, high = checker->index_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        cm_document *document = checker->index[middle];
        int order = document->kind != kind ? (document->kind < kind ? -1 : 1) : strcmp(document->id, id);
        if (order == 0)
            return document;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool cm_some_payer_has_lane(const cm_checker *checker, const char *lane)
{
    if (checker->lane_unknown) /* the payer's lane may be the one that is misspelt */
        return true;
    for (size_t i = 0; i < checker->document_count; i++) {
        const cm_document *payer = &checker->documents[i];
        const char *own =
            payer->kind == CM_DOCUMENT_PAYER ? json_string_value(json_object_get(payer->json, "lane")) : NULL;
        if (own && strcmp(own, lane) == 0)
            return true;
    }
    return false;
}

static const char *list_of(cm_arena *arena, const char *const *names)
{
    const char *list = *names ? *names : "";
    for (size_t i = 1; *names && names[i]; i++)
        list = cm_arena_printf(arena, "%s, %s", list, names[i]);
    return list;
}

/* "tds" is short for tdsynnex: a beginning says more than the number of letters that differ. */
static const char *nearest_lane(const char *word, const char *const *lanes)
{
    for (size_t i = 0; lanes[i] && *word; i++)
        if (strncmp(word, lanes[i], strlen(word)) == 0 || strncmp(word, lanes[i], strlen(lanes[i])) == 0)
            return lanes[i];
    return cm_nearest_of(cm_slice_of(word), lanes);
}

bool cm_read_lane(cm_checker *checker, const cm_yaml_node *node, const char **ret)
{
    *ret = NULL;
    if (!cm_read_text(checker, node, "lane", ret))
        return false;
    for (size_t i = 0; checker->lanes && checker->lanes[i]; i++)
        if (strcmp(checker->lanes[i], *ret) == 0)
            return true;
    if (!checker->lanes)
        return true;
    const char *nearest = nearest_lane(*ret, checker->lanes);
    checker->lane_unknown = true;
    cm_wrong(
        checker, node,
        "lane \"%s\" is not a lane of this installation (%s)%s; correct it, or add it to the setting lanes and start "
        "its workers",
        *ret, list_of(checker->arena, checker->lanes),
        nearest ? cm_arena_printf(checker->arena, "; did you mean \"%s\"?", nearest) : "");
    return false;
}
