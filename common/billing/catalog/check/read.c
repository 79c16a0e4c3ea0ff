#include "billing/catalog/check/read.h"
#include "billing/catalog/check/check.h"
#include "billing/catalog/parse/canonical.h"
#include "billing/catalog/yaml/files.h"
#include "billing/catalog/yaml/problems.h"

#include <stdlib.h>

static const struct kind {
    const char *id_key;
    void (*check)(cm_checker *checker, cm_document *document);
} kinds[CM_DOCUMENT_KINDS] = {
    [CM_DOCUMENT_CREDIT] = {"id", cm_check_credit},
    [CM_DOCUMENT_CUSTOM_CHARGE] = {"id", cm_check_custom_charge},
    [CM_DOCUMENT_CUSTOMER] = {"id", cm_check_customer},
    [CM_DOCUMENT_DISTRIBUTOR] = {"id", cm_check_distributor},
    [CM_DOCUMENT_FX_RATE] = {"id", cm_check_fx_rate},
    [CM_DOCUMENT_INVOICE_FORMAT] = {"id", cm_check_invoice_format},
    [CM_DOCUMENT_LINE_ITEM_TYPE] = {"name", cm_check_line_item_type},
    [CM_DOCUMENT_PAYER] = {"id", cm_check_payer},
    [CM_DOCUMENT_PRICE_BOOK] = {"id", cm_check_price_book},
    [CM_DOCUMENT_RESELLER] = {"id", cm_check_reseller},
    [CM_DOCUMENT_SUPPORT_PLAN] = {"id", cm_check_support_plan},
    [CM_DOCUMENT_SUPPORT_PLAN_GROUP] = {"id", cm_check_support_plan_group},
    [CM_DOCUMENT_SUPPORT_PRODUCT] = {"id", cm_check_support_product},
};

/* The value of a key of a mapping, or NULL. */
static const cm_yaml_node *value_of(const cm_yaml_node *mapping, const char *key)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (mapping->items[2 * i]->kind == CM_YAML_SCALAR && cm_slice_is(mapping->items[2 * i]->text, key))
            return cm_yaml_is_null(mapping->items[2 * i + 1]) ? NULL : mapping->items[2 * i + 1];
    return NULL;
}

/* Kind and id, so that other documents find it whatever else is wrong with it. */
static void take_document(cm_checker *checker, const cm_yaml_node *root)
{
    int kind;
    if (root->kind != CM_YAML_MAPPING) {
        cm_wrong(checker, root, "a document must be a mapping with kind and id, not %s", cm_yaml_kind_name(root));
        return;
    }
    const cm_yaml_node *kind_node = value_of(root, "kind");
    if (!kind_node) {
        cm_wrong(checker, root,
                 "a document needs a \"kind\": Payer, Reseller, Customer, PriceBook, SupportPlanGroup, FxRate, "
                 "LineItemType, SupportProduct, SupportPlan, CustomCharge, Credit, Distributor or InvoiceFormat");
        return;
    }
    if (!cm_read_one_of(checker, kind_node, "kind", cm_document_kind_names, &kind)) {
        checker->incomplete = true; /* others may refer to it */
        return;
    }
    cm_document *document = &checker->documents[checker->document_count++];
    *document = (cm_document){.kind = (enum cm_document_kind)kind, .root = root};
    document->id_node = value_of(root, kinds[kind].id_key);
    if (!document->id_node)
        document->id_node = value_of(root, "id");
    if (document->id_node && document->id_node->kind == CM_YAML_SCALAR && document->id_node->text.length &&
        document->id_node->text.length <= CM_TEXT_LIMIT)
        document->id = document->id_node->text.text;
    document->title = document->id
                          ? cm_arena_printf(checker->arena, "%s \"%s\"", cm_document_kind_names[kind], document->id)
                          : cm_document_kind_names[kind];
}

static json_t *canonical_of(const cm_checker *checker)
{
    json_t *all = json_object();
    for (size_t i = 0; i < checker->index_count; i++) {
        const cm_document *document = checker->index[i];
        json_t *kind = json_object_get(all, cm_document_kind_names[document->kind]);
        if (!kind)
            json_object_set_new(all, cm_document_kind_names[document->kind], kind = json_object());
        json_object_set(kind, document->id, document->json);
    }
    return all;
}

static bool read_files(cm_checker *checker, const char *folder, cm_yaml_documents *documents, cm_error *err)
{
    cm_files files = {0};
    bool done = cm_files_find(checker->arena, folder, &files, err);
    if (done && files.count == 0)
        done = cm_fail(err, CM_ERROR_INVALID, "CATALOG_EMPTY", "%s: no *.yaml or *.yml file below this folder", folder);
    for (size_t i = 0; done && i < files.count; i++) {
        cm_slice content;
        done = cm_file_read(files.paths[i], CM_FILE_LIMIT, &content, err);
        if (!done)
            break;
        if (!cm_yaml_read(checker->arena, files.paths[i], content, documents, checker->problems))
            checker->incomplete = true;
        free((char *)content.text);
    }
    if (done && documents->count > CM_DOCUMENT_LIMIT)
        done = cm_fail(err, CM_ERROR_INVALID, "CATALOG_TOO_LARGE", "%s: %zu documents; at most %d are taken", folder,
                       documents->count, CM_DOCUMENT_LIMIT);
    free(files.paths);
    return done;
}

static void check_documents(cm_checker *checker, const cm_yaml_documents *documents)
{
    checker->documents = cm_alloc((documents->count + 1) * sizeof *checker->documents);
    for (size_t i = 0; i < documents->count; i++)
        take_document(checker, documents->list[i]);
    for (size_t i = 0; i < checker->document_count; i++)
        kinds[checker->documents[i].kind].check(checker, &checker->documents[i]);
    cm_check_whole(checker);
}

static void free_checker(cm_checker *checker)
{
    for (size_t i = 0; i < checker->document_count; i++)
        json_decref(checker->documents[i].json);
    free(checker->documents);
    free(checker->references);
    free(checker->links);
    free(checker->buy_readers);
    cm_arena_free(checker->arena);
}

/* What was checked can be loaded: a difference between check_*.c and parse_*.c must not reach the database. */
static bool loads(const json_t *canonical, cm_error *err)
{
    char *text = cm_catalog_text(canonical);
    cm_catalog *catalog = cm_catalog_parse(text, err);
    if (!catalog && err)
        err->class = CM_ERROR_BUG;
    cm_catalog_free(catalog);
    free(text);
    return catalog != NULL;
}

json_t *cm_catalog_read(const char *folder, cm_catalog_problems *problems, cm_error *err)
{
    return cm_catalog_read_for(folder, NULL, problems, err);
}

json_t *cm_catalog_read_for(const char *folder, const char *const *lanes, cm_catalog_problems *problems, cm_error *err)
{
    cm_checker checker = {.arena = cm_arena_new(1 << 16), .problems = problems, .folder = folder, .lanes = lanes};
    cm_yaml_documents documents = {0};
    json_t *canonical = NULL;
    bool done = read_files(&checker, folder, &documents, err);
    if (done)
        check_documents(&checker, &documents);
    cm_problems_sort(problems);
    if (done && problems->errors == 0 && documents.count == 0)
        done = cm_fail(err, CM_ERROR_INVALID, "CATALOG_EMPTY", "%s: its files hold no document", folder);
    if (done && problems->errors == 0)
        canonical = canonical_of(&checker);
    if (canonical && !loads(canonical, err)) {
        json_decref(canonical);
        canonical = NULL;
    }
    free(documents.list);
    free_checker(&checker);
    return canonical;
}
