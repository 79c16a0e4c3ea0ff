/*
 * Columns that a projection of a report left out, and that the price books of its customers ask for. A column that AWS
 * left out because no line has a value is the same to see; so this is asked of files that hold lines of usage only
 * (cm_reader_has_usage): those have all of these values.
 */
#ifndef CM_RATING_NEEDS_H
#define CM_RATING_NEEDS_H

#include "billing/cur/reader.h"
#include "billing/rating/rating.h"

/*
 * False: a rule that is in force in the period, of the payer's buy book or of the book of a customer with a link under
 * it, asks for a column that the file lacks. POISON, COLUMN_NEEDED: names column, rule, book, customer.
 */
CM_NODISCARD bool cm_rater_check_columns(const cm_rater *rater, const cm_reader *reader, cm_place *ret_place,
                                         cm_error *err);

/* What is lost without the column, for an alert; NULL: nothing to tell (a legacy report without reservations). */
const char *cm_lack_meaning(const cm_reader *reader, enum cm_lack lack);

#endif
