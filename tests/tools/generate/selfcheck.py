"""Re-reads what `generate` wrote with csv and decimal alone and compares it with --totals.

Run by pytest, or directly: python3 selfcheck.py [path of generate]. The program is found in CURMILL_GENERATE, in the argument,
or in build/*/bin of the repository.
"""
import csv
import decimal
import glob
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import defaultdict
from decimal import Decimal

decimal.getcontext().prec = 60
HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {
    "Usage", "DiscountedUsage", "RIFee", "Fee", "SavingsPlanCoveredUsage", "SavingsPlanNegation", "SavingsPlanRecurringFee",
    "SavingsPlanUpfrontFee", "Tax", "Credit", "Refund", "BundledDiscount", "Discount", "EdpDiscount", "PrivateRateDiscount",
    "RiVolumeDiscount", "SppDiscount", "DistributorDiscount", "FlatRateSubscription",
}
LEGACY = dict(type="lineItem/LineItemType", account="lineItem/UsageAccountId", currency="lineItem/CurrencyCode", id="identity/LineItemId",
              interval="identity/TimeInterval", quantity="lineItem/UsageAmount", cost="lineItem/UnblendedCost", rate="lineItem/UnblendedRate",
              listed="pricing/publicOnDemandCost", payer="bill/PayerAccountId", start="bill/BillingPeriodStartDate",
              usage_start="lineItem/UsageStartDate", invoice="bill/InvoiceId", product="lineItem/ProductCode",
              entity="bill/BillingEntity", description="lineItem/LineItemDescription", reservation="reservation/ReservationARN")
CUR2 = dict(type="line_item_line_item_type", account="line_item_usage_account_id", currency="line_item_currency_code",
            id="identity_line_item_id", interval="identity_time_interval", quantity="line_item_usage_amount", cost="line_item_unblended_cost",
            rate="line_item_unblended_rate", listed="pricing_public_on_demand_cost", payer="bill_payer_account_id",
            start="bill_billing_period_start_date", usage_start="line_item_usage_start_date", invoice="bill_invoice_id",
            product="line_item_product_code", entity="bill_billing_entity", description="line_item_line_item_description",
            reservation="reservation_reservation_a_r_n")


def program():
    candidates = [os.environ.get("CURMILL_GENERATE", "")] + (sys.argv[1:2] if __name__ == "__main__" else [])
    candidates += sorted(glob.glob(os.path.join(HERE, "../../../build/*/bin/generate")))
    for path in candidates:
        if path and os.path.isfile(path):
            return path
    raise SystemExit("generate is not built; set CURMILL_GENERATE")


class Report:
    """One call of the program and what it wrote."""

    def __init__(self, *options, out=None):
        self.folder = tempfile.TemporaryDirectory()
        self.out = out or os.path.join(self.folder.name, "out")
        self.totals_file = os.path.join(self.folder.name, "totals.json")
        subprocess.run([program(), "--quiet", "--out", self.out, "--totals", self.totals_file, *options], check=True)
        with open(self.totals_file) as f:
            self.totals = json.load(f)
        self.cur2 = self.totals["format"] == "cur2-gz"
        self.column = CUR2 if self.cur2 else LEGACY

    def path(self, key):
        return os.path.join(self.out, key)

    def manifest(self, version):
        with open(self.path(version["manifest"])) as f:
            return json.load(f)

    def keys(self, version):
        m = self.manifest(version)
        return [u.split("/", 3)[3] for u in m["dataFiles"]] if self.cur2 else m["reportKeys"]

    def raw(self, key):
        path = self.path(key)
        if key.endswith(".zip"):
            with zipfile.ZipFile(path) as z:
                assert z.testzip() is None and len(z.namelist()) == 1
                return z.read(z.namelist()[0])
        if key.endswith(".gz"):
            if os.path.getsize(path) == 0:
                return b""
            with gzip.open(path) as f:
                return f.read()
        with open(path, "rb") as f:
            return f.read()

    def table(self, key):
        """(header, rows) of a chunk; strict CSV."""
        text = self.raw(key).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        return (rows[0], rows[1:]) if rows else ([], [])

    def lines(self, key):
        header, rows = self.table(key)
        for row in rows:
            assert len(row) == len(header)
            yield dict(zip(header, row))

    def all_lines(self, version):
        for key in self.keys(version):
            yield from self.lines(key)


