/* Deliveries in a folder: all layouts, which one counts, and everything that can be wrong with a manifest. */
#include "place.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAYER "012345678901"
#define JUNE  "20250601T000000.000Z", "20250701T000000.000Z"

static place p;

static void set_up(void)
{
    place_begin(&p);
}

static void tear_down(void)
{
    place_end(&p);
}

TestSuite(reports, .init = set_up, .fini = tear_down, .timeout = 30);

/* --- layouts ----------------------------------------------------------------------------------------------------- */

Test(reports, legacy_new_versions)
{
    const char *keys = "pre/r/20250601-20250701/20250702T010203Z/r-00001.csv.gz,pre/r/20250601-20250701/"
                       "20250702T010203Z/r-00002.csv.gz";
    place_legacy(&p, "pre/r/20250601-20250701/r-Manifest.json", "r", "20250702T010203Z", PAYER, JUNE, keys);
    place_legacy(&p, "pre/r/20250601-20250701/20250702T010203Z/r-Manifest.json", "r", "20250702T010203Z", PAYER, JUNE,
                 keys);
    place_legacy(&p, "pre/r/20250601-20250701/20250601T010203Z/r-Manifest.json", "r", "20250601T010203Z", PAYER, JUNE,
                 "pre/r/20250601-20250701/20250601T010203Z/r-00001.csv.gz");
    place_write(&p, "pre/r/20250601-20250701/20250601T010203Z/r-00001.csv.gz", "old");
    place_write(&p, "pre/r/20250601-20250701/20250702T010203Z/r-00001.csv.gz", "new");
    place_write(&p, "pre/r/20250601-20250701/20250702T010203Z/r-00002.csv.gz", "newer");
    place_find(&p, PAYER);
    const cm_found_delivery *d = place_only(&p, "", "");
    cr_assert_str_eq(d->report, "r");
    cr_assert_str_eq(d->assembly, "20250702T010203Z");
    cr_assert_str_eq(d->format, "legacy");
    cr_assert_str_eq(d->account, PAYER);
    cr_assert_str_eq(d->manifest, "pre/r/20250601-20250701/r-Manifest.json");
    cr_assert(d->period.year == 2025 && d->period.month == 6 && d->immutable_keys && d->chunks == 2);
    cr_assert_str_eq(d->chunk[1].key, "pre/r/20250601-20250701/20250702T010203Z/r-00002.csv.gz");
    cr_assert_str_eq(d->chunk[1].name, "r-00002.csv.gz");
    cr_assert(d->chunk[1].bytes == 5 && strncmp(d->chunk[1].fingerprint, "5:", 2) == 0);
    cr_assert(strlen(d->manifest_digest) == 64);
}

Test(reports, legacy_overwrite)
{
    place_legacy(&p, "r/20250601-20250701/r-Manifest.json", "r", "11111111-2222-3333-4444-555555555555", PAYER, JUNE,
                 "any/where/r/20250601-20250701/r-1.csv.zip");
    place_write(&p, "r/20250601-20250701/r-1.csv.zip", "z");
    place_find(&p, PAYER);
    const cm_found_delivery *d = place_only(&p, "", "");
    cr_assert(!d->immutable_keys);
    cr_assert_str_eq(d->chunk[0].key, "r/20250601-20250701/r-1.csv.zip");
    cr_assert_str_eq(d->chunk[0].manifest_key, "any/where/r/20250601-20250701/r-1.csv.zip");
}

Test(reports, only_assembly_folders)
{
    const char *ids[] = {"20250629T235959Z", "20250702T010203Z", "20250701T010203Z"};
    for (size_t i = 0; i < 3; i++) {
        char manifest[128], file[128];
        snprintf(manifest, sizeof manifest, "r/20250601-20250701/%s/r-Manifest.json", ids[i]);
        snprintf(file, sizeof file, "r/20250601-20250701/%s/r-1.csv.gz", ids[i]);
        place_legacy(&p, manifest, "r", ids[i], PAYER, JUNE, file);
        place_write(&p, file, ids[i]);
        place_age(&p, manifest, 2000000000 - (long)i); /* the time of a copy means nothing */
    }
    place_find(&p, PAYER);
    cr_assert_str_eq(place_only(&p, "", "")->assembly, "20250702T010203Z");
}

