/* From the fields of a row to a cm_line. Rare cases come first, then the path that every
 * line takes, then discounts in columns. */
#include "billing/cur/row.h"
#include "billing/cur/text.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Lengths of the key's fields and the kind's flags, in front of the fields' bytes. */
typedef struct key_head {
    uint16_t length[CM_KEY_FIELDS];
    uint16_t flags;
} key_head;

/* Copies are made in steps of this size; key and window have room for that. */
enum { STEP = 32 };

_Static_assert((int)sizeof(key_head) + CM_KEY_FIELDS * CM_KEY_FIELD_MAX + STEP <= (int)CM_KINDS_KEY_MAX,
               "every key fits");
_Static_assert((int)STEP <= (int)CM_SCAN_PADDING, "reading a step beyond the window is allowed");

static inline cm_slice field(const cm_reader *reader, enum cm_column column)
{
    return cm_reader_raw(reader, reader->columns.index[column]);
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

static bool set_error_place(const cm_reader *reader, enum cm_column column, cm_place *ret_place)
{
    cm_text_copy_name(cm_columns_name(&reader->columns, column), ret_place->column, sizeof ret_place->column);
    return false;
}

static bool missing(const cm_reader *reader, enum cm_column column, cm_place *ret_place, cm_error *err)
{
    cm_fail(err, CM_ERROR_POISON, "MISSING_VALUE", "the field is empty; every line must have it");
    return set_error_place(reader, column, ret_place);
}

static bool fail_number(const cm_reader *reader, enum cm_column column, enum cm_decimal_parse_result result,
                        cm_place *ret_place, cm_error *err)
{
    char shown[CM_TEXT_SHOWN];
    cm_slice value = cm_text_strip(field(reader, column));
    cm_text_shown(value, shown);
    if (result == CM_DECIMAL_OVERFLOW)
        cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "\"%s\" is too large for an amount (the limit is about 1.7e20)",
                shown);
    else if (memchr(value.text, ',', value.length))
        cm_fail(err, CM_ERROR_POISON, "NOT_A_NUMBER",
                "\"%s\" is not a number: use a decimal point and no thousands separator", shown);
    else
        cm_fail(err, CM_ERROR_POISON, "NOT_A_NUMBER", "\"%s\" is not a number", shown);
    return set_error_place(reader, column, ret_place);
}

static bool is_account(cm_slice text)
{
    bool digits = text.length == 12;
    for (size_t i = 0; digits && i < 12; i++)
        digits = text.text[i] >= '0' && text.text[i] <= '9';
    return digits;
}

/* A spreadsheet writes 1E+11 for an account, or drops its leading zeros. */
static bool fail_account(const cm_reader *reader, enum cm_column column, cm_slice text, cm_place *ret_place,
                         cm_error *err)
{
    char shown[CM_TEXT_SHOWN];
    cm_fail(err, CM_ERROR_POISON, "BAD_ACCOUNT",
            "\"%s\" is not an account id, which has 12 digits: was the file opened and saved in a spreadsheet, which "
            "shortens such numbers? Deliver it as AWS wrote it",
            cm_text_shown(text, shown));
    return set_error_place(reader, column, ret_place);
}

/* --- payer, period, time ----------------------------------------------------------------------------------------- */

static void accept(cm_accepted *accepted, cm_slice raw)
{
    if (raw.length > CM_ACCEPTED_MAX)
        return;
    memcpy(accepted->text, raw.text, raw.length);
    accepted->length = raw.length;
}

static bool check_payer(cm_reader *reader, cm_slice raw, cm_place *ret_place, cm_error *err)
{
    char shown[CM_TEXT_SHOWN];
    cm_slice value = cm_text_strip(raw);
    if (value.length == 0)
        return missing(reader, CM_COLUMN_PAYER, ret_place, err);
    if (!cm_slice_is(value, reader->payer)) {
        if (!is_account(value))
            return fail_account(reader, CM_COLUMN_PAYER, value, ret_place, err);
        cm_fail(err, CM_ERROR_POISON, "WRONG_PAYER", "the line belongs to payer \"%s\" and the delivery to payer %s",
                cm_text_shown(value, shown), reader->payer);
        return set_error_place(reader, CM_COLUMN_PAYER, ret_place);
    }
    accept(&reader->payer_field, raw);
    return true;
}

