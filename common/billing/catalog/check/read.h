/* From a folder of YAML documents to canonical JSON: everything that is wrong is told at once. */
#ifndef CM_CATALOG_READ_H
#define CM_CATALOG_READ_H

#include "billing/catalog/yaml/problems.h"

#include <jansson.h>

/*
 * Reads *.yaml and *.yml below `folder` (sorted by path; names that begin with a point are left out), checks
 * everything, and returns the canonical JSON (caller: json_decref), or NULL if there are errors (all in *problems) or
 * the folder cannot be read or is empty
 * (*err, only if problems->errors is 0). Warnings are in *problems also on success. Files are named as `folder` was
 * given.
 *
 * Canonical JSON: {kind: {id: document}}, without kind and id in the document. Decimals and times are texts in one
 * form, defaults are filled in, order without meaning is sorted (accounts by payer, id, from; versions by time; rules
 * by priority; match values), so comments, order and layout of the files do not change it. Public support plans
 * (plans.h) are not in it unless the catalog has its own.
 */
CM_NODISCARD json_t *cm_catalog_read(const char *folder, cm_catalog_problems *problems, cm_error *err);
/* The same for an installation with these lanes (NULL-ended): a lane that is none of them is an error, since no worker
 * would ever look at what is in it. */
CM_NODISCARD json_t *cm_catalog_read_for(const char *folder, const char *const *lanes, cm_catalog_problems *problems,
                                         cm_error *err);

#endif
