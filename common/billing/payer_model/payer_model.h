/*
 * Payer models: everything that differs between distributors, and nothing else (architecture.md section 7). One folder
 * for each model, listed in registry.c. All other code uses this table and never asks which model it is.
 */
#ifndef CM_PAYER_MODEL_PAYER_MODEL_H
#define CM_PAYER_MODEL_PAYER_MODEL_H

#include "base/base/error.h"

/* A permission that the role must give, by its IAM name (one of aws/probe.h), and its purpose; checked with a harmless
 * call (O13, O26, O27). Whether the role can be assumed with the account's external id is checked first. */
typedef struct cm_payer_permission {
    const char *action, *purpose;
} cm_payer_permission;
/* What must be proven before an account may leave (N23). `each_role`: once for every name in roles_to_remove. */
typedef struct cm_payer_gate {
    const char *code, *rule, *what;
    bool each_role, needs_zero_amount;
} cm_payer_gate;
/* What a reseller owes the distributor each month, by the end of `day` of the next one. */
typedef struct cm_payer_duty {
    const char *code, *rule, *what;
    int day;
    bool has_accounts; /* the duty is the list of new and repurposed accounts (O28) */
} cm_payer_duty;
/* What a kind of payer makes available to its accounts (P09, P10). */
typedef struct cm_payer_capability {
    const char *name, *payer_kind, *rule;
} cm_payer_capability;

typedef struct cm_payer_model {
    const char *name;               /* "tdsynnex" */
    int version;                    /* part of the engine version: if rating differs, the run differs */
    const char *const *payer_kinds; /* NULL-ended: "shared", "dedicated" | "master" */
    /* The distributor handles AWS support lines: buy = sell = 0, replaced by the support plan group's lines
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
    /* Which kind of payer takes a standalone account, and which a customer with an organization of its own; with the
     * rule and why. */
    const char *standalone_kind, *standalone_why, *organization_kind, *organization_why;
    const cm_payer_capability *capabilities; /* ended by {0} */
    /* The role for access to an account: always required, or only where the payer was transferred in (P16). Its name if
     * it is prescribed (O25). */
    bool role_only_if_transferred_in;
    const char *role_name;                  /* NULL: any */
    const cm_payer_permission *permissions; /* ended by {0} */
    const cm_payer_gate *offboarding_gates; /* ended by {0} */
    const char *const *roles_to_remove;     /* NULL-ended (O32, P18) */
    const cm_payer_duty *duties;            /* ended by {0} */
    bool checks_territory;                  /* P17 */
    /* O11: subject of the mail that acknowledges a request for an account; %s: the customer's name */
    const char *request_subject;
} cm_payer_model;

extern const cm_payer_model *const cm_payer_models[];        /* NULL-ended */
const cm_payer_model *cm_payer_model_find(const char *name); /* NULL if unknown */
/* "tdsynnex 1, ingram 1": for the engine version */
const char *cm_payer_models_version(void);
bool cm_payer_model_has_kind(const cm_payer_model *model, const char *payer_kind);

#endif
