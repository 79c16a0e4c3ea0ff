/* What a scan found, registered: new, known, changed under the same manifest, incomplete (architecture.md section 3).
 */
#include "place.h"

#include "store/catalog/catalog_store.h"
#include "store/runs/run_store.h"

#include <stdio.h>
#include <string.h>

#define FILES 2

typedef struct finding {
    cm_found_delivery found;
    cm_found_chunk chunk[FILES];
} finding;

/* A delivery of two files with these fingerprints; NULL: the file is not there. */
static finding *two_files(finding *f, const char *one, const char *two)
{
    *f = (finding){.chunk = {{"r/1", "1", "r/1", one ? one : "", 5}, {"r/2", "2", "r/2", two ? two : "", 5}}};
    for (int i = 0; i < FILES; i++)
        if (!*f->chunk[i].fingerprint)
            f->chunk[i].key = NULL;
    f->found = (cm_found_delivery){.report = "r",
                                   .assembly = "a",
                                   .format = "legacy",
                                   .manifest = "r-Manifest.json",
                                   .account = TDS,
                                   .period = {2025, 6},
                                   .chunk = f->chunk,
                                   .chunks = FILES,
                                   .error_code = "",
                                   .error_file = "",
                                   .error_text = ""};
    memset(f->found.manifest_digest, 'd', 64);
    return f;
}

static cm_registered put_since(place *p, const cm_found_delivery *found, cm_instant resting_since)
{
    cm_registered ret;
    cm_catalog *catalog;
    cm_run_settings settings = {.resting_since = resting_since};
    json_t *source = json_pack("{s:s, s:s}", "type", "folder", "path", "/nowhere");
    MUST(cm_store_catalog_load(p->pg, p->catalog, &catalog, &p->err));
    MUST(cm_store_register(p->pg, catalog, cm_catalog_payer(catalog, TDS), source, found, &settings, p->now, "test",
                           &ret, &p->err));
    json_decref(source);
    cm_catalog_free(catalog);
    return ret;
}

static cm_registered put(place *p, const cm_found_delivery *found)
{
    return put_since(p, found, 0);
}

static void set_state(place *p, const char *delivery, const char *state)
{
    const char *values[] = {delivery, state};
    MUST(cm_pg_query(p->pg, "UPDATE delivery SET state = $2 WHERE id = $1", 2, values, NULL, &p->err));
}

Test(registering, files_that_change_under_the_same_manifest_are_a_delivery_of_their_own)
{
    place *p = place_open();
    finding f;
    cm_registered first = put(p, &two_files(&f, "5:1", "5:2")->found);
    cr_assert_eq(first.what, CM_REGISTRATION_NEW);
    /* While it is being read its own reader finds out. */
    cr_assert_eq(put(p, &two_files(&f, "5:1", "6:3")->found).what, CM_REGISTRATION_KNOWN);
    set_state(p, first.delivery, "good");
    cr_assert_eq(put(p, &two_files(&f, "5:1", "5:2")->found).what, CM_REGISTRATION_KNOWN);
    cm_registered second = put(p, &two_files(&f, "5:1", "6:3")->found);
    cr_assert_eq(second.what, CM_REGISTRATION_NEW);
    cr_assert_str_neq(second.delivery, first.delivery);
    cr_assert(*second.run);
    EXPECT("SELECT string_agg(fingerprint, ' ' ORDER BY d.seq, chunk) FROM chunk JOIN delivery d ON d.id = delivery_id",
           "5:1 5:2 5:1 6:3");
    EXPECT("SELECT string_agg(state, ' ' ORDER BY seq) FROM delivery", "good planned");
    EXPECT("SELECT reason FROM audit WHERE action = 'delivery.registered' ORDER BY id DESC LIMIT 1",
           "its files changed after they were read");
    /* And so on, also back to what they were. */
    set_state(p, first.delivery, "superseded");
    set_state(p, second.delivery, "good");
    cr_assert_str_eq(put(p, &two_files(&f, "5:1", "6:3")->found).delivery, second.delivery);
    cm_registered third = put(p, &two_files(&f, "5:1", "5:2")->found);
    cr_assert_eq(third.what, CM_REGISTRATION_NEW);
    cr_assert(strcmp(third.delivery, first.delivery) != 0 && strcmp(third.delivery, second.delivery) != 0);
    /* Once another manifest's delivery counts, the old one stays what it is. */
    set_state(p, third.delivery, "superseded");
    cr_assert_eq(put(p, &two_files(&f, "5:8", "5:9")->found).what, CM_REGISTRATION_KNOWN);
    EXPECT("SELECT count(*) FROM delivery", "3");
    place_close(p);
}

