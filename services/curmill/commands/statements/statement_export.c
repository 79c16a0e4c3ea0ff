/* statement export: documents for others to read, in the view that is theirs (statements.md section 7; I09-I12, P13).
 */
#include "cli/cli.h"
#include "commands/commands.h"

#include "billing/print/view.h"
#include "store/documents/document_record.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COLUMNS_MAX = 64 };

typedef struct exporting {
    cli *c;
    enum cm_view view;
    const char *columns[COLUMNS_MAX + 1]; /* NULL-ended; empty: all */
    char *column_text;
    const char *output;         /* NULL: standard output */
    bool into_folder, into_one; /* into_one: several documents in one file */
    cm_buffer all;              /* into_one: what is written at the end */
    int written;
} exporting;

static const char *extension(const exporting *e)
{
    return e->c->format == CLI_PDF ? "pdf" : e->c->format == CLI_CSV ? "csv" : "json";
}

/* --- what was asked for -------------------------------------------------------------------------------------- */

static int read_view(exporting *e)
{
    const char *name = cli_value(e->c, "view");
    for (int i = 0; i < CM_VIEW_COUNT; i++) {
        if (strcmp(cm_view_names[i], name) == 0) {
            e->view = (enum cm_view)i;
            return 0;
        }
    }
    return cli_usage(e->c, "--view is customer, reseller or distributor");
}

static int read_columns(exporting *e)
{
    const char *text = cli_value(e->c, "columns");
    char *save = NULL;
    int count = 0;
    if (!text)
        return 0;
    if (e->c->format != CLI_CSV)
        return cli_usage(e->c, "--columns is for --format csv");
    e->column_text = cm_strdup(text);
    for (char *name = strtok_r(e->column_text, ", ", &save); name && count < COLUMNS_MAX;
         name = strtok_r(NULL, ", ", &save))
        e->columns[count++] = name;
    return count ? 0 : cli_usage(e->c, "--columns names no column");
}

/* "x.csv" names a file and its format, whatever is asked for; "x", "x/" and the name of a folder do not. */
static bool names_a_file(const char *output, enum cli_format *ret)
{
    static const struct {
        const char *end;
        enum cli_format format;
    } ends[] = {{".json", CLI_JSON}, {".csv", CLI_CSV}, {".pdf", CLI_PDF}};
    struct stat info;
    for (size_t i = 0; output && i < sizeof ends / sizeof *ends; i++) {
        size_t length = strlen(output), end = strlen(ends[i].end);
        if (length <= end || strcasecmp(output + length - end, ends[i].end) != 0)
            continue;
        *ret = ends[i].format;
        return stat(output, &info) != 0 || !S_ISDIR(info.st_mode);
    }
    return false;
}

static int read_options(exporting *e)
{
    cli *c = e->c;
    enum cli_format named;
    e->output = cli_value(c, "output");
    if (!c->format_given)
        c->format = names_a_file(e->output, &named) ? named : CLI_JSON;
    if (c->format == CLI_TABLE)
        return cli_usage(c, "--format is json, csv or pdf; `curmill statement show` prints tables");
    if (!c->operands && !cli_value(c, "period") && !cli_value(c, "customer"))
        return cli_usage(c, "say which document: an ID, or --period (with --customer, --payer, --lane)");
    int exit_code = read_view(e);
    if (exit_code == 0 && !e->output && c->format == CLI_PDF && isatty(STDOUT_FILENO))
        return cli_usage(c, "a PDF cannot be shown on a terminal; give --output FILE, or redirect it with > or |");
    return exit_code ? exit_code : read_columns(e);
}

/* --- writing ------------------------------------------------------------------------------------------------- */

static bool cannot(cm_error *err, const char *path)
{
    return cm_fail(err, CM_ERROR_REFUSED, "OUTPUT", "%s: %s; choose another --output, or free some space", path,
                   strerror(errno));
}

