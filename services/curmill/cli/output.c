/* Tables of results, printed for people (table), programs (json) and spreadsheets (csv, RFC 4180). */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cli_table {
    cli_column column[32];
    int columns;
    char **cells; /* rows x columns, owned; NULL is null */
    size_t rows, capacity;
};

cli_table *cli_table_new(const cli_column *columns, int count)
{
    cli_table *table = cm_alloc(sizeof *table);
    cm_assert(count <= 32);
    memcpy(table->column, columns, (size_t)count * sizeof *columns);
    table->columns = count;
    return table;
}

static char *canonical(enum cli_type type, const char *value)
{
    cm_decimal decimal;
    char text[CM_DECIMAL_TEXT];
    if (!value)
        return NULL;
    if (type != CLI_DECIMAL || !cm_decimal_parse_strict(cm_slice_of(value), &decimal))
        return cm_strdup(value);
    cm_decimal_print(decimal, text);
    return cm_strdup(text);
}

void cli_table_add(cli_table *table, const char *const *values)
{
    if (table->rows == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 64;
        table->cells = cm_realloc(table->cells, table->capacity * (size_t)table->columns * sizeof *table->cells);
    }
    for (int i = 0; i < table->columns; i++)
        table->cells[table->rows * (size_t)table->columns + (size_t)i] = canonical(table->column[i].type, values[i]);
    table->rows++;
}

void cli_table_add_rows(cli_table *table, const cm_rows *rows)
{
    for (int row = 0; row < cm_rows_count(rows); row++) {
        const char *values[32];
        for (int i = 0; i < table->columns; i++)
            values[i] = cm_rows_null(rows, row, i) ? NULL : cm_rows_text(rows, row, i);
        cli_table_add(table, values);
    }
}

void cli_table_free(cli_table *table)
{
    for (size_t i = 0; i < table->rows * (size_t)table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

static const char *cell(const cli_table *table, size_t row, int column)
{
    return table->cells[row * (size_t)table->columns + (size_t)column];
}

static json_t *cell_json(const cli_table *table, size_t row, int column)
{
    const char *text = cell(table, row, column);
    if (!text)
        return json_null();
    switch (table->column[column].type) {
    case CLI_NUMBER:
        return json_integer(strtoll(text, NULL, 10));
    case CLI_BOOLEAN:
        return json_boolean(*text == 't');
    case CLI_TEXT:
    case CLI_DECIMAL:
        break;
    }
    return json_string(text);
}

json_t *cli_table_json(const cli_table *table)
{
    json_t *list = json_array();
    for (size_t row = 0; row < table->rows; row++) {
        json_t *object = json_object();
        for (int i = 0; i < table->columns; i++)
            json_object_set_new(object, table->column[i].name, cell_json(table, row, i));
        json_array_append_new(list, object);
    }
    return list;
}

int cli_json_print(json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(json);
    return 0;
}

static void print_csv_field(const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stdout);
        return;
    }
    fputc('"', stdout);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stdout);
        fputc(*text, stdout);
    }
    fputc('"', stdout);
}

static void print_csv(const cli_table *table)
{
    for (int i = 0; i < table->columns; i++)
        fprintf(stdout, "%s%s", i ? "," : "", table->column[i].name);
    fputs("\r\n", stdout);
    for (size_t row = 0; row < table->rows; row++) {
        for (int i = 0; i < table->columns; i++) {
            if (i)
                fputc(',', stdout);
            print_csv_field(cell(table, row, i) ? cell(table, row, i) : "");
        }
        fputs("\r\n", stdout);
    }
}

/* Columns on a terminal: code points, not bytes. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += (*text & 0xC0) != 0x80;
    return width;
}

static void print_padded(const char *text, int width, bool right, bool last)
{
    int pad = width - width_of(text);
    if (right)
        fprintf(stdout, "%*s%s", pad, "", text);
    else if (last)
        fputs(text, stdout);
    else
        fprintf(stdout, "%s%*s", text, pad, "");
}

static void print_table(const cli_table *table)
{
    int width[32];
    for (int i = 0; i < table->columns; i++) {
        width[i] = width_of(table->column[i].name);
        for (size_t row = 0; row < table->rows; row++) {
            int own = cell(table, row, i) ? width_of(cell(table, row, i)) : 0;
            width[i] = own > width[i] ? own : width[i];
        }
    }
    for (size_t line = 0; line <= table->rows; line++) {
        for (int i = 0; i < table->columns; i++) {
            enum cli_type type = table->column[i].type;
            const char *text = line ? cell(table, line - 1, i) : table->column[i].name;
            fputs(i ? "  " : "", stdout);
            print_padded(text ? text : "", width[i], type == CLI_NUMBER || type == CLI_DECIMAL,
                         i == table->columns - 1);
        }
        fputc('\n', stdout);
    }
}

int cli_table_print(const cli *c, cli_table *table)
{
    if (c->format == CLI_JSON)
        cli_json_print(cli_table_json(table));
    else if (c->format == CLI_CSV)
        print_csv(table);
    else
        print_table(table);
    cli_table_free(table);
    return 0;
}

int cli_query_print(cli *c, const cli_column *columns, int count, const char *sql, int values_count,
                    const char *const *values)
{
    cm_error err = {0};
    int exit_code = 0;
    cm_rows *rows = NULL;
    cm_pg *pg = cli_pg(c, &exit_code);
    if (!pg)
        return exit_code;
    if (!cm_pg_query(pg, sql, values_count, values, &rows, &err))
        return cli_fail(c, &err);
    cli_table *table = cli_table_new(columns, count);
    cli_table_add_rows(table, rows);
    cm_rows_free(rows);
    return cli_table_print(c, table);
}
