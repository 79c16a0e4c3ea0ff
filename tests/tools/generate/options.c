#include "options.h"

#include "lines.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
static const char help[] =
    "generate: writes seeded AWS Cost and Usage Reports, their exact totals and a catalog that matches\n"
    "\n"
    "usage: generate --out DIR [options]\n"
    "\n"
    "What\n"
    "  --out DIR            root of the copied bucket; keys of the report lie below it (required)\n"
    "  --scenario NAME      presets, other options override them:\n"
    "                       tiny   700 lines, 2 versions, chunks of 300 lines, 8 accounts, 5 customers\n"
    "                       month  20,000 lines, 3 versions, chunks of 6,000, 12 accounts, 6 customers, 2 resellers\n"
    "                       bench  1,000,000 lines, 1 version, chunks of 250,000, 24 accounts, 8 customers\n"
    "  --format F           legacy-gz (default), legacy-zip, legacy-csv, cur2-gz\n"
    "  --layout L           new (a folder for each version; default) or overwrite\n"
    "  --payer ID           12 digits (default 111122223333)\n"
    "  --period YYYY-MM     (default 2025-06)\n"
    "  --seed N             the same seed and options give the same bytes (default 1)\n"
    "  --rows N             lines of the last version (default: the scenario's; from 170 on every line item type occurs)\n"
    "  --chunk-rows N       lines of a chunk\n"
    "  --versions N         month-to-date deliveries 1..N: each restates some lines and adds columns and lines; the last one fills the\n"
    "                       invoice ids and adds credits, refunds, tax and support that AWS adds after the close\n"
    "  --only-version K     write only this one of them\n"
    "  --not-final          leave the invoice ids of the last version empty\n"
    "  --daily              daily instead of hourly granularity\n"
    "  --shuffle-columns    every chunk but the first has a column order of its own (default with --versions 2 or more)\n"
    "  --no-shuffle-columns\n"
    "  --report NAME        report or export name (default synthetic-hourly, or synthetic-daily)\n"
    "  --prefix P           (default cur)\n"
    "  --bucket B           (default synthetic-billing)\n"
    "  --no-manifest        data files alone, for `curmill ingest --file`\n"
    "  --level 0..3         compression level of ISA-L (default 2)\n"
    "  --totals FILE        JSON with exact totals: per version by line item type, account and currency; by type; all; per chunk\n"
    "  --quiet              no progress lines\n"
    "\n"
    "Who\n"
    "  --accounts N         5 to 4096\n"
    "  --customers N        1 to 512\n"
    "  --shared-accounts N  the first N account ids depend on the seed alone: call twice with two payers, and they are under both\n"
    "  --cny                one more customer whose account is billed in CNY (CURRENCY, unless --no-buy-book: buy books are in USD)\n"
    "  --unlinked           one account belongs to nobody (UNKNOWN_ACCOUNT)\n"
    "  --late-link          one account is linked from the 16th only (BEFORE_BILLED_FROM)\n"
    "  --no-move            no account changes its customer on the 16th\n"
    "  --no-list N          every Nth reserved-instance usage line has no list price (NO_LIST_PRICE)\n"
    "  --unknown-type NAME  some lines have this line item type (UNKNOWN_LINE_TYPE)\n"
    "\n"
    "Catalog\n"
    "  --catalog DIR        write YAML documents; two payers of one period may share the folder\n"
    "  --model M            tdsynnex (default) or ingram\n"
    "  --payer-kind K       shared (default), dedicated; master with ingram\n"
    "  --lane L             (default: the model)\n"
    "  --reseller ID        (default northwind)\n"
    "  --resellers N        2: every third customer belongs to another reseller (default 1)\n"
    "  --suffix S           tail of customer ids (default: last four digits of the payer)\n"
    "  --no-buy-book        the payer has none\n"
    "  --missing-fx         no rate to GBP, which the fifth customer is invoiced in\n"
    "  --teach-unknown-type a LineItemType document for --unknown-type\n"
    "\n"
    "Oddities: --odd NAME, several times. ROW counts from 1 over the whole version, CHUNK from 1.\n"
    "  legal:   bom crlf newlines multi-member empty-chunk header-only-chunk extra-columns empty-header-name\n"
    "           odd-numbers date-forms stray-currency\n"
    "  broken:  ragged=ROW long-row=ROW bad-number=ROW[:COLUMN] wrong-payer=ROW wrong-period=ROW open-quote=ROW cut-gzip=CHUNK\n"
    "           missing-file=CHUNK missing-column=NAME manifest-period manifest-payer zero-byte-chunk\n"
    "  --odd-version K      the broken ones only in version K\n"
    "The totals of a broken version are those of the lines as they were before they were broken.\n";