/* In overwrite mode AWS writes files first and the manifest last: what changed just now may be half of the next one. */
Test(registering, files_that_change_are_left_alone_until_they_rest)
{
    place *p = place_open();
    finding f;
    cm_registered first = put(p, &two_files(&f, "5:1", "5:2")->found);
    set_state(p, first.delivery, "held"); /* it was read, and shrank */
    two_files(&f, "5:1", "6:3");
    f.found.newest = at("2025-07-19T23:50:00Z");
    cr_assert_eq(put_since(p, &f.found, at("2025-07-19T23:45:00Z")).what, CM_REGISTRATION_KNOWN);
    cr_assert_eq(put_since(p, &f.found, at("2025-07-19T23:50:00Z")).what, CM_REGISTRATION_NEW);
    place_close(p);
}

Test(registering, files_that_go_away_take_nothing_with_them)
{
    place *p = place_open();
    finding f;
    cm_registered first = put(p, &two_files(&f, "5:1", "5:2")->found);
    set_state(p, first.delivery, "good");
    two_files(&f, "5:1", NULL);
    f.found.error_code = "MISSING_FILE";
    cr_assert_eq(put(p, &f.found).what, CM_REGISTRATION_KNOWN);
    EXPECT("SELECT string_agg(state, ' ') FROM delivery", "good");
    place_close(p);
}

Test(registering, a_good_file_that_lost_its_bytes_is_a_failed_delivery_beside_the_good_one)
{
    place *p = place_open();
    finding f;
    cm_registered first = put(p, &two_files(&f, "5:1", "5:2")->found);
    set_state(p, first.delivery, "good");
    two_files(&f, "5:1", "0:3");
    f.found.error_code = "EMPTY_FILE";
    f.found.error_file = "2";
    f.found.error_text = "2 has 0 bytes";
    cr_assert_eq(put(p, &f.found).what, CM_REGISTRATION_FAILED);
    cr_assert_eq(put(p, &f.found).what, CM_REGISTRATION_FAILED);
    EXPECT("SELECT string_agg(state || error_file, ' ' ORDER BY seq) FROM delivery", "good failed2");
    /* It is whole again: the failed one is tried again. */
    cr_assert_eq(put(p, &two_files(&f, "5:1", "7:4")->found).what, CM_REGISTRATION_RETRIED);
    EXPECT("SELECT string_agg(state || attempt, ' ' ORDER BY seq) FROM delivery", "good0 planned1");
    place_close(p);
}

/* Files without a manifest are known by their content: lying elsewhere, or written again, they are the same. */
Test(registering, files_without_a_manifest_are_known_by_their_content)
{
    place *p = place_open();
    finding f;
    two_files(&f, "5:1", "5:2");
    f.found.manifest = "";
    cm_registered first = put(p, &f.found);
    set_state(p, first.delivery, "good");
    two_files(&f, "5:8", "5:9");
    f.found.manifest = "";
    cr_assert_eq(put(p, &f.found).what, CM_REGISTRATION_KNOWN);
    EXPECT("SELECT count(*) FROM delivery", "1");
    place_close(p);
}

Test(registering, an_alert_is_told_once)
{
    place *p = place_open();
    finding f;
    cm_registered first = put(p, &two_files(&f, "5:1", "5:2")->found);
    for (int i = 0; i < 2; i++)
        MUST(cm_store_run_alert(p->pg, first.run, "NO_LINES", "1", "file 1 holds no line", &p->err));
    EXPECT("SELECT string_agg(code || ' ' || object || ': ' || detail, '; ') FROM alert",
           "NO_LINES 1: file 1 holds no line");
    place_close(p);
}
