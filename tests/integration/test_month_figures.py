"""Generated months against the oracle: consolidation, tiers, custom charges and reseller credits over months (rating.md sections 4, 5;
statements.md sections 2, 3; N18, I01-I03, R06). No server: the pure function through statement-probe."""
import json
import random
import subprocess

import pytest

import stack as stacks
from oracle import catalog as catalogs
from oracle import compare, dec, margin, rate, statement, when

PAYERS = ("111122223333", "777788889999")
LANE = "tdsynnex"
MONTHS = ("2025-06", "2025-07", "2025-08", "2025-09")
CLASSES = ("usage", "usage", "usage", "covered_usage", "fee", "commitment_fee", "provider_discount", "marketplace", "credit", "refund", "support", "tax", "bundled_discount")


def _amount(rng, low=-20, high=400):
    places = rng.choice((0, 2, 5, 18))
    return dec.show(rng.randint(low * 10 ** places, high * 10 ** places) * 10 ** (18 - places))


def _tiers(rng):
    borders = sorted(rng.sample(range(1, 900), rng.randint(0, 3)))
    tiers = ["{up_to: %d, rate: %s}" % (border, _amount(rng, 0, 2)) for border in borders] + ["{rate: %s}" % _amount(rng, 0, 1)]
    return "{tiers: [%s], mode: %s, over: %s}" % (", ".join(tiers), rng.choice(("graduated", "volume")), rng.choice(("account", "customer")))


def _base(rng):
    classes = rng.sample(sorted(set(CLASSES)), rng.randint(1, 4))
    return "{layer: %s, classes: [%s]}" % (rng.choice(("payer", "list", "buy", "sell")), ", ".join(classes))


def _taxes(rng):
    return "[%s]" % ", ".join("{name: %s, percent: %s}" % pair for pair in rng.sample([("VAT", "19"), ("VAT", "7.7"), ("GST", "5")], rng.randint(0, 2)))


def _terms(rng):
    """Dated terms (rating.md section 8): some keys change at a month's beginning."""
    entries = []
    for month in ("2025-05", "2025-07", "2025-09"):
        keys = {"tax": _taxes(rng), "invoice_currency": rng.choice(("USD", "EUR", "JPY")), "support_plan_group": rng.choice(("flat", "public"))}
        if rng.random() < 0.2:
            entries.append("{from: %s, %s}" % (month, ", ".join("%s: %s" % (key, keys[key]) for key in rng.sample(sorted(keys), rng.randint(1, 3)))))
    return "terms: [%s]\n" % ", ".join(entries) if entries else ""


GROUPS = ("flat", "public", "through", "together", "house", "none")


def _groups(rng):
    """A group of each kind (rating.md section 6): flat, published, as AWS charges, over a group, a plan of the catalog, dated versions."""
    yield "kind: SupportPlanGroup\nid: flat\ntype: business\nbuy_percent: 9\n%s" % rng.choice(("", "versions: [{from: 2025-07, percent: %s}, {from: 2025-08, buy_percent: 7, minimum: %s}]\n"
                                                                                               % (_amount(rng, 0, 30), _amount(rng, 0, 90))))
    yield "kind: SupportPlanGroup\nid: through\ntype: passthrough\n"
    yield "kind: SupportPlanGroup\nid: none\ntype: basic\n"
    yield "kind: SupportPlanGroup\nid: public\ntype: business_public\nbase: %s\n" % _base(rng)
    yield "kind: SupportPlanGroup\nid: together\n%s\nover: group\nbuy_percent: 8.5\n%s" % (
        rng.choice(("type: business", "type: enterprise", "plan: house", "plan: enterprise_on_ramp")), rng.choice(("", "minimum: 77.7\n", "base: %s\n" % _base(rng))))
    yield "kind: SupportPlanGroup\nid: house\nplan: house\n"
    yield "kind: SupportPlan\nid: house\nfrom: 2025-%s\nto: 2026-07\nminimum: %s\nbands: [{up_to: 100, percent: 12.5}, {up_to: 500.5, percent: 7}, {percent: %s}]\n" % (
        rng.choice(("01", "07")), _amount(rng, 0, 40), _amount(rng, 0, 5))


