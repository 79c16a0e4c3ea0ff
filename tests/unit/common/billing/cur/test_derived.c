/* Discounts in columns of a CUR 2.0 export: the derived lines of each row (rating.md section 2a). */
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define CUR2                                                                                                           \
    "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_account_id,line_item_line_item_type,"        \
    "line_item_product_code,line_item_usage_type,line_item_usage_start_date,line_item_currency_code,"                  \
    "pricing_public_on_demand_cost,line_item_usage_amount,bill_invoice_id,line_item_unblended_cost"
#define BEFORE(type, currency)                                                                                         \
    PAYER ",2025-06-01T00:00:00Z,444455556666," type ",AmazonEC2,Box,2025-06-03T04:00:00Z," currency ",7,3,INV,"
#define COLUMNS ",line_item_net_unblended_cost,discount,discount_total_discount\n"

/* All lines of a file, "type cost" each, with "*" in front of derived ones and "!" behind unexplained ones. */
static const char *lines_of(const char *text)
{
    static char out[4096];
    char cost[CM_DECIMAL_TEXT];
    cm_place place;
    cm_error err = {0};
    const cm_line *line;
    size_t used = 0;
    cm_reader *reader = test_reader(text, strlen(text), 0, &place, &err);
    cr_assert(reader, "%s", err.text);
    *out = '\0';
    for (;;) {
        if (!cm_reader_next(reader, &line, &place, &err)) {
            snprintf(out, sizeof out, "%s row %lu column %s", err.code, (unsigned long)place.row, place.column);
            break;
        }
        if (!line)
            break;
        cm_decimal_print(line->cost, cost);
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s%.*s %s%s", used ? ", " : "",
                                 cm_line_is_derived(line) ? "*" : "", CM_SLICE(line->kind.line_item_type), cost,
                                 cm_line_is_derived(line) && line->unexplained ? "!" : "");
    }
    cm_reader_free(reader);
    return out;
}

