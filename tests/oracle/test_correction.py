"""Hand calculations of adjustments and credit notes (statements.md section 4)."""
import pytest

from oracle import statement
from oracle.correction import Chain, correction, credits_used, rounded_to, same
from oracle.dec import parse, show
from oracle.helpers import REST, TDS, book, customer, documents, line, make
from oracle.rate import rate_lines


def _document(lines, tax, customers=("acme",), **more):
    exact = sum(parse(a) for _, _, a in lines)
    subtotal = statement.largest_remainder([exact], "USD")[1]
    return {"id": "x", "number": "n/1", "kind": "statement", "reseller": "r", "lane": "l", "period": "2025-06", "currency": "USD", "rate": "1",
            "customers": [{"id": c, "name": c} for c in customers], "tax": tax, "subtotal": show(subtotal),
            "lines": [{"customer": "acme", "account": "1", "product": p, "usage_type": "", "unit": "", "class": "usage", "quantity": q, "amount_exact": a}
                      for p, q, a in lines], **more}


def _vat(amount, percent="19"):
    return [{"name": "VAT", "percent": percent, "amount": amount}]


def test_nothing_to_correct():
    issued = _document([("EC2", "1", "10")], _vat("1.9"))
    assert correction(issued, issued, "2025-07") is None


def test_a_late_credit():
    """120 and 22.8 of tax were issued; -30 came: 90 and 17.1."""
    issued, now = _document([("EC2", "10", "100"), ("S3", "5", "20")], _vat("22.8")), _document([("EC2", "10", "70"), ("S3", "5", "20")], _vat("17.1"))
    note = correction(issued, now, "2025-07")
    assert (note["kind"], note["subtotal"], note["tax"], note["total"]) == ("credit_note", "-30", _vat("-5.7"), "-35.7")
    assert [(line["product"], line["amount"]) for line in note["lines"]] == [("EC2", "-30")]
    assert note["corrects"] == {"number": "n/1", "id": "x", "period": "2025-06"}


def test_figures_are_those_of_the_month_less_what_was_told():
    """100.004 is issued as 100.00; then 100.006, as 100.01: 0.01, although 0.002 came. Its tax of 20 % stays 20.00: 20.0012 is 20.00."""
    the_catalog = make(book(REST), customer("tax: [{name: VAT, percent: 20}]"))
    issued, now = (documents(the_catalog, {TDS: [line("Usage", cost)]})[0] for cost in ("100.004", "100.006"))
    note = correction(issued, now, "2025-07")
    assert (note["subtotal"], note["tax"][0]["amount"], note["lines"][0]["amount_exact"], note["lines"][0]["amount"]) == ("0.01", "0", "0.002", "0.01")
    back = correction(issued, documents(the_catalog, {TDS: [line("Usage", "100.004")]})[0], "2025-08", [note])
    assert (back["kind"], back["subtotal"], back["lines"][0]["amount"]) == ("credit_note", "-0.01", "-0.01")


def test_without_charges_all_is_given_back():
    issued = _document([("EC2", "1", "10")], _vat("1.9"))
    note = correction(issued, None, "2025-07")
    assert (note["subtotal"], note["tax"], note["total"]) == ("-10", _vat("-1.9"), "-11.9")


def test_taxes_of_several_customers():
    """I02, I03: one pays 19 %, the other nothing: the tax is what is more than before."""
    issued = _document([("EC2", "1", "100")], _vat("9.5"), ("acme", "zenith"))
    now = _document([("EC2", "1", "90")], _vat("9.31"), ("acme", "zenith"))
    note = correction(issued, now, "2025-07")
    assert (note["subtotal"], note["tax"][0]["amount"], note["total"]) == ("-10", "-0.19", "-10.19")


def test_a_tax_that_is_no_more():
    issued = _document([("EC2", "1", "10")], _vat("1.9"))
    note = correction(issued, _document([("EC2", "1", "10")], [{"name": "GST", "percent": "5", "amount": "0.5"}]), "2025-07")
    assert (note["kind"], note["lines"], note["subtotal"], note["total"]) == ("credit_note", [], "0", "-1.4")
    assert [(tax["name"], tax["amount"]) for tax in note["tax"]] == [("GST", "0.5"), ("VAT", "-1.9")]


