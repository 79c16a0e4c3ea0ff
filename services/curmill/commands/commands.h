/* The commands that run: what the tree names. One function each, in a folder by subject; the exit code is what it
 * returns. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cli/cli.h"

int cmd_migrate(cli *c);
int cmd_topic_create(cli *c);
int cmd_topic_list(cli *c);
int cmd_catalog_check(cli *c);
int cmd_catalog_apply(cli *c);
int cmd_catalog_list(cli *c);
int cmd_catalog_show(cli *c);
int cmd_catalog_diff(cli *c);
int cmd_ingest(cli *c);
int cmd_delivery_list(cli *c);
int cmd_delivery_accept(cli *c);
int cmd_delivery_dismiss(cli *c);
int cmd_delivery_restore(cli *c);
int cmd_run_list(cli *c);
int cmd_run_show(cli *c);
int cmd_run_start(cli *c);
int cmd_run_diff(cli *c);
int cmd_totals(cli *c);
int cmd_suspended_list(cli *c);
int cmd_statement_list(cli *c);
int cmd_statement_show(cli *c);
int cmd_statement_margin(cli *c);
int cmd_statement_explain(cli *c);
int cmd_statement_export(cli *c);
int cmd_statement_build(cli *c);
int cmd_statement_approve(cli *c);
int cmd_statement_return(cli *c);
int cmd_statement_issue(cli *c);
int cmd_statement_void(cli *c);
int cmd_period_list(cli *c);
int cmd_period_show(cli *c);
int cmd_period_settle(cli *c);
int cmd_period_reopen(cli *c);
int cmd_unbilled_list(cli *c);
int cmd_unbilled_write_off(cli *c);
int cmd_discount_list(cli *c);
int cmd_discount_show(cli *c);
int cmd_explain(cli *c);
int cmd_export_lines(cli *c);
int cmd_archive_list(cli *c);
int cmd_archive_verify(cli *c);
int cmd_archive_sweep(cli *c);
int cmd_reconcile(cli *c);
int cmd_reconcile_support(cli *c);
int cmd_lag(cli *c);
int cmd_dead_letter_list(cli *c);
int cmd_dead_letter_show(cli *c);
int cmd_dead_letter_redrive(cli *c);
int cmd_audit_list(cli *c);
int cmd_tax_status(cli *c);
int cmd_tax_check(cli *c);
int cmd_tax_history(cli *c);
int cmd_doctor(cli *c);
int cmd_todo(cli *c);

#endif
