"""Reading of reports (formats.md section 1), totals by keys, the command and the comparer."""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

from oracle import cur, load, rate, totals
from oracle.compare import compare_statements, compare_totals
from oracle.dec import parse, show
from oracle.helpers import (ACCOUNT, ING, LEGACY_HEADER, OTHER, PERIOD, REST, TDS, book, customer, documents, legacy_manifest,
                            legacy_row, line, make, payers, samples, write_csv)

TESTS = pathlib.Path(__file__).resolve().parents[1]


def costs(files, payer=TDS, period=PERIOD):
    return [show(one.cost) for one in cur.read_files(files, payer, period)]


def test_columns_by_name_for_each_chunk(tmp_path):
    """Order and set of columns may change between chunks (formats.md section 1)."""
    first = write_csv(tmp_path / "a.csv.gz", [legacy_row("1.5"), legacy_row("4.0E-7")])
    shuffled = [name for name in reversed(LEGACY_HEADER) if name not in ("product/sku", "pricing/unit")] + ["new/column"]
    second = write_csv(tmp_path / "b.csv", [legacy_row("-0.0")], shuffled)
    assert costs([first, second]) == ["1.5", "0.0000004", "0"]


def test_dialect(tmp_path):
    """BOM, CRLF, doubled quotes, commas and newlines inside quotes, an empty gzip, header only."""
    row = legacy_row("2", lineItem__LineItemDescription='a "b", c\nd', bill__BillingEntity="AWS")
    path = write_csv(tmp_path / "x.csv", [row, legacy_row("3")])
    quoted = path.read_bytes()
    path.write_bytes(b"\xef\xbb\xbf" + quoted.replace(b"\n", b"\r\n"))
    empty = tmp_path / "empty.csv.gz"
    empty.write_bytes(gzip.compress(b""))
    assert costs([path, empty, write_csv(tmp_path / "h.csv.gz", [])]) == ["2", "3"]