Test(derived, every_rule)
{
    static const struct {
        const char *cells, *lines; /* cost, net, map, total */
    } cases[] = {
        /* D = net - unblended; the map adds up to it */
        {"100,80,\"{\"\"edp_discount\"\":-9,\"\"private_rate_discount\"\":-11}\",-20",
         "Usage 100, *EdpDiscount -9, *PrivateRateDiscount -11"},
        /* to -D: its negatives */
        {"100,80,\"{\"\"edp_discount\"\": 9.0 , \"\"spp_discount\"\": 1.1E1}\",",
         "Usage 100, *EdpDiscount -9, *SppDiscount -11"},
        /* to neither; no map */
        {"100,80,\"{\"\"edp_discount\"\":-9}\",-20", "Usage 100, *Discount -20!"},
        {"100,80,,-20", "Usage 100, *Discount -20!"},
        {"100,80,{},", "Usage 100, *Discount -20!"},
        /* D is 0 */
        {"100,100,\"{\"\"edp_discount\"\":-9}\",-9", "Usage 100"},
        {"100,100.0,,", "Usage 100"},
        {"100,,,", "Usage 100"},
        {"100,,\"{}\",\"\"", "Usage 100"},
        {"100,,\"{\"\"edp_discount\"\":-9,\"\"spp_discount\"\":9}\",-7", "Usage 100"},
        /* a net of 0 is filled */
        {"100,0,\"{\"\"edp_discount\"\":-100}\",", "Usage 100, *EdpDiscount -100"},
        /* without a net value: the map as AWS writes it, else the total */
        {"100,,\"{\"\"edp_discount\"\":-9}\",-7", "Usage 100, *EdpDiscount -9"},
        {"100,,\"{\"\"edp_discount\"\":9}\",", "Usage 100, *EdpDiscount 9"},
        {"100,,,-7", "Usage 100, *Discount -7!"},
        {"100,,{},-7", "Usage 100, *Discount -7!"},
        /* types by key, without case and underscores; others are Discount; values of 0 give no line */
        {"100,99,\"{\"\"RiVolumeDiscount\"\":-1.5,\"\"DISTRIBUTOR_DISCOUNT\"\":0.25,\"\"gift\"\":0.25,"
         "\"\"spp_discount\"\":0,\"\"bundled_discount\"\":-0.5,\"\"_b_undledDiscount\"\":0.5}\",",
         "Usage 100, *RiVolumeDiscount -1.5, *DistributorDiscount 0.25, *Discount 0.25, *BundledDiscount -0.5, "
         "*BundledDiscount 0.5"},
        {"100,99,\"{\"\"a key that is much longer than any that AWS has\"\":-1}\",", "Usage 100, *Discount -1"},
        /* numbers in strings, and null */
        {"100,,\"{\"\"edp_discount\"\":\"\"-9\"\",\"\"b\"\":null}\",", "Usage 100, *EdpDiscount -9"},
        /* the sum is exact, to the last digit */
        {"1,0.900000000000000001,\"{\"\"edp_discount\"\":-0.1}\",", "Usage 1, *Discount -0.099999999999999999!"},
        {"1,0.900000000000000001,\"{\"\"edp_discount\"\":-0.099999999999999999}\",",
         "Usage 1, *EdpDiscount -0.099999999999999999"},
        /* what is no map */
        {"100,80,x,", "NOT_A_MAP row 1 column discount"},
        {"100,80,[1],", "NOT_A_MAP row 1 column discount"},
        {"100,80,\"{\"\"a\"\":{}}\",", "NOT_A_MAP row 1 column discount"},
        {"100,80,\"{\"\"a\"\":true}\",", "NOT_A_MAP row 1 column discount"},
        {"100,80,\"{\"\"a\"\":1\",", "NOT_A_MAP row 1 column discount"},
        {"100,80,\"{\"\"a\"\":1} x\",", "NOT_A_MAP row 1 column discount"},
        {"100,80,\"{\"\"a\"\":1e30}\",", "OVERFLOW row 1 column discount"},
        {"100,8O,,", "NOT_A_NUMBER row 1 column line_item_net_unblended_cost"},
        {"100,,,x", "NOT_A_NUMBER row 1 column discount_total_discount"},
        {"-170000000000000000000,170000000000000000000,,", "OVERFLOW row 1 column discount"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048];
        snprintf(text, sizeof text, CUR2 COLUMNS BEFORE("Usage", "USD") "%s\n", cases[i].cells);
        cr_expect_str_eq(lines_of(text), cases[i].lines, "%s: %s", cases[i].cells, lines_of(text));
    }
    cr_expect_str_eq(lines_of(CUR2 COLUMNS BEFORE("Usage", "") "0,-1,,\n"),
                     "MISSING_VALUE row 1 column line_item_currency_code");
}

/* The column `discount` or `discount_total_discount` tells which of the two a report is. */
Test(derived, which_reports_have_them)
{
    cr_expect_str_eq(lines_of(CUR2 ",discount\n" BEFORE("Usage", "USD") "1,\"{\"\"edp_discount\"\":-1}\"\n"),
                     "Usage 1, *EdpDiscount -1");
    cr_expect_str_eq(lines_of(CUR2 ",discount_total_discount\n" BEFORE("Usage", "USD") "1,-1\n"),
                     "Usage 1, *Discount -1!");
    cr_expect_str_eq(lines_of(CUR2 ",line_item_net_unblended_cost\n" BEFORE("Usage", "USD") "1,0.5\n"), "Usage 1");
    cr_expect_str_eq(lines_of(HEADER ",lineItem/NetUnblendedCost,discount/TotalDiscount\n" ROW ",0.05,-0.046\n"),
                     "Usage 0.096");
}

