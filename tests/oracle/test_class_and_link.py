"""Charge classes (rating.md section 2, S1) and the customer of a line (section 3, S2-S4)."""
import pytest

from oracle import catalog, rate
from oracle.helpers import (ACCOUNT, ING, OTHER, PERIOD, REST, TDS, book, customer, line, make, price)
from oracle.dec import parse


@pytest.mark.parametrize("kind,fields,expected", [
    ("Tax", {}, "tax"),
    ("EdpDiscount", {}, "provider_discount"), ("PrivateRateDiscount", {}, "provider_discount"),
    ("RiVolumeDiscount", {}, "provider_discount"), ("SppDiscount", {}, "provider_discount"),
    ("DistributorDiscount", {}, "provider_discount"), ("Discount", {}, "provider_discount"),
    ("BundledDiscount", {}, "bundled_discount"), ("Credit", {}, "credit"), ("Refund", {}, "refund"),
    ("Usage", {"product": "AWSSupportBusiness"}, "support"), ("Fee", {"product": "awssupportenterprise"}, "support"),
    ("Usage", {"product": "AWSDeveloperSupport"}, "support"), ("Fee", {"product": "OCBPremiumSupport"}, "support"),
    ("Whatever", {"product": "AWSSupportBusiness"}, "support"),                 # S1: does not look at the type
    ("Usage", {"product": "MyAWSSupport"}, "usage"),
    ("SppDiscount", {"product": "AWSSupportBusiness"}, "provider_discount"),     # an earlier row
    ("Credit", {"billing_entity": "AWS Marketplace"}, "credit"),
    ("Usage", {"billing_entity": "AWS Marketplace"}, "marketplace"),
    ("Whatever", {"billing_entity": "AWS Marketplace"}, "marketplace"),
    ("Usage", {"billing_entity": "AWS Marketplace", "product": "AWSSupportBusiness"}, "support"),
    ("Fee", {"billing_entity": "AWS Marketplace", "reservation": "arn:x"}, "commitment_fee"),      # an earlier row
    ("Refund", {"billing_entity": "AWS Marketplace"}, "refund"),
    ("Fee", {"product": "AWSEnterpriseOnRamp"}, "support"), ("Usage", {"product": "awsenterpriseonramp"}, "support"),
    ("Refund", {"product": "AWSSupportBusiness"}, "support"), ("RIFee", {"product": "AWSSupportBusiness"}, "support"),
    ("Credit", {"product": "AWSSupportBusiness"}, "credit"),
    ("Refund", {"reservation": "arn:x"}, "commitment_fee"), ("Refund", {"savings_plan": "arn:x"}, "commitment_fee"),
    ("Fee", {"savings_plan": "arn:x"}, "commitment_fee"), ("FlatRateSubscription", {"savings_plan": "arn:x"}, "fee"),
    ("SavingsPlanCoveredUsage", {"savings_plan": "arn:x"}, "covered_usage"),
    ("DiscountedUsage", {}, "covered_usage"), ("SavingsPlanCoveredUsage", {}, "covered_usage"),
    ("SavingsPlanNegation", {}, "commitment_offset"),
    ("RIFee", {}, "commitment_fee"), ("SavingsPlanRecurringFee", {}, "commitment_fee"),
    ("SavingsPlanUpfrontFee", {}, "commitment_fee"), ("Fee", {"reservation": "arn:x"}, "commitment_fee"),
    ("Usage", {}, "usage"), ("Usage", {"reservation": "arn:x"}, "usage"),
    ("Fee", {}, "fee"), ("FlatRateSubscription", {}, "fee"),
    ("Whatever", {}, None), ("usage", {}, None), ("", {}, None)])
def test_first_row_that_fits(kind, fields, expected):
    assert rate.charge_class(line(kind, **fields), {}) == expected


