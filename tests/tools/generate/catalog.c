#include "catalog.h"

#include "catalog_books.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

static FILE *create(const struct world *w, const char *name)
{
    const char *path = text_format("%s/%s", w->options->catalog, name);
    FILE *f = fopen(path, "w");
    if (f == NULL) {
        fprintf(stderr, "generate: cannot create %s: %s\n", path, strerror(errno));
        exit(4);
    }
    fputs("# Written by tests/tools/generate; the amounts and companies are invented.\n", f);
    return f;
}

static void finish(FILE *f)
{
    if (ferror(f) != 0 || fclose(f) != 0) {
        fprintf(stderr, "generate: cannot write the catalog: %s\n", strerror(errno));
        exit(4);
    }
}

/* A double-quoted YAML scalar. */
static const char *quoted(const char *text)
{
    char buffer[256], *p = buffer;
    *p++ = '"';
    for (; *text != '\0' && p < buffer + sizeof buffer - 4; text++) {
        if (*text == '"' || *text == '\\')
            *p++ = '\\';
        *p++ = *text;
    }
    *p++ = '"';
    *p = '\0';
    return text_format("%s", buffer);
}

static void write_resellers(const struct world *w)
{
    FILE *f = create(w, "shared-resellers.yaml");
    fputs("kind: Reseller\nid: northwind\nname: Northwind Cloud\nconsolidation: end_customer\n"
          "---\nkind: Reseller\nid: southgate\nname: Southgate Managed Services\nconsolidation: semi\n",
          f);
    const char *own = w->options->reseller;
    if (strcmp(own, "northwind") != 0 && strcmp(own, "southgate") != 0)
        fprintf(f, "---\nkind: Reseller\nid: %s\nname: %s\nconsolidation: end_customer\n", own, quoted(own));
    finish(f);
}

static void write_groups(const struct world *w)
{
    FILE *f = create(w, "shared-support-groups.yaml");
    static const struct {
        const char *id, *type, *more;
    } groups[] = {
        {"tds-business", "business", "percent: 10\nbuy_percent: 9\n"},
        {"tds-business-small", "business", "percent: 8.5\nminimum: 12\nbase: {layer: payer, classes: [usage]}\n"},
        {"tds-passthrough", "passthrough", ""},
        {"ingram-passthrough", "passthrough", ""},
        {"aws-developer", "developer", ""},
        {"aws-business", "business_public", "base: {layer: list, classes: [usage, covered_usage]}\n"},
        {"aws-business-plus", "business_plus", ""},
        {"aws-enterprise", "enterprise", ""},
        {"no-support", "basic", ""},
    };
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        fprintf(f, "---\nkind: SupportPlanGroup\nid: %s\ntype: %s\n%s", groups[i].id, groups[i].type, groups[i].more);
    finish(f);
}

static void write_rates(const struct world *w)
{
    const struct options *o = w->options;
    FILE *f = create(w, text_format("shared-fx-%s.yaml", o->period));
    static const struct {
        const char *from, *to, *lower, *rate, *distributor_rate;
    } rates[] = {
        {"USD", "EUR", "usd-eur", "0.9217", "0.9301"}, {"USD", "JPY", "usd-jpy", "157.25", "158.1"},
        {"USD", "KWD", "usd-kwd", "0.30705", NULL},    {"USD", "GBP", "usd-gbp", "0.78123456", NULL},
        {"CNY", "EUR", "cny-eur", "0.1278", NULL},     {"CNY", "USD", "cny-usd", "0.1391", NULL},
    };
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (o->missing_fx && strcmp(rates[i].to, "GBP") == 0)
            continue;
        fprintf(f, "---\nkind: FxRate\nid: %s-%s\nset: reseller\nfrom: %s\nto: %s\nperiod: %s\nrate: %s\n",
                rates[i].lower, o->period, rates[i].from, rates[i].to, o->period, rates[i].rate);
        if (rates[i].distributor_rate != NULL)
            fprintf(
                f,
                "---\nkind: FxRate\nid: distributor-%s-%s\nset: distributor\nfrom: %s\nto: %s\nperiod: %s\nrate: %s\n",
                rates[i].lower, o->period, rates[i].from, rates[i].to, o->period, rates[i].distributor_rate);
    }
    finish(f);
}

static const char *support_group(const struct world *w, unsigned account)
{
    static const char *const tdsynnex[8] = {"tds-business",       "tds-business", "tds-passthrough", "aws-developer",
                                            "tds-business-small", NULL,           "aws-enterprise",  "no-support"};
    static const char *const ingram[8] = {"ingram-passthrough", "aws-business", "ingram-passthrough",
                                          "aws-developer",      NULL,           "aws-business-plus",
                                          "aws-enterprise",     "no-support"};
    const struct options *o = w->options;
    if (account > 7 && account % 8 == 6)
        account++; /* one enterprise plan is enough */
    const char *group = (o->model == MODEL_INGRAM ? ingram : tdsynnex)[account % 8];
    if (account == 6 && w->account_count < 12)
        group = "tds-business";                           /* a minimum of 15,000 would drown a small month */
    bool plus = o->year >= 2026, legacy = o->year < 2027; /* the plans AWS sells in this period */
    if (group == NULL)
        return NULL;
    if (strcmp(group, "aws-business-plus") == 0 && !plus)
        return "aws-business";
    if (!legacy && (strcmp(group, "aws-business") == 0 || strcmp(group, "aws-developer") == 0))
        return "aws-business-plus";
    return group;
}

