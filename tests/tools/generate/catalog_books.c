#include "catalog_books.h"

static void book(FILE *f, const char *id, const char *currency)
{
    fprintf(f, "---\nkind: PriceBook\nid: %s\ncurrency: %s\nversions:\n", id, currency);
}

static void first_version(FILE *f)
{
    fputs("  - effective_from: 2020-01-01\n    rules:\n", f);
}

/* A version that begins in the middle of the period, on the 16th at 00:00 UTC. */
static void second_version(FILE *f, const struct world *w)
{
    fprintf(f, "  - effective_from: %s-16T00:00:00Z\n    rules:\n", w->options->period);
}

static void rule(FILE *f, const char *id, int priority, const char *match, const char *price)
{
    fprintf(f, "      - {id: %s, priority: %d, match: {%s}, price: {%s}}\n", id, priority, match, price);
}

static void standard_rules(FILE *f, const struct world *w, bool second)
{
    rule(f, "ec2-boxes", 10, "service: AmazonEC2, usage_type: \"*BoxUsage:*\"",
         second ? "percent: -3.25, of: list" : "percent: -5, of: list");
    rule(f, "sqs-send", 20, "service: AWSQueueService, operation: \"Send*\"",
         second ? "rate: 0.00000055" : "rate: 0.0000005");
    rule(f, "storage-abroad", 30, "service: [AmazonS3, AmazonCloudFront], region: [eu-central-1, ap-northeast-1]",
         "percent: 2.5, of: payer");
    rule(f, "trail", 40, "service: AWSCloudTrail", "free: true");
    rule(f, "market", 50, "marketplace: true", "pass: payer");
    rule(f, "gigabytes", 60, "unit: [GB, GB-Mo], class: usage",
         second ? "percent: 8, of: payer" : "percent: 7, of: payer");
    rule(f, "fees", 70, "class: [fee, commitment_fee]", "percent: 10, of: payer");
    rule(f, "refunds", 80, "line_item_type: Refund", "pass: payer");
    rule(f, "lambda-sku", 90, text_format("sku: %s", w->offer[14].sku.p), "percent: 1.25, of: buy");
    rule(f, "db-hours", 95, "usage_type: \"???1-InstanceUsage:db.r6g.*\", unit: Hrs",
         second ? "percent: 0, of: list" : "rate: 0.2345678901");
    rule(f, "rest", 1000, "", second ? "percent: 4, of: payer" : "percent: 3, of: payer");
}

static void premium_rules(FILE *f, bool second)
{
    rule(f, "frankfurt", 5, "usage_type: \"EUC1-*\", class: [usage, covered_usage]",
         second ? "percent: 15, of: buy" : "percent: 12.5, of: buy");
    rule(f, "instances", 15, "unit: Hrs, operation: [\"RunInstances\", \"RunInstances:*\"], class: usage", "rate: 0.2");
    rule(f, "no-market", 20, "marketplace: false, line_item_type: [Usage, DiscountedUsage]",
         "percent: 9.999, of: list");
    rule(f, "bundled", 25, "class: bundled_discount", "pass: payer");
    rule(f, "rest", 30, "", "percent: 33.3333333333, of: payer");
}

static void buy_rules(FILE *f, bool ingram, bool second)
{
    rule(f, "market", 1, "class: marketplace", "pass: payer");
    if (ingram) {
        rule(f, "list-minus", 2, "class: [usage, covered_usage]",
             second ? "percent: -3.5, of: list" : "percent: -3, of: list");
    } else {
        rule(f, "ec2", 2, "service: AmazonEC2", second ? "percent: -2, of: payer" : "percent: -1.5, of: payer");
        rule(f, "requests", 3, "service: awskms, unit: Requests", "rate: 0.0000029");
    }
    rule(f, "rest", 9, "", "pass: payer");
}

void write_shared_books(FILE *f, const struct world *w)
{
    book(f, "standard", "USD");
    first_version(f);
    standard_rules(f, w, false);
    second_version(f, w);
    standard_rules(f, w, true);
    book(f, "premium", "USD");
    first_version(f);
    premium_rules(f, false);
    second_version(f, w);
    premium_rules(f, true);
    book(f, "at-cost", "USD");
    first_version(f);
    rule(f, "rest", 1, "", "pass: payer");
    book(f, "list", "USD");
    first_version(f);
    rule(f, "rest", 1, "", "percent: 0, of: list");
    book(f, "cny-standard", "CNY");
    first_version(f);
    rule(f, "rest", 1, "", "percent: 6, of: payer");
    for (int ingram = 0; ingram < 2; ingram++) {
        book(f, ingram ? "ingram-buy" : "tds-buy", "USD");
        first_version(f);
        buy_rules(f, ingram != 0, false);
        second_version(f, w);
        buy_rules(f, ingram != 0, true);
    }
}

void write_payer_book(FILE *f, const struct world *w)
{
    book(f, text_format("special-%s", w->options->suffix), "USD");
    first_version(f);
    const char *account = w->account[w->account_count > 6 ? 6 : 0].id;
    rule(f, "one-account", 10, text_format("account: [\"%s\"], service: [AmazonEC2, AmazonRDS]", account),
         "percent: -1, of: list");
    rule(f, "this-payer", 20, text_format("payer: \"%s\", class: usage", w->options->payer), "percent: 5.5, of: buy");
    rule(f, "rest", 99, "", "percent: 5, of: payer");
}
