"""N12 by hand: earned in one month, credited by the invoice of a later one."""
from oracle import dec, discount
from oracle.helpers import ING, TDS, book, customer, line, make, REST
from oracle.rate import rate_lines

KEY = ("acme", "1", "EC2", "EdpDiscount", "USD")


def test_only_where_the_model_is_in_arrears():
    the_catalog = make(book(REST), customer())
    for payer, wanted in ((TDS, "2.5"), (ING, None)):
        found = discount.earned(the_catalog, rate_lines(the_catalog, payer, "2025-06", [line("EdpDiscount", "-2.5"), line("Usage", "10")]))
        assert [dec.show(amount) for amount in found.values()] == ([wanted] if wanted else [])


def test_following_month_and_restatements():
    """10 in June; July applies 10 and is settled; June becomes 12: August applies 2 when it has a run; then nothing is left of June: -12 ... -10 - 2."""
    ledger = discount.Ledger()
    ledger.run("2025-06", {KEY: 10})
    assert (ledger.applied("2025-07"), ledger.open("2025-06")) == ({}, {KEY: 10})
    ledger.run("2025-07", {})
    assert (ledger.applied("2025-07"), ledger.open("2025-06")) == ({("2025-06", KEY): 10}, {})
    ledger.settle("2025-07")
    ledger.run("2025-06", {KEY: 12})
    assert (ledger.applied("2025-07"), ledger.open("2025-06")) == ({("2025-06", KEY): 10}, {KEY: 2})
    ledger.run("2025-08", {})
    assert ledger.applied("2025-08") == {("2025-06", KEY): 2}
    ledger.settle("2025-08")
    ledger.run("2025-09", {})
    ledger.run("2025-06", {})
    assert ledger.applied("2025-09") == {("2025-06", KEY): -12} and ledger.fixed("2025-06") == {KEY: 12}


def test_over_the_end_of_a_year():
    ledger = discount.Ledger()
    ledger.run("2025-12", {KEY: 1})
    ledger.run("2026-01", {})
    assert ledger.credited("2026-01") == [("acme", "1", "EC2", "USD", "2025-12", 1)]
