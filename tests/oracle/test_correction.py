"""Hand calculations of adjustments and credit notes (statements.md section 4)."""
from oracle.correction import correction


def _document(lines, tax, customers=("acme",), **more):
    return {"id": "x", "number": "n/1", "kind": "statement", "reseller": "r", "lane": "l", "period": "2025-06", "currency": "USD", "rate": "1",
            "customers": [{"id": c, "name": c} for c in customers], "tax": tax,
            "lines": [{"customer": "acme", "account": "1", "product": p, "usage_type": "", "unit": "", "class": "usage", "quantity": q, "amount_exact": a}
                      for p, q, a in lines], **more}


VAT = [{"name": "VAT", "percent": "19", "amount": "0"}]


def test_nothing_to_correct():
    issued = _document([("EC2", "1", "10")], VAT)
    assert correction(issued, issued, "2025-07") is None


def test_a_late_credit():
    """100 + 20 was issued; -30 came: -30 and 19 % of it, -5.70."""
    issued, now = _document([("EC2", "10", "100"), ("S3", "5", "20")], VAT), _document([("EC2", "10", "70"), ("S3", "5", "20")], VAT)
    note = correction(issued, now, "2025-07")
    assert (note["kind"], note["subtotal"], note["total"]) == ("credit_note", "-30", "-35.7")
    assert [(line["product"], line["amount"]) for line in note["lines"]] == [("EC2", "-30")]
    assert note["corrects"] == {"number": "n/1", "id": "x", "period": "2025-06"}


def test_only_what_is_new():
    """Issued 100, corrected by 5.005 (as 5.01); now 110: 110 - 100 - 5.005 = 4.995, rounded 5.00."""
    issued = _document([("EC2", "10", "100")], VAT)
    former = correction(issued, _document([("EC2", "10.5", "105.005")], VAT), "2025-07")
    assert (former["subtotal"], former["total"]) == ("5.01", "5.96")
    second = correction(issued, _document([("EC2", "11", "110")], VAT), "2025-08", [former])
    assert (second["kind"], second["lines"][0]["amount_exact"], second["subtotal"]) == ("adjustment", "4.995", "5")


def test_without_charges_all_is_given_back():
    issued = _document([("EC2", "1", "10")], VAT)
    assert correction(issued, None, "2025-07")["total"] == "-11.9"


def test_taxes_of_several_customers():
    """I02, I03: one pays 19 %, the other nothing: the tax is what is more than before, not a percent of the difference."""
    issued = _document([("EC2", "1", "100")], [{"name": "VAT", "percent": "19", "amount": "9.5"}], ("acme", "zenith"))
    now = _document([("EC2", "1", "90")], [{"name": "VAT", "percent": "19", "amount": "9.31"}], ("acme", "zenith"))
    note = correction(issued, now, "2025-07")
    assert (note["subtotal"], note["tax"][0]["amount"], note["total"]) == ("-10", "-0.19", "-10.19")


def test_less_than_a_unit_waits():
    """-0.004 is no document; with -0.004 more it is one of -0.01."""
    issued = _document([("EC2", "1", "10")], VAT)
    assert correction(issued, _document([("EC2", "1", "9.996")], VAT), "2025-07") is None
    assert correction(issued, _document([("EC2", "1", "9.992")], VAT), "2025-07")["subtotal"] == "-0.01"