/* The row's texts and time, its number and flags; no quantity, no list price, no checksum. */
Test(derived, a_derived_line_is_the_row_with_another_type)
{
    static const char text[] = CUR2 COLUMNS BEFORE("Usage", "USD") "100,80,\"{\"\"edp_discount\"\":-20}\",\n" BEFORE(
        "Usage", "USD") "1,1,,\n" BEFORE("Usage", "USD") "5,4,\"{\"\"edp_discount\"\":-1}\",\n";
    cm_place place;
    cm_error err = {0};
    const cm_line *line;
    cm_reader *reader = test_reader(text, strlen(text), 0, &place, &err);
    cr_assert(cm_reader_next(reader, &line, &place, &err) && line, "%s", err.text);
    cm_line row = *line;
    cr_assert(row.discounts == CM_DISCOUNTS_IN_COLUMNS && row.has_net && row.checksum);
    cr_assert(cm_reader_next(reader, &line, &place, &err) && line, "%s", err.text);
    for (int i = 0; i < CM_KIND_TEXTS; i++)
        cr_assert(i == 1 ? cm_slice_is(line->kind.line_item_type, "EdpDiscount")
                         : cm_slice_equal(cm_kind_texts(&line->kind)[i], cm_kind_texts(&row.kind)[i]));
    cr_assert_eq(row.kind.flags, CM_KIND_FINAL);
    cr_assert_eq(line->kind.flags, CM_KIND_FINAL | CM_KIND_DERIVED);
    cr_assert(line->row == 1 && line->start == row.start && line->checksum == 0 && line->rounded == 0);
    cr_assert(cm_decimal_is_zero(line->quantity) && cm_decimal_is_zero(line->list_cost));
    cr_assert_eq(line->memo.source, row.memo.source);
    uint32_t kind = line->memo.kind;
    cr_assert_neq(kind, row.memo.kind);
    cr_assert(cm_reader_next(reader, &line, &place, &err) && line->row == 2 && !cm_line_is_derived(line));
    cr_assert_eq(line->memo.kind, row.memo.kind);
    cr_assert(cm_reader_next(reader, &line, &place, &err) && line->row == 3);
    cr_assert(cm_reader_next(reader, &line, &place, &err) && line->row == 3 && line->memo.kind == kind);
    cr_assert(cm_reader_next(reader, &line, &place, &err) && !line);
    cm_reader_free(reader);
}

/* More kinds than the reader remembers: forgetting in the middle of a row must not lose its texts. */
Test(derived, kinds_are_forgotten_between_rows)
{
    cm_buffer text = {0};
    enum { ROWS = 12000 };
    cm_buffer_text(&text, CUR2 COLUMNS);
    for (int i = 0; i < ROWS; i++)
        cm_buffer_printf(&text,
                         PAYER ",2025-06-01T00:00:00Z,444455556666,Usage,P%d,U%d,2025-06-03T04:00:00Z,USD,7,3,,"
                               "10,7,\"{\"\"edp_discount\"\":-1,\"\"spp_discount\"\":-2}\",\n",
                         i, i);
    cm_place place;
    cm_error err = {0};
    const cm_line *line;
    uint64_t sources = 0, last = 0;
    cm_reader *reader = test_reader(text.data, text.length, 0, &place, &err);
    for (int i = 0; i < ROWS; i++) {
        static const char *const types[] = {"Usage", "EdpDiscount", "SppDiscount"};
        char product[16], usage_type[16];
        snprintf(product, sizeof product, "P%d", i);
        snprintf(usage_type, sizeof usage_type, "U%d", i);
        for (int k = 0; k < 3; k++) {
            cr_assert(cm_reader_next(reader, &line, &place, &err) && line, "%s", err.text);
            cr_assert(cm_slice_is(line->kind.line_item_type, types[k]) && cm_slice_is(line->kind.currency, "USD"));
            cr_assert(cm_slice_is(line->kind.product_code, product) && cm_slice_is(line->kind.usage_type, usage_type));
            cr_assert_eq((line->kind.flags & CM_KIND_DERIVED) != 0, k > 0);
            sources += line->memo.source != last;
            last = line->memo.source;
        }
    }
    cr_assert(sources > 2, "it never forgot");
    cm_reader_free(reader);
    cm_buffer_free(&text);
}
