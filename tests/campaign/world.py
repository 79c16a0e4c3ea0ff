"""A small made-up reseller for one month of the campaign: two payers, a few customers and accounts, its catalog, and changes that somebody
could make to it. Everything follows from the seed. Two months are its own among 24 worlds that follow each other: exchange rates are of a month,
for all resellers."""
from __future__ import annotations

import importlib.util
import random

from oracle import catalog as catalogs
from oracle import dec, when

# What the oracle of this tree knows, the programs know too: both land together.
HAS_PLANS = importlib.util.find_spec("oracle.support") is not None
HAS_TERMS = hasattr(catalogs.Customer, "at")
HAS_SUPPORT_PRODUCTS = hasattr(catalogs.Catalog(), "support_products")


def amount(rng, low, high, places=(2, 2, 4, 10)):
    digits = rng.choice(places)
    return dec.show(rng.randint(low * 10 ** digits, high * 10 ** digits) * 10 ** (dec.SCALE - digits))


class World:
    """The catalog as it stands; `text()` is what is applied."""

    def __init__(self, seed):
        self.seed, self.rng = seed, random.Random("world %d" % seed)
        rng, self.tail = self.rng, "%04d" % seed
        pair = seed % 24
        self.month = "%d-%02d" % (2022 + pair // 6, 2 * (pair % 6) + 1)
        self.months = (self.month, when.next_period(self.month))
        self.lane = rng.choice(("tdsynnex", "tdsynnex", "ingram"))
        self.payers = ["81%04d00000%d" % (seed, number) for number in (1, 2)]
        self.reseller = "r" + self.tail
        self.consolidation = rng.choice(("end_customer", "end_customer", "end_customer", "semi", "full"))
        self.buy_book = rng.random() < 0.3
        self.customers = {"c%s-%d" % (self.tail, number): self._customer() for number in range(1, rng.randint(2, 4))}
        self.accounts = ["82%04d%06d" % (seed, number) for number in range(1, rng.randint(4, 7))]
        self.unknown = "83%04d000001" % seed
        self.care = "Care" + self.tail                   # a product that a SupportProduct can name: such a document is for all payers
        self.products = ("AmazonEC2", "AmazonS3", "AmazonRDS", "AWSLambda", self.care)
        # (account, payer) -> [[customer, from, to, group], ...]
        self.links = {}
        for account in self.accounts:
            for payer in rng.choice((self.payers[:1], self.payers[1:], self.payers)):
                self.links[account, payer] = [[rng.choice(sorted(self.customers)), "2020-01-01", "", self._group()]]
        self.books = {"a": self._rules(), "b": self._rules()}
        self.groups = {"flat": "type: business\nbuy_percent: 9\n", "through": "type: passthrough\n", "public": "type: business_public\n"}
        if HAS_PLANS:
            self.groups.update(together="plan: house%s\nover: group\n" % self.tail, dated="type: business\n")
        self.rates = {(kind, month): amount(rng, 1, 2, (4,)) for kind in ("reseller", "distributor") for month in self.months}
        self.extras = {}                                 # id -> YAML of a custom charge, credit, line item type or support product

    # -- the first catalog

    def _customer(self):
        rng = self.rng
        return {"invoice_currency": rng.choice(("USD", "USD", "EUR")), "price_book": rng.choice("ab"), "tax": self._tax(),
                "credit_policy": rng.choice(("keep", "pass", "{mode: split, percent: 40}")), "terms": {}}

    def _tax(self):
        return self.rng.choice(("[]", "[{name: VAT, percent: 19}]", "[{name: VAT, percent: 7.7}, {name: GST, percent: 5}]"))

    def _group(self):
        return self.rng.choice(["", "flat", "through", "public"] + ["together", "dated"] * HAS_PLANS)

    def _price(self):
        rng = self.rng
        return rng.choice(("{pass: payer}", "{percent: %s, of: list}" % amount(rng, -20, 20), "{percent: %s, of: payer}" % amount(rng, -5, 30),
                           "{rate: %s}" % amount(rng, 0, 2)))

    def _rules(self):
        rng = self.rng
        rules = ["{id: ec2, priority: 1, match: {service: AmazonEC2}, price: %s}" % self._price()]
        if rng.random() < 0.4:
            rules.append("{id: s3, priority: 2, match: {service: AmazonS3, class: usage}, price: {tiers: [{up_to: 50, rate: %s}, {rate: %s}], mode: %s, over: %s}}" % (
                amount(rng, 1, 2), amount(rng, 0, 1), rng.choice(("graduated", "volume")), rng.choice(("account", "customer"))))
        if rng.random() < 0.5:
            rules.append("{id: lambda, priority: 3, match: {service: AWSLambda}, price: %s}" % rng.choice(("{free: true}", self._price())))
        return [*rules, "{id: rest, priority: 9, match: {}, price: {percent: %s, of: payer}}" % amount(rng, -3, 15)]

    # -- changes that somebody makes

    def edit(self, rng):
        """One change; what it was, in words."""
        changes = [self._edit_book, self._edit_book, self._edit_customer, self._edit_tax, self._edit_rate, self._edit_extra, self._edit_link, self._edit_group]
        return rng.choice(changes + [self._edit_terms] * HAS_TERMS)()

    def _edit_book(self):
        book = self.rng.choice("ab")
        self.books[book] = self._rules()
        return "book %s" % book

    def _edit_customer(self):
        name = self.rng.choice(sorted(self.customers))
        key, value = self.rng.choice((("price_book", self.rng.choice("ab")), ("credit_policy", self.rng.choice(("keep", "pass"))),
                                      ("refund_policy", "keep"), ("invoice_currency", self.rng.choice(("USD", "EUR")))))
        self.customers[name][key] = value
        return "%s %s: %s" % (name, key, value)

    def _edit_tax(self):
        name = self.rng.choice(sorted(self.customers))
        self.customers[name]["tax"] = self._tax()
        return "%s tax: %s" % (name, self.customers[name]["tax"])

    def _edit_rate(self):
        key = self.rng.choice(sorted(self.rates))
        self.rates[key] = amount(self.rng, 1, 2, (4,))
        return "rate %s %s" % key

    def _edit_extra(self):
        rng, name, customer = self.rng, "x%s-%d" % (self.tail, self.rng.randint(1, 3)), self.rng.choice(sorted(self.customers))
        lane = "customer: %s\nlane: %s\n" % (customer, self.lane)
        self.extras[name] = rng.choice((
            "kind: CustomCharge\nid: %s\nname: Fee\n%samount: %s\ncurrency: USD\nfrom: %s\n" % (name, lane, amount(rng, 1, 90), rng.choice(self.months)),
            "kind: CustomCharge\nid: %s\nname: Share\n%spercent: %s\nfrom: %s\n" % (name, lane, amount(rng, 1, 9), rng.choice(self.months)),
            "kind: Credit\nid: %s\n%samount: %s\ncurrency: USD\nfrom: %s\n" % (name, lane, amount(rng, 5, 200), self.month)))
        if HAS_SUPPORT_PRODUCTS and rng.random() < 0.2:
            self.extras[self.care] = "kind: SupportProduct\nid: %s\n" % self.care
            return "SupportProduct"
        return "%s for %s" % (self.extras[name].split("\n", 1)[0], customer)

    def _edit_link(self):
        """A move to another customer or group on the 1st or inside the month, or from the beginning."""
        rng, key = self.rng, self.rng.choice(sorted(self.links))
        start = rng.choice(("2020-01-01", "%s-01" % self.months[1], "%s-%02d" % (self.month, rng.randint(2, 28))))
        held = [link for link in self.links[key] if link[1] < start]
        if held:
            held[-1][2] = start
        self.links[key] = held + [[rng.choice(sorted(self.customers)), start, "", self._group()]]
        return "account %s under %s from %s: %s" % (*key, start, self.links[key][-1][0])

    def _edit_group(self):
        if HAS_PLANS and self.rng.random() < 0.5:
            self.groups["dated"] = "type: business\nversions: [{from: %s, percent: %s, minimum: %s}]\n" % (
                self.rng.choice(self.months), amount(self.rng, 1, 20), amount(self.rng, 0, 30))
            return "group dated"
        self.groups["flat"] = "type: business\npercent: %s\nbuy_percent: 8\n" % amount(self.rng, 1, 15)
        return "group flat"

    def _edit_terms(self):
        name, month = self.rng.choice(sorted(self.customers)), self.rng.choice(self.months)
        self.customers[name]["terms"][month] = self.rng.choice(("price_book: %s%s" % (self.rng.choice("ab"), self.tail), "tax: %s" % self._tax(), "credit_policy: pass",
                                                               "support_plan_group: flat%s" % self.tail))
        return "%s from %s: %s" % (name, month, self.customers[name]["terms"][month])

    # -- as YAML

    def text(self):
        tail = self.tail
        parts = ["kind: Reseller\nid: %s\nname: Reseller %s\nconsolidation: %s\n" % (self.reseller, tail, self.consolidation)]
        parts += ['kind: Payer\nid: "%s"\nlane: %s\nmodel: %s\npayer_kind: %s\nreseller: %s\nsource: {type: folder, path: /nowhere/%s}\n%s' % (
            payer, self.lane, self.lane, "master" if self.lane == "ingram" else "shared", self.reseller, payer, "buy_book: buy%s\n" % tail if self.buy_book else "")
            for payer in self.payers]
        parts += ["kind: PriceBook\nid: %s%s\ncurrency: USD\nversions:\n  - effective_from: 2020-01-01\n    rules:\n%s\n" % (
            book, tail, "\n".join("      - " + rule for rule in rules)) for book, rules in self.books.items()]
        parts.append("kind: PriceBook\nid: buy%s\ncurrency: USD\nversions:\n  - effective_from: 2020-01-01\n    rules:\n"
                     "      - {id: all, priority: 1, match: {}, price: {percent: -3, of: payer}}\n" % tail)
        parts += ["kind: SupportPlanGroup\nid: %s%s\n%s" % (name, tail, text) for name, text in self.groups.items()]
        if HAS_PLANS:
            parts.append("kind: SupportPlan\nid: house%s\nminimum: 12.5\nbands: [{up_to: 100, percent: 9.5}, {percent: 4}]\n" % tail)
        parts += ["kind: FxRate\nid: f%s-%s-%s\nset: %s\nfrom: USD\nto: EUR\nperiod: %s\nrate: %s\n" % (tail, kind[0], month, kind, month, rate)
                  for (kind, month), rate in self.rates.items()]
        parts += self.extras.values()
        for name, own in self.customers.items():
            links = ['  - {id: "%s", payer: "%s", from: %s%s%s}' % (account, payer, start, end and ", to: " + end, group and ", support_plan_group: %s%s" % (group, tail))
                     for (account, payer), held in self.links.items() for customer, start, end, group in held if customer == name]
            keys = "".join("%s: %s\n" % (key, value) for key, value in own.items() if key not in ("terms", "price_book"))
            if own["terms"]:
                keys += "terms:\n" + "".join("  - {from: %s, %s}\n" % pair for pair in sorted(own["terms"].items()))
            parts.append("kind: Customer\nid: %s\nname: The %s\nreseller: %s\nprice_book: %s%s\n%saccounts:%s\n" % (
                name, name, self.reseller, own["price_book"], tail, keys, "\n" + "\n".join(links) if links else " []"))
        return "---\n".join(parts)