def _instant(rng):
    month = rng.choice(MONTHS)
    return rng.choice(("%s-01" % month, "%s-%02d" % (month, rng.randint(2, 28)), "'%s-%02dT%02d:30:00Z'" % (month, rng.randint(1, 28), rng.randrange(24))))


def _links(rng, account, payer):
    """One link, or two or three in turn whose groups differ; each as YAML."""
    borders = sorted({when.parse_time(text.strip("'")): text for text in (_instant(rng) for _ in range(rng.choice((0, 0, 1, 2))))}.items())
    starts = ["2025-01-01"] + [text for _, text in borders]
    for start, end in zip(starts, [*starts[1:], ""]):
        group = rng.choice(("",) + GROUPS)
        yield '  - {id: "%s", payer: "%s", from: %s%s%s}' % (account, payer, start, end and ", to: " + end, group and ", support_plan_group: " + group)


def _customers(rng, world):
    for number in range(rng.randint(1, 6)):
        name = "c%d" % number
        world.customers.append(name)
        links = []
        for account in range(rng.randint(1, 3)):
            world.accounts.append((name, "%06d%06d" % (number + 1, account)))
            for payer in rng.sample(PAYERS, rng.randint(1, 2)):
                links += _links(rng, world.accounts[-1][1], payer)
        yield "kind: Customer\nid: %s\nname: The %s\nreseller: %s\nprice_book: book\ninvoice_currency: %s\ntax: %s\n%saccounts:\n%s\n" % (
            name, name, rng.choice(("one", "several", "whole")), rng.choice(("USD", "EUR", "JPY", "KWD")), _taxes(rng), _terms(rng), "\n".join(links))


def _money(rng, world):
    for number in range(rng.randint(0, 5)):
        size = "amount: %s\ncurrency: %s" % (_amount(rng, -50), rng.choice(("USD", "USD", "EUR"))) if rng.random() < 0.6 else \
            "percent: %s%s" % (_amount(rng, -10, 30), "\nbase: " + _base(rng) if rng.random() < 0.7 else "")
        when = "period: %s" % rng.choice(MONTHS) if rng.random() < 0.4 else "from: %s%s" % rng.choice((("2025-01", ""), ("2025-07", "\nto: 2025-09")))
        yield "kind: CustomCharge\nid: k%d\nname: Fee %d\ncustomer: %s\n%s\n%s\n" % (number, number % 2, rng.choice(world.customers), size, when)
    for number in range(rng.randint(0, 5)):
        expires = rng.choice(("", "expires: 2025-08\n", "expires: 2025-09\n"))
        yield "kind: Credit\nid: g%d\ncustomer: %s\nlane: tdsynnex\namount: %s\ncurrency: USD\nfrom: %s\n%s" % (
            number, rng.choice(world.customers), _amount(rng, 1, 2000), rng.choice(("2025-01", "2025-07")), expires)


