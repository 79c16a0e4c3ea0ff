"""Support plans by hand (rating.md section 6): plans of the catalog, months that groups share, dated versions, over a group, what is refused."""
import pytest

from oracle import catalog, dec, margin, rate, statement, support
from oracle.helpers import (ACCOUNT, ING, OTHER, PERIOD, REST, TDS, book, customer, documents, line, make, payers)

THIRD = "000055556666"
FLAT = "kind: SupportPlanGroup\nid: flat\ntype: business\n"


def group(text, name="g"):
    return "kind: SupportPlanGroup\nid: %s\n%s\n" % (name, text)


def link(account, name, start="2025-01-01", end="", payer=TDS):
    return '{id: "%s", payer: "%s", from: %s%s%s}' % (account, payer, start, end and ", to: " + end, name and ", support_plan_group: " + name)


def linked(links, *texts):
    return make(book(REST, start="2020-01-01"), customer("", links), *texts)


def fees(document):
    return [(row["account"], row["usage_type"], row["amount_exact"]) for row in document["lines"] if row["product"] == "AWSSupport"]


def gates(document):
    return {gate["code"] for gate in document["gates"]} - {"NOT_FINAL"}


def usage(cost, day="10", account=ACCOUNT, period=PERIOD, **more):
    return line("Usage", cost, account=account, usage_start="%s-%sT00:00:00Z" % (period, day), **more)


# --- plans as data -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("plan,period,base,fee", [
    ("developer", "2026-12", "20000", "600"), ("business_public", "2026-12", "20000", "1700"), ("enterprise_on_ramp", "2026-12", "20000", "5500"),
    ("enterprise_on_ramp", "2026-12", "60000", "6000"), ("enterprise_on_ramp", "2027-01", "60000", None),
    ("enterprise", "2027-06", "600000", "44500"), ("enterprise_2026", "2025-12", "1", None), ("enterprise_2026", "2026-01", "60000", "6000"),
    ("enterprise_2026", "2026-01", "1", "5000"), ("partner_led", "2026-01", "100", "7500"), ("partner_led", "2026-01", "1000000", "64500"),
    ("business_plus", "2026-01", "10000", "900"), ("business_plus", "2026-01", "80000", "5800"), ("business_plus", "2026-01", "250000", "14300")])
def test_built_in_plans(plan, period, base, fee):
    the_catalog = linked([link(ACCOUNT, "g")], group("plan: " + plan))
    got = support.plan_fee(the_catalog, the_catalog.groups["g"], dec.parse(base), "USD", period)
    assert (None if got is None else dec.show(got)) == fee


PLAN = "kind: SupportPlan\nid: house\nfrom: 2025-03\nto: 2025-07\nminimum: 12.5\nbands: [{up_to: 100, percent: 50}, {percent: 1}]\n"


@pytest.mark.parametrize("period,cost,fee", [("2025-03", "10", "12.5"), ("2025-06", "50", "25"), ("2025-06", "100.5", "50.005"), ("2025-06", "0", None)])
def test_a_plan_of_the_catalog(period, cost, fee):
    the_catalog = linked([link(ACCOUNT, "g")], group("plan: house"), PLAN)
    document, = documents(the_catalog, {TDS: [usage(cost, period=period), line("Tax", "1", usage_start=period + "-10")]}, period)
    assert (fees(document), gates(document)) == ([(ACCOUNT, "g", fee)] if fee else [], set())


def test_a_plan_of_a_built_in_id_replaces_it():
    text = "kind: SupportPlan\nid: business_public\nbands: [{percent: 20}]\n"
    document, = documents(linked([link(ACCOUNT, "g")], group("type: business_public"), text), {TDS: [usage("10")]})
    assert fees(document) == [(ACCOUNT, "g", "2")]


