"""Price of a line: layers, books, policies, suspension (rating.md section 4, S4-S9)."""
import pytest

from oracle import catalog
from oracle.dec import show
from oracle.helpers import (ACCOUNT, ING, PERIOD, REST, TDS, book, customer, line, make, payers, price)
from oracle.rate import Rater


def rule(price_text, match="", rule_id="r", priority=10):
    return "{id: %s, priority: %d, match: {%s}, price: {%s}}" % (rule_id, priority, match, price_text)


def one(price_text, **more):
    """A catalog whose book has the one catch-all rule."""
    return make(book(rule(price_text)), customer(**more))


@pytest.mark.parametrize("price_text,sell", [
    ("percent: -5, of: list", "415.15"), ("percent: 3, of: payer", "412"), ("percent: 10, of: buy", "440"),
    ("percent: 0, of: list", "437"), ("percent: -100, of: list", "0"), ("percent: 2.5, of: payer", "410"),
    ("rate: 0.25", "2.5"), ("pass: payer", "400"), ("free: true", "0")])
def test_each_kind_of_price(price_text, sell):
    """R01, R04: price books per customer over the layers payer, list, buy."""
    assert price(one(price_text), line("Usage", "400", "437", quantity="10")) == ("usage", "r", "400", sell)


def test_list_falls_back_to_payer():
    for listed in ("0", "0.0", "0E-10"):
        assert price(one("percent: -10, of: list"), line("Usage", "50", listed))[3] == "45"


@pytest.mark.parametrize("quantity,rate_text,sell", [
    ("0.000000000000000001", "0.5", "0"), ("0.000000000000000003", "0.5", "0.000000000000000002"),
    ("-0.000000000000000003", "0.5", "-0.000000000000000002"), ("744", "0.0116", "8.6304")])
def test_rate_rounds_half_even_once(quantity, rate_text, sell):
    assert price(one("rate: %s" % rate_text), line("Usage", quantity=quantity))[3] == sell


@pytest.mark.parametrize("cost,percent,sell", [
    ("0.00000000000000001", "5", "0.00000000000000001"), ("0.00000000000000001", "15", "0.000000000000000012"),
    ("-0.00000000000000001", "15", "-0.000000000000000012"), ("0.0000000001", "3.3333333333", "0.000000000103333333")])
def test_percent_rounds_half_even_once(cost, percent, sell):
    """S7."""
    assert price(one("percent: %s, of: payer" % percent), line("Usage", cost))[3] == sell


MATCHES = [
    ("service: AmazonEC2", {}, True), ("service: amazonec2", {}, False), ("service: [AmazonS3, AmazonEC2]", {}, True),
    ("usage_type: 'BoxUsage:*'", {}, True), ("usage_type: 'BoxUsage'", {}, False), ("usage_type: '*Usage:m?.large'", {}, True),
    ("usage_type: 'BoxUsage:m[5].large'", {}, False), ("usage_type: ['x', 'BoxUsage:*']", {}, True),
    ("operation: 'Run*'", {}, True), ("operation: 'run*'", {}, False), ("operation: '*'", {"operation": ""}, True),
    ("region: eu-central-1", {}, True), ("region: 'eu-*'", {}, False), ("region: [us-east-1, eu-central-1]", {}, True),
    ("sku: SKU1", {}, True), ("sku: [A, B]", {}, False), ("unit: Hrs", {}, True), ("class: usage", {}, True),
    ("class: [fee, covered_usage]", {}, False), ("line_item_type: Usage", {}, True), ("account: \"%s\"" % ACCOUNT, {}, True),
    ("account: \"000000000000\"", {}, False), ("payer: \"%s\"" % TDS, {}, True), ("payer: \"%s\"" % ING, {}, False),
    ("marketplace: false", {}, True), ("marketplace: true", {}, False),
    ("marketplace: true", {"billing_entity": "AWS Marketplace"}, True),
    ("service: AmazonEC2, region: us-east-1", {}, False), ("service: AmazonEC2, region: eu-central-1", {}, True)]


@pytest.mark.parametrize("match,fields,expected", MATCHES)
def test_match_keys(match, fields, expected):
    """S15; all keys of one rule must hold."""
    the_catalog = make(book([rule("free: true", match, "special"), rule("pass: payer", "", "rest", 99)]), customer())
    assert price(the_catalog, line("Usage", "1", **fields))[1] == ("special" if expected else "rest")