class World:
    """A catalog, and charges for each month."""

    def __init__(self, seed, folder):
        rng = self.rng = random.Random(seed)
        self.customers, self.accounts = [], []
        texts = ['kind: Payer\nid: "%s"\nlane: tdsynnex\nmodel: tdsynnex\npayer_kind: shared\nreseller: one\n' % payer for payer in PAYERS]
        texts += ["kind: Reseller\nid: %s\nconsolidation: %s\n" % pair for pair in (("one", "end_customer"), ("several", "semi"), ("whole", "full"))]
        texts += _groups(rng)
        texts += ["kind: FxRate\nid: f-%s-%s\nset: reseller\nfrom: USD\nto: %s\nperiod: %s\nrate: %s\n" % (to, month, to, month, _amount(rng, 1, 3))
                  for to in ("EUR", "JPY", "KWD") for month in MONTHS if rng.random() < 0.8]
        texts += ["kind: FxRate\nid: d-%s-%s\nset: distributor\nfrom: USD\nto: %s\nperiod: %s\nrate: %s\n" % (to, month, to, month, _amount(rng, 1, 3))
                  for to in ("EUR", "JPY", "KWD") for month in MONTHS if rng.random() < 0.6]
        texts.append("kind: PriceBook\nid: book\ncurrency: USD\nversions:\n  - effective_from: 2025-01-01\n    rules:\n"
                     "      - {id: t1, priority: 1, match: {service: s1}, price: %s}\n      - {id: t2, priority: 2, match: {service: s2}, price: %s}\n"
                     "      - {id: rest, priority: 9, match: {}, price: {pass: payer}}\n"
                     "  - effective_from: 2025-08-01\n    rules:\n      - {id: t1, priority: 1, match: {service: s1}, price: %s}\n"
                     "      - {id: rest, priority: 9, match: {}, price: {pass: payer}}\n" % (_tiers(rng), _tiers(rng), _tiers(rng)))
        texts += [*_customers(rng, self), *_money(rng, self)]
        (folder / "catalog.yaml").write_text("---\n".join(texts))
        self.folder = folder
        self.catalog = catalogs.from_folder(folder)

    def group(self, payer, account, period):
        """One that a link of the account names at some time of the month."""
        start, end = when.period_bounds(period)
        return self.rng.choice([self.catalog.group_of(link, period) for link in self.catalog.links.get((payer, account), ())
                                if link.start < end and (link.end is None or link.end > start)] or [""])

    def charges(self, period):
        """The oracle's Charges of both payers."""
        rng = self.rng
        answer = [rate.Charges(payer, period) for payer in PAYERS]
        for _ in range(rng.randint(0, 60)):
            customer, account = rng.choice(self.accounts)
            kind = rng.choice(CLASSES)
            rule = rng.choice(("t1", "t2", "rest", "gone")) if kind not in ("refund", "bundled_discount", "credit", "tax", "support", "provider_discount", "commitment_fee") else ""
            charges = rng.choice(answer)
            sell = "0" if rule in ("t1", "t2") else _amount(rng)
            key = rate.ChargeKey(charges.payer, account, customer, "Usage", kind, rng.choice(("s1", "s2", "z")), rng.choice("xy"), "", "",
                                 rng.choice(("Hrs", "GB")), rule, rng.choice(("USD",) * 9 + ("EUR",)), "", "", self.group(charges.payer, account, period))
            charges.rows[key] = [1, *(dec.parse(_amount(rng)) for _ in range(4)), dec.parse(sell)]
            if kind == "provider_discount":                       # kept by the distributor, or the reseller's
                charges.rows[key][2:] = [-charges.rows[key][2], 0, rng.choice((0, -charges.rows[key][2])), 0]
            charges.lines += 1
        return answer

    def discounts(self, period):
        """N12: credited in this month for earlier ones, (customer, account, product, currency, earned, amount); some of customers without charges."""
        rng, found = self.rng, {}
        for _ in range(rng.randint(0, 12)):
            customer, account = rng.choice(self.accounts)
            place = (customer, account, rng.choice(("s1", "s2", "z")), rng.choice(("USD",) * 9 + ("EUR",)), rng.choice([m for m in ("2025-05", *MONTHS) if m < period]))
            found[place] = dec.parse(_amount(rng, -50))
        return [(*place, amount) for place, amount in found.items()]

    def probe(self, charges_list, period, used, discounts=()):
        """(documents, uses, margins) of the program."""
        rows = [{"customer": key.customer, "payer": key.payer, "account": key.account, "product": key.product, "usage_type": key.usage_type,
                 "unit": key.unit, "currency": key.currency, "class": key.charge_class, "rule": key.rule, "group": key.group,
                 **dict(zip(("quantity", "payer_amount", "list_amount", "buy_amount", "sell_amount"), map(dec.show, row[1:])))}
                for charges in charges_list for key, row in charges.rows.items()]
        for charge in self.catalog.custom_charges.values():       # customers without charges, as the store does it
            if charge.percent is None and charge.start <= period and (charge.to is None or period < charge.to):
                rows.append({**{name: "" for name in ("payer", "account", "product", "usage_type", "unit", "rule", "group")}, "class": "fee",
                             "customer": charge.customer, "currency": charge.currency,
                             **{name: "0" for name in ("quantity", "payer_amount", "list_amount", "buy_amount", "sell_amount")}})
        self.rng.shuffle(rows)
        done = subprocess.run([stacks.programs() / "statement-probe", self.folder, LANE, period], text=True, capture_output=True,
                              input=json.dumps({"charges": rows, "used": {credit: dec.show(amount) for credit, amount in used.items()},
                                                 "discounts": [dict(zip(("customer", "account", "product", "currency", "earned", "amount"), (*one[:5], dec.show(one[5]))))
                                                               for one in discounts]}))
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        return answer["documents"], {credit: dec.parse(amount) for credit, amount in answer["used"].items()}, answer["margins"]


