/* Values for gdb to print: in memory from the start, so that the program need not run. */
#include "base/base/error.h"
#include "base/decimal/decimal.h"
#include "base/time/time.h"

#define MOST_POSITIVE ((cm_i128)(~(cm_u128)0 >> 1))

cm_decimal twelve_and_a_half = {(cm_i128)12500000000000000000u};
cm_decimal smallest = {1};
cm_decimal owed = {-(cm_i128)12500000000000000000u};
cm_decimal zero = {0};
cm_decimal largest = {MOST_POSITIVE};
cm_decimal lowest = {-MOST_POSITIVE - 1};
cm_slice code = {"AmazonEC2, and more", 9};
cm_slice empty = {NULL, 0};
cm_slice latin = {"Stra\337e", 6};
cm_error failed = {CM_ERROR_RETRY, "DATABASE", "The database does not answer."};
cm_error nothing = {CM_ERROR_NONE, "", ""};
cm_instant noon = 1748779200000000;
cm_instant before = -1;
struct line {
    cm_slice product;
    cm_decimal cost;
    cm_instant at;
} lines[2] = {{{"S3", 2}, {5}, 0}, {{"EC2", 3}, {(cm_i128)2500000000000000000}, 1500000}};

int main(void)
{
    cm_decimal in_a_register = twelve_and_a_half;
    return in_a_register.units == 0;
}