def test_a_taught_type_takes_the_place_of_its_class():
    types = {"NewUse": "usage", "NewSupport": "support", "NewMarket": "marketplace", "NewTax": "tax", "NewFee": "fee"}
    assert rate.charge_class(line("NewUse"), types) == "usage"
    assert rate.charge_class(line("NewUse", product="AWSSupportBusiness"), types) == "support"
    assert rate.charge_class(line("NewSupport"), types) == "support"
    assert rate.charge_class(line("NewMarket"), types) == "marketplace"
    assert rate.charge_class(line("NewTax", product="AWSSupportBusiness"), types) == "tax"
    assert rate.charge_class(line("NewFee", reservation="arn:x"), types) == "fee"
    assert rate.charge_class(line("NewRefund", product="AWSSupportBusiness"), {"NewRefund": "refund"}) == "support"
    assert rate.charge_class(line("NewRefund", reservation="arn:x"), {"NewRefund": "refund"}) == "refund"


def test_support_products_of_the_catalog():
    """Named whole, without case; a discount on one stays a discount."""
    the_catalog = make(book(REST), customer(), "kind: SupportProduct\nid: ACMEcare\n")
    rater = rate.Rater(the_catalog, TDS, PERIOD)
    for kind, product, expected in [("Usage", "acmeCARE", "support"), ("Refund", "ACMEcare", "support"), ("Usage", "ACMEcare2", "usage"),
                                    ("SppDiscount", "ACMEcare", "provider_discount"), ("Fee", "ACMEcar", "fee")]:
        assert rater.rate(line(kind, "5", product=product)).charge_class == expected


def test_what_is_given_back_belongs_to_whoever_paid_for_it():
    """A refund of suppressed support or of a commitment is not paid out to a customer who never paid it."""
    the_catalog = make(book(REST), customer())
    for fields in ({"product": "AWSSupportBusiness"}, {"savings_plan": "arn:x"}, {"reservation": "arn:x"}):
        assert price(the_catalog, line("Refund", "-5.5", **fields))[3] == "0"
    assert price(the_catalog, line("Refund", "-5.5")) == ("refund", "rest", "-5.5", "-5.5")
    passing = make(book(REST), customer("commitment_policy: pass_through", ['{id: "%s", payer: "%s", from: 2025-01-01}' % (ACCOUNT, ING)]))
    assert price(passing, line("Refund", "-1200", savings_plan="arn:x"), ING) == ("commitment_fee", "", "-1200", "-1200")


def test_a_taught_type_through_the_catalog():
    texts = (book(REST), customer())
    assert price(make(*texts), line("NewUse", "2"))[0] == "UNKNOWN_LINE_TYPE"
    taught = make(*texts, "kind: LineItemType\nid: new\nname: NewUse\nclass: usage\n")
    assert price(taught, line("NewUse", "2")) == ("usage", "rest", "2", "2")
    with pytest.raises(catalog.CatalogError, match="built-in"):
        make(*texts, "kind: LineItemType\nid: u\nname: Usage\nclass: fee\n")


def _rated(the_catalog, the_line, payer=TDS):
    return rate.Rater(the_catalog, payer, PERIOD).rate(the_line)


MOVE = [customer(accounts=['{id: "%s", payer: "%s", from: 2025-01-01, to: 2025-06-15}' % (ACCOUNT, TDS)]),
        customer(customer_id="bolt", accounts=['{id: "%s", payer: "%s", from: 2025-06-15}' % (ACCOUNT, TDS)])]


@pytest.mark.parametrize("start,owner", [
    ("2025-06-14T23:59:59.999999Z", "acme"), ("2025-06-15T00:00:00Z", "bolt"), ("2025-06-14T23:00:00.000Z", "acme")])
def test_an_account_that_moves_between_customers(start, owner):
    """Half-open intervals: the first instant belongs to the next owner (N11)."""
    assert _rated(make(book(REST), *MOVE), line(usage_start=start)).customer == owner


