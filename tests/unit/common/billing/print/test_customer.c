/* What customers read holds nothing of ours: no lane, distributor, charge class, id of a group, rule or charge; in any
 * output of a month with support, tiers, a custom charge, a credit, and in its credit note. */
#include "billing/catalog/model/catalog.h"
#include "record.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void add_line(json_t *record, const char *product, const char *usage_type, const char *class)
{
    json_array_append_new(json_object_get(json_object_get(record, "document"), "lines"),
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "customer", "acme", "account",
                                    "000033334444", "product", product, "usage_type", usage_type, "unit", "GB-Mo",
                                    "class", class, "quantity", "1500", "amount_exact", "0", "amount", "0"));
}

/* The record with a line of each kind, and labels as they are stored. `labelled`: a person wrote some. */
static json_t *full_record(bool labelled)
{
    json_t *record = test_record(), *document = json_object_get(record, "document");
    json_t *charge = json_array_get(json_object_get(document, "lines"), 3);
    json_object_set_new(document, "number", json_string("NW-2025-000007"));
    json_object_set_new(document, "lane", json_string("tdsynnex"));
    json_object_set_new(charge, "product", json_string(labelled ? "Operations" : "acme-managed"));
    add_line(record, "AmazonS3", "s3-by-volume", "usage");
    add_line(record, "AmazonS3", "Removed-Rule:Bytes", "usage");
    add_line(record, "AWSSupport", "removed-group", "support");
    add_line(record, "AWSSupportBusiness", "Dollar", "support");
    for (int i = 0; i < CM_CLASS_COUNT; i++)
        add_line(record, "AmazonEC2", "BoxUsage", cm_class_name((enum cm_class)i));
    json_t *tiers = json_pack("[{s:s, s:s}, {s:s}]", "up_to", "1000", "rate", "0.05", "rate", "0.02");
    json_object_set_new(json_object_get(record, "settings"), "labels",
                        json_pack("{s:{s:s}, s:{s:{s:{s:s, s:s, s:s, s:s, s:o}}}, s:{s:s}, s:{s:s}}", "support",
                                  "business", labelled ? "Managed support" : "", "rules", "acme", "s3-by-volume",
                                  "label", labelled ? "Storage, all buckets" : "", "mode", "graduated", "over",
                                  "account", "currency", "USD", "tiers", tiers, "charges", "acme-managed",
                                  labelled ? "Operations, 24 x 7" : "", "credits", "acme-welcome",
                                  labelled ? "Welcome credit" : ""));
    return record;
}

static json_t *credit_note(json_t *record)
{
    json_t *document = json_object_get(record, "document");
    json_object_set_new(document, "kind", json_string("credit_note"));
    json_object_set_new(document, "corrects",
                        json_pack("{s:s, s:s, s:s}", "number", "NW-2025-000003", "id", "ff", "period", "2025-05"));
    return record;
}

static const json_t *line_of(const json_t *view, size_t at)
{
    return json_array_get(json_object_get(view, "lines"), at);
}

static void expect_line(const json_t *view, size_t at, const char *product, const char *usage_type, const char *class)
{
    cr_expect_str_eq(test_text(line_of(view, at), "product"), product);
    cr_expect_str_eq(test_text(line_of(view, at), "usage_type"), usage_type);
    cr_expect_str_eq(test_text(line_of(view, at), "class"), class);
}

Test(customer, labels_of_the_catalog)
{
    json_t *view = test_view(full_record(true), CM_VIEW_CUSTOMER);
    expect_line(view, 0, "AmazonEC2", "EUC1-BoxUsage:c5.large", "Usage");
    expect_line(view, 2, "AWS Support", "Managed support", "Support");
    expect_line(view, 3, "Operations, 24 x 7", "", "Charge");
    expect_line(view, 4, "Welcome credit", "", "Credit");
    expect_line(view, 5, "AmazonS3", "Storage, all buckets", "Usage");
    expect_line(view, 8, "AWSSupportBusiness", "Dollar", "Support"); /* AWS's own line keeps AWS's words */
    json_decref(view);
    /* The reseller reads its own ids. */
    view = test_view(full_record(true), CM_VIEW_RESELLER);
    expect_line(view, 2, "AWSSupport", "business", "support");
    expect_line(view, 5, "AmazonS3", "s3-by-volume", "usage");
    json_decref(view);
}

