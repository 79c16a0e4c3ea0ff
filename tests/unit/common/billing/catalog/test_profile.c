/* What documents print about their parties (I12, I04, I14) and accounts (R10): kept in the canonical text, checked
 * where it is written. */
#include "base/digest/base64.h"
#include "billing/catalog/check/read.h"
#include "billing/catalog/diff/diff.h"
#include "billing/catalog/fields/png.h"
#include "billing/catalog/parse/canonical.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define CUSTOMER "kind: Customer\nid: acme\nreseller: northwind\nprice_book: standard\n" /* 4 lines */

/* 1 x 1 pixel, made with Python's zlib and struct from the standard alone. */
static const char pixel[] =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNgYGAAAAAEAAHI6uv5AAAAAElFTkSuQmCC";

static cm_buffer pixel_bytes(void)
{
    cm_buffer bytes = {0};
    cr_assert(cm_base64_decode(cm_slice_of(pixel), &bytes));
    return bytes;
}

static void write_bytes(const char *folder, const char *name, const void *bytes, size_t length)
{
    cm_buffer path = {0};
    cm_buffer_printf(&path, "%s/%s", folder, name);
    FILE *file = fopen(path.data, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
    cm_buffer_free(&path);
}

/* Reads base + text from a folder in which logo.png is the pixel, big.png is too large and cut.png lacks its last byte.
 */
static json_t *read_with_logos(const char *text, cm_catalog_problems *problems, char **ret_folder)
{
    cm_error err = {0};
    cm_buffer bytes = pixel_bytes();
    char *folder = folder_new(), *large = cm_alloc(CM_PNG_BYTES + 1);
    write_bytes(folder, "logo.png", bytes.data, bytes.length);
    write_bytes(folder, "cut.png", bytes.data, bytes.length - 1);
    write_bytes(folder, "big.png", large, CM_PNG_BYTES + 1);
    bytes.data[20] ^= 1; /* a bit of the header's height */
    write_bytes(folder, "bad.png", bytes.data, bytes.length);
    folder_write(folder, "base.yaml", base_documents);
    folder_write(folder, "t.yaml", text);
    json_t *canonical = cm_catalog_read(folder, problems, &err);
    cr_assert(err.class == CM_ERROR_NONE, "%s", err.text);
    cm_buffer_free(&bytes);
    free(large);
    *ret_folder = folder;
    return canonical;
}

Test(profile, I12_parties_are_kept_in_the_text)
{
    cm_catalog_problems problems = {0};
    char *folder;
    json_t *canonical = read_with_logos(
        CUSTOMER
        "address: [Hauptstr. 1, 10115 Berlin]\ncountry: DE\ntax_id: DE123\ncontact: {name: Jürgen Roe, title: CFO, "
        "phone: '+49 30 1', email: j@acme.example}\n"
        "accounts: [{id: '000011112222', payer: '111122223333', from: 2025-06-01, name: Prod, tags: {team: web, Cost "
        "Centre: '4711', empty: ''}}]\n"
        "---\nkind: Reseller\nid: south\nname: South\naddress: Rue 1\ncountry: FR\ncontact: Marie\nemail: "
        "m@south.example\ntax_id: FR9\n"
        "profile: Your cloud partner\nlogo: logo.png\nstatement_url: 'https://portal.example/statements/{id}'\n",
        &problems, &folder);
    cr_assert(canonical, "%s", problems.count ? problems.list[0].text : "");
    json_t *wanted =
        json_loads("{\"address\": [\"Hauptstr. 1\", \"10115 Berlin\"], \"country\": \"DE\", \"tax_id\": \"DE123\","
                   " \"contact\": {\"name\": \"Jürgen Roe\", \"title\": \"CFO\", \"phone\": \"+49 30 1\", \"email\": "
                   "\"j@acme.example\"}}",
                   0, NULL);
    json_t *customer = json_object_get(json_object_get(canonical, "Customer"), "acme"), *value;
    json_t *reseller = json_object_get(json_object_get(canonical, "Reseller"), "south");
    json_t *account = json_array_get(json_object_get(customer, "accounts"), 0);
    const char *key;
    json_object_foreach (wanted, key, value)
        cr_assert(json_equal(json_object_get(customer, key), value), "%s", key);
    char *tags = json_dumps(json_object_get(account, "tags"), JSON_COMPACT | JSON_SORT_KEYS);
    cr_assert_str_eq(tags, "{\"Cost Centre\":\"4711\",\"empty\":\"\",\"team\":\"web\"}");
    free(tags);
    const char *logo = json_string_value(json_object_get(reseller, "logo"));
    cr_assert(strncmp(logo, "data:image/png;base64,", 22) == 0);
    cr_assert_str_eq(logo + 22, pixel);
    cr_assert_str_eq(json_string_value(json_object_get(reseller, "profile")), "Your cloud partner");
    /* What was stored is loaded, and its difference is told without the image. */
    char *text = cm_catalog_text(canonical);
    cm_error err = {0};
    cm_catalog *catalog = cm_catalog_parse(text, &err);
    cr_assert(catalog, "%s", err.text);
    cm_catalog_free(catalog);
    free(text);
    json_decref(wanted);
    json_decref(canonical);
    cm_catalog_problems_free(&problems);
    folder_remove(folder);
}

Test(profile, a_changed_logo_has_another_digest)
{
    cm_buffer long_text = {0}, diff = {0};
    for (int i = 0; i < 100; i++)
        cm_buffer_text(&long_text, "iVBORw0KGgo");
    json_t *before = json_pack("{s:{s:{s:s}}}", "Reseller", "a", "logo", "x"),
           *after = json_pack("{s:{s:{s:s}}}", "Reseller", "a", "logo", long_text.data);
    cm_catalog_diff(before, after, &diff);
    cr_assert(strstr(diff.data, "changed Reseller a: logo x -> (1100 characters, sha256 "), "%s", diff.data);
    cr_assert_null(strstr(diff.data, "iVBOR"));
    json_decref(before);
    json_decref(after);
    cm_buffer_free(&diff);
    cm_buffer_free(&long_text);
}

static void expect_logo(const char *name, const char *words)
{
    cm_catalog_problems problems = {0};
    cm_buffer text = {0};
    char *folder;
    cm_buffer_printf(&text, "kind: Reseller\nid: south\nlogo: %s\n", name);
    json_t *canonical = read_with_logos(text.data, &problems, &folder);
    cr_assert_null(canonical);
    cr_assert_eq(problems.count, 1);
    cr_assert_eq(problems.list[0].line, 3);
    cr_assert_eq(problems.list[0].column, 7);
    cr_assert(strstr(problems.list[0].file, "/t.yaml"));
    cr_assert(strstr(problems.list[0].text, words), "%s", problems.list[0].text);
    cm_catalog_problems_free(&problems);
    cm_buffer_free(&text);
    folder_remove(folder);
}

Test(profile, invalid_logos)
{
    expect_logo("none.png", "No such file or directory; it is a PNG of at most 131072 bytes");
    expect_logo("t.yaml", "it is not a PNG");
    expect_logo("cut.png", "it is cut short");
    expect_logo("bad.png", "its checksum is another");
    expect_logo("big.png", "larger than 131072 bytes");
    expect_logo("../logo.png", "must be inside it");
    expect_logo("a/../../logo.png", "must be inside it");
    expect_logo("/etc/logo.png", "must be inside it");
}

Test(profile, problems_with_their_place)
{
    static const struct {
        const char *text, *place, *words;
    } cases[] = {
        {CUSTOMER "country: Germany\n", "t.yaml:5:10", "two capital letters"},
        {CUSTOMER "country: de\n", "t.yaml:5:10", "two capital letters"},
        {CUSTOMER "contact: {name: J, mail: x}\n", "t.yaml:5:20", "unknown key \"mail\""},
        {CUSTOMER "contact: [a]\n", "t.yaml:5:10", "contact must be a single value"},
        {CUSTOMER "tax_ids: x\n", "t.yaml:5:1", "did you mean \"tax_id\"?"},
        {CUSTOMER "accounts: [{id: '000011112222', payer: '111122223333', from: 2025-06-01, tags: [a]}]\n",
         "t.yaml:5:80", "must be a mapping"},
        {CUSTOMER "accounts: [{id: '000011112222', payer: '111122223333', from: 2025-06-01, tags: {a: 1, a: 2}}]\n",
         "t.yaml:5:87", "comes twice"},
        {CUSTOMER "accounts: [{id: '000011112222', payer: '111122223333', from: 2025-06-01, tags: {a: [1]}}]\n",
         "t.yaml:5:84", "value must be a single value"},
        {"kind: Reseller\nid: south\ndocument_number: '{series}-{number}'\n", "t.yaml:3:18",
         "must have {series}, {year} and {number}"},
        {"kind: Reseller\nid: south\nseries: {tdsynnex: A, ingram: A}\n", "t.yaml:3:31", "the same series"},
        {"kind: Reseller\nid: south\nseries: {tdsynnex: 'A-1'}\n", "t.yaml:3:20", "letters and digits"},
        {"kind: Reseller\nid: south\ndocument_number: 'N{series}{year}{number}'\n---\nkind: Reseller\nid: west\n"
         "document_number: 'N{series}{year}{number}'\n",
         "t.yaml:6:5", "would write the same document numbers"},
        {"kind: Reseller\nid: south\nstatement_url: 'http://portal.example/{id}'\n", "t.yaml:3:16",
         "https://... with {id}"},
        {"kind: Reseller\nid: south\nstatement_url: 'https://portal.example/'\n", "t.yaml:3:16",
         "https://... with {id}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_one(cases[i].text, cases[i].place, cases[i].words);
}

/* Catalogs of before keep their canonical text, so their ids. */
Test(profile, what_was_written_before_stays_the_same)
{
    json_t *canonical = canonical_of_text(
        CUSTOMER "address: [A 1, B]\ncontact: Jane Roe\nemail: j@acme.example\nlogo: acme.png\n"
                 "accounts: [{id: '000011112222', payer: '111122223333', from: 2025-06-01, name: Prod}]\n");
    char *text =
        json_dumps(json_object_get(json_object_get(canonical, "Customer"), "acme"), JSON_COMPACT | JSON_SORT_KEYS);
    cr_assert_str_eq(text, "{\"accounts\":[{\"from\":\"2025-06-01T00:00:00Z\",\"id\":\"000011112222\",\"name\":"
                           "\"Prod\",\"payer\":\"111122223333\"}],"
                           "\"address\":[\"A 1\",\"B\"],\"commitment_policy\":\"on_demand\",\"contact\":\"Jane "
                           "Roe\",\"credit_policy\":{\"mode\":\"keep\"},"
                           "\"email\":\"j@acme.example\",\"invoice_currency\":\"USD\",\"logo\":\"acme.png\",\"name\":"
                           "\"acme\",\"price_book\":\"standard\","
                           "\"refund_policy\":\"price_book\",\"reseller\":\"northwind\",\"tax\":[]}");
    free(text);
    json_decref(canonical);
}

Test(profile, pngs_by_their_frame)
{
    cm_buffer bytes = pixel_bytes();
    cr_assert_null(cm_png_problem((cm_slice){bytes.data, bytes.length}));
    for (size_t i = 0; i < bytes.length; i++) /* no proper beginning is one, and no byte may change */
        cr_assert_not_null(cm_png_problem((cm_slice){bytes.data, i}), "%zu", i);
    for (size_t i = 0; i < bytes.length; i++) {
        bytes.data[i] ^= 4;
        cr_assert_not_null(cm_png_problem((cm_slice){bytes.data, bytes.length}), "%zu", i);
        bytes.data[i] ^= 4;
    }
    cm_buffer_char(&bytes, 'x');
    cr_assert_str_eq(cm_png_problem((cm_slice){bytes.data, bytes.length}), "something follows its end");
    cm_buffer_free(&bytes);
}

/* RFC 4648 section 10 */
Test(profile, base64)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        cm_buffer text = {0}, bytes = {0};
        cm_base64_encode(vectors[i][0], strlen(vectors[i][0]), &text);
        cr_assert_str_eq(cm_buffer_string(&text), vectors[i][1]);
        cr_assert(cm_base64_decode(cm_slice_of(vectors[i][1]), &bytes));
        cr_assert_str_eq(cm_buffer_string(&bytes), vectors[i][0]);
        cm_buffer_free(&text);
        cm_buffer_free(&bytes);
    }
    static const char *const wrong[] = {"Z", "Zg=", "Zg", "Z===", "Zm9v====", "Zm 9", "Zm9\n", "=Zg="};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cm_buffer bytes = {0};
        cr_assert_not(cm_base64_decode(cm_slice_of(wrong[i]), &bytes), "%s", wrong[i]);
        cm_buffer_free(&bytes);
    }
}
