/* CustomCharge and Credit: what a customer owes, or has, besides its usage (rating.md section 5). */
#include "billing/catalog/check/check.h"

static void check_owner(cm_checker *checker, cm_document *document, const cm_yaml_node *name,
                        const cm_yaml_node *customer, const cm_yaml_node *lane)
{
    const char *text;
    if (name)
        cm_put_text(checker, document->json, "name", name);
    else if (document->id)
        json_object_set_new(document->json, "name", json_string(document->id));
    if (customer && cm_read_reference(checker, customer, "customer", CM_DOCUMENT_CUSTOMER, &text)) {
        document->owner = text;
        json_object_set_new(document->json, "customer", json_string(text));
    }
    if (lane && cm_read_id(checker, lane, "lane", &text)) {
        document->lane_node = lane;
        (void)cm_read_lane(checker, lane, &text);
        json_object_set_new(document->json, "lane", json_string(text));
    }
}

/* Months from `from` until before `to`. */
static void check_months(cm_checker *checker, json_t *json, const cm_yaml_node *from, const cm_yaml_node *to,
                         const char *to_name)
{
    cm_period first, end;
    bool has_from = from && cm_read_month(checker, from, "from", &first);
    if (has_from)
        cm_put_month(json, "from", first);
    if (!to || !cm_read_month(checker, to, to_name, &end))
        return;
    cm_put_month(json, to_name, end);
    if (has_from && cm_period_start(end) <= cm_period_start(first))
        cm_wrong(checker, to, "%s is the first month in which it no longer holds: it must be after from", to_name);
}

/* ---- CustomCharge ---- */

static void check_dates(cm_checker *checker, const cm_field *fields, const cm_document *document)
{
    cm_period once;
    if (!fields[CM_KEY_CHARGE_PERIOD].value == !fields[CM_KEY_CHARGE_FROM].value)
        cm_wrong(checker, document->root,
                 "%s needs either period (one-off: its month) or from (monthly, until before to)", document->title);
    if (fields[CM_KEY_CHARGE_PERIOD].value && fields[CM_KEY_CHARGE_TO].value)
        cm_wrong(checker, fields[CM_KEY_CHARGE_TO].value, "to belongs to from; a one-off charge has only its period");
    if (fields[CM_KEY_CHARGE_FROM].value) {
        check_months(checker, document->json, fields[CM_KEY_CHARGE_FROM].value, fields[CM_KEY_CHARGE_TO].value, "to");
    } else if (fields[CM_KEY_CHARGE_PERIOD].value &&
               cm_read_month(checker, fields[CM_KEY_CHARGE_PERIOD].value, "period", &once)) {
        cm_put_month(document->json, "from", once);
        cm_put_month(document->json, "to", cm_period_next(once));
    }
}

static void check_size(cm_checker *checker, const cm_field *fields, const cm_document *document)
{
    cm_decimal number;
    const char *currency;
    bool fixed = fields[CM_KEY_CHARGE_AMOUNT].value, percent = fields[CM_KEY_CHARGE_PERCENT].value;
    if (fixed == percent)
        cm_wrong(checker, document->root, "%s needs either amount and currency, or percent (of its base)",
                 document->title);
    if (fixed && !fields[CM_KEY_CHARGE_CURRENCY].value)
        cm_wrong(checker, fields[CM_KEY_CHARGE_AMOUNT].value,
                 "amount in which currency? add currency: the one of the customer's charges");
    if (!fixed && fields[CM_KEY_CHARGE_CURRENCY].value)
        cm_wrong(checker, fields[CM_KEY_CHARGE_CURRENCY].value,
                 "currency belongs to amount; a percent is in the currency of its base");
    if (!percent && fields[CM_KEY_CHARGE_BASE].value)
        cm_wrong(checker, fields[CM_KEY_CHARGE_BASE].value, "base belongs to percent");
    if (fixed && cm_read_decimal(checker, fields[CM_KEY_CHARGE_AMOUNT].value, "amount", "-1000000000000",
                                 "1000000000000", &number))
        json_object_set_new(document->json, "amount", cm_json_decimal(number));
    if (fixed && fields[CM_KEY_CHARGE_CURRENCY].value &&
        cm_read_currency(checker, fields[CM_KEY_CHARGE_CURRENCY].value, "currency", &currency))
        json_object_set_new(document->json, "currency", json_string(currency));
    if (percent && cm_read_decimal(checker, fields[CM_KEY_CHARGE_PERCENT].value, "percent", "-100", "1000", &number)) {
        json_object_set_new(document->json, "percent", cm_json_decimal(number));
        json_object_set_new(document->json, "base",
                            cm_check_base(checker, fields[CM_KEY_CHARGE_BASE].value, document->title));
    }
}

