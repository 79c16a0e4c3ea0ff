"""Conservation: what is read is what is counted, to the last digit, per line item type and account."""
from decimal import Decimal

import months
import pytest

FORMATS = ("legacy-gz", "legacy-zip", "legacy-csv", "cur2-gz")
LAYOUTS = ("new", "overwrite")
LEGAL = ("bom", "crlf", "newlines", "multi-member", "empty-chunk", "header-only-chunk", "extra-columns",
         "empty-header-name", "odd-numbers", "date-forms", "stray-currency")
CASES = [(form, layout, "") for form in FORMATS for layout in LAYOUTS]
CASES += [(("legacy-gz", "cur2-gz")[i % 2], LAYOUTS[i // 2 % 2], odd) for i, odd in enumerate(LEGAL)]
CASES += [("legacy-csv", "new", "newlines"), ("legacy-zip", "overwrite", "crlf"), ("legacy-gz", "new", "unlinked")]
# Oddities that only some formats can have.
ONLY = {"multi-member": "legacy-gz"}


def _name(case):
    return "-".join(word for word in case if word)


@pytest.fixture(scope="module")
def delivered(stack, generate):
    """Every case with a payer of its own, all brought in by one look at the sources."""
    period = months.next_period()
    catalog = stack.data / f"conservation-catalog-{period}"
    found = {}
    for i, (form, layout, odd) in enumerate(CASES):
        model = ("tdsynnex", "ingram")[i % 2]
        more = ("--unlinked", "--late-link", "--unknown-type", "Zonk") if odd == "unlinked" else ("--odd", odd) if odd else ()
        month = months.Month(stack, generate, f"conservation-{_name((form, layout, odd))}", period, model=model,
                             format=ONLY.get(odd, form), layout=layout, catalog=catalog, options=("--seed", i + 1, *more))
        found[form, layout, odd] = month, month.write()[-1]
    months.apply(stack, catalog)
    months.ingest_period(stack, period)
    return found


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_every_delivery_is_conserved(delivered, case):
    """Totals equal the generator's, and those of reading the files again, for every type, account and currency."""
    month, version = delivered[case]
    answer = month.totals("line_item_type,account")
    assert answer["complete"] is True and answer["state"] == "current"
    assert answer["lines"] == version["lines"]
    got = months.by_type_and_account(month, answer)
    assert got == months.told(version)
    assert got == months.read_exact(month.files(version))


@pytest.mark.parametrize("case", CASES[-1:], ids=_name)
def test_suspended_lines_are_kept_with_their_amounts(delivered, case):
    """rating.md 4.8: suspended lines are in the payer and list sums, with buy and sell 0."""
    month, version = delivered[case]
    answer = month.totals("class")
    suspended = [g for g in answer["groups"] if g["class"] == "suspended"]
    assert answer["suspended_lines"] == sum(g["lines"] for g in suspended) > 0
    assert all(g["buy"] == "0" and g["sell"] == "0" for g in suspended)
    assert any(Decimal(g["payer"]) != 0 for g in suspended)
    grand = month.totals()["groups"]
    assert [{name: g[name] for name in ("currency", "lines", "quantity", "payer", "list")} for g in grand] == \
        [{name: g[name] for name in ("currency", "lines", "quantity", "payer", "list")} for g in sorted(version["grand"], key=lambda g: g["currency"])]
    listed = month.stack.cli("suspended", "list", "--payer", month.payer, "--period", month.period)
    assert {row["reason"] for row in listed} == {"UNKNOWN_ACCOUNT", "BEFORE_BILLED_FROM", "UNKNOWN_LINE_TYPE"}
    assert sum(row["lines"] for row in listed) == answer["suspended_lines"]


def test_control_totals_of_every_chunk(delivered):
    """architecture.md 4.3: per chunk the lines and the exact cost read equal those applied, and the checksums agree."""
    month, version = delivered["legacy-gz", "new", ""]
    run = month.stack.cli("run", "show", month.totals()["run"])
    assert [(c["file"], c["lines_read"], c["lines_applied"]) for c in run["chunks"]] == \
        [(chunk["file"].rpartition("/")[2], chunk["lines"], chunk["lines"]) for chunk in version["chunks"]]
    assert all(c["ended"] is True and c["checksums_equal"] is True for c in run["chunks"])
    assert [(c["chunk"], c["currency"], c["read"], c["applied"]) for c in run["control_costs"]] == \
        [(i + 1, s["currency"], s["payer"], s["payer"]) for i, chunk in enumerate(version["chunks"])
         for s in sorted(chunk["sums"], key=lambda s: s["currency"])]


# -- real reports

REAL = {
    "legacy": {"payer": "123412340534", "period": "2023-11", "lines": 1281, "grand": "1.6823086974",
               "types": {"Usage": "1.6023086974", "Tax": "0.08"}},
    "cur2": {"payer": "012345678917", "period": "2026-04", "lines": 1882, "grand": "-0.0000000676",
             "types": {"Usage": "47.6816938322", "Credit": "-47.6816938998", "Tax": "0"}},
}


@pytest.fixture(scope="module")
def real(stack, samples):
    """The two real reports: CUR 2.0 from its folder with its manifest, the legacy one, which has no manifest, by --file."""
    folder = samples / "cur-2.0-daily" / "ha-project-CUR-daily-1"
    legacy = samples / "cur-legacy-daily" / "sample-00001.csv.gz"
    catalog = months.write_catalog(
        stack.data / "real-catalog",
        months.small_catalog(REAL["legacy"]["payer"], [REAL["legacy"]["payer"]], source="{type: folder, path: /nonexistent}"),
        months.small_catalog(REAL["cur2"]["payer"], [REAL["cur2"]["payer"]], source=f'{{type: folder, path: "{folder}"}}', lane="ingram"))
    months.apply(stack, catalog)
    stack.cli("ingest", "--file", legacy, "--payer", REAL["legacy"]["payer"], "--period", REAL["legacy"]["period"], "--wait")
    stack.cli("ingest", "--payer", REAL["cur2"]["payer"], "--wait")
    return {"legacy": [legacy], "cur2": sorted(folder.rglob("*.csv.gz"))}


@pytest.mark.parametrize("which", REAL)
def test_real_report_is_conserved(stack, real, which):
    """N16: exact sums of the samples' README and of reading the file again; leading zeros of ids stay."""
    want = REAL[which]
    answer = months.totals(stack, want["payer"], want["period"])
    assert (answer["lines"], answer["suspended_lines"], answer["complete"]) == (want["lines"], 0, True)
    assert [(g["currency"], g["lines"], g["payer"]) for g in answer["groups"]] == [("USD", want["lines"], want["grand"])]
    by_type = months.totals(stack, want["payer"], want["period"], "line_item_type")
    assert {g["line_item_type"]: g["payer"] for g in by_type["groups"]} == want["types"]
    by_both = months.totals(stack, want["payer"], want["period"], "line_item_type,account")
    assert months.by_type_and_account(None, by_both) == months.read_exact(real[which])