def new_sums():
    return {"lines": 0, "quantity": Decimal(0), "payer": Decimal(0), "list": Decimal(0), "public_on_demand": Decimal(0)}


def number(text):
    return Decimal(text) if text else Decimal(0)


def add(sums, line, c):
    cost, listed = number(line[c["cost"]]), number(line[c["listed"]])
    sums["lines"] += 1
    sums["quantity"] += number(line[c["quantity"]])
    sums["payer"] += cost
    sums["list"] += listed if listed != 0 else cost
    sums["public_on_demand"] += listed


def same(sums, told):
    assert sums["lines"] == told["lines"]
    for name in ("quantity", "payer", "list", "public_on_demand"):
        assert re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", told[name]) and told[name] != "-0", told[name]
        assert sums[name] == Decimal(told[name]), (name, sums[name], told[name])


def check_version(report, version):
    c = report.column
    groups, grand = defaultdict(new_sums), defaultdict(new_sums)
    told_chunks = {chunk["file"]: chunk for chunk in version["chunks"]}
    assert list(told_chunks) == report.keys(version)
    for key in report.keys(version):
        chunk = defaultdict(new_sums)
        for line in report.lines(key):
            currency = line[c["currency"]]
            for sums in (groups[line[c["type"]], line[c["account"]], currency], grand[currency], chunk[currency]):
                add(sums, line, c)
            assert line[c["payer"]] == report.totals["payer"]
            assert line[c["start"]] == report.totals["period"] + "-01T00:00:00.000Z"
            assert len(line[c["account"]]) == 12
        assert sorted(chunk) == sorted(t["currency"] for t in told_chunks[key]["sums"])
        for told in told_chunks[key]["sums"]:
            same(chunk[told["currency"]], told)
    assert len(groups) == len(version["groups"])
    for told in version["groups"]:
        same(groups[told["line_item_type"], told["account"], told["currency"]], told)
    assert len(grand) == len(version["grand"])
    for told in version["grand"]:
        same(grand[told["currency"]], told)
    by_type = defaultdict(new_sums)
    for (kind, _, currency), sums in groups.items():
        for name in sums:
            by_type[kind, currency][name] += sums[name]
    assert len(by_type) == len(version["by_type"])
    for told in version["by_type"]:
        same(by_type[told["line_item_type"], told["currency"]], told)
    assert sum(g["lines"] for g in grand.values()) == version["lines"]
    return groups


def check_report(*options):
    report = Report(*options)
    for version in report.totals["versions"]:
        check_version(report, version)
    return report


def tree_digest(folder):
    digest = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(folder, "**"), recursive=True)):
        if os.path.isfile(path):
            digest.update(os.path.relpath(path, folder).encode())
            with open(path, "rb") as f:
                digest.update(f.read())
    return digest.hexdigest()


# ---- formats and layouts ----

def test_every_format_equals_its_totals():
    for form in ("legacy-gz", "legacy-zip", "legacy-csv", "cur2-gz"):
        report = check_report("--scenario", "tiny", "--format", form)
        last = report.totals["versions"][-1]
        assert {t["line_item_type"] for t in last["by_type"]} == TYPES, form
        assert last["lines"] == 700


def test_overwrite_layout_holds_the_last_version():
    for form in ("legacy-gz", "cur2-gz"):
        report = Report("--scenario", "tiny", "--format", form, "--layout", "overwrite")
        check_version(report, report.totals["versions"][-1])
        manifests = glob.glob(os.path.join(report.out, "**/*-Manifest.json"), recursive=True)
        assert len(manifests) == 1