def test_members(tmp_path):
    """Multi-member gzip; several files in one zip, each with a header of its own."""
    plain = write_csv(tmp_path / "x.csv", [legacy_row("2"), legacy_row("3")]).read_bytes()
    cut = plain.index(b"\n", len(plain) // 2) + 1
    multi = tmp_path / "m.csv.gz"
    multi.write_bytes(gzip.compress(plain[:cut]) + gzip.compress(plain[cut:]))
    with zipfile.ZipFile(tmp_path / "z.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.csv", plain)
        archive.writestr("two.csv", plain)
    assert costs([multi]) == ["2", "3"]
    assert costs([tmp_path / "z.csv.zip"]) == ["2", "3", "2", "3"]


def test_region_falls_back_to_the_older_column(tmp_path):
    """S14."""
    rows = [legacy_row(product__region="old-1", product__regionCode="new-1"), legacy_row(product__region="old-1"), legacy_row()]
    path = write_csv(tmp_path / "x.csv", rows)
    assert [one.region for one in cur.read_files([path], TDS, PERIOD)] == ["new-1", "old-1", ""]


def test_bad_input_is_named(tmp_path):
    cases = [([legacy_row("1,5")], "not a number"), ([legacy_row(bill__PayerAccountId=ING)], "PayerAccountId"),
             ([legacy_row(bill__BillingPeriodStartDate="2025-05-01T00:00:00.000Z")], "BillingPeriodStartDate")]
    for rows, message in cases:
        with pytest.raises(cur.ReportError, match="line 3.*%s" % message):
            costs([write_csv(tmp_path / "x.csv", [legacy_row(), *rows])])
    path = write_csv(tmp_path / "x.csv", [legacy_row()])
    path.write_bytes(path.read_bytes() + b"a,b\n")
    with pytest.raises(cur.ReportError, match="line 3: 2 fields, the header has %d" % len(LEGACY_HEADER)):
        costs([path])
    with pytest.raises(cur.ReportError, match="lineItem/UnblendedCost is missing"):
        costs([write_csv(tmp_path / "y.csv", [], [name for name in LEGACY_HEADER if name != "lineItem/UnblendedCost"])])
    whole = write_csv(tmp_path / "z.csv.gz", [legacy_row()]).read_bytes()
    (tmp_path / "z.csv.gz").write_bytes(whole[:-12])
    with pytest.raises(cur.ReportError, match="z.csv.gz"):
        costs([tmp_path / "z.csv.gz"])


@pytest.mark.parametrize("alias", ["product_region", "product_region_code", "product_regioncode", "Product/Region"])
def test_aliases_of_one_column_are_one(tmp_path, alias):
    path = write_csv(tmp_path / "x.csv", [legacy_row(product__region="eu-central-1")])
    path.write_bytes(path.read_bytes().replace(b"product/regionCode", b"another").replace(b"product/region", alias.encode()))
    assert [one.region for one in cur.read_files([path], TDS, PERIOD)] == ["eu-central-1"]


def test_files_that_are_not_whole_or_not_reports(tmp_path):
    """formats.md section 1: 0 bytes, a CSV cut in its last field, bare carriage returns, accounts from a spreadsheet."""
    whole = write_csv(tmp_path / "x.csv", [legacy_row("1"), legacy_row("2")]).read_bytes().replace(b"\r\n", b"\n")
    for name, content, message in [
            ("empty.csv", b"", "0 bytes"), ("empty.csv.gz", b"", "0 bytes"), ("empty.csv.zip", b"", "0 bytes"),
            ("cut.csv", whole[:-1], "without a line end"), ("mac.csv", whole.replace(b"\n", b"\r"), "line 1: a carriage return"),
            ("doubled.csv", whole.replace(b"\n", b"\r\r\n"), "line 1: a carriage return")]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(cur.ReportError, match=message):
            costs([tmp_path / name])
    (tmp_path / "no-end.csv.gz").write_bytes(gzip.compress(whole[:-1]))
    assert costs([tmp_path / "no-end.csv.gz"]) == ["1", "2"]
    for account in ("1E+11", "10000000000", "x00000000000"):
        path = write_csv(tmp_path / "x.csv", [legacy_row(), legacy_row(lineItem__UsageAccountId=account)])
        with pytest.raises(cur.ReportError, match="line 3: column lineItem/UsageAccountId.*12 digits"):
            costs([path])


def delivered(root, payer=TDS, **where):
    the_catalog = make(payers("source: {type: folder, path: %s}" % root), book(REST), customer())
    lines = load.lines_of(the_catalog, payer, PERIOD, **where)
    return None if lines is None else [show(one.cost) for one in lines]


def test_legacy_layout_with_versions(tmp_path):
    """The manifest in the period folder points at the newest assembly; all its chunks and nothing else count."""
    folder = tmp_path / "cur" / "tds" / "20250601-20250701"
    for assembly, amounts in (("a1", ("1", "2")), ("a2", ("10", "20"))):
        keys = []
        for number, amount in enumerate(amounts, 1):
            name = "tds-0000%d.csv.gz" % number
            write_csv(folder / assembly / name, [legacy_row(amount)])
            keys.append("prefix/cur/tds/20250601-20250701/%s/%s" % (assembly, name))
        legacy_manifest(folder / assembly / "tds-Manifest.json", keys, assembly)
        legacy_manifest(folder / "tds-Manifest.json", keys, assembly)
    assert delivered(tmp_path) == ["10", "20"]
    assert delivered(tmp_path, manifest=str(folder / "a1" / "tds-Manifest.json"), source=str(tmp_path)) == ["1", "2"]
    (folder / "tds-Manifest.json").unlink()
    os.utime(folder / "a2" / "tds-Manifest.json", (1, 1))
    assert delivered(tmp_path) == ["1", "2"]                     # D3: the newest file time
    assert load.lines_of(make(payers("source: {type: folder, path: %s}" % tmp_path), book(REST), customer()), TDS, "2025-05") is None


def test_legacy_overwrite_layout_and_missing_or_doubtful_files(tmp_path):
    folder = tmp_path / "tds" / "20250601-20250701"
    legacy_manifest(folder / "tds-Manifest.json", ["p/tds/20250601-20250701/tds-00001.csv.gz"])
    with pytest.raises(cur.ReportError, match="tds-00001.csv.gz is not below"):
        delivered(tmp_path)
    write_csv(folder / "tds-00001.csv.gz", [legacy_row("5")])
    write_csv(tmp_path / "tds" / "20250501-20250601" / "tds-00001.csv.gz", [legacy_row("6")])
    assert delivered(tmp_path) == ["5"]
    (folder / "tds-00001.csv.gz").rename(folder / "moved.gz")
    write_csv(folder / "a" / "tds-00001.csv.gz", [legacy_row("5")])
    write_csv(folder / "b" / "tds-00001.csv.gz", [legacy_row("5")])
    with pytest.raises(cur.ReportError, match="could be"):
        delivered(tmp_path)


CUR2_HEADER = [names[0] for names in cur._CUR2.values()]


def cur2_row(cost):
    legacy = dict(zip(CUR2_HEADER, [""] * len(CUR2_HEADER)))
    legacy.update({"bill_payer_account_id": TDS, "bill_billing_period_start_date": "2025-06-01T00:00:00.000Z",
                   "line_item_usage_account_id": ACCOUNT, "line_item_line_item_type": "Usage", "line_item_currency_code": "USD",
                   "line_item_unblended_cost": cost, "product_region_code": "eu-west-1", "pricing_unit": "GB", "product_sku": "S"})
    return legacy


def test_cur2_layout(tmp_path):
    """The period is in the path, the key holds colons, the newest execution wins; reports can be chosen."""
    for execution, cost in (("2025-06-02T01:02:03.000Z-x", "1"), ("2025-06-10T01:02:03.000Z-a", "2")):
        write_csv(tmp_path / "e" / "data" / "BILLING_PERIOD=2025-06" / execution / "e-00001.csv.gz", [cur2_row(cost)], CUR2_HEADER)
        path = tmp_path / "e" / "metadata" / "BILLING_PERIOD=2025-06" / execution / "e-Manifest.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"executionId": execution, "columns": [], "dataFiles": [
            "s3://bucket/p/e/data/BILLING_PERIOD=2025-06/%s/e-00001.csv.gz" % execution]}))
    assert delivered(tmp_path) == ["2"]
    found = cur.find_manifest(tmp_path, PERIOD)
    one = next(cur.read_files(cur.data_files(tmp_path, found), TDS, PERIOD))
    assert (one.region, one.unit, one.sku, one.quantity) == ("eu-west-1", "GB", "S", 0)
    legacy_manifest(tmp_path / "other" / "20250601-20250701" / "other-Manifest.json", [], report="other")
    with pytest.raises(cur.ReportError, match="several reports.*e, other"):
        delivered(tmp_path)
    assert delivered(tmp_path, report="e") == ["2"]