def test_first_match_by_priority_wins_and_nothing_is_combined():
    rules = [rule("percent: 50, of: payer", "", "last", 100), rule("percent: -10, of: payer", "service: AmazonEC2", "second", 20),
             rule("percent: -20, of: payer", "region: eu-central-1", "first", 3)]
    assert price(make(book(rules), customer()), line("Usage", "100"))[1:] == ("first", "100", "80")


def test_books_are_checked():
    """O02, R06: refused at load."""
    for texts, message in [
            ((book(rule("free: true", "service: X")), customer()), "catch-all"),
            ((book([rule("free: true", "", "a"), rule("free: true", "", "b")]), customer()), "priority"),
            ((customer(),), "O02"),
            ((book(rule("tiers: [{up_to: 10, rate: 1}], mode: graduated")), customer()), "tiers"),
            ((book(rule("free: true")), customer("commitment_policy: pass_through")), "O06"),
            ((payers("buy_book: b"), book(rule("percent: 1, of: buy"), "b"), book(REST), customer()), "layer buy")]:
        with pytest.raises(catalog.CatalogError, match=message):
            make(*texts)


def test_mid_month_version():
    """R02, N14: the version in force at the line's time prices it."""
    text = """
kind: PriceBook
id: standard
currency: USD
versions:
  - effective_from: 2025-06-15T12:00:00Z
    rules: [{id: new, priority: 1, match: {}, price: {percent: 20, of: payer}}]
  - effective_from: 2025-01-01
    rules: [{id: old, priority: 1, match: {}, price: {percent: 10, of: payer}}]
"""
    the_catalog = make(text, customer())
    for start, expected in [("2025-06-15T11:59:59Z", ("usage", "old", "100", "110")), ("2025-06-15T12:00:00Z", ("usage", "new", "100", "120")),
                            ("2025-05-01T00:00:00Z", ("usage", "old", "100", "110")), ("2026-01-01T00:00:00Z", ("usage", "new", "100", "120"))]:
        assert price(the_catalog, line("Usage", "100", usage_start=start)) == expected


def test_no_version_in_force():
    the_catalog = make(book(REST, start="2025-06-15"), customer())
    assert price(the_catalog, line("Usage", "1")) == ("NO_PRICE", "", "0", "0")
    assert price(the_catalog, line("Usage", "1", usage_start="2025-06-15T00:00:00Z"))[0] == "usage"


def test_currency_of_the_book():
    """S6: whatever the amount; only where a book is consulted."""
    the_catalog = make(book(REST), customer())
    assert price(the_catalog, line("Usage", "0", currency="CNY")) == ("CURRENCY", "", "0", "0")
    assert price(the_catalog, line("Tax", "3", currency="CNY")) == ("tax", "", "3", "0")
    assert price(the_catalog, line("SavingsPlanNegation", "-3", currency="CNY")) == ("commitment_offset", "", "-3", "0")
    assert price(the_catalog, line("Usage", "3", currency="CNY", account=TDS)) == ("usage", "", "3", "0")


@pytest.mark.parametrize("payer,expected", [(TDS, "0"), (ING, "-3")])
def test_provider_discount(payer, expected):
    """Never shown to a customer; the distributor keeps it (tdsynnex) or it is the reseller's (ingram)."""
    for kind in ("EdpDiscount", "SppDiscount", "DistributorDiscount", "Discount"):
        assert price(one("pass: payer"), line(kind, "-3"), payer) == ("provider_discount", "", expected, "0")


def test_tax():
    """T07: the reseller computes its own tax."""
    assert price(one("pass: payer"), line("Tax", "19.5")) == ("tax", "", "19.5", "0")


@pytest.mark.parametrize("policy,sell", [
    ("", "0"), ("credit_policy: {mode: keep}", "0"), ("credit_policy: {mode: pass}", "-10.01"),
    ("credit_policy: pass", "-10.01"), ("credit_policy: {mode: split, percent: 50}", "-5.005"),
    ("credit_policy: {mode: split, percent: 33.3}", "-3.33333")])
def test_credit_policy(policy, sell):
    assert price(one("pass: payer", extra=policy), line("Credit", "-10.01")) == ("credit", "", "-10.01", sell)