Test(reports, uuid_assemblies_by_age_then_name)
{
    const char *ids[] = {"aaaaaaaa-2222-3333-4444-555555555555", "11111111-2222-3333-4444-555555555555",
                         "bbbbbbbb-2222-3333-4444-555555555555"};
    for (size_t i = 0; i < 3; i++) {
        char manifest[128], file[128];
        snprintf(manifest, sizeof manifest, "r/20250601-20250701/%s/r-Manifest.json", ids[i]);
        snprintf(file, sizeof file, "r/20250601-20250701/%s/r-1.csv.gz", ids[i]);
        place_legacy(&p, manifest, "r", ids[i], PAYER, JUNE, file);
        place_write(&p, file, "x");
        place_age(&p, manifest, i == 1 ? 1750000002 : 1750000001);
    }
    place_find(&p, PAYER);
    cr_assert_str_eq(place_only(&p, "", "")->assembly, ids[1]);
    place_age(&p, "r/20250601-20250701/11111111-2222-3333-4444-555555555555/r-Manifest.json", 1750000001);
    place_find(&p, PAYER);
    cr_assert_str_eq(place_only(&p, "", "")->assembly, ids[2]);
}

Test(reports, top_level_decides_even_if_older)
{
    place_legacy(&p, "r/20250601-20250701/r-Manifest.json", "r", "20250702T010203Z", PAYER, JUNE,
                 "r/20250601-20250701/20250702T010203Z/r-1.csv.gz");
    place_legacy(&p, "r/20250601-20250701/20250703T010203Z/r-Manifest.json", "r", "20250703T010203Z", PAYER, JUNE,
                 "r/20250601-20250701/20250703T010203Z/r-1.csv.gz");
    place_write(&p, "r/20250601-20250701/20250702T010203Z/r-1.csv.gz", "x");
    place_write(&p, "r/20250601-20250701/20250703T010203Z/r-1.csv.gz", "y");
    place_find(&p, PAYER);
    cr_assert_str_eq(place_only(&p, "", "")->assembly, "20250702T010203Z");
}

#define EXECUTION "04e9e487-79a7-42b1-a680-1de7c660dc8f"
#define FOLDER    "2025-06-16T15:24:15.653Z-" EXECUTION

Test(reports, cur2_new_versions)
{
    place_cur2(&p, "c/e/metadata/BILLING_PERIOD=2025-06/" FOLDER "/e-Manifest.json", EXECUTION,
               "c/e/data/BILLING_PERIOD=2025-06/" FOLDER "/e-00001.csv.gz");
    place_write(&p, "c/e/data/BILLING_PERIOD=2025-06/" FOLDER "/e-00001.csv.gz", "x");
    place_find(&p, PAYER);
    const cm_found_delivery *d = place_only(&p, "", "");
    cr_assert_str_eq(d->format, "cur2");
    cr_assert_str_eq(d->report, "e");
    cr_assert_str_eq(d->assembly, FOLDER, "its text is its order, the id alone is not");
    cr_assert_str_eq(d->account, "");
    cr_assert(d->immutable_keys && d->period.month == 6);
    cr_assert_str_eq(d->chunk[0].manifest_key, "c/e/data/BILLING_PERIOD=2025-06/" FOLDER "/e-00001.csv.gz");
}

