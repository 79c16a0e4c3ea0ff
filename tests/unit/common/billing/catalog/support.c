#include "support.h"
#include "billing/catalog/check/read.h"
#include "billing/catalog/parse/canonical.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char base_documents[] =
    "kind: Reseller\nid: northwind\n---\n"
    "{kind: Payer, id: '111122223333', lane: tdsynnex, model: tdsynnex, payer_kind: shared, reseller: northwind}\n---\n"
    "{kind: Payer, id: '222233334444', lane: ingram, model: ingram, payer_kind: master, reseller: northwind}\n---\n"
    "{kind: Payer, id: '333344445555', lane: tdsynnex, model: tdsynnex, payer_kind: dedicated, reseller: "
    "northwind}\n---\n"
    "kind: PriceBook\nid: standard\ncurrency: USD\n"
    "versions: [{effective_from: 2025-01-01, rules: [{id: all, priority: 1, price: {pass: payer}}]}]\n---\n"
    "{kind: SupportPlanGroup, id: tds, type: business}\n";

char *folder_new(void)
{
    char template[] = "/tmp/curmill-test-catalog-XXXXXX";
    cr_assert_not_null(mkdtemp(template));
    return cm_strdup(template);
}

void folder_write(const char *folder, const char *name, const char *text)
{
    cm_buffer path = {0};
    cm_buffer_printf(&path, "%s/%s", folder, name);
    char *slash = strrchr(path.data, '/');
    *slash = 0;
    mkdir(path.data, 0700);
    *slash = '/';
    FILE *file = fopen(path.data, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
    cm_buffer_free(&path);
}

static void remove_below(const char *path)
{
    DIR *directory = opendir(path);
    if (directory) {
        const struct dirent *entry;
        while ((entry = readdir(directory))) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            cm_buffer child = {0};
            cm_buffer_printf(&child, "%s/%s", path, entry->d_name);
            remove_below(child.data);
            cm_buffer_free(&child);
        }
        closedir(directory);
    }
    remove(path);
}

void folder_remove(char *folder)
{
    remove_below(folder);
    free(folder);
}

static char *listing(const cm_catalog_problems *problems, size_t cut)
{
    cm_buffer out = {0};
    for (size_t i = 0; i < problems->count; i++)
        cm_buffer_printf(&out, "%s:%d:%d: %s: %s\n", problems->list[i].file + cut, problems->list[i].line,
                         problems->list[i].column, problems->list[i].warning ? "warning" : "error",
                         problems->list[i].text);
    cm_buffer_text(&out, "");
    return out.data ? cm_buffer_take(&out) : cm_strdup("");
}

static char *problems_in(const char *text, bool with_base, json_t **ret_canonical)
{
    char *folder = folder_new();
    cm_catalog_problems problems = {0};
    cm_error err = {0};
    if (with_base)
        folder_write(folder, "base.yaml", base_documents);
    folder_write(folder, "t.yaml", text);
    json_t *canonical = cm_catalog_read(folder, &problems, &err);
    cr_assert(err.class == CM_ERROR_NONE, "%s", err.text);
    cr_assert_eq(canonical == NULL, problems.errors > 0);
    char *result = listing(&problems, strlen(folder) + 1);
    cm_catalog_problems_free(&problems);
    folder_remove(folder);
    if (ret_canonical)
        *ret_canonical = canonical;
    else
        json_decref(canonical);
    return result;
}

char *problems_of(const char *text)
{
    return problems_in(text, true, NULL);
}

char *problems_of_alone(const char *text)
{
    return problems_in(text, false, NULL);
}

void expect_one(const char *text, const char *place, const char *words)
{
    char *found = problems_of(text);
    const char *end = strchr(found, '\n');
    cr_assert(end && end[1] == 0, "exactly one problem was expected, not:\n%sfor:\n%s", found, text);
    cr_assert(strncmp(found, place, strlen(place)) == 0 && found[strlen(place)] == ':', "expected at %s, not %s", place,
              found);
    cr_assert(strstr(found, words), "expected \"%s\" in: %s", words, found);
    free(found);
}

json_t *canonical_of_text(const char *text)
{
    json_t *canonical;
    char *found = problems_in(text, true, &canonical);
    cr_assert(canonical, "%s", found);
    free(found);
    return canonical;
}

cm_catalog *catalog_of_text(const char *text)
{
    json_t *canonical = canonical_of_text(text);
    char *plain = cm_catalog_text(canonical);
    cm_error err = {0};
    cm_catalog *catalog = cm_catalog_parse(plain, &err);
    cr_assert(catalog, "%s", err.text);
    free(plain);
    json_decref(canonical);
    return catalog;
}