// clang-format on
enum { OPTION_LAST = 256 };
enum option_code {
    O_OUT = OPTION_LAST,
    O_SCENARIO,
    O_FORMAT,
    O_LAYOUT,
    O_PAYER,
    O_PERIOD,
    O_SEED,
    O_ROWS,
    O_CHUNK_ROWS,
    O_VERSIONS,
    O_ONLY_VERSION,
    O_NOT_FINAL,
    O_DAILY,
    O_SHUFFLE,
    O_NO_SHUFFLE,
    O_REPORT,
    O_PREFIX,
    O_BUCKET,
    O_NO_MANIFEST,
    O_LEVEL,
    O_TOTALS,
    O_QUIET,
    O_ACCOUNTS,
    O_CUSTOMERS,
    O_SHARED,
    O_CNY,
    O_UNLINKED,
    O_LATE_LINK,
    O_NO_MOVE,
    O_NO_LIST,
    O_UNKNOWN,
    O_CATALOG,
    O_MODEL,
    O_PAYER_KIND,
    O_LANE,
    O_RESELLER,
    O_RESELLERS,
    O_SUFFIX,
    O_NO_BUY_BOOK,
    O_MISSING_FX,
    O_TEACH,
    O_ODD,
    O_ODD_VERSION,
    O_HELP
};

// clang-format off
static const struct option table[] = {
    {"out", 1, NULL, O_OUT}, {"scenario", 1, NULL, O_SCENARIO}, {"format", 1, NULL, O_FORMAT}, {"layout", 1, NULL, O_LAYOUT},
    {"payer", 1, NULL, O_PAYER}, {"period", 1, NULL, O_PERIOD}, {"seed", 1, NULL, O_SEED}, {"rows", 1, NULL, O_ROWS},
    {"chunk-rows", 1, NULL, O_CHUNK_ROWS}, {"versions", 1, NULL, O_VERSIONS}, {"only-version", 1, NULL, O_ONLY_VERSION},
    {"not-final", 0, NULL, O_NOT_FINAL}, {"daily", 0, NULL, O_DAILY}, {"shuffle-columns", 0, NULL, O_SHUFFLE},
    {"no-shuffle-columns", 0, NULL, O_NO_SHUFFLE}, {"report", 1, NULL, O_REPORT}, {"prefix", 1, NULL, O_PREFIX},
    {"bucket", 1, NULL, O_BUCKET}, {"no-manifest", 0, NULL, O_NO_MANIFEST}, {"level", 1, NULL, O_LEVEL}, {"totals", 1, NULL, O_TOTALS},
    {"quiet", 0, NULL, O_QUIET}, {"accounts", 1, NULL, O_ACCOUNTS}, {"customers", 1, NULL, O_CUSTOMERS},
    {"shared-accounts", 1, NULL, O_SHARED}, {"cny", 0, NULL, O_CNY}, {"unlinked", 0, NULL, O_UNLINKED},
    {"late-link", 0, NULL, O_LATE_LINK}, {"no-move", 0, NULL, O_NO_MOVE}, {"no-list", 1, NULL, O_NO_LIST},
    {"unknown-type", 1, NULL, O_UNKNOWN}, {"catalog", 1, NULL, O_CATALOG}, {"model", 1, NULL, O_MODEL},
    {"payer-kind", 1, NULL, O_PAYER_KIND}, {"lane", 1, NULL, O_LANE}, {"reseller", 1, NULL, O_RESELLER},
    {"resellers", 1, NULL, O_RESELLERS}, {"suffix", 1, NULL, O_SUFFIX}, {"no-buy-book", 0, NULL, O_NO_BUY_BOOK},
    {"missing-fx", 0, NULL, O_MISSING_FX}, {"teach-unknown-type", 0, NULL, O_TEACH}, {"odd", 1, NULL, O_ODD},
    {"odd-version", 1, NULL, O_ODD_VERSION}, {"help", 0, NULL, O_HELP}, {NULL, 0, NULL, 0},
};
// clang-format on
/* A mistake in the arguments that was told; the caller returns 1. */
static bool wrong(const char *what, const char *text)
{
    fprintf(stderr, "generate: %s: '%s'; see --help\n", what, text);
    return false;
}

