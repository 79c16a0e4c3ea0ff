/* print-record VIEW json|csv|pdf [COLUMN...] < RECORD: what `curmill statement export` makes of a document's record
 * (store/document_record.h). Exit code 2: refused, the reason on standard error. */
#include "billing/print/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool print(const json_t *view, const char *format, const char *const *columns, cm_buffer *ret, cm_error *err)
{
    if (strcmp(format, "pdf") == 0)
        return cm_view_pdf(view, ret, err);
    if (strcmp(format, "csv") == 0)
        return cm_view_csv(view, columns, ret, err);
    char *text = json_dumps(view, JSON_INDENT(2));
    cm_buffer_text(ret, text);
    free(text);
    return true;
}

int main(int argc, char **argv)
{
    cm_error err = {0};
    cm_buffer bytes = {0};
    int view = 0;
    json_t *record = json_loadf(stdin, 0, NULL);
    if (argc < 3 || !record)
        return 1;
    while (view < CM_VIEW_COUNT - 1 && strcmp(cm_view_names[view], argv[1]) != 0)
        view++;
    json_t *made = cm_view_make(record, (enum cm_view)view, &err);
    bool done = made && print(made, argv[2], argc > 3 ? (const char *const *)argv + 3 : NULL, &bytes, &err);
    if (done)
        fwrite(bytes.data, 1, bytes.length, stdout);
    else
        fprintf(stderr, "%s: %s\n", err.code, err.text);
    json_decref(made);
    json_decref(record);
    cm_buffer_free(&bytes);
    return done ? 0 : 2;
}
