/* Report, period and assembly from a key. */
#include "delivery/source/reports.h"

#include <criterion/criterion.h>
#include <string.h>

Test(layout, period_folders)
{
    struct {
        const char *name;
        int year, month; /* 0: none */
    } table[] = {
        {"20250601-20250701", 2025, 6},      {"20241201-20250101", 2024, 12},
        {"20160101-20160131", 2016, 1},      {"20240201-20240229", 2024, 2},
        {"BILLING_PERIOD=2025-06", 2025, 6}, {"20250601-20250702", 0, 0},
        {"20250602-20250701", 0, 0},         {"20251301-20260101", 0, 0},
        {"20250601_20250701", 0, 0},         {"20250601-2025070", 0, 0},
        {"BILLING_PERIOD=2025-13", 0, 0},    {"BILLING_PERIOD=", 0, 0},
        {"billing_period=2025-06", 0, 0},    {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_period period = {0};
        bool found = cm_layout_period_name(cm_slice_of(table[i].name), &period);
        cr_assert(found == (table[i].year != 0), "%s", table[i].name);
        cr_assert(!found || (period.year == table[i].year && period.month == table[i].month), "%s", table[i].name);
    }
}

Test(layout, manifests)
{
    struct {
        const char *key, *report, *assembly;
        int month; /* of 2025; 0: the path has none; -1: no manifest */
    } table[] = {
        {"p/q/r/20250601-20250701/r-Manifest.json", "r", NULL, 6},
        {"r/20250601-20250701/20250607T053621Z/r-Manifest.json", "r", "20250607T053621Z", 6},
        {"20250601-20250701/r-Manifest.json", "r", NULL, 6},
        {"p/e/metadata/BILLING_PERIOD=2025-06/e-Manifest.json", "e", NULL, 6},
        {"p/e/metadata/BILLING_PERIOD=2025-06/2025-06-16T15:24:15.653Z-04e9e487-79a7-42b1-a680-1de7c660dc8f/"
         "e-Manifest.json",
         "e", "2025-06-16T15:24:15.653Z-04e9e487-79a7-42b1-a680-1de7c660dc8f", 6},
        {"r-Manifest.json", "r", NULL, 0},
        {"x/r-Manifest.json", "r", NULL, 0},
        {"20250607T053621Z/r-Manifest.json", "r", "20250607T053621Z", 0},
        {"x/11111111-2222-3333-4444-555555555555/r-Manifest.json", "r", "11111111-2222-3333-4444-555555555555", 0},
        {"r/20250601-20250701/a b-c-Manifest.json", "a b-c", NULL, 6},
        {"r/20250601-20250701/x/y/r-Manifest.json", "r", NULL, 6},
        {"r/20250601-20250701/-Manifest.json", NULL, NULL, -1},
        {"r/20250601-20250701/r-RedshiftManifest.json", NULL, NULL, -1},
        {"r/20250601-20250701/r-Manifest.json.bak", NULL, NULL, -1},
        {"r/20250601-20250701/r-Manifest.json/x", NULL, NULL, -1},
    };
    cm_arena *arena = cm_arena_new(4096);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cm_layout layout;
        bool found = cm_layout_read(table[i].key, arena, &layout);
        cr_assert(found == (table[i].month >= 0), "%s", table[i].key);
        if (!found)
            continue;
        cr_assert_str_eq(layout.report, table[i].report, "%s", table[i].key);
        cr_assert(layout.has_period == (table[i].month > 0), "%s", table[i].key);
        cr_assert(!layout.has_period || (layout.period.year == 2025 && layout.period.month == table[i].month), "%s",
                  table[i].key);
        cr_assert(!layout.assembly == !table[i].assembly, "%s: %s", table[i].key, layout.assembly);
        cr_assert(!layout.assembly || strcmp(layout.assembly, table[i].assembly) == 0, "%s: %s", table[i].key,
                  layout.assembly);
    }
    cm_arena_free(arena);
}

static size_t find(const char *const *keys, const char *key, const char *manifest, bool exact_first,
                   const cm_object *ret[static 2])
{
    static cm_object objects[8];
    size_t count = 0;
    for (; keys[count]; count++)
        objects[count] = (cm_object){.key = keys[count], .fingerprint = "1:1", .bytes = 1};
    cm_arena *arena = cm_arena_new(4096);
    size_t found = cm_file_index_find(cm_file_index_new(objects, count, arena), key, (cm_period){2025, 6}, manifest,
                                      exact_first, ret);
    cm_arena_free(arena);
    return found;
}

/* architecture.md section 8: the longest path suffix below the folder, or the file name in the folder of the same
 * period. */
