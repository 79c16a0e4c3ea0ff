#include "billing/cur/zip.h"

#include "billing/cur/inflate.h"
#include "billing/cur/sniff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <zip.h>

/* The bytes of one member, as stored in the archive or inflated by libzip. */
struct member {
    cm_stream stream;
    zip_t *archive;
    zip_file_t *file;
};

static bool damaged(cm_error *err, const char *why)
{
    return cm_fail(err, CM_ERROR_POISON, "CUT",
                   "the zip file is damaged or was not written to its end: %s; deliver it again", why);
}

static bool member_read(cm_stream *stream, void *into, size_t size, size_t *ret_read, cm_error *err)
{
    struct member *m = (struct member *)stream;
    zip_int64_t got = zip_fread(m->file, into, size);
    if (got < 0)
        return damaged(err, zip_file_strerror(m->file));
    *ret_read = (size_t)got;
    return true;
}

static void member_close(cm_stream *stream)
{
    struct member *m = (struct member *)stream;
    if (m->file)
        zip_fclose(m->file);
    if (m->archive)
        zip_discard(m->archive);
    free(m);
}

/* A private file: unlinked at once, in TMPDIR or /tmp. */
static FILE *unnamed_file(void)
{
    char path[512];
    const char *folder = getenv("TMPDIR");
    int length = snprintf(path, sizeof path, "%s/curmill-XXXXXX", folder && *folder ? folder : "/tmp");
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return NULL;
    unlink(path);
    FILE *file = fdopen(fd, "w+b");
    if (!file)
        close(fd);
    return file;
}

static bool fail_spool(cm_error *err)
{
    return cm_fail(err, CM_ERROR_RETRY, "",
                   "cannot write a temporary file for a zip that is not a local file: %s; give TMPDIR space",
                   strerror(errno));
}

/* Copies the stream into a file, since a zip's directory is at its end. */
static FILE *spool(cm_stream *from, cm_error *err)
{
    FILE *file = unnamed_file();
    char *buffer = cm_alloc(64 * 1024);
    size_t got = 0;
    bool ok = file || fail_spool(err);
    while (ok && (ok = from->read(from, buffer, 64 * 1024, &got, err)) && got)
        ok = fwrite(buffer, 1, got, file) == got || fail_spool(err);
    ok = ok && (fflush(file) == 0 || fail_spool(err));
    free(buffer);
    if (!ok && file) {
        fclose(file);
        file = NULL;
    }
    return file;
}

static bool is_csv(const char *name)
{
    size_t length = strlen(name);
    return length >= 4 && strcasecmp(name + length - 4, ".csv") == 0;
}

/* The index of the only CSV member. */
static bool find_member(zip_t *archive, zip_uint64_t *ret_index, cm_error *err)
{
    char names[400] = "";
    size_t used = 0;
    unsigned found = 0;
    zip_int64_t entries = zip_get_num_entries(archive, 0);
    for (zip_uint64_t i = 0; entries > 0 && i < (zip_uint64_t)entries; i++) {
        const char *name = zip_get_name(archive, i, 0);
        if (!name || !is_csv(name))
            continue;
        if (found++ == 0)
            *ret_index = i;
        int wrote = snprintf(names + used, sizeof names - used, "%s%.100s", used ? ", " : "", name);
        if (wrote > 0 && (size_t)wrote < sizeof names - used)
            used += (size_t)wrote;
    }
    if (found == 1)
        return true;
    if (found == 0 && zip_name_locate(archive, "xl/workbook.xml", 0) >= 0)
        return cm_fail_format(err, "a zip of a spreadsheet (Excel, .xlsx)", CM_COMPRESSION_ZIP);
    if (found == 0)
        return cm_fail(err, CM_ERROR_POISON, "ZIP",
                       "the zip file holds no .csv member (%lld members); a chunk is one CSV file", (long long)entries);
    return cm_fail(err, CM_ERROR_POISON, "ZIP", "the zip file holds %u .csv members (%.*s); a chunk is one CSV file",
                   found, (int)used, names);
}

static cm_stream *open_member(zip_t *archive, cm_error *err)
{
    zip_uint64_t index = 0;
    zip_stat_t stat;
    if (!find_member(archive, &index, err))
        return NULL;
    if (zip_stat_index(archive, index, 0, &stat) != 0)
        return damaged(err, zip_strerror(archive)), NULL;
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE) {
        cm_fail(err, CM_ERROR_POISON, "ZIP", "the zip member %.200s is encrypted; deliver it without a password",
                stat.name);
        return NULL;
    }
    zip_uint64_t needed = ZIP_STAT_COMP_METHOD | ZIP_STAT_SIZE | ZIP_STAT_CRC;
    bool deflated = (stat.valid & needed) == needed && stat.comp_method == ZIP_CM_DEFLATE;
    /* ISA-L inflates at 2.5 times the speed of the zlib that libzip uses. */
    zip_file_t *file = zip_fopen_index(archive, index, deflated ? ZIP_FL_COMPRESSED : 0);
    if (!file)
        return damaged(err, zip_strerror(archive)), NULL;
    struct member *m = cm_alloc(sizeof *m);
    m->stream.read = member_read;
    m->stream.close = member_close;
    m->archive = archive;
    m->file = file;
    return deflated ? cm_deflate_stream(&m->stream, stat.size, stat.crc) : &m->stream;
}

static cm_stream *open_archive(FILE *file, cm_error *err)
{
    if (fseeko(file, 0, SEEK_END) != 0 || ftello(file) < 0 || fseeko(file, 0, SEEK_SET) != 0) {
        cm_fail(err, CM_ERROR_RETRY, "", "cannot seek in the zip file: %s", strerror(errno));
        fclose(file);
        return NULL;
    }
    char first[CM_SNIFF_BYTES];
    size_t length = fread(first, 1, sizeof first, file);
    bool is_zip = length >= 2 && memcmp(first, "PK", 2) == 0;
    if (!is_zip) {
        fclose(file);
        length ? cm_fail_format(err, cm_sniff(first, length), CM_COMPRESSION_ZIP) : cm_fail_empty(err);
        return NULL;
    }
    zip_error_t why;
    zip_error_init(&why);
    zip_source_t *source = zip_source_filep_create(file, 0, -1, &why);
    if (!source)
        fclose(file);
    zip_t *archive = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &why) : NULL;
    cm_stream *stream = NULL;
    if (archive)
        stream = open_member(archive, err);
    else
        damaged(err, zip_error_strerror(&why));
    if (!stream && archive)
        zip_discard(archive);
    else if (!stream && source)
        zip_source_free(source);
    zip_error_fini(&why);
    return stream;
}

cm_stream *cm_zip_stream(cm_stream *compressed, cm_error *err)
{
    FILE *file;
    if (compressed->local_path) {
        file = fopen(compressed->local_path, "rbe");
        if (!file)
            cm_fail(err, CM_ERROR_RETRY, "", "cannot open %s: %s", compressed->local_path, strerror(errno));
    } else {
        file = spool(compressed, err);
    }
    cm_stream_close(compressed);
    return file ? open_archive(file, err) : NULL;
}
