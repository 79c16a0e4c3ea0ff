/* The location of bad input in a report, for people: file, row, line and column. */
#ifndef CM_CUR_PLACE_H
#define CM_CUR_PLACE_H

#include <stdint.h>

/* Where in the input something is wrong. */
typedef struct cm_place {
    uint64_t row;     /* data row from 1; 0 = header or the file as a whole */
    uint64_t line;    /* line of the text file from 1 (differs from row + 1 when fields hold newlines); 0 unknown */
    char column[128]; /* header name, "" if no single column is the cause */
} cm_place;

#endif