# --- totals --------------------------------------------------------------------------------------------------------

LINES = [line("Usage", "1.5", "2", quantity="3"), line("Usage", "0.25", usage_start="2025-06-30T23:00:00Z", region="", product="AmazonS3"),
         line("Tax", "0.1", quantity="0"), line("Whatever", "9", quantity="4"), line("Usage", "5", account=OTHER),
         line("Credit", "-1", currency="CNY")]


def charges():
    return rate.rate_lines(make(book(REST), customer()), TDS, PERIOD, LINES)


def test_totals_without_keys():
    assert totals.totals(charges()) == {
        "payer": TDS, "period": PERIOD, "complete": True, "lines": 6, "suspended_lines": 2, "derived_lines": 0, "groups": [
            {"currency": "CNY", "lines": 1, "quantity": "1", "payer": "-1", "list": "-1", "buy": "-1", "sell": "0"},
            {"currency": "USD", "lines": 5, "quantity": "9", "payer": "15.85", "list": "16.35", "buy": "1.85", "sell": "1.75"}]}


def test_totals_by_keys_sorted():
    groups = totals.totals(charges(), ["class", "account"])["groups"]
    assert [(g["class"], g["account"], g["currency"], g["lines"], g["payer"], g["sell"]) for g in groups] == [
        ("credit", ACCOUNT, "CNY", 1, "-1", "0"), ("suspended", ACCOUNT, "USD", 1, "9", "0"), ("suspended", OTHER, "USD", 1, "5", "0"),
        ("tax", ACCOUNT, "USD", 1, "0.1", "0"), ("usage", ACCOUNT, "USD", 2, "1.75", "1.75")]
    assert list(groups[0]) == ["class", "account", "currency", "lines", "quantity", "payer", "list", "buy", "sell"]