static bool check_period(cm_reader *reader, cm_slice raw, cm_place *ret_place, cm_error *err)
{
    char shown[CM_TEXT_SHOWN];
    cm_instant start;
    cm_slice value = cm_text_strip(raw);
    if (value.length == 0)
        return missing(reader, CM_COLUMN_PERIOD_START, ret_place, err);
    cm_text_shown(value, shown);
    if (!cm_instant_parse(value, &start)) {
        cm_fail(err, CM_ERROR_POISON, "NOT_A_TIME", "\"%s\" is not a time such as 2025-06-01T00:00:00Z", shown);
        return set_error_place(reader, CM_COLUMN_PERIOD_START, ret_place);
    }
    if (start != reader->period_start) {
        cm_fail(err, CM_ERROR_POISON, "WRONG_PERIOD", "the line's billing period begins at %s, the delivery is for %s",
                shown, reader->period_text);
        return set_error_place(reader, CM_COLUMN_PERIOD_START, ret_place);
    }
    accept(&reader->period_field, raw);
    return true;
}

static bool parse_start_slowly(cm_reader *reader, cm_slice raw, cm_place *ret_place, cm_error *err)
{
    char shown[CM_TEXT_SHOWN];
    cm_slice value = cm_text_strip(raw);
    if (value.length == 0)
        return missing(reader, CM_COLUMN_START, ret_place, err);
    if (cm_instant_parse(value, &reader->line.start))
        return true;
    cm_fail(err, CM_ERROR_POISON, "NOT_A_TIME", "\"%s\" is not a time in UTC such as 2025-06-01T00:00:00Z",
            cm_text_shown(value, shown));
    return set_error_place(reader, CM_COLUMN_START, ret_place);
}

/* --- a new kind -------------------------------------------------------------------------------------------------- */

static bool check_kind_text(const cm_reader *reader, enum cm_column column, cm_slice text, cm_place *ret_place,
                            cm_error *err)
{
    if (text.length > CM_KIND_TEXT_MAX) {
        cm_fail(err, CM_ERROR_POISON, "TOO_LONG", "the text is longer than the %d bytes allowed here",
                CM_KIND_TEXT_MAX);
        return set_error_place(reader, column, ret_place);
    }
    if (!cm_text_is_utf8(text)) {
        cm_fail(err, CM_ERROR_POISON, "NOT_UTF8", "the text is not UTF-8, or holds a NUL byte");
        return set_error_place(reader, column, ret_place);
    }
    if (text.length == 0 && (column == CM_COLUMN_USAGE_ACCOUNT || column == CM_COLUMN_LINE_ITEM_TYPE))
        return missing(reader, column, ret_place, err);
    if (column == CM_COLUMN_USAGE_ACCOUNT && !is_account(text))
        return fail_account(reader, column, text, ret_place, err);
    if (text.length > 7 && column == CM_COLUMN_CURRENCY) {
        cm_fail(err, CM_ERROR_POISON, "TOO_LONG", "a currency code of %zu bytes; ISO 4217 codes have three letters",
                text.length);
        return set_error_place(reader, column, ret_place);
    }
    return true;
}

static bool learn_kind(cm_reader *reader, uint32_t key_length, uint64_t hash, uint16_t flags, cm_place *ret_place,
                       cm_error *err)
{
    cm_slice texts[CM_KEY_FIELDS];
    char *scratch = reader->scratch;
    for (int c = 0; c < CM_KEY_FIELDS; c++) {
        cm_slice raw = field(reader, (enum cm_column)c);
        texts[c] = cm_text_unquote(raw, scratch);
        scratch += raw.length;
        if (!check_kind_text(reader, (enum cm_column)c, texts[c], ret_place, err))
            return false;
    }
    if (texts[CM_COLUMN_REGION].length == 0)
        texts[CM_COLUMN_REGION] = texts[CM_COLUMN_OLD_REGION];
    cm_slice type = texts[CM_COLUMN_LINE_ITEM_TYPE];
    reader->has_usage |= type.length >= 5 && memcmp(type.text + type.length - 5, "Usage", 5) == 0;
    reader->kind = cm_kinds_add(&reader->kinds, reader->key, key_length, hash, texts, flags);
    return true;
}