void cm_check_custom_charge(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_CHARGE_COUNT];
    const char *text;
    document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_charge_keys, fields))
        return;
    if (fields[CM_KEY_CHARGE_ID].value)
        cm_read_id(checker, fields[CM_KEY_CHARGE_ID].value, "id", &text);
    check_owner(checker, document, fields[CM_KEY_CHARGE_NAME].value, fields[CM_KEY_CHARGE_CUSTOMER].value,
                fields[CM_KEY_CHARGE_LANE].value);
    if (fields[CM_KEY_CHARGE_LABEL].value)
        cm_put_text(checker, document->json, "label", fields[CM_KEY_CHARGE_LABEL].value);
    check_dates(checker, fields, document);
    check_size(checker, fields, document);
}

/* ---- Credit ---- */

void cm_check_credit(cm_checker *checker, cm_document *document)
{
    cm_field fields[CM_KEY_CREDIT_COUNT];
    const char *text;
    cm_decimal amount;
    document->json = json_object();
    if (!cm_read_mapping(checker, document->root, document->title, &cm_credit_keys, fields))
        return;
    if (fields[CM_KEY_CREDIT_ID].value)
        cm_read_id(checker, fields[CM_KEY_CREDIT_ID].value, "id", &text);
    check_owner(checker, document, fields[CM_KEY_CREDIT_NAME].value, fields[CM_KEY_CREDIT_CUSTOMER].value,
                fields[CM_KEY_CREDIT_LANE].value);
    if (fields[CM_KEY_CREDIT_AMOUNT].value &&
        cm_read_decimal(checker, fields[CM_KEY_CREDIT_AMOUNT].value, "amount", "0", "1000000000000", &amount)) {
        if (cm_decimal_is_zero(amount))
            cm_wrong(checker, fields[CM_KEY_CREDIT_AMOUNT].value, "amount must be greater than 0");
        json_object_set_new(document->json, "amount", cm_json_decimal(amount));
    }
    if (fields[CM_KEY_CREDIT_CURRENCY].value &&
        cm_read_currency(checker, fields[CM_KEY_CREDIT_CURRENCY].value, "currency", &text))
        json_object_set_new(document->json, "currency", json_string(text));
    check_months(checker, document->json, fields[CM_KEY_CREDIT_FROM].value, fields[CM_KEY_CREDIT_EXPIRES].value,
                 "expires");
}

/* ---- over all documents: whose statement, if the customer has several ---- */

static const char *lane_of_payer(const cm_checker *checker, const char *payer)
{
    const cm_document *found = payer ? cm_checker_find(checker, CM_DOCUMENT_PAYER, payer) : NULL;
    return found ? json_string_value(json_object_get(found->json, "lane")) : NULL;
}

/* The lane of all accounts of a customer; NULL if there is none or (*ret_several) more than one. */
static const char *lane_of_customer(const cm_checker *checker, const cm_document *customer, bool *ret_several)
{
    const char *only = NULL;
    size_t i;
    const json_t *account;
    *ret_several = false;
    json_array_foreach (json_object_get(customer->json, "accounts"), i, account) {
        const char *lane = lane_of_payer(checker, json_string_value(json_object_get(account, "payer")));
        if (lane && only && strcmp(lane, only) != 0)
            *ret_several = true;
        if (lane)
            only = lane;
    }
    return *ret_several ? NULL : only;
}

static void put_lane(cm_checker *checker, const cm_document *document, const cm_document *customer)
{
    bool several;
    const char *lane = lane_of_customer(checker, customer, &several);
    if (lane)
        json_object_set_new(document->json, "lane", json_string(lane));
    else
        cm_wrong(checker, document->root, "%s needs a lane: %s has %s", document->title, customer->title,
                 several ? "accounts in several lanes, and a statement for each" : "no account yet that would tell");
}

/* ---- a credit pays charges in its own currency only ---- */

static const char *text_of(const cm_document *document, const char *key)
{
    return document ? json_string_value(json_object_get(document->json, key)) : NULL;
}

