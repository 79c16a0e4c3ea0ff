/* Which compression a file uses, by its name, and the stream that decompresses it. */
#include "billing/cur/inflate.h"
#include "billing/cur/reader.h"
#include "billing/cur/zip.h"

#include <string.h>
#include <strings.h>

enum cm_compression cm_compression_of_name(const char *file_name)
{
    size_t length = strlen(file_name);
    if (length >= 3 && strcasecmp(file_name + length - 3, ".gz") == 0)
        return CM_COMPRESSION_GZIP;
    if (length >= 4 && strcasecmp(file_name + length - 4, ".zip") == 0)
        return CM_COMPRESSION_ZIP;
    return CM_COMPRESSION_NONE;
}

cm_stream *cm_decompress(cm_stream *compressed, enum cm_compression compression, cm_error *err)
{
    switch (compression) {
    case CM_COMPRESSION_NONE:
        return compressed;
    case CM_COMPRESSION_GZIP:
        return cm_gzip_stream(compressed);
    case CM_COMPRESSION_ZIP:
        return cm_zip_stream(compressed, err);
    }
    cm_assert(!"a compression");
}