Test(customer, without_labels)
{
    json_t *view = test_view(full_record(false), CM_VIEW_CUSTOMER);
    expect_line(view, 2, "AWS Support", "AWS Support", "Support");
    expect_line(view, 3, "Charge", "", "Charge"); /* its name is its id */
    expect_line(view, 4, "Welcome", "", "Credit");
    expect_line(view, 5, "AmazonS3", "", "Usage");
    expect_line(view, 7, "AWS Support", "AWS Support", "Support"); /* a group that is no longer there */
    json_decref(view);
}

static json_t *customer_of(json_t *record)
{
    return json_object_get(
        json_object_get(json_object_get(json_object_get(record, "settings"), "parties"), "customers"), "acme");
}

static char *csv_of(const json_t *view)
{
    cm_error err = {0};
    cm_buffer out = {0};
    cr_assert(cm_view_csv(view, NULL, &out, &err), "%s", err.text);
    return cm_buffer_take(&out);
}

/* The steps of the price of a line with tiers; the price of a unit where the amount is the quantity times one number in
 * the charges' currency: 730 x 0.0416 x 0.9217. */
Test(customer, unit_prices_and_tier_steps)
{
    json_t *record = full_record(true), *lines = json_object_get(json_object_get(record, "document"), "lines");
    json_object_set_new(json_array_get(lines, 0), "amount_exact", json_string("27.9901856"));
    json_t *view = test_view(record, CM_VIEW_CUSTOMER);
    cr_expect_str_eq(test_text(line_of(view, 0), "unit_price"), "0.03834272");
    cr_expect_null(json_object_get(line_of(view, 1), "unit_price")); /* 2.006 for 1234567.5: several prices */
    cr_expect_null(json_object_get(line_of(view, 3), "unit_price")); /* a charge has no unit */
    const json_t *tiers = json_object_get(line_of(view, 5), "tiers"), *steps = json_object_get(tiers, "steps");
    cr_expect_str_eq(test_text(tiers, "mode"), "graduated");
    cr_expect_eq(json_array_size(steps), 2);
    cr_expect_str_eq(test_text(json_array_get(steps, 0), "up_to"), "1000");
    char *text = csv_of(view);
    cr_expect(strstr(text, ",tags,unit_price,tiers\r\n") && strstr(text, "team=web,0.03834272,\r\n") &&
                  strstr(text, ",,up to 1000: 0.05 USD; above: 0.02 USD\r\n"),
              "%s", text);
    free(text);
    json_decref(view);
}

/* The customer's language, else the reseller's; the reseller's own view is in English. */
Test(customer, in_its_own_language)
{
    json_t *record = full_record(false);
    json_object_set_new(customer_of(record), "language", json_string("de"));
    json_t *own = test_view(json_incref(record), CM_VIEW_RESELLER), *view = test_view(record, CM_VIEW_CUSTOMER);
    cr_expect_str_eq(test_text(own, "title"), "Billing statement");
    cr_expect_str_eq(test_text(view, "title"), "Abrechnung");
    cr_expect_str_eq(test_text(view, "language"), "de");
    expect_line(view, 0, "AmazonEC2", "EUC1-BoxUsage:c5.large", "Nutzung");
    expect_line(view, 3, "Leistung", "", "Leistung");
    cr_expect_str_eq(test_text(line_of(view, 4), "part"), "Gutschriften");
    char *text = csv_of(view);
    cr_expect(strncmp(text, "Zeile,Beleg,Nummer,", 19) == 0 && strstr(text, "darüber: 0.02 USD"), "%s", text);
    free(text);
    json_decref(view);
    json_decref(own);
}

/* --- every text ----------------------------------------------------------------------------------------------------
 */

static const char *const ours[] = {"tdsynnex",      "tds",          "ingram",        "distributor",   "synnex",
                                   "s3-by-volume",  "acme-managed", "acme-welcome",  "removed-group", "reseller_credit",
                                   "custom_charge", "awssupport\n", "covered usage", "commitment"};

