/* account ... and request ...: what is typed, what it needs, what help says. */
#include "commands/accounts/accounts.h"

#define BY                                                                                                             \
    {                                                                                                                  \
        "by", "WHO", "who does it (for the audit trail)", true, false                                                  \
    }
#define WHY                                                                                                            \
    {                                                                                                                  \
        "reason", "TEXT", "why", true, false                                                                           \
    }
#define MAYBE                                                                                                          \
    {                                                                                                                  \
        "reason", "TEXT", "why", false, false                                                                          \
    }
#define VERSION                                                                                                        \
    {                                                                                                                  \
        "version", "N", "the version that you saw; refused if somebody has changed it since", true, false              \
    }
#define AT                                                                                                             \
    {                                                                                                                  \
        "at", "TIME", "the time that AWS reports (RFC 3339); default: now", false, false                               \
    }
#define PAYER                                                                                                          \
    {                                                                                                                  \
        "payer", "PAYER", "12-digit payer account", false, false                                                       \
    }
#define CUSTOMER                                                                                                       \
    {                                                                                                                  \
        "customer", "CUSTOMER", "end customer", false, false                                                           \
    }
#define LANE                                                                                                           \
    {                                                                                                                  \
        "lane", "LANE", "only this lane", false, false                                                                 \
    }
#define WISHES                                                                                                         \
    {"nickname", "TEXT", "name of the account (O09)", false, false},                                                   \
        {"support-plan-group", "GROUP", "of the catalog (O14)", false, false},                                         \
        {"sales-reference", "TEXT", "of the sales representative, for Enterprise Support (O17)", false, false},        \
        {"country", "CC", "of the account's user, ISO 3166, such as DE (P17)", false, false},                          \
        {"role-arn", "ARN", "role in the account itself (O13)", false, false},                                         \
        {"external-id", "ID", "the account's own", false, false},                                                      \
    {                                                                                                                  \
        "billed-from", "YYYY-MM", "first month that is billed; without it the 1st after joining (N11)", false, false   \
    }

static const cli_option list_options[] = {PAYER,
                                          CUSTOMER,
                                          LANE,
                                          {"state", "STATE", "only these", false, false},
                                          {"region", "QUEUE", "only this queue (O07)", false, false},
                                          {"open", NULL, "only those that have not ended", false, false},
                                          {0}};
#define NEW_REQUEST                                                                                                    \
    {"payer", "PAYER", "12-digit payer account (see `account advise`)", true, false},                                  \
        {"customer", "CUSTOMER", "end customer of the catalog (O01)", true, false},                                    \
        {"support-plan", "PLAN", "basic (none), developer, business, business_plus; enterprise (O10, N20)", true,      \
         false},                                                                                                       \
        BY, MAYBE, WISHES, {"region", "QUEUE", "queue that the request is routed to (O07)", false, false},             \
        {"portal", NULL, "the provider is enabled in the customer portal (O05)", false, false},                        \
        {"transferred-in", NULL, "it belongs to a payer that existed before, so roles must be added (P16)", false,     \
         false},                                                                                                       \
    {                                                                                                                  \
        "pass-ri-benefit", NULL, "pass RI optimization to the customer (O06)", false, false                            \
    }
static const cli_option create_options[] = {
    NEW_REQUEST, {"root-email", "MAIL", "new root address, unique, never used with AWS (O08)", true, false}, {0}};
static const cli_option link_options[] = {NEW_REQUEST, {"root-email", "MAIL", "its root address", false, false}, {0}};
static const cli_option change_options[] = {VERSION, BY, MAYBE, {0}};
static const cli_option reason_options[] = {VERSION, BY, WHY, {0}};
static const cli_option record_options[] = {
    VERSION,
    BY,
    MAYBE,
    AT,
    {"expires", "TIME", "invite: AWS's ExpirationTimestamp", false, false},
    {"handshake", "ID", "invite: AWS's id, h-...", false, false},
    {"account", "ACCOUNT", "create_account: the new account's 12 digits", false, false},
    {0}};
#define CONFIRMATIONS                                                                                                  \
    {"waive-role", NULL, "bill it without a tested role (needs --reason)", false, false},                              \
    {                                                                                                                  \
        "mfa-confirmed", NULL, "MFA is on for every login (P11)", false, false                                         \
    }
static const cli_option activate_options[] = {VERSION, BY, MAYBE, CONFIRMATIONS, {0}};
static const cli_option declare_options[] = {
    VERSION,
    BY,
    WHY,
    WISHES,
    {"support-plan", "PLAN", "as the customer has it in AWS now; recorded only, never changed in AWS (P12, O16)", false,
     false},
    {"root-email", "MAIL", "its root address", false, false},
    {"portal", NULL, "the provider is enabled in the customer portal (O05)", false, false},
    CONFIRMATIONS,
    {0}};

