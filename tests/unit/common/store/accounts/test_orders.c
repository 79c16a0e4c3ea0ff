/* Orders: their state is visible, their history is kept, people are notified when one fails (I16-I18). */
#include "desk.h"

/* I16: a request that is turned down, or that needs more, creates a notification with the reason; one that proceeds
 * creates none. */
Test(orders, I16_people_are_notified_of_failed_orders)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    int64_t id = desk_create(p, &order);
    EXPECT("SELECT string_agg(code, ' ') FROM notification", "REQUEST_RECEIVED");
    cr_assert_str_eq(desk_cause(p, id, 1, (cm_link_cause){.event = CM_LINK_REJECT, .reason = "no contract"}), "");
    STATE_IS(id, "rejected");
    EXPECT("SELECT recipient || ' ' || (body LIKE '%no contract%') || ' ' || (sent_at IS NULL) FROM notification WHERE "
           "code = 'REQUEST_REJECTED'",
           "reseller true true");
    EXPECT("SELECT count(*) FROM notification", "2");
    place_close(p);
}

/* I17, I18: the state of a request is one word, and every change of it is kept forever with who did it. */
Test(orders, I17_I18_state_and_history)
{
    place *p = desk_open();
    cm_request_order order = desk_order();
    int64_t id = desk_create(p, &order);
    STATE_IS(id, "requested");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_APPROVE), "");
    STATE_IS(id, "approved");
    cr_assert_str_eq(desk_step(p, id, CM_LINK_CANCEL), "");
    STATE_IS(id, "cancelled");
    EXPECT("SELECT string_agg(actor || ' ' || from_state || '>' || to_state, ', ' ORDER BY version) FROM link_history",
           "maria >requested, maria requested>approved, maria approved>cancelled");
    cr_assert_not(cm_pg_execute(p->pg, "DELETE FROM link_history", &p->err));
    cm_error_clear(&p->err);
    cr_assert_not(cm_pg_execute(p->pg, "UPDATE link_history SET actor = 'nobody'", &p->err));
    place_close(p);
}
