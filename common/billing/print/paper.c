#include "billing/print/paper.h"

#include <stdio.h>
#include <string.h>

enum { MARGIN = 48, FOOT = 34, GAP = 4 };

/* Sizes in points, colours 0..255. */
static const struct {
    int size;
    bool is_bold;
    int red, green, blue;
} styles[CM_STYLES] = {
    [CM_STYLE_BODY] = {8, false, 32, 32, 32},     [CM_STYLE_BOLD] = {8, true, 32, 32, 32},
    [CM_STYLE_SMALL] = {7, false, 110, 110, 110}, [CM_STYLE_LABEL] = {7, true, 110, 110, 110},
    [CM_STYLE_HEADING] = {11, true, 28, 58, 94},  [CM_STYLE_TITLE] = {20, true, 28, 58, 94},
    [CM_STYLE_TOTAL] = {11, true, 28, 58, 94},
};

void cm_paper_size(const json_t *view, int *ret_width, int *ret_height)
{
    const char *country = cm_print_text(json_object_get(view, "reseller"), "country");
    bool is_letter = strcmp(country, "US") == 0 || strcmp(country, "CA") == 0;
    *ret_width = is_letter ? 612 : 595;
    *ret_height = is_letter ? 792 : 842;
}

void cm_paper_open(cm_paper *paper, cairo_t *cr, const json_t *view)
{
    int width, height;
    cm_paper_size(view, &width, &height);
    paper->cr = cr;
    paper->view = view;
    paper->width = PT(width);
    paper->height = PT(height);
    paper->left = PT(MARGIN);
    paper->right = PT(width - MARGIN);
    paper->top = PT(MARGIN);
    paper->bottom = PT(height - MARGIN - FOOT);
    PangoFontMap *map = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(map), 72); /* a unit is 1/1024 point */
    paper->context = pango_font_map_create_context(map);
    g_object_unref(map);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(paper->context, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(paper->context, FALSE);
    pango_context_set_base_dir(paper->context, PANGO_DIRECTION_LTR);
    pango_context_set_language(paper->context, pango_language_from_string("en"));
    for (int i = 0; i < CM_STYLES; i++) {
        paper->fonts[i] = pango_font_description_from_string("Noto Sans,sans-serif");
        pango_font_description_set_absolute_size(paper->fonts[i], PT(styles[i].size));
        pango_font_description_set_weight(paper->fonts[i], styles[i].is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    }
}

void cm_paper_close(cm_paper *paper)
{
    for (int i = 0; i < CM_STYLES; i++)
        pango_font_description_free(paper->fonts[i]);
    g_object_unref(paper->context);
}

static void set_colour(cm_paper *paper, int red, int green, int blue)
{
    cairo_set_source_rgb(paper->cr, pango_units_to_double(PT(red) / 255), pango_units_to_double(PT(green) / 255),
                         pango_units_to_double(PT(blue) / 255));
}

/* The layout's direction is that of the text; the alignment is the requested one. */
static PangoAlignment side(PangoLayout *layout, enum cm_align align)
{
    bool is_right = align == CM_ALIGN_RIGHT;
    if (pango_layout_get_direction(layout, 0) == PANGO_DIRECTION_RTL)
        is_right = !is_right;
    return is_right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT;
}

int cm_paper_text(cm_paper *paper, enum cm_style style, enum cm_align align, int x, int y, int width, const char *text)
{
    int height;
    if (!*text)
        return 0;
    PangoLayout *layout = pango_layout_new(paper->context);
    pango_layout_set_font_description(layout, paper->fonts[style]);
    pango_layout_set_width(layout, width);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_text(layout, text, -1);
    pango_layout_set_alignment(layout, side(layout, align));
    pango_layout_get_size(layout, NULL, &height);
    if (paper->drawing) {
        set_colour(paper, styles[style].red, styles[style].green, styles[style].blue);
        cairo_move_to(paper->cr, pango_units_to_double(x), pango_units_to_double(y));
        pango_cairo_show_layout(paper->cr, layout);
    }
    g_object_unref(layout);
    return height;
}

void cm_paper_paragraph(cm_paper *paper, enum cm_style style, const char *text)
{
    int width = paper->right - paper->left;
    bool was_drawing = paper->drawing;
    paper->drawing = false;
    int height = cm_paper_text(paper, style, CM_ALIGN_LEFT, 0, 0, width, text);
    paper->drawing = was_drawing;
    cm_paper_need(paper, height);
    paper->y += cm_paper_text(paper, style, CM_ALIGN_LEFT, paper->left, paper->y, width, text);
}

void cm_paper_rule(cm_paper *paper, int x, int y, int width, bool is_strong)
{
    if (!paper->drawing)
        return;
    if (is_strong)
        set_colour(paper, 28, 58, 94);
    else
        set_colour(paper, 200, 204, 210);
    cairo_rectangle(paper->cr, pango_units_to_double(x), pango_units_to_double(y), pango_units_to_double(width),
                    pango_units_to_double(is_strong ? PT(1) : PT(1) / 2));
    cairo_fill(paper->cr);
}

/* --- pages ------------------------------------------------------------------------------------------------------- */

bool cm_print_is_draft(const json_t *view, const char **ret_word)
{
    const char *state = cm_print_text(view, "state");
    *ret_word = strcmp(state, "draft") == 0 ? "DRAFT" : strcmp(state, "void") == 0 ? "VOID" : "NOT ISSUED";
    return strcmp(state, "issued") != 0;
}

/* Across the page, pale, behind its content. */
static void draw_mark(cm_paper *paper, const char *word)
{
    PangoLayout *layout = pango_layout_new(paper->context);
    PangoFontDescription *font = pango_font_description_copy(paper->fonts[CM_STYLE_TITLE]);
    int width, height;
    pango_font_description_set_absolute_size(font, PT(90));
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, word, -1);
    pango_layout_get_size(layout, &width, &height);
    cairo_save(paper->cr);
    cairo_matrix_t turn; /* 45 degrees: sine and cosine are 724 / 1024 */
    cairo_matrix_init(&turn, pango_units_to_double(724), -pango_units_to_double(724), pango_units_to_double(724),
                      pango_units_to_double(724), pango_units_to_double(paper->width / 2),
                      pango_units_to_double(paper->height / 2));
    cairo_transform(paper->cr, &turn);
    set_colour(paper, 236, 236, 240);
    cairo_move_to(paper->cr, -pango_units_to_double(width / 2), -pango_units_to_double(height / 2));
    pango_cairo_show_layout(paper->cr, layout);
    cairo_restore(paper->cr);
    pango_font_description_free(font);
    g_object_unref(layout);
}

