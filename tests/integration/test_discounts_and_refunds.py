"""What AWS gives back, and discounts that stand in columns, from files to documents (rating.md sections 2 and 2a): each payer is one kind of
report, made by hand. What must come out is written down beside it."""
import csv
import json
import types

import pytest

import months

HEAD = ("bill/PayerAccountId", "bill/BillingPeriodStartDate", "bill/BillingPeriodEndDate", "bill/InvoiceId", "bill/BillingEntity",
        "lineItem/UsageAccountId", "lineItem/LineItemType", "lineItem/UsageStartDate", "lineItem/ProductCode", "lineItem/UsageType",
        "lineItem/Operation", "lineItem/UsageAmount", "lineItem/CurrencyCode", "lineItem/UnblendedCost", "pricing/publicOnDemandCost",
        "pricing/unit", "reservation/ReservationARN", "savingsPlan/SavingsPlanARN")
CUR2 = ("bill_payer_account_id", "bill_billing_period_start_date", "bill_billing_period_end_date", "bill_invoice_id", "bill_billing_entity",
        "line_item_usage_account_id", "line_item_line_item_type", "line_item_usage_start_date", "line_item_product_code", "line_item_usage_type",
        "line_item_operation", "line_item_usage_amount", "line_item_currency_code", "line_item_unblended_cost", "pricing_public_on_demand_cost",
        "pricing_unit", "reservation_reservation_a_r_n", "savings_plan_savings_plan_a_r_n")
COLUMNS = ("line_item_net_unblended_cost", "discount", "discount_total_discount")
NET = ("lineItem/NetUnblendedCost", "discount/TotalDiscount")
RI, SP = "arn:aws:ec2:eu-central-1:1:reserved-instances/x", "arn:aws:savingsplans::1:savingsplan/x"

# name -> (model, header, more columns, rows: (type, product, cost, list, ARNs, values of the further columns))
REPORTS = {
    "columns": ("ingram", CUR2, COLUMNS, [
        ("Usage", "AmazonEC2", "100.0", "100.0", (), ("80.0", {"edp_discount": -9.0, "private_rate_discount": -11.0}, "-20.0")),
        ("Usage", "AmazonS3", "50.0", "50.0", (), ("45.5", {"bundled_discount": -4.5}, "-4.5")),
        ("Usage", "AmazonSQS", "10.0", "10.0", (), ("7.0", {"edp_discount": -1.0}, "-3.0")),
        ("Tax", "AmazonEC2", "5.0", "", (), ("", {}, ""))]),
    "twice": ("ingram", CUR2, COLUMNS, [
        ("Usage", "AmazonEC2", "100.0", "100.0", (), ("80.0", {"edp_discount": -20.0}, "-20.0")),
        ("EdpDiscount", "AmazonEC2", "-5.0", "", (), ("", {}, ""))]),
    "disagree": ("ingram", HEAD, NET, [
        ("Usage", "AmazonEC2", "394.0", "394.0", (), ("316.62", "-77.38"))]),
    "support": ("tdsynnex", HEAD, (), [
        ("Usage", "AmazonEC2", "1000.0", "1000.0", (), ()),
        ("Fee", "AWSEnterpriseOnRamp", "5500.0", "", (), ()),
        ("Usage", "AWSSupportEnterprise", "70.0", "", (), ()),
        ("Usage", "awspremiumcare", "30.0", "", (), ()),
        ("Refund", "AWSSupportBusiness", "-5.5", "", (), ())]),
    "commitments": ("ingram", HEAD, (), [
        ("Usage", "AmazonEC2", "10.0", "10.0", (), ()),
        ("SavingsPlanUpfrontFee", "ComputeSavingsPlans", "1200.0", "", (SP,), ()),
        ("Refund", "ComputeSavingsPlans", "-1200.0", "", (SP,), ()),
        ("Fee", "AmazonEC2", "600.0", "", (RI,), ()),
        ("Refund", "AmazonEC2", "-600.0", "", (RI,), ())]),
}
CATALOG = """
kind: SupportPlanGroup
id: discounts-business
type: business
percent: 10
---
kind: SupportProduct
id: AWSPremiumCare
"""