Test(layout, a_key_is_found_by_its_longest_end)
{
    const char *key = "p/r/20250601-20250701/A/r-1.csv.gz", *manifest = "r/20250601-20250701/r-Manifest.json";
    struct {
        const char *there[5];
        size_t count;
        const char *first, *second;
    } table[] = {
        {{"p/r/20250601-20250701/A/r-1.csv.gz"}, 1, "p/r/20250601-20250701/A/r-1.csv.gz", NULL},
        {{"copy/p/r/20250601-20250701/A/r-1.csv.gz"}, 1, "copy/p/r/20250601-20250701/A/r-1.csv.gz", NULL},
        {{"r/20250601-20250701/A/r-1.csv.gz"}, 1, "r/20250601-20250701/A/r-1.csv.gz", NULL},
        {{"A/r-1.csv.gz"}, 1, "A/r-1.csv.gz", NULL},
        {{"A/r-1.csv.gz", "r/20250601-20250701/A/r-1.csv.gz"}, 1, "r/20250601-20250701/A/r-1.csv.gz", NULL},
        {{"r/20250601-20250701/r-1.csv.gz"}, 1, "r/20250601-20250701/r-1.csv.gz", NULL},
        {{"data/BILLING_PERIOD=2025-06/r-1.csv.gz"}, 1, "data/BILLING_PERIOD=2025-06/r-1.csv.gz", NULL},
        {{"r/20250601-20250701/A/r-1.csv.gz", "r/20250601-20250701/r-1.csv.gz"},
         1,
         "r/20250601-20250701/A/r-1.csv.gz",
         NULL},
        /* another assembly of the same period, another period, another place: never by the name alone */
        {{"r/20250601-20250701/B/r-1.csv.gz"}, 0, NULL, NULL},
        {{"r/20250701-20250801/r-1.csv.gz"}, 0, NULL, NULL},
        {{"r/20250701-20250801/A/r-1.csv.gz"}, 0, NULL, NULL},
        {{"r-1.csv.gz"}, 0, NULL, NULL},
        {{"elsewhere/r-1.csv.gz"}, 0, NULL, NULL},
        {{"r/20250601-20250701/A/r-2.csv.gz", "r/20250601-20250701/A/r-1.csv"}, 0, NULL, NULL},
        /* two that fit equally well */
        {{"x/p/r/20250601-20250701/A/r-1.csv.gz", "y/p/r/20250601-20250701/A/r-1.csv.gz"},
         2,
         "x/p/r/20250601-20250701/A/r-1.csv.gz",
         "y/p/r/20250601-20250701/A/r-1.csv.gz"},
        {{"x/A/r-1.csv.gz", "y/A/r-1.csv.gz"}, 2, "x/A/r-1.csv.gz", "y/A/r-1.csv.gz"},
        {{"20250601-20250701/r-1.csv.gz", "BILLING_PERIOD=2025-06/r-1.csv.gz"},
         2,
         "20250601-20250701/r-1.csv.gz",
         "BILLING_PERIOD=2025-06/r-1.csv.gz"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const cm_object *found[2];
        size_t count = find(table[i].there, key, manifest, false, found);
        cr_assert(count == table[i].count, "row %zu: %zu", i, count);
        cr_assert(count < 1 || strcmp(found[0]->key, table[i].first) == 0, "row %zu: %s", i, found[0]->key);
        cr_assert(count < 2 || strcmp(found[1]->key, table[i].second) == 0, "row %zu: %s", i, found[1]->key);
    }
}

Test(layout, exact_key_first_in_a_bucket)
{
    const cm_object *found[2];
    const char *there[] = {"copy/p/20250601-20250701/r-1.csv", "p/20250601-20250701/r-1.csv", NULL};
    const char *key = "p/20250601-20250701/r-1.csv", *manifest = "p/20250601-20250701/r-Manifest.json";
    cr_assert(find(there, key, manifest, true, found) == 1);
    cr_assert_str_eq(found[0]->key, key);
    cr_assert(find(there, key, manifest, false, found) == 2);
    const char *flat[] = {"r-1.csv", NULL};
    cr_assert(find(flat, key, "r-Manifest.json", false, found) == 1,
              "beside the manifest, in a copy without the period's folder");
    cr_assert(find(flat, "/r-1.csv", "r-Manifest.json", true, found) == 1,
              "a prefix that is empty gives keys with a slash");
    const char *doubled[] = {"p//20250601-20250701/r-1.csv", NULL};
    cr_assert(find(doubled, key, manifest, true, found) == 1, "empty names do not count");
}
