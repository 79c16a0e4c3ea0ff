"""A year of an operator's work, made up: payers of both lanes, resellers of every consolidation, moves, credits, FX, restatements. Each month's
report is written as CSV, rated by rate-file (the program) and by the oracle; store-probe closes months in a database of its own."""
from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess

import months
import stack as stacks
from oracle import catalog as catalogs
from oracle import cur, dec, rate

A, B, C = "111122223333", "777788889999", "444455556666"
PAYERS = {A: "tdsynnex", B: "tdsynnex", C: "ingram"}
MONTHS = tuple("2025-%02d" % month for month in range(1, 13))
END = "9999-01"

# account -> [(customer, payer, from, to, support plan group)]: moves between customers, between payers, in mid-month.
LINKS = {
    "000000000001": [("c1", A, "2025-01-01", END, "flat")],
    "000000000002": [("c1", A, "2025-01-01", "2025-05-01", "flat"), ("c2", A, "2025-05-01", END, "public")],
    "000000000003": [("c2", A, "2025-01-01", "2025-04-01", ""), ("c2", B, "2025-04-01", END, "")],
    "000000000004": [("c3", B, "2025-01-01", "2025-08-15", "flat"), ("c4", B, "2025-08-15", END, "flat")],
    "000000000005": [("c3", C, "2025-01-01", END, "through")],
    "000000000006": [("c4", B, "2025-01-01", END, "public")],
    "000000000007": [("c4", C, "2025-01-01", END, "flat")],
    "000000000008": [("c5", A, "2025-01-01", "2025-03-11", "flat"), ("c5", A, "2025-03-11", "2025-11-20", "public"), ("c5", A, "2025-11-20", END, "flat")],
    "000000000009": [("c5", C, "2025-01-01", END, "")],
    "000000000010": [("c6", B, "2025-01-01", "2025-10-01", "flat"), ("c5", B, "2025-10-01", END, "flat")],
    "000000000011": [("c6", C, "2025-01-01", END, "together")],
    "000000000012": [("c6", A, "2025-01-01", "2025-06-16", "through"), ("c6", A, "2025-06-16", END, "together")],
    "000000000014": [("c6", C, "2025-02-01", END, "together")],
    "000000000013": [("c3", A, "2025-01-01", "2025-07-01", "flat")],
}
CUSTOMERS = {   # reseller, invoice currency, book, taxes, more
    "c1": ("one", "USD", "std", "[{name: VAT, percent: 19}]", ""),
    "c2": ("one", "EUR", "gold", "[{name: VAT, percent: 7.7}, {name: GST, percent: 5}]", "credit_policy: {mode: split, percent: 33}\n"
           "terms: [{from: 2025-04, tax: [{name: VAT, percent: 8.1}]}, {from: 2025-09, invoice_currency: USD, price_book: std}]\n"),
    "c3": ("several", "EUR", "std", "[{name: VAT, percent: 19}]", "credit_policy: pass\nterms: [{from: 2025-07, credit_policy: keep, support_plan_group: flat}]\n"),
    "c4": ("several", "EUR", "gold", "[]", "refund_policy: keep\n"),
    "c5": ("whole", "JPY", "std", "[{name: VAT, percent: 10}]", ""),
    "c6": ("whole", "KWD", "gold", "[{name: VAT, percent: 5}]", ""),
}
KINDS = (("Usage",) * 8 + ("SavingsPlanCoveredUsage", "DiscountedUsage", "SavingsPlanNegation", "RIFee", "EdpDiscount", "EdpDiscount", "SppDiscount", "Credit",
                           "Refund", "Tax", "Fee", "BundledDiscount", "Marketplace", "Support"))
PRODUCTS = ("AmazonEC2", "AmazonS3", "AmazonRDS", "AWSLambda")


def amount(rng, low, high):
    places = rng.choice((2, 2, 5, 10, 18))
    return dec.show(rng.randint(low * 10 ** places, high * 10 ** places) * 10 ** (18 - places))


