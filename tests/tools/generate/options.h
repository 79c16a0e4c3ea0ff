/*
 * What one call of `generate` was asked to write. Filled once by options_parse, read everywhere, never changed after.
 * Strings point into argv or at constants and live as long as the process.
 */
#ifndef GENERATE_OPTIONS_H
#define GENERATE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum format { FORMAT_LEGACY_GZ, FORMAT_LEGACY_ZIP, FORMAT_LEGACY_CSV, FORMAT_CUR2_GZ };
enum layout { LAYOUT_NEW, LAYOUT_OVERWRITE };
enum model { MODEL_TDSYNNEX, MODEL_INGRAM };

/* Deliberate oddities; rows count from 1 over the whole version, chunks from 1. 0 or NULL: off. */
struct odd {
    bool bom, crlf, newlines, multi_member, empty_chunk, zero_byte_chunk, header_only_chunk, extra_columns;
    bool empty_header_name, odd_numbers, date_forms, manifest_period, manifest_payer, stray_currency;
    uint64_t ragged, long_row, bad_number, wrong_payer, wrong_period, open_quote;
    unsigned cut_gzip, missing_file;
    const char *bad_number_column; /* NULL: the cost column */
    const char *missing_column;
    unsigned version; /* only this version has the oddities that break a delivery; 0: all */
};

struct options {
    uint64_t seed;
    uint64_t rows, chunk_rows;
    unsigned versions, only_version;
    unsigned accounts, customers, resellers, shared_accounts;
    unsigned no_list_every;
    unsigned level;
    int year, month;
    enum format format;
    enum layout layout;
    enum model model;
    const char *payer, *period, *out, *catalog, *totals;
    const char *report, *prefix, *bucket, *lane, *payer_kind, *reseller, *suffix, *unknown_type;
    bool daily, cny, unlinked, late_link, no_move, no_buy_book, missing_fx, not_final, shuffle, no_manifest, teach;
    bool quiet;
    struct odd odd;
};

/* Parses argv. Returns -1 to go on, else the exit code (0 after --help, 1 after an error that was printed). */
int options_parse(int argc, char **argv, struct options *ret_options);

static inline bool is_cur2(const struct options *o)
{
    return o->format == FORMAT_CUR2_GZ;
}

/* True if the oddities that break a delivery apply to this version. */
static inline bool odd_applies(const struct options *o, unsigned version)
{
    return o->odd.version == 0 || o->odd.version == version;
}

#endif