@pytest.mark.parametrize("period", ["2025-02", "2025-07"])
def test_a_plan_that_does_not_hold_shuts_a_gate(period):
    """Never a silent 0, whatever the base."""
    the_catalog = linked([link(ACCOUNT, "g")], group("plan: house"), PLAN)
    document, = documents(the_catalog, {TDS: [usage("10", period=period)]}, period)
    assert (fees(document), gates(document)) == ([], {"SUPPORT_PLAN_ENDED"})
    document, = documents(the_catalog, {TDS: [line("Tax", "1", usage_start=period + "-10")]}, period)
    assert gates(document) == {"SUPPORT_PLAN_ENDED"}
    assert support.refused(the_catalog, period) == ["g"]


def test_the_end_of_the_legacy_plans():
    """20,000 USD: 2026-12 owes 1,700 and 600; from 2027-01 on the catalog is in error and the document is held."""
    the_catalog = linked([link(ACCOUNT, "b"), link(OTHER, "d")], group("type: business_public", "b"), group("type: developer", "d"))
    lines = [[usage("20000", account=account, period=period) for account in (ACCOUNT, OTHER)] for period in ("2026-12", "2027-01")]
    document, = documents(the_catalog, {TDS: lines[0]}, "2026-12")
    assert (fees(document), gates(document)) == ([(ACCOUNT, "b", "1700"), (OTHER, "d", "600")], set())
    document, = documents(the_catalog, {TDS: lines[1]}, "2027-01")
    assert (fees(document), gates(document)) == ([], {"SUPPORT_PLAN_ENDED"})
    assert (support.refused(the_catalog, "2026-12"), support.refused(the_catalog, "2027-01")) == ([], ["b", "d"])


def test_refused_only_for_months_in_which_the_group_is_named():
    the_catalog = linked([link(ACCOUNT, "g", "2025-01-01", "2027-01-01"), link(ACCOUNT, "", "2027-01-01")], group("type: developer"))
    assert support.refused(the_catalog, "2027-01") == []


def test_another_currency_than_the_plan():
    """A flat percent takes any currency; a plan its own. Small euros of a US plan are no silent 0."""
    lines = {TDS: [usage("10"), usage("7", currency="EUR")]}
    links = [link(ACCOUNT, "g")]
    euros = book("{id: all, priority: 1, match: {}, price: {pass: payer}}", currency="EUR", start="2020-01-01")
    for text, expected, shut in ((group("type: business"), "0.7", set()), (group("plan: house"), None, {"SUPPORT_PLAN_ENDED"}),
                                 (group("plan: house") + "---\n" + PLAN.replace("house", "other"), None, {"SUPPORT_PLAN_ENDED"})):
        the_catalog = make(euros, customer("invoice_currency: EUR", links), text, PLAN)
        document, = [one for one in documents(the_catalog, lines) if one["currency"] == "EUR"]
        assert (fees(document), gates(document) - {"SUSPENDED"}) == ([(ACCOUNT, "g", expected)] if expected else [], shut)
    in_euros = make(euros, customer("invoice_currency: EUR", links), group("plan: house"), PLAN + "currency: EUR\n")
    document, = [one for one in documents(in_euros, {TDS: [usage("7", currency="EUR")]})]
    assert fees(document) == [(ACCOUNT, "g", "12.5")]


@pytest.mark.parametrize("text,message", [
    ("type: business\nplan: house", "either"), ("over: account", "either"), ("type: gold", "unknown type"), ("plan: gold", "no plan gold"),
    ("plan: unified_operations", "bands"), ("type: business\nover: payer", "over"), ("type: business\nversions: [{from: 2025-06, type: basic}]", "can set"),
    ("type: business\nversions: [{from: 2025-06, percent: 1}, {from: 2025-06, percent: 2}]", "ascending"),
    ("type: business\nbase: {layer: cost}", "layer")])
def test_groups_that_are_refused(text, message):
    with pytest.raises(catalog.CatalogError, match=message):
        linked([link(ACCOUNT, "g")], group(text), PLAN)