/* Is the text, as a whole, the name of a class or a group, or does it hold one of the words above? */
static bool is_ours(const char *text)
{
    enum cm_class class;
    if (cm_class_parse(cm_slice_of(text), &class) || strcmp(text, "business") == 0 || strcmp(text, "AWSSupport") == 0)
        return true;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcasestr(text, ours[i]))
            return true;
    return false;
}

static size_t walk(const json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i, found = json_is_string(value) && is_ours(json_string_value(value));
    json_object_foreach ((json_t *)value, key, inner)
        found += walk(inner);
    json_array_foreach ((json_t *)value, i, inner)
        found += walk(inner);
    return found;
}

/* The cells of a CSV (no quoted line breaks in it) or the words of a PDF's lines, one after the other. */
static size_t walk_text(char *text, const char *ends)
{
    size_t found = 0;
    char *save = NULL;
    for (char *word = strtok_r(text, ends, &save); word; word = strtok_r(NULL, ends, &save))
        found += is_ours(word);
    return found;
}

static size_t walk_csv(const json_t *view)
{
    cm_error err = {0};
    cm_buffer out = {0};
    cr_assert(cm_view_csv(view, NULL, &out, &err), "%s", err.text);
    char *sum = strstr(out.data, "\ntax,"); /* the row of the sum, not a class */
    if (sum)
        memcpy(sum, "\nsum,", 5);
    size_t found = walk_text(out.data, ",\r\n");
    cm_buffer_free(&out);
    return found;
}

static char *pages_of(const json_t *view)
{
    cm_error err = {0};
    cm_buffer out = {0};
    static char said[1 << 16];
    char path[] = "/tmp/curmill-pdf-XXXXXX", command[100];
    int file = mkstemp(path);
    cr_assert(cm_view_pdf(view, &out, &err), "%s", err.text);
    cr_assert(file >= 0 && write(file, out.data, out.length) == (ssize_t)out.length);
    close(file);
    snprintf(command, sizeof command, "pdftotext -layout %s -", path);
    FILE *pipe = popen(command, "r");
    said[fread(said, 1, sizeof said - 1, pipe)] = 0;
    cr_assert_eq(pclose(pipe), 0, "%s", command);
    unlink(path);
    cm_buffer_free(&out);
    cr_assert(strstr(said, "000033334444"), "%s", said);
    return said;
}

static size_t walk_pdf(const json_t *view)
{
    char *text = pages_of(view);
    /* Cells are two spaces apart; headings of columns are words for people ("Class", "Unit"). */
    for (char *c = text; *c; c++)
        if (c[0] == ' ' && c[1] == ' ')
            *c = '\n';
    return walk_text(text, "\n\f");
}

Test(customer, nothing_of_ours_stands_in_any_output)
{
    for (int german = 0; german < 2; german++)
        for (int corrects = 0; corrects < 2; corrects++) {
            json_t *record = full_record(german);
            json_object_set_new(customer_of(record), "language", json_string(german ? "de" : "en"));
            json_t *view = test_view(corrects ? credit_note(record) : record, CM_VIEW_CUSTOMER);
            cr_expect_eq(walk(view), 0, "%s", json_dumps(view, JSON_INDENT(1)));
            cr_expect_eq(walk_csv(view), 0);
            cr_expect_eq(walk_pdf(view), 0);
            json_decref(view);
        }
    /* The pages are in the customer's language, with all columns. */
    json_t *record = full_record(true);
    json_object_set_new(customer_of(record), "language", json_string("de"));
    json_t *pages = test_view(record, CM_VIEW_CUSTOMER);
    static const char *const german[] = {"Abrechnung", "Zwischensumme", "Einzelpreis", "bis 1000: 0.05 USD", "Seite 1"};
    for (size_t i = 0; i < sizeof german / sizeof *german; i++)
        cr_expect(strstr(pages_of(pages), german[i]), "%s in %s", german[i], pages_of(pages));
    json_decref(pages);
    /* The walk finds them where they are. */
    json_t *view = test_view(full_record(true), CM_VIEW_RESELLER);
    cr_expect_gt(walk(view), 10);
    cr_expect_gt(walk_csv(view), 10);
    cr_expect_gt(walk_pdf(view), 3);
    json_decref(view);
}
