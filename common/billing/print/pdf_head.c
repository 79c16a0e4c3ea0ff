/* The head of the first page: logo, reseller, customer, and what the document is (I04, I06, I12). */
#include "base/digest/base64.h"
#include "billing/print/paper.h"

#include <stdio.h>
#include <string.h>

enum { LOGO_WIDTH = 170, LOGO_HEIGHT = 56, NAMES_MOST = 12 };

/* --- logo -------------------------------------------------------------------------------------------------------- */

typedef struct reading {
    cm_buffer bytes;
    size_t at;
} reading;

static cairo_status_t give_bytes(void *opaque, unsigned char *into, unsigned int length)
{
    reading *r = opaque;
    if (length > r->bytes.length - r->at)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(into, r->bytes.data + r->at, length);
    r->at += length;
    return CAIRO_STATUS_SUCCESS;
}

/* NULL: there is no logo, or it cannot be read. */
static cairo_surface_t *read_logo(const json_t *view)
{
    static const char prefix[] = "data:image/png;base64,";
    const char *logo = cm_print_text(json_object_get(view, "reseller"), "logo");
    reading r = {0};
    cairo_surface_t *image = NULL;
    if (strncmp(logo, prefix, strlen(prefix)) == 0 && cm_base64_decode(cm_slice_of(logo + strlen(prefix)), &r.bytes))
        image = cairo_image_surface_create_from_png_stream(give_bytes, &r);
    cm_buffer_free(&r.bytes);
    if (image && cairo_surface_status(image) == CAIRO_STATUS_SUCCESS)
        return image;
    cairo_surface_destroy(image);
    return NULL;
}

/* At most one point for each pixel, and at most its box. Returns its height. */
static int draw_logo(cm_paper *paper, int x, int y)
{
    cairo_surface_t *image = read_logo(paper->view);
    if (!image)
        return 0;
    int width = cairo_image_surface_get_width(image), height = cairo_image_surface_get_height(image);
    int scale = PANGO_SCALE, fit = PT(LOGO_WIDTH) / width;
    scale = fit < scale ? fit : scale;
    fit = PT(LOGO_HEIGHT) / height;
    scale = fit < scale ? fit : scale;
    scale = scale ? scale : 1;
    if (paper->drawing) {
        cairo_save(paper->cr);
        cairo_translate(paper->cr, pango_units_to_double(x), pango_units_to_double(y));
        cairo_scale(paper->cr, pango_units_to_double(scale), pango_units_to_double(scale));
        cairo_set_source_surface(paper->cr, image, 0, 0);
        cairo_paint(paper->cr);
        cairo_restore(paper->cr);
    }
    cairo_surface_destroy(image);
    return height * scale;
}

/* --- parties ----------------------------------------------------------------------------------------------------- */

typedef struct block {
    cm_paper *paper;
    enum cm_align align;
    int x, y, width;
} block;

static void put(block *b, enum cm_style style, const char *format, const char *text)
{
    cm_buffer line = {0};
    if (!*text)
        return;
    while (*format) {
        if (*format == '*')
            cm_buffer_text(&line, text);
        else
            cm_buffer_char(&line, *format);
        format++;
    }
    b->y += cm_paper_text(b->paper, style, b->align, b->x, b->y, b->width, line.data);
    cm_buffer_free(&line);
}

static void put_contact(block *b, const json_t *party)
{
    const json_t *contact = json_object_get(party, "contact");
    cm_buffer who = {0};
    const char *name = json_is_string(contact) ? json_string_value(contact) : cm_print_text(contact, "name");
    const char *title = cm_print_text(contact, "title"), *email = cm_print_text(contact, "email");
    cm_buffer_printf(&who, "%s%s%s", name, *name && *title ? ", " : "", title);
    put(b, CM_STYLE_SMALL, "*", who.data);
    put(b, CM_STYLE_SMALL, "*", cm_print_text(contact, "phone"));
    put(b, CM_STYLE_SMALL, "*", *email ? email : cm_print_text(party, "email"));
    cm_buffer_free(&who);
}

static void put_party(block *b, const json_t *party)
{
    size_t i;
    json_t *line;
    const char *name = cm_print_text(party, "name");
    put(b, CM_STYLE_BOLD, "*", *name ? name : cm_print_text(party, "id"));
    json_array_foreach (json_object_get(party, "address"), i, line)
        put(b, CM_STYLE_BODY, "*", json_string_value(line));
    put(b, CM_STYLE_BODY, "*", cm_print_text(party, "country"));
    put(b, CM_STYLE_SMALL, cm_say(b->paper->view, "Tax no. *"), cm_print_text(party, "tax_id"));
    put_contact(b, party);
}

/* One customer with its address, several (I02, I03) by name. */
static void put_customers(block *b)
{
    const json_t *customers = json_object_get(b->paper->view, "customers");
    size_t count = json_array_size(customers);
    char words[64];
    if (count == 1) {
        put(b, CM_STYLE_LABEL, "*", cm_say(b->paper->view, "CUSTOMER"));
        put_party(b, json_array_get(customers, 0));
        return;
    }
    snprintf(words, sizeof words, "%zu %s", count, cm_say(b->paper->view, "CUSTOMERS"));
    put(b, CM_STYLE_LABEL, "*", words);
    for (size_t i = 0; i < count && i < NAMES_MOST; i++)
        put(b, CM_STYLE_BODY, "*", cm_print_text(json_array_get(customers, i), "name"));
    if (count > NAMES_MOST) {
        snprintf(words, sizeof words, "%s %zu %s", cm_say(b->paper->view, "and"), count - NAMES_MOST,
                 cm_say(b->paper->view, "more"));
        put(b, CM_STYLE_SMALL, "*", words);
    }
}

