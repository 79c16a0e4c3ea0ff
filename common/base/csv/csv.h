/*
 * The one writer of CSV (RFC 4180): every export and every `--format csv` goes through it, because spreadsheets run a
 * cell that begins like a formula, and its text may come from a report, a tag or a customer's name.
 */
#ifndef CM_CSV_CSV_H
#define CM_CSV_CSV_H

#include "base/base/buffer.h"
#include "base/base/slice.h"

/* A cell of text, quoted where needed. Text that begins like a formula (= + - @, tab, line end, and the wide forms of
 * the four signs) gets an apostrophe in front: a spreadsheet shows it and computes nothing. */
void cm_csv_text(cm_buffer *row, cm_slice text);
/* A cell that is a number: "-12.5" stays one. What is no plain number is written as text. */
void cm_csv_number(cm_buffer *row, cm_slice text);
/* Between two cells, and after the last one. */
void cm_csv_next(cm_buffer *row);
void cm_csv_end(cm_buffer *row);

#endif
