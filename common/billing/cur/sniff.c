/* First bytes of files that people and broken copies put where a report should be. */
#include "billing/cur/sniff.h"

#include <string.h>
#include <strings.h>

struct magic {
    const char *bytes;
    size_t length;
    const char *what;
};

#define MAGIC(bytes, what)                                                                                             \
    {                                                                                                                  \
        bytes, sizeof(bytes) - 1, what                                                                                 \
    }

/* Longer ones before those that they begin with. */
static const struct magic known[] = {
    MAGIC("PAR1", "Parquet"),
    MAGIC("PARE", "encrypted Parquet"),
    MAGIC("ORC", "an ORC file"),
    MAGIC("Obj\x01", "an Avro file"),
    MAGIC("\x1f\x8b", "a gzip file"),
    MAGIC("PK\x03\x04", "a zip file"),
    MAGIC("PK\x05\x06", "an empty zip file"),
    MAGIC("\x28\xb5\x2f\xfd", "a zstd file"),
    MAGIC("BZh", "a bzip2 file"),
    MAGIC("\xfd"
          "7zXZ",
          "an xz file"),
    MAGIC("7z\xbc\xaf", "a 7z file"),
    MAGIC("\xd0\xcf\x11\xe0", "a spreadsheet (Excel, .xls)"),
    MAGIC("%PDF", "a PDF file"),
    MAGIC("SQLite format 3", "a SQLite database"),
    MAGIC("\xff\xfe\0\0", "UTF-32 text (reports are UTF-8)"),
    MAGIC("\0\0\xfe\xff", "UTF-32 text (reports are UTF-8)"),
    MAGIC("\xff\xfe", "UTF-16 text (reports are UTF-8)"),
    MAGIC("\xfe\xff", "UTF-16 text (reports are UTF-8)"),
    MAGIC("version https://git-lfs", "a Git LFS pointer, not the file itself"),
};

static const char *zip_content(const char *bytes, size_t length)
{
    static const struct {
        const char *name, *what;
    } signs[] = {{"[Content_Types].xml", "a zip of a spreadsheet (Excel, .xlsx)"},
                 {"xl/", "a zip of a spreadsheet (Excel, .xlsx)"},
                 {"opendocument.spreadsheet", "a zip of a spreadsheet (OpenDocument)"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (memmem(bytes, length, signs[i].name, strlen(signs[i].name)))
            return signs[i].what;
    return "a zip file";
}

static bool all_zero(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i])
            return false;
    return true;
}

/* Markup and JSON, after blanks. */
static const char *text_format(const char *bytes, size_t length)
{
    size_t at = 0;
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < length && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' || bytes[at] == '\n'))
        at++;
    const char *text = bytes + at;
    size_t left = length - at;
    if (left >= 14 && strncasecmp(text, "<!doctype html", 14) == 0)
        return "HTML (a web page, perhaps of a login)";
    if (left >= 5 && (strncasecmp(text, "<html", 5) == 0 || strncasecmp(text, "<head", 5) == 0))
        return "HTML (a web page, perhaps of a login)";
    if (left >= 5 && memcmp(text, "<?xml", 5) == 0)
        return memmem(text, left, "<Error>", 7) ? "an XML answer that reports an error (perhaps of S3)" : "XML";
    if (left >= 7 && memcmp(text, "<Error>", 7) == 0)
        return "an XML answer that reports an error (perhaps of S3)";
    if (left >= 2 && (*text == '{' || *text == '['))
        return "JSON";
    return NULL;
}

const char *cm_sniff(const char *bytes, size_t length)
{
    if (length > CM_SNIFF_BYTES)
        length = CM_SNIFF_BYTES;
    if (length >= 4 && all_zero(bytes, length))
        return "nothing but zero bytes, a copy that is not finished";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (length >= known[i].length && memcmp(bytes, known[i].bytes, known[i].length) == 0)
            return strcmp(known[i].what, "a zip file") == 0 ? zip_content(bytes, length) : known[i].what;
    if (length >= 4 &&
        ((bytes[0] && !bytes[1] && bytes[2] && !bytes[3]) || (!bytes[0] && bytes[1] && !bytes[2] && bytes[3])))
        return "UTF-16 text (reports are UTF-8)";
    return text_format(bytes, length);
}

bool cm_fail_format(cm_error *err, const char *what, enum cm_compression compression)
{
    static const char *const names[] = {
        [CM_COMPRESSION_NONE] = "csv", [CM_COMPRESSION_GZIP] = "csv.gz", [CM_COMPRESSION_ZIP] = "csv.zip"};
    if (!what)
        return cm_fail(
            err, CM_ERROR_POISON, "WRONG_FORMAT",
            "this is not compressed as its name says (%s): uncompressed text, or a damaged file; deliver it as AWS wrote it",
            names[compression]);
    return cm_fail(err, CM_ERROR_POISON, "WRONG_FORMAT", "this is %s; its name says %s: deliver it as AWS wrote it",
                   what, names[compression]);
}

bool cm_fail_empty(cm_error *err)
{
    return cm_fail(err, CM_ERROR_POISON, "EMPTY_FILE",
                   "the file has 0 bytes: a copy that broke off or is not finished (even an empty gzip has 20 bytes); "
                   "deliver it again");
}
