"""Links of org-linker beside the catalog's, by hand."""
from oracle import links, when
from oracle.catalog import Link
from oracle.helpers import ACCOUNT, OTHER, REST, TDS, book, customer, line, make, price


def _given(account, customer_id, begin, end=None, group=""):
    return Link(TDS, account, customer_id, when.parse_time(begin), when.parse_time(end) if end else None, group)


def _catalog():
    entry = '{id: "%s", payer: "%s", from: 2025-03-01, to: 2025-06-11}' % (ACCOUNT, TDS)
    return make(book(REST), customer(accounts=[entry]), customer(accounts=[], customer_id="bolt"))


def _shown(catalog, account):
    return [(link.customer, when.day_of(link.start), when.day_of(link.end) if link.end else "") for link in catalog.links[TDS, account]]


def test_the_catalog_counts_and_only_free_time_is_taken():
    merged = links.with_links(_catalog(), [_given(ACCOUNT, "bolt", "2025-01-01"), _given(OTHER, "bolt", "2025-06-01", group="none")])
    assert _shown(merged, ACCOUNT) == [("bolt", "2025-01-01", "2025-03-01"), ("acme", "2025-03-01", "2025-06-11"), ("bolt", "2025-06-11", "")]
    assert merged.links[TDS, OTHER][0].group == ""
    assert price(_catalog(), line(account=OTHER, cost="2"))[0] == "UNKNOWN_ACCOUNT"
    assert price(merged, line(account=OTHER, cost="2")) == ("usage", "rest", "2", "2")


def test_who_begins_first_and_who_is_not_usable():
    merged = links.with_links(_catalog(), [_given(OTHER, "bolt", "2025-06-01"), _given(OTHER, "acme", "2025-01-01", "2025-07-01"),
                                           _given(OTHER, "nobody", "2024-01-01")])
    assert _shown(merged, OTHER) == [("acme", "2025-01-01", "2025-07-01"), ("bolt", "2025-07-01", "")]
