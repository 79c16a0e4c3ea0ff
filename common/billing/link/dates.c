/* Dates of a link: reminders, billing months, repeated checks. Only calendar months and whole seconds: no zone, no leap
 * second. */
#include "billing/link/link.h"

enum { REMINDER_DAYS = 14 }; /* N01, O21 */

cm_instant cm_link_reminder(cm_instant invited_at)
{
    return invited_at + REMINDER_DAYS * CM_DAY;
}

static cm_instant month_border_from(cm_instant at)
{
    cm_instant start = cm_period_start(cm_period_of(at));
    return start == at ? at : cm_period_end(cm_period_of(at));
}

cm_instant cm_link_billed_from(enum cm_link_kind kind, cm_instant joined)
{
    return kind == CM_LINK_CREATE ? cm_period_start(cm_period_of(joined)) : month_border_from(joined);
}

cm_instant cm_link_billed_until(cm_instant left)
{
    return month_border_from(left);
}

cm_instant cm_role_next_check(enum cm_role_verdict verdict, int failures, cm_instant checked_at)
{
    cm_instant wait = 3600 * CM_SECOND;
    if (verdict == CM_ROLE_UNCHECKED)
        return checked_at;
    for (int i = 1; i < failures && wait < CM_DAY; i++)
        wait *= 2;
    return checked_at + (verdict == CM_ROLE_VALID || wait > CM_DAY ? CM_DAY : wait);
}
