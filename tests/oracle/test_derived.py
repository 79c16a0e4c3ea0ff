"""Discounts that stand in columns (rating.md section 2a), by hand."""
import pytest

from oracle import cur, derived, rate, totals
from oracle.dec import DecimalError, parse, show
from oracle.helpers import (ACCOUNT, ING, LEGACY_HEADER, PERIOD, REST, TDS, book, customer, legacy_row, line, make, write_csv)


def columns(cost="100", net=None, total=None, kind="Usage", **keys):
    """A CUR 2.0 line; `keys`: its map."""
    return line(kind, cost, listed="120", quantity="3", net=None if net is None else parse(net),
                discounts=tuple((key, parse(value)) for key, value in keys.items()), total_discount=None if total is None else parse(total))


def parts(one):
    lines, unexplained = derived.derived(one)
    return [(part.line_item_type, show(part.cost)) for part in lines], unexplained


@pytest.mark.parametrize("one,expected,unexplained", [
    (columns(net="80", edp_discount="-9", private_rate_discount="-11"), [("EdpDiscount", "-9"), ("PrivateRateDiscount", "-11")], False),
    (columns(net="80", edp_discount="9", private_rate_discount="11"), [("EdpDiscount", "-9"), ("PrivateRateDiscount", "-11")], False),
    (columns(net="80", edp_discount="-9"), [("Discount", "-20")], True),
    (columns(net="80"), [("Discount", "-20")], True),
    (columns(net="100", edp_discount="-9"), [], False), (columns(), [], False), (columns(total="0"), [], False),
    (columns(edp_discount="-9", total="-7"), [("EdpDiscount", "-9")], False),
    (columns(edp_discount="9"), [("EdpDiscount", "9")], False),                  # as AWS writes them
    (columns(total="-7"), [("Discount", "-7")], True),
    (columns(edp_discount="-9", spp_discount="9", total="-7"), [], False),
    (columns(net="99", RiVolumeDiscount="-1.5", DISTRIBUTOR_DISCOUNT="0.25", gift="0.25", spp_discount="0"),
     [("RiVolumeDiscount", "-1.5"), ("DistributorDiscount", "0.25"), ("Discount", "0.25")], False),
    (columns(net="99", bundledDiscount="-1", kind="Fee"), [("BundledDiscount", "-1")], False),
    (columns(cost="-10", net="0", kind="EdpDiscount", edp_discount="10"), [("EdpDiscount", "10")], False),
    (line("Usage", "100", net=parse("80")), [], False)])                         # no such columns: a legacy report
def test_derived_lines(one, expected, unexplained):
    assert parts(one) == (expected, unexplained)


def test_a_derived_line_has_the_texts_and_dates_of_its_row():
    one = columns(net="80", edp_discount="-20")._replace(invoice_id="7", reservation="arn:x")
    part = derived.derived(one)[0][0]
    assert part == one._replace(line_item_type="EdpDiscount", quantity=0, cost=parse("-20"), on_demand=0, net=None, discounts=None)


def rated(lines, payer=ING, extra=""):
    return rate.rate_lines(make(book(REST), customer(), extra), payer, PERIOD, lines)


def sums(charges):
    answer = {}
    for group in totals.totals(charges, ["class"])["groups"]:
        answer[group["class"]] = tuple(group[name] for name in ("lines", "quantity", "payer", "list", "buy", "sell"))
    return answer


def test_derived_lines_are_priced_and_counted_by_themselves():
    """150 of usage, 24.5 of discounts: AWS charges 125.5."""
    lines = [columns(net="80", edp_discount="-9", private_rate_discount="-11"), columns("50", net="45.5", edp_discount="-4.5")]
    charges = rated(lines)
    assert (charges.lines, charges.derived_lines, charges.suspended_lines, charges.final_lines) == (2, 3, 0, 0)
    assert sums(charges) == {"usage": (2, "6", "150", "240", "150", "150"), "provider_discount": (0, "0", "-24.5", "-24.5", "-24.5", "0")}
    assert sums(rated(lines, TDS))["provider_discount"] == (0, "0", "-24.5", "-24.5", "0", "0")
    assert totals.totals(charges)["derived_lines"] == 3
    assert sums(rated([columns(net="90", bundled_discount="-10")]))["bundled_discount"] == (0, "0", "-10", "-10", "-10", "-10")


def test_derived_lines_of_a_line_that_is_suspended():
    """Each is judged by its own type; without a link both wait."""
    charges = rated([columns(net="80", kind="Whatever", edp_discount="-20"), columns(net="80", edp_discount="-20")._replace(account="999999999999")])
    assert (charges.lines, charges.derived_lines, charges.suspended_lines) == (2, 2, 2)
    assert sums(charges) == {"provider_discount": (0, "0", "-20", "-20", "-20", "0"), "suspended": (2, "6", "180", "220", "0", "0")}


def codes(charges):
    return [alert["code"] for alert in charges.alerts]


def test_unexplained():
    charges = rated([columns(net="80", edp_discount="-9")._replace(row="a.csv:2"), columns(net="91", edp_discount="-9")])
    assert charges.alerts == [{"code": "DISCOUNT_UNEXPLAINED", "row": "a.csv:2", "currency": "USD", "amount": "-20"}]
    assert sums(charges)["provider_discount"][2] == "-29"