Test(reports, cur2_overwrite_and_flattened)
{
    place_cur2(&p, "e/metadata/BILLING_PERIOD=2025-06/e-Manifest.json", EXECUTION,
               "c/e/data/BILLING_PERIOD=2025-06/e-00001.csv.gz");
    place_write(&p, "e/data/BILLING_PERIOD=2025-06/e-00001.csv.gz", "x");
    place_cur2(&p, "e/metadata/BILLING_PERIOD=2025-07/e-Manifest.json", EXECUTION,
               "c/e/data/BILLING_PERIOD=2025-07/" FOLDER "/e-00001.csv.gz");
    place_write(&p, "e/data/BILLING_PERIOD=2025-07/e-00001.csv.gz", "y");
    place_find(&p, PAYER);
    cr_assert(p.count == 2 && !*p.found[0].error_code && !*p.found[1].error_code, "%s%s", p.found[0].error_text,
              p.found[1].error_text);
    cr_assert(p.found[0].period.month == 6 && p.found[1].period.month == 7);
    cr_assert_str_eq(p.found[0].assembly, EXECUTION);
    cr_assert(!p.found[0].immutable_keys);
    cr_assert(!p.found[1].immutable_keys, "the file was copied out of its execution's folder");
    cr_assert_str_eq(p.found[1].chunk[0].key, "e/data/BILLING_PERIOD=2025-07/e-00001.csv.gz");
}

Test(reports, part_of_a_bucket_without_period_folders)
{
    place_legacy(&p, "r-Manifest.json", "r", "20250702T010203Z", PAYER, JUNE,
                 "p/r/20250601-20250701/20250702T010203Z/r-1.csv.gz");
    place_write(&p, "r-1.csv.gz", "x");
    place_cur2(&p, "x/e-Manifest.json", EXECUTION, "c/e/data/BILLING_PERIOD=2025-05/e-00001.csv.gz");
    place_write(&p, "x/e-00001.csv.gz", "x");
    place_find(&p, PAYER);
    cr_assert(p.count == 2 && !*p.found[0].error_code && !*p.found[1].error_code, "%s", p.found[0].error_text);
    cr_assert_str_eq(p.found[0].report, "e");
    cr_assert(p.found[0].period.month == 5 && p.found[1].period.month == 6);
}

Test(reports, order_and_filters)
{
    const char *keys[] = {"b/20250601-20250701/", "a/20250701-20250801/", "a/20241201-20250101/"};
    const char *months[][2] = {
        {JUNE}, {"20250701T000000.000Z", "20250801T000000.000Z"}, {"20241201T000000.000Z", "20250101T000000.000Z"}};
    for (size_t i = 0; i < 3; i++) {
        char manifest[128], file[128], report[2] = {keys[i][0], 0};
        snprintf(manifest, sizeof manifest, "%s%s-Manifest.json", keys[i], report);
        snprintf(file, sizeof file, "%s%s-1.csv", keys[i], report);
        place_legacy(&p, manifest, report, "A", PAYER, months[i][0], months[i][1], file);
        place_write(&p, file, "x");
    }
    place_find(&p, PAYER);
    cr_assert(p.count == 3);
    cr_assert(p.found[0].period.year == 2024 && p.found[1].period.month == 7 && strcmp(p.found[2].report, "b") == 0);
    cm_error err = {0};
    cm_period june = {2025, 6};
    cr_assert(cm_reports_find(p.source, PAYER, &june, NULL, p.arena, &p.found, &p.count, NULL, &err) && p.count == 1);
    cr_assert_str_eq(p.found[0].report, "b");
    const char *only_a[] = {"a", NULL};
    cr_assert(cm_reports_find(p.source, PAYER, NULL, only_a, p.arena, &p.found, &p.count, NULL, &err) && p.count == 2);
    cr_assert(cm_reports_find(p.source, PAYER, &june, only_a, p.arena, &p.found, &p.count, NULL, &err) && p.count == 0);
}

Test(reports, empty_folder)
{
    place_find(&p, PAYER);
    cr_assert(p.count == 0);
}

/* --- what can be wrong ------------------------------------------------------------------------------------------- */

static const char top[] = "r/20250601-20250701/r-Manifest.json";