def compare_margins(world, charges, period, used, documents, margins, discounts=()):
    """rating.md section 7, R08, N12: every row and every loss; sums without remainder."""
    wanted = []
    for sections in statement.grouped(world.catalog, charges, period, used)[0].values():
        wanted.append(margin.margin(world.catalog, [(section, section.rows) for section in sections], period, discounts))
    found = []
    for document, one in zip(documents, margins):
        assert one["id"] == document["id"] and one["currency"] == document["currency"]
        rows = sorted(((*(row[name] for name in ("customer", "account", "product", "step", "class")), row["earned"] or ""),
                       *(dec.parse(row[name]) for name in ("sell", "buy", "fx"))) for row in one["rows"])
        found.append((rows, sorted((loss["customer"], loss["account"], loss["product"], dec.parse(loss["margin"]), loss["cause"]) for loss in one["negative"])))
        sell, buy, fx, total = (dec.parse(one[name]) for name in ("sell", "buy", "fx", "margin"))
        assert sell == sum(dec.parse(line["amount_exact"]) for line in document["lines"])
        assert total == sell - buy + fx == sum(dec.parse(row["margin"]) for row in one["rows"])
        assert not {"buy", "payer", "fx", "margin"} & {key for line in document["lines"] for key in line}      # P13
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize("seed", range(60))
def test_generated_months(seed, tmp_path):
    """Four months each, credits carried over: every line, tax, total and what is used of each credit."""
    world, used = World(seed, tmp_path), {}
    for period in MONTHS:
        charges = world.charges(period)
        discounts = world.discounts(period)
        got, got_uses, margins = world.probe(charges, period, used, discounts)
        want, want_uses = statement.close(world.catalog, charges, period, used)
        found = compare.compare_statements(got, want)
        assert not found, "\n".join(found[:20])
        assert got_uses == want_uses
        for document in got:
            assert sum(dec.parse(line["amount"]) for line in document["lines"]) == dec.parse(document["subtotal"])
        compare_margins(world, charges, period, used, got, margins, discounts)
        for credit, amount in want_uses.items():
            used[credit] = used.get(credit, 0) + amount
            assert used[credit] <= world.catalog.credits[credit].amount


def test_the_months_hold_what_they_should(tmp_path):
    """The comparison would prove little without the hard cases: they are there."""
    seen = set()
    for seed in range(60):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world, used = World(seed, folder), {}
        for period in MONTHS:
            charges = world.charges(period)
            documents, uses = statement.close(world.catalog, charges, period, used)
            for sections in statement.grouped(world.catalog, charges, period, used)[0].values():
                seen |= {loss[4] for loss in margin.margin(world.catalog, [(section, section.rows) for section in sections], period)[1]}
            seen |= {"carried" for credit in uses if used.get(credit)}
            used = {**used, **{credit: used.get(credit, 0) + amount for credit, amount in uses.items()}}
            for document in documents:
                seen |= {line["class"] for line in document["lines"]} | {line["usage_type"] for line in document["lines"]}
                seen |= {"several"} if len(document["customers"]) > 1 and document["lines"] and document["lines"][0]["customer"] else set()
                seen |= {"whole"} if len(document["customers"]) > 1 and document["lines"] and not document["lines"][0]["customer"] else set()
    assert seen >= set(GROUPS) - {"none"} | {"custom_charge", "reseller_credit", "support", "t1", "t2", "several", "whole", "carried", "SUPPORT_GROUP_MISSING", "COMMITMENT_SHIFT", "CREDIT",
                    "DISCOUNT_WITHHELD_ELSEWHERE", "PRICE_BELOW_BUY", "FX"}