static void write_link(FILE *f, const struct world *w, unsigned i, const char *from, const char *to)
{
    const char *group = support_group(w, i);
    fprintf(f, "  - {id: \"%s\", payer: \"%s\", from: %s", w->account[i].id, w->options->payer, from);
    if (to != NULL)
        fprintf(f, ", to: %s", to);
    if (group != NULL)
        fprintf(f, ", support_plan_group: %s", group);
    fputs("}\n", f);
}

static void write_accounts(FILE *f, const struct world *w, int customer)
{
    const char *middle = text_format("%s-16T00:00:00Z", w->options->period);
    bool any = false;
    for (unsigned i = 0; i < w->account_count; i++) {
        const struct account *a = &w->account[i];
        if (a->customer != customer && a->moves_to != customer)
            continue;
        fputs(any ? "" : "accounts:\n", f);
        any = true;
        if (a->moves_to == customer && a->moves_to >= 0)
            write_link(f, w, i, middle, NULL);
        else if (a->late)
            write_link(f, w, i, middle, NULL);
        else
            write_link(f, w, i, "2020-01-01", a->moves_to >= 0 ? middle : NULL);
    }
    if (!any)
        fputs("accounts: []\n", f);
}

static void write_customer(FILE *f, const struct world *w, unsigned i)
{
    static const struct {
        const char *currency, *book, *commitment, *more;
    } kinds[8] = {
        {"EUR", "standard", "on_demand", "credit_policy: {mode: keep}\ntax: [{name: VAT, percent: 19}]\n"},
        {"USD", "premium", "on_demand",
         "credit_policy: {mode: pass}\ntax: [{name: GST, percent: 5}, {name: QST, percent: 9.975}]\n"},
        {"JPY", "standard", "pass_through",
         "credit_policy: {mode: split, percent: 50}\ntax: [{name: Consumption tax, percent: 10}]\n"},
        {"KWD", "list", "on_demand", "refund_policy: keep\n"},
        {"GBP", "special", "on_demand",
         "credit_policy: {mode: split, percent: 33.333}\ntax: [{name: VAT, percent: 20}]\n"},
        {"USD", "at-cost", "pass_through", "credit_policy: {mode: pass}\n"},
        {"EUR", "premium", "pass_through", "tax: [{name: VAT, percent: 8.1}]\n"},
        {"USD", "standard", "on_demand", "tax: []\n"},
    };
    const struct options *o = w->options;
    bool second_reseller = o->resellers > 1 && i % 3 == 2;
    const char *book =
        strcmp(kinds[i % 8].book, "special") == 0 ? text_format("special-%s", o->suffix) : kinds[i % 8].book;
    const char *reseller = !second_reseller                        ? o->reseller
                           : strcmp(o->reseller, "southgate") == 0 ? "northwind"
                                                                   : "southgate";
    fprintf(f, "---\nkind: Customer\nid: %s\nname: %s\nreseller: %s\ninvoice_currency: %s\nprice_book: %s\n",
            w->customer[i].id, quoted(w->customer[i].name), reseller, kinds[i % 8].currency, book);
    if (o->model == MODEL_INGRAM ||
        strcmp(kinds[i % 8].commitment, "on_demand") == 0) /* R06, O06: not under TD SYNNEX */
        fprintf(f, "commitment_policy: %s\n", kinds[i % 8].commitment);
    fputs(kinds[i % 8].more, f);
    write_accounts(f, w, (int)i);
}

static void write_payer(const struct world *w)
{
    const struct options *o = w->options;
    char out[PATH_MAX];
    if (realpath(o->out, out) == NULL) {
        fprintf(stderr, "generate: %s: %s\n", o->out, strerror(errno));
        exit(4);
    }
    FILE *f = create(w, text_format("payer-%s.yaml", o->payer));
    fprintf(f,
            "kind: Payer\nid: \"%s\"\nlane: %s\nmodel: %s\npayer_kind: %s\nreseller: %s\nsource: {type: folder, path: "
            "%s}\nreports: [%s]\n",
            o->payer, o->lane, o->model == MODEL_INGRAM ? "ingram" : "tdsynnex", o->payer_kind, o->reseller,
            quoted(out), o->report);
    if (!o->no_buy_book)
        fprintf(f, "buy_book: %s\n", o->model == MODEL_INGRAM ? "ingram-buy" : "tds-buy");
    write_payer_book(f, w);
    for (unsigned i = 0; i < w->customer_count; i++)
        write_customer(f, w, i);
    if (o->cny) {
        fprintf(f,
                "---\nkind: Customer\nid: jade-%s\nname: Jade Trading Co., Ltd.\nreseller: %s\ninvoice_currency: "
                "EUR\nprice_book: cny-standard\n"
                "tax: [{name: VAT, percent: 6}]\n",
                o->suffix, o->reseller);
        write_accounts(f, w, CUSTOMER_CNY);
    }
    finish(f);
}

void catalog_write(const struct world *w)
{
    const struct options *o = w->options;
    if (mkdir(o->catalog, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "generate: cannot make folder %s: %s\n", o->catalog, strerror(errno));
        exit(4);
    }
    write_resellers(w);
    write_groups(w);
    write_rates(w);
    FILE *f = create(w, "shared-books.yaml");
    write_shared_books(f, w);
    finish(f);
    if (o->teach && o->unknown_type != NULL) {
        f = create(w, "shared-line-item-types.yaml");
        fprintf(f, "kind: LineItemType\nname: %s\nclass: usage\n", o->unknown_type);
        finish(f);
    }
    write_payer(w);
}