/* All of the file, or the one that was there before. */
static bool write_file(const char *path, const cm_buffer *bytes, cm_error *err)
{
    cm_buffer draft = {0};
    cm_buffer_printf(&draft, "%s.part", path);
    FILE *file = fopen(draft.data, "wbe");
    bool done = file && fwrite(bytes->data, 1, bytes->length, file) == bytes->length && fflush(file) == 0 &&
                fsync(fileno(file)) == 0;
    if (!done)
        cannot(err, draft.data);
    if (file && fclose(file) != 0 && done)
        done = cannot(err, draft.data);
    if (done && rename(draft.data, path) != 0)
        done = cannot(err, path);
    if (!done && file)
        unlink(draft.data);
    cm_buffer_free(&draft);
    return done;
}

/* Letters, digits, ".", "-" and "_": a name that every file system and shell takes. */
static void put_safe(cm_buffer *ret, const char *name)
{
    for (; *name; name++)
        cm_buffer_char(ret, isalnum((unsigned char)*name) || strchr(".-_", *name) ? *name : '-');
}

/* "acme-northwind-A-2025-000001.pdf": customer and number, else the id; of several customers the reseller. Other views
 * say which they are. */
static void file_name(const exporting *e, const json_t *view, cm_buffer *ret)
{
    const char *number = json_string_value(json_object_get(view, "number"));
    const json_t *customers = json_object_get(view, "customers"), *whose = json_array_size(customers) == 1
                                                                               ? json_array_get(customers, 0)
                                                                               : json_object_get(view, "reseller");
    cm_buffer_printf(ret, "%s%s", e->output, e->output[strlen(e->output) - 1] == '/' ? "" : "/");
    put_safe(ret, json_string_value(json_object_get(whose, "id")));
    cm_buffer_char(ret, '-');
    put_safe(ret, number ? number : json_string_value(json_object_get(view, "id")));
    if (e->view != CM_VIEW_CUSTOMER)
        cm_buffer_printf(ret, ".%s", cm_view_names[e->view]);
    cm_buffer_printf(ret, ".%s", extension(e));
}

static size_t commas(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == ',';
    return count;
}

/* All documents in one file: CSV with one header, JSON as an array. */
static bool collect(exporting *e, const json_t *view, const cm_buffer *bytes, cm_error *err)
{
    const char *text = bytes->data;
    size_t length = bytes->length;
    if (e->c->format == CLI_JSON) {
        cm_buffer_text(&e->all, e->written ? ",\n" : "[\n");
        length--; /* its line break */
    } else if (e->written) {
        size_t header = strcspn(text, "\r"); /* column names hold neither commas nor line breaks */
        if (commas(text, header) != commas(e->all.data, strcspn(e->all.data, "\r")))
            return cm_fail(err, CM_ERROR_REFUSED, "COLUMNS",
                           "document %s was issued by an earlier version and has other columns; choose the ones that "
                           "all have with --columns, or write one file for each with --output FOLDER",
                           json_string_value(json_object_get(view, "id")));
        text += header + strlen("\r\n");
        length -= header + strlen("\r\n");
    }
    cm_buffer_append(&e->all, text, length);
    e->written++;
    return true;
}

static int write_collected(exporting *e)
{
    cm_error err = {0};
    if (e->c->format == CLI_JSON)
        cm_buffer_text(&e->all, e->written ? "\n]\n" : "[]\n");
    return write_file(e->output, &e->all, &err) ? 0 : cli_fail(e->c, &err);
}

static bool deliver(exporting *e, const json_t *view, const cm_buffer *bytes, cm_error *err)
{
    if (e->into_one)
        return collect(e, view, bytes, err);
    if (!e->output)
        return fwrite(bytes->data, 1, bytes->length, stdout) == bytes->length || cannot(err, "standard output");
    cm_buffer path = {0};
    if (e->into_folder)
        file_name(e, view, &path);
    else
        cm_buffer_text(&path, e->output);
    bool done = write_file(path.data, bytes, err);
    e->written += done;
    cm_buffer_free(&path);
    return done;
}

