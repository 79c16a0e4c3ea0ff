/* The command tree: what is typed, what it needs, what help says. */
#include "tree.h"
#include "cli/cli.h"
#include "commands/accounts/accounts.h"
#include "commands/commands.h"

#define WHO_WHY                                                                                                        \
    {"by", "WHO", "who does it (for the audit trail)", true, false},                                                   \
    {                                                                                                                  \
        "reason", "TEXT", "why", true, false                                                                           \
    }
#define PAYER_PERIOD                                                                                                   \
    {"payer", "PAYER", "12-digit payer account", false, false},                                                        \
    {                                                                                                                  \
        "period", "YYYY-MM", "billing period", false, false                                                            \
    }
#define PAYER_PERIOD_REQUIRED                                                                                          \
    {"payer", "PAYER", "12-digit payer account", true, false},                                                         \
    {                                                                                                                  \
        "period", "YYYY-MM", "billing period", true, false                                                             \
    }
#define WAIT                                                                                                           \
    {"wait", NULL, "wait until the runs are complete and the drafts are made", false, false},                          \
    {                                                                                                                  \
        "timeout", "SECONDS", "give up waiting after that time (3600)", false, false                                   \
    }

static const cli_option topic_options[] = {{"lane", "LANE", "only this lane", false, false}, {0}};
static const cli_option apply_options[] = {
    {"by", "WHO", "who does it (for the audit trail); not needed with --dry-run", false, false},
    {"reason", "TEXT", "why; not needed with --dry-run", false, false},
    {"now", NULL, "in force at once instead of from the next 00:00 UTC (N14)", false, false},
    {"dry-run", NULL, "store nothing; rate the months of --periods again and show what would change", false, false},
    {"periods", "M..N", "with --dry-run: billing periods such as 2025-05..2025-06, or one", false, false},
    {"payer", "PAYER", "with --dry-run: only this payer", false, false},
    {"lane", "LANE", "with --dry-run: only this lane", false, false},
    {0}};
static const cli_option ingest_options[] = {
    PAYER_PERIOD,
    {"file", "FILE", "files that have no manifest, as one delivery (needs --payer and --period)", false, true},
    WAIT,
    {0}};
static const cli_option payer_period[] = {PAYER_PERIOD, {0}};
static const cli_option run_start_options[] = {
    {"payer", "PAYER", "only these payers; default: all of the catalog", false, true},
    {"period", "M..N", "billing period such as 2025-06, or several: 2025-04..2025-06", true, false},
    {"catalog", "VERSION", "rate with this version, not the one in force", false, false},
    {"by", "WHO", "who does it", false, false},
    {"reason", "TEXT", "why", false, false},
    WAIT,
    {0}};
static const cli_option decision_options[] = {WHO_WHY, {0}};
static const cli_option restore_options[] = {WHO_WHY, WAIT, {0}};
static const cli_option totals_options[] = {
    PAYER_PERIOD_REQUIRED,
    {"run", "RUN", "this run instead of the current one", false, false},
    {"by", "KEY,...",
     "any of account, customer, line_item_type, class, product, usage_type, operation, region, unit, rule, currency; or day with "
     "account and product",
     false, false},
    {0}};
static const cli_option statement_options[] = {PAYER_PERIOD,
                                               {"customer", "CUSTOMER", "only this end customer", false, false},
                                               {"lane", "LANE", "only this lane", false, false},
                                               {0}};
#define STATEMENT_CHOICE                                                                                               \
    PAYER_PERIOD, {"customer", "CUSTOMER", "only documents about this end customer", false, false},                    \
    {                                                                                                                  \
        "lane", "LANE", "only this lane", false, false                                                                 \
    }
static const cli_option statement_change_options[] = {STATEMENT_CHOICE,
                                                      {"by", "WHO", "who does it (for the audit trail)", true, false},
                                                      {"reason", "TEXT", "why", false, false},
                                                      {0}};
static const cli_option statement_void_options[] = {STATEMENT_CHOICE, WHO_WHY, {0}};
static const cli_option statement_issue_options[] = {
    STATEMENT_CHOICE,
    {"by", "WHO", "who does it (for the audit trail)", true, false},
    {"reason", "TEXT", "why; needed with --override", false, false},
    {"override", "GATE",
     "issue although this gate is blocked, on your responsibility (not RUN_INCOMPLETE, PRICES_STALE, FX_MISSING)",
     false, true},
    {0}};
static const cli_option statement_explain_options[] = {
    STATEMENT_CHOICE, {"row", "N", "row of the document, from 1", true, false}, {0}};
