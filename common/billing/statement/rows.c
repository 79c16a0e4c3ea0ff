/* What the month adds to the lines of deliveries, to break a document's sum down into lines (I10, R11). */
#include "base/json/json.h"
#include "billing/statement/internal.h"

static void add(cm_section *section, const char *step, const cm_draft_line *line)
{
    if (!section->rows)
        section->rows = json_array();
    json_array_append_new(section->rows,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "customer", section->customer->id,
                                    "step", step, "account", line->account, "product", line->product, "usage_type",
                                    line->usage_type, "unit", line->unit, "class", line->class, "quantity",
                                    cm_json_decimal(line->quantity), "amount", cm_json_decimal(line->source_exact)));
}

void cm_rows_add_tiers(cm_section *section, const cm_work *work, size_t charges)
{
    for (size_t i = charges; i < work->count; i++) {
        const cm_statement_charge *charge = &work->list[i];
        const cm_draft_line line = {.account = charge->account,
                                    .product = charge->product,
                                    .usage_type = charge->usage_type,
                                    .unit = charge->unit,
                                    .class = cm_class_name(charge->class),
                                    .quantity = charge->quantity,
                                    .source_exact = charge->sell_amount};
        if (!cm_decimal_is_zero(line.source_exact))
            add(section, "tiers", &line);
    }
}

void cm_rows_add_lines(cm_section *section)
{
    static const char *const steps[] = {
        [CM_STEP_SUPPORT] = "support", [CM_STEP_CUSTOM] = "custom_charge", [CM_STEP_CREDIT] = "reseller_credit"};
    for (size_t i = 0; i < section->lines.count; i++)
        if (section->lines.list[i].step != CM_STEP_CHARGE)
            add(section, steps[section->lines.list[i].step], &section->lines.list[i]);
}
