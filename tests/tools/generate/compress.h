/* Where a chunk's bytes go: a plain file, a gzip file or a zip file with one entry, written as a stream of fixed
 * memory. */
#ifndef GENERATE_COMPRESS_H
#define GENERATE_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZIP };

struct sink;

/* Creates `path`. `entry` is the file name inside a zip; level 0 to 3 is ISA-L's. Ends the program with a message on
 * failure, as do all functions here. The caller passes the sink to sink_close. */
struct sink *sink_open(const char *path, enum packing packing, const char *entry, unsigned level);
void sink_write(struct sink *s, const void *bytes, size_t n);
/* Ends the gzip member and begins another (RFC 1952 section 2.2); nothing for the other packings. */
void sink_next_member(struct sink *s);
/* Flushes, closes and frees; returns the size of the file. */
uint64_t sink_close(struct sink *s);

#endif
