/*
 * Numbers of documents, as a reseller wants them written. A pattern is a text with {series}, {year} and {number} once
 * each and {reseller} at most once; a series stands for a lane, so that a number names no distributor.
 */
#ifndef CM_NUMBER_NUMBER_H
#define CM_NUMBER_NUMBER_H

#include "base/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

#define CM_NUMBER_PATTERN "{reseller}/{series}/{year}/{number}" /* the default */
enum { CM_NUMBER_PATTERN_MAX = 80, CM_NUMBER_SERIES_MAX = 16 };

/* Besides the words in braces only letters, digits, blanks and - _ . / # (safe in file names, mails and CSV). */
bool cm_number_is_pattern(const char *text);
/* 1 to CM_NUMBER_SERIES_MAX letters and digits. */
bool cm_number_is_series(const char *text);

/* "northwind/A/2025/000001" of a valid pattern, appended to `ret`. */
void cm_number_print(const char *pattern, const char *reseller, const char *series, int year, int64_t number,
                     cm_buffer *ret);
/* The series of the nth lane of a reseller that has none in the catalog, from 0: A, B ... Z, S27, S28 ... */
void cm_number_series(int nth, char ret[static CM_NUMBER_SERIES_MAX + 1]);

#endif
