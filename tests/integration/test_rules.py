"""Rules by their ids, at the end of the pipe: a month made by hand for each payer model, every figure computed on paper."""
import calendar

import months
import pytest

A1, A2, A3, A4, A5 = ("000011112222", "000011113333", "000011114444", "000011115555", "000011116666")
B1, B2 = "000022221111", "000022223333"

CATALOG = """kind: Payer
id: "{tds}"
lane: tdsynnex
model: tdsynnex
payer_kind: shared
reseller: northwind
source: {{type: folder, path: /nonexistent}}
buy_book: tds-buy
---
kind: Payer
id: "{master}"
lane: ingram
model: ingram
payer_kind: master
reseller: northwind
source: {{type: folder, path: /nonexistent}}
---
kind: Reseller
id: northwind
name: Northwind
consolidation: end_customer
---
kind: Customer
id: alpha
name: Alpha
reseller: northwind
invoice_currency: EUR
price_book: ten-off
tax: [{{name: VAT, percent: 20}}]
accounts:
  - {{id: "{A1}", payer: "{tds}", from: 2020-01-01, support_plan_group: business}}
---
kind: Customer
id: beta
name: Beta
reseller: northwind
price_book: half-more
accounts:
  - {{id: "{A2}", payer: "{tds}", from: 2020-01-01, support_plan_group: passthrough}}
---
kind: Customer
id: gamma
name: Gamma
reseller: northwind
invoice_currency: GBP
price_book: at-cost
accounts:
  - {{id: "{A3}", payer: "{tds}", from: 2020-01-01}}
---
kind: Customer
id: delta
name: Delta
reseller: northwind
invoice_currency: USD
price_book: at-cost
accounts:
  - {{id: "{A4}", payer: "{tds}", from: {period}-10, support_plan_group: business}}
---
kind: Customer
id: omega
name: Omega
reseller: northwind
invoice_currency: USD
price_book: at-cost
commitment_policy: pass_through
accounts:
  - {{id: "{B1}", payer: "{master}", from: 2020-01-01, support_plan_group: passthrough}}
---
kind: Customer
id: psi
name: Psi
reseller: northwind
invoice_currency: USD
price_book: half-more
credit_policy: {{mode: split, percent: 50}}
accounts:
  - {{id: "{B2}", payer: "{master}", from: 2020-01-01}}
---
kind: PriceBook
id: tds-buy
currency: USD
versions: [{{effective_from: 2020-01-01, rules: [{{id: buy-all, priority: 1, match: {{}}, price: {{percent: -2, of: payer}}}}]}}]
---
kind: PriceBook
id: ten-off
currency: USD
versions: [{{effective_from: 2020-01-01, rules: [{{id: list-minus-10, priority: 1, match: {{}}, price: {{percent: -10, of: list}}}}]}}]
---
kind: PriceBook
id: half-more
currency: USD
versions: [{{effective_from: 2020-01-01, rules: [{{id: payer-plus-50, priority: 1, match: {{}}, price: {{percent: 50, of: payer}}}}]}}]
---
kind: PriceBook
id: at-cost
currency: USD
versions: [{{effective_from: 2020-01-01, rules: [{{id: pass, priority: 1, match: {{}}, price: {{pass: payer}}}}]}}]
---
kind: SupportPlanGroup
id: business
type: business
percent: 10
buy_percent: 9
---
kind: SupportPlanGroup
id: passthrough
type: passthrough
---
kind: FxRate
id: reseller-eur
set: reseller
from: USD
to: EUR
period: {period}
rate: 0.9
---
kind: FxRate
id: distributor-eur
set: distributor
from: USD
to: EUR
period: {period}
rate: 0.95
---
kind: FxRate
id: distributor-gbp
set: distributor
from: USD
to: GBP
period: {period}
rate: 0.8
"""

SUPPORT = {"type": "Fee", "product": "AWSSupportBusiness", "usage_type": "Dollar", "operation": "", "unit": "", "list": "0.0"}


class Hand:
    pass


