"""Three months of a TD SYNNEX payer through the whole stack: provider discounts in arrears, a restatement after its discounts were applied in a settled
month, corrections, margins; each figure is the oracle's (N12, R08; statements.md section 4)."""
import pathlib
import shutil

import months
import pytest
from oracle import catalog as catalogs
from oracle import correction, dec, discount, load, margin, statement

JULY, AUGUST, SEPTEMBER = "2020-07", "2020-08", "2020-09"
WHO = ("--by", "maria", "--reason", "test")
KEY = ("customer", "account", "product", "line_item_type", "currency")
NEVER = {"RUN_INCOMPLETE", "PRICES_STALE", "FX_MISSING"}


def _listed(stack, payer, period):
    """`discount list`: key -> (earned, applied, open, applied in)."""
    rows = stack.cli("discount", "list", "--payer", payer, "--period", period)
    return {tuple(row[name] for name in KEY): (*(dec.parse(row[name]) for name in ("earned", "applied", "open")), row["applied_in"]) for row in rows}, rows


def _shown(stack, payer, period):
    """`discount show`: (month earned, key) -> amount."""
    rows = stack.cli("discount", "show", "--payer", payer, "--period", period)
    return {(row["earned"], tuple(row[name] for name in KEY)): dec.parse(row["amount"]) for row in rows}, rows


@pytest.fixture(scope="module")
def quarter(stack, generate):
    """July is issued, August settled; then July is restated, and September comes."""
    made = {}
    for period in (JULY, AUGUST, SEPTEMBER):
        made[period] = months.Month(stack, generate, "quarter", period, options=("--versions", 2), catalog=stack.data / f"quarter-catalog-{period}")
        root = made[period].root
        if period != JULY:      # the workers look for deliveries by themselves: what is to come later lies elsewhere, only its rates are wanted
            made[period].root = stack.data / "quarter-later"
        made[period].write("--only-version", 1)
        made[period].root = root
    folder = stack.data / "quarter-catalog"          # the first month's, with the rates of all
    shutil.copytree(made[JULY].catalog, folder)
    for month in made.values():
        for file in pathlib.Path(month.catalog).glob("shared-fx-*.yaml"):
            shutil.copyfile(file, folder / file.name)
    catalog = catalogs.from_folder(folder)
    months.apply(stack, folder)
    payer, ledger, seen = made[JULY].payer, discount.Ledger(), {}

    def ingest(period):
        made[period].ingest()
        seen[period] = load.charges_of(catalog, payer, period)
        ledger.run(period, discount.earned(catalog, seen[period]))

    ingest(JULY)
    seen["july open"] = _listed(stack, payer, JULY)
    assert {key: values[2] for key, values in seen["july open"][0].items()} == ledger.open(JULY) != {}
    stack.cli("period", "settle", "--payer", payer, "--period", JULY, *WHO, "--acknowledge-unbilled")
    ledger.settle(JULY)
    documents = [stack.cli("statement", "show", d["id"]) for d in stack.cli("statement", "list", "--payer", payer, "--period", JULY)]
    ids = [d["id"] for d in documents if not {g["code"] for g in d["gates"] if not g["open"]} & NEVER]
    for one in ids:
        stack.cli("statement", "approve", one, "--by", "maria")
    shut = sorted({g["code"] for d in documents if d["id"] in ids for g in d["gates"] if not g["open"]})
    seen["issued"] = [stack.cli("statement", "issue", one, *WHO, *(["--override", *shut] if shut else []))[0] for one in ids]
    seen["issued"] = [stack.cli("statement", "show", d["id"]) for d in seen["issued"]]
    made[AUGUST].write("--only-version", 1)
    ingest(AUGUST)
    assert _shown(stack, payer, AUGUST)[0] == ledger.applied(AUGUST) != {}
    stack.cli("period", "settle", "--payer", payer, "--period", AUGUST, *WHO, "--acknowledge-unbilled")
    ledger.settle(AUGUST)
    made[JULY].write("--only-version", 2)
    ingest(JULY)
    seen["restated open"] = _listed(stack, payer, JULY)[0]
    assert {key: values[2] for key, values in seen["restated open"].items() if values[2]} == ledger.open(JULY) != {}
    made[SEPTEMBER].write("--only-version", 1)
    ingest(SEPTEMBER)
    return payer, catalog, ledger, seen


