/*
 * Checking a catalog: first each document by itself (check_<kind>.c: YAML -> canonical JSON, noting what it refers to),
 * then what can only be seen over all of them (check_whole.c, check_links.c). Nothing stops at the first problem.
 * Internal to catalog/.
 */
#ifndef CM_CATALOG_CHECK_H
#define CM_CATALOG_CHECK_H

#include "billing/catalog/fields/fields.h"

/* One document each; sets document->json. */
void cm_check_payer(cm_checker *checker, cm_document *document);
void cm_check_reseller(cm_checker *checker, cm_document *document);
void cm_check_customer(cm_checker *checker, cm_document *document);
void cm_check_price_book(cm_checker *checker, cm_document *document);
void cm_check_support_plan_group(cm_checker *checker, cm_document *document);
void cm_check_support_plan(cm_checker *checker, cm_document *document);
void cm_check_fx_rate(cm_checker *checker, cm_document *document);
void cm_check_invoice_format(cm_checker *checker, cm_document *document);
void cm_check_line_item_type(cm_checker *checker, cm_document *document);
void cm_check_support_product(cm_checker *checker, cm_document *document);
void cm_check_custom_charge(cm_checker *checker, cm_document *document);
void cm_check_credit(cm_checker *checker, cm_document *document);
void cm_check_distributor(cm_checker *checker, cm_document *document);
/* A customer's terms: `first` are the CM_TERMS_KEYS of its document, `later` its list of terms (NULL: none). */
void cm_check_terms(cm_checker *checker, cm_document *document, const cm_field *first, const cm_yaml_node *later);
/* {layer, classes} of a base of money; without one: what N02 calls total usage, as the customer is charged for it
 * (S10). */
json_t *cm_check_base(cm_checker *checker, const cm_yaml_node *node, const char *title);

/* All documents. */
void cm_check_whole(cm_checker *checker);
void cm_check_links(cm_checker *checker);
/* Months for which a group's plan gives no price (rating.md section 6). */
void cm_check_support_months(cm_checker *checker);
void cm_check_money_lanes(cm_checker *checker);
void cm_check_distributors(cm_checker *checker);
/* A lane; false (and a problem): none, or none of this installation. */
bool cm_read_lane(cm_checker *checker, const cm_yaml_node *node, const char **ret);
bool cm_some_payer_has_lane(const cm_checker *checker, const char *lane);
/* NULL if there is none. */
cm_document *cm_checker_find(const cm_checker *checker, enum cm_document_kind kind, const char *id);

/* --- parties (check_profile.c) --- */
/* `fields`: those of a profile, in the order of CM_PROFILE_*; all are optional. */
void cm_put_profile(cm_checker *checker, json_t *json, const cm_field *fields);
/* A PNG below the catalog's folder, kept as a data URI (RFC 2397). */
void cm_put_logo(cm_checker *checker, json_t *json, const cm_yaml_node *node);
/* `document_number` and `series` of a Reseller. */
void cm_put_numbers(cm_checker *checker, cm_document *document, const cm_yaml_node *number, const cm_yaml_node *series);
void cm_put_statement_url(cm_checker *checker, json_t *json, const cm_yaml_node *node); /* I04 */
void cm_put_tags(cm_checker *checker, json_t *json, const cm_yaml_node *node, const char *title);

#endif
