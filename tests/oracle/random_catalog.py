"""Random catalogs over the accounts and products of a report: every policy, every kind of price, every match key, links and
versions that change in the middle of the month. Text only; the same seed gives the same catalog."""
import random

from . import random_report, when

_CLASSES = ("tax", "provider_discount", "bundled_discount", "credit", "support", "commitment_fee", "refund", "marketplace", "covered_usage",
            "commitment_offset", "usage", "fee")


def values_of(lines):
    """What a catalog can name, from lines of the oracle's reader: field -> sorted distinct values."""
    found = {}
    for line in lines:
        for field in ("account", "line_item_type", "product", "usage_type", "operation", "region", "unit", "sku", "currency"):
            found.setdefault(field, set()).add(getattr(line, field))
    return {field: sorted(value for value in values if value) or ["none"] for field, values in found.items()}


class _Writer:
    def __init__(self, seed, payer, model, period, values):
        self.random = random.Random(seed)
        self.payer, self.model, self.period, self.values = payer, model, period, values

    def text(self, value):
        return "'%s'" % value.replace("'", "''")

    def some(self, field, most=4):
        chosen = self.random.sample(self.values[field], min(len(self.values[field]), self.random.randint(1, most)))
        return "[%s]" % ", ".join(self.text(value) for value in chosen)

    def instant(self):
        day = self.random.randint(1, 28)
        kind = self.random.randrange(3)
        if kind == 0:
            return "%s-%02d" % (self.period, day)
        if kind == 1:
            return "'%s-%02dT%02d:00:00Z'" % (self.period, day, self.random.randrange(24))
        return "'%s-%02dT%02d:%02d:%02d.%06dZ'" % (self.period, day, self.random.randrange(24), self.random.randrange(60),
                                                  self.random.randrange(60), self.random.randrange(1000000))

    def instants(self, count):
        """Distinct ones, ascending, in different forms."""
        found = {when.parse_time(text.strip("'")): text for text in (self.instant() for _ in range(count))}
        return [found[at] for at in sorted(found)]

    def glob(self, field):
        value = self.random.choice(self.values[field])
        cut = self.random.randint(0, len(value))
        middle = self.random.randint(0, max(0, len(value) - 1))
        return self.random.choice([value[:cut] + "*", "*" + value[cut:], value[:middle] + "?" + value[middle + 1:],
                                   "*" + value[cut // 2:cut] + "*", value[:1] + "*" + value[-1:], value])

    def match(self):
        keys = self.random.sample(["service", "usage_type", "operation", "region", "sku", "class", "line_item_type", "account",
                                   "payer", "unit", "marketplace"], self.random.choice([1, 1, 1, 2, 2, 3]))
        parts = []
        for key in keys:
            if key in ("usage_type", "operation"):
                globs = {self.glob(key) for _ in range(self.random.randint(1, 3))}
                parts.append("%s: [%s]" % (key, ", ".join(map(self.text, sorted(globs)))))
            elif key == "class":
                parts.append("class: [%s]" % ", ".join(self.random.sample(_CLASSES, 3)))
            elif key == "payer":
                parts.append("payer: '%s'" % self.payer)
            elif key == "marketplace":
                parts.append("marketplace: %s" % self.random.choice(["true", "false"]))
            else:
                parts.append("%s: %s" % (key, self.some("product" if key == "service" else key)))
        return "{%s}" % ", ".join(parts)

    def price(self, buy):
        kind = self.random.randrange(6)
        if kind == 0:
            return "{rate: %d.%018d}" % (self.random.randrange(3), self.random.randrange(10 ** 18))
        if kind == 1:
            return self.random.choice(["{pass: payer}", "{free: true}"])
        layers = ["list", "payer"] if buy else ["list", "payer", "buy"]
        return "{percent: %d.%06d, of: %s}" % (self.random.randint(-90, 90), self.random.randrange(10 ** 6),
                                              self.random.choice(layers))

    def book(self, book_id, currency="USD", buy=False):
        starts = self.instants(self.random.randint(0, 3))
        if self.random.randrange(10) < 8 or not starts:
            starts = ["2020-01-01"] + starts
        versions = []
        for start in starts:
            rules = ["      - {id: r%d, priority: %d, match: %s, price: %s}" % (i, 10 * i, self.match(), self.price(buy))
                     for i in range(1, self.random.randint(2, 9))]
            rules.append("      - {id: rest, priority: 1000, match: {}, price: {percent: %d.5, of: %s}}"
                         % (self.random.randint(-9, 9), self.random.choice(["list", "payer"])))
            self.random.shuffle(rules)
            versions.append("  - effective_from: %s\n    rules:\n%s" % (start, "\n".join(rules)))
        return "kind: PriceBook\nid: %s\ncurrency: %s\nversions:\n%s\n" % (book_id, currency, "\n".join(versions))

    def links(self, customers):
        """customer -> account entries. Gaps, moves, accounts of nobody, the payer itself sometimes."""
        entries = {customer: [] for customer in customers}
        for account in self.values["account"]:
            if (account == self.payer and self.random.randrange(10) < 5) or self.random.randrange(100) < 7:
                continue
            borders = self.instants(self.random.choice([0, 0, 1, 1, 2, 3]))
            if self.random.randrange(10) < 8 or not borders:
                borders = ["2020-01-01"] + borders
            for i, start in enumerate(borders):
                if i and self.random.randrange(10) < 2:
                    continue                              # a gap
                end = ", to: %s" % borders[i + 1] if i + 1 < len(borders) else ""
                group = self.random.choice(["", ", support_plan_group: through", ", support_plan_group: business", ", support_plan_group: together"])
                entries[self.random.choice(customers)].append(
                    '  - {id: "%s", payer: "%s", from: %s%s%s}' % (account, self.payer, start, end, group))
        return entries

    def terms(self):
        """Dated ones: before, from and after the month; each replaces some keys."""
        keys = {"price_book": ["one", "two", "other"], "refund_policy": ["keep"], "support_plan_group": ["through", "business"],
                "credit_policy": ["keep", "pass", "{mode: split, percent: 12.5}"], "tax": ["[]", "[{name: VAT, percent: 7}]"], "invoice_currency": ["EUR"],
                "commitment_policy": ["on_demand", "pass_through"] if self.model == "ingram" else ["on_demand"]}
        months = [month for month in ("2020-01", self.period, when.next_period(self.period)) if self.random.randrange(5) == 0]
        entries = ["{from: %s, %s}" % (month, ", ".join("%s: %s" % (key, self.random.choice(keys[key]))
                                                        for key in self.random.sample(sorted(keys), self.random.randint(1, 3)))) for month in months]
        return "terms: [%s]\n" % ", ".join(entries) if entries else ""

    def customer(self, customer_id, accounts):
        commitment = self.random.choice(["on_demand", "pass_through"] if self.model == "ingram" else ["on_demand"])
        return ("kind: Customer\nid: %s\nreseller: northwind\nprice_book: %s\ncommitment_policy: %s\ncredit_policy: %s\n"
                "refund_policy: %s\n%saccounts:%s\n"
                % (customer_id, self.random.choice(["one", "two", "other"]), commitment,
                   self.random.choice(["keep", "pass", "{mode: split, percent: 33.333333}", "{mode: split, percent: 50}"]),
                   self.random.choice(["price_book", "keep"]), self.terms(), "\n" + "\n".join(accounts) if accounts else " []"))

    def catalog(self):
        buy_book = self.random.choice(["", "buy_book: buy\n"])
        customers = ["c%d" % i for i in range(1, self.random.randint(3, 8))]
        entries = self.links(customers)
        documents = ["kind: Reseller\nid: northwind\n",
                     'kind: Payer\nid: "%s"\nlane: %s\nmodel: %s\npayer_kind: %s\nreseller: northwind\n%s'
                     % (self.payer, self.model, self.model, "master" if self.model == "ingram" else "shared", buy_book),
                     self.book("one"), self.book("two"), self.book("buy", buy=True),
                     self.book("other", currency=self.random.choice(["USD", "EUR", "CNY"])),
                     "kind: SupportPlanGroup\nid: through\ntype: passthrough\n",
                     "kind: SupportPlanGroup\nid: business\ntype: business\n",
                     "kind: SupportPlanGroup\nid: together\nplan: house\nover: group\nversions: [{from: %s, minimum: 5}]\n" % self.period,
                     "kind: SupportPlan\nid: house\nbands: [{up_to: 100, percent: 10}, {percent: 5}]\n",
                     *("kind: SupportProduct\nid: %s\n" % product for product in random_report.SUPPORT_PRODUCTS if self.random.randrange(3))]
        return "---\n".join(documents + [self.customer(one, entries[one]) for one in customers])


def write(folder, seed, payer, model, period, values):
    """Write catalog.yaml into a new folder."""
    folder.mkdir()
    (folder / "catalog.yaml").write_text(_Writer(seed, payer, model, period, values).catalog(), encoding="utf-8")
    return folder
