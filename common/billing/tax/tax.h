/*
 * Does AWS tax the accounts of a payer as the distributor requires (T01-T05)? A pure function: what was seen in AWS,
 * the distributor's tax profile and the payer's model -> a verdict for the payer and for each of its accounts; and how
 * many VAT invoices AWS will write.
 */
#ifndef CM_TAX_TAX_H
#define CM_TAX_TAX_H

#include "base/base/arena.h"
#include "billing/catalog/model/catalog.h"

/*
 * In order of precedence: the first that applies is the verdict. The payer's problems come before those of a payee,
 * since its payees inherit them and fixing them may be enough.
 */
enum cm_tax_verdict {
    CM_TAX_NOT_APPLICABLE, /* the model has no rule of inheritance, or another organization's payer controls tax */
    CM_TAX_NOT_READABLE, /* the role is missing or lacks a permission, or the catalog lacks the data to compare with */
    CM_TAX_STALE,        /* the last good answer is older than allowed */
    CM_TAX_PAYER_TRN_MISSING,      /* T01: the payer has no verified tax registration number */
    CM_TAX_PAYER_TRN_WRONG,        /* T01: it is not the distributor's */
    CM_TAX_PAYER_ADDRESS_MISMATCH, /* T03 */
    CM_TAX_PAYEE_TRN_OVERRIDE,     /* inheritance is on, but the payee has a registration of its own */
    CM_TAX_PAYEE_TRN_MISSING,      /* T02: it neither inherits nor has the payer's number itself */
    CM_TAX_PAYEE_ADDRESS_MISMATCH, /* T02: it has the number itself, with another address */
    CM_TAX_INHERITANCE_OFF,        /* T04; everything else is right */
    CM_TAX_OK,
};
enum { CM_TAX_VERDICTS = CM_TAX_OK + 1 };
const char *cm_tax_verdict_name(enum cm_tax_verdict verdict); /* "PAYER_TRN_MISSING" */
bool cm_tax_verdict_parse(const char *name, enum cm_tax_verdict *ret);
/* Charges of such an account would be, or may be, taxed wrongly: its statements are blocked (T05). */
bool cm_tax_verdict_holds(enum cm_tax_verdict verdict);

/* What ListTaxRegistrations says about one account; "" for what it does not say. */
typedef struct cm_tax_seen_account {
    const char *id, *name;
    const char *registration_id, *registration_type; /* "": no registration */
    const char *status;                              /* Verified, Pending, Deleted, Rejected */
    const char *legal_name;
    const char *inherits_from; /* taxInheritanceDetails.parentEntityId; "": none */
    bool inherits;             /* there are taxInheritanceDetails */
    bool has_address;
    cm_postal_address address; /* the one that AWS uses, or the registration's legal address */
} cm_tax_seen_account;

typedef struct cm_tax_seen {
    const char *inheritance; /* "OptIn", "OptOut", "": AWS does not say (it was never switched on) */
    const char *transfer_to; /* the payer of another organization that the bills were transferred to; "": none */
    const cm_tax_seen_account *accounts; /* the payer's own among them, in any order */
    size_t count;
} cm_tax_seen;

typedef struct cm_tax_case {
    const cm_payer *payer;
    const cm_distributor *distributor; /* NULL: the catalog has none for the lane */
    const cm_tax_seen *seen;           /* what was just read; NULL: nothing */
    const char *unreadable;            /* why nothing can be read, permanently; NULL: no such reason */
    cm_instant now, fresh_until;       /* fresh_until: of the last good answer; INT64_MIN: there has been none */
} cm_tax_case;

typedef struct cm_tax_finding {
    const char *account;
    enum cm_tax_verdict verdict;
    const char *detail; /* why, and how to fix it; in the arena. Contains tax numbers: not for logs */
} cm_tax_finding;

typedef struct cm_tax_findings {
    /* `payer` applies to every account of the payer, and `accounts` is empty */
    bool whole;
    /* There is no new verdict: the earlier one stays. Then `payer` is not set. */
    bool unchanged;
    cm_tax_finding payer;
    const cm_tax_finding *accounts; /* by account id, without the payer's own */
    size_t count;
} cm_tax_findings;

/*
 * A registration counts if it is Verified; a payee's own one overrides from Pending on, and a Deleted or Rejected one
 * does not count. Numbers and addresses are compared after normalising (cm_tax_normal). Address lines are compared as
 * one text, so that it does not matter where a line is broken; district and state only if the profile names them.
 */
cm_tax_findings cm_tax_decide(const cm_tax_case *given, cm_arena *arena);

/*
 * The payer is checked if the model has the rule, the lane's distributor has tax profiles, and the payer gives its
 * country or how to access it. A payer that is only partly configured is checked, and its verdict is NOT_READABLE.
 */
bool cm_tax_is_checked(const cm_payer *payer, const cm_distributor *distributor);

/* Accounts that share a registration share an AWS VAT invoice; each of the others gets one of its own. */
size_t cm_tax_invoices(const char *payer, const cm_tax_seen *seen);

/*
 * Letters, marks and digits of `text` in compatibility case folding (Unicode NFKC_Casefold of libunistring); everything
 * else (spaces, punctuation, symbols) is left out: "Gate 5, Jebel-Ali" and "GATE 5 Jebel Ali" are the same. Text that
 * is not UTF-8 stays unchanged.
 */
char *cm_tax_normal(cm_arena *arena, const char *text);

#endif