@pytest.mark.parametrize("bands", ["[{up_to: 5, percent: 1}]", "[{percent: 1}, {percent: 2}]", "[{up_to: 5, percent: 1}, {up_to: 5, percent: 1}, {percent: 2}]"])
def test_bands_that_are_refused(bands):
    with pytest.raises(catalog.CatalogError, match="bands"):
        linked([link(ACCOUNT, "g")], group("plan: p"), "kind: SupportPlan\nid: p\nbands: %s\n" % bands)


def test_bands_of_the_catalog_make_a_plan_usable():
    the_catalog = linked([link(ACCOUNT, "g")], group("plan: unified_operations"),
                         "kind: SupportPlan\nid: unified_operations\nfrom: 2026-01\nminimum: 50000\nbands: [{up_to: 1000000, percent: 10}, {percent: 6}]\n")
    assert dec.show(support.plan_fee(the_catalog, the_catalog.groups["g"], dec.parse("1000000"), "USD", "2026-01")) == "100000"


# --- dated versions ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("period,sell,buy", [("2025-05", "10", "9"), ("2025-06", "9", "9"), ("2025-07", "50", "8"), ("2025-08", "15", "8")])
def test_versions_of_a_group(period, sell, buy):
    """Each replaces the keys that it names; the others stay."""
    the_catalog = linked([link(ACCOUNT, "g")], group(
        "type: business\nbuy_percent: 9\nversions:\n  - {from: 2025-06, percent: 9}\n  - {from: 2025-07, minimum: 50, buy_percent: 8}\n"
        "  - {from: 2025-08, minimum: 2, percent: 10, base: {layer: list}}"))
    lines = [usage("100", period=period, listed="150")]
    document, = documents(the_catalog, {TDS: lines}, period)
    assert fees(document) == [(ACCOUNT, "g", sell)]
    base = dec.parse({"2025-08": "12"}.get(period, buy))
    charges = rate.rate_lines(the_catalog, TDS, period, lines)
    assert margin.support_buy(the_catalog, list(charges.rows.items()), period) == {ACCOUNT: base}


# --- a month that groups share -------------------------------------------------------------------------------------

SHARED = [link(ACCOUNT, "g", "2025-01-01", "2025-06-11"), link(ACCOUNT, "h", "2025-06-11", "2025-07-01"), link(ACCOUNT, "g", "2025-07-01")]


def test_the_base_follows_the_links():
    """Lines before the 11th are the first group's, also the last instant of it."""
    the_catalog = linked(SHARED, group("type: business"), group("type: business\npercent: 7", "h"))
    lines = [usage("100", "03"), line("Usage", "50", usage_start="2025-06-10T23:59:59.999999Z"), usage("1000", "11")]
    document, = documents(the_catalog, {TDS: lines})
    assert fees(document) == [(ACCOUNT, "g", "15"), (ACCOUNT, "h", "70")]


def test_a_minimum_counts_for_the_days_held():
    """10 and 20 of 30 days: a third of 100 (half-even at 10^-18), two thirds of 29; a fee above its minimum stays."""
    groups = [group("type: business_public"), group("type: developer", "h")]
    document, = documents(linked(SHARED, *groups), {TDS: [usage("1", "03"), usage("1", "20")]})
    assert fees(document) == [(ACCOUNT, "g", "33.333333333333333333"), (ACCOUNT, "h", "19.333333333333333333")]
    document, = documents(linked(SHARED, *groups), {TDS: [usage("400", "03"), usage("1000", "20")]})
    assert fees(document) == [(ACCOUNT, "g", "40"), (ACCOUNT, "h", "30")]
    document, = documents(linked(SHARED, *groups), {TDS: [usage("1", "03")]})
    assert fees(document) == [(ACCOUNT, "g", "33.333333333333333333")]


def test_two_thirds_are_rounded_half_even():
    links = [link(ACCOUNT, "h", "2025-06-21"), link(ACCOUNT, "g", "2025-06-01", "2025-06-21")]
    document, = documents(linked(links, group("type: business_public"), FLAT.replace("flat", "h")), {TDS: [usage("1", "03")]})
    assert fees(document) == [(ACCOUNT, "g", "66.666666666666666667")]


