/* For the reseller only: margin, purchases, the document's history. Never for customers (P13). */
#include "billing/print/paper.h"

#include <stdio.h>
#include <string.h>

enum { EXACT = 6 }; /* decimals of amounts that are not rounded to the document's currency */

static const char *exact(const json_t *object, const char *key, char into[static CM_MONEY_TEXT])
{
    return cm_money(cm_print_text(object, key), EXACT, into);
}

static void heading(cm_paper *paper, const char *text)
{
    paper->table = NULL;
    paper->y += PT(12);
    cm_paper_need(paper, PT(80));
    cm_paper_paragraph(paper, CM_STYLE_HEADING, text);
    paper->y += PT(4);
}

/* --- margin ------------------------------------------------------------------------------------------------------ */

static void put_margin_row(cm_paper *paper, const cm_table *table, enum cm_style style, const json_t *row,
                           const char *first)
{
    char sell[CM_MONEY_TEXT], buy[CM_MONEY_TEXT], fx[CM_MONEY_TEXT], margin[CM_MONEY_TEXT], class[CM_MONEY_TEXT];
    const char *cells[] = {first,
                           cm_print_text(row, "product"),
                           cm_class_label(cm_print_text(row, "class"), class),
                           exact(row, "sell", sell),
                           exact(row, "buy", buy),
                           exact(row, "fx", fx),
                           exact(row, "margin", margin)};
    cm_paper_row(paper, table, style, cells);
}

static void put_margin(cm_paper *paper, const json_t *margin)
{
    const cm_column columns[] = {{"Account", PT(72), CM_ALIGN_LEFT},
                                 {"Product", paper->right - paper->left - PT(72 + 78 + 72 * 3 + 60), CM_ALIGN_LEFT},
                                 {"Class", PT(78), CM_ALIGN_LEFT},
                                 {"Sell", PT(72), CM_ALIGN_RIGHT},
                                 {"Buy", PT(72), CM_ALIGN_RIGHT},
                                 {"FX margin", PT(60), CM_ALIGN_RIGHT},
                                 {"Margin", PT(72), CM_ALIGN_RIGHT}};
    const cm_table table = {columns, 7};
    size_t i;
    json_t *row;
    cm_paper_table(paper, &table);
    json_array_foreach (json_object_get(margin, "rows"), i, row)
        put_margin_row(paper, &table, CM_STYLE_BODY, row, cm_print_text(row, "account"));
    cm_paper_need(paper, PT(24));
    cm_paper_rule(paper, paper->left, paper->y, paper->right - paper->left, true);
    paper->y += PT(4);
    put_margin_row(paper, &table, CM_STYLE_BOLD, margin, "Sum");
    paper->table = NULL;
}

static void put_losses(cm_paper *paper, const json_t *losses)
{
    size_t i;
    json_t *loss;
    char money[CM_MONEY_TEXT];
    if (json_array_size(losses) == 0)
        return;
    heading(paper, "Losses");
    json_array_foreach (losses, i, loss) {
        cm_buffer text = {0};
        cm_buffer_printf(&text, "%s  %s: %s", cm_print_text(loss, "account"), cm_print_text(loss, "product"),
                         cm_print_text(loss, "cause"));
        cm_paper_pair(paper, CM_STYLE_BODY, paper->left, paper->right - paper->left, text.data,
                      exact(loss, "margin", money));
        cm_buffer_free(&text);
    }
}

/* --- history ----------------------------------------------------------------------------------------------------- */

static void put_event(cm_paper *paper, const char *what, const json_t *event)
{
    cm_buffer text = {0};
    if (!event)
        return;
    cm_buffer_printf(&text, "%s by %s, %s", what, cm_print_text(event, "by"), cm_print_text(event, "at"));
    cm_paper_paragraph(paper, CM_STYLE_BODY, text.data);
    cm_buffer_free(&text);
}

static void put_remit_to(cm_paper *paper)
{
    const json_t *place = json_object_get(paper->view, "remit_to"), *address = json_object_get(place, "address");
    size_t i;
    json_t *line;
    if (!place)
        return;
    heading(paper, "Remit to"); /* I14 */
    cm_paper_paragraph(paper, CM_STYLE_BOLD, cm_print_text(place, "name"));
    json_array_foreach (address, i, line)
        cm_paper_paragraph(paper, CM_STYLE_BODY, json_string_value(line));
    cm_paper_paragraph(paper, CM_STYLE_BODY, cm_print_text(place, "country"));
}

