#include "billing/cur/columns.h"

#include "billing/cur/text.h"

#include <stdlib.h>

struct known_column {
    const char *legacy, *cur2;
    bool mandatory;
};

/* CUR user guide, "Column attribute service" and line item columns; CUR 2.0 table dictionary. Mandatory: formats.md
 * section 1. */
static const struct known_column known[CM_COLUMNS] = {
    [CM_COLUMN_USAGE_ACCOUNT] = {"lineItem/UsageAccountId", "line_item_usage_account_id", true},
    [CM_COLUMN_LINE_ITEM_TYPE] = {"lineItem/LineItemType", "line_item_line_item_type", true},
    [CM_COLUMN_PRODUCT_CODE] = {"lineItem/ProductCode", "line_item_product_code", true},
    [CM_COLUMN_USAGE_TYPE] = {"lineItem/UsageType", "line_item_usage_type", true},
    [CM_COLUMN_OPERATION] = {"lineItem/Operation", "line_item_operation", false},
    [CM_COLUMN_REGION] = {"product/regionCode", "product_region_code", false},
    [CM_COLUMN_UNIT] = {"pricing/unit", "pricing_unit", false},
    [CM_COLUMN_SKU] = {"product/sku", "product_sku", false},
    [CM_COLUMN_BILLING_ENTITY] = {"bill/BillingEntity", "bill_billing_entity", false},
    [CM_COLUMN_CURRENCY] = {"lineItem/CurrencyCode", "line_item_currency_code", true},
    [CM_COLUMN_OLD_REGION] = {"product/region", "product_region", false},
    [CM_COLUMN_PAYER] = {"bill/PayerAccountId", "bill_payer_account_id", true},
    [CM_COLUMN_PERIOD_START] = {"bill/BillingPeriodStartDate", "bill_billing_period_start_date", true},
    [CM_COLUMN_START] = {"lineItem/UsageStartDate", "line_item_usage_start_date", true},
    [CM_COLUMN_QUANTITY] = {"lineItem/UsageAmount", "line_item_usage_amount", false},
    [CM_COLUMN_COST] = {"lineItem/UnblendedCost", "line_item_unblended_cost", true},
    [CM_COLUMN_LIST_COST] = {"pricing/publicOnDemandCost", "pricing_public_on_demand_cost", false},
    [CM_COLUMN_RESERVATION] = {"reservation/ReservationARN", "reservation_reservation_a_r_n", false},
    [CM_COLUMN_SAVINGS_PLAN] = {"savingsPlan/SavingsPlanARN", "savings_plan_savings_plan_a_r_n", false},
    [CM_COLUMN_INVOICE] = {"bill/InvoiceId", "bill_invoice_id", false},
    [CM_COLUMN_DISCOUNT] = {NULL, "discount", false},
    [CM_COLUMN_TOTAL_DISCOUNT] = {NULL, "discount_total_discount", false},
    [CM_COLUMN_NET_COST] = {"lineItem/NetUnblendedCost", "line_item_net_unblended_cost", false},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Athena, Glue and others write the same names in lower case, with other separators, or with none: case, "/", "_" and
 * blanks do not count. */
static bool same_name(cm_slice name, const char *wanted)
{
    size_t i = 0;
    for (;;) {
        while (i < name.length && (name.text[i] == '/' || name.text[i] == '_' || name.text[i] == ' '))
            i++;
        while (*wanted == '/' || *wanted == '_')
            wanted++;
        if (i == name.length || !*wanted)
            return i == name.length && !*wanted;
        if (lower(name.text[i++]) != lower(*wanted++))
            return false;
    }
}

static bool is_known(cm_slice name, enum cm_column column)
{
    return (known[column].legacy && same_name(name, known[column].legacy)) ||
           (known[column].cur2 && same_name(name, known[column].cur2));
}

static void copy_names(cm_columns *columns, const cm_slice *fields, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += fields[i].length;
    columns->name = cm_alloc(count * sizeof *columns->name + 1);
    columns->text = cm_alloc(bytes + 1);
    columns->count = count;
    char *at = columns->text;
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].length)
            memcpy(at, fields[i].text, fields[i].length);
        columns->name[i] = (cm_slice){at, fields[i].length};
        at += fields[i].length;
    }
}

