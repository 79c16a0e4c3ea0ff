/* Pieces of CSV text: a slice points at characters that need no more quoting; text that needs it was quoted when made.
 */
#ifndef GENERATE_TEXT_H
#define GENERATE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    uint32_t n;
};

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, (uint32_t)strlen(text)};
}

/* Text for life of the process: printf into fresh memory, out of memory ends the program. */
const char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A CSV cell: quoted only if it holds a comma, a quote or a line end (RFC 4180). Lives as long as the process. */
struct slice csv_cell(const char *text);

/* A CSV cell that holds {"k":"v",...} of the pairs (key, value, ..., NULL); pairs with an empty value are left out. */
struct slice csv_json_map(const char *key, ...) __attribute__((sentinel));

/* Releases everything the functions above made; for leak checkers. */
void text_free_all(void);

#endif
