/* What a support row is made of: its group, the base, the bands and the minimum (rating.md section 6). */
#include "billing/explain/internal.h"

#include <string.h>

static const cm_support_group *group_of(const cm_catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->group_count; i++)
        if (strcmp(catalog->groups[i].id, id) == 0)
            return &catalog->groups[i];
    return NULL;
}

static void tell_base(const cm_explained *e, const cm_support_group *group, const cm_group_terms *terms)
{
    static const char *const layers[] = {
        [CM_LAYER_PAYER] = "payer", [CM_LAYER_LIST] = "list", [CM_LAYER_BUY] = "buy", [CM_LAYER_SELL] = "sell"};
    char classes[256] = "";
    for (int class = 0; class < CM_CLASS_COUNT; class ++) {
        size_t length = strlen(classes);
        if (terms->base_class[class])
            snprintf(classes + length, sizeof classes - length, "%s%s", length ? ", " : "",
                     cm_class_name((enum cm_class) class));
    }
    cm_explain_step(e, "support", "base: %s of the %s's %s, while the group held", layers[terms->base_layer],
                    group->over_group ? "group" : "account", classes);
    if (group->over_group)
        cm_explain_step(e, "support", "over all accounts of the customer in the group; shared out by their bases");
}

static void tell_percent(const cm_explained *e, cm_decimal percent)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(percent, text);
    cm_explain_step(e, "support", "%s percent of the base", text);
}

static void tell_minimum(const cm_explained *e, cm_decimal minimum, const char *whose)
{
    char text[CM_DECIMAL_TEXT];
    cm_decimal_print(minimum, text);
    cm_explain_step(e, "support", "at least %s %s (the minimum of the %s, for the days held)", text, e->source, whose);
}

static void tell_bands(const cm_explained *e, const cm_support_plan *plan)
{
    char from[CM_DECIMAL_TEXT] = "0", to[CM_DECIMAL_TEXT], percent[CM_DECIMAL_TEXT];
    for (size_t i = 0; i < plan->count; i++) {
        const cm_plan_band *band = &plan->bands[i];
        cm_decimal_print(band->percent, percent);
        cm_decimal_print(band->up_to, to);
        cm_explain_step(e, "support", "of the base above %s%s%s: %s percent", from, band->unbounded ? "" : " up to ",
                        band->unbounded ? "" : to, percent);
        snprintf(from, sizeof from, "%s", to);
    }
}

static void tell_plan(const cm_explained *e, const cm_support_group *group, const cm_group_terms *terms)
{
    cm_buffer why = {0};
    const cm_support_plan *plan;
    if (!cm_group_plan(e->catalog, group, e->period, e->source, &plan, &why)) {
        cm_explain_step(e, "support", "no price: %s (SUPPORT_PLAN_ENDED)", cm_buffer_string(&why));
        cm_buffer_free(&why);
        return;
    }
    if (terms->has_percent)
        tell_percent(e, terms->percent);
    else
        tell_bands(e, plan);
    tell_minimum(e, terms->has_minimum ? terms->minimum : plan->minimum, terms->has_minimum ? "group" : "plan");
}

void cm_explain_support(const cm_explained *e)
{
    const cm_support_group *group = group_of(e->catalog, e->id);
    if (!group) {
        cm_explain_step(e, "support", "support plan group %s is not in the catalog version of the document", e->id);
        return;
    }
    const cm_group_terms *terms = cm_group_terms_in(group, e->period);
    cm_explain_step(e, "support", "support plan group %s of the account, plan %s; it replaces AWS's own support lines",
                    group->id, group->plan ? group->plan : cm_plan_type_name(group->type));
    switch (group->type) {
    case CM_PLAN_BASIC:
        cm_explain_step(e, "support", "basic support costs nothing");
        return;
    case CM_PLAN_PASSTHROUGH:
        cm_explain_step(e, "support", "the sum of what AWS charges for the account's support");
        return;
    case CM_PLAN_BUSINESS:
        tell_base(e, group, terms);
        tell_percent(e, terms->has_percent ? terms->percent : cm_decimal_from_i64(10));
        if (terms->has_minimum)
            tell_minimum(e, terms->minimum, "group");
        return;
    case CM_PLAN_DEVELOPER:
    case CM_PLAN_BUSINESS_PUBLIC:
    case CM_PLAN_BUSINESS_PLUS:
    case CM_PLAN_ENTERPRISE:
    case CM_PLAN_NAMED:
        tell_base(e, group, terms);
        tell_plan(e, group, terms);
        return;
    }
}
