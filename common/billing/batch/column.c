#include "billing/batch/column.h"

#include "billing/batch/wire.h"

static const uint64_t powers_of_ten[CM_DECIMAL_SCALE + 1] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
};

uint64_t cm_column_unit(int scale)
{
    cm_assert(scale >= 0 && scale <= CM_DECIMAL_SCALE);
    return powers_of_ten[CM_DECIMAL_SCALE - scale];
}

cm_column_divisor cm_column_divisor_of(int scale)
{
    int twos = CM_DECIMAL_SCALE - scale;
    cm_u128 fives = cm_column_unit(scale) >> twos;
    cm_u128 inverse = fives; /* right for 3 bits; each step doubles that (Newton) */
    for (int bits = 3; bits < 128; bits *= 2)
        inverse *= 2 - fives * inverse;
    return (cm_column_divisor){twos, inverse};
}

/*
 * An integer at the divisor's scale: the low bits are zero, and the rest times the inverse of 5^k is a quotient, not a
 * wrapped product (Granlund and Montgomery, "Division by invariant integers", section 9).
 */
static inline bool is_integer(cm_decimal value, cm_column_divisor divisor, cm_u128 largest_quotient)
{
    cm_u128 magnitude = value.units < 0 ? -(cm_u128)value.units : (cm_u128)value.units;
    cm_u128 low = ((cm_u128)1 << divisor.twos) - 1;
    return (magnitude & low) == 0 && (magnitude >> divisor.twos) * divisor.inverse_of_fives <= largest_quotient;
}

static inline bool fits_64(cm_i128 v)
{
    return v == (int64_t)v;
}

cm_column_form cm_column_choose(const cm_decimal *values, size_t count)
{
    cm_column_form form = {0};
    cm_column_divisor divisor = cm_column_divisor_of(0);
    cm_u128 largest = ~(cm_u128)0 / (cm_column_unit(0) >> divisor.twos);
    for (size_t i = 0; i < count; i++)
        while (form.scale < CM_DECIMAL_SCALE && !is_integer(values[i], divisor, largest)) {
            divisor = cm_column_divisor_of(++form.scale);
            largest = ~(cm_u128)0 / (cm_column_unit(form.scale) >> divisor.twos);
        }
    for (size_t i = 0; i < count && !form.wide; i++)
        form.wide = !fits_64(cm_column_divide(values[i], divisor));
    if (form.wide)
        form.scale = CM_DECIMAL_SCALE;
    return form;
}

uint8_t *cm_column_put(uint8_t *at, uint32_t field, const cm_decimal *values, size_t count)
{
    cm_column_form form = cm_column_choose(values, count);
    cm_column_divisor divisor = cm_column_divisor_of(form.scale);
    uint8_t *column = cm_wire_begin(at, field);
    uint8_t *to = cm_wire_put_number(column, 1, (uint64_t)form.scale);
    uint8_t *content = cm_wire_begin(to, form.wide ? 3 : 2);
    to = content;
    if (form.wide) {
        memcpy(to, values, count * sizeof *values);
        to += count * sizeof *values;
    } else {
        for (size_t i = 0; i < count; i++)
            to = cm_wire_put_varint(to, cm_wire_zigzag((int64_t)cm_column_divide(values[i], divisor)));
    }
    return cm_wire_end(column, cm_wire_end(content, to));
}

static bool get_mantissas(const cm_wire_field *field, cm_decimal *ret, size_t *got, size_t count)
{
    uint64_t v = field->value;
    if (field->type == CM_WIRE_VARINT) {
        if (*got == count)
            return false;
        ret[(*got)++].units = cm_wire_unzigzag(v);
        return true;
    }
    cm_wire content = field->content;
    while (content.at < content.end) {
        if (*got == count || !cm_wire_varint(&content, &v))
            return false;
        ret[(*got)++].units = cm_wire_unzigzag(v);
    }
    return field->type == CM_WIRE_BYTES;
}

bool cm_column_get(const uint8_t *bytes, size_t length, cm_decimal *ret, size_t count)
{
    cm_wire wire = {bytes, bytes + length};
    cm_wire_field field;
    uint64_t scale = 0;
    size_t got = 0;
    cm_wire wide = {0};
    while (cm_wire_next(&wire, &field)) {
        if (field.number == 1 && field.type == CM_WIRE_VARINT)
            scale = field.value;
        else if (field.number == 2 && !get_mantissas(&field, ret, &got, count))
            return false;
        else if (field.number == 3 && field.type == CM_WIRE_BYTES)
            wide = field.content;
    }
    if (!wire.at || scale > CM_DECIMAL_SCALE)
        return false;
    if (wide.at != wide.end) {
        if (got || (size_t)(wide.end - wide.at) != count * sizeof *ret)
            return false;
        memcpy(ret, wide.at, count * sizeof *ret);
        return true;
    }
    int64_t unit = (int64_t)cm_column_unit((int)scale);
    for (size_t i = 0; i < got; i++)
        ret[i].units = (cm_i128)(int64_t)ret[i].units * unit;
    return got == count;
}

Curmill__V1__DecimalColumn *cm_column_message(const cm_decimal *first, size_t stride, size_t count, cm_arena *arena)
{
    Curmill__V1__DecimalColumn *column = cm_arena_alloc(arena, sizeof *column);
    cm_decimal *values = cm_arena_alloc(arena, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        memcpy(&values[i], (const char *)first + i * stride, sizeof *values);
    curmill__v1__decimal_column__init(column);
    cm_column_form form = cm_column_choose(values, count);
    column->scale = (uint32_t)form.scale;
    if (form.wide) {
        column->wide = (ProtobufCBinaryData){count * sizeof *values, (uint8_t *)values};
        return column;
    }
    cm_column_divisor divisor = cm_column_divisor_of(form.scale);
    column->n_mantissa = count;
    column->mantissa = cm_arena_alloc(arena, count * sizeof *column->mantissa);
    for (size_t i = 0; i < count; i++)
        column->mantissa[i] = (int64_t)cm_column_divide(values[i], divisor);
    return column;
}

bool cm_column_from_message(const Curmill__V1__DecimalColumn *column, cm_decimal *first, size_t stride, size_t count)
{
    char *to = (char *)first;
    if (!column)
        return count == 0;
    if (column->scale > CM_DECIMAL_SCALE)
        return false;
    if (column->wide.len) {
        if (column->n_mantissa || column->wide.len != count * sizeof *first)
            return false;
        for (size_t i = 0; i < count; i++, to += stride)
            memcpy(to, column->wide.data + i * sizeof *first, sizeof *first);
        return true;
    }
    if (column->n_mantissa != count)
        return false;
    int64_t unit = (int64_t)cm_column_unit((int)column->scale);
    for (size_t i = 0; i < count; i++, to += stride) {
        cm_decimal value = {(cm_i128)column->mantissa[i] * unit};
        memcpy(to, &value, sizeof value);
    }
    return true;
}

void cm_column_put_units(uint8_t into[static 16], cm_decimal value)
{
    memcpy(into, &value.units, 16);
}

bool cm_column_get_units(ProtobufCBinaryData bytes, cm_decimal *ret)
{
    if (bytes.len != 16)
        return false;
    memcpy(&ret->units, bytes.data, 16);
    return true;
}