/* --- every line -------------------------------------------------------------------------------------------------- */

/* 8 bytes beyond the end of both must be readable. */
static inline bool same_bytes(const char *a, const char *b, size_t length)
{
    uint64_t x, y, different = 0;
    for (; length >= 8; length -= 8, a += 8, b += 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        different |= x ^ y;
    }
    if (length) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        different |= (x ^ y) << (8 * (8 - length));
#else
        different |= (x ^ y) >> (8 * (8 - length));
#endif
    }
    return different == 0;
}

static inline bool is_accepted(const cm_accepted *accepted, cm_slice raw)
{
    return raw.length == accepted->length && same_bytes(raw.text, accepted->text, raw.length);
}

static inline bool is_empty_field(cm_slice raw)
{
    return raw.length == 0 || (raw.length == 2 && raw.text[0] == '"');
}

/* Two digits; adds to *bad if they are not. */
static inline unsigned two_digits(const char *text, unsigned *bad)
{
    unsigned tens = (unsigned char)text[0] - '0', ones = (unsigned char)text[1] - '0';
    *bad |= (tens > 9) | (ones > 9);
    return tens * 10 + ones;
}

/* "2025-06-DDTHH:MM:SSZ" or with ".000", in the month of the period: nearly every line. */
static inline bool parse_usual_start(const cm_reader *reader, cm_slice raw, cm_instant *ret)
{
    const char *t = raw.text;
    if (raw.length == 24) {
        if (memcmp(t + 19, ".000Z", 5) != 0)
            return false;
    } else if (raw.length != 20 || t[19] != 'Z') {
        return false;
    }
    unsigned bad = memcmp(t, reader->month_text, 8) != 0;
    unsigned day = two_digits(t + 8, &bad), hour = two_digits(t + 11, &bad), minute = two_digits(t + 14, &bad);
    unsigned second = two_digits(t + 17, &bad);
    bad |= (t[10] != 'T') | (t[13] != ':') | (t[16] != ':');
    bad |= (day - 1 >= reader->month_days) | (hour > 23) | (minute > 59) | (second > 59);
    *ret = reader->period_start + (int64_t)((((day - 1) * 24 + hour) * 60 + minute) * 60 + second) * CM_SECOND;
    return !bad;
}

/* The bytes that identify a kind: its fields as they are in the row. False: a field is too long for a key. */
static inline bool build_key(cm_reader *reader, uint32_t *ret_length, uint16_t *ret_flags)
{
    key_head head;
    char *at = reader->key + sizeof head;
    for (int c = 0; c < CM_KEY_FIELDS; c++) {
        cm_slice raw = field(reader, (enum cm_column)c);
        if (__builtin_expect(raw.length > CM_KEY_FIELD_MAX, 0))
            return false;
        memcpy(at, raw.text, STEP);
        for (size_t done = STEP; done < raw.length; done += STEP)
            memcpy(at + done, raw.text + done, STEP);
        head.length[c] = (uint16_t)raw.length;
        at += raw.length;
    }
    head.flags = (uint16_t)((is_empty_field(field(reader, CM_COLUMN_RESERVATION)) ? 0 : CM_KIND_RESERVATION) |
                            (is_empty_field(field(reader, CM_COLUMN_SAVINGS_PLAN)) ? 0 : CM_KIND_SAVINGS_PLAN) |
                            (is_empty_field(field(reader, CM_COLUMN_INVOICE)) ? 0 : CM_KIND_FINAL));
    memcpy(reader->key, &head, sizeof head);
    *ret_length = (uint32_t)(at - reader->key);
    *ret_flags = head.flags;
    return true;
}