@pytest.mark.parametrize("keys", [[key] for key in totals.KEYS] + [list(totals.KEYS), ["day", "account", "product"]])
def test_every_cut_adds_up_to_the_same(keys):
    whole = {g["currency"]: g for g in totals.totals(charges())["groups"]}
    for name in totals.SUMS:
        for currency, group in whole.items():
            assert sum(parse(g[name]) for g in totals.totals(charges(), keys)["groups"] if g["currency"] == currency) == parse(group[name])


def test_days_and_rules():
    assert [(g["day"], g["lines"]) for g in totals.totals(charges(), ["day"])["groups"]] == [("2025-06-10", 1), ("2025-06-10", 4), ("2025-06-30", 1)]
    assert {g["rule"] for g in totals.totals(charges(), ["rule"])["groups"]} == {"", "rest"}
    with pytest.raises(ValueError):
        totals.totals(charges(), ["reason"])


# --- compare -------------------------------------------------------------------------------------------------------

def test_compare_totals_sees_each_kind_of_difference():
    want = totals.totals(charges(), ["class"])

    def changed(change):
        got = json.loads(json.dumps(want))
        got.update(run="r", state="current")
        change(got)
        return compare_totals(got, want)

    assert changed(lambda got: None) == []
    for change, word in [(lambda got: got.update(lines=7), "lines is 7"), (lambda got: got["groups"].pop(), "missing"),
                         (lambda got: got["groups"][0].update(payer="-1.0"), 'payer is "-1.0"'), (lambda got: got["groups"].reverse(), "order"),
                         (lambda got: got["groups"].append({"class": "x", "currency": "USD"}), "not in the oracle"),
                         (lambda got: got["groups"].append(got["groups"][0]), "twice"), (lambda got: got.pop("complete"), "(absent)"),
                         (lambda got: got["groups"][0].update(lines="1"), "lines is")]:
        found = changed(change)
        assert found and word in found[0], (found, word)


def test_compare_statements_sees_each_kind_of_difference():
    want = documents(make(book(REST), customer("tax: [{name: VAT, percent: 19}]")), {TDS: LINES})

    def changed(change):
        got = json.loads(json.dumps(want))
        for document in got:
            document.update(id="x", number=None, state="draft")
        change(got)
        return compare_statements(got, want, gates=True)

    assert changed(lambda got: None) == []
    assert changed(lambda got: got.append({**got[0], "state": "void"})) == []
    for change, word in [(lambda got: got.pop(), "the program has 0"), (lambda got: got.append(got[0]), "the program has 2"),
                         (lambda got: got[-1].update(total="0"), "total"), (lambda got: got[-1].update(currency="EUR"), "the program has 0"),
                         (lambda got: got[-1]["lines"].pop(), "the oracle has"), (lambda got: got[-1]["lines"].reverse(), "out of order"),
                         (lambda got: got[-1]["lines"][0].update(amount="0"), "amount is"), (lambda got: got[-1]["tax"][0].update(amount="0"), "tax"),
                         (lambda got: got[-1].update(gates=[]), "gates")]:
        found = changed(change)
        assert found and any(word in difference for difference in found), (found, word)


