/*
 * Writes a catalog that matches the report: YAML documents as in rating.md section 8, in files that two calls for two
 * payers of one period can write into one folder (shared documents are the same in each, all others carry the payer in
 * id and file name).
 */
#ifndef GENERATE_CATALOG_H
#define GENERATE_CATALOG_H

#include "world.h"

void catalog_write(const struct world *w);

#endif