Test(reports, broken_json_has_a_place)
{
    place_write(&p, top, "{\n \"assemblyId\": \"A\",\n \"reportKeys\": [\"a\" \"b\"]\n}");
    place_find(&p, PAYER);
    const cm_found_delivery *d = place_only(&p, "MANIFEST_INVALID", "line 3, column 23");
    cr_assert_str_eq(d->error_file, top);
    cr_assert(d->chunks == 0 && d->period.month == 6 && strlen(d->manifest_digest) == 64);
}

Test(reports, files_that_are_not_manifests)
{
    struct {
        const char *json, *word;
    } table[] = {
        {"", "line 1"},
        {"[]", "not a JSON object"},
        {"{}", "neither `reportKeys`"},
        {"{\"reportKeys\":[]}", "empty list"},
        {"{\"dataFiles\":[]}", "empty list"},
        {"{\"reportKeys\":\"a.csv\"}", "is not a list"},
        {"{\"reportKeys\":[\"a.csv\", 7]}", "entry 2"},
        {"{\"reportKeys\":[\"a/\"]}", "entry 1"},
        {"{\"dataFiles\":[\"s3://bucket\"]}", "entry 1"},
        {"{\"reportKeys\":[\"a.csv\",\"b.csv\",\"a.csv\"]}", "a.csv twice"},
        {"{\"reportKeys\":[\"a.csv\"],\"reportKeys\":[\"b.csv\"]}", "duplicate"},
        {"{\"reportKeys\":[\"a.csv\"],\"account\":12345678901}", "leading zeros"},
        {"{\"reportKeys\":[\"a.csv\"],\"billingPeriod\":{\"start\":\"june\",\"end\":\"july\"}}", "billingPeriod"},
        {"{\"reportKeys\":[\"a.csv\"],\"billingPeriod\":{\"start\":\"20250602T000000.000Z\",\"end\":\"20250701T000000."
         "000Z\"}}",
         "not a calendar month"},
        {"{\"reportKeys\":[\"a.csv\"],\"reportName\":\"other\"}", "\"other\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        place_write(&p, top, table[i].json);
        place_find(&p, PAYER);
        place_only(&p, "MANIFEST_INVALID", table[i].word);
    }
}

Test(reports, another_payer)
{
    place_legacy(&p, top, "r", "A", "999999999999", JUNE, "r/20250601-20250701/r-1.csv");
    place_write(&p, "r/20250601-20250701/r-1.csv", "x");
    place_find(&p, PAYER);
    place_only(&p, "WRONG_PAYER", "999999999999");
    place_find(&p, "");
    place_only(&p, "", "");
}

Test(reports, another_period)
{
    place_legacy(&p, top, "r", "A", PAYER, "20250501T000000.000Z", "20250601T000000.000Z", "r/r-1.csv");
    place_find(&p, PAYER);
    cr_assert(place_only(&p, "WRONG_PERIOD", "2025-05")->period.month == 6, "the period comes from the path");
    place_legacy(&p, top, "r", "A", PAYER, JUNE, "r/20250501-20250601/r-1.csv");
    place_find(&p, PAYER);
    place_only(&p, "WRONG_PERIOD", "20250501-20250601");
}

Test(reports, cur2_another_period)
{
    place_cur2(&p, "e/metadata/BILLING_PERIOD=2025-06/e-Manifest.json", EXECUTION,
               "e/data/BILLING_PERIOD=2025-07/e-1.csv.gz");
    place_find(&p, PAYER);
    place_only(&p, "WRONG_PERIOD", "2025-07");
}

Test(reports, formats_that_cannot_be_read)
{
    struct {
        const char *json, *word;
    } table[] = {
        {"{\"reportKeys\":[\"r/year=2025/r-1.snappy.parquet\"],\"compression\":\"Parquet\"}", "Parquet"},
        {"{\"dataFiles\":[\"s3://b/r/r-1.snappy.parquet\"]}", "Parquet"},
        {"{\"reportKeys\":[\"r/r-1.csv.bz2\"]}", ".csv.zip"},
        {"{\"dataFiles\":[\"s3://b/"
         "r-1.csv.gz\"],\"columns\":[{\"name\":\"BilledCost\"},{\"name\":\"ChargeCategory\"}]}",
         "FOCUS"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        place_write(&p, top, table[i].json);
        place_find(&p, PAYER);
        place_only(&p, "UNSUPPORTED_FORMAT", table[i].word);
    }
}

Test(reports, missing_file_names_the_searched_places)
{
    place_legacy(&p, top, "r", "A", PAYER, JUNE,
                 "pre/r/20250601-20250701/A/r-1.csv.gz,pre/r/20250601-20250701/A/r-2.csv.gz");
    place_write(&p, "r/20250601-20250701/A/r-1.csv.gz", "x");
    place_write(&p, "r/20250601-20250701/B/r-2.csv.gz", "of another assembly");
    place_find(&p, PAYER);
    const cm_found_delivery *d = place_only(&p, "MISSING_FILE", "pre/r/20250601-20250701/A/r-2.csv.gz");
    cr_assert(strstr(d->error_text, p.path) && strstr(d->error_text, "2025-06") && strstr(d->error_text, top), "%s",
              d->error_text);
    cr_assert(d->chunks == 2 && d->chunk[0].key && !d->chunk[1].key && !*d->chunk[1].fingerprint);
    cr_assert_str_eq(d->error_file, "pre/r/20250601-20250701/A/r-2.csv.gz");
}

Test(reports, a_file_of_0_bytes_is_not_complete)
{
    place_legacy(&p, "r/20250601-20250701/r-Manifest.json", "r", "a", PAYER, JUNE,
                 "r/20250601-20250701/r-1.csv.gz,r/20250601-20250701/r-2.csv.gz");
    place_write(&p, "r/20250601-20250701/r-1.csv.gz", "z");
    place_write(&p, "r/20250601-20250701/r-2.csv.gz", "");
    place_find(&p, PAYER);
    const cm_found_delivery *d = place_only(&p, "EMPTY_FILE", "r-2.csv.gz");
    cr_assert_str_eq(d->error_file, "r-2.csv.gz");
    place_write(&p, "r/20250601-20250701/r-2.csv.gz", "z");
    place_find(&p, PAYER);
    place_only(&p, "", "");
}

static cm_unlisted unlisted(const cm_period *period, const char *const *reports)
{
    cm_unlisted found;
    cm_error err = {0};
    cr_assert(cm_reports_find(p.source, PAYER, period, reports, p.arena, &p.found, &p.count, &found, &err), "%s",
              err.text);
    return found;
}

/* Nobody reads them, so somebody is told: files without a manifest, beside one, in a month that has none. */
Test(reports, files_that_no_manifest_lists)
{
    static const char *const only_r[] = {"r", NULL}, *const only_x[] = {"x", NULL};
    const cm_period june = {2025, 6}, may = {2025, 5};
    place_write(&p, "extra.csv", "z");
    cr_assert_eq(unlisted(NULL, NULL).count, 1);
    place_legacy(&p, "r/20250601-20250701/r-Manifest.json", "r", "20250702T010203Z", PAYER, JUNE,
                 "r/20250601-20250701/20250702T010203Z/r-1.csv.gz");
    place_write(&p, "r/20250601-20250701/20250702T010203Z/r-1.csv.gz", "z");
    place_write(&p, "r/20250601-20250701/20250601T010203Z/r-1.csv.gz", "an older version");
    place_write(&p, "r/20250601-20250701/crawler-cfn.yml", "no data");
    cm_unlisted found = unlisted(NULL, NULL);
    cr_assert(found.count == 1 && strcmp(found.key[0], "extra.csv") == 0, "%zu: %s", found.count, found.key[0]);
    place_write(&p, "r/20250601-20250701/r-2.csv.zip", "z");
    place_write(&p, "r/20250501-20250601/r-1.csv.gz", "z");
    cr_assert_eq(unlisted(NULL, NULL).count, 3);
    cr_assert_eq(unlisted(&june, NULL).count, 1);
    cr_assert_eq(unlisted(&may, NULL).count, 1);
    /* What another report may list is not told. */
    cr_assert_eq(unlisted(&june, only_r).count, 1);
    cr_assert_eq(unlisted(&june, only_x).count, 0);
    place_write(&p, "r/20250601-20250701/r-Manifest.json", "{");
    cr_assert_eq(unlisted(&june, NULL).count, 0, "a manifest that cannot be read may list it");
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "more-%d.CSV", i);
        place_write(&p, name, "z");
    }
    cr_assert_eq(unlisted(&may, NULL).count, 1);
}