def _books():
    tiers = ("{tiers: [{up_to: 100, rate: 0.31}, {up_to: 400.5, rate: 0.222222222222222222}, {rate: 0.1}], mode: graduated, over: account}",
             "{tiers: [{up_to: 200, rate: 0.3}, {rate: 0.15}], mode: volume, over: customer}")
    yield ("kind: PriceBook\nid: std\ncurrency: USD\nversions:\n"
           "  - effective_from: 2024-01-01\n    rules:\n"
           "      - {id: s3, priority: 1, match: {service: AmazonS3, class: usage}, price: %s}\n"
           "      - {id: ec2, priority: 2, match: {service: AmazonEC2}, price: {percent: -5, of: list}}\n"
           "      - {id: rest, priority: 9, match: {}, price: {percent: 8.5, of: payer}}\n"
           "  - effective_from: 2025-06-01\n    rules:\n"
           "      - {id: s3, priority: 1, match: {service: AmazonS3, class: usage}, price: %s}\n"
           "      - {id: ec2, priority: 2, match: {service: AmazonEC2}, price: {percent: -12.5, of: list}}\n"
           "      - {id: rest, priority: 9, match: {}, price: {percent: 8.5, of: payer}}\n"
           "  - effective_from: '2025-09-10T12:00:00Z'\n    rules:\n"
           "      - {id: s3, priority: 1, match: {service: AmazonS3, class: usage}, price: %s}\n"
           "      - {id: rds, priority: 2, match: {service: AmazonRDS, class: usage}, price: {rate: 0.333333333333333333}}\n"
           "      - {id: rest, priority: 9, match: {}, price: {percent: 3, of: payer}}\n" % (tiers[0], tiers[1], tiers[1]))
    yield ("kind: PriceBook\nid: gold\ncurrency: USD\nversions:\n  - effective_from: 2024-01-01\n    rules:\n"
           "      - {id: gift, priority: 1, match: {service: AWSLambda, usage_type: '*a'}, price: {free: true}}\n"
           "      - {id: rest, priority: 9, match: {}, price: {percent: 2, of: buy}}\n")
    yield ("kind: PriceBook\nid: buying\ncurrency: USD\nversions:\n  - effective_from: 2024-01-01\n    rules:\n"
           "      - {id: rest, priority: 9, match: {}, price: {percent: -3, of: payer}}\n")


def write_catalog(folder, rng):
    texts = ["kind: Reseller\nid: %s\nconsolidation: %s\n" % pair for pair in (("one", "end_customer"), ("several", "semi"), ("whole", "full"))]
    texts += ['kind: Payer\nid: "%s"\nlane: %s\nmodel: %s\npayer_kind: %s\nreseller: one\n%s' % (
        payer, lane, lane, "master" if lane == "ingram" else "shared", "buy_book: buying\n" if payer == A else "") for payer, lane in PAYERS.items()]
    texts += ["kind: SupportPlanGroup\nid: flat\ntype: business\nbuy_percent: 9\n", "kind: SupportPlanGroup\nid: through\ntype: passthrough\n",
              "kind: SupportPlanGroup\nid: public\ntype: business_public\nminimum: 3\nversions: [{from: 2025-07, minimum: 40}, {from: 2025-10, percent: 8, buy_percent: 6}]\n",
              "kind: SupportPlanGroup\nid: together\nplan: house\nover: group\nbuy_percent: 5\n",
              "kind: SupportPlan\nid: house\nfrom: 2025-01\nto: 2026-01\nminimum: 25\nbands: [{up_to: 200.5, percent: 11}, {percent: 3.3}]\n"]
    texts += _books()
    for kind, low in (("reseller", 1), ("distributor", 1)):
        texts += ["kind: FxRate\nid: %s-%s-%s\nset: %s\nfrom: USD\nto: %s\nperiod: %s\nrate: %s\n" % (
            kind[0], to.lower(), month, kind, to, month, amount(rng, low, 2 if to != "JPY" else 160)) for to in ("EUR", "JPY", "KWD") for month in MONTHS]
    for name, (reseller, currency, book, tax, more) in CUSTOMERS.items():
        links = ['  - {id: "%s", payer: "%s", from: %s%s%s}' % (account, payer, start, "" if end == END else ", to: " + end,
                                                               ", support_plan_group: " + group if group else "")
                 for account, links in LINKS.items() for customer, payer, start, end, group in links if customer == name]
        texts.append("kind: Customer\nid: %s\nname: The %s\nreseller: %s\nprice_book: %s\ninvoice_currency: %s\ntax: %s\n%saccounts:\n%s\n" % (
            name, name, reseller, book, currency, tax, more, "\n".join(links)))
    texts += ["kind: CustomCharge\nid: managed\ncustomer: c1\nlane: tdsynnex\npercent: 4.5\nfrom: 2025-02\n",
              "kind: CustomCharge\nid: onboarding\ncustomer: c4\nlane: ingram\namount: 99.995\ncurrency: USD\nperiod: 2025-03\n",
              "kind: CustomCharge\nid: monitoring\ncustomer: c6\nlane: tdsynnex\namount: 12.345\ncurrency: USD\nfrom: 2025-03\nto: 2025-11\n",
              "kind: CustomCharge\nid: goodwill\ncustomer: c5\nlane: tdsynnex\namount: -20\ncurrency: USD\nperiod: 2025-07\n"]
    texts += ["kind: Credit\nid: %s\ncustomer: %s\nlane: %s\namount: %s\ncurrency: USD\nfrom: %s\n%s" % one for one in (
        ("welcome", "c1", "tdsynnex", "2500", "2025-01", "expires: 2025-06\n"), ("loyal", "c1", "tdsynnex", "900.005", "2025-03", ""),
        ("migration", "c3", "tdsynnex", "4000", "2025-02", "expires: 2025-12\n"), ("spring", "c5", "ingram", "300", "2025-04", "expires: 2025-05\n"),
        ("long", "c6", "ingram", "1500", "2025-01", ""))]
    (folder / "catalog.yaml").write_text("---\n".join(texts))
    return catalogs.from_folder(folder)