@pytest.fixture(scope="module")
def hand(stack):
    """Two reports without manifests, brought in by --file."""
    h = Hand()
    h.stack, h.period = stack, months.next_period()
    h.tds, h.master = months.payer_id("rules-tds"), months.payer_id("rules-master")
    h.text = CATALOG.format(tds=h.tds, master=h.master, period=h.period, A1=A1, A2=A2, A3=A3, A4=A4, B1=B1, B2=B2)
    catalog = months.write_catalog(stack.data / "rules-catalog", h.text)
    months.apply(stack, catalog)
    year, month = map(int, h.period.split("-"))
    h.last_day = f"{h.period}-{calendar.monthrange(year, month)[1]}"
    tds = [{"account": A1, "cost": "100.0", "list": "120.0"},                                               # row 1
           {"account": A2, "cost": "100.0", "list": "120.0"},
           {"account": A1, "type": "DiscountedUsage", "cost": "0.0", "list": "10.0", "quantity": "5.0"},
           {"account": A1, **SUPPORT, "cost": "37.5"},
           {"account": A2, **SUPPORT, "cost": "29.0"},
           {"account": A3, **SUPPORT, "cost": "100.0"},
           {"account": A3, "cost": "1.0", "list": "1.0"},
           {"account": A4, "cost": "5.0", "list": "5.0", "start": f"{h.period}-09T23:59:59Z"},                 # row 8
           {"account": A4, "cost": "7.0", "list": "7.0", "start": f"{h.period}-10T00:00:00Z"},
           {"account": h.tds, "cost": "3.0", "list": "3.0"},
           {"account": A5, "cost": "2.0E-7", "list": "2.0E-7"},
           {"account": A1, "type": "SppDiscount", "cost": "-6.0"},
           {"account": A1, "type": "Tax", "product": "AmazonEC2", "cost": "19.0"}]
    ingram = [{"account": B1, "cost": "10.0", "list": "11.0"},
              {"account": B1, **SUPPORT, "cost": "15.0"},
              {"account": B1, "type": "SavingsPlanCoveredUsage", "cost": "4.0", "list": "4.0"},
              {"account": B1, "type": "SavingsPlanNegation", "cost": "-4.0"},
              {"account": B2, **SUPPORT, "cost": "20.0"},
              {"account": B2, "type": "Credit", "cost": "-8.0"},
              {"account": B2, "cost": "8.0", "list": "0.0", "start": "2034-01-01T00:00:00Z"},                 # billed now for later
              {"account": B2, "type": "SppDiscount", "cost": "-6.0"}]
    for payer, lines in ((h.tds, tds), (h.master, ingram)):
        file = months.write_report(stack.data / f"rules-{payer}.csv", payer, h.period, lines)
        stack.cli("ingest", "--file", file, "--payer", payer, "--period", h.period, "--wait")
    return h


def _statement(hand, customer, lane="tdsynnex"):
    return hand.stack.cli("statement", "show", "--period", hand.period, "--customer", customer, "--lane", lane)


def _by(hand, payer, *keys):
    answer = months.totals(hand.stack, payer, hand.period, ",".join(keys))
    return {tuple(g[k] for k in keys): g for g in answer["groups"]}


def _shut(document):
    return {g["code"] for g in document["gates"] if not g["open"]}


def test_business_support_is_a_tenth_of_usage(hand):
    """N02, O14: 10 % of total usage, at what the customer pays: of 108 for usage and 9 for reserved usage at 10 % off list."""
    support = [line for line in _statement(hand, "alpha")["lines"] if line["class"] == "support"]
    assert [(line["product"], line["usage_type"], line["amount_exact"]) for line in support] == [("AWSSupport", "business", "10.53")]   # 11.7 x 0.9


def test_no_minimum_of_support(hand):
    """N03: a customer with a usage of 7 pays 0.70 for support, not 100."""
    document = _statement(hand, "delta")
    assert [(line["class"], line["amount"]) for line in document["lines"]] == [("usage", "7"), ("support", "0.7")]
    assert (document["subtotal"], document["total"]) == ("7.7", "7.7")


def test_the_distributors_support_lines_are_suppressed(hand):
    """N04: AWS's own (prorated) support lines do not reach the reseller or the customer; they stay in the control totals."""
    row = _by(hand, hand.tds, "account", "class")[A1, "support"]
    assert (row["payer"], row["buy"], row["sell"]) == ("37.5", "0", "0")


