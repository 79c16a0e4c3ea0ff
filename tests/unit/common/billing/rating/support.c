#include "support.h"

#include "base/base/buffer.h"
#include "billing/catalog/check/read.h"
#include "billing/catalog/parse/canonical.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const cm_period june = {2025, 6};

const char base_documents[] =
    "{kind: Reseller, id: northwind}\n---\n"
    "{kind: Payer, id: '" TDS "', lane: tdsynnex, model: tdsynnex, payer_kind: shared, reseller: northwind}\n---\n"
    "{kind: Payer, id: '" TDS_BUY
    "', lane: tdsynnex, model: tdsynnex, payer_kind: dedicated, reseller: northwind, buy_book: buy}\n---\n"
    "{kind: Payer, id: '" ING "', lane: ingram, model: ingram, payer_kind: master, reseller: northwind}\n---\n"
    "{kind: Payer, id: '" ING_BUY
    "', lane: ingram, model: ingram, payer_kind: master, reseller: northwind, buy_book: buy}\n---\n"
    "{kind: PriceBook, id: standard, currency: USD, versions: [{effective_from: 2025-01-01, rules: [\n"
    "  {id: rest, priority: 1000, price: {percent: 10, of: list}}]}]}\n---\n";

/* For tests without a book `buy` of their own. */
static const char buy_book[] =
    "{kind: PriceBook, id: buy, currency: USD, versions: [{effective_from: 2025-01-01, rules: [\n"
    "  {id: buy-rest, priority: 1000, price: {percent: -10, of: payer}}]}]}\n---\n";

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    cr_assert_eq(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static json_t *read_documents(const char *text, char **ret_problems)
{
    char folder[] = "/tmp/curmill-test-rating-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    write_file(folder, "base.yaml", base_documents);
    write_file(folder, "test.yaml", text);
    if (!strstr(text, "id: buy,"))
        write_file(folder, "buy.yaml", buy_book);
    cm_catalog_problems problems = {0};
    cm_error err = {0};
    json_t *canonical = cm_catalog_read(folder, &problems, &err);
    cr_assert(err.class == CM_ERROR_NONE, "%s", err.text);
    cm_buffer said = {0};
    cm_buffer_text(&said, "");
    for (size_t i = 0; i < problems.count; i++) {
        const cm_catalog_problem *p = &problems.list[i];
        cm_buffer_printf(&said, "%s:%d:%d: %s: %s\n", strrchr(p->file, '/') + 1, p->line, p->column,
                         p->warning ? "warning" : "error", p->text);
    }
    *ret_problems = said.data ? cm_buffer_take(&said) : cm_strdup("");
    cm_catalog_problems_free(&problems);
    remove_file(folder, "base.yaml");
    remove_file(folder, "test.yaml");
    remove_file(folder, "buy.yaml");
    rmdir(folder);
    return canonical;
}

char *problems_of(const char *text)
{
    char *problems;
    json_decref(read_documents(text, &problems));
    return problems;
}

cm_catalog *catalog_of(const char *text)
{
    char *problems;
    json_t *canonical = read_documents(text, &problems);
    cr_assert(canonical, "the catalog is refused:\n%s\n%s", problems, text);
    free(problems);
    char *plain = cm_catalog_text(canonical);
    json_decref(canonical);
    cm_error err = {0};
    cm_catalog *catalog = cm_catalog_parse(plain, &err);
    cr_assert(catalog, "%s", err.text);
    free(plain);
    return catalog;
}

char *customer_text(const char *id, const char *settings, const char *account, ...)
{
    cm_buffer out = {0};
    bool has_book = strstr(settings, "price_book:");
    cm_buffer_printf(&out, "{kind: Customer, id: %s, reseller: northwind, %s%s%saccounts: [", id,
                     has_book ? "" : "price_book: standard, ", settings, settings[0] ? ", " : "");
    va_list payers;
    va_start(payers, account);
    const char *payer;
    while ((payer = va_arg(payers, const char *)))
        cm_buffer_printf(&out, "{id: '%s', payer: '%s', from: 2025-01-01}, ", account, payer);
    va_end(payers);
    cm_buffer_text(&out, "]}\n---\n");
    return cm_buffer_take(&out);
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static cm_slice text_or(const char *text, const char *otherwise)
{
    return cm_slice_of(text ? text : otherwise);
}

cm_kind kind_of_line(const test_line *line)
{
    return (cm_kind){
        .usage_account = text_or(line->account, ACCOUNT),
        .line_item_type = text_or(line->type, "Usage"),
        .product_code = text_or(line->product, "AmazonEC2"),
        .usage_type = text_or(line->usage_type, "BoxUsage:t3.micro"),
        .operation = text_or(line->operation, "RunInstances"),
        .region = text_or(line->region, "eu-west-1"),
        .unit = text_or(line->unit, "Hrs"),
        .sku = text_or(line->sku, "SKU1"),
        .billing_entity = text_or(line->entity, "AWS"),
        .currency = text_or(line->currency, "USD"),
        .flags = line->flags,
    };
}

cm_decimal decimal_of(const char *text)
{
    cm_decimal value;
    cr_assert(cm_decimal_parse_strict(cm_slice_of(text), &value), "%s", text);
    return value;
}

cm_instant instant_of(const char *text)
{
    cm_instant at;
    cr_assert(cm_instant_parse(cm_slice_of(text), &at), "%s", text);
    return at;
}

test_result rate(const cm_catalog *catalog, const char *payer, test_line line)
{
    cm_error err = {0};
    cm_rater *rater = cm_rater_new(catalog, payer, june, &err);
    cr_assert(rater, "%s", err.text);
    cm_kind kind = kind_of_line(&line);
    test_result result;
    memset(&result, 0xa5, sizeof result);
    cm_instant time = cm_rater_time(rater, instant_of(line.start ? line.start : "2025-06-10T00:00:00Z"));
    cm_decide(rater, &kind, time, &result.decision, NULL, NULL);
    cm_priced priced;
    memset(&priced, 0xa5, sizeof priced);
    cr_assert(cm_price(&result.decision, decimal_of(line.quantity ? line.quantity : "3"),
                       decimal_of(line.cost ? line.cost : "10"), decimal_of(line.list ? line.list : "20"), &priced,
                       &err),
              "%s", err.text);
    const cm_decision *d = &result.decision;
    bool suspended = priced.reason != CM_REASON_NONE;
    result.reason = cm_reason_name(priced.reason);
    result.class = suspended ? "suspended" : cm_class_name(d->class);
    result.customer = d->customer ? d->customer->id : "";
    result.rule = !suspended && d->sell_rule ? d->sell_rule->id : "";
    result.buy_rule = !suspended && d->buy_rule ? d->buy_rule->id : "";
    cm_decimal_print(priced.payer, result.payer);
    cm_decimal_print(priced.list, result.list);
    cm_decimal_print(priced.buy, result.buy);
    cm_decimal_print(priced.sell, result.sell);
    if (suspended)
        cr_assert(cm_decimal_is_zero(priced.buy) && cm_decimal_is_zero(priced.sell), "a suspended line costs nothing");
    cr_assert_eq(d->link == NULL, d->customer == NULL);
    if (d->link)
        cr_assert_eq(d->link->customer, d->customer);
    cm_rater_free(rater);
    return result;
}

char *short_of(const test_result *r, char into[static 256])
{
    if (r->reason[0])
        snprintf(into, 256, "%s %s", r->reason, r->customer[0] ? r->customer : "-");
    else
        snprintf(into, 256, "%s %s %s %s", r->class, r->rule[0] ? r->rule : "-", r->buy, r->sell);
    return into;
}

/* --- random ------------------------------------------------------------------------------------------------------ */

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t random_next(random_state *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint32_t random_below(random_state *random, uint32_t bound)
{
    return (uint32_t)(random_next(random) % bound);
}

static const char *const accounts[] = {"000011112222", "000011113333",
                                       "000011114444", "000011115555",
                                       "000011116666", "000011117777",
                                       NOBODYS,        TDS,
                                       ING_BUY,        NULL};
enum { LINKED = 6, WITH_PAYERS = 9 };
static const char *const payers[] = {TDS, TDS_BUY, ING, ING_BUY};

const char *random_account(size_t index)
{
    return accounts[index];
}

/* From 2025-05-01 to 2025-08-01, often at a full hour or the start of a month. */
static cm_instant random_instant(random_state *random)
{
    cm_instant from = cm_period_start((cm_period){2025, 5});
    switch (random_below(random, 4)) {
    case 0:
        return cm_period_start((cm_period){2025, 5 + (int)random_below(random, 3)});
    case 1:
        return from + (cm_instant)random_below(random, 92 * 24) * 3600 * CM_SECOND;
    default:
        return from + (cm_instant)(random_next(random) % (uint64_t)(92 * CM_DAY));
    }
}

static int by_instant(const void *a, const void *b)
{
    const cm_instant *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static size_t distinct_instants(random_state *random, cm_instant *into, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = random_instant(random);
    qsort(into, count, sizeof *into, by_instant);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || into[kept - 1] != into[i])
            into[kept++] = into[i];
    return kept;
}

static void write_rules(random_state *random, cm_buffer *out, bool buy)
{
    static const char *const matches[] = {"service: AmazonEC2",
                                          "service: [AmazonS3, AmazonRDS]",
                                          "usage_type: 'Box*'",
                                          "region: eu-west-1",
                                          "class: [refund, fee]",
                                          "account: '000011112222'",
                                          "unit: Hrs",
                                          "marketplace: true",
                                          "line_item_type: DiscountedUsage",
                                          "operation: '*Inst?nces'"};
    uint32_t count = random_below(random, 4);
    for (uint32_t i = 0; i < count; i++) {
        cm_buffer_printf(out, "{id: r%u-%u, priority: %u, match: {%s}, price: ", i, random_below(random, 9), i + 1,
                         matches[random_below(random, sizeof matches / sizeof *matches)]);
        switch (random_below(random, buy ? 4 : 5)) {
        case 0:
            cm_buffer_printf(out, "{rate: 0.%03u}},", random_below(random, 1000));
            break;
        case 1:
            cm_buffer_text(out, "{free: true}},");
            break;
        case 2:
            cm_buffer_text(out, "{pass: payer}},");
            break;
        case 3:
            cm_buffer_printf(out, "{percent: %d.%02u, of: list}},", (int)random_below(random, 60) - 30,
                             random_below(random, 100));
            break;
        default:
            cm_buffer_printf(out, "{percent: %d, of: buy}},", (int)random_below(random, 60) - 30);
        }
    }
    cm_buffer_printf(out, "{id: all%u, priority: 99, price: {percent: %d, of: payer}}", random_below(random, 5),
                     (int)random_below(random, 40) - 20);
}

static void write_book(random_state *random, cm_buffer *out, const char *id, const char *currency, bool buy)
{
    cm_instant from[4];
    size_t count = distinct_instants(random, from, 1 + random_below(random, 4));
    if (random_below(random, 3) != 0)
        from[0] = instant_of("2025-01-01T00:00:00Z");
    cm_buffer_printf(out, "{kind: PriceBook, id: %s, currency: %s, versions: [", id, currency);
    for (size_t i = 0; i < count; i++) {
        char text[CM_INSTANT_TEXT];
        cm_buffer_printf(out, "{effective_from: '%s', rules: [", cm_instant_print(from[i], text));
        write_rules(random, out, buy);
        cm_buffer_text(out, "]},\n");
    }
    cm_buffer_text(out, "]}\n---\n");
}

enum { CUSTOMERS = 5 };

/* Each account under each payer: a chain of intervals, some left out. */
static void write_links(random_state *random, cm_buffer links[CUSTOMERS])
{
    static const char *const groups[] = {"", ", support_plan_group: through", ", support_plan_group: business"};
    for (int account = 0; account < LINKED; account++) {
        for (int payer = 0; payer < 4; payer++) {
            cm_instant at[5];
            size_t count = distinct_instants(random, at, 2 + random_below(random, 4));
            for (size_t i = 0; i + 1 <= count; i++) {
                char from[CM_INSTANT_TEXT], to[CM_INSTANT_TEXT];
                uint32_t customer =
                    random_below(random, payer < 2 ? CUSTOMERS - 1 : CUSTOMERS); /* O06: the last passes through */
                if (random_below(random, 5) == 0)
                    continue;
                cm_buffer_printf(&links[customer], "{id: '%s', payer: '%s', from: '%s'%s", accounts[account],
                                 payers[payer], cm_instant_print(at[i], from), groups[random_below(random, 3)]);
                if (i + 1 < count)
                    cm_buffer_printf(&links[customer], ", to: '%s'", cm_instant_print(at[i + 1], to));
                cm_buffer_text(&links[customer], "},\n");
            }
        }
    }
}

cm_catalog *random_catalog(uint64_t seed)
{
    static const char *const settings[CUSTOMERS] = {
        "price_book: one", "price_book: two, credit_policy: pass, refund_policy: keep", "price_book: euro",
        "price_book: one, credit_policy: {mode: split, percent: 33.3}",
        "price_book: two, commitment_policy: pass_through"};
    random_state random = {seed};
    cm_buffer out = {0}, links[CUSTOMERS] = {{0}};
    write_book(&random, &out, "one", "USD", false);
    write_book(&random, &out, "two", "USD", false);
    write_book(&random, &out, "euro", "EUR", false);
    write_book(&random, &out, "buy", "USD", true);
    cm_buffer_text(&out, "{kind: SupportPlanGroup, id: through, type: passthrough}\n---\n"
                         "{kind: SupportPlanGroup, id: business, type: business}\n---\n");
    write_links(&random, links);
    for (int i = 0; i < CUSTOMERS; i++) {
        cm_buffer_printf(&out, "{kind: Customer, id: c%d, reseller: northwind, %s, accounts: [", i, settings[i]);
        cm_buffer_text(&out, links[i].data ? links[i].data : "");
        cm_buffer_text(&out, "]}\n---\n");
        cm_buffer_free(&links[i]);
    }
    cm_catalog *catalog = catalog_of(out.data);
    cm_buffer_free(&out);
    return catalog;
}

cm_kind random_kind(random_state *random)
{
    static const char *const types[] = {"Usage",
                                        "Usage",
                                        "Usage",
                                        "Tax",
                                        "Credit",
                                        "Refund",
                                        "Fee",
                                        "RIFee",
                                        "DiscountedUsage",
                                        "SavingsPlanCoveredUsage",
                                        "SavingsPlanNegation",
                                        "BundledDiscount",
                                        "SppDiscount",
                                        "NewType"};
    static const char *const products[] = {"AmazonEC2", "AmazonS3", "AmazonRDS", "AWSSupportBusiness", ""};
    static const char *const usage_types[] = {"BoxUsage:t3.micro", "EU-TimedStorage-ByteHrs", ""};
    static const char *const regions[] = {"eu-west-1", "us-east-1", ""};
#define PICK(list) list[random_below(random, sizeof list / sizeof *list)]
    test_line line = {
        .type = PICK(types),
        .account = accounts[random_below(random, WITH_PAYERS)],
        .product = PICK(products),
        .usage_type = PICK(usage_types),
        .region = PICK(regions),
        .unit = random_below(random, 2) ? "Hrs" : "GB",
        .entity = random_below(random, 8) ? "AWS" : "AWS Marketplace",
        .currency = random_below(random, 6) ? "USD" : "EUR",
        .flags = random_below(random, 4),
    };
    return kind_of_line(&line);
}

size_t boundaries_of(const cm_catalog *catalog, cm_instant **ret)
{
    size_t most = 2 + 2 * catalog->link_count, count = 0;
    for (size_t i = 0; i < catalog->book_count; i++)
        most += catalog->books[i].count;
    cm_instant *list = cm_alloc(most * sizeof *list);
    list[count++] = cm_period_start(june);
    list[count++] = cm_period_end(june);
    for (size_t i = 0; i < catalog->link_count; i++) {
        list[count++] = catalog->links[i].from;
        if (catalog->links[i].to != INT64_MAX)
            list[count++] = catalog->links[i].to;
    }
    for (size_t i = 0; i < catalog->book_count; i++)
        for (size_t v = 0; v < catalog->books[i].count; v++)
            list[count++] = catalog->books[i].versions[v].effective_from;
    *ret = list;
    return count;
}

cm_instant random_time(random_state *random, const cm_catalog *catalog)
{
    if (random_below(random, 2))
        return random_instant(random);
    cm_instant at = INT64_MAX;
    if (random_below(random, 2) && catalog->link_count) {
        const cm_link *link = &catalog->links[random_below(random, (uint32_t)catalog->link_count)];
        at = random_below(random, 2) ? link->from : link->to;
    } else {
        const cm_price_book *book = &catalog->books[random_below(random, (uint32_t)catalog->book_count)];
        at = book->versions[random_below(random, (uint32_t)book->count)].effective_from;
    }
    if (at == INT64_MAX)
        at = cm_period_end(june);
    return at + (cm_instant)random_below(random, 3) - 1;
}
