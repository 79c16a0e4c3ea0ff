/* Comparing by several keys, one after the other: macros for the comparison functions that qsort wants. */
#ifndef CM_BASE_ORDER_H
#define CM_BASE_ORDER_H

#include <string.h>

/* Returns from the comparison unless the texts are equal. */
#define CM_ORDER_BY_TEXT(a, b)                                                                                         \
    do {                                                                                                               \
        int order_ = strcmp((a), (b));                                                                                 \
        if (order_)                                                                                                    \
            return order_;                                                                                             \
    } while (0)

#endif
