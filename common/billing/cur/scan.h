/*
 * Splits one CSV row (RFC 4180): a field is either quoted from its first to its last byte, with quotes inside doubled,
 * or holds no quote at all. Rows end with LF or CRLF, or with the text. Two implementations with identical results: one
 * byte at a time, and 64 bytes at a time with AVX2 where the processor has it. Internal to common/billing/cur. Pure,
 * thread safe.
 */
#ifndef CM_CUR_SCAN_H
#define CM_CUR_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes behind the given text that must be readable (their content does not matter). */
enum { CM_SCAN_PADDING = 64 };

enum cm_scan_result {
    CM_SCAN_ROW,   /* a whole row */
    CM_SCAN_MORE,  /* the text ends before the row does */
    CM_SCAN_QUOTE, /* stray quote: in the middle of a field, or text after a closing quote; `fields` is the field's
                      index */
    CM_SCAN_CR,   /* a CR outside quotes that is not followed by LF; `fields` is the field's index, `length` where it is
                   */
    CM_SCAN_OPEN, /* a quoted field is not closed where the whole text ends; `fields` is the field's index */
    CM_SCAN_WIDE, /* more than `capacity` fields */
};

typedef struct cm_row {
    /* end[i]: offset just after field i, including quotes; field i begins at end[i - 1] + 1. end[-1] is
     * (uint32_t)-1. */
    uint32_t *end; /* room for `capacity` + 64 */
    uint32_t capacity;
    uint32_t fields;
    uint32_t length;   /* of the row, without its line end */
    uint32_t consumed; /* with it */
    uint32_t newlines; /* within quoted fields */
} cm_row;

/* The text has fewer than 2^32 - 64 bytes. `last`: nothing follows it. Not called for an empty text. */
typedef enum cm_scan_result cm_scan_fn(const char *text, size_t length, bool last, cm_row *row);
typedef uint64_t cm_hash_fn(const void *data, size_t length); /* XXH3-64 */

typedef struct cm_scanner {
    cm_scan_fn *scan;
    cm_hash_fn *hash;
    const char *name;
} cm_scanner;

extern const cm_scanner cm_scanner_scalar;
/* NULL if this processor or this build has no AVX2, BMI2 and PCLMUL. */
const cm_scanner *cm_scanner_avx2(void);
const cm_scanner *cm_scanner_best(void);

#endif
