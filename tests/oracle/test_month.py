"""Tiers, custom charges, reseller credits and consolidation by hand (rating.md sections 4, 5; statements.md section 2; N18, I01-I03)."""
import pytest

from oracle import catalog, dec, month, statement
from oracle.helpers import (ACCOUNT, OTHER, PERIOD, REST, TDS, book, customer, documents, line, make, payers)
from oracle.rate import rate_lines

TIERS = "tiers: [{up_to: 100, rate: 0.5}, {up_to: 300, rate: 0.25}, {rate: 0.1}]"


def tiered(mode, over="account"):
    return book(["{id: s3, priority: 1, match: {service: AmazonS3}, price: {%s, mode: %s, over: %s}}" % (TIERS, mode, over), REST])


AMOUNTS = [("graduated", "100", "50"), ("graduated", "300", "100"), ("graduated", "300.5", "100.05"), ("volume", "100", "50"),
           ("volume", "100.1", "25.025"), ("volume", "1000", "100"), ("graduated", "0", "0"), ("volume", "-5", "0")]


@pytest.mark.parametrize("mode,quantity,amount", AMOUNTS)
def test_tier_amounts(mode, quantity, amount):
    """The border belongs to the lower tier; nothing or less costs nothing."""
    price = make(tiered(mode), customer()).books["standard"].versions[0].rules[0].price
    assert dec.show(month.tier_amount(price, dec.parse(quantity))) == amount


def both_accounts(*more):
    links = ['{id: "%s", payer: "%s", from: 2025-01-01}' % (account, TDS) for account in (ACCOUNT, OTHER)]
    return make(*more, customer("", links))


@pytest.mark.parametrize("over,expected", [("account", ["62.5", "25"]), ("customer", ["56.25", "18.75"])])
def test_tiers_over_account_and_customer(over, expected):
    """A tiers rule decides the line with sell 0; the month's quantity of the rule is shared out by quantity."""
    lines = [line("Usage", "9", quantity=quantity, product="AmazonS3", account=account, usage_type=kind)
             for account, kind, quantity in ((ACCOUNT, "x", "100"), (OTHER, "x", "50"), (ACCOUNT, "y", "50"))]
    document, = documents(both_accounts(tiered("graduated", over)), {TDS: lines})
    assert [row["amount_exact"] for row in document["lines"]] == expected
    assert [(row["usage_type"], row["quantity"]) for row in document["lines"]] == [("s3", "150"), ("s3", "50")]


def test_tiers_do_not_match_refunds():
    """Section 4: the quantity of a refund is not usage: the next rule is tried."""
    document, = documents(make(tiered("volume"), customer()), {TDS: [line("Refund", "-7", quantity="10", product="AmazonS3")]})
    assert [(row["class"], row["amount_exact"]) for row in document["lines"]] == [("refund", "-7")]


def test_tiers_are_checked():
    """One set of tiers for a rule and month; none in a buy book."""
    versions = tiered("volume") + "  - effective_from: %s\n    rules: [{id: s3, priority: 1, match: {}, price: {free: true}}]\n"
    make(versions % "2025-02-01", customer())
    with pytest.raises(catalog.CatalogError, match="whole month"):
        make(versions % "2025-02-02", customer())
    with pytest.raises(catalog.CatalogError, match="buy book"):
        make(payers("buy_book: standard"), tiered("volume"), customer())


CHARGE = "kind: CustomCharge\nid: k\nname: Fee\ncustomer: acme\nlane: tdsynnex\n%s\n"
CREDIT = "kind: Credit\nid: %s\ncustomer: acme\nlane: tdsynnex\namount: %s\ncurrency: USD\n%s\n"


@pytest.mark.parametrize("text,expected", [
    ("amount: 12.345\ncurrency: USD\nperiod: 2025-06", "12.345"), ("amount: 12.345\ncurrency: USD\nperiod: 2025-05", None),
    ("amount: 1\ncurrency: USD\nfrom: 2025-01\nto: 2025-06", None), ("amount: 1\ncurrency: USD\nfrom: 2025-01\nto: 2025-07", "1"),
    ("percent: 10\nfrom: 2025-06", "10"), ("percent: 10\nfrom: 2025-06\nbase: {layer: list, classes: [usage, fee]}", "22")])
def test_custom_charges(text, expected):
    document, = documents(make(book(REST), customer(), CHARGE % text),
                          {TDS: [line("Usage", "100", "200"), line("Fee", "20")]})
    assert [row["amount_exact"] for row in document["lines"] if row["class"] == "custom_charge"] == ([expected] if expected else [])


def test_a_fixed_charge_needs_no_usage():
    document, = documents(make(book(REST), customer(), CHARGE % "amount: 5\ncurrency: USD\nperiod: 2025-06"), {TDS: []})
    assert (document["subtotal"], document["gates"]) == ("5", [])


def used_in(the_catalog, cost, used):
    charges = [rate_lines(the_catalog, TDS, PERIOD, [line("Usage", cost)])]
    (document,), uses = statement.close(the_catalog, charges, PERIOD, {name: dec.parse(amount) for name, amount in used.items()})
    return document["subtotal"], {name: dec.show(amount) for name, amount in uses.items()}


@pytest.mark.parametrize("cost,before,expected", [
    ("100", "0", ("0", {"a": "100"})), ("200", "0", ("50", {"a": "150"})), ("100", "100", ("50", {"a": "50"})), ("100", "150", ("100", {})),
    ("-5", "0", ("-5", {}))])
def test_credit_balance(cost, before, expected):
    """Carried over months, never below zero: neither the balance nor the document."""
    assert used_in(make(book(REST), customer(), CREDIT % ("a", "150", "from: 2025-06")), cost, {"a": before}) == expected


def test_credit_order():
    """What expires first is used first; only in its months."""
    the_catalog = make(book(REST), customer(), CREDIT % ("a", "1000", "from: 2025-01"), CREDIT % ("b", "30", "from: 2025-01\nexpires: 2025-07"),
                       CREDIT % ("c", "30", "from: 2025-01\nexpires: 2025-06"), CREDIT % ("d", "30", "from: 2025-07"))
    assert used_in(the_catalog, "100", {}) == ("0", {"b": "30", "a": "70"})


@pytest.mark.parametrize("mode,count", [("end_customer", 2), ("semi", 1), ("full", 1)])
def test_consolidation(mode, count):
    """N18, I01-I03: exact amounts add up to one sum; taxes are of each customer's share."""
    text = payers().replace("name: Northwind Cloud", "name: Northwind Cloud\nconsolidation: " + mode)
    the_catalog = make(text, book(REST), customer("tax: [{name: VAT, percent: 19}]", ['{id: "%s", payer: "%s", from: 2025-01-01}' % (ACCOUNT, TDS)]),
                       customer("", ['{id: "%s", payer: "%s", from: 2025-01-01}' % (OTHER, TDS)], "bolt"))
    found = documents(the_catalog, {TDS: [line("Usage", "100.004"), line("Usage", "3.003", account=OTHER)]})
    assert len(found) == count
    assert sum(dec.parse(row["amount_exact"]) for one in found for row in one["lines"]) == dec.parse("103.007")
    if mode != "end_customer":
        assert (found[0]["subtotal"], found[0]["tax"][0]["amount"], found[0]["total"]) == ("103.01", "19", "122.01")
    assert [[row["customer"], row["account"]] for one in found for row in one["lines"]] == \
        ([["", ""]] if mode == "full" else [["acme", ACCOUNT], ["bolt", OTHER]])