def run(*args):
    return subprocess.run([sys.executable, "-m", "oracle", *map(str, args)], env={**os.environ, "PYTHONPATH": str(TESTS)},
                          capture_output=True, text=True, check=False)


def test_the_command(tmp_path):
    folder = tmp_path / "data" / "tds" / "20250601-20250701"
    write_csv(folder / "tds-00001.csv.gz", [legacy_row("5"), legacy_row("0.1", lineItem__LineItemType="Tax")])
    legacy_manifest(folder / "tds-Manifest.json", ["tds/20250601-20250701/tds-00001.csv.gz"])
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "all.yaml").write_text("---\n".join([payers("source: {type: folder, path: %s}" % (tmp_path / "data"),
                                                                          "source: {type: folder, path: %s}" % (tmp_path / "nothing")), book(REST), customer()]))
    (tmp_path / "nothing").mkdir()
    common = ("--catalog", tmp_path / "catalog", "--period", PERIOD)
    one = run("totals", *common, "--payer", TDS, "--by", "line_item_type")
    assert [(g["line_item_type"], g["payer"]) for g in json.loads(one.stdout)["groups"]] == [("Tax", "0.1"), ("Usage", "5")], one.stderr
    by_files = run("totals", *common, "--payer", TDS, "--by", "line_item_type", "--files", folder / "tds-00001.csv.gz")
    assert by_files.stdout == one.stdout
    assert run("totals", *common, "--payer", ING).returncode == 3
    assert run("totals", *common, "--payer", "000000000000").returncode == 2
    many = run("statements", *common)
    assert [d["total"] for d in json.loads(many.stdout)] == ["5"], many.stderr
    assert run("statements", *common, "--lane", "ingram").stdout == "[]\n"
    (tmp_path / "a.json").write_text(one.stdout)
    (tmp_path / "b.json").write_text(one.stdout.replace('"5"', '"6"'))
    assert run("compare", "totals", tmp_path / "a.json", tmp_path / "a.json").returncode == 0
    differing = run("compare", "totals", tmp_path / "a.json", tmp_path / "b.json")
    assert differing.returncode == 1 and "the oracle says" in differing.stdout


# --- real exports --------------------------------------------------------------------------------------------------

def real(payer, period, **where):
    the_catalog = make('kind: Payer\nid: "%s"\nlane: tdsynnex\nmodel: tdsynnex\nreseller: northwind\n' % payer, book(REST, start="2020-01-01"),
                       customer(accounts=['{id: "%s", payer: "%s", from: 2020-01-01}' % (payer, payer)]))
    answer = totals.totals(load.charges_of(the_catalog, payer, period, **where), ["line_item_type"])
    assert answer["suspended_lines"] == 0
    return answer["lines"], {g["line_item_type"]: g["payer"] for g in answer["groups"]}


@pytest.mark.skipif(not samples().is_dir(), reason="no real exports here")
def test_real_cur2():
    lines, sums = real("012345678917", "2026-04", source=str(samples() / "cur-2.0-daily"))
    assert lines == 1882
    assert sums == {"Usage": "47.6816938322", "Credit": "-47.6816938998", "Tax": "0"}
    assert show(sum(map(parse, sums.values()))) == "-0.0000000676"


@pytest.mark.skipif(not samples().is_dir(), reason="no real exports here")
def test_real_legacy():
    lines, sums = real("123412340534", "2023-11", files=[samples() / "cur-legacy-daily" / "sample-00001.csv.gz"])
    assert lines == 1281
    assert sums == {"Usage": "1.6023086974", "Tax": "0.08"}
    assert show(sum(map(parse, sums.values()))) == "1.6823086974"


@pytest.mark.skipif(not samples().is_dir(), reason="no real exports here")
def test_real_legacy_manifests():
    for name, period in (("manifest-2018-01.json", "2018-01"), ("manifest-2019-12.json", "2019-12")):
        assert cur.read_manifest(samples() / "cur-legacy-manifests" / name).period == period
