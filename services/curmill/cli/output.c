/* Tables of results, printed for people (table), programs (json) and spreadsheets (csv, RFC 4180). */
#include "base/csv/csv.h"
#include "cli/cli.h"
#include "cli/eyes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct cli_table {
    cli_column column[32];
    int columns;
    char **cells; /* rows x columns, owned; NULL is null */
    size_t rows, capacity;
    char currency[8]; /* of all rows; "": column `currency` says it */
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
    if ((type != CLI_DECIMAL && type != CLI_MONEY) || !cm_decimal_parse_strict(cm_slice_of(value), &decimal))
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
    case CLI_MONEY:
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

static bool is_number(enum cli_type type)
{
    return type == CLI_NUMBER || type == CLI_DECIMAL || type == CLI_MONEY;
}

static void print_csv(const cli_table *table)
{
    cm_buffer text = {0};
    for (int i = 0; i < table->columns; i++)
        cm_buffer_printf(&text, "%s%s", i ? "," : "", table->column[i].name);
    cm_csv_end(&text);
    for (size_t row = 0; row < table->rows; row++) {
        for (int i = 0; i < table->columns; i++) {
            if (i)
                cm_csv_next(&text);
            if (is_number(table->column[i].type))
                cm_csv_number(&text, cm_slice_of(cell(table, row, i)));
            else
                cm_csv_text(&text, cm_slice_of(cell(table, row, i)));
        }
        cm_csv_end(&text);
    }
    fwrite(text.data, 1, text.length, stdout);
    cm_buffer_free(&text);
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

static const char *currency_of(const cli_table *table, size_t row)
{
    if (*table->currency)
        return table->currency;
    for (int i = 0; i < table->columns; i++)
        if (strcmp(table->column[i].name, "currency") == 0)
            return cell(table, row, i);
    return NULL;
}

static int id_length_of(const cli_table *table, int column)
{
    const char **texts = cm_alloc((table->rows + 1) * sizeof *texts);
    for (size_t row = 0; row < table->rows; row++)
        texts[row] = cell(table, row, column);
    int length = cli_id_length(texts, table->rows);
    free(texts);
    return length;
}

static char *shown(const cli_table *table, size_t row, int column, int id_length)
{
    const char *text = cell(table, row, column);
    if (!text)
        return cm_strdup("");
    switch (table->column[column].type) {
    case CLI_BOOLEAN:
        return cm_strdup(*text == 't' ? "yes" : "no");
    case CLI_MONEY:
        return cli_money(text, currency_of(table, row));
    case CLI_TEXT:
        if (id_length && cli_is_id(text)) {
            char *id = cm_strdup(text);
            id[id_length] = '\0';
            return id;
        }
        break;
    case CLI_NUMBER:
    case CLI_DECIMAL:
        break;
    }
    return cli_plain_text(text, "");
}

/* Columns of the terminal; 0: standard output is not one, nothing is cut. */
static int terminal_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

/* The widest column of texts gives way until the table fits, or until no column can. */
static void fit(const cli_table *table, int *width, int most)
{
    enum { LEAST = 12 };
    int sum = 2 * (table->columns - 1);
    for (int i = 0; i < table->columns; i++)
        sum += width[i];
    while (sum > most) {
        int widest = -1;
        for (int i = 0; i < table->columns; i++)
            if (!is_number(table->column[i].type) && width[i] > LEAST && (widest < 0 || width[i] > width[widest]))
                widest = i;
        if (widest < 0)
            return;
        int gives = width[widest] - LEAST < sum - most ? width[widest] - LEAST : sum - most;
        for (int i = 0; i < table->columns; i++) /* not below the next widest: they share what is missing */
            if (i != widest && !is_number(table->column[i].type) && width[i] > LEAST && width[widest] - width[i] >= 1 &&
                width[widest] - width[i] < gives)
                gives = width[widest] - width[i];
        width[widest] -= gives;
        sum -= gives;
    }
}

static void print_line(const cli_table *table, const char *const *texts, const int *width, bool cut)
{
    for (int i = 0; i < table->columns; i++) {
        char *text = cut ? cli_cut(texts[i], width[i]) : cm_strdup(texts[i]);
        fputs(i ? "  " : "", stdout);
        print_padded(text, width[i], is_number(table->column[i].type), i == table->columns - 1);
        free(text);
    }
    fputc('\n', stdout);
}

static void print_table(const cli *c, const cli_table *table)
{
    size_t cells = table->rows * (size_t)table->columns;
    char **texts = cm_alloc((cells + 1) * sizeof *texts);
    const char *names[32];
    int width[32], most = c->wide ? 0 : terminal_width();
    for (int i = 0; i < table->columns; i++) {
        int id_length = c->wide ? 0 : id_length_of(table, i);
        names[i] = table->column[i].name;
        width[i] = width_of(names[i]);
        for (size_t row = 0; row < table->rows; row++) {
            char *text = shown(table, row, i, id_length);
            texts[row * (size_t)table->columns + (size_t)i] = text;
            width[i] = width_of(text) > width[i] ? width_of(text) : width[i];
        }
    }
    if (most)
        fit(table, width, most);
    print_line(table, names, width, most > 0);
    for (size_t row = 0; row < table->rows; row++)
        print_line(table, (const char *const *)&texts[row * (size_t)table->columns], width, most > 0);
    for (size_t i = 0; i < cells; i++)
        free(texts[i]);
    free(texts);
}

void cli_table_currency(cli_table *table, const char *currency)
{
    snprintf(table->currency, sizeof table->currency, "%s", currency);
}

int cli_table_print(const cli *c, cli_table *table)
{
    if (c->format == CLI_JSON)
        cli_json_print(cli_table_json(table));
    else if (c->format == CLI_CSV)
        print_csv(table);
    else
        print_table(c, table);
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
