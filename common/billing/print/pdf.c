/* A view as PDF: laid out once to count the pages, then drawn. */
#include "billing/print/paper.h"

#include <cairo-pdf.h>
#include <stdio.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
/* fontconfig keeps what it has read until the process ends, some of it in ways that the leak checker cannot follow. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig.so";
}
#endif

static cairo_status_t take_bytes(void *opaque, const unsigned char *bytes, unsigned int length)
{
    cm_buffer_append(opaque, bytes, length);
    return CAIRO_STATUS_SUCCESS;
}

static void lay_out(cm_paper *paper, bool drawing, int pages)
{
    paper->drawing = drawing;
    paper->page = 0;
    paper->pages = pages;
    paper->table = NULL;
    cm_paper_next_page(paper);
    cm_print_head(paper);
    if (strcmp(cm_print_text(paper->view, "view"), "distributor") == 0) {
        cm_print_bought(paper);
        return;
    }
    cm_print_body(paper);
    if (strcmp(cm_print_text(paper->view, "view"), "reseller") == 0)
        cm_print_own(paper);
}

/* The day of issue, or the period's end: never the day on which it is printed, so that a reprint is the same bytes
 * (I09). */
static void put_metadata(cairo_surface_t *surface, const json_t *view)
{
    const char *day = cm_print_text(view, "issued_on"), *number = cm_print_text(view, "number");
    cm_buffer title = {0};
    char at[64];
    if (!*day)
        day = cm_print_text(json_object_get(view, "cycle"), "end");
    snprintf(at, sizeof at, "%sT00:00:00Z", day);
    cm_buffer_printf(&title, "%s %s", cm_print_text(view, "title"), *number ? number : cm_print_text(view, "id"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title.data);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR,
                                   cm_print_text(json_object_get(view, "reseller"), "name"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, cm_print_text(view, "id"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "curmill");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, at);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, at);
    cm_buffer_free(&title);
}

bool cm_view_pdf(const json_t *view, cm_buffer *ret, cm_error *err)
{
    int width, height;
    cm_paper paper = {0};
    cm_paper_size(view, &width, &height);
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(take_bytes, ret, width, height);
    cairo_t *cr = cairo_create(surface);
    put_metadata(surface, view);
    cm_paper_open(&paper, cr, view);
    lay_out(&paper, false, 0);
    lay_out(&paper, true, paper.page);
    cm_paper_close(&paper);
    cairo_show_page(cr);
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    cairo_status_t status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return status == CAIRO_STATUS_SUCCESS ||
           cm_fail(err, CM_ERROR_BUG, "PDF", "the PDF of document %s could not be made: %s", cm_print_text(view, "id"),
                   cairo_status_to_string(status));
}