const cli_command request_children[] = {
    {"list", "requests and links", NULL, 0, 0, list_options, NULL, cmd_request_list},
    {"show", "one request, with its history", "ID|ACCOUNT", 1, 1, NULL, NULL, cmd_request_show},
    {"create", "ask for a new account", NULL, 0, 0, create_options, NULL, cmd_request_create},
    {"approve", "approve: the invitation is sent, or the account is created", "ID|ACCOUNT", 1, 1, change_options, NULL,
     cmd_request_approve},
    {"reject", "reject it", "ID|ACCOUNT", 1, 1, reason_options, NULL, cmd_request_reject},
    {"info", "ask the requester for missing information", "ID|ACCOUNT", 1, 1, reason_options, NULL, cmd_request_info},
    {"answer", "answer with the missing information", "ID|ACCOUNT", 1, 1, change_options, NULL, cmd_request_answer},
    {"withdraw", "the requester withdraws it", "ID|ACCOUNT", 1, 1, reason_options, NULL, cmd_request_withdraw},
    {"cancel", "cancel an approved or invited request", "ID|ACCOUNT", 1, 1, reason_options, NULL, cmd_request_cancel},
    {"record",
     "record what happened where curmill has no access: invite, accept, decline, expire, member_seen, create_account, "
     "reset_password, gone",
     "ID|ACCOUNT EVENT", 2, 2, record_options, NULL, cmd_request_record},
    {"declare", "change what is requested", "ID|ACCOUNT", 1, 1, declare_options, NULL, cmd_request_declare},
    {"activate", "the last confirmations of a link that waits in role_pending", "ID|ACCOUNT", 1, 1, activate_options,
     NULL, cmd_request_activate},
    {0}};

static const cli_option accounts_options[] = {
    PAYER, CUSTOMER, LANE, {"unlinked", NULL, "only accounts without an owner", false, false}, {0}};
static const cli_option advise_options[] = {
    {"customer", "CUSTOMER", "end customer of the catalog", true, false},
    {"organization", "WHAT",
     "none (standalone account), own (the customer's), others (member of somebody else's), new (no account yet)", false,
     false},
    {"need", "CAPABILITY", "that the customer needs, such as control_tower (P09, P10)", false, true},
    LANE,
    {0}};
static const cli_option gate_options[] = {VERSION,
                                          BY,
                                          {"evidence", "TEXT", "what proves it", true, false},
                                          {"item", "NAME", "role or policy that was removed", false, false},
                                          {"amount", "AMOUNT", "what is still owed (O33)", false, false},
                                          {0}};
static const cli_option leave_options[] = {VERSION, BY, MAYBE, AT, {0}};
static const cli_option payer_option[] = {PAYER, {0}};
static const cli_option report_options[] = {
    {"period", "YYYY-MM", "month in which the accounts were added", true, false},
    PAYER,
    {"duty", "DUTY", "a duty other than the report of accounts, see `account duties`", false, false},
    {"submitted", NULL, "it was submitted: keep it as it is now", false, false},
    {"by", "WHO", "who submitted it", false, false},
    MAYBE,
    {0}};
static const cli_option duties_options[] = {{"period", "YYYY-MM", "month", true, false}, PAYER, {0}};
static const cli_option organization_options[] = {
    PAYER,
    {"account-quota", "N", "accounts that AWS allows the organization", false, false},
    {"invitations-per-day", "N", "invitations that AWS allows in 24 hours (20)", false, false},
    {"by", "WHO", "who says so", false, false},
    MAYBE,
    {0}};
static const cli_option notification_options[] = {{"all", NULL, "also those that were sent", false, false},
                                                  {"sent", "ID", "mark this one as sent", false, false},
                                                  {"by", "WHO", "by whom", false, false},
                                                  {0}};

const cli_command account_children[] = {
    {"list", "accounts that were seen and who owns them", NULL, 0, 0, accounts_options, NULL, cmd_account_list},
    {"show", "everything known about one account", "ACCOUNT", 1, 1, payer_option, NULL, cmd_account_show},
    {"advise", "which payer an account should join, and why", NULL, 0, 0, advise_options, NULL, cmd_account_advise},
    {"link", "request a link for an existing account", "ACCOUNT", 1, 1, link_options, NULL, cmd_account_link},
    {"declare", "change what is requested", "ACCOUNT", 1, 1, declare_options, NULL, cmd_request_declare},
    {"plans", "support plans: declared, assigned, observed (O16)", NULL, 0, 0, payer_option, NULL, cmd_account_plans},
    {"gap", "what AWS charged between joining and the first billed month (N11)", "[ACCOUNT]", 0, 1, payer_option, NULL,
     cmd_account_gap},
    {"offboard", "start off-boarding; `show` lists its gates", "ACCOUNT", 1, 1, reason_options, NULL,
     cmd_account_offboard},
    {"gate", "open an off-boarding gate with its evidence", "ACCOUNT GATE", 2, 2, gate_options, NULL, cmd_account_gate},
    {"keep", "stop off-boarding; the account stays", "ACCOUNT", 1, 1, reason_options, NULL, cmd_account_keep},
    {"leave", "finish off-boarding; every gate must be open", "ACCOUNT", 1, 1, leave_options, NULL, cmd_account_leave},
    {"report", "new and repurposed accounts of a month, for the distributor (N07, O28)", NULL, 0, 0, report_options,
     NULL, cmd_account_report},
    {"duties", "what is due to distributors, and what is late", NULL, 0, 0, duties_options, NULL, cmd_account_duties},
    {"check", "what breaks a rule: root domains, territories, groups", NULL, 0, 0, payer_option, NULL,
     cmd_account_check},
    {"organization", "quota and invitations of payers", NULL, 0, 0, organization_options, NULL,
     cmd_account_organization},
    {"notifications", "messages for people; curmill sends no mail itself", NULL, 0, 0, notification_options, NULL,
     cmd_account_notifications},
    {0}};