static void draw_foot(cm_paper *paper)
{
    int width = paper->right - paper->left, y = paper->bottom + PT(14);
    const char *number = cm_print_text(paper->view, "number"), *word;
    cm_buffer text = {0};
    char page[64];
    if (cm_print_is_draft(paper->view, &word))
        cm_buffer_printf(&text, "%s \xc2\xb7 ", word);
    cm_buffer_printf(&text, "%s%s%s \xc2\xb7 %s", number, *number ? " \xc2\xb7 " : "", cm_print_text(paper->view, "id"),
                     cm_print_text(json_object_get(paper->view, "reseller"), "name"));
    snprintf(page, sizeof page, "%s %d %s %d", cm_say(paper->view, "Page"), paper->page, cm_say(paper->view, "of"),
             paper->pages);
    cm_paper_rule(paper, paper->left, y, width, false);
    cm_paper_text(paper, CM_STYLE_SMALL, CM_ALIGN_LEFT, paper->left, y + PT(GAP), width - PT(80), text.data);
    cm_paper_text(paper, CM_STYLE_SMALL, CM_ALIGN_RIGHT, paper->right - PT(80), y + PT(GAP), PT(80), page);
    cm_buffer_free(&text);
}

static void begin_page(cm_paper *paper)
{
    const char *word;
    if (paper->drawing && cm_print_is_draft(paper->view, &word))
        draw_mark(paper, word);
    if (paper->drawing)
        draw_foot(paper);
    paper->y = paper->top;
    if (paper->page == 1)
        return;
    cm_buffer text = {0};
    cm_buffer_printf(&text, "%s \xc2\xb7 %s", cm_print_text(paper->view, "title"),
                     cm_print_text(paper->view, "period"));
    paper->y += cm_paper_text(paper, CM_STYLE_LABEL, CM_ALIGN_LEFT, paper->left, paper->y, paper->right - paper->left,
                              text.data);
    cm_buffer_free(&text);
    paper->y += PT(10);
}

static void draw_table_head(cm_paper *paper)
{
    const char *titles[16];
    for (int i = 0; i < paper->table->count; i++)
        titles[i] = paper->table->columns[i].title;
    cm_paper_row(paper, paper->table, CM_STYLE_LABEL, titles);
    cm_paper_rule(paper, paper->left, paper->y, paper->right - paper->left, false);
    paper->y += PT(GAP);
}

void cm_paper_next_page(cm_paper *paper)
{
    if (paper->drawing && paper->page > 0)
        cairo_show_page(paper->cr);
    paper->page++;
    begin_page(paper);
    if (paper->table)
        draw_table_head(paper);
}

void cm_paper_need(cm_paper *paper, int height)
{
    if (paper->page == 0 || paper->y + height > paper->bottom)
        cm_paper_next_page(paper);
}

/* --- tables ------------------------------------------------------------------------------------------------------ */

void cm_paper_table(cm_paper *paper, const cm_table *table)
{
    cm_paper_need(paper, PT(60));
    paper->table = table;
    draw_table_head(paper);
}

static int lay_row(cm_paper *paper, const cm_table *table, enum cm_style style, const char *const *cells)
{
    int x = paper->left, highest = 0;
    for (int i = 0; i < table->count; i++) {
        int height = cm_paper_text(paper, style, table->columns[i].align, x, paper->y, table->columns[i].width - PT(6),
                                   cells[i]);
        highest = height > highest ? height : highest;
        x += table->columns[i].width;
        if (i + 2 == table->count)
            x += PT(6); /* the last column ends where the text does */
    }
    return highest;
}

void cm_paper_row(cm_paper *paper, const cm_table *table, enum cm_style style, const char *const *cells)
{
    bool was_drawing = paper->drawing;
    paper->drawing = false;
    int height = lay_row(paper, table, style, cells);
    paper->drawing = was_drawing;
    if (style != CM_STYLE_LABEL)
        cm_paper_need(paper, height);
    lay_row(paper, table, style, cells);
    paper->y += height + PT(2);
}

void cm_paper_pair(cm_paper *paper, enum cm_style style, int x, int width, const char *left, const char *right)
{
    bool was_drawing = paper->drawing;
    int room = width - PT(110);
    paper->drawing = false;
    int height = cm_paper_text(paper, style, CM_ALIGN_LEFT, x, paper->y, room, left);
    paper->drawing = was_drawing;
    cm_paper_need(paper, height);
    cm_paper_text(paper, style, CM_ALIGN_LEFT, x, paper->y, room, left);
    cm_paper_text(paper, style, CM_ALIGN_RIGHT, x + room, paper->y, width - room, right);
    paper->y += height + PT(2);
}
