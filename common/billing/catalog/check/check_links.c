/* Which account belongs to whom under which payer, when. */
#include "billing/catalog/check/check.h"

#include <stdlib.h>

static int by_payer_account_from(const void *a, const void *b)
{
    const cm_checked_link *x = a, *y = b;
    int order = strcmp(x->payer, y->payer);
    if (!order)
        order = strcmp(x->account, y->account);
    if (!order)
        order = (x->from > y->from) - (x->from < y->from);
    if (!order)
        order = strcmp(x->node->file, y->node->file);
    if (!order)
        order = (x->node->line > y->node->line) - (x->node->line < y->node->line);
    return order ? order : (x->node->column > y->node->column) - (x->node->column < y->node->column);
}

/* At any instant an account has one owner under a payer (rating.md section 3). */
static void check_overlaps(cm_checker *checker)
{
    const cm_checked_link *longest = NULL;
    for (size_t i = 0; i < checker->link_count; i++) {
        const cm_checked_link *link = &checker->links[i];
        bool same = longest && strcmp(longest->payer, link->payer) == 0 && strcmp(longest->account, link->account) == 0;
        if (same && link->from < longest->to)
            cm_wrong(checker, link->node,
                     "account %s under payer %s has two owners at the same time: %s here and %s at %s; end the "
                     "one with `to` where the other begins",
                     link->account, link->payer, link->customer->title, longest->customer->title,
                     cm_place(checker, longest->node));
        if (!same || link->to > longest->to)
            longest = link;
    }
}

/* The first time within the link in which the customer's commitments are passed through, or NULL. */
static const cm_pass_through *passed_through(const cm_checked_link *link)
{
    for (size_t i = 0; i < link->customer->pass_through_count; i++) {
        const cm_pass_through *one = &link->customer->pass_through[i];
        if (one->from < link->to && link->from < one->to)
            return one;
    }
    return NULL;
}

/* Once for a customer: O06, R06. */
static void check_pass_through(cm_checker *checker)
{
    const cm_document *told = NULL;
    for (size_t i = 0; i < checker->link_count; i++) {
        const cm_checked_link *link = &checker->links[i];
        const cm_pass_through *during = link->customer == told ? NULL : passed_through(link);
        if (!during)
            continue;
        const cm_document *payer = cm_checker_find(checker, CM_DOCUMENT_PAYER, link->payer);
        if (!payer || !payer->model || payer->model->allows_pass_through)
            continue;
        cm_wrong(checker, during->node,
                 "commitment_policy pass_through of %s: its account %s is under payer %s of "
                 "model %s, and %s (O06, R06); use on_demand",
                 link->customer->title, link->account, link->payer, payer->model->name,
                 payer->model->pass_through_refusal);
        told = link->customer;
    }
}

/* P07: a dedicated payer is one customer's organization. */
static void check_dedicated(cm_checker *checker)
{
    const char *payer_id = NULL;
    const cm_document *owner = NULL;
    bool told = false;
    for (size_t i = 0; i < checker->link_count; i++) {
        const cm_checked_link *link = &checker->links[i];
        if (!payer_id || strcmp(payer_id, link->payer) != 0) {
            payer_id = link->payer;
            owner = link->customer;
            told = false;
            continue;
        }
        if (told || link->customer == owner)
            continue;
        const cm_document *payer = cm_checker_find(checker, CM_DOCUMENT_PAYER, payer_id);
        told = true;
        if (payer && payer->payer_kind && strcmp(payer->payer_kind, "dedicated") == 0)
            cm_warn(checker, payer->id_node,
                    "%s is a dedicated payer (one customer's own organization, P07), but has accounts of %s "
                    "and %s",
                    payer->title, owner->title, link->customer->title);
    }
}

void cm_check_links(cm_checker *checker)
{
    check_pass_through(checker); /* in the order of the files */
    if (checker->link_count)
        qsort(checker->links, checker->link_count, sizeof *checker->links, by_payer_account_from);
    check_overlaps(checker);
    check_dedicated(checker);
}