def test_a_group_that_comes_back_is_one_part():
    links = [link(ACCOUNT, "g", "2025-01-01", "2025-06-11"), link(ACCOUNT, "h", "2025-06-11", "2025-06-21"), link(ACCOUNT, "g", "2025-06-21")]
    document, = documents(linked(links, group("type: business_public"), group("type: basic", "h")), {TDS: [usage("1", "03"), usage("1", "30")]})
    assert fees(document) == [(ACCOUNT, "g", "66.666666666666666667")]


def test_a_link_that_begins_inside_the_month():
    document, = documents(linked([link(ACCOUNT, "g", "2025-06-16")], group("type: business_public")), {TDS: [usage("1", "20")]})
    assert fees(document) == [(ACCOUNT, "g", "50")]


def test_support_lines_while_no_group_held():
    """O15: what AWS charges for the days without a group is not replaced by anything."""
    links = [link(ACCOUNT, "", "2025-01-01", "2025-06-11"), link(ACCOUNT, "g", "2025-06-11")]
    the_catalog = linked(links, group("type: business"))
    for day, shut in (("01", {"SUPPORT_PLAN_GROUP_MISSING"}), ("20", set())):
        document, = documents(the_catalog, {TDS: [usage("10", "20"), line("Fee", "60", product="AWSSupportBusiness", usage_start="2025-06-%s" % day)]})
        assert gates(document) == shut


def test_passthrough_of_the_time_it_held():
    the_catalog = linked(SHARED, group("type: passthrough"), group("type: basic", "h"))
    lines = [line("Fee", "60", product="AWSSupportBusiness", usage_start="2025-06-03"), line("Fee", "40", product="AWSSupportBusiness", usage_start="2025-06-20")]
    document, = documents(the_catalog, {TDS: lines})
    assert fees(document) == [(ACCOUNT, "g", "60")]


def test_tiers_are_shared_by_group_too():
    """The month's tiers are one; each group's part of them is by quantity."""
    tiers = "{id: s3, priority: 1, match: {service: AmazonS3}, price: {tiers: [{up_to: 100, rate: 1}, {rate: 0.5}], mode: graduated, over: account}}"
    the_catalog = make(book([tiers, REST]), customer("", SHARED), group("type: business"), group("type: business\npercent: 50", "h"))
    document, = documents(the_catalog, {TDS: [usage("9", "03", product="AmazonS3", quantity="50"), usage("9", "20", product="AmazonS3", quantity="150")]})
    assert [row["amount_exact"] for row in document["lines"]] == ["150", "3.75", "56.25"]


# --- nothing owed --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", ["type: business", "type: business\nminimum: 50", "type: business_public", "type: enterprise\nover: group", "type: basic"])
@pytest.mark.parametrize("cost", ["0", "-20"])
def test_a_base_of_zero_or_less_owes_nothing(text, cost):
    lines = [line("Usage", "0"), line("BundledDiscount", cost), line("Fee", "100")]
    the_catalog = linked([link(ACCOUNT, "g")], group(text))
    assert fees(documents(the_catalog, {TDS: lines})[0]) == []
    charges = rate.rate_lines(the_catalog, TDS, PERIOD, lines)
    assert not any(margin.support_buy(the_catalog, list(charges.rows.items()), PERIOD).values())


# --- over a group --------------------------------------------------------------------------------------------------

def over_group(costs, text="type: business_public\nover: group", **links):
    accounts = (ACCOUNT, OTHER, THIRD)
    the_catalog = linked([links.get("l%d" % i) or link(account, "g") for i, account in enumerate(accounts)], group(text))
    return the_catalog, [usage(cost, account=account) for account, cost in zip(accounts, costs) if cost is not None]


