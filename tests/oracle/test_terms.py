"""Terms that have dates (rating.md section 8): a statement of a month uses the terms of that month, whenever it is made."""
import pytest

from oracle import catalog, links, when
from oracle.catalog import Link
from oracle.helpers import (ACCOUNT, ING, REST, TDS, book, customer, documents, line, make, price)

DEAR = book("{id: dear, priority: 1, match: {}, price: {percent: 100, of: payer}}", "dear")
FX = "kind: FxRate\nid: f-%s\nset: reseller\nfrom: USD\nto: EUR\nperiod: %s\nrate: 0.5\n"


def under(payer, text, *more):
    return make(book(REST), DEAR, customer(text, ['{id: "%s", payer: "%s", from: 2025-01-01}' % (ACCOUNT, payer)]), *more)


def document(the_catalog, period, *lines, payer=TDS):
    one, = documents(the_catalog, {payer: [given._replace(usage_start=period + "-10") for given in lines]}, period)
    return one


TERMS = """tax: [{name: VAT, percent: 10}]
terms:
  - {from: 2025-03, price_book: dear}
  - {from: 2025-05, tax: [{name: VAT, percent: 20}, {name: GST, percent: 1}], invoice_currency: EUR}
  - {from: 2025-07, price_book: standard, tax: []}
"""


@pytest.mark.parametrize("period,subtotal,total", [
    ("2025-02", "100", "110"), ("2025-03", "200", "220"), ("2025-04", "200", "220"), ("2025-05", "100", "121"), ("2025-06", "100", "121"),
    ("2025-07", "50", "50"), ("2026-01", "50", "50")])
def test_each_entry_replaces_the_keys_that_it_names(period, subtotal, total):
    the_catalog = under(TDS, TERMS, *(FX % (month, month) for month in ("2025-05", "2025-06", "2025-07", "2026-01")))
    one = document(the_catalog, period, line("Usage", "100"))
    assert (one["subtotal"], one["total"], one["currency"]) == (subtotal, total, "USD" if period < "2025-05" else "EUR")


@pytest.mark.parametrize("terms,payer,one,before,after", [
    ("credit_policy: pass", TDS, line("Credit", "-8"), "0", "-8"), ("credit_policy: {mode: split, percent: 25}", TDS, line("Credit", "-8"), "0", "-2"),
    ("refund_policy: keep", TDS, line("Refund", "-8"), "-8", "0"), ("commitment_policy: pass_through", ING, line("RIFee", "8"), "0", "8"),
    ("spend_limit: 5", TDS, line("Usage", "8"), "8", "8")])
def test_policies(terms, payer, one, before, after):
    the_catalog = under(payer, "terms: [{from: 2025-06, %s}]" % terms)
    for period, sell in (("2025-05", before), ("2025-06", after), ("2025-07", after)):
        assert price(the_catalog, one._replace(usage_start=period + "-10"), payer, period)[3] == sell


GROUPS = "kind: SupportPlanGroup\nid: g\ntype: business\n---\nkind: SupportPlanGroup\nid: h\ntype: business\npercent: 50\n---\nkind: SupportPlanGroup\nid: p\ntype: passthrough\n"


@pytest.mark.parametrize("period,own,fee", [("2025-04", "", None), ("2025-05", "", "10"), ("2025-06", "", "50"), ("2025-06", ", support_plan_group: g", "10")])
def test_the_default_group_of_accounts(period, own, fee):
    """For accounts that name none."""
    the_catalog = make(book(REST), GROUPS, customer("terms: [{from: 2025-05, support_plan_group: g}, {from: 2025-06, support_plan_group: h}]",
                                                    ['{id: "%s", payer: "%s", from: 2025-01-01%s}' % (ACCOUNT, TDS, own)]))
    one = document(the_catalog, period, line("Usage", "100"))
    assert [row["amount_exact"] for row in one["lines"] if row["class"] == "support"] == ([fee] if fee else [])


def test_the_default_group_stands_in_the_document_too():
    the_catalog = under(ING, "support_plan_group: p\nterms: [{from: 2025-07, support_plan_group: g}]", GROUPS)
    support = line("Fee", "60", product="AWSSupportBusiness")
    assert document(the_catalog, "2025-06", support, payer=ING)["subtotal"] == "60"
    one = document(the_catalog, "2025-07", support, line("Usage", "10"), payer=ING)
    assert (one["subtotal"], [gate["code"] for gate in one["gates"]]) == ("11", ["NOT_FINAL"])


def test_a_book_from_the_first_terms_on():
    """Before them there is no price."""
    text = customer("terms: [{from: 2025-06, price_book: dear}]").replace("price_book: standard\n", "", 1)
    the_catalog = make(book(REST), DEAR, text)
    assert price(the_catalog, line("Usage", "8", usage_start="2025-05-10"), TDS, "2025-05")[0] == "NO_PRICE"
    assert price(the_catalog, line("Usage", "8"), TDS, "2025-06")[3] == "16"


@pytest.mark.parametrize("terms,message", [
    ("[{from: 2025-06, price_book: gone}]", "no price book gone"), ("[{from: 2025-06, support_plan_group: gone}]", "no support plan group gone"),
    ("[{from: 2025-06}, {from: 2025-06}]", "ascending"), ("[{from: 2025-07}, {from: 2025-06}]", "ascending"), ("[{from: 2025-06, reseller: x}]", "can set"),
    ("[{from: 2025-06-02, price_book: dear}]", "period"), ("[{price_book: dear}]", "period"), ("[{from: 2025-06, commitment_policy: all}]", "commitment policy"),
    ("[{from: 2025-06, credit_policy: all}]", "credit policy")])
def test_terms_that_are_refused(terms, message):
    with pytest.raises(ValueError, match=message):
        under(TDS, "terms: " + terms)


def test_pass_through_only_while_no_link_forbids_it():
    """O06, by months: the customer leaves the payer before it agrees to pass through."""
    terms = "terms: [{from: 2025-03, commitment_policy: pass_through}, {from: 2025-06, commitment_policy: on_demand}]"

    def linked(start, end):
        return make(book(REST), customer(terms, ['{id: "%s", payer: "%s", from: %s%s}' % (ACCOUNT, TDS, start, end and ", to: " + end)]))

    for start, end in (("2025-01-01", "2025-03-01"), ("2025-06-01", "")):
        linked(start, end)
    for start, end in (("2025-01-01", "2025-03-02"), ("2025-05-31", ""), ("2025-01-01", "")):
        with pytest.raises(catalog.CatalogError, match="O06"):
            linked(start, end)
    one = make(book(REST), customer(terms, []))
    given = [Link(TDS, ACCOUNT, "acme", 0, None, "")]
    months = [when.period_bounds(month)[0] for month in ("2025-03", "2025-06")]
    assert [(link.start, link.end) for link in links.with_links(one, given).links[TDS, ACCOUNT]] == [(0, months[0]), (months[1], None)]