@pytest.mark.parametrize("start,day,owner", [
    ("2025-05-31T22:00:00Z", "2025-06-01", "acme"), ("2026-06-30T00:00:00Z", "2025-06-30", "bolt"),
    ("2025-07-01T00:00:00Z", "2025-06-30", "bolt"), ("", "2025-06-01", "acme")])
def test_time_is_clamped_into_the_period(start, day, owner):
    """S2: [period start, period end - 1 microsecond]."""
    rater = rate.Rater(make(book(REST), *MOVE), TDS, PERIOD)
    one = line(usage_start=start)
    assert rater.time_of(one)[1] == day
    assert rater.rate(one).customer == owner


def test_clamp_reaches_a_link_that_ends_with_the_period():
    links = ['{id: "%s", payer: "%s", from: 2025-01-01, to: 2025-07-01}' % (ACCOUNT, TDS)]
    late = line(usage_start="2027-01-01T00:00:00Z")
    assert _rated(make(book(REST), customer(accounts=links)), late).customer == "acme"


def test_an_account_under_two_payers_has_two_owners():
    """P14: each payer has a link of its own for the same account and time."""
    the_catalog = make(book(REST), customer(accounts=['{id: "%s", payer: "%s", from: 2025-01-01}' % (ACCOUNT, TDS)]),
                       customer(customer_id="bolt", accounts=['{id: "%s", payer: "%s", from: 2025-01-01}' % (ACCOUNT, ING)]))
    assert _rated(the_catalog, line(), TDS).customer == "acme"
    assert _rated(the_catalog, line(), ING).customer == "bolt"


def test_suspension_without_a_link():
    """N11, S3: before the billed-from date, or not known at all; also tax and credit lines."""
    later = make(book(REST), customer(accounts=['{id: "%s", payer: "%s", from: 2025-07-01}' % (ACCOUNT, TDS)]))
    for kind in ("Usage", "Tax", "Credit", "SppDiscount"):
        rated = _rated(later, line(kind, "5", listed="6"))
        assert (rated.reason, rated.customer, rated.charge_class, rated.rule) == ("BEFORE_BILLED_FROM", "", "suspended", "")
        assert (rated.payer, rated.list, rated.buy, rated.sell) == (parse("5"), parse("6"), 0, 0)
        assert _rated(later, line(kind, account=OTHER)).reason == "UNKNOWN_ACCOUNT"
    ended = make(book(REST), customer(accounts=['{id: "%s", payer: "%s", from: 2025-01-01, to: 2025-06-01}' % (ACCOUNT, TDS)]))
    assert _rated(ended, line()).reason == "UNKNOWN_ACCOUNT"
    assert _rated(later, line(), ING).reason == "UNKNOWN_ACCOUNT"           # links of another payer don't count


def test_the_payer_account_itself_is_not_suspended():
    """P06: usage in the management account keeps payer, list, buy; nobody is charged."""
    the_catalog = make(book(REST), customer())
    rated = _rated(the_catalog, line("Usage", "5", listed="6", account=TDS))
    assert rated == ("", "usage", "", "", parse("5"), parse("6"), parse("5"), 0, "")
    assert _rated(the_catalog, line("Whatever", account=TDS)).reason == "UNKNOWN_LINE_TYPE"
    linked = make(book(REST), customer(accounts=['{id: "%s", payer: "%s", from: 2025-01-01}' % (TDS, TDS)]))
    assert _rated(linked, line("Usage", "5", account=TDS)).sell == parse("5")


def test_unknown_type_comes_first_and_keeps_the_customer():
    """S4, D5."""
    the_catalog = make(book(REST), customer())
    assert _rated(the_catalog, line("Whatever"))[:4] == ("acme", "suspended", "", "UNKNOWN_LINE_TYPE")
    assert _rated(the_catalog, line("Whatever", account=OTHER))[:4] == ("", "suspended", "", "UNKNOWN_LINE_TYPE")
