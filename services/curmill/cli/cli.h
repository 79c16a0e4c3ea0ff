/*
 * The operator's command line: a tree of commands that parses and documents itself, and what its commands share.
 * Data goes to standard output, everything else to standard error. Exit codes: base/error.h. Private to this program.
 * A new command: a function here, an entry in tree.c.
 */
#ifndef CLI_H
#define CLI_H

#include "base/config/config.h"
#include "base/time/time.h"
#include "cli/eyes.h"
#include "platform/archive/archive.h"
#include "platform/kafka/admin.h"
#include "platform/postgres/postgres.h"
#include "store/catalog/catalog_store.h"
#include "store/runs/run_store.h"

#include <jansson.h>

enum cli_format { CLI_TABLE, CLI_JSON, CLI_CSV, CLI_PDF }; /* PDF: `statement export` only */

typedef struct cli_option {
    const char *name;     /* without the dashes */
    const char *argument; /* NULL: a switch */
    const char *help;
    bool required, many; /* many: may be given again, and takes all words up to the next option */
} cli_option;

typedef struct cli cli;

typedef struct cli_command {
    const char *name, *summary;
    const char *operands; /* "DIR", "A B", "[VERSION]", NULL */
    int least_operands, most_operands;
    const cli_option *options;          /* ended by {0}; NULL: none */
    const struct cli_command *children; /* ended by {0}; NULL: none */
    int (*run)(cli *c);                 /* NULL: one of the children must be named */
} cli_command;

enum { CLI_VALUES_MAX = 4096 };

struct cli {
    cm_config *config;
    cm_clock clock;
    enum cli_format format;
    bool format_given;
    bool quiet;
    bool wide; /* tables: ids whole, nothing cut */
    const cli_command *command;
    char path[128]; /* "curmill catalog apply" */
    struct {
        const char *option, *value; /* value NULL: a switch */
    } given[CLI_VALUES_MAX];
    int given_count;
    const char *operand[8];
    int operands;
    cm_pg *pg_;           /* opened by cli_pg */
    cm_archive *archive_; /* opened by cli_archive */
};

/* Options: the value, or NULL if it was not given. */
const char *cli_value(const cli *c, const char *option);
bool cli_switch(const cli *c, const char *option);
/* Calls for each value of an option that may be given many times; returns the count. */
int cli_values(const cli *c, const char *option, const char **into, int most);
cm_instant cli_now(const cli *c);

/* Connects (schema checked) or prints the error and returns NULL: then return cli_exit(c). */
cm_pg *cli_pg(cli *c, int *ret_exit);
/* Prints "curmill: ..." and gives the exit code of the error's class. */
int cli_fail(const cli *c, const cm_error *err);
int cli_usage(const cli *c, const char *format, ...) CM_PRINTF(2, 3); /* exit code 1 */
void cli_note(const cli *c, const char *format, ...) CM_PRINTF(2, 3); /* unless --quiet */
/* "2025-06" of option --period. False: it is no period; the exit code is in *ret_exit. */
bool cli_period(const cli *c, cm_period *ret, int *ret_exit);
/* The first and the last month of "2025-05..2025-06", or of "2025-06". */
bool cli_periods(const cli *c, const char *option, cm_period *ret_first, cm_period *ret_last, int *ret_exit);
/* The archive of deliveries, closed by main(); NULL in *ret: none is set. False: the exit code is in *ret_exit. */
bool cli_archive(cli *c, const cm_archive **ret, int *ret_exit);
/* What `ingest --file` registers: the archive's policy, as ingest-cur has it. */
enum cm_archive_policy cli_archive_policy(const cli *c);
/* The catalog in force, or NULL with the exit code. Caller frees. */
cm_catalog *cli_catalog(cli *c, int *ret_exit);
/* The run whose id begins with `text` (after cli_pg). REFUSED: there are several, which are named; NOT_FOUND: none. */
CM_NODISCARD bool cli_run_id(cli *c, const char *text, char ret[static CM_ID_HEX], cm_error *err);
/* The same for deliveries. */
CM_NODISCARD bool cli_delivery_id(cli *c, const char *text, char ret[static CM_ID_HEX], cm_error *err);
/* The lanes of the settings, ended by NULL, in one piece: caller frees. */
const char **cli_lanes(const cli *c);
bool cli_knows_lane(const cli *c, const char *lane);
/* Every lane of the settings, calls until one returns other than 0. */
int cli_each_lane(const cli *c, int (*each)(cli *c, const char *lane, void *opaque), cli *self, void *opaque);

/* Answers --print-reference=FORM (base/config/reference.h) for the tree `root`: reference.c. False: something else was
 * asked. */