static bool print_view(const exporting *e, const json_t *view, cm_buffer *ret, cm_error *err)
{
    if (e->c->format == CLI_CSV)
        return cm_view_csv(view, *e->columns ? e->columns : NULL, ret, err);
    if (e->c->format == CLI_PDF)
        return cm_view_pdf(view, ret, err);
    char *text = json_dumps(view, JSON_INDENT(2));
    cm_buffer_printf(ret, "%s\n", text);
    free(text);
    return true;
}

static bool export_one(exporting *e, const char *id, cm_error *err)
{
    json_t *record = NULL;
    cm_buffer bytes = {0};
    if (!cm_store_document_record(e->c->pg_, id, &record, err))
        return false;
    json_t *view = cm_view_make(record, e->view, err);
    bool done = view && print_view(e, view, &bytes, err) && deliver(e, view, &bytes, err);
    cm_buffer_free(&bytes);
    json_decref(view);
    json_decref(record);
    return done;
}

/* Of several documents: the other ones are written although one is refused; the exit code is that of the worst. */
static int export_all(exporting *e, const cm_rows *rows)
{
    int exit_code = 0, count = cm_rows_count(rows);
    for (int i = 0; i < count; i++) {
        cm_error err = {0};
        if (count > 1 && strcmp(cm_rows_text(rows, i, CLI_STATE), "void") == 0)
            continue;
        if (export_one(e, cm_rows_text(rows, i, CLI_ID), &err))
            continue;
        int failed = cli_fail(e->c, &err);
        exit_code = failed > exit_code ? failed : exit_code;
        if (err.class != CM_ERROR_REFUSED || strcmp(err.code, "OUTPUT") == 0)
            break;
    }
    return exit_code;
}

static int prepare_output(exporting *e, int count)
{
    struct stat info;
    enum cli_format named;
    if (!e->output)
        return count > 1 ? cli_usage(e->c,
                                     "%d documents match; --output FOLDER writes one file for each, --output FILE.csv "
                                     "or FILE.json all of them into one, or give the id of one",
                                     count)
                         : 0;
    if (!*e->output)
        return cli_usage(e->c, "--output does not name a file");
    if (names_a_file(e->output, &named)) {
        e->into_one = count > 1;
        return count > 1 && e->c->format == CLI_PDF
                   ? cli_usage(
                         e->c,
                         "%d documents match, and a PDF file holds one; --output FOLDER writes one file for each, "
                         "or give the id of one",
                         count)
                   : 0;
    }
    bool there = stat(e->output, &info) == 0;
    e->into_folder = count > 1 || e->output[strlen(e->output) - 1] == '/' || (there && S_ISDIR(info.st_mode));
    if (e->into_folder && there && !S_ISDIR(info.st_mode))
        return cli_usage(e->c, "%d documents match and %s is not a folder; --output FOLDER writes one file for each",
                         count, e->output);
    if (e->into_folder && !there && mkdir(e->output, 0777) != 0) {
        cm_error err = {0};
        cannot(&err, e->output);
        return cli_fail(e->c, &err);
    }
    return 0;
}

int cmd_statement_export(cli *c)
{
    exporting e = {.c = c};
    cm_error err = {0};
    int exit_code = read_options(&e);
    if (exit_code) {
        free(e.column_text);
        return exit_code;
    }
    cm_rows *rows = cli_documents(c, false, c->operands ? c->operand[0] : NULL, &exit_code);
    if (rows && cm_rows_count(rows) == 0) {
        cm_fail(&err, CM_ERROR_NOT_FOUND, "NO_STATEMENT", "there is no such document; see `curmill statement list`");
        exit_code = cli_fail(c, &err);
    } else if (rows) {
        exit_code = prepare_output(&e, cm_rows_count(rows));
        bool ready = exit_code == 0;
        if (ready)
            exit_code = export_all(&e, rows);
        if (ready && e.into_one && e.written) {
            int failed = write_collected(&e);
            exit_code = failed > exit_code ? failed : exit_code;
        }
        if (ready && (e.into_folder || e.into_one))
            cli_note(c, e.into_one ? "%d documents written to %s" : "%d files written to %s", e.written, e.output);
    }
    cm_buffer_free(&e.all);
    cm_rows_free(rows);
    free(e.column_text);
    return exit_code;
}