static bool number(const char *text, uint64_t low, uint64_t high, uint64_t *ret)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || n < low || n > high) {
        fprintf(stderr, "generate: a whole number from %llu to %llu was expected, not '%s'\n", (unsigned long long)low,
                (unsigned long long)high, text);
        return false;
    }
    *ret = n;
    return true;
}

static bool small(const char *text, unsigned low, unsigned high, unsigned *ret)
{
    uint64_t n = 0;
    bool good = number(text, low, high, &n);
    *ret = (unsigned)n;
    return good;
}

static bool one_of(const char *text, const char *const *names, unsigned count, unsigned *ret)
{
    for (*ret = 0; *ret < count; ++*ret)
        if (strcmp(text, names[*ret]) == 0)
            return true;
    return wrong("unknown value", text);
}

static bool set_scenario(struct options *o, const char *name)
{
    if (strcmp(name, "tiny") == 0) {
        o->rows = 700;
        o->chunk_rows = 300;
        o->versions = 2;
        o->accounts = 8;
        o->customers = 5;
    } else if (strcmp(name, "month") == 0) {
        o->rows = 20000;
        o->chunk_rows = 6000;
        o->versions = 3;
        o->accounts = 12;
        o->customers = 6;
        o->resellers = 2;
        o->shuffle = true;
    } else if (strcmp(name, "bench") == 0) {
        o->rows = 1000000;
        o->chunk_rows = 250000;
        o->versions = 1;
        o->accounts = 24;
        o->customers = 8;
    } else {
        return wrong("unknown scenario", name);
    }
    return true;
}

static bool set_bad_number(struct odd *odd, const char *value)
{
    const char *colon = strchr(value, ':');
    char row[24];
    snprintf(row, sizeof row, "%.*s", colon != NULL ? (int)(colon - value) : 20, value);
    odd->bad_number_column = colon != NULL ? colon + 1 : NULL;
    return number(row, 1, UINT64_MAX / 2, &odd->bad_number);
}