def test_credit_split_is_half_even():
    the_catalog = one("pass: payer", extra="credit_policy: {mode: split, percent: 50}")
    assert price(the_catalog, line("Credit", "-0.000000000000000001"))[3] == "0"
    assert price(the_catalog, line("Credit", "-0.000000000000000003"))[3] == "-0.000000000000000002"
    assert price(the_catalog, line("Credit", "3"))[3] == "1.5"             # a reversal keeps its sign


def test_refund_policy():
    refund = line("Refund", "-100", "-200")
    assert price(one("percent: 10, of: list"), refund) == ("refund", "r", "-100", "-110")      # basis is payer
    assert price(one("percent: 10, of: list", extra="refund_policy: keep"), refund) == ("refund", "", "-100", "0")


def test_classes_without_list_price_take_payer_as_basis():
    for kind, fields, expected in [("Refund", {}, "refund"), ("BundledDiscount", {}, "bundled_discount"), ("Fee", {}, "fee"),
                                   ("Usage", {"billing_entity": "AWS Marketplace"}, "marketplace")]:
        for layer in ("list", "payer", "buy"):
            the_catalog = make(payers("buy_book: b"), book(rule("percent: -50, of: list"), "b"),
                               book(rule("percent: 10, of: %s" % layer)), customer())
            assert price(the_catalog, line(kind, "100", "900", **fields)) == (expected, "r", "50", "110")


def test_rate_rules_skip_refunds_and_bundled_discounts():
    the_catalog = make(book([rule("rate: 7", "", "per-hour", 1), rule("pass: payer", "", "rest", 2)]), customer())
    for kind, sell in [("Usage", "70"), ("Refund", "-4"), ("BundledDiscount", "-4"), ("Fee", "70")]:
        assert price(the_catalog, line(kind, "-4", quantity="10"))[3] == sell
    assert price(one("rate: 7"), line("Refund", "-4"))[0] == "NO_PRICE"     # D9


def test_commitment_on_demand():
    """O06, RI and Savings Plan benefit stays with the payer: customer at on-demand (S5)."""
    for price_text, sell in [("percent: 3, of: payer", "10.3"), ("percent: 3, of: list", "10.3"), ("pass: payer", "10"),
                             ("percent: 3, of: buy", "8.24"), ("rate: 2", "2"), ("free: true", "0")]:
        assert price(one(price_text), line("SavingsPlanCoveredUsage", "8", "10")) == ("covered_usage", "r", "8", sell)
    the_catalog = one("percent: 3, of: payer")
    assert price(the_catalog, line("DiscountedUsage", "0", "10")) == ("covered_usage", "r", "0", "10.3")
    assert price(the_catalog, line("SavingsPlanNegation", "-8", "-10")) == ("commitment_offset", "", "-8", "0")
    for kind, fields in [("RIFee", {}), ("SavingsPlanRecurringFee", {}), ("SavingsPlanUpfrontFee", {}), ("Fee", {"reservation": "arn:x"})]:
        assert price(the_catalog, line(kind, "5", **fields)) == ("commitment_fee", "", "5", "0")


def test_commitment_pass_through():
    the_catalog = make(book(rule("percent: 3, of: list")), customer(
        "commitment_policy: pass_through", ['{id: "%s", payer: "%s", from: 2025-01-01}' % (ACCOUNT, ING)]))
    for kind, cost, expected in [("DiscountedUsage", "0", "covered_usage"), ("SavingsPlanCoveredUsage", "8", "covered_usage"),
                                 ("SavingsPlanNegation", "-8", "commitment_offset"), ("RIFee", "5", "commitment_fee")]:
        assert price(the_catalog, line(kind, cost, "0"), ING) == (expected, "", cost, cost)
    assert price(the_catalog, line("Usage", "8", "10"), ING) == ("usage", "r", "8", "10.3")


def test_no_list_price():
    """S8."""
    the_catalog = one("percent: 3, of: list")
    assert price(the_catalog, line("DiscountedUsage", "0", "0", quantity="2")) == ("NO_LIST_PRICE", "", "0", "0")
    assert price(the_catalog, line("DiscountedUsage", "0", "0", quantity="0"))[0] == "covered_usage"
    assert price(the_catalog, line("SavingsPlanCoveredUsage", "0", "0", quantity="2"))[0] == "covered_usage"
    assert price(the_catalog, line("DiscountedUsage", "0", "0", account=TDS))[0] == "covered_usage"
    assert price(the_catalog, line("DiscountedUsage", "0", "0", account="999999999999"))[0] == "UNKNOWN_ACCOUNT"


