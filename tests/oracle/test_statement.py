"""Statements: support, FX, rounding, tax (rating.md section 6, statements.md section 3, S10-S12)."""
import pytest

from oracle import dec, statement, support
from oracle.helpers import (ACCOUNT, ING, OTHER, REST, TDS, book, customer, documents, line, make,
                            payers)

BUSINESS = "kind: SupportPlanGroup\nid: g\ntype: business\n"


def group(kind, extra=""):
    return "kind: SupportPlanGroup\nid: g\ntype: %s\n%s\n" % (kind, extra)


def with_group(group_text, under=(TDS,), extra=""):
    links = ['{id: "%s", payer: "%s", from: 2025-01-01, support_plan_group: g}' % (ACCOUNT, payer) for payer in under]
    return make(book(REST), customer(extra, links), group_text)


def support_of(document):
    return [row["amount_exact"] for row in document["lines"] if row["class"] == "support" and row["product"] == "AWSSupport"]


USAGES = {"437.00": ("43.7", "100"), "0.00": (None, None), "200000.00": ("20000", "11900")}


@pytest.mark.parametrize("usage", USAGES)
def test_rules_table_1_10(usage):
    """N02 10 % flat, N03 no minimum, against AWS's public price for the same usage (rules.md, "Worked examples")."""
    flat, public = USAGES[usage]
    lines = {TDS: [line("Usage", usage), line("Tax", "1")]}
    assert support_of(documents(with_group(BUSINESS), lines)[0]) == ([flat] if flat else [])
    assert support_of(documents(with_group(group("business_public")), lines)[0]) == ([public] if public else [])


def test_support_row():
    """N02, N19, O14: what the row looks like; it stands after the account's own lines."""
    document = documents(with_group(BUSINESS), {TDS: [line("Usage", "437.00", product="zzz")]})[0]
    assert document["lines"][1] == {"customer": "acme", "account": ACCOUNT, "product": "AWSSupport", "usage_type": "g", "unit": "",
                                    "class": "support", "quantity": "1", "amount_exact": "43.7", "amount": "43.7"}
    assert (document["subtotal"], document["total"]) == ("480.7", "480.7")


PLANS = [
    ("developer", "2025-06", "100", "29"), ("developer", "2025-06", "1000", "30"), ("developer", "2027-01", "1000", None),
    ("business_public", "2026-12", "999.99", "100"), ("business_public", "2025-06", "10000", "1000"),
    ("business_public", "2025-06", "80000", "5900"), ("business_public", "2025-06", "250000", "14400"),
    ("business_public", "2025-06", "300000", "15900"), ("business_public", "2027-01", "300000", None),
    ("business_plus", "2025-12", "1000", None), ("business_plus", "2026-01", "100", "29"), ("business_plus", "2026-01", "300000", "15800"),
    ("enterprise", "2025-06", "0", "0"), ("enterprise", "2025-06", "0.01", "15000"), ("enterprise", "2025-06", "150000", "15000"), ("enterprise", "2025-06", "2000000", "94500")]


@pytest.mark.parametrize("kind,period,base,fee", PLANS)
def test_public_plans(kind, period, base, fee):
    """S11: graduated bands, minimum, days of validity. business_plus 300k: 900 + 4900 + 8500 + 1500 = 15800."""
    the_catalog = with_group(group(kind))
    got = support.plan_fee(the_catalog, the_catalog.groups["g"], dec.parse(base), "USD", period)
    assert (None if got is None else dec.show(got)) == fee


def test_group_options():
    """`percent`, `minimum`, `base` per group (S10)."""
    lines = {TDS: [line("Usage", "100", "150"), line("Fee", "1000", product="AmazonS3"), line("BundledDiscount", "-20")]}
    for options, fee in [(group("business"), "8"), (group("business", "percent: 5"), "4"), (group("business", "minimum: 50"), "50"),
                         (group("business", "base: {layer: list}"), "13"), (group("business", "base: {classes: [usage, fee]}"), "110"),
                         (group("business_public", "percent: 3"), "100"), (group("business_public", "percent: 3\nminimum: 2"), "2.4"),
                         (group("developer", "minimum: 0"), "2.4"), (group("basic"), None)]:
        assert support_of(documents(with_group(options), lines)[0]) == ([fee] if fee else [])