static bool set_odd(struct odd *odd, const char *text)
{
    const char *equals = strchr(text, '='), *value = equals != NULL ? equals + 1 : "";
    size_t n = equals != NULL ? (size_t)(equals - text) : strlen(text);
    // clang-format off
    const struct {
        const char *name;
        bool *flag;
        uint64_t *row;
        unsigned *chunk;
    } odds[] = {
        {"bom", &odd->bom, NULL, NULL}, {"crlf", &odd->crlf, NULL, NULL}, {"newlines", &odd->newlines, NULL, NULL},
        {"multi-member", &odd->multi_member, NULL, NULL}, {"empty-chunk", &odd->empty_chunk, NULL, NULL},
        {"zero-byte-chunk", &odd->zero_byte_chunk, NULL, NULL}, {"header-only-chunk", &odd->header_only_chunk, NULL, NULL},
        {"extra-columns", &odd->extra_columns, NULL, NULL}, {"empty-header-name", &odd->empty_header_name, NULL, NULL},
        {"odd-numbers", &odd->odd_numbers, NULL, NULL}, {"date-forms", &odd->date_forms, NULL, NULL},
        {"stray-currency", &odd->stray_currency, NULL, NULL}, {"manifest-period", &odd->manifest_period, NULL, NULL},
        {"manifest-payer", &odd->manifest_payer, NULL, NULL}, {"ragged", NULL, &odd->ragged, NULL}, {"long-row", NULL, &odd->long_row, NULL},
        {"wrong-payer", NULL, &odd->wrong_payer, NULL}, {"wrong-period", NULL, &odd->wrong_period, NULL},
        {"open-quote", NULL, &odd->open_quote, NULL}, {"cut-gzip", NULL, NULL, &odd->cut_gzip},
        {"missing-file", NULL, NULL, &odd->missing_file},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof odds / sizeof odds[0]; i++) {
        if (strlen(odds[i].name) != n || strncmp(text, odds[i].name, n) != 0)
            continue;
        if (odds[i].flag != NULL)
            return *odds[i].flag = true;
        return odds[i].row != NULL ? number(value, 1, UINT64_MAX / 2, odds[i].row)
                                   : small(value, 1, 99999, odds[i].chunk);
    }
    if (n == 10 && strncmp(text, "bad-number", n) == 0)
        return set_bad_number(odd, value);
    if (n == 14 && strncmp(text, "missing-column", n) == 0 && equals != NULL) {
        odd->missing_column = value;
        return true;
    }
    return wrong("unknown oddity", text);
}

// clang-format off
static bool set_names(struct options *o, int code, const char *v)
{
    static const char *const formats[] = {"legacy-gz", "legacy-zip", "legacy-csv", "cur2-gz"};
    static const char *const layouts[] = {"new", "overwrite"}, *const models[] = {"tdsynnex", "ingram"};
    unsigned which = 0;
    switch (code) {
    case O_OUT: o->out = v; return true;
    case O_CATALOG: o->catalog = v; return true;
    case O_TOTALS: o->totals = v; return true;
    case O_REPORT: o->report = v; return true;
    case O_PREFIX: o->prefix = v; return true;
    case O_BUCKET: o->bucket = v; return true;
    case O_LANE: o->lane = v; return true;
    case O_PAYER: o->payer = v; return true;
    case O_PERIOD: o->period = v; return true;
    case O_PAYER_KIND: o->payer_kind = v; return true;
    case O_RESELLER: o->reseller = v; return true;
    case O_SUFFIX: o->suffix = v; return true;
    case O_UNKNOWN: o->unknown_type = v; return true;
    case O_FORMAT:
        if (!one_of(v, formats, 4, &which))
            return false;
        o->format = (enum format)which;
        return true;
    case O_LAYOUT:
        if (!one_of(v, layouts, 2, &which))
            return false;
        o->layout = (enum layout)which;
        return true;
    case O_MODEL:
        if (!one_of(v, models, 2, &which))
            return false;
        o->model = (enum model)which;
        return true;
    default: return wrong("a bug: unhandled option", v);
    }
}