def test_month_scenario():
    report = check_report("--scenario", "month", "--cny", "--unlinked", "--late-link")
    assert [v["final"] for v in report.totals["versions"]] == [False, False, True]
    assert {g["currency"] for g in report.totals["versions"][-1]["grand"]} == {"USD", "CNY"}


def test_legacy_manifest_and_keys():
    report = Report("--scenario", "tiny", "--period", "2025-12")
    version = report.totals["versions"][-1]
    m = report.manifest(version)
    assert list(m) == ["assemblyId", "account", "columns", "charset", "compression", "contentType", "reportId", "reportName", "billingPeriod",
                       "bucket", "reportKeys", "additionalArtifactKeys"]
    assert m["billingPeriod"] == {"start": "20251201T000000.000Z", "end": "20260101T000000.000Z"}
    assert m["reportKeys"][0] == "cur/synthetic-hourly/20251201-20260101/%s/synthetic-hourly-00001.csv.gz" % m["assemblyId"]
    top = report.path("cur/synthetic-hourly/20251201-20260101/synthetic-hourly-Manifest.json")
    with open(top) as f:
        assert json.load(f) == m
    names = [c["category"] + "/" + c["name"] for c in m["columns"]]
    assert names == report.table(m["reportKeys"][0])[0]


def test_cur2_manifest_and_keys():
    report = Report("--scenario", "tiny", "--format", "cur2-gz")
    version = report.totals["versions"][0]
    m = report.manifest(version)
    assert list(m) == ["executionId", "exportArn", "columns", "dataFiles"]
    assert version["id"].endswith("Z-" + m["executionId"]) and ":" in version["id"]
    assert m["dataFiles"][0].startswith("s3://synthetic-billing/cur/synthetic-hourly/data/BILLING_PERIOD=2025-06/" + version["id"] + "/")
    assert version["manifest"].startswith("cur/synthetic-hourly/metadata/BILLING_PERIOD=2025-06/" + version["id"] + "/")
    assert [c["name"] for c in m["columns"]] == report.table(report.keys(version)[0])[0]
    line = next(line for line in report.all_lines(version) if line["line_item_line_item_type"] == "Usage" and line["line_item_unblended_rate"])
    assert json.loads(line["product"])["product_name"]
    assert re.fullmatch(r"\d+\.\d{10}", line["line_item_unblended_rate"])


def test_cur2_columns_are_those_of_the_real_sample():
    samples = os.environ.get("CURMILL_SAMPLES", os.path.join(HERE, "../../../../shared/samples"))
    found = glob.glob(os.path.join(samples, "cur-2.0-daily/*/metadata/*/*-Manifest.json"))
    if not found:
        return
    with open(found[0]) as f:
        real = json.load(f)["columns"]
    report = Report("--scenario", "tiny", "--versions", "1", "--format", "cur2-gz")
    assert report.manifest(report.totals["versions"][0])["columns"] == real


# ---- the dialect and the relations ----

def test_numbers_are_those_of_java_doubles():
    report = Report("--scenario", "tiny", "--rows", "3000")
    c, scientific, ten_decimals = report.column, 0, 0
    for line in report.all_lines(report.totals["versions"][-1]):
        for name in ("cost", "quantity", "listed", "rate"):
            text = line[c[name]]
            if not text:
                continue
            assert re.fullmatch(r"-?\d+\.\d+(E-?\d+)?", text), text
            value = Decimal(text)
            assert Decimal(repr(float(text))) == value, text
            plain = value == 0 or Decimal("1e-3") <= abs(value) < Decimal("1e7")
            assert plain == ("E" not in text), text
            scientific += "E" in text
            ten_decimals += -value.normalize().as_tuple().exponent == 10
        assert "E" not in line[c["rate"]] or float(line[c["rate"]]) < 1e-3
    assert scientific > 500 and ten_decimals > 300