static const cli_option statement_export_options[] = {
    STATEMENT_CHOICE,
    {"view", "VIEW", "customer (issued documents only), reseller (with buy and margin) or distributor (what is bought)",
     true, false},
    {"output", "FILE|FOLDER",
     "a file (.json, .csv: all documents in one; .pdf: of one document), or a folder, one file for each document",
     false, false},
    {"columns", "NAME,...", "csv: only these columns, in this order", false, false},
    {0}};
static const cli_option settle_options[] = {
    PAYER_PERIOD_REQUIRED,
    WHO_WHY,
    {"acknowledge-unbilled", NULL,
     "settle although money is suspended or without an owner: it goes into the unbilled ledger, with --reason", false,
     false},
    {0}};
static const cli_option reopen_options[] = {PAYER_PERIOD_REQUIRED, WHO_WHY, {0}};
static const cli_option unbilled_options[] = {
    PAYER_PERIOD, {"all", NULL, "also what was billed later or written off", false, false}, {0}};
static const cli_option write_off_options[] = {WHO_WHY, {0}};
static const cli_option period_show_options[] = {PAYER_PERIOD_REQUIRED, {0}};
static const cli_option explain_options[] = {
    PAYER_PERIOD_REQUIRED,
    {"line", "CHUNK:ROW", "chunk number or file name, data row from 1", true, false},
    {"run", "RUN", "this run instead of the current one", false, false},
    {0}};
static const cli_option reconcile_options[] = {
    PAYER_PERIOD_REQUIRED,
    {"invoice", "FILE.csv", "the invoice", true, false},
    {"layout", "ID", "InvoiceFormat of the catalog; needed if it has several", false, false},
    {"all", NULL, "show what matches too", false, false},
    {0}};
static const cli_option reconcile_support_options[] = {PAYER_PERIOD_REQUIRED, {0}};
static const cli_command reconcile_children[] = {
    {"support",
     "what AWS itself charges for support, account by account, against the report and the groups' fees; exit code 2 if "
     "it deviates",
     NULL, 0, 0, reconcile_support_options, NULL, cmd_reconcile_support},
    {0}};
static const cli_option lag_options[] = {
    {"lane", "LANE", "only this lane", false, false}, {"watch", NULL, "repeat every 2 seconds", false, false}, {0}};
static const cli_option redrive_options[] = {{"by", "WHO", "who does it", true, false}, {0}};
static const cli_option audit_options[] = {
    {"object", "OBJECT", "only this object, e.g. delivery:ID, or all whose name begins so", false, false},
    {"limit", "N", "the newest N (200)", false, false},
    {0}};

static const cli_option export_options[] = {
    {"customer", "CUSTOMER", "whose lines", true, false},
    {"period", "YYYY-MM", "billing period", true, false},
    {"lane", "LANE", "only documents of this lane", false, false},
    {"payer", "PAYER", "only documents that this payer's charges are in", false, false},
    {"statement", "ID", "of this document (id, beginning of an id, or number), where there are several", false, false},
    {"output", "FILE",
     "write to this file, which appears once it is complete and equal to the document; default: standard output", false,
     false},
    {0}};
static const cli_option todo_options[] = {PAYER_PERIOD, {"lane", "LANE", "only this lane", false, false}, {0}};
static const cli_option sweep_options[] = {{"dry-run", NULL, "only say what would be removed", false, false},
                                           {"by", "WHO", "who does it (for the audit trail)", false, false},
                                           {0}};

static const cli_command topic_children[] = {
    {"create", "create the topics that are missing", NULL, 0, 0, topic_options, NULL, cmd_topic_create},
    {"list", "topics, partitions", NULL, 0, 0, topic_options, NULL, cmd_topic_list},
    {0}};
static const cli_command catalog_children[] = {
    {"check", "report everything that is wrong in a folder of YAML files", "DIR", 1, 1, NULL, NULL, cmd_catalog_check},
    {"apply", "store an immutable version", "DIR", 1, 1, apply_options, NULL, cmd_catalog_apply},
    {"list", "versions: who, when, why, in force from", NULL, 0, 0, NULL, NULL, cmd_catalog_list},
    {"show", "the content of a version (the one in force)", "[VERSION]", 0, 1, NULL, NULL, cmd_catalog_show},
    {"diff", "what changes from A to B", "A B", 2, 2, NULL, NULL, cmd_catalog_diff},
    {0}};