@pytest.mark.parametrize("costs,expected", [
    (("5000", "10000", "5000"), ["425", "850", "425"]),                       # 20,000 together: 1,700
    (("100", "100", None), ["50", "50"]),                                     # one minimum for both
    (("1", "1", "1"), ["33.333333333333333334", "33.333333333333333333", "33.333333333333333333"]),
    (("1", "2", "2"), ["20", "40", "40"]),
    (("10", "20", "20"), ["20", "40", "40"]),
    (("300", "400", "-100"), ["42.857142857142857143", "57.142857142857142857", None]),
    (("0", "7", "0"), [None, "100", None]), (("-5", "3", "2"), [None, None, None])])
def test_over_the_group(costs, expected):
    """The sum decides; shares by base, what is left to the largest, of equals to the smaller id; nobody with nothing owes."""
    the_catalog, lines = over_group(costs)
    document, = documents(the_catalog, {TDS: lines})
    assert fees(document) == [(account, "g", amount) for account, amount in zip((ACCOUNT, OTHER, THIRD), expected) if amount]


def test_what_is_left_goes_to_the_largest_base():
    """100 over 1, 3 and 3: 14.28..., 42.857142857142857143 twice, one 10^-18 too much, taken from the smaller id of the largest."""
    the_catalog, lines = over_group(("1", "3", "3"))
    shares = [amount for _, _, amount in fees(documents(the_catalog, {TDS: lines})[0])]
    assert shares == ["14.285714285714285714", "42.857142857142857143", "42.857142857142857143"]
    assert dec.show(sum(map(dec.parse, shares))) == "100"
    assert support.share_out(10, {"b": 1, "a": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert support.share_out(11, {"b": 2, "a": 1, "c": 1}) == {"a": 3, "b": 5, "c": 3}
    assert support.share_out(-10, {"b": 1, "a": 1, "c": 1}) == {"a": -4, "b": -3, "c": -3}
    assert support.share_out(10, {"a": 0, "b": -1}) == {}


def test_over_a_group_the_minimum_counts_while_any_account_was_in_it():
    the_catalog, lines = over_group(("1", "1", None), l0=link(ACCOUNT, "g", "2025-06-04", "2025-06-16"), l1=link(OTHER, "g", "2025-06-10", "2025-06-22"),
                                    l2=link(THIRD, "", "2025-01-01"))
    document, = documents(the_catalog, {TDS: lines})                          # 4th to 21st: 18 of 30 days
    assert fees(document) == [(ACCOUNT, "g", "30"), (OTHER, "g", "30")]


def test_over_a_group_the_reseller_pays_by_the_same_shares():
    the_catalog, lines = over_group(("300", "400", "-100"), "type: business\nover: group\nbuy_percent: 7")
    charges = rate.rate_lines(the_catalog, TDS, PERIOD, lines)
    assert {account: dec.show(amount) for account, amount in margin.support_buy(the_catalog, list(charges.rows.items()), PERIOD).items()} == \
        {ACCOUNT: "18", OTHER: "24"}


def test_over_a_group_under_two_payers():
    second = '---\nkind: Payer\nid: "777788889999"\nlane: tdsynnex\nmodel: tdsynnex\nreseller: northwind\n'
    the_catalog = make(payers() + second, book(REST), customer("", [link(ACCOUNT, "g"), link(ACCOUNT, "g", payer="777788889999"), link(OTHER, "g", payer=ING)]),
                       group("type: business_public\nover: group"))
    got = documents(the_catalog, {TDS: [usage("30")], "777788889999": [usage("10")], ING: [usage("5", account=OTHER)]})
    assert [fees(one) for one in got] == [[(OTHER, "g", "100")], [(ACCOUNT, "g", "75"), (ACCOUNT, "g", "25")]]


def test_each_customer_by_itself():
    the_catalog = make(book(REST), customer("", [link(ACCOUNT, "g")]), customer("", [link(OTHER, "g")], "bolt"), group("type: business_public\nover: group"))
    got = documents(the_catalog, {TDS: [usage("30"), usage("10", account=OTHER)]})
    assert [fees(one) for one in got] == [[(ACCOUNT, "g", "100")], [(OTHER, "g", "100")]]
    assert statement.latest_link(the_catalog, TDS, OTHER, "bolt", PERIOD).group == "g"
