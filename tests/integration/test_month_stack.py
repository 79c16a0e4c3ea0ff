"""Consolidation, custom charges, credits and the margin through the whole stack, against the oracle (N18, I01-I03; rating.md sections 5, 7)."""
import months
import pytest
from oracle import catalog as catalogs
from oracle import compare, dec, load, margin, statement

PERIOD = "2020-09"


@pytest.fixture(scope="module")
def month(stack, generate):
    made = months.Month(stack, generate, "money", PERIOD)
    made.write()
    months.apply(stack, made.catalog)
    made.ingest()
    return made


def _with_money(month, mode):
    """The generated catalog with another consolidation, fees and a credit of one customer."""
    customer = sorted(catalogs.from_folder(month.catalog).customers)[0]
    for file in month.catalog.glob("*.y*ml"):
        text = file.read_text()
        for old in ("end_customer", "semi", "full"):
            text = text.replace("consolidation: " + old, "consolidation: " + mode)
        file.write_text(text)
    lane = catalogs.from_folder(month.catalog).payers[month.payer].lane
    (month.catalog / "money.yaml").write_text(
        f"kind: CustomCharge\nid: managed\ncustomer: {customer}\nlane: {lane}\npercent: 5\nfrom: 2020-01\n---\n"
        f"kind: CustomCharge\nid: setup\ncustomer: {customer}\nlane: {lane}\namount: 12.345\ncurrency: USD\nperiod: {PERIOD}\n---\n"
        f"kind: Credit\nid: welcome-{month.payer}\ncustomer: {customer}\nlane: {lane}\namount: 1\ncurrency: USD\nfrom: 2020-01\n")
    return catalogs.from_folder(month.catalog)


@pytest.mark.parametrize("mode", ["semi", "full", "end_customer"])
def test_documents_and_margins(stack, month, mode):
    """Every draft and its margin, line by line."""
    catalog = _with_money(month, mode)
    months.apply(stack, month.catalog)
    month.ingest()
    charges = [load.charges_of(catalog, month.payer, PERIOD)]
    listed = stack.cli("statement", "list", "--payer", month.payer, "--period", PERIOD)
    got = [stack.cli("statement", "show", row["id"]) for row in listed]
    found = compare.compare_statements(got, statement.statements(catalog, charges, PERIOD))
    assert not found, "\n".join(found[:20])
    classes = {line["class"] for document in got for line in document["lines"]}
    assert classes >= {"custom_charge", "reseller_credit"}
    wanted = sorted(tuple(map(tuple, margin.margin(catalog, [(section, section.rows) for section in sections], PERIOD)))
                    for sections in statement.grouped(catalog, charges, PERIOD)[0].values())
    told = []
    for document in got:
        one = stack.cli("statement", "margin", document["id"])
        rows = sorted(((row["customer"], row["account"], row["product"], row["step"], row["class"], row["earned"] or ""), *(dec.parse(row[name]) for name in ("sell", "buy", "fx")))
                      for row in one["rows"])
        losses = sorted((loss["customer"], loss["account"], loss["product"], dec.parse(loss["margin"]), loss["cause"]) for loss in one["negative"])
        told.append((tuple(rows), tuple(losses)))
    assert sorted(told) == wanted