def test_passthrough_support(hand):
    """N19: the two types of groups; passthrough: the customer pays what AWS charged, with both models."""
    row = [line for line in _statement(hand, "beta")["lines"] if line["class"] == "support"]
    assert [(line["usage_type"], line["amount"]) for line in row] == [("passthrough", "29")]
    own = _by(hand, hand.master, "account", "class")
    assert (own[B1, "support"]["buy"], own[B1, "support"]["sell"]) == ("15", "15")
    assert (own[B2, "support"]["buy"], own[B2, "support"]["sell"]) == ("20", "0")        # no group: the negative margin is real and shown
    assert [(line["product"], line["amount"]) for line in _statement(hand, "omega", "ingram")["lines"] if line["class"] == "support"] == \
        [("AWSSupportBusiness", "15")]


def test_a_missing_support_plan_group_is_told(hand):
    """O15, R05: support lines on an account without a group: an alert, and the statement can't be issued."""
    run = months.totals(hand.stack, hand.tds, hand.period)["run"]
    alerts = {(a["code"], a["object"]) for a in hand.stack.cli("run", "show", run)["alerts"]}
    assert ("SUPPORT_PLAN_GROUP_MISSING", A3) in alerts and ("SUPPORT_PLAN_GROUP_MISSING", A1) not in alerts
    assert "SUPPORT_PLAN_GROUP_MISSING" in _shut(_statement(hand, "gamma"))
    assert "SUPPORT_PLAN_GROUP_MISSING" not in _shut(_statement(hand, "alpha"))


def test_billed_from_a_day_in_the_month(hand):
    """N11: what was used before the link is nobody's and stays suspended; from its first microsecond on it is the customer's."""
    rows = _by(hand, hand.tds, "account", "class")
    assert (rows[A4, "suspended"]["payer"], rows[A4, "suspended"]["sell"]) == ("5", "0")
    assert (rows[A4, "usage"]["payer"], rows[A4, "usage"]["sell"]) == ("7", "7")
    told = hand.stack.cli("explain", "--payer", hand.tds, "--period", hand.period, "--line", "1:8")
    assert (told["reason"], told["customer"]) == ("BEFORE_BILLED_FROM", "")
    warned = hand.stack.cli_raw("catalog", "check", hand.stack.data / "rules-catalog")
    assert warned.returncode == 0 and "warning" in warned.stderr and "N11" in warned.stderr and A4 in warned.stderr
    assert "SUSPENDED" in _shut(_statement(hand, "delta"))


def test_a_month_is_a_calendar_month(hand):
    """N13: a line billed now for years later belongs to this month, on its last day."""
    days = {(g["day"], g["account"]): g for g in months.totals(hand.stack, hand.master, hand.period, "day,account")["groups"]}
    assert days[hand.last_day, B2]["payer"] == "8"


def test_accounts_keep_their_leading_zeros(hand):
    """N16: account ids are texts of 12 digits."""
    assert {g["account"] for g in months.totals(hand.stack, hand.tds, hand.period, "account")["groups"]} == {A1, A2, A3, A4, A5, hand.tds}


def test_the_payer_gets_the_bill_and_the_accounts_are_customers(hand):
    """P05, P14: usage of member accounts is resold to their owners; the payer's bill is the sum of all, in both models."""
    rows = _by(hand, hand.tds, "account", "customer")
    assert set(rows) == {(A1, "alpha"), (A2, "beta"), (A3, "gamma"), (A4, ""), (A4, "delta"), (A5, ""), (hand.tds, "")}
    assert months.totals(hand.stack, hand.tds, hand.period)["groups"][0]["payer"] == "395.5000002"
    assert set(_by(hand, hand.master, "account", "customer")) == {(B1, "omega"), (B2, "psi")}
    assert months.totals(hand.stack, hand.master, hand.period)["groups"][0]["payer"] == "39"


def test_usage_of_the_payer_account_is_told(hand):
    """P06: workloads in the management account: sold to nobody, not suspended, alerted."""
    row = _by(hand, hand.tds, "account", "class")[hand.tds, "usage"]
    assert (row["payer"], row["buy"], row["sell"]) == ("3", "2.94", "0")
    run = months.totals(hand.stack, hand.tds, hand.period)["run"]
    assert "PAYER_USAGE" in {a["code"] for a in hand.stack.cli("run", "show", run)["alerts"]}


