/* Looking things up among the documents that are being checked. */
#include "billing/catalog/check/check.h"

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
    for (size_t i = 0; i < checker->document_count; i++) {
        const cm_document *payer = &checker->documents[i];
        const char *own =
            payer->kind == CM_DOCUMENT_PAYER ? json_string_value(json_object_get(payer->json, "lane")) : NULL;
        if (own && strcmp(own, lane) == 0)
            return true;
    }
    return false;
}