static const cli_command delivery_children[] = {
    {"list", "deliveries, their chunks and states", NULL, 0, 0, payer_period, NULL, cmd_delivery_list},
    {"accept", "a delivery that shrank (DELIVERY_SHRANK) is right: let it count", "DELIVERY", 1, 1, decision_options,
     NULL, cmd_delivery_accept},
    {"dismiss", "a delivery that failed or shrank is not to count", "DELIVERY", 1, 1, decision_options, NULL,
     cmd_delivery_dismiss},
    {"restore", "let an earlier delivery count again, until the next one comes", "DELIVERY", 1, 1, restore_options,
     NULL, cmd_delivery_restore},
    {0}};
static const cli_command run_children[] = {
    {"list", "runs and their progress", NULL, 0, 0, payer_period, NULL, cmd_run_list},
    {"show", "one run: control totals, alerts", "RUN", 1, 1, NULL, NULL, cmd_run_show},
    {"start", "rate months of payers again", NULL, 0, 0, run_start_options, NULL, cmd_run_start},
    {"diff",
     "what changes from run A to run B (or A1,A2 to B1,B2: of several payers or periods), by customer and product",
     "A B", 2, 2, NULL, NULL, cmd_run_diff},
    {0}};
static const cli_command suspended_children[] = {
    {"list", "suspended lines by reason", NULL, 0, 0, payer_period, NULL, cmd_suspended_list}, {0}};
static const cli_command statement_children[] = {
    {"list", "documents", NULL, 0, 0, statement_options, NULL, cmd_statement_list},
    {"show", "one document with its gates", "[ID]", 0, 1, statement_options, NULL, cmd_statement_show},
    {"margin", "what a document earns, in the reseller's own view", "[ID]", 0, 1, statement_options, NULL,
     cmd_statement_margin},
    {"explain", "why a row of a document has its amount: terms, tiers, support plan, exchange rate, rounding", "[ID]",
     0, 1, statement_explain_options, NULL, cmd_statement_explain},
    {"export", "write documents as json, csv or pdf", "[ID]", 0, 1, statement_export_options, NULL,
     cmd_statement_export},
    {"build", "rebuild the drafts", NULL, 0, 0, statement_options, NULL, cmd_statement_build},
    {"approve", "freeze the figures of drafts, with your name on them", "[ID]", 0, 1, statement_change_options, NULL,
     cmd_statement_approve},
    {"return", "make approved documents drafts again", "[ID]", 0, 1, statement_change_options, NULL,
     cmd_statement_return},
    {"issue", "issue approved documents: each gets a number and never changes again", "[ID]", 0, 1,
     statement_issue_options, NULL, cmd_statement_issue},
    {"void", "drafts that will not be issued", "[ID]", 0, 1, statement_void_options, NULL, cmd_statement_void},
    {0}};
static const cli_command period_children[] = {
    {"list", "billing periods and their states", NULL, 0, 0, payer_period, NULL, cmd_period_list},
    {"show", "one period: history, documents, what is due", NULL, 0, 0, period_show_options, NULL, cmd_period_show},
    {"settle", "settle a period: the distributor's figures are final, later changes become corrections", NULL, 0, 0,
     settle_options, NULL, cmd_period_settle},
    {"reopen", "take a settlement back, as long as nothing of the period is issued", NULL, 0, 0, reopen_options, NULL,
     cmd_period_reopen},
    {0}};
static const cli_command unbilled_children[] = {
    {"list", "money that months were settled without billing", NULL, 0, 0, unbilled_options, NULL, cmd_unbilled_list},
    {"write-off", "decide that an amount will not be billed", "ID", 1, 1, write_off_options, NULL,
     cmd_unbilled_write_off},
    {0}};
static const cli_command discount_children[] = {
    {"list", "what months earned, applied and still open, by account and product", NULL, 0, 0, payer_period, NULL,
     cmd_discount_list},
    {"show", "what the distributor's invoice of a month credits for earlier ones", NULL, 0, 0, period_show_options,
     NULL, cmd_discount_show},
    {0}};
static const cli_command export_children[] = {{"lines", "a customer's own lines as CSV, equal in sum to its document",
                                               NULL, 0, 0, export_options, NULL, cmd_export_lines},
                                              {0}};
static const cli_command archive_children[] = {
    {"list", "deliveries and their copies, what rests on them", NULL, 0, 0, payer_period, NULL, cmd_archive_list},
    {"verify", "read every copy and compare its digest", NULL, 0, 0, payer_period, NULL, cmd_archive_verify},
    {"sweep", "remove copies of superseded deliveries that no document rests on", NULL, 0, 0, sweep_options, NULL,
     cmd_archive_sweep},
    {0}};
static const cli_command dead_letter_children[] = {
    {"list", "records that were set aside", NULL, 0, 0, topic_options, NULL, cmd_dead_letter_list},
    {"show", "one record, with its bytes", "LANE:PARTITION:OFFSET", 1, 1, NULL, NULL, cmd_dead_letter_show},
    {"redrive", "send a record to its topic again", "LANE:PARTITION:OFFSET", 1, 1, redrive_options, NULL,
     cmd_dead_letter_redrive},
    {0}};