def test_relations_of_lines():
    report = Report("--scenario", "month", "--format", "cur2-gz")
    c, version = report.column, report.totals["versions"][-1]
    covered = defaultdict(Decimal)
    seen, ids, repeats, outside, support, entities, payer_usage, positive_credit = set(), set(), 0, set(), set(), set(), 0, 0
    for line in report.all_lines(version):
        kind = line[c["type"]]
        if kind in ("SavingsPlanCoveredUsage", "SavingsPlanNegation"):
            covered[line["savings_plan_savings_plan_a_r_n"], line[c["usage_start"]], line[c["account"]]] += Decimal(line[c["cost"]])
        key = line[c["id"]], line[c["interval"]]
        assert key not in seen and re.fullmatch("[a-z2-7]{52}", line[c["id"]])
        seen.add(key)
        repeats += line[c["id"]] in ids
        ids.add(line[c["id"]])
        if kind == "Usage" and line[c["usage_start"]] < "2025-06-01":
            outside.add("before")
        if kind == "Usage" and line[c["usage_start"]] >= "2025-07-01":
            outside.add("after")
        if "upport" in line[c["product"]]:
            support.add((line[c["product"]], line[c["cost"]]))
        entities.add(line[c["entity"]])
        payer_usage += kind == "Usage" and line[c["account"]] == line[c["payer"]]
        positive_credit += kind == "Credit" and Decimal(line[c["cost"]]) > 0
        if kind == "DiscountedUsage":
            assert Decimal(line[c["cost"]]) == 0 and Decimal(line[c["quantity"]]) > 0 and line[c["reservation"]]
            assert Decimal(line[c["listed"]]) > 0
        if kind == "SavingsPlanNegation":
            assert Decimal(line[c["cost"]]) < 0
        assert line[c["invoice"]]
    assert covered and all(total == 0 for total in covered.values())
    assert repeats > 100 and outside == {"before", "after"} and entities == {"AWS", "AWS Marketplace"}
    assert {("AWSSupportBusiness", "50.0"), ("AWSSupportBusiness", "100.0")} <= support
    assert {product for product, _ in support} >= {"AWSDeveloperSupport", "OCBPremiumSupport", "AWSSupportBusiness"}
    assert payer_usage > 5 and positive_credit > 1


def test_versions_restate_grow_and_finalise():
    report = Report("--scenario", "month")
    c, versions = report.column, report.totals["versions"]
    costs = [{(line[c["id"]], line[c["interval"]]): line[c["cost"]] for line in report.all_lines(v)} for v in versions]
    assert versions[0]["lines"] < versions[1]["lines"] < versions[2]["lines"]
    assert versions[0]["columns"] < versions[1]["columns"] < versions[2]["columns"]
    assert set(costs[0]) < set(costs[1]) < set(costs[2])
    changed = sum(costs[0][key] != costs[1][key] for key in costs[0])
    assert len(costs[0]) * 0.005 < changed < len(costs[0]) * 0.1
    assert any(not line[c["invoice"]] for line in report.all_lines(versions[1]))
    assert all(line[c["invoice"]] for line in report.all_lines(versions[2]))
    late = {line[c["type"]] for line in report.all_lines(versions[2]) if (line[c["id"]], line[c["interval"]]) not in costs[1]}
    assert {"Credit", "Refund"} <= late
    headers = [report.table(key)[0] for key in report.keys(versions[2])]
    assert headers[0] != headers[1] and sorted(headers[0]) == sorted(headers[1])


def test_the_same_seed_gives_the_same_bytes():
    for form in ("legacy-gz", "legacy-zip", "legacy-csv", "cur2-gz"):
        options = ("--scenario", "tiny", "--format", form, "--cny")
        first, again, other = Report(*options), Report(*options), Report(*options, "--seed", "2")
        assert tree_digest(first.out) == tree_digest(again.out) != tree_digest(other.out)
        assert first.totals == again.totals != other.totals
    report = Report("--scenario", "tiny", "--only-version", "2")
    assert report.totals["versions"] == Report("--scenario", "tiny").totals["versions"][1:]


