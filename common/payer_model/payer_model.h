/*
 * Payer models: everything that differs between distributors, and nothing else (architecture.md section 7).
 * One folder a model, listed in registry.c. All other code is written against this table and never asks which model it
 * has. May use: base.
 */
#ifndef CM_PAYER_MODEL_PAYER_MODEL_H
#define CM_PAYER_MODEL_PAYER_MODEL_H

#include "base/error.h"

typedef struct cm_payer_model {
    const char *name;               /* "tdsynnex" */
    int version;                    /* part of the engine version: rating differs, so does the run */
    const char *const *payer_kinds; /* NULL-ended: "shared", "dedicated" | "master" */
    /* AWS support lines are the distributor's matter: buy = sell = 0, replaced by the support plan group's lines
     * (N02-N04). */
    bool suppresses_support_lines;
    /* Provider discounts reach the reseller with the line (ingram), or later from the distributor (tdsynnex: buy = 0,
     * N12). */
    bool provider_discount_is_resellers;
    /* N12: how many months after the one that earned them the distributor credits provider discounts; 0: none are
     * credited later. */
    int provider_discount_arrears;
    /* RI / Savings Plan benefit may be passed through to a customer (O06, R06). */
    bool allows_pass_through;
    const char *pass_through_refusal; /* why not, for the error text */
    /* Who owns the root mail domain of the payer, and of members (P02, P03; P14): "distributor", "customer",
     * "reseller", "payee". */
    const char *payer_root_owner, *member_root_owner;
    /* Payees inherit the payer's tax settings (T01-T04); false: the distributor's own tax section decides (T07). */
    bool payees_inherit_tax;
} cm_payer_model;

extern const cm_payer_model *const cm_payer_models[];        /* NULL-ended */
const cm_payer_model *cm_payer_model_find(const char *name); /* NULL if unknown */
/* "tdsynnex 1, ingram 1": for the engine version */
const char *cm_payer_models_version(void);
bool cm_payer_model_has_kind(const cm_payer_model *model, const char *payer_kind);

#endif