static const char *book_currency(const cm_checker *checker, const char *book)
{
    return book ? text_of(cm_checker_find(checker, CM_DOCUMENT_PRICE_BOOK, book), "currency") : NULL;
}

/* Lines in the currency get past the buy book of some payer that the customer has accounts under in the lane (rating.md
 * section 4, CURRENCY). */
static bool some_payer_bills_in(const cm_checker *checker, const cm_document *customer, const char *lane,
                                const char *currency)
{
    size_t i;
    const json_t *account;
    json_array_foreach (json_object_get(customer->json, "accounts"), i, account) {
        const char *id = json_string_value(json_object_get(account, "payer"));
        const cm_document *payer = id ? cm_checker_find(checker, CM_DOCUMENT_PAYER, id) : NULL;
        const char *own = text_of(payer, "lane"), *buys_in = book_currency(checker, text_of(payer, "buy_book"));
        if (!own || (lane && strcmp(own, lane) == 0 && (!buys_in || strcmp(buys_in, currency) == 0)))
            return true;
    }
    return json_array_size(json_object_get(customer->json, "accounts")) == 0;
}

/* A fixed charge of the customer in that currency, which it could pay. */
static bool some_charge_is_in(const cm_checker *checker, const cm_document *customer, const char *currency)
{
    for (size_t i = 0; i < checker->document_count; i++) {
        const cm_document *charge = &checker->documents[i];
        const char *own = charge->kind == CM_DOCUMENT_CUSTOM_CHARGE ? text_of(charge, "currency") : NULL;
        if (own && charge->owner && strcmp(charge->owner, customer->id) == 0 && strcmp(own, currency) == 0)
            return true;
    }
    return false;
}

/* Some terms of the customer have a price book in that currency, or one that cannot be read. */
static bool some_terms_sell_in(const cm_checker *checker, const cm_document *customer, const char *currency)
{
    size_t i;
    const json_t *terms;
    json_array_foreach (json_object_get(customer->json, "terms"), i, terms) {
        const char *book = json_string_value(json_object_get(terms, "price_book")),
                   *sells_in = book_currency(checker, book);
        if (book && (!sells_in || strcmp(sells_in, currency) == 0))
            return true;
    }
    return false;
}

static void warn_of_useless_credit(cm_checker *checker, const cm_document *credit, const cm_document *customer)
{
    const char *currency = text_of(credit, "currency"), *book = text_of(customer, "price_book"),
               *sells_in = book_currency(checker, book);
    if (!currency || !sells_in || customer->pass_through_count || some_charge_is_in(checker, customer, currency))
        return;
    if (strcmp(sells_in, currency) != 0 && some_terms_sell_in(checker, customer, currency))
        return;
    if (strcmp(sells_in, currency) != 0)
        cm_warn(checker, credit->id_node,
                "%s is in %s, but the charges of %s are in %s (its price book \"%s\"): it will never pay anything; a "
                "credit is in the currency of "
                "the charges, not of the invoice",
                credit->title, currency, customer->title, sells_in, book);
    else if (!some_payer_bills_in(checker, customer, text_of(credit, "lane"), currency))
        cm_warn(checker, credit->id_node,
                "%s is in %s, but no payer of %s in its lane bills in that currency (their buy books): it will never "
                "pay anything",
                credit->title, currency, customer->title);
}

void cm_check_money_lanes(cm_checker *checker)
{
    for (size_t i = 0; !checker->incomplete && i < checker->document_count; i++) {
        cm_document *document = &checker->documents[i];
        const char *given = json_string_value(json_object_get(document->json, "lane"));
        if (document->kind != CM_DOCUMENT_CUSTOM_CHARGE && document->kind != CM_DOCUMENT_CREDIT)
            continue;
        if (given && !cm_some_payer_has_lane(checker, given))
            cm_wrong(checker, document->lane_node, "lane: no payer of this catalog has the lane \"%s\"", given);
        const cm_document *customer =
            document->owner ? cm_checker_find(checker, CM_DOCUMENT_CUSTOMER, document->owner) : NULL;
        if (!customer)
            continue;
        if (!given && !document->lane_node)
            put_lane(checker, document, customer);
        if (document->kind == CM_DOCUMENT_CREDIT)
            warn_of_useless_credit(checker, document, customer);
    }
}