def test_what_moves_inside_the_document():
    issued, now = (_document([("EC2", "1", one), ("S3", "1", other)], []) for one, other in (("10", "5"), ("7.5", "7.5")))
    note = correction(issued, now, "2025-07")
    assert (note["kind"], note["subtotal"], [line["amount"] for line in note["lines"]]) == ("adjustment", "0", ["-2.5", "2.5"])


def test_less_than_a_unit_waits():
    """9.996 is 10.00 still; 9.994 is 9.99."""
    issued = _document([("EC2", "1", "10")], _vat("1.9"))
    assert correction(issued, _document([("EC2", "1", "9.996")], _vat("1.9")), "2025-07") is None
    assert correction(issued, _document([("EC2", "1", "9.994")], _vat("1.9")), "2025-07")["subtotal"] == "-0.01"


@pytest.mark.parametrize("exacts,total,amounts", [
    (["0.006"], "0.01", ["0.01"]), (["0.006"], "0", ["0"]), (["0.004"], "0.01", ["0.01"]), (["1", "2"], "3.01", ["1.01", "2"]), (["1", "2"], "2.99", ["1", "1.99"]),
    (["1.004", "2"], "3", ["1", "2"]), (["1.004", "2"], "2.99", ["1", "1.99"]), (["-1.004", "-2"], "-3", ["-1", "-2"]), (["0.001", "0.002"], "0.01", ["0", "0.01"])])
def test_lines_add_up_to_the_subtotal(exacts, total, amounts):
    """The largest remainder first; a unit less is taken where the remainder is the smallest, of equals from the last."""
    assert list(map(show, rounded_to(list(map(parse, exacts)), parse(total), parse("0.01")))) == amounts


# --- a month and its documents, again and again --------------------------------------------------------------------

class Month:
    """A customer, a book at cost, a tax of some percent; what was issued and what came after it."""

    def __init__(self, percent, *costs):
        self.catalog = make(book(REST), customer("tax: [{name: VAT, percent: %s}]" % percent))
        self.chain = Chain(self._now(costs))

    def _now(self, costs):
        return documents(self.catalog, {TDS: [line("Usage", cost, product="P%d" % number) for number, cost in enumerate(costs) if cost]})[0] if any(costs) else None

    def deliver(self, *costs):
        """(subtotal, total) of the draft, or None."""
        found = self.chain.run(self._now(costs), "2025-07")
        assert found is None or sum(parse(row["amount"]) for row in found["lines"]) == parse(found["subtotal"])
        return found and (found["subtotal"], found["total"])

    def net(self, name="total"):
        return show(sum(parse(document[name]) for document in [self.chain.issued, *self.chain.told()]))


def test_documents_of_a_month_add_up_to_the_month():
    """VAT 20 %: 68.37 twice, 57.53 and 85.03; each delivery takes one away, each credit note is issued: nothing is left, to the cent."""
    costs = ["68.37", "68.37", "57.53", "85.03"]
    month = Month("20", *costs)
    assert (month.chain.issued["subtotal"], month.chain.issued["total"]) == ("279.3", "335.16")
    for number in range(4):
        costs[number] = ""
        month.deliver(*costs)
        month.chain.change("issued")
    assert (month.net("subtotal"), month.net()) == ("0", "0")
    assert show(sum(parse(tax["amount"]) for one in [month.chain.issued, *month.chain.told()] for tax in one["tax"])) == "0"


def test_small_steps_are_told_when_they_have_grown():
    """10.00, then six times 0.006 more: 10.036 is 10.04."""
    month = Month("0", "10")
    made = []
    for step in range(1, 7):
        made.append(month.deliver(show(parse("10") + step * parse("0.006"))))
        if made[-1]:
            month.chain.change("issued")
    assert made == [("0.01", "0.01"), None, ("0.01", "0.01"), None, ("0.01", "0.01"), ("0.01", "0.01")]
    assert month.net() == "10.04"


@pytest.mark.parametrize("away,draft", [("40", ("-60", "-66")), ("160", ("60", "66"))])
def test_a_void_correction_is_not_told(away, draft):
    """Void; the run still says it: not made again. 100 again: nothing at all. 40 once more: another word, so a draft."""
    month = Month("10", "100")
    assert month.deliver(away) == draft
    month.chain.change("void")
    assert month.deliver(away) is None and month.deliver(away) is None
    assert month.deliver("100") is None
    assert month.net() == "110"
    assert month.deliver(away) == draft


