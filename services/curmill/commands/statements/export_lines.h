/* The runs of a document, read again for `export lines`: what is written and added up is in billing/export. */
#ifndef EXPORT_LINES_H
#define EXPORT_LINES_H

#include "billing/export/lines.h"
#include "cli/cli.h"
#include "store/archive/archive_store.h"
#include "store/reports/lines_store.h"

typedef struct export_order {
    cli *c;
    const cm_archive *archive; /* NULL: none */
    const cm_document_facts *document;
    cm_line_export_order to;
    bool other_engine; /* a run was rated by another version of the rating than this one */
} export_order;

/* All lines of the document's runs. */
CM_NODISCARD bool export_lines(export_order *order, cm_error *err);

#endif