def test_business_fee_is_half_even_and_never_negative():
    lines = {TDS: [line("Usage", "0.000000000000000005"), line("Usage", "1", product="AmazonS3")]}
    assert support_of(documents(with_group(BUSINESS), lines)[0]) == ["0.1"]             # 0.1000000000000000005 -> even
    assert support_of(documents(with_group(BUSINESS), {TDS: [line("BundledDiscount", "-20")]})[0]) == []


def test_passthrough_and_suppression():
    """N04, N19: AWS's support lines of a TD SYNNEX payer come back as one row; under Ingram the lines stay."""
    lines = [line("Usage", "10"), line("Fee", "60", product="AWSSupportBusiness"), line("Fee", "40", product="AWSSupportBusiness")]
    tds = documents(with_group(group("passthrough")), {TDS: lines})[0]
    assert [(row["product"], row["amount"]) for row in tds["lines"]] == [("AmazonEC2", "10"), ("AWSSupport", "100")]
    ingram = documents(with_group(group("passthrough"), [ING]), {ING: lines})[0]
    assert [(row["product"], row["amount"]) for row in ingram["lines"]] == [("AWSSupportBusiness", "100"), ("AmazonEC2", "10")]
    business = documents(with_group(BUSINESS), {TDS: lines})[0]
    assert [(row["product"], row["amount"]) for row in business["lines"]] == [("AmazonEC2", "10"), ("AWSSupport", "1")]


def test_support_group_missing():
    """O15, R05: observed support without a group shuts the gate."""
    lines = {TDS: [line("Usage", "10"), line("Fee", "60", product="AWSSupportBusiness")]}
    document = documents(make(book(REST), customer()), lines)[0]
    assert support_of(document) == []
    assert "SUPPORT_PLAN_GROUP_MISSING" in [gate["code"] for gate in document["gates"]]
    assert "SUPPORT_PLAN_GROUP_MISSING" not in [gate["code"] for gate in documents(with_group(BUSINESS), lines)[0]["gates"]]


def test_support_is_per_payer_and_account():
    """S10: an account under two payers of a lane has a row for each; a suspended line is no charge."""
    second = '---\nkind: Payer\nid: "777788889999"\nlane: tdsynnex\nmodel: tdsynnex\nreseller: northwind\n'
    links = ['{id: "%s", payer: "%s", from: 2025-01-01, support_plan_group: g}' % (ACCOUNT, payer) for payer in (TDS, "777788889999")]
    the_catalog = make(payers() + second, book(REST), customer("", links), group("business_public"))
    got = documents(the_catalog, {TDS: [line("Usage", "2000")], "777788889999": [line("Usage", "10")]})
    assert len(got) == 1 and support_of(got[0]) == ["200", "100"]
    assert [row["amount"] for row in got[0]["lines"]] == ["2010", "200", "100"]          # usage merged over payers
    got = documents(the_catalog, {TDS: [line("Usage", "2000")], "777788889999": [line("Whatever", "10")]})
    assert support_of(got[0]) == ["200"]


def test_account_that_moves_has_support_with_each_owner():
    links = [['{id: "%s", payer: "%s", from: 2025-01-01, to: 2025-06-15, support_plan_group: g}' % (ACCOUNT, TDS)],
             ['{id: "%s", payer: "%s", from: 2025-06-15, support_plan_group: g}' % (ACCOUNT, TDS)]]
    the_catalog = make(book(REST), customer("", links[0]), customer("", links[1], "bolt"), BUSINESS)
    got = documents(the_catalog, {TDS: [line("Usage", "100"), line("Usage", "300", usage_start="2025-06-20T00:00:00Z")]})
    assert [(document["customers"][0]["id"], document["subtotal"]) for document in got] == [("acme", "110"), ("bolt", "330")]


# --- lines ---------------------------------------------------------------------------------------------------------