static bool fail_long_text(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    for (int c = 0; c < CM_KEY_FIELDS; c++) {
        cm_slice raw = field(reader, (enum cm_column)c);
        /* Half of it could be doubled quotes, but not more. */
        if (raw.length > CM_KEY_FIELD_MAX)
            return check_kind_text(reader, (enum cm_column)c, (cm_slice){raw.text, raw.length / 2}, ret_place, err);
    }
    cm_assert(!"a field is too long");
}

static void put_kind(const cm_reader *reader, const cm_known_kind *kind, cm_line *line)
{
    cm_slice *texts = (cm_slice *)(void *)&line->kind;
    for (int i = 0; i < CM_KIND_TEXTS; i++)
        texts[i] = reader->kinds.text[kind->text[i]];
    line->kind.flags = kind->flags;
    line->memo = (cm_line_memo){reader->kinds.source, (uint32_t)(kind - reader->kinds.kind), kind->text};
}

static bool set_kind(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    uint32_t length;
    uint16_t flags;
    const cm_known_kind *before = reader->kind;
    if (!build_key(reader, &length, &flags))
        return fail_long_text(reader, ret_place, err);
    reader->key_length = length;
    if (before && cm_kinds_has_key(&reader->kinds, before, reader->key, length))
        return true;
    uint64_t hash = XXH3_64bits(reader->key, length);
    reader->kind = cm_kinds_find(&reader->kinds, reader->key, length, hash);
    if (!reader->kind && !learn_kind(reader, length, hash, flags, ret_place, err))
        return false;
    put_kind(reader, reader->kind, &reader->line);
    return true;
}

static inline bool parse_number(cm_reader *reader, enum cm_column column, cm_decimal *ret, cm_place *ret_place,
                                cm_error *err)
{
    cm_slice raw = field(reader, column);
    if (__builtin_expect(raw.length > 0 && raw.text[0] == '"', 0))
        raw = cm_text_strip(raw);
    enum cm_decimal_parse_result result = cm_decimal_parse(raw, ret);
    reader->line.rounded += result == CM_DECIMAL_ROUNDED;
    if (__builtin_expect(result > CM_DECIMAL_EMPTY, 0))
        return fail_number(reader, column, result, ret_place, err);
    return true;
}

bool cm_reader_parse_row(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    cm_line *line = &reader->line;
    line->row = reader->rows + 1;
    line->rounded = 0;
    line->checksum = reader->scanner->hash(reader->buffer + reader->begin, reader->row.length);
    cm_slice payer = field(reader, CM_COLUMN_PAYER), period = field(reader, CM_COLUMN_PERIOD_START);
    if (!is_accepted(&reader->payer_field, payer) && !check_payer(reader, payer, ret_place, err))
        return false;
    if (!is_accepted(&reader->period_field, period) && !check_period(reader, period, ret_place, err))
        return false;
    cm_slice start = field(reader, CM_COLUMN_START);
    if (!parse_usual_start(reader, start, &line->start) && !parse_start_slowly(reader, start, ret_place, err))
        return false;
    if (!set_kind(reader, ret_place, err))
        return false;
    if (!parse_number(reader, CM_COLUMN_QUANTITY, &line->quantity, ret_place, err) ||
        !parse_number(reader, CM_COLUMN_COST, &line->cost, ret_place, err) ||
        !parse_number(reader, CM_COLUMN_LIST_COST, &line->list_cost, ret_place, err))
        return false;
    if (line->kind.currency.length == 0 && !cm_decimal_is_zero(line->cost))
        return missing(reader, CM_COLUMN_CURRENCY, ret_place, err);
    return true;
}

/* --- discounts in columns (rating.md section 2a) --------------------------------------------------------------------
 */

/* NULL in *ret where the field is empty. */
static bool parse_optional(cm_reader *reader, enum cm_column column, cm_decimal *value, const cm_decimal **ret,
                           cm_place *ret_place, cm_error *err)
{
    enum cm_decimal_parse_result result = cm_decimal_parse(cm_text_strip(field(reader, column)), value);
    *ret = result == CM_DECIMAL_EMPTY ? NULL : value;
    reader->line.rounded += result == CM_DECIMAL_ROUNDED;
    return result <= CM_DECIMAL_EMPTY || fail_number(reader, column, result, ret_place, err);
}