class Reports:
    """Lines of each (payer, month), versions of them, their files and what both implementations make of them."""

    def __init__(self, folder, seed):
        self.rng = random.Random(seed)
        self.folder = folder
        (folder / "catalog").mkdir(parents=True)
        self.catalog = write_catalog(folder / "catalog", self.rng)
        self.lines, self.versions = {}, {}

    def _line(self, account, start, kind):
        rng, cost = self.rng, amount(self.rng, 0, 300)
        line = {"account": account, "type": kind, "product": rng.choice(PRODUCTS), "usage_type": rng.choice(("a", "b")), "cost": cost, "start": start,
                "quantity": amount(rng, 0, 300), "unit": rng.choice(("Hrs", "GB")), "list": amount(rng, 1, 400)}
        if kind in ("EdpDiscount", "SppDiscount", "Credit", "Refund", "BundledDiscount", "SavingsPlanNegation"):
            line.update(cost="-" + cost if cost != "0" else "0", list="")
        elif kind in ("Tax", "Fee", "RIFee"):
            line.update(list="")
        elif kind == "Marketplace":
            line.update(type="Usage", entity="AWS Marketplace")
        elif kind == "Support":
            line.update(type="Usage", product="AWSSupportBusiness", list="")
        return line

    def _new_lines(self, payer, month, count, kinds=KINDS):
        held = [(account, start, end) for account, links in LINKS.items() for _, at, start, end, _ in links
                if at == payer and start[:7] <= month and (end[:7] > month or (end[:7] == month and end[8:] > "01"))]
        for _ in range(count):
            account, start, end = self.rng.choice(held)
            first = int(start[8:]) if start[:7] == month else 1
            last = int(end[8:]) - 1 if end[:7] == month else 28
            yield self._line(account, "%s-%02dT%02d:00:00Z" % (month, self.rng.randint(first, last), self.rng.randrange(24)), self.rng.choice(kinds))

    def write(self, payer, month, final):
        """Another version of a month: (name, the program's charges as store-probe takes them, the oracle's Charges)."""
        rng, key = self.rng, (payer, month)
        lines = self.lines.get(key)
        if lines is None:
            lines = list(self._new_lines(payer, month, 30)) + list(self._new_lines(payer, month, 6, ("EdpDiscount", "SppDiscount")))
        else:
            lines = [dict(line) for line in lines if rng.random() > 0.03] + list(self._new_lines(payer, month, rng.randint(1, 4)))
            for line in rng.sample(lines, 3):
                if line["type"] in ("Usage", "EdpDiscount", "Refund"):
                    line["cost"] = ("-" if line["cost"].startswith("-") else "") + amount(rng, 1, 300)
        self.lines[key] = lines
        for position, line in enumerate(lines):
            line["invoice"] = "INV" if final or position % 7 else ""
        version = self.versions[key] = self.versions.get(key, 0) + 1
        name = "%s-%s-%d" % (payer, month, version)
        file = months.write_report(self.folder / (name + ".csv"), payer, month, lines)
        done = subprocess.run([stacks.programs() / "rate-file", "--catalog", self.folder / "catalog", "--payer", payer, "--period", month, file],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rated = json.loads(done.stdout)
        ours = rate.rate_lines(self.catalog, payer, month, cur.read_files([file], payer, month))
        assert (rated["lines"], rated["final_lines"], rated["suspended_lines"]) == (ours.lines, ours.final_lines, ours.suspended_lines)
        return name, rated, ours


class Database:
    """A new one on the server of a stack."""

    def __init__(self, server, name):
        server.sql(f"CREATE DATABASE {name}")
        self.conninfo = re.sub(r"dbname=\S+", "dbname=" + name, server.database)

    def sql(self, query):
        """Rows of a query, every value as text."""
        done = subprocess.run(["psql", "-X", "--csv", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo, "-c", query], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))


class Probe:
    """store-probe on a database."""

    def __init__(self, database):
        self.process = subprocess.Popen([stacks.programs() / "store-probe", database], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.now = "2025-01-01T00:00:00Z"

    def __call__(self, do, **values):
        self.process.stdin.write(json.dumps({"do": do, "now": self.now, **values}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, (do, values.get("id"), answer)
        return answer

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