def test_lines_are_merged_sorted_and_zeros_left_out():
    """S12: bytewise order; a free line counts in the quantity; a zero sum is no line; suspended lines are not there."""
    lines = {TDS: [line("Usage", "1", product="b"), line("Usage", "1", product="B"), line("Usage", "1", product="a", unit="é"),
                   line("Usage", "1", product="a", unit="z"), line("Usage", "0", product="b", region="us-east-1", quantity="5"),
                   line("Usage", "7", product="c"), line("Usage", "-7", product="c"), line("Tax", "3"), line("Whatever", "3"),
                   line("Fee", "2", product="a", unit="z")]}
    document = documents(make(book(REST), customer()), lines)[0]
    assert [(row["product"], row["unit"], row["class"], row["quantity"], row["amount"]) for row in document["lines"]] == [
        ("B", "Hrs", "usage", "1", "1"), ("a", "z", "fee", "1", "2"), ("a", "z", "usage", "1", "1"), ("a", "é", "usage", "1", "1"), ("b", "Hrs", "usage", "6", "1")]
    assert "SUSPENDED" in [gate["code"] for gate in document["gates"]]


def test_one_document_per_lane_and_customer():
    """I01, R03: the vendor is the lane."""
    the_catalog = make(book(REST), customer(), customer(customer_id="bolt", accounts=['{id: "%s", payer: "%s", from: 2025-01-01}' % (OTHER, TDS)]))
    got = documents(the_catalog, {TDS: [line("Usage", "1"), line("Usage", "2", account=OTHER), line("Usage", "9", account=TDS)],
                                  ING: [line("Usage", "4")]})
    assert [(d["lane"], d["customers"][0]["id"], d["total"], d["kind"], d["reseller"]) for d in got] == [
        ("ingram", "acme", "4", "statement", "northwind"), ("tdsynnex", "acme", "1", "statement", "northwind"),
        ("tdsynnex", "bolt", "2", "statement", "northwind")]


def test_no_document_from_suspended_lines_alone():
    the_catalog = make(book(REST), customer())
    assert documents(the_catalog, {TDS: [line("Whatever", "3")]}) == []
    empty = documents(the_catalog, {TDS: [line("Tax", "3")]})
    assert [(d["lines"], d["subtotal"], d["total"]) for d in empty] == [([], "0", "0")]


# --- rounding ------------------------------------------------------------------------------------------------------

ROUNDINGS = [
    ("USD", ["0.004", "0.004", "0.004"], "0.01", ["0.01", "0", "0"]),                # tie: the first line
    ("USD", ["0.005"], "0.01", ["0.01"]), ("USD", ["-0.005"], "-0.01", ["-0.01"]),
    ("USD", ["0.0049999"], "0", ["0"]),
    ("USD", ["10.333", "10.333", "10.334"], "31", ["10.33", "10.33", "10.34"]),
    ("USD", ["1.999", "-0.999"], "1", ["2", "-1"]),                                   # remainders 0.9 and 0.1 of a cent
    ("USD", ["-1.005", "-2.005"], "-3.01", ["-1", "-2.01"]),
    ("USD", ["-0.004", "0.004"], "0", ["0", "0"]),     # floors -0.01 and 0; the missing cent goes to the remainder 0.006
    ("JPY", ["100.5", "100.4", "0.6"], "202", ["101", "100", "1"]), ("JPY", ["0.5"], "1", ["1"]), ("JPY", ["-0.5"], "-1", ["-1"]),
    ("KWD", ["1.0004", "1.0004"], "2.001", ["1.001", "1"]), ("KWD", ["0.0005"], "0.001", ["0.001"]),
    ("USD", [], "0", [])]


@pytest.mark.parametrize("currency,exacts,total,amounts", ROUNDINGS)
def test_largest_remainder(currency, exacts, total, amounts):
    """Total half away from zero to the minor unit; lines add up to it exactly (R06, R07)."""
    got, got_total = statement.largest_remainder([dec.parse(exact) for exact in exacts], currency)
    assert ([dec.show(amount) for amount in got], dec.show(got_total)) == (amounts, total)
    assert sum(got) == got_total