def test_daily_granularity():
    report = check_report("--scenario", "tiny", "--daily")
    line = next(line for line in report.all_lines(report.totals["versions"][0]) if line[report.column["type"]] == "SavingsPlanCoveredUsage")
    start, end = line[report.column["interval"]].split("/")
    assert start[10:] == end[10:] == "T00:00:00Z" and report.totals["report"] == "synthetic-daily"


def test_switches_for_suspended_lines():
    report = check_report("--scenario", "tiny", "--unknown-type", "SurpriseFee", "--no-list", "4", "--odd", "stray-currency")
    version, c = report.totals["versions"][-1], report.column
    assert {t["line_item_type"] for t in version["by_type"]} == TYPES | {"SurpriseFee"}
    discounted = [line[c["listed"]] for line in report.all_lines(version) if line[c["type"]] == "DiscountedUsage"]
    assert "" in discounted and "0.0" in discounted and any(number(t) > 0 for t in discounted)
    assert {g["currency"] for g in version["grand"]} == {"USD", "CNY"}


def test_rows_below_the_head():
    assert check_report("--rows", "5", "--versions", "1").totals["versions"][0]["lines"] == 5
    assert len(check_report("--rows", "170", "--versions", "2").totals["versions"][-1]["by_type"]) == len(TYPES)


# ---- oddities ----

def test_legal_oddities_keep_the_totals():
    for odd in ("bom", "crlf", "newlines", "multi-member", "empty-chunk", "zero-byte-chunk", "header-only-chunk", "extra-columns",
                "empty-header-name", "odd-numbers", "date-forms"):
        for form in ("legacy-gz", "cur2-gz"):
            check_report("--scenario", "tiny", "--format", form, "--odd", odd)
    check_report("--scenario", "tiny", "--format", "legacy-csv", "--odd", "crlf", "--odd", "newlines", "--odd", "bom", "--odd", "empty-chunk")


def only(*odds, form="legacy-gz"):
    options = [text for odd in odds for text in ("--odd", odd)]
    report = Report("--scenario", "tiny", "--versions", "1", "--chunk-rows", "1100", "--rows", "2500", "--format", form, *options)
    return report, report.totals["versions"][0]


def test_legal_oddities_are_there():
    report, version = only("bom", "crlf", "newlines", "multi-member", "header-only-chunk", "empty-chunk", "zero-byte-chunk", "date-forms",
                           "odd-numbers", "extra-columns", "empty-header-name")
    keys = report.keys(version)
    raw = report.raw(keys[0])
    assert raw.startswith(b"\xef\xbb\xbf") and b"\r\n" in raw and b'second, ""quoted""\r\n' in raw
    with open(report.path(keys[0]), "rb") as f:
        packed = f.read()
    members = 0
    while packed:
        inflate = zlib.decompressobj(31)
        inflate.decompress(packed)
        assert inflate.eof
        packed, members = inflate.unused_data, members + 1
    assert members >= 2
    assert [len(report.table(key)[1]) for key in keys] == [1100, 0, 0, 1100, 300, 0]
    assert [bool(report.table(key)[0]) for key in keys] == [True, True, False, True, True, False]
    assert os.path.getsize(report.path(keys[2])) > 0 and os.path.getsize(report.path(keys[5])) == 0
    lines = list(report.lines(keys[0]))
    assert {len(line[LEGACY["usage_start"]]) for line in lines} == {24, 20, 19}
    assert {"-0.0", "0E-10"} <= {line[LEGACY["cost"]] for line in lines}
    assert "" in report.table(keys[0])[0] and "lineItem/NewColumn" in report.table(keys[0])[0]