def _catalog(payer, account, model):
    text = months.small_catalog(payer, [account], source='{type: folder, path: "/"}', lane=model, percent="0")
    return text.replace("from: 2020-01-01}", "from: 2020-01-01, support_plan_group: discounts-business}") if model == "tdsynnex" else text


def _write(file, payer, account, period, header, more, rows):
    year, month = map(int, period.split("-"))
    end = f"{year + month // 12}-{month % 12 + 1:02d}-01T00:00:00Z"
    with open(file, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header + more)
        for kind, product, cost, listed, arns, values in rows:
            writer.writerow([payer, f"{period}-01T00:00:00Z", end, "INV1", "AWS", account, kind, f"{period}-03T04:00:00Z", product, "a", "b", "1.0",
                             "USD", cost, listed, "Hrs", RI if RI in arns else "", SP if SP in arns else "",
                             *(json.dumps(value) if isinstance(value, dict) else value for value in values)])
    return file


@pytest.fixture(scope="module")
def hand(stack):
    """All reports ingested; name -> payer."""
    h = types.SimpleNamespace(stack=stack, period=months.next_period(), payers={name: months.payer_id("discounts " + name) for name in REPORTS})
    accounts = {name: months.payer_id("discounts account " + name) for name in REPORTS}
    stack.apply_catalog("discounts", "---\n".join([CATALOG, *(_catalog(h.payers[name], accounts[name], REPORTS[name][0]) for name in REPORTS)]))
    for name, (_, header, more, rows) in REPORTS.items():
        file = _write(stack.data / f"discounts-{name}.csv", h.payers[name], accounts[name], h.period, header, more, rows)
        stack.cli("ingest", "--file", file, "--payer", h.payers[name], "--period", h.period, "--wait")
    return h


def _totals(hand, name, by="class"):
    answer = months.totals(hand.stack, hand.payers[name], hand.period, by)
    return answer, {group[by]: (group["lines"], group["derived_lines"], group["payer"], group["buy"], group["sell"]) for group in answer["groups"]}


def _alerts(hand, name):
    run = hand.stack.cli("run", "list", "--payer", hand.payers[name])[-1]["run"]
    shown = hand.stack.cli("run", "show", run)
    return [(alert["code"], alert["object"], alert["detail"]) for alert in shown["alerts"] if alert["code"].startswith("DISCOUNT_")], shown


def _document(hand, name, model):
    return hand.stack.cli("statement", "show", "--period", hand.period, "--customer", "customer-" + hand.payers[name][-6:], "--lane", model)


def test_discounts_in_columns_are_lines(hand):
    """AWS charges 132.5 and a tax of 5, not 160: what it takes off stands in columns. A customer gets the bundled discount and no other."""
    answer, by_class = _totals(hand, "columns")
    assert (answer["lines"], answer["derived_lines"], answer["suspended_lines"]) == (4, 4, 0)
    assert by_class == {"usage": (3, 0, "160", "160", "160"), "provider_discount": (0, 3, "-23", "-23", "0"),
                        "bundled_discount": (0, 1, "-4.5", "-4.5", "-4.5"), "tax": (1, 0, "5", "5", "0")}
    assert {key: value[:3] for key, value in _totals(hand, "columns", "line_item_type")[1].items() if value[1]} == {
        "EdpDiscount": (0, 1, "-9"), "PrivateRateDiscount": (0, 1, "-11"), "Discount": (0, 1, "-3"), "BundledDiscount": (0, 1, "-4.5")}
    assert _totals(hand, "columns", "day")[1][f"{hand.period}-03"] == (4, 4, "137.5", "137.5", "155.5")
    assert _document(hand, "columns", "ingram")["total"] == "155.5"


def test_what_the_map_does_not_explain_is_told_with_row_and_amount(hand):
    found, shown = _alerts(hand, "columns")
    assert [alert[:2] for alert in found] == [("DISCOUNT_UNEXPLAINED", "1:3")]
    assert "row 3" in found[0][2] and " -3 USD" in found[0][2]
    assert [(chunk["lines_read"], chunk["lines_applied"], chunk["derived_read"], chunk["derived_applied"]) for chunk in shown["chunks"]] == [(4, 4, 4, 4)]
    assert shown["control_costs"] == [{"chunk": 1, "currency": "USD", "read": "137.5", "applied": "137.5"}]


