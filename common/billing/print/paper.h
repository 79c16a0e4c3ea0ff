/*
 * Paper: pages, texts of any script, tables; measured in Pango units (1/1024 point), so that no amount and no length is
 * binary floating point. A document is laid out twice: once to count its pages, once to draw them. Private to
 * common/billing/print.
 */
#ifndef CM_PRINT_PAPER_H
#define CM_PRINT_PAPER_H

#include "billing/print/internal.h"

#include <pango/pangocairo.h>

#define PT(points) ((points)*PANGO_SCALE)

enum cm_style {
    CM_STYLE_BODY,
    CM_STYLE_BOLD,
    CM_STYLE_SMALL, /* notes, grey */
    CM_STYLE_LABEL, /* heads of columns and facts, grey */
    CM_STYLE_HEADING,
    CM_STYLE_TITLE,
    CM_STYLE_TOTAL,
    CM_STYLES
};

enum cm_align { CM_ALIGN_LEFT, CM_ALIGN_RIGHT }; /* as seen, whatever the direction of the script */

typedef struct cm_column {
    const char *title;
    int width;
    enum cm_align align;
} cm_column;

typedef struct cm_table {
    const cm_column *columns;
    int count;
} cm_table;

typedef struct cm_paper {
    cairo_t *cr;
    PangoContext *context;
    PangoFontDescription *fonts[CM_STYLES];
    const json_t *view;
    bool drawing; /* else only measured */
    int width, height, left, right, top, bottom;
    int y;                 /* where the next item goes */
    int page, pages;       /* pages: 0 while they are counted */
    const cm_table *table; /* the table whose head is repeated on each new page; NULL: none */
} cm_paper;

/* A4, or Letter where that is used. */
void cm_paper_size(const json_t *view, int *ret_width, int *ret_height);
void cm_paper_open(cm_paper *paper, cairo_t *cr, const json_t *view);
void cm_paper_close(cm_paper *paper);

/* Starts the next page and draws what appears on every page. */
void cm_paper_next_page(cm_paper *paper);
/* Starts a new page unless there is room for something that must not be split. */
void cm_paper_need(cm_paper *paper, int height);

/* Lays out a text, wrapping long ones; also draws it in the drawing pass. Returns its height. */
int cm_paper_text(cm_paper *paper, enum cm_style style, enum cm_align align, int x, int y, int width, const char *text);
/* At paper->y over the full width; advances paper->y. */
void cm_paper_paragraph(cm_paper *paper, enum cm_style style, const char *text);
/* A thin line across, at `y`. */
void cm_paper_rule(cm_paper *paper, int x, int y, int width, bool is_strong);

/* Draws the table's head now, and on each following page until `table` is NULL again. */
void cm_paper_table(cm_paper *paper, const cm_table *table);
void cm_paper_row(cm_paper *paper, const cm_table *table, enum cm_style style, const char *const *cells);

/* "Hello" left and "12.00" right on one line; advances paper->y. */
void cm_paper_pair(cm_paper *paper, enum cm_style style, int x, int width, const char *left, const char *right);

/* Amounts for people: thousands separators, `digits` decimals (rounded half away from zero, never "-0.00"). `into` has
 * room for CM_MONEY_TEXT. */
enum { CM_MONEY_TEXT = 80 };
char *cm_money(const char *amount, int digits, char into[static CM_MONEY_TEXT]);
/* Quantities: as many decimals as there are, six at most. */
char *cm_quantity(const char *quantity, char into[static CM_MONEY_TEXT]);
/* "Covered usage" of "covered_usage". */
char *cm_class_label(const char *class, char into[static CM_MONEY_TEXT]);

/* --- parts of a document ----------------------------------------------------------------------------------------- */
void cm_print_head(cm_paper *paper);   /* pdf_head.c: parties and facts */
void cm_print_body(cm_paper *paper);   /* pdf_body.c: summary and lines */
void cm_print_own(cm_paper *paper);    /* pdf_own.c: margin and history, reseller's view only */
void cm_print_bought(cm_paper *paper); /* pdf_own.c: distributor's view only */
bool cm_print_is_draft(const json_t *view, const char **ret_word); /* not issued: "DRAFT" ... */

#endif