static bool place_column(cm_columns *columns, enum cm_column column, cm_place *ret_place, cm_error *err)
{
    columns->index[column] = columns->count;
    for (uint32_t i = 0; i < columns->count; i++) {
        if (!is_known(columns->name[i], column))
            continue;
        if (columns->index[column] < columns->count) {
            cm_text_copy_name(columns->name[i], ret_place->column, sizeof ret_place->column);
            return cm_fail(err, CM_ERROR_POISON, "COLUMN_TWICE",
                           "the header names this column twice (columns %u and %u), so its value is ambiguous",
                           columns->index[column] + 1, i + 1);
        }
        columns->index[column] = i;
    }
    return true;
}

bool cm_columns_map(cm_columns *columns, const cm_slice *fields, uint32_t count, cm_place *ret_place, cm_error *err)
{
    bool any = false, legacy = false;
    for (uint32_t i = 0; i < count; i++) {
        any |= fields[i].length > 0;
        legacy |= fields[i].length > 0 && memchr(fields[i].text, '/', fields[i].length) != NULL;
    }
    if (!any)
        return cm_fail(err, CM_ERROR_POISON, "EMPTY_HEADER",
                       "the file begins with an empty line instead of the column names");
    copy_names(columns, fields, count);
    columns->cur2 = !legacy;
    for (int c = 0; c < CM_COLUMNS; c++)
        if (!place_column(columns, (enum cm_column)c, ret_place, err))
            return false;
    for (int c = 0; c < CM_COLUMNS; c++) {
        if (!known[c].mandatory || columns->index[c] < count)
            continue;
        cm_text_copy_name(cm_slice_of(legacy ? known[c].legacy : known[c].cur2), ret_place->column,
                          sizeof ret_place->column);
        if (count == 1)
            return cm_fail(
                err, CM_ERROR_POISON, "COLUMN_MISSING",
                "the header has one column only: is the file separated by semicolons? AWS reports use commas");
        return cm_fail(
            err, CM_ERROR_POISON, "COLUMN_MISSING",
            "the column is missing; the header has %u columns, and a report cannot be billed without this one", count);
    }
    return true;
}

void cm_columns_free(cm_columns *columns)
{
    free(columns->name);
    free(columns->text);
    *columns = (cm_columns){0};
}

cm_slice cm_columns_name(const cm_columns *columns, enum cm_column column)
{
    uint32_t index = columns->index[column];
    if (index < columns->count)
        return columns->name[index];
    bool cur2 = known[column].cur2 && (columns->cur2 || !known[column].legacy);
    return cm_slice_of(cur2 ? known[column].cur2 : known[column].legacy);
}

static const enum cm_column lack_columns[CM_LACKS] = {
    [CM_LACK_QUANTITY] = CM_COLUMN_QUANTITY,
    [CM_LACK_LIST_COST] = CM_COLUMN_LIST_COST,
    [CM_LACK_OPERATION] = CM_COLUMN_OPERATION,
    [CM_LACK_REGION] = CM_COLUMN_REGION,
    [CM_LACK_UNIT] = CM_COLUMN_UNIT,
    [CM_LACK_SKU] = CM_COLUMN_SKU,
    [CM_LACK_BILLING_ENTITY] = CM_COLUMN_BILLING_ENTITY,
    [CM_LACK_RESERVATION] = CM_COLUMN_RESERVATION,
    [CM_LACK_INVOICE] = CM_COLUMN_INVOICE,
};

bool cm_columns_lack(const cm_columns *columns, enum cm_lack lack)
{
    if (columns->count == 0 || columns->index[lack_columns[lack]] < columns->count)
        return false;
    return lack != CM_LACK_REGION || columns->index[CM_COLUMN_OLD_REGION] == columns->count;
}

cm_slice cm_columns_lacking_name(const cm_columns *columns, enum cm_lack lack)
{
    return cm_columns_name(columns, lack_columns[lack]);
}