def test_document_in_three_minor_units():
    for currency, rate, subtotal, tax in [("USD", None, "33.33", "6.33"), ("JPY", "150.25", "5008", "952"), ("KWD", "0.30725", "10.241", "1.946")]:
        fx = ["kind: FxRate\nid: f\nset: reseller\nfrom: USD\nto: %s\nperiod: 2025-06\nrate: %s\n" % (currency, rate)] if rate else []
        the_catalog = make(book(REST), customer("invoice_currency: %s\ntax: [{name: VAT, percent: 19}]" % currency), *fx)
        document = documents(the_catalog, {TDS: [line("Usage", "33.33")]})[0]
        assert (document["currency"], document["subtotal"], document["tax"]) == (currency, subtotal, [{"name": "VAT", "percent": "19", "amount": tax}])
        assert document["total"] == dec.show(dec.parse(subtotal) + dec.parse(tax))


def test_taxes_round_half_away_each():
    the_catalog = make(book(REST), customer("tax: [{name: A, percent: 5}, {name: B, percent: 9.975}]"))
    document = documents(the_catalog, {TDS: [line("Usage", "0.10")]})[0]
    assert [tax["amount"] for tax in document["tax"]] == ["0.01", "0.01"]                # 0.005 and 0.009975
    assert document["total"] == "0.12"
    negative = documents(the_catalog, {TDS: [line("Refund", "-0.10")]})[0]
    assert ([tax["amount"] for tax in negative["tax"]], negative["total"]) == (["-0.01", "-0.01"], "-0.12")


# --- foreign exchange ----------------------------------------------------------------------------------------------

FX = "kind: FxRate\nid: f\nset: %s\nfrom: USD\nto: EUR\nperiod: %s\nrate: 0.92\n"


def test_conversion():
    """R06, R07, O03: each line's exact amount times the reseller's rate of the period."""
    the_catalog = make(book(REST), customer("invoice_currency: EUR"), FX % ("reseller", "2025-06"))
    document = documents(the_catalog, {TDS: [line("Usage", "10.01"), line("Usage", "0.000000000000000003", product="x")]})[0]
    assert (document["currency"], document["rate"], document["subtotal"]) == ("EUR", "0.92", "9.21")
    assert [row["amount_exact"] for row in document["lines"]] == ["9.2092", "0.000000000000000003"]   # 2.76e-18
    assert [gate["code"] for gate in document["gates"]] == ["NOT_FINAL"]


@pytest.mark.parametrize("fx", [[], [FX % ("distributor", "2025-06")], [FX % ("reseller", "2025-05")]])
def test_missing_rate(fx):
    """R08: the distributor's rate is another set. The draft stays in the source currency."""
    document = documents(make(book(REST), customer("invoice_currency: EUR"), *fx), {TDS: [line("Usage", "10.01")]})[0]
    assert (document["currency"], document["rate"], document["subtotal"]) == ("USD", None, "10.01")
    assert "FX_MISSING" in [gate["code"] for gate in document["gates"]]


def test_default_currency():
    """N21: USD; without conversion the rate is 1."""
    document = documents(make(book(REST), customer()), {TDS: [line("Usage", "1")]})[0]
    assert (document["currency"], document["rate"]) == ("USD", "1")


def test_documents_never_mix_source_currencies():
    """D14."""
    the_catalog = make(book(REST), customer("credit_policy: pass"))
    got = documents(the_catalog, {TDS: [line("Usage", "10"), line("Credit", "-7", currency="CNY")]})
    assert [(d["currency"], d["rate"], d["total"]) for d in got] == [("CNY", None, "-7"), ("USD", "1", "10")]


def test_final_lines_open_the_gate():
    document = documents(make(book(REST), customer()), {TDS: [line("Usage", "1", invoice_id="42")]})[0]
    assert document["gates"] == []


def test_suspended_gate_is_for_the_accounts_of_the_document():
    the_catalog = make(book(REST), customer(), customer(customer_id="bolt", accounts=['{id: "%s", payer: "%s", from: 2025-01-01}' % (OTHER, TDS)]))
    got = documents(the_catalog, {TDS: [line("Usage", "1", invoice_id="4"), line("Usage", "1", account=OTHER, invoice_id="4"),
                                        line("Whatever", "5", account=OTHER, invoice_id="4"), line("Usage", "5", account="999999999999", invoice_id="4")]})
    assert [[gate["code"] for gate in document["gates"]] for document in got] == [[], ["SUSPENDED"]]
