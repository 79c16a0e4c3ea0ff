/* The words that catalogs use for the values of enumerations, and the kinds of documents. Internal to catalog/. */
#ifndef CM_CATALOG_NAMES_H
#define CM_CATALOG_NAMES_H

#include "billing/catalog/model/catalog.h"

/* In the order of their names: so they stand in the canonical text. */
enum cm_document_kind {
    CM_DOCUMENT_CREDIT,
    CM_DOCUMENT_CUSTOM_CHARGE,
    CM_DOCUMENT_CUSTOMER,
    CM_DOCUMENT_DISTRIBUTOR,
    CM_DOCUMENT_FX_RATE,
    CM_DOCUMENT_INVOICE_FORMAT,
    CM_DOCUMENT_LINE_ITEM_TYPE,
    CM_DOCUMENT_PAYER,
    CM_DOCUMENT_PRICE_BOOK,
    CM_DOCUMENT_RESELLER,
    CM_DOCUMENT_SUPPORT_PLAN,
    CM_DOCUMENT_SUPPORT_PLAN_GROUP,
    CM_DOCUMENT_SUPPORT_PRODUCT,
    CM_DOCUMENT_KINDS
};
extern const char *const cm_document_kind_names[CM_DOCUMENT_KINDS + 1]; /* NULL-ended */

enum { CM_TEXT_LIMIT = 500 }; /* bytes of a text of a catalog, but for logos */

/* Names of enumerations, in their order, NULL-ended. */
extern const char *const cm_layer_names[];
extern const char *const cm_match_key_names[CM_MATCH_KEYS + 1];
extern const char *const cm_credit_mode_names[];
extern const char *const cm_refund_policy_names[];
extern const char *const cm_commitment_policy_names[];
extern const char *const cm_consolidation_names[];
extern const char *const cm_fx_set_names[];
extern const char *const cm_tier_mode_names[];
extern const char *const cm_tier_over_names[];
extern const char *const cm_invoice_level_names[];
extern const char *const cm_invoice_column_names[CM_INVOICE_COLUMNS + 1];

#endif