def test_price_books_are_per_customer(hand):
    """R01, R04, O04: two customers, the same line: each its own price; the layers payer, list, buy, sell stay apart."""
    rows = _by(hand, hand.tds, "account", "rule", "line_item_type")
    layers = [(g["payer"], g["list"], g["buy"], g["sell"]) for g in (rows[A1, "list-minus-10", "Usage"], rows[A2, "payer-plus-50", "Usage"])]
    assert layers == [("100", "120", "98", "108"), ("100", "120", "98", "150")]


def test_benefit_of_reservations_stays_with_the_payer(hand):
    """O06: reserved usage is sold at on-demand prices; the distributor's model refuses to pass the benefit on, ingram's may."""
    assert _by(hand, hand.tds, "account", "line_item_type")[A1, "DiscountedUsage"]["sell"] == "9"
    own = _by(hand, hand.master, "line_item_type", "account")
    assert (own["SavingsPlanCoveredUsage", B1]["sell"], own["SavingsPlanNegation", B1]["sell"]) == ("4", "-4")


def test_discounts_of_the_distributor(hand):
    """architecture.md 7: bought at once with ingram, kept by the distributor until it pays with tdsynnex; never sold."""
    assert [(g["payer"], g["buy"], g["sell"]) for key, g in _by(hand, hand.tds, "class").items() if key == ("provider_discount",)] == [("-6", "0", "0")]
    assert [(g["payer"], g["buy"], g["sell"]) for key, g in _by(hand, hand.master, "class").items() if key == ("provider_discount",)] == [("-6", "-6", "0")]


def test_credits_are_split(hand):
    row = _by(hand, hand.master, "class")["credit",]
    assert (row["buy"], row["sell"]) == ("-8", "-4")


def test_the_resellers_rate_rules(hand):
    """R06, R07, R08, O03: the reseller's rate of the month converts, never the distributor's; rounding and tax once."""
    document = _statement(hand, "alpha")
    assert (document["currency"], document["rate"]) == ("EUR", "0.9")
    assert [(line["class"], line["amount_exact"], line["amount"]) for line in document["lines"]] == \
        [("covered_usage", "8.1", "8.1"), ("usage", "97.2", "97.2"), ("support", "10.53", "10.53")]
    assert (document["subtotal"], document["tax"], document["total"]) == ("115.83", [{"name": "VAT", "percent": "20", "amount": "23.17"}], "139")
    without = _statement(hand, "gamma")
    assert (without["currency"], without["rate"]) == ("USD", None) and "FX_MISSING" in _shut(without)


def test_the_platforms_currency(hand):
    """N21: a customer without an invoice currency is invoiced in USD."""
    document = _statement(hand, "beta")
    assert (document["currency"], document["rate"], document["subtotal"]) == ("USD", "1", "179")


REFUSED = {
    "O06": ("price_book: ten-off\n", "price_book: ten-off\ncommitment_policy: pass_through\n", "pass_through"),
    "O02": ("price_book: half-more\n", "price_book: not-there\n", "not-there"),
    "N16": ('id: "{A1}", payer', 'id: "11112222", payer', "12 digits"),
    "O14": ("support_plan_group: business}}", "support_plan_group: no-such-group}}", "no-such-group"),
    "P07": ("payer_kind: shared", "payer_kind: master", "master"),
    "P14": ("payer_kind: master", "payer_kind: shared", "shared"),
    "R06": ("rate: 0.9\n", "rate: -0.9\n", "rate"),
    "tiers": ("price: {pass: payer}", "price: {tiers: [{up_to: 1, rate: 1}], mode: graduated, over: account}", "tiers"),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_the_catalog_refuses(hand, rule, tmp_path):
    """O06 (pass-through under tdsynnex), O02 (no price book), N16, O14, P07 and P14 (kinds of payers), R06 (a rate below zero), tiers."""
    old, new, says = REFUSED[rule]
    old, new = old.replace("}}", "}").replace("{A1}", A1), new.replace("}}", "}") if rule != "tiers" else new
    assert old in hand.text, old
    (tmp_path / "all.yaml").write_text(hand.text.replace(old, new, 1))
    done = hand.stack.cli_raw("catalog", "check", tmp_path)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert "all.yaml:" in done.stderr and "error:" in done.stderr