/* *shuffle: -1 off, 0 as the other options say, 1 on. */
static bool set_option(struct options *o, int code, const char *v, int *shuffle)
{
    switch (code) {
    case O_SCENARIO: return true; /* taken before all others */
    case O_SEED: return number(v, 0, UINT64_MAX / 2, &o->seed);
    case O_ROWS: return number(v, 1, 1000000000000ULL, &o->rows);
    case O_CHUNK_ROWS: return number(v, 1, 1000000000000ULL, &o->chunk_rows);
    case O_VERSIONS: return small(v, 1, 90, &o->versions);
    case O_ONLY_VERSION: return small(v, 1, 90, &o->only_version);
    case O_LEVEL: return small(v, 0, 3, &o->level);
    case O_ACCOUNTS: return small(v, 5, MAX_ACCOUNTS, &o->accounts);
    case O_CUSTOMERS: return small(v, 1, MAX_CUSTOMERS, &o->customers);
    case O_RESELLERS: return small(v, 1, 2, &o->resellers);
    case O_SHARED: return small(v, 0, MAX_ACCOUNTS, &o->shared_accounts);
    case O_NO_LIST: return small(v, 1, 1000000, &o->no_list_every);
    case O_ODD: return set_odd(&o->odd, v);
    case O_ODD_VERSION: return small(v, 1, 90, &o->odd.version);
    case O_SHUFFLE: *shuffle = 1; return true;
    case O_NO_SHUFFLE: *shuffle = -1; return true;
    case O_NOT_FINAL: return o->not_final = true;
    case O_DAILY: return o->daily = true;
    case O_NO_MANIFEST: return o->no_manifest = true;
    case O_QUIET: return o->quiet = true;
    case O_CNY: return o->cny = true;
    case O_UNLINKED: return o->unlinked = true;
    case O_LATE_LINK: return o->late_link = true;
    case O_NO_MOVE: return o->no_move = true;
    case O_NO_BUY_BOOK: return o->no_buy_book = true;
    case O_MISSING_FX: return o->missing_fx = true;
    case O_TEACH: return o->teach = true;
    default: return set_names(o, code, v);
    }
}
// clang-format on
static bool check(struct options *o)
{
    if (o->out == NULL)
        return wrong("where to?", "--out DIR is missing");
    if (strlen(o->payer) != 12 || strspn(o->payer, "0123456789") != 12)
        return wrong("a payer has 12 digits", o->payer);
    if (strlen(o->period) != 7 || o->period[4] != '-' || strspn(o->period, "0123456789-") != 7)
        return wrong("a period is YYYY-MM", o->period);
    o->year = (int)strtol(o->period, NULL, 10);
    o->month = (int)strtol(o->period + 5, NULL, 10);
    if (o->month < 1 || o->month > 12 || o->year < 1970)
        return wrong("a period is YYYY-MM", o->period);
    if (o->only_version > o->versions)
        return wrong("--only-version is above --versions", "only-version");
    bool ingram = o->model == MODEL_INGRAM;
    if (o->payer_kind == NULL)
        o->payer_kind = ingram ? "master" : "shared";
    if (o->lane == NULL)
        o->lane = ingram ? "ingram" : "tdsynnex";
    if (o->report == NULL)
        o->report = o->daily ? "synthetic-daily" : "synthetic-hourly";
    if (o->suffix == NULL)
        o->suffix = o->payer + 8;
    if (o->unknown_type != NULL && strpbrk(o->unknown_type, ",\"\r\n: #") != NULL)
        return wrong("a line item type is one word", o->unknown_type);
    return true;
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
    struct options *o = ret_options;
    *o = (struct options){.seed = 1,
                          .level = 2,
                          .resellers = 1,
                          .payer = "111122223333",
                          .period = "2025-06",
                          .prefix = "cur",
                          .bucket = "synthetic-billing",
                          .reseller = "northwind"};
    if (!set_scenario(o, "tiny"))
        return 70;
    int code, shuffle = 0;
    opterr = 0; /* the second pass tells */
    while ((code = getopt_long(argc, argv, "", table, NULL)) != -1)
        if (code == O_SCENARIO && !set_scenario(o, optarg))
            return 1;
    optind = 1;
    opterr = 1;
    while ((code = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (code == O_HELP) {
            fputs(help, stdout);
            return 0;
        }
        if (code == '?' || !set_option(o, code, optarg, &shuffle))
            return 1;
    }
    if (optind < argc)
        return wrong("unexpected argument", argv[optind]), 1;
    o->shuffle = shuffle > 0 || (shuffle == 0 && (o->shuffle || o->versions > 1));
    return check(o) ? -1 : 1;
}