def test_twice():
    """Lines of the same type: by their net column they are 0; without one the run says both sums."""
    both = [columns(net="80", edp_discount="-20"), columns("-5", net="0", kind="EdpDiscount", edp_discount="5")]
    assert (codes(rated(both)), sums(rated(both))["provider_discount"][2]) == ([], "-20")
    doubtful = rated([columns(net="80", edp_discount="-20"), columns("-5", kind="EdpDiscount"), columns("-3", kind="SppDiscount")])
    assert doubtful.alerts == [{"code": "DISCOUNT_TWICE", "currency": "USD", "columns": "-20", "lines": "-5"}]
    assert codes(rated([columns(net="80", edp_discount="-20"), columns("-3", kind="SppDiscount")])) == []


def legacy(kind, cost, net=None):
    return line(kind, cost, net=None if net is None else parse(net))


@pytest.mark.parametrize("lines,expected", [
    ([legacy("Usage", "394", "316.62")], [("-77.38", "0")]),
    ([legacy("Usage", "394", "316.62"), legacy("EdpDiscount", "-28.18", "0"), legacy("PrivateRateDiscount", "-49.2", "0")], []),
    ([legacy("Usage", "394", "316.62"), legacy("EdpDiscount", "-77.37")], []),                  # 0.01 is not more than 0.01
    ([legacy("Usage", "394", "316.62"), legacy("EdpDiscount", "-77.369999")], [("-77.38", "-77.369999")]),
    ([legacy("Usage", "394", "384"), legacy("BundledDiscount", "-10")], []),
    ([legacy("Usage", "394"), legacy("EdpDiscount", "-10")], [])])                              # no columns that could repeat them
def test_a_legacy_report_has_both(lines, expected):
    charges = rated(lines)
    assert charges.derived_lines == 0
    assert [(alert["columns"], alert["lines"]) for alert in charges.alerts] == expected
    assert set(codes(charges)) <= {"DISCOUNT_COLUMNS_DISAGREE"}


@pytest.mark.parametrize("text,expected", [("", ()), ("{}", ()), ('{"a":-0.1,"b":1E-7}', (("a", "-0.1"), ("b", "0.0000001"))), ('{"a": null, "b": "2"}', (("a", "0"), ("b", "2"))),
                                           ('{"a": 1, "a": 2}', (("a", "1"), ("a", "2")))])
def test_the_map(text, expected):
    assert tuple((key, show(value)) for key, value in cur.discount_map(text)) == expected


@pytest.mark.parametrize("text", ["x", "[1]", "1", '{"a": {"b": 1}}', '{"a": "x"}', '{"a": true}'])
def test_a_bad_map(text):
    with pytest.raises(DecimalError):
        cur.discount_map(text)


CUR2 = ["bill_billing_period_start_date", "bill_billing_period_end_date", "bill_payer_account_id", "line_item_usage_account_id", "line_item_line_item_type",
        "line_item_product_code", "line_item_usage_type", "line_item_usage_start_date", "line_item_unblended_cost", "line_item_currency_code"]


def cur2(tmp_path, more, values):
    row = dict(zip(CUR2, ["2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z", TDS, ACCOUNT, "Usage", "AmazonS3", "x", "2025-06-03T04:00:00Z", "100", "USD"]))
    return next(cur.read_files([write_csv(tmp_path / "a.csv", [{**row, **values}], CUR2 + more)], TDS, PERIOD))


def test_which_of_the_two_it_is(tmp_path):
    """The column `discount` or `discount_total_discount` tells; without them a net column says nothing."""
    net = {"line_item_net_unblended_cost": "80", "discount": '{"edp_discount":-20}', "discount_total_discount": "-20"}
    for more, expected in ((["discount", "line_item_net_unblended_cost"], [("EdpDiscount", "-20")]), (["discount"], [("EdpDiscount", "-20")]),
                           (["discount_total_discount"], [("Discount", "-20")]), (["line_item_net_unblended_cost"], [])):
        assert parts(cur2(tmp_path, more, net))[0] == expected
    assert cur2(tmp_path, ["product_region", "savings_plan_savings_plan_a_r_n"], {"product_region": "eu-1", "savings_plan_savings_plan_a_r_n": "arn:x"})[-5:-3] == ("arn:x", None)
    assert cur2(tmp_path, ["product_region"], {"product_region": "eu-1"}).region == "eu-1"


def test_legacy_columns(tmp_path):
    header = [*LEGACY_HEADER, "lineItem/NetUnblendedCost", "savingsPlan/SavingsPlanARN", "discount/TotalDiscount"]
    row = legacy_row("100", lineItem__NetUnblendedCost="80", savingsPlan__SavingsPlanARN="arn:x", discount__TotalDiscount="-20")
    one = next(cur.read_files([write_csv(tmp_path / "a.csv", [row], header)], TDS, PERIOD))
    assert (one.net, one.savings_plan, one.discounts, one.row) == (parse("80"), "arn:x", None, "%s:2" % (tmp_path / "a.csv"))
