/*
 * Columns of decimals (proto/common.proto, DecimalColumn): the smallest scale at which every value is an integer, or
 * wide. Internal to common/billing/batch. Pure.
 */
#ifndef CM_BATCH_COLUMN_H
#define CM_BATCH_COLUMN_H

#include "base/base/arena.h"
#include "base/decimal/decimal.h"

#include "common.pb-c.h"

#include <stddef.h>

typedef struct cm_column_form {
    int scale; /* 0..18 */
    bool wide;
} cm_column_form;

cm_column_form cm_column_choose(const cm_decimal *values, size_t count);

/* Exact division of units by 10^(18 - scale), for values that are integers at `scale`. */
typedef struct cm_column_divisor {
    int twos;
    cm_u128 inverse_of_fives;
} cm_column_divisor;
cm_column_divisor cm_column_divisor_of(int scale);

static inline cm_i128 cm_column_divide(cm_decimal value, cm_column_divisor divisor)
{
    return (cm_i128)((cm_u128)(value.units >> divisor.twos) * divisor.inverse_of_fives);
}

/* 10^(18 - scale): units of one at the scale. */
uint64_t cm_column_unit(int scale);

/* --- as a field of LineBatch ------------------------------------------------------------------------------------- */

/* Writes the field. Needs at most 16 bytes a value and 64 more. */
uint8_t *cm_column_put(uint8_t *at, uint32_t field, const cm_decimal *values, size_t count);
/* Reads a DecimalColumn message of exactly `count` values. */
CM_NODISCARD bool cm_column_get(const uint8_t *bytes, size_t length, cm_decimal *ret, size_t count);

/* --- as a protobuf-c message ------------------------------------------------------------------------------------- */

/* `stride`: bytes from one value to the next. */
Curmill__V1__DecimalColumn *cm_column_message(const cm_decimal *first, size_t stride, size_t count, cm_arena *arena);
/* NULL stands for a column of no values. False: not `count` values. */
CM_NODISCARD bool cm_column_from_message(const Curmill__V1__DecimalColumn *column, cm_decimal *first, size_t stride,
                                         size_t count);

/* One value as 16 bytes, little-endian two's complement. */
void cm_column_put_units(uint8_t into[static 16], cm_decimal value);
CM_NODISCARD bool cm_column_get_units(ProtobufCBinaryData bytes, cm_decimal *ret);

#endif
