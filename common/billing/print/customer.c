/* A line as its customer reads it: no id of a group, rule or charge, and no class name. */
#include "billing/print/internal.h"

#include <string.h>

const char *const cm_part_titles[CM_PARTS] = {[CM_PART_USAGE] = "Usage and fees",
                                              [CM_PART_SUPPORT] = "Support",
                                              [CM_PART_CHARGES] = "Custom charges",
                                              [CM_PART_CREDITS] = "Credits"};

enum cm_part cm_part_of_class(const char *class)
{
    return strcmp(class, "support") == 0           ? CM_PART_SUPPORT
           : strcmp(class, "custom_charge") == 0   ? CM_PART_CHARGES
           : strcmp(class, "reseller_credit") == 0 ? CM_PART_CREDITS
                                                   : CM_PART_USAGE;
}

/* What a charge class is called in front of customers. Classes that stay with the reseller come with an amount only
 * where somebody handed them on. */
static const char *word_of(const char *class)
{
    static const struct {
        const char *class, *word;
    } words[] = {{"usage", "Usage"},
                 {"covered_usage", "Usage"},
                 {"bundled_discount", "Usage"}, /* AWS's own price of usage in a bundle */
                 {"commitment_offset", "Usage"},
                 {"commitment_fee", "Fee"},
                 {"fee", "Fee"},
                 {"support", "Support"},
                 {"marketplace", "Marketplace"},
                 {"refund", "Refund"},
                 {"credit", "Credit"},
                 {"provider_discount", "Credit"},
                 {"reseller_credit", "Credit"},
                 {"custom_charge", "Charge"},
                 {"tax", "Tax"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].class, class) == 0)
            return words[i].word;
    return "Charge";
}

static void put(json_t *line, const char *key, const char *text)
{
    json_object_set_new(line, key, json_string(text));
}

/* A support plan group's row; AWS's own support lines have the longer product codes of AWS. */
static void name_support(json_t *line, const json_t *labels)
{
    const char *label = cm_print_text(json_object_get(labels, "support"), cm_print_text(line, "usage_type"));
    put(line, "product", "AWS Support");
    put(line, "usage_type", *label ? label : "AWS Support");
}

static void name_charge(const json_t *view, json_t *line, const json_t *labels, enum cm_part part)
{
    bool is_charge = part == CM_PART_CHARGES;
    const char *id = cm_print_text(line, "usage_type"), *name = cm_print_text(line, "product"),
               *label = cm_print_text(json_object_get(labels, is_charge ? "charges" : "credits"), id);
    if (!*label)
        label = strcmp(name, id) != 0 ? name : cm_say(view, is_charge ? "Charge" : "Credit"); /* nobody named it */
    put(line, "product", label);
    put(line, "usage_type", "");
}

static void name_usage(json_t *line, const json_t *labels)
{
    const json_t *rules = json_object_get(json_object_get(labels, "rules"), cm_print_text(line, "customer")),
                 *rule = json_object_get(rules, cm_print_text(line, "usage_type"));
    if (!rule)
        return;
    put(line, "usage_type", cm_print_text(rule, "label"));
    json_object_set_new(line, "tiers",
                        json_pack("{s:O?, s:O?, s:O?}", "mode", json_object_get(rule, "mode"), "currency",
                                  json_object_get(rule, "currency"), "steps", json_object_get(rule, "tiers")));
}

void cm_print_for_customer(const json_t *view, json_t *line, const json_t *labels)
{
    const char *class = cm_print_text(line, "class");
    enum cm_part part = cm_part_of_class(class);
    if (part == CM_PART_SUPPORT && strcmp(cm_print_text(line, "product"), "AWSSupport") == 0)
        name_support(line, labels);
    else if (part >= CM_PART_CHARGES)
        name_charge(view, line, labels, part);
    else
        name_usage(line, labels);
    put(line, "part", cm_say(view, cm_part_titles[part]));
    put(line, "class", cm_say(view, word_of(class)));
}