/* --- facts ------------------------------------------------------------------------------------------------------- */

static void put_fact(block *b, const char *label, const char *value)
{
    int label_width = PT(84);
    if (!*value)
        return;
    int left = cm_paper_text(b->paper, CM_STYLE_LABEL, CM_ALIGN_LEFT, b->x, b->y + PT(1), label_width,
                             cm_say(b->paper->view, label));
    int right =
        cm_paper_text(b->paper, CM_STYLE_BODY, CM_ALIGN_LEFT, b->x + label_width, b->y, b->width - label_width, value);
    b->y += (left > right ? left : right) + PT(1);
}

/* R06: who set the rate, and when. */
static void put_rate(block *b)
{
    const json_t *fx = json_object_get(b->paper->view, "exchange_rate");
    cm_buffer text = {0};
    if (!json_is_object(fx))
        return;
    cm_buffer_printf(&text, "1 %s = %s %s", cm_print_text(fx, "from"), cm_print_text(fx, "rate"),
                     cm_print_text(fx, "to"));
    put_fact(b, "Exchange rate", text.data);
    cm_buffer_clear(&text);
    if (*cm_print_text(fx, "set_by"))
        cm_buffer_printf(&text, "%s, %.10s", cm_print_text(fx, "set_by"), cm_print_text(fx, "set_at"));
    put_fact(b, "Rate set by", cm_buffer_string(&text));
    cm_buffer_free(&text);
}

static void put_corrects(block *b)
{
    const json_t *corrects = json_object_get(b->paper->view, "corrects");
    cm_buffer text = {0};
    if (!corrects)
        return;
    const char *number = cm_print_text(corrects, "number");
    cm_buffer_printf(&text, "%s, %s %s", *number ? number : cm_say(b->paper->view, "a period without a document"),
                     strcmp(cm_print_text(b->paper->view, "language"), "de") == 0 ? "Zeitraum" : "period",
                     cm_print_text(corrects, "period"));
    put_fact(b, "Corrects", text.data);
    cm_buffer_free(&text);
}

/* I04: the document's own URL, as a link. */
static void put_link(block *b)
{
    const char *link = cm_print_text(b->paper->view, "link");
    cm_buffer attributes = {0};
    cm_buffer_printf(&attributes, "uri='%s'", link);
    bool is_drawn = b->paper->drawing && *link;
    if (is_drawn)
        cairo_tag_begin(b->paper->cr, CAIRO_TAG_LINK, attributes.data);
    put_fact(b, "Online", link);
    if (is_drawn)
        cairo_tag_end(b->paper->cr, CAIRO_TAG_LINK);
    cm_buffer_free(&attributes);
}

static void put_facts(block *b)
{
    const json_t *view = b->paper->view, *cycle = json_object_get(view, "cycle");
    const char *number = cm_print_text(view, "number"), *day = cm_print_text(view, "issued_on"), *word;
    cm_buffer period = {0};
    bool is_draft = cm_print_is_draft(view, &word);
    cm_buffer_printf(&period, "%s %s %s", cm_print_text(cycle, "start"), cm_say(view, "to"),
                     cm_print_text(cycle, "end"));
    put_fact(b, "Number", is_draft ? word : number);
    put_fact(b, "Period", period.data);
    put_fact(b, "Issued", day);
    put_corrects(b);
    put_fact(b, "Currency", cm_print_text(view, "currency"));
    put_rate(b);
    if (*cm_print_text(view, "currency") && json_is_null(json_object_get(view, "rate")))
        put_fact(b, "Exchange rate", "none is set, so amounts are not converted and the document cannot be issued");
    put_fact(b, "Document id", cm_print_text(view, "id"));
    put_link(b);
    cm_buffer_free(&period);
}

void cm_print_head(cm_paper *paper)
{
    int middle = paper->left + (paper->right - paper->left) / 2, half = paper->right - middle;
    int logo = draw_logo(paper, paper->left, paper->y);
    block reseller = {paper, CM_ALIGN_RIGHT, middle, paper->y, half};
    put_party(&reseller, json_object_get(paper->view, "reseller"));
    put(&reseller, CM_STYLE_SMALL, "*", cm_print_text(json_object_get(paper->view, "reseller"), "profile"));
    paper->y = (reseller.y > paper->y + logo ? reseller.y : paper->y + logo) + PT(22);

    cm_paper_paragraph(paper, CM_STYLE_TITLE, cm_print_text(paper->view, "title"));
    if (strcmp(cm_print_text(paper->view, "view"), "distributor") != 0) /* I06 */
        cm_paper_paragraph(
            paper, CM_STYLE_SMALL,
            cm_say(paper->view, "Non-payable billing statement: it is not an invoice, and no payment is due on it."));
    else
        cm_paper_paragraph(paper, CM_STYLE_SMALL,
                           "What the distributor bills for the charges of the statement. Not for customers.");
    if (strcmp(cm_print_text(paper->view, "view"), "reseller") == 0)
        cm_paper_paragraph(paper, CM_STYLE_SMALL,
                           "The reseller's own view, with buy prices and margin. Not for customers.");
    paper->y += PT(8);
    cm_paper_rule(paper, paper->left, paper->y, paper->right - paper->left, true);
    paper->y += PT(10);

    block customers = {paper, CM_ALIGN_LEFT, paper->left, paper->y, half - PT(16)};
    block facts = {paper, CM_ALIGN_LEFT, middle, paper->y, half};
    put_customers(&customers);
    put_facts(&facts);
    paper->y = (customers.y > facts.y ? customers.y : facts.y) + PT(20);
}