def test_earned_is_applied_and_open(stack, quarter):
    """N12: for every group of every month; the settled month keeps what it applied, the next takes the difference."""
    payer, _, ledger, _ = quarter
    for period in (JULY, AUGUST, SEPTEMBER):
        listed, rows = _listed(stack, payer, period)
        assert {key: values[0] for key, values in listed.items() if values[0]} == {key: amount for key, amount in ledger.by_month[period].items() if amount}
        assert all(earned == applied + still for earned, applied, still, _ in listed.values())
        assert {key: values[2] for key, values in listed.items() if values[2]} == ledger.open(period)
        shown, rows = _shown(stack, payer, period)
        assert shown == ledger.applied(period)
        assert {row["settled"] for row in rows} <= {period != SEPTEMBER}
    assert any(values[3] == AUGUST + " " + SEPTEMBER for values in _listed(stack, payer, JULY)[0].values())
    assert not ledger.open(JULY) and ledger.open(SEPTEMBER)
    rows = stack.cli("discount", "list", "--payer", payer)
    table = stack.cli_raw("--format", "csv", "discount", "list", "--payer", payer).stdout.splitlines()
    assert len(table) == len(rows) + 1 and table[0].startswith("payer,period,customer")
    assert stack.cli_raw("discount", "show", "--payer", payer).returncode == 1          # of which month?


def test_the_link_to_the_lines_that_earned(stack, quarter):
    """Each group names its run and a line of it, which `explain` finds: a provider discount."""
    payer, _, _, _ = quarter
    row = next(row for row in stack.cli("discount", "list", "--payer", payer, "--period", SEPTEMBER) if row["lines"])
    told = stack.cli("explain", "--payer", payer, "--period", SEPTEMBER, "--line", row["line"], "--run", row["run"])
    assert "provider_discount" in str(told) and row["account"] in str(told)


def test_margins_of_september(stack, quarter):
    """What the distributor credits in September stands in the margin of September's statements, with the month that earned it; never in the statements."""
    payer, catalog, ledger, seen = quarter
    credited, arrears = ledger.credited(SEPTEMBER), 0
    groups, _ = statement.grouped(catalog, [seen[SEPTEMBER]], SEPTEMBER)
    for (_, _, customer, source, _), sections in groups.items():
        document, = [d for d in stack.cli("statement", "list", "--payer", payer, "--period", SEPTEMBER, "--customer", customer) if d["kind"] == "statement"]
        got = stack.cli("statement", "margin", document["id"])
        want = margin.margin(catalog, [(section, section.rows) for section in sections], SEPTEMBER, credited)
        assert sorted(((*(row[name] for name in ("customer", "account", "product", "step", "class")), row["earned"] or ""),
                       *(dec.parse(row[name]) for name in ("sell", "buy", "fx"))) for row in got["rows"]) == want[0]
        total = sum(dec.parse(row["margin"]) for row in got["rows"])
        assert total == dec.parse(got["margin"]) == dec.parse(got["sell"]) - dec.parse(got["buy"]) + dec.parse(got["fx"])
        arrears += sum(row["step"] == "provider_discount_arrears" for row in got["rows"])
        text = stack.cli_raw("--format", "json", "statement", "show", document["id"]).stdout
        assert "arrears" not in text and "provider_discount" not in text
    assert arrears


def test_corrections_of_july(stack, quarter):
    """They stand in the next month that is not settled, and say what the oracle says."""
    payer, catalog, _, seen = quarter
    now = {tuple(c["id"] for c in d["customers"]): d for d in statement.statements(catalog, [seen[JULY]], JULY)}
    notes = {}
    for row in stack.cli("statement", "list", "--payer", payer, "--period", SEPTEMBER):
        if row["kind"] != "statement":
            shown = stack.cli("statement", "show", row["id"])
            notes[shown["corrects"]["id"]] = shown
    for one in seen["issued"]:
        want = correction.correction(one, now.get(tuple(c["id"] for c in one["customers"])), SEPTEMBER)
        got = notes.pop(one["id"], None)
        assert (got is None) == (want is None)
        assert want is None or {name: got[name] for name in want} == want
    assert seen["issued"] and not notes