Test(reports, two_candidates_are_named)
{
    place_legacy(&p, top, "r", "A", PAYER, JUNE, "r/20250601-20250701/A/r-1.csv.gz");
    place_write(&p, "r/20250601-20250701/A/r-1.csv.gz", "x");
    place_write(&p, "backup/r/20250601-20250701/A/r-1.csv.gz", "x");
    place_find(&p, PAYER);
    const cm_found_delivery *d = place_only(&p, "AMBIGUOUS_FILE", "backup/r/20250601-20250701/A/r-1.csv.gz");
    cr_assert(strstr(d->error_text, "or r/20250601-20250701/A/r-1.csv.gz") || strstr(d->error_text, "could be r/"),
              "%s", d->error_text);
}

Test(reports, two_manifests_are_named)
{
    place_legacy(&p, top, "r", "A", PAYER, JUNE, "r/20250601-20250701/A/r-1.csv.gz");
    place_legacy(&p, "backup/r/20250601-20250701/r-Manifest.json", "r", "A", PAYER, JUNE,
                 "r/20250601-20250701/A/r-1.csv.gz");
    place_write(&p, "r/20250601-20250701/A/r-1.csv.gz", "x");
    place_find(&p, PAYER);
    const cm_found_delivery *d = place_only(&p, "AMBIGUOUS_FILE", "backup/");
    cr_assert(strstr(d->error_text, top) != NULL);
}