static bool parse_map(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    char shown[CM_TEXT_SHOWN];
    bool overflow;
    cm_slice raw = field(reader, CM_COLUMN_DISCOUNT);
    if (cm_derived_parse_map(&reader->derived, raw, &reader->line.rounded, &overflow))
        return true;
    if (overflow)
        cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "\"%s\" holds a number that is too large for an amount",
                cm_text_shown(raw, shown));
    else
        cm_fail(err, CM_ERROR_POISON, "NOT_A_MAP", "\"%s\" is not a map of discounts such as {\"edp_discount\":-1.5}",
                cm_text_shown(raw, shown));
    return set_error_place(reader, CM_COLUMN_DISCOUNT, ret_place);
}

bool cm_reader_parse_discounts(cm_reader *reader, cm_place *ret_place, cm_error *err)
{
    cm_line *line = &reader->line;
    cm_decimal total_value;
    const cm_decimal *net, *total;
    if (!parse_optional(reader, CM_COLUMN_NET_COST, &line->net, &net, ret_place, err))
        return false;
    line->has_net = net != NULL;
    if (line->discounts != CM_DISCOUNTS_IN_COLUMNS)
        return true;
    if (!parse_map(reader, ret_place, err) ||
        !parse_optional(reader, CM_COLUMN_TOTAL_DISCOUNT, &total_value, &total, ret_place, err))
        return false;
    if (!cm_derived_make(&reader->derived, line->cost, net, total)) {
        cm_fail(err, CM_ERROR_POISON, "OVERFLOW", "the discounts of this row do not fit an amount");
        return set_error_place(reader, CM_COLUMN_DISCOUNT, ret_place);
    }
    if (reader->derived.count && line->kind.currency.length == 0)
        return missing(reader, CM_COLUMN_CURRENCY, ret_place, err);
    return true;
}

/* The kind of the row with another line item type. It is known by the row's key with the type behind it. */
static void set_derived_kind(cm_reader *reader, const char *type, cm_line *line)
{
    size_t type_length = strlen(type);
    uint32_t length = reader->key_length + (uint32_t)type_length;
    memcpy(reader->key + reader->key_length, type, type_length);
    uint64_t hash = XXH3_64bits(reader->key, length);
    const cm_known_kind *kind = cm_kinds_find(&reader->kinds, reader->key, length, hash);
    if (!kind) {
        /* Copied first: to make room, adding may forget all texts, the row's too. */
        cm_slice texts[CM_KIND_TEXTS];
        char *at = reader->scratch;
        uint64_t source = reader->kinds.source;
        for (int i = 0; i < CM_KIND_TEXTS; i++) {
            cm_slice text = cm_kind_texts(&reader->line.kind)[i];
            if (text.length)
                memcpy(at, text.text, text.length);
            texts[i] = (cm_slice){at, text.length};
            at += text.length;
        }
        texts[CM_COLUMN_LINE_ITEM_TYPE] = cm_slice_of(type);
        kind =
            cm_kinds_add(&reader->kinds, reader->key, length, hash, texts, reader->line.kind.flags | CM_KIND_DERIVED);
        if (reader->kinds.source != source) {
            uint32_t flags = reader->line.kind.flags;
            reader->kind = NULL;
            put_kind(reader, kind, &reader->line); /* for the next derived line, whose type is another */
            reader->line.kind.flags = flags;
        }
    }
    put_kind(reader, kind, line);
}

const cm_line *cm_reader_derived(cm_reader *reader)
{
    cm_derived *derived = &reader->derived;
    if (derived->next == derived->count)
        return NULL;
    const cm_derived_part *part = &derived->part[derived->next++];
    derived->line = (cm_line){.row = reader->line.row,
                              .start = reader->line.start,
                              .cost = part->amount,
                              .discounts = reader->line.discounts,
                              .unexplained = derived->unexplained};
    set_derived_kind(reader, part->type, &derived->line);
    return &derived->line;
}
