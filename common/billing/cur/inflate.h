/* Gzip and deflate, inflated by ISA-L. Internal to common/billing/cur. All streams own the stream they read from. */
#ifndef CM_CUR_INFLATE_H
#define CM_CUR_INFLATE_H

#include "base/base/stream.h"

#include <stdint.h>

/* RFC 1952; members one after the other, zero bytes after the last are ignored. Takes `compressed` also on failure. */
cm_stream *cm_gzip_stream(cm_stream *compressed);

/*
 * RFC 1951, one stream, whose content has this length and CRC-32. Bytes that follow are not read.
 * Takes `compressed`.
 */
cm_stream *cm_deflate_stream(cm_stream *compressed, uint64_t length, uint32_t crc);

#endif