static const cli_option tax_status_options[] = {{"payer", "PAYER", "the accounts of this payer", false, false}, {0}};
static const cli_option tax_check_options[] = {
    {"payer", "PAYER", "12-digit payer account", true, false},
    {"fix", NULL, "switch tax inheritance on in AWS, if nothing else is wrong with the payer", false, false},
    {"by", "WHO", "who does it (for the audit trail)", false, false},
    {"reason", "TEXT", "why", false, false},
    {"timeout", "SECONDS", "give up waiting after that time (90)", false, false},
    {0}};
static const cli_option tax_history_options[] = {{"payer", "PAYER", "only this payer", false, false},
                                                 {"account", "ACCOUNT", "only this account", false, false},
                                                 {"limit", "N", "the newest N (200)", false, false},
                                                 {0}};
static const cli_command tax_children[] = {
    {"status", "verdicts of tax settings, predicted VAT invoices", NULL, 0, 0, tax_status_options, NULL,
     cmd_tax_status},
    {"check", "look at a payer's tax settings in AWS now", NULL, 0, 0, tax_check_options, NULL, cmd_tax_check},
    {"history", "every change of a verdict", NULL, 0, 0, tax_history_options, NULL, cmd_tax_history},
    {0}};
static const cli_command audit_children[] = {
    {"list", "who changed what, when, why", NULL, 0, 0, audit_options, NULL, cmd_audit_list}, {0}};

static const cli_command root_children[] = {
    {"migrate", "bring the database to this version's schema", NULL, 0, 0, NULL, NULL, cmd_migrate},
    {"topic", "Kafka topics of the lanes", NULL, 0, 0, NULL, topic_children, NULL},
    {"catalog", "price books, customers, payers: versions", NULL, 0, 0, NULL, catalog_children, NULL},
    {"ingest", "look for deliveries now, or bring files", NULL, 0, 0, ingest_options, NULL, cmd_ingest},
    {"delivery", "what was delivered", NULL, 0, 0, NULL, delivery_children, NULL},
    {"archive", "copies of deliveries", NULL, 0, 0, NULL, archive_children, NULL},
    {"run", "ratings of deliveries", NULL, 0, 0, NULL, run_children, NULL},
    {"totals", "exact sums of a run", NULL, 0, 0, totals_options, NULL, cmd_totals},
    {"suspended", "lines that could not be rated yet", NULL, 0, 0, NULL, suspended_children, NULL},
    {"period", "states of billing periods", NULL, 0, 0, NULL, period_children, NULL},
    {"unbilled", "the ledger of money that was acknowledged and not billed", NULL, 0, 0, NULL, unbilled_children, NULL},
    {"statement", "documents for end customers", NULL, 0, 0, NULL, statement_children, NULL},
    {"discount", "provider discounts that the distributor credits in a later month", NULL, 0, 0, NULL,
     discount_children, NULL},
    {"export", "the line items behind a document", NULL, 0, 0, NULL, export_children, NULL},
    {"account", "AWS accounts: whose they are, since when", NULL, 0, 0, NULL, account_children, NULL},
    {"request", "requests for accounts and links, from request to off-boarding", NULL, 0, 0, NULL, request_children,
     NULL},
    {"tax", "whether AWS taxes accounts as the distributor requires", NULL, 0, 0, NULL, tax_children, NULL},
    {"explain", "every step from a line to its price", NULL, 0, 0, explain_options, NULL, cmd_explain},
    {"reconcile", "an invoice of the distributor, or of AWS, against our figures; exit code 2 if it deviates", NULL, 0,
     0, reconcile_options, reconcile_children, cmd_reconcile},
    {"lag", "how far behind each worker is", NULL, 0, 0, lag_options, NULL, cmd_lag},
    {"dead-letter", "records that could not be decoded", NULL, 0, 0, NULL, dead_letter_children, NULL},
    {"audit", "the audit trail", NULL, 0, 0, NULL, audit_children, NULL},
    {"todo", "what must be done today, with the command for each: what did not come, what waits for you, what is due",
     NULL, 0, 0, todo_options, NULL, cmd_todo},
    {"doctor", "check settings, broker, topics, database, clock", NULL, 0, 0, NULL, NULL, cmd_doctor},
    {0}};

const cli_command cli_root = {
    "curmill", "exact billing statements from AWS Cost and Usage Reports", NULL, 0, 0, NULL, root_children, NULL};
