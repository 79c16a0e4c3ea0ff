/* What can only be seen over all documents, except accounts (check_links.c). */
#include "billing/catalog/check/check.h"
#include "billing/catalog/yaml/nearest.h"

#include <stdlib.h>

/* Documents in the order in which they were read: file, then place. */
static int by_kind_and_id(const void *a, const void *b)
{
    const cm_document *x = *(cm_document *const *)a, *y = *(cm_document *const *)b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int order = strcmp(x->id, y->id);
    return order ? order : (x > y) - (x < y); /* both in one array */
}

static void index_documents(cm_checker *checker)
{
    checker->index = cm_arena_alloc(checker->arena, checker->document_count * sizeof *checker->index);
    size_t all = 0;
    for (size_t i = 0; i < checker->document_count; i++)
        if (checker->documents[i].id)
            checker->index[all++] = &checker->documents[i];
    if (all)
        qsort(checker->index, all, sizeof *checker->index, by_kind_and_id);
    for (size_t i = 0; i < all; i++) {
        cm_document *document = checker->index[i];
        const cm_document *last = checker->index_count ? checker->index[checker->index_count - 1] : NULL;
        if (last && last->kind == document->kind && strcmp(last->id, document->id) == 0)
            cm_wrong(checker, document->id_node, "%s comes twice; the first is at %s", document->title,
                     cm_place(checker, last->id_node));
        else
            checker->index[checker->index_count++] = document;
    }
}

static void check_references(cm_checker *checker)
{
    enum { COMPARED = 5000 }; /* ids looked at for a "did you mean" */
    if (checker->incomplete)
        return;
    for (size_t i = 0; i < checker->reference_count; i++) {
        const cm_reference *reference = &checker->references[i];
        if (cm_checker_find(checker, reference->target, reference->id))
            continue;
        cm_nearest search = cm_nearest_begin(cm_slice_of(reference->id));
        for (size_t j = 0, compared = 0; j < checker->index_count && compared < COMPARED; j++)
            if (checker->index[j]->kind == reference->target) {
                cm_nearest_offer(&search, checker->index[j]->id);
                compared++;
            }
        const char *rule = reference->target == CM_DOCUMENT_PRICE_BOOK ? " (O02)" : "";
        if (search.best)
            cm_wrong(checker, reference->node, "%s: there is no %s \"%s\"; did you mean \"%s\"?%s", reference->field,
                     cm_document_kind_names[reference->target], reference->id, search.best, rule);
        else
            cm_wrong(checker, reference->node, "%s: there is no %s \"%s\" in this catalog; add it%s", reference->field,
                     cm_document_kind_names[reference->target], reference->id, rule);
    }
}

static int by_book(const void *a, const void *b)
{
    const cm_buy_reader *x = a, *y = b;
    return strcmp(x->book ? x->book : "", y->book ? y->book : "");
}

/* A buy book may read only what is known before it: list and payer. */
static void check_buy_books(cm_checker *checker)
{
    cm_buy_reader *readers = checker->buy_readers;
    size_t count = checker->buy_reader_count;
    if (count)
        qsort(readers, count, sizeof *readers, by_book);
    for (size_t i = 0; i < checker->document_count; i++) {
        const cm_document *payer = &checker->documents[i];
        if (!payer->buy_book)
            continue;
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (strcmp(readers[middle].book ? readers[middle].book : "", payer->buy_book) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < count && readers[low].book && strcmp(readers[low].book, payer->buy_book) == 0; low++)
            if (readers[low].tiers)
                cm_wrong(checker, readers[low].node,
                         "rule %s has tiers, but %s uses this book as its buy book; tiers belong to price books of "
                         "customers: use percent, rate, pass or free",
                         readers[low].rule, payer->title);
            else
                cm_wrong(checker, readers[low].node,
                         "rule %s reads the layer buy, but %s uses this book as its buy book; a buy book "
                         "may read list and payer",
                         readers[low].rule, payer->title);
    }
}

static int by_unique(const void *a, const void *b)
{
    const cm_document *x = *(cm_document *const *)a, *y = *(cm_document *const *)b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int order = strcmp(x->unique, y->unique);
    if (!order)
        order = (x->from > y->from) - (x->from < y->from);
    return order ? order : (x > y) - (x < y);
}

/* Two rates for the same thing, two plans at the same time. */
static void check_unique(cm_checker *checker)
{
    const cm_document **list = cm_alloc((checker->index_count + 1) * sizeof(void *));
    size_t count = 0;
    for (size_t i = 0; i < checker->index_count; i++)
        if (checker->index[i]->unique)
            list[count++] = checker->index[i];
    if (count)
        qsort(list, count, sizeof *list, by_unique);
    for (size_t i = 1; i < count; i++) {
        const cm_document *last = list[i - 1], *document = list[i];
        if (last->kind != document->kind || strcmp(last->unique, document->unique) != 0)
            continue;
        if (document->kind == CM_DOCUMENT_FX_RATE)
            cm_wrong(checker, document->id_node, "%s repeats what %s at %s says: %s", document->title, last->title,
                     cm_place(checker, last->id_node), document->unique);
        else if (document->kind == CM_DOCUMENT_DISTRIBUTOR)
            cm_wrong(checker, document->id_node, "%s and %s at %s have the same lane %s: a lane is one distributor",
                     document->title, last->title, cm_place(checker, last->id_node), document->unique);
        else if (document->kind == CM_DOCUMENT_RESELLER)
            cm_wrong(checker, document->id_node,
                     "%s and %s at %s would write the same document numbers (%s): give their document_number different "
                     "texts, or {reseller}",
                     document->title, last->title, cm_place(checker, last->id_node), document->unique);
        else if (document->from < last->to)
            cm_wrong(checker, document->id_node, "%s and %s at %s hold at the same time for the plan %s",
                     document->title, last->title, cm_place(checker, last->id_node), document->unique);
    }
    free(list);
}

void cm_check_whole(cm_checker *checker)
{
    index_documents(checker);
    check_references(checker);
    check_buy_books(checker);
    check_unique(checker);
    cm_check_links(checker);
    cm_check_support_months(checker);
    cm_check_money_lanes(checker);
    cm_check_distributors(checker);
}
