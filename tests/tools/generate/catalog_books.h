/* catalog.c's price books. */
#ifndef GENERATE_CATALOG_BOOKS_H
#define GENERATE_CATALOG_BOOKS_H

#include "world.h"

#include <stdio.h>

/* Books that all payers of a period share. */
void write_shared_books(FILE *f, const struct world *w);

/* The book that names one payer and its accounts: special-<suffix>. */
void write_payer_book(FILE *f, const struct world *w);

#endif
