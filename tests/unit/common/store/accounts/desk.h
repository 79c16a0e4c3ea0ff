/* Requests at a database with customers acme and zenith (place.h), a support plan group and a territory. */
#ifndef DESK_H
#define DESK_H

#include "place.h"

#include "store/accounts/request_store.h"
#include "store/catalog/catalog_store.h"

#define NEW  "000055556666" /* an account that the catalog does not know */
#define NEW2 "000077778888"

place *desk_open(void);
/* A request of acme for NEW under TDS, adjusted by the test. */
cm_request_order desk_order(void);
/* Its id; the test fails if it is refused. */
int64_t desk_create(place *p, const cm_request_order *order);
/* The code of the refusal, which names `rule`; nothing was stored. Static. */
const char *desk_refused(place *p, const cm_request_order *order, const char *rule);
/* One step of request `id` at p->now by maria, whatever the version; the code of the refusal, "" if it was done.
 * Static. */
const char *desk_step(place *p, int64_t id, enum cm_link_event event);
const char *desk_cause(place *p, int64_t id, int64_t version, cm_link_cause cause);
cm_request desk_request(place *p, int64_t id);
void desk_seen(place *p, const char *payer, const char *account, const char *joined);
#define STATE_IS(id, wanted) cr_assert_str_eq(cm_link_state_name(desk_request(p, id).link.state), wanted)

#endif