def test_explain_shows_the_derived_lines_of_a_row(hand):
    place = ("explain", "--payer", hand.payers["columns"], "--period", hand.period, "--line")
    one = hand.stack.cli(*place, "1:1")
    assert (one["class"], one["payer"], one["sell"]) == ("usage", "100", "100")
    assert [(line["line_item_type"], line["class"], line["quantity"], line["payer"], line["sell"]) for line in one["derived_lines"]] == [
        ("EdpDiscount", "provider_discount", "0", "-9", "0"), ("PrivateRateDiscount", "provider_discount", "0", "-11", "0")]
    assert all(line["steps"] for line in one["derived_lines"])
    assert hand.stack.cli(*place, "1:4")["derived_lines"] == []
    assert "derived line PrivateRateDiscount" in hand.stack.cli_raw("--format", "table", *place, "1:1").stdout


def test_exported_lines_have_them_too(hand, tmp_path):
    """Equal to the document; what tells the reseller's own discounts stays out."""
    out = tmp_path / "lines.csv"
    hand.stack.cli("export", "lines", "--customer", "customer-" + hand.payers["columns"][-6:], "--period", hand.period, "--lane", "ingram", "--output", out)
    rows = [row for file in ([out] if out.is_file() else out.rglob("*.csv")) for row in csv.DictReader(file.open(newline=""))]
    assert sorted((row["line"], row["line_item_type"], row["sell"]) for row in rows if row["from"] == "line") == [
        ("1:1", "Usage", "100"), ("1:2", "BundledDiscount", "-4.5"), ("1:2", "Usage", "50"), ("1:3", "Usage", "10")]


def test_a_dry_run_sees_them(hand):
    """Rated again with the same catalog, nothing differs: derived lines are there both times."""
    answer = hand.stack.cli("catalog", "apply", hand.stack.catalog, "--dry-run", "--periods", f"{hand.period}..{hand.period}")
    customer = "customer-" + hand.payers["columns"][-6:]
    assert [row for row in answer["rows"] if row.get("customer") == customer] == []


def test_the_same_discount_twice(hand):
    found, _ = _alerts(hand, "twice")
    assert [alert[:2] for alert in found] == [("DISCOUNT_TWICE", "USD")]
    assert "-20 USD" in found[0][2] and "-5 USD" in found[0][2]
    assert _totals(hand, "twice")[1]["provider_discount"] == (1, 1, "-25", "-25", "0")


def test_legacy_columns_that_disagree_with_the_lines(hand):
    found, _ = _alerts(hand, "disagree")
    assert [alert[:2] for alert in found] == [("DISCOUNT_COLUMNS_DISAGREE", "USD")]
    assert "-77.38 USD" in found[0][2] and " 0 USD" in found[0][2]
    answer, by_class = _totals(hand, "disagree")
    assert (answer["derived_lines"], by_class) == (0, {"usage": (1, 0, "394", "394", "394")})


def test_support_and_its_refund_are_replaced_by_the_groups_line(hand):
    """1,000 of usage and 10 % of it; AWS's own lines, the refund, and what the catalog calls support cost nothing."""
    assert _totals(hand, "support")[1] == {"usage": (1, 0, "1000", "1000", "1000"), "support": (4, 0, "5594.5", "0", "0")}
    document = _document(hand, "support", "tdsynnex")
    assert [(line["class"], line["amount"]) for line in document["lines"]] == [("usage", "1000"), ("support", "100")]
    assert document["total"] == "1100"


def test_what_is_given_back_for_commitments_stays_with_who_paid(hand):
    assert _totals(hand, "commitments")[1] == {"usage": (1, 0, "10", "10", "10"), "commitment_fee": (4, 0, "0", "0", "0")}
    assert _document(hand, "commitments", "ingram")["total"] == "10"
