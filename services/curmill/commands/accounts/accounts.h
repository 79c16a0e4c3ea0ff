/* account ... and request ...: their part of the tree and what they share. Private to this program. */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include "cli/cli.h"

#include "store/accounts/offboarding_store.h"

extern const cli_command account_children[], request_children[];

/* One row for each request that fits; NULL: any. `print_requests` prints them as `request list` does. */
typedef struct request_filter {
    const char *id, *payer, *customer, *state, *region, *lane, *account;
    bool open; /* not at its end */
} request_filter;
int print_requests(cli *c, const request_filter *filter);
int print_request(cli *c, int64_t id);

/* Operand: a request's id, or the 12 digits of an account. NULL payer: any. False: the exit code is set. */
bool find_request(cli *c, const char *which, cm_request *ret, int *ret_exit);
/* --version. */
bool version_of(const cli *c, int64_t *ret, int *ret_exit);
/* An instant of an option; *ret 0 if it was not given. */
bool instant_of(const cli *c, const char *option, cm_instant *ret, int *ret_exit);
/* One event of an operator on the operand, then the request is printed. */
int change_request(cli *c, enum cm_link_event event);
/* A query as a JSON array of objects with these columns; NULL: exit code. */
json_t *query_json(cli *c, const cli_column *columns, int count, const char *sql, int values_count,
                   const char *const *values, int *ret_exit);
/* An object: JSON, or its members one a line (lists below them as tables of their own text). Takes it over. */
int print_object(const cli *c, json_t *object);

#define RFC3339(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

int cmd_request_create(cli *c);
int cmd_request_list(cli *c);
int cmd_request_show(cli *c);
int cmd_request_approve(cli *c);
int cmd_request_reject(cli *c);
int cmd_request_info(cli *c);
int cmd_request_answer(cli *c);
int cmd_request_withdraw(cli *c);
int cmd_request_cancel(cli *c);
int cmd_request_record(cli *c);
int cmd_request_declare(cli *c);
int cmd_request_activate(cli *c);
int cmd_account_list(cli *c);
int cmd_account_show(cli *c);
int cmd_account_link(cli *c);
int cmd_account_advise(cli *c);
int cmd_account_offboard(cli *c);
int cmd_account_keep(cli *c);
int cmd_account_gate(cli *c);
int cmd_account_leave(cli *c);
int cmd_account_plans(cli *c);
int cmd_account_gap(cli *c);
int cmd_account_report(cli *c);
int cmd_account_duties(cli *c);
int cmd_account_check(cli *c);
int cmd_account_organization(cli *c);
int cmd_account_notifications(cli *c);

#endif
