#include "delivery.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *file_list(const struct delivery *d, const char *head)
{
    json_t *files = json_array();
    for (size_t i = 0; i < d->file_count; i++)
        json_array_append_new(files, json_sprintf("%s%s", head, d->file[i].key));
    return files;
}

static const char *manifest_account(const struct delivery *d)
{
    const struct options *o = d->month->world->options;
    return o->odd.manifest_payer && odd_applies(o, d->version) ? "999999999999" : o->payer;
}

/* Keys and their order as in real manifests. */
static json_t *legacy_manifest(const struct delivery *d)
{
    const struct world *w = d->month->world;
    const struct options *o = w->options;
    json_t *m = json_object(), *columns = json_array();
    json_object_set_new(m, "assemblyId", json_string(d->id));
    json_object_set_new(m, "account", json_string(manifest_account(d)));
    for (size_t i = 0; i < d->columns.count; i++) {
        const struct column *c = d->columns.column[i];
        const char *slash = strchr(c->name, '/'), *name = slash != NULL ? slash + 1 : c->name;
        int category = slash != NULL ? (int)(slash - c->name) : 0;
        json_array_append_new(columns, json_pack("{s:o, s:s, s:s}", "category", json_sprintf("%.*s", category, c->name),
                                                 "name", name, "type", c->type));
    }
    json_object_set_new(m, "columns", columns);
    json_object_set_new(m, "charset", json_string("UTF-8"));
    static const char *const compressions[] = {"GZIP", "ZIP", "NONE", "GZIP"};
    json_object_set_new(m, "compression", json_string(compressions[o->format]));
    json_object_set_new(m, "contentType", json_string("text/csv"));
    uint64_t h = mix2(w->seed, 0x4e0);
    json_object_set_new(m, "reportId",
                        json_sprintf("%016llx%016llx%016llx%016llx", (unsigned long long)h,
                                     (unsigned long long)mix64(h), (unsigned long long)mix64(h + 1),
                                     (unsigned long long)mix64(h + 2)));
    json_object_set_new(m, "reportName", json_string(o->report));
    int y, mon, day, end_y, end_m;
    bool other = o->odd.manifest_period && odd_applies(o, d->version);
    civil_of((other ? w->end : w->start) / 86400, &y, &mon, &day);
    civil_of((other ? w->end + 31 * 86400 : w->end) / 86400, &end_y, &end_m, &day);
    json_object_set_new(m, "billingPeriod",
                        json_pack("{s:o, s:o}", "start", json_sprintf("%04d%02d01T000000.000Z", y, mon), "end",
                                  json_sprintf("%04d%02d01T000000.000Z", end_y, end_m)));
    json_object_set_new(m, "bucket", json_string(o->bucket));
    json_object_set_new(m, "reportKeys", file_list(d, ""));
    json_object_set_new(m, "additionalArtifactKeys", json_array());
    return m;
}

static json_t *cur2_manifest(const struct delivery *d)
{
    const struct world *w = d->month->world;
    const struct options *o = w->options;
    json_t *m = json_object(), *columns = json_array();
    char export_id[37];
    uuid_of(mix2(w->seed, 0xe4b), export_id);
    json_object_set_new(m, "executionId", json_string(d->uuid));
    json_object_set_new(
        m, "exportArn",
        json_sprintf("arn:aws:bcm-data-exports:us-east-1:%s:export/%s-%s", manifest_account(d), o->report, export_id));
    for (size_t i = 0; i < d->columns.count; i++)
        json_array_append_new(
            columns, json_pack("{s:s, s:s}", "name", d->columns.column[i]->name, "type", d->columns.column[i]->type));
    json_object_set_new(m, "columns", columns);
    json_object_set_new(m, "dataFiles", file_list(d, text_format("s3://%s/", o->bucket)));
    return m;
}

void manifest_write(struct delivery *d)
{
    const struct options *o = d->month->world->options;
    json_t *m = is_cur2(o) ? cur2_manifest(d) : legacy_manifest(d);
    d->manifest_key = text_format("%s/%s-Manifest.json", d->manifest_folder, o->report);
    json_write(m, path_for(o, d->manifest_key));
    if (strcmp(d->period_folder, d->manifest_folder) !=
        0) /* legacy, new versions: a second one that points at the newest */
        json_write(m, path_for(o, text_format("%s/%s-Manifest.json", d->period_folder, o->report)));
    json_decref(m);
}
