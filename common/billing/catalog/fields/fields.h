/*
 * Reading the values of YAML documents while they are checked: mappings by their table of keys, lists, texts, ids,
 * numbers, dates. What is wrong is noted with its place and the reading goes on. Internal to catalog/.
 */
#ifndef CM_CATALOG_FIELDS_H
#define CM_CATALOG_FIELDS_H

#include "base/json/json.h"
#include "billing/catalog/keys/keys.h"
#include "billing/catalog/model/catalog.h"
#include "billing/catalog/model/names.h"
#include "billing/catalog/yaml/yaml.h"

enum {
    CM_DOCUMENT_LIMIT = 200000,
    CM_RULE_LIMIT = 50000, /* of one version */
    CM_ALL_RULES_LIMIT = 500000,
    CM_ACCOUNT_LIMIT = 1000000, /* of all customers */
    CM_MATCH_LIMIT = 1000,      /* values of one match key */
    CM_ID_LIMIT = 100,
    CM_FILE_LIMIT = 256 << 20,
};

/* When a customer's commitment policy is pass_through (half-open), and the value that says so. */
typedef struct cm_pass_through {
    const cm_yaml_node *node;
    cm_instant from, to;
} cm_pass_through;

typedef struct cm_document {
    enum cm_document_kind kind;
    const char *id; /* NULL: it has none, or a wrong one */
    const cm_yaml_node *root, *id_node;
    json_t *json;      /* what the canonical text will hold; owned */
    const char *title; /* `Customer "acme"`, for messages */
    /* Payer */
    const cm_payer_model *model;
    const char *payer_kind;
    const char *buy_book;
    /* Customer */
    cm_pass_through *pass_through; /* by time */
    size_t pass_through_count;
    /* SupportPlan, FxRate, Distributor: what must not come twice */
    const char *unique; /* FxRate: "reseller USD EUR 2025-06"; SupportPlan: its type or id; Distributor: its lane */
    cm_instant from, to;
    /* SupportPlanGroup; `from` is the month of its last version */
    const char *plan; /* name of the SupportPlan that its fee is computed with; NULL: none */
    const cm_yaml_node *plan_node, *version_node;
    /* CustomCharge, Credit; the lane also of a Distributor */
    const char *owner;             /* the customer, if it could be read */
    const cm_yaml_node *lane_node; /* NULL: the lane of the customer's accounts */
} cm_document;

typedef struct cm_reference {
    enum cm_document_kind target;
    const char *id;
    const cm_yaml_node *node;
    const char *field; /* "price_book" */
} cm_reference;

typedef struct cm_checked_link {
    const char *payer, *account;
    const char *group; /* support plan group; NULL: none */
    cm_instant from, to;
    const cm_document *customer;
    const cm_yaml_node *node; /* the account's id */
} cm_checked_link;

/* A rule that reads the layer `buy` or has tiers: refused if its book turns out to be a buy book. */
typedef struct cm_buy_reader {
    const char *book, *rule;
    const cm_yaml_node *node;
    bool tiers;
} cm_buy_reader;

typedef struct cm_checker {
    cm_arena *arena;
    cm_catalog_problems *problems;
    const char *folder;       /* of the catalog: files that documents name lie below it */
    const char *const *lanes; /* of the installation, ended by NULL; NULL: not known here, any will do */
    bool lane_unknown;        /* a lane is none of them: who has which lane is not judged */
    bool incomplete; /* a file could not be read to its end: documents may be missing, so references are not judged */
    cm_document *documents;
    size_t document_count;
    cm_document **index; /* by kind and id, without those that have none */
    size_t index_count;
    cm_reference *references;
    size_t reference_count, reference_capacity;
    cm_checked_link *links;
    size_t link_count, link_capacity;
    cm_buy_reader *buy_readers;
    size_t buy_reader_count, buy_reader_capacity;
    size_t rule_count;
} cm_checker;

/* --- problems: `node` says where --- */
void cm_wrong(cm_checker *checker, const cm_yaml_node *node, const char *format, ...) CM_PRINTF(3, 4);
void cm_warn(cm_checker *checker, const cm_yaml_node *node, const char *format, ...) CM_PRINTF(3, 4);
/* "catalog/a.yaml:12:3" in the arena */
const char *cm_place(cm_checker *checker, const cm_yaml_node *node);

/* --- mappings --- */
typedef struct cm_field {
    const char *name;
    const cm_yaml_node *value; /* NULL: not there, or null */
} cm_field;
/*
 * Finds the values of the table's keys: ret[i] belongs to table->keys[i]. Unknown keys, keys that come twice and
 * missing ones are problems. `what` is for messages: `Customer "acme"`. False only if it is no mapping (a problem too);
 * the values are then all NULL.
 */
bool cm_read_mapping(cm_checker *checker, const cm_yaml_node *node, const char *what, const cm_key_table *table,
                     cm_field *ret);
/* A list, or (if `or_one`) a single value in place of a list of one. False: a problem was noted. */
bool cm_read_list(cm_checker *checker, const cm_yaml_node *node, const char *field, bool or_one, size_t limit,
                  const cm_yaml_node *const **ret, size_t *ret_count);

/* --- values: false means that a problem was noted. `field` is for messages. Texts live in the YAML's arena. --- */
bool cm_read_text(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret);
/* Letters, digits and . _ - + @, beginning with a letter or digit: fit for files, topics and addresses. */
bool cm_read_id(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret);
bool cm_read_account(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret); /* N16 */
bool cm_read_decimal(cm_checker *checker, const cm_yaml_node *node, const char *field, const char *low,
                     const char *high, cm_decimal *ret); /* low <= value <= high */
bool cm_read_integer(cm_checker *checker, const cm_yaml_node *node, const char *field, int64_t low, int64_t high,
                     int64_t *ret);
bool cm_read_bool(cm_checker *checker, const cm_yaml_node *node, const char *field, bool *ret);
bool cm_read_instant(cm_checker *checker, const cm_yaml_node *node, const char *field, cm_instant *ret);
bool cm_read_month(cm_checker *checker, const cm_yaml_node *node, const char *field, cm_period *ret);
bool cm_read_currency(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret);
bool cm_read_country(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret);
bool cm_read_email(cm_checker *checker, const cm_yaml_node *node, const char *field, const char **ret);
/* "example.com": labels of letters, digits and hyphens, at least two. */
bool cm_is_domain(const char *text);
/* Position in a NULL-ended list. */
bool cm_read_one_of(cm_checker *checker, const cm_yaml_node *node, const char *field, const char *const *names,
                    int *ret);
/* An id, noted as a reference. */
bool cm_read_reference(cm_checker *checker, const cm_yaml_node *node, const char *field, enum cm_document_kind target,
                       const char **ret);

/* --- canonical JSON --- */
json_t *cm_json_instant(cm_instant value);
/* Sorted; a text that comes twice is a problem. Steals nothing. */
json_t *cm_json_sorted_texts(cm_checker *checker, const char **texts, const cm_yaml_node *const *nodes, size_t count,
                             const char *field);
void cm_put_month(json_t *json, const char *name, cm_period period);
/* {field: one of `names`}, by default the first; its position. */
int cm_put_one_of(cm_checker *checker, json_t *json, const char *field, const cm_yaml_node *node,
                  const char *const *names);
/* {name: value} of an optional text; nothing if it is absent or wrong */
void cm_put_text(cm_checker *checker, json_t *object, const char *name, const cm_yaml_node *node);

/* `list` with room for one more than `count`. */
CM_NODISCARD void *cm_room(void *list, size_t count, size_t *capacity, size_t size);

#endif