Test(reports, two_keys_one_file)
{
    place_legacy(&p, top, "r", "A", PAYER, JUNE, "r/20250601-20250701/A/r-1.csv.gz,r/20250601-20250701/B/r-1.csv.gz");
    place_write(&p, "r/20250601-20250701/r-1.csv.gz", "x");
    place_find(&p, PAYER);
    place_only(&p, "AMBIGUOUS_FILE", "for both");
}

Test(reports, a_manifest_without_any_period)
{
    place_write(&p, "r-Manifest.json", "{\"reportKeys\":[\"r-1.csv\"]}");
    place_age(&p, "r-Manifest.json", 1750000000); /* 2025-06-15 */
    place_find(&p, PAYER);
    cr_assert(place_only(&p, "MANIFEST_INVALID", "which period")->period.month == 6);
}

/* Real manifests and a real copy of a bucket, where they are present. */
static const char *samples(void)
{
    static char path[512];
    const char *set = getenv("CURMILL_SAMPLES");
    snprintf(path, sizeof path, "%s", set ? set : "");
    return *path && access(path, R_OK) == 0 ? path : NULL;
}

Test(reports, real_cur2_copy)
{
    if (!samples())
        cr_skip_test("the real samples (CURMILL_SAMPLES) are not here");
    char path[600];
    snprintf(path, sizeof path, "%s/cur-2.0-daily", samples());
    json_t *definition = json_pack("{s:s, s:s}", "type", "folder", "path", path);
    cm_error err = {0};
    cm_source *source = cm_source_open(definition, &err);
    json_decref(definition);
    cr_assert(source && cm_reports_find(source, "", NULL, NULL, p.arena, &p.found, &p.count, NULL, &err), "%s",
              err.text);
    const cm_found_delivery *d = place_only(&p, "", "");
    cr_assert(d->period.year == 2026 && d->period.month == 4 && d->chunks == 1 && d->chunk[0].key);
    cr_assert_str_eq(d->assembly, "2026-04-16T15:24:15.653Z-04e9e487-79a7-42b1-a680-1de7c660dc8f");
    cm_source_close(source);
}