def test_another_difference_is_computed_from_what_was_issued():
    """200 off, void, then 100 off: -100, not +100."""
    month = Month("0", "300")
    assert month.deliver("100") == ("-200", "-200")
    month.chain.change("void")
    assert month.deliver("200") == ("-100", "-100")
    month.chain.change("approved")
    assert month.deliver("200") is None                              # approved counts as told
    assert month.deliver("250") == ("50", "50")
    month.chain.change("void")
    assert month.deliver("250") is None
    month.chain.change("draft")                                      # the approved one is returned: the run says another difference now
    assert month.deliver("250") == ("-50", "-50")
    month.chain.change("issued")
    assert month.net() == "250"


def test_a_void_one_after_an_issued_one():
    month = Month("0", "100")
    month.deliver("90")
    month.chain.change("issued")
    assert month.deliver("70") == ("-20", "-20")
    month.chain.change("void")
    assert month.deliver("70") is None and month.deliver("90") is None and month.net() == "90"
    assert month.deliver("80") == ("-10", "-10")


def test_the_same_difference_is_one_of_money():
    one = correction(_document([("EC2", "1", "10")], []), _document([("EC2", "1", "9")], []), "2025-07")
    assert same(one, correction(_document([("EC2", "1", "10")], []), _document([("EC2", "2", "9")], []), "2025-08"))
    assert not same(one, correction(_document([("EC2", "1", "10"), ("S3", "1", "1")], []), _document([("EC2", "1", "10")], []), "2025-07"))
    assert same(None, None) and not same(one, None)


# --- credits -------------------------------------------------------------------------------------------------------

def test_a_credit_that_a_draft_gives_back():
    """A credit of 60. January 100 is issued as 40; 50 came late: a draft gives 10 back. February has no credit until that is issued."""
    the_catalog = make(book(REST, start="2024-01-01"), customer(), "kind: Credit\nid: c\ncustomer: acme\nlane: tdsynnex\namount: 60\ncurrency: USD\nfrom: 2025-01\n")
    told = []

    def built(month, cost):
        charges = rate_lines(the_catalog, TDS, month, [line("Usage", cost, usage_start=month + "-10")])
        (document,), uses = statement.close(the_catalog, [charges], month, credits_used(told, month))
        return document, uses

    issued, uses = built("2025-01", "100")
    assert (issued["total"], uses) == ("40", {"c": parse("60")})
    told.append({"month": "2025-01", "state": "issued", "uses": uses, "corrects": None})
    now, uses = built("2025-01", "50")
    chain = Chain(issued)
    assert (chain.run(now, "2025-02")["total"], uses) == ("-40", {"c": parse("50")})
    back = {"month": "2025-01", "state": "draft", "uses": {"c": parse("-10")}, "corrects": "x"}
    told.append(back)
    for state, total in (("draft", "500"), ("approved", "500"), ("void", "500"), ("issued", "490")):
        back["state"] = state
        assert built("2025-02", "500")[0]["total"] == total
    back["state"] = "draft"
    february, uses = built("2025-02", "500")
    told.append({"month": "2025-02", "state": "issued", "uses": uses, "corrects": None})
    chain.change("void")
    back["state"] = "void"
    now, uses = built("2025-01", "100")
    assert (chain.run(now, "2025-03"), uses) == (None, {"c": parse("60")})
    assert show(parse(chain.issued["total"]) + parse(february["total"])) == "540"


def test_credits_of_other_months():
    """Drafts of earlier months count, of later months what is told; what a draft of a correction takes counts, what it gives back does not."""
    def one(month, state, use, corrects=None):
        return {"month": month, "state": state, "uses": {"c": use}, "corrects": corrects}

    for document, expected in [(one("2025-05", "draft", 5), 5), (one("2025-05", "void", 5), 0), (one("2025-06", "issued", 5), 0), (one("2025-07", "draft", 5), 0),
                               (one("2025-07", "approved", 5), 5), (one("2025-07", "issued", 5), 5), (one("2025-05", "draft", 5, "x"), 5),
                               (one("2025-05", "draft", -5, "x"), 0), (one("2025-05", "approved", -5, "x"), 0), (one("2025-05", "issued", -5, "x"), -5)]:
        assert credits_used([document], "2025-06").get("c", 0) == expected