def test_broken_oddities_are_there():
    report, version = only("ragged=1203", "long-row=7", "bad-number=9:lineItem/UsageAmount", "wrong-payer=11", "wrong-period=13")
    keys = report.keys(version)
    header, rows = report.table(keys[0])
    assert len(report.table(keys[1])[1][102]) == len(header) - 1 and len(rows[6]) == len(header) + 1
    assert sum(len(row) != len(header) for key in keys for row in report.table(key)[1]) == 2
    at = {name: header.index(LEGACY[name]) for name in ("quantity", "payer", "start", "cost")}
    assert rows[8][at["quantity"]] == "12.5x" and rows[10][at["payer"]] == "999999999999"
    assert rows[12][at["start"]] == "2025-07-01T00:00:00.000Z" and rows[11][at["start"]] == "2025-06-01T00:00:00.000Z"
    report, version = only("bad-number=3", form="cur2-gz")
    assert list(report.lines(report.keys(version)[0]))[2][CUR2["cost"]] == "12.5x"
    report, version = only("cut-gzip=2")
    try:
        report.raw(report.keys(version)[1])
        raise AssertionError("the file is whole")
    except EOFError:
        pass
    report, version = only("missing-file=3")
    assert [os.path.exists(report.path(key)) for key in report.keys(version)] == [True, True, False]
    report, version = only("missing-column=" + LEGACY["currency"])
    assert LEGACY["currency"] not in report.table(report.keys(version)[0])[0]
    report, version = only("manifest-period", "manifest-payer")
    assert report.manifest(version)["billingPeriod"]["start"].startswith("20250701")
    assert report.manifest(version)["account"] == "999999999999"
    report, version = only("open-quote=20")
    try:
        report.table(report.keys(version)[0])
        raise AssertionError("the quote is closed")
    except csv.Error:
        pass


def test_broken_version_alone():
    report = Report("--scenario", "tiny", "--odd", "ragged=5", "--odd-version", "2")
    check_version(report, report.totals["versions"][0])
    header, rows = report.table(report.keys(report.totals["versions"][1])[0])
    assert len(rows[4]) == len(header) - 1


# ---- catalog ----

def test_two_payers_share_a_catalog_folder():
    with tempfile.TemporaryDirectory() as folder:
        catalog = os.path.join(folder, "catalog")
        calls = (("111122223333", "tdsynnex"), ("444455556666", "ingram"))
        accounts, shared = [], []
        for payer, model in calls:
            report = Report("--scenario", "tiny", "--payer", payer, "--model", model, "--shared-accounts", "2", "--catalog", catalog,
                            "--cny", "--unlinked", "--late-link")
            accounts.append({g["account"] for g in report.totals["versions"][-1]["groups"]})
            shared.append({name: open(os.path.join(catalog, name)).read() for name in os.listdir(catalog) if name.startswith("shared-")})
        assert shared[0] == shared[1] and len(accounts[0] & accounts[1]) == 2
        texts = {name: open(os.path.join(catalog, name)).read() for name in os.listdir(catalog)}
        ids = [m for text in texts.values() for m in re.findall(r"kind: (\w+)\nid: (\S+)", text)]
        assert len(ids) == len(set(ids)) and len([i for i in ids if i[0] == "Payer"]) == 2
        ours = texts["payer-111122223333.yaml"]
        assert "pass_through" not in ours and "pass_through" in texts["payer-444455556666.yaml"]
        linked = re.findall(r'\{id: "(\d{12})", payer: "111122223333", from: ([^,}]+)(?:, to: ([^,}]+))?', ours)
        assert len(accounts[0] - {a for a, _, _ in linked} - {"111122223333"}) == 1  # --unlinked
        moved = [(a, to) for a, _, to in linked if to]
        assert len(moved) == 1 and (moved[0][0], "2025-06-16T00:00:00Z", "") in linked
        assert len({a for a, _, _ in linked if a.startswith("000")}) >= 1


def main():
    failed = 0
    tests = [(name, test) for name, test in sorted(globals().items()) if name.startswith("test_")]
    for name, test in tests:
        try:
            test()
        except (AssertionError, Exception) as error:  # each test tells and the next one runs
            failed += 1
            print("FAILED %s: %s: %s" % (name, type(error).__name__, error))
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