bool cli_reference_print(int argc, char **argv, const cli_command *root, const cm_setting *const *tables);

/* --- output: output.c ---------------------------------------------------------------------------------------- */

enum cli_type {
    CLI_TEXT,
    CLI_NUMBER,
    CLI_DECIMAL,
    CLI_BOOLEAN,
    CLI_MONEY /* as DECIMAL; a table shows it with the decimals of the row's currency */
};            /* DECIMAL: a string in JSON, right-aligned in a table */
typedef struct cli_column {
    const char *name;
    enum cli_type type;
} cli_column;

typedef struct cli_table cli_table;
cli_table *cli_table_new(const cli_column *columns, int count);
/* `values`: count texts; NULL is null in JSON, empty elsewhere. Decimals are brought into canonical form. */
void cli_table_add(cli_table *table, const char *const *values);
/* Of all CLI_MONEY columns; otherwise the row\'s column `currency` says it. */
void cli_table_currency(cli_table *table, const char *currency);
/* All rows of a result whose columns are the table's. */
void cli_table_add_rows(cli_table *table, const cm_rows *rows);
/* Prints by c->format (a JSON array of objects) and frees. Returns 0. */
int cli_table_print(const cli *c, cli_table *table);
json_t *cli_table_json(const cli_table *table);
void cli_table_free(cli_table *table);
/* Prints JSON (2 spaces) to standard output. Takes over `json`. Returns 0. */
int cli_json_print(json_t *json);
/* Runs a query and prints it as a table. */
int cli_query_print(cli *c, const cli_column *columns, int count, const char *sql, int values_count,
                    const char *const *values);

/* diff.c: rows, then totals, as columns of `run diff` and of the dry run. */
struct cm_diff;
json_t *cli_diff_rows(const struct cm_diff *diff);
json_t *cli_diff_totals(const struct cm_diff *diff);
/* Table or CSV. The totals stand in the table only. */
void cli_diff_print(const cli *c, const struct cm_diff *diff);

/* `catalog apply --dry-run`: dry_run.c. */
int cli_catalog_dry_run(cli *c, const json_t *canonical);

/* Documents chosen by the options of `statement`, after stale drafts were rebuilt (`force`: all of the period). `id`:
 * a document's id or a beginning of it, NULL: any. Columns: enum cli_document. NULL: the exit code is set. */
enum cli_document {
    CLI_DOCUMENT,
    CLI_SERIAL,
    CLI_STATE,
    CLI_ID,
    CLI_KIND,
    CLI_RESELLER,
    CLI_LANE,
    CLI_PERIOD,
    CLI_CUSTOMER,
    CLI_CURRENCY,
    CLI_SUBTOTAL,
    CLI_TOTAL,
    CLI_CUSTOMERS
};
cm_rows *cli_documents(cli *c, bool force, const char *id, int *ret_exit);
/* The id of the one document that the options and the operand choose. False: the exit code is in *ret_exit. */
bool cli_one_document(cli *c, char ret[static CM_ID_HEX], int *ret_exit);
/* One row for each document, as `statement list` prints them; the caller prints. */
void cli_documents_add(const cli *c, cli_table *table, const cm_rows *rows, int row);
cli_table *cli_documents_table(void);
/* The figures of all rows were shown: who approves one later is told what has changed since. */
CM_NODISCARD bool cli_documents_shown(cli *c, const cm_rows *rows, cm_error *err);
/* `statement show` as a table: statement_table.c */
void cli_document_table(cli *c, const json_t *document);

/* Waiting for runs, shared by `ingest`, `delivery restore` and `run start`: progress.c */
typedef struct cli_wait {
    const char *lane, *payer, *period; /* NULL: all */
    const char *runs;                  /* only these, an array of PostgreSQL; NULL: all running ones */
    const char *deliveries;            /* only runs of these, an array of PostgreSQL; NULL: all */
    int64_t deadline_ms;               /* monotonic */
} cli_wait;
/* Until nothing matching is running; then the drafts are brought up to date. 0 or an exit code: 4 also if a lane has no
 * worker alive that could do the work, which is said at once and not waited for. */
int cli_wait_for_runs(cli *c, const cli_wait *wait);
int cli_wait_for_run(cli *c, const char *run); /* the same for one run */
int64_t cli_deadline(const cli *c);            /* from --timeout SECONDS, default one hour */
enum { CLI_NOBODY_MS = 6000 }; /* for so long a worker may be starting: it has not told yet that it is alive */
/* The error NO_WORKER of a lane: "no `workers` is alive in lane ..., so `what`", and what to do. Its exit code. */
int cli_nobody_works(cli *c, const char *lane, const char *workers, const char *what);

#endif
