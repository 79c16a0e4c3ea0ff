/*
 * What customers read instead of our ids (settings.labels of a document's record): {support: {group: label}, rules:
 * {customer: {rule: {label, mode, over, currency, tiers}}}, charges: {charge: label}, credits: {credit: label}}, as far
 * as the document's lines name them. A label is "" where the catalog has neither a label nor a name of a person's own.
 */
#ifndef CM_LABELS_LABELS_H
#define CM_LABELS_LABELS_H

#include <jansson.h>

/* `catalog`: the content of the document's catalog version; `period`: the month of its lines. Caller: json_decref. */
json_t *cm_labels_of_document(const json_t *catalog, const json_t *document, const char *period);

#endif
