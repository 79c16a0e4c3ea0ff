#include "platform/aws/core/xml.h"

#include "base/base/buffer.h"

#include <expat.h>
#include <string.h>

/* expat 2.9 has these with 64 bits, and no longer uses the old ones. */
#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 9)
#define LINE_NUMBER(parser)   XML_GetCurrentLineNumber64(parser)
#define COLUMN_NUMBER(parser) XML_GetCurrentColumnNumber64(parser)
#else
#define LINE_NUMBER(parser)   XML_GetCurrentLineNumber(parser)
#define COLUMN_NUMBER(parser) XML_GetCurrentColumnNumber(parser)
#endif

enum { DEPTH_MAX = 32 };

typedef struct reader {
    XML_Parser parser;
    cm_buffer path;
    cm_buffer text[DEPTH_MAX];
    size_t depth;
    bool refused;
    cm_xml_element element;
    void *opaque;
} reader;

static void refuse(reader *r)
{
    r->refused = true;
    XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_start(void *opaque, const char *name, const char **attributes)
{
    (void)attributes;
    reader *r = opaque;
    if (r->depth == DEPTH_MAX) {
        refuse(r);
        return;
    }
    const char *colon = strrchr(name, ':');
    if (r->depth > 0)
        cm_buffer_char(&r->path, '/');
    cm_buffer_text(&r->path, colon ? colon + 1 : name);
    cm_buffer_clear(&r->text[r->depth++]);
}

static void XMLCALL on_end(void *opaque, const char *name)
{
    (void)name;
    reader *r = opaque;
    if (r->refused)
        return;
    r->depth--;
    r->element(r->opaque, r->path.data, cm_buffer_string(&r->text[r->depth]));
    const char *slash = strrchr(r->path.data, '/');
    r->path.length = slash ? (size_t)(slash - r->path.data) : 0;
    r->path.data[r->path.length] = '\0';
}

static void XMLCALL on_text(void *opaque, const char *text, int length)
{
    reader *r = opaque;
    if (r->depth > 0 && !r->refused)
        cm_buffer_append(&r->text[r->depth - 1], text, (size_t)length);
}

static void XMLCALL on_doctype(void *opaque, const char *name, const char *system, const char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    refuse(opaque);
}

bool cm_xml_read(const char *document, size_t length, cm_xml_element element, void *opaque, cm_error *err)
{
    reader r = {.element = element, .opaque = opaque};
    r.parser = XML_ParserCreate("UTF-8");
    cm_assert(r.parser && length < (1u << 30));
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    bool done = XML_Parse(r.parser, document, (int)length, 1) == XML_STATUS_OK;
    if (!done)
        cm_fail(err, CM_ERROR_RETRY, "UNAVAILABLE", "the answer is not well-formed XML: %s at line %lu, column %lu",
                r.refused ? "a document type or too deep" : XML_ErrorString(XML_GetErrorCode(r.parser)),
                (unsigned long)LINE_NUMBER(r.parser), (unsigned long)COLUMN_NUMBER(r.parser));
    XML_ParserFree(r.parser);
    cm_buffer_free(&r.path);
    for (size_t i = 0; i < DEPTH_MAX; i++)
        cm_buffer_free(&r.text[i]);
    return done;
}
