/*
 * Reads the XML of S3 and STS with expat: a call for every element when it ends, with its path from the root and its
 * own text. Document types and custom entities are refused.
 */
#ifndef CM_AWS_XML_H
#define CM_AWS_XML_H

#include "base/base/error.h"

#include <stddef.h>

/* `path`: "ListBucketResult/Contents/Key", without namespaces; `text`: decoded, "" if none. Both valid during the call.
 */
typedef void (*cm_xml_element)(void *opaque, const char *path, const char *text);

/* RETRY with code UNAVAILABLE if it is not well-formed XML: a truncated answer, or one that is not from AWS. */
CM_NODISCARD bool cm_xml_read(const char *document, size_t length, cm_xml_element element, void *opaque, cm_error *err);

#endif