def buy_catalog(price_text, currency="USD", start="2025-01-01", sell="percent: 10, of: buy"):
    return make(payers("buy_book: b"), book(rule(price_text, "", "bought"), "b", currency, start), book(rule(sell)), customer())


@pytest.mark.parametrize("kind,fields,expected", [
    ("Usage", {}, ("usage", "r", "90", "99")), ("SavingsPlanCoveredUsage", {}, ("covered_usage", "r", "90", "99")),
    ("SavingsPlanNegation", {}, ("commitment_offset", "", "90", "0")), ("RIFee", {}, ("commitment_fee", "", "90", "0")),
    ("Fee", {}, ("fee", "r", "72", "88")), ("Refund", {}, ("refund", "r", "72", "88")), ("BundledDiscount", {}, ("bundled_discount", "r", "72", "88")),
    ("Usage", {"billing_entity": "AWS Marketplace"}, ("marketplace", "r", "72", "88")), ("Credit", {}, ("credit", "", "80", "0")),
    ("Tax", {}, ("tax", "", "80", "0")), ("SppDiscount", {}, ("provider_discount", "", "0", "0"))])
def test_buy_book(kind, fields, expected):
    """R04, R08: buy book of the payer, by the same procedure; -10 % of list 100, payer 80."""
    assert price(buy_catalog("percent: -10, of: list"), line(kind, "80", "100", **fields)) == expected


def test_buy_book_reads_payer_literally_for_covered_usage():
    """S5: the on-demand policy changes what sell reads, not what buy reads."""
    assert price(buy_catalog("percent: 5, of: payer", sell="pass: payer"), line("SavingsPlanCoveredUsage", "80", "100")) \
        == ("covered_usage", "r", "84", "100")


def test_buy_comes_before_sell():
    """S4: the first reason wins."""
    no_list = line("DiscountedUsage", "0", "0", quantity="2")
    assert price(buy_catalog("pass: payer", currency="EUR"), no_list)[0] == "CURRENCY"
    assert price(buy_catalog("pass: payer", start="2025-06-20"), no_list)[0] == "NO_PRICE"
    assert price(buy_catalog("pass: payer", currency="EUR", start="2025-06-20"), no_list)[0] == "CURRENCY"   # D7
    assert price(buy_catalog("pass: payer"), no_list)[0] == "NO_LIST_PRICE"
    sell_in_eur = make(book(rule("pass: payer"), currency="EUR"), customer())
    assert price(sell_in_eur, no_list)[0] == "NO_LIST_PRICE"
    assert price(buy_catalog("pass: payer", currency="EUR"), line("Usage", "1", account=TDS))[0] == "CURRENCY"


def test_suspended_keeps_payer_list_and_customer():
    rated = Rater(make(book(REST), customer()), TDS, PERIOD).rate(line("Usage", "2", "3", currency="CNY"))
    assert rated[:4] == ("acme", "suspended", "", "CURRENCY")
    assert [show(amount) for amount in rated[4:8]] == ["2", "3", "0", "0"]


def support_catalog(kind):
    links = ['{id: "%s", payer: "%s", from: 2025-01-01%s}' % (ACCOUNT, payer, ", support_plan_group: g" if kind else "")
             for payer in (TDS, ING)]
    group = ["kind: SupportPlanGroup\nid: g\ntype: %s\n" % kind] if kind else []
    return make(book(REST), customer(accounts=links), *group)


@pytest.mark.parametrize("payer,kind,expected", [
    (TDS, "business", ("0", "0")), (TDS, "passthrough", ("0", "0")), (TDS, "", ("0", "0")),
    (ING, "passthrough", ("100", "100")), (ING, "business", ("100", "0")), (ING, "", ("100", "0")), (ING, "basic", ("100", "0"))])
def test_support_lines(payer, kind, expected):
    """S9, N04, O15, N19: suppressed under TD SYNNEX payers; as AWS charges them under Ingram."""
    assert price(support_catalog(kind), line("Fee", "100", product="AWSSupportBusiness"), payer) == ("support", "", *expected)