static void put_history(cm_paper *paper)
{
    const json_t *view = paper->view;
    size_t i;
    json_t *one;
    heading(paper, "History");
    put_event(paper, "Approved", json_object_get(view, "approved"));
    put_event(paper, "Issued", json_object_get(view, "issued"));
    json_array_foreach (json_object_get(view, "overrides"), i, one) {
        cm_buffer text = {0};
        cm_buffer_printf(&text, "Gate %s overridden by %s: %s", cm_print_text(one, "gate"), cm_print_text(one, "by"),
                         cm_print_text(one, "reason"));
        cm_paper_paragraph(paper, CM_STYLE_BODY, text.data);
        cm_buffer_free(&text);
    }
    cm_buffer text = {0};
    cm_buffer_printf(&text, "Catalog version %s", cm_print_text(view, "catalog"));
    cm_paper_paragraph(paper, CM_STYLE_BODY, text.data);
    json_array_foreach (json_object_get(view, "runs"), i, one) {
        cm_buffer_clear(&text);
        cm_buffer_printf(&text, "Payer %s, delivery %s, run %s", cm_print_text(one, "payer"),
                         cm_print_text(one, "delivery"), cm_print_text(one, "run"));
        cm_paper_paragraph(paper, CM_STYLE_BODY, text.data);
    }
    cm_buffer_free(&text);
}

/* N12: in the source currency, as the distributor credits them. */
static void put_arrears(cm_paper *paper)
{
    const json_t *arrears = json_object_get(paper->view, "arrears");
    size_t i;
    json_t *one;
    char money[CM_MONEY_TEXT];
    if (json_array_size(arrears) == 0)
        return;
    heading(paper, "Provider discounts of earlier months, credited in this one");
    json_array_foreach (arrears, i, one) {
        cm_buffer text = {0};
        cm_buffer_printf(&text, "%s  %s, earned in %s", cm_print_text(one, "account"), cm_print_text(one, "product"),
                         cm_print_text(one, "earned"));
        cm_paper_pair(paper, CM_STYLE_BODY, paper->left, paper->right - paper->left, text.data,
                      exact(one, "amount", money));
        cm_buffer_free(&text);
    }
    if (*cm_print_text(paper->view, "source_net"))
        cm_paper_pair(paper, CM_STYLE_BOLD, paper->left, paper->right - paper->left, "Net of them",
                      exact(paper->view, "source_net", money));
}

void cm_print_own(cm_paper *paper)
{
    const json_t *margin = json_object_get(paper->view, "margin");
    cm_buffer title = {0};
    cm_buffer_printf(&title, "Margin in %s, before tax", cm_print_text(paper->view, "currency"));
    heading(paper, title.data);
    cm_buffer_free(&title);
    if (json_is_object(margin)) {
        put_margin(paper, margin);
        put_losses(paper, json_object_get(margin, "negative"));
    } else {
        cm_paper_paragraph(
            paper, CM_STYLE_BODY,
            "It is not stored with this document, which is a correction or was made by an earlier version.");
    }
    put_arrears(paper);
    put_history(paper);
    put_remit_to(paper);
}

/* --- purchases --------------------------------------------------------------------------------------------------- */

static void put_bought_row(cm_paper *paper, const cm_table *table, enum cm_style style, const json_t *row,
                           const char *first)
{
    char buy[CM_MONEY_TEXT], paid[CM_MONEY_TEXT], class[CM_MONEY_TEXT];
    const char *cells[] = {first, cm_print_text(row, "product"), cm_class_label(cm_print_text(row, "class"), class),
                           exact(row, "source_buy", buy), exact(row, "paid", paid)};
    cm_paper_row(paper, table, style, cells);
}

void cm_print_bought(cm_paper *paper)
{
    char buy_title[32], paid_title[32];
    const json_t *view = paper->view;
    const char *rate = cm_print_text(view, "distributor_rate");
    size_t i;
    json_t *row;
    snprintf(buy_title, sizeof buy_title, "Buy (%s)", cm_print_text(view, "source_currency"));
    snprintf(paid_title, sizeof paid_title, "Paid (%s)", cm_print_text(view, "currency"));
    const cm_column columns[] = {{"Account", PT(76), CM_ALIGN_LEFT},
                                 {"Product", paper->right - paper->left - PT(76 + 90 + 100 * 2), CM_ALIGN_LEFT},
                                 {"Class", PT(90), CM_ALIGN_LEFT},
                                 {buy_title, PT(100), CM_ALIGN_RIGHT},
                                 {paid_title, PT(100), CM_ALIGN_RIGHT}};
    const cm_table table = {columns, 5};
    if (*rate) { /* R08 */
        cm_buffer text = {0};
        cm_buffer_printf(&text, "At the distributor's rate: 1 %s = %s %s", cm_print_text(view, "source_currency"), rate,
                         cm_print_text(view, "currency"));
        cm_paper_paragraph(paper, CM_STYLE_BODY, text.data);
        cm_buffer_free(&text);
        paper->y += PT(8);
    }
    cm_paper_table(paper, &table);
    json_array_foreach (json_object_get(view, "rows"), i, row)
        put_bought_row(paper, &table, CM_STYLE_BODY, row, cm_print_text(row, "account"));
    cm_paper_need(paper, PT(24));
    cm_paper_rule(paper, paper->left, paper->y, paper->right - paper->left, true);
    paper->y += PT(4);
    put_bought_row(paper, &table, CM_STYLE_BOLD, view, "Sum");
    paper->table = NULL;
    put_arrears(paper);
    put_remit_to(paper);
}
