"""Deliveries that come again, change, fail and are mended; rating again (architecture.md 3 and 4; N14, R02)."""
import datetime
import json
import os
import shutil
import signal

import months
import pytest
import stack as stacks
from oracle import catalog as catalogs
from oracle import compare, load
from oracle import totals as oracle_totals

LAYOUTS = ("new", "overwrite")


def _states(month):
    return [d["state"] for d in month.deliveries()]


def _counts(month, version):
    """What counts now is this version: lines, sums, and the drafts' run."""
    answer = month.totals("line_item_type,account")
    assert answer["state"] == "current" and answer["complete"] is True
    assert answer["lines"] == version["lines"]
    assert months.by_type_and_account(month, answer) == months.told(version)
    return answer


def _without_reading(stack, month):
    """Everything a reader sees of a month, to compare before and after."""
    documents = stack.cli("statement", "list", "--period", month.period)
    return json.dumps([month.totals(",".join(months.KEYS)), month.totals("day,account,product"), documents,
                       [stack.cli("statement", "show", d["id"]) for d in documents]])


# -- newer versions

@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["legacy-gz", "cur2-gz"])
def test_v1_v2_v1_again(stack, generate, tmp_path, form, layout):
    """A newer version replaces the older; the older one again changes nothing: only v2 counts."""
    month = months.Month(stack, generate, f"again-{form}-{layout}", months.next_period(), format=form, layout=layout,
                         model="ingram" if form == "cur2-gz" else "tdsynnex")
    v1 = month.write("--only-version", 1)[0]
    shutil.copytree(month.root, tmp_path / "v1")
    months.apply(stack, month.catalog)
    month.ingest()
    first = _counts(month, v1)

    v2 = month.write("--only-version", 2)[0]
    month.ingest()
    second = _counts(month, v2)
    assert second["run"] != first["run"] and second["delivery"] != first["delivery"]
    assert _states(month) == ["superseded", "good"]
    assert [r["state"] for r in month.runs()] == ["superseded", "current"]
    before = _without_reading(stack, month)

    shutil.copytree(tmp_path / "v1", month.root, dirs_exist_ok=True, copy_function=shutil.copyfile)   # all files of v1 again, as new
    if form == "cur2-gz" and layout == "new":
        shutil.rmtree(next(p for p in month.root.glob("cur/*/metadata/*/*") if v2["id"] in p.name))
    month.ingest()
    assert _without_reading(stack, month) == before
    assert _states(month) == ["superseded", "good"]
    assert len(month.runs()) == 2


def test_the_same_ingest_twice_changes_nothing(stack, generate):
    """architecture.md 3: the same delivery with the same catalog is the same run."""
    month = months.Month(stack, generate, "twice-the-same", months.next_period())
    month.write()
    months.apply(stack, month.catalog)
    month.ingest()
    before = [_without_reading(stack, month), month.deliveries(), month.runs()]
    month.ingest()
    assert [_without_reading(stack, month), month.deliveries(), month.runs()] == before


def test_files_that_were_written_again_are_read_again(stack, generate):
    """formats.md section 1: a file with another time may hold another amount. Here it does not, so no figure changes."""
    month = months.Month(stack, generate, "written-again", months.next_period())
    version = month.write("--only-version", 1)[0]
    months.apply(stack, month.catalog)
    month.ingest()
    first = _counts(month, version)
    for file in month.root.rglob("*.csv.gz"):
        os.utime(file)
    month.ingest()
    second = _counts(month, version)
    assert second["delivery"] != first["delivery"] and _states(month) == ["superseded", "good"]
    month.ingest()
    assert len(month.deliveries()) == 2


def test_finalised_and_grown_deliveries(stack, generate):
    """Three versions: month to date, more columns, invoice ids and what AWS adds after the close (formats.md section 1)."""
    month = months.Month(stack, generate, "three-versions", months.next_period(), format="legacy-zip", options=("--versions", 3))
    gates = []
    for n in (1, 2, 3):
        version = month.write("--only-version", n)[0]
        if n == 1:
            months.apply(stack, month.catalog)
        month.ingest()
        _counts(month, version)
        documents = stack.cli("statement", "list", "--period", month.period)
        shown = stack.cli("statement", "show", documents[0]["id"])
        gates.append({g["code"]: g["open"] for g in shown["gates"]}["NOT_FINAL"])
    assert gates == [False, False, True]
    assert _states(month) == ["superseded", "superseded", "good"]


# -- files without a manifest

def test_files_replaced_by_other_files(stack, generate):
    """cli.md: a second call with other files replaces the first; the first files again change nothing."""
    month = months.Month(stack, generate, "by-file", months.next_period(), format="legacy-csv", options=("--no-manifest",))
    v1, v2 = month.write()
    months.apply(stack, month.catalog)
    by_file = ["--payer", month.payer, "--period", month.period, "--wait"]
    stack.cli("ingest", "--file", *month.files(v1), *by_file)
    _counts(month, v1)
    stack.cli("ingest", "--file", *month.files(v2), *by_file)
    _counts(month, v2)
    again = stack.cli_raw("ingest", "--file", *month.files(v1), *by_file)
    assert again.returncode == 0 and "superseded" in again.stderr
    _counts(month, v2)
    stack.cli("ingest", "--file", *month.files(v2), *by_file)
    _counts(month, v2)
    assert _states(month) == ["superseded", "good"]


def test_the_same_files_from_elsewhere_are_the_same_delivery(stack, generate, tmp_path):
    """The identity of files without a manifest is their content, and `explain` reads them where they lie now."""
    month = months.Month(stack, generate, "moved-files", months.next_period(), options=("--no-manifest",))
    v1 = month.write("--only-version", 1)[0]
    months.apply(stack, month.catalog)
    stack.cli("ingest", "--file", *month.files(v1), "--payer", month.payer, "--period", month.period, "--wait")
    before = month.totals()
    elsewhere = [shutil.copyfile(file, tmp_path / file.name) for file in month.files(v1)]
    stack.cli("ingest", "--file", *elsewhere, "--payer", month.payer, "--period", month.period, "--wait")
    assert month.totals() == before and len(month.deliveries()) == 1
    shutil.rmtree(month.root)
    explained = stack.cli("explain", "--payer", month.payer, "--period", month.period, "--line", "1:1")
    assert explained["row"] == 1


def test_a_file_named_twice_is_refused(stack, generate):
    """Its lines would count twice."""
    month = months.Month(stack, generate, "file-twice", months.next_period(), options=("--no-manifest",))
    files = month.files(month.write("--only-version", 1)[0])
    months.apply(stack, month.catalog)
    done = stack.cli_raw("ingest", "--file", *files, files[0], "--payer", month.payer, "--period", month.period)
    assert done.returncode == 1 and files[0].name in done.stderr and "twice" in done.stderr, done
    assert month.deliveries() == []


def test_a_file_that_is_not_there(stack, generate):
    month = months.Month(stack, generate, "no-file", months.next_period(), options=("--no-manifest",))
    month.write("--only-version", 1)
    months.apply(stack, month.catalog)
    done = stack.cli_raw("ingest", "--file", "/no/such/file.csv.gz", "--payer", month.payer, "--period", month.period)
    assert done.returncode == 3 and "/no/such/file.csv.gz" in done.stderr
    assert month.deliveries() == []


# -- broken deliveries

# name: oddity of version 2, format, then what must be told: code, file, row, column. A column misses in every file: any may say so.
BROKEN = {
    "cut-gzip": ("cut-gzip=2", "legacy-gz", "CUT", "-00002.csv.gz", None, None),
    "ragged": ("ragged=350", "legacy-gz", "RAGGED", "-00002.csv.gz", 50, None),
    "long-row": ("long-row=10", "cur2-gz", "RAGGED", "-00001.csv.gz", 10, None),
    "bad-number": ("bad-number=320", "legacy-zip", "NOT_A_NUMBER", "-00002.csv.zip", 20, "lineItem/UnblendedCost"),
    "bad-number-2": ("bad-number=7:line_item_usage_amount", "cur2-gz", "NOT_A_NUMBER", "-00001.csv.gz", 7, "line_item_usage_amount"),
    "wrong-payer": ("wrong-payer=605", "legacy-csv", "WRONG_PAYER", "-00003.csv", 5, "bill/PayerAccountId"),
    "wrong-period": ("wrong-period=6", "legacy-gz", "WRONG_PERIOD", "-00001.csv.gz", 6, "bill/BillingPeriodStartDate"),
    "open-quote": ("open-quote=650", "legacy-gz", "QUOTE", "-00003.csv.gz", 50, None),
    "missing-file": ("missing-file=2", "legacy-gz", "MISSING_FILE", "-00002.csv.gz", None, None),
    "missing-column": ("missing-column=lineItem/UnblendedCost", "legacy-gz", "COLUMN_MISSING", ".csv.gz", None, "lineItem/UnblendedCost"),
    "zero-byte-chunk": ("zero-byte-chunk", "cur2-gz", "EMPTY_FILE", ".csv.gz", None, None),
    "manifest-payer": ("manifest-payer", "legacy-gz", "WRONG_PAYER", "-Manifest.json", None, None),
    "manifest-period": ("manifest-period", "legacy-gz", "WRONG_PERIOD", "-Manifest.json", None, None),
}


@pytest.fixture(scope="module")
def broken(stack, generate):
    """For every case: a good v1, then a broken v2, then v2 mended; what was seen at each step."""
    period = months.next_period()
    catalog = stack.data / "broken-catalog"
    cases = {}
    for i, (name, (odd, form, *_)) in enumerate(BROKEN.items()):
        month = months.Month(stack, generate, f"broken-{name}", period, format=form, layout=LAYOUTS[i % 2], catalog=catalog,
                             model=("tdsynnex", "ingram")[i // 2 % 2], options=("--seed", 100 + i))
        cases[name] = {"month": month, "odd": odd, "v1": month.write("--only-version", 1)[0]}
    months.apply(stack, catalog)
    months.ingest_period(stack, period)
    for case in cases.values():
        case["before"] = case["month"].totals("line_item_type,account")
        case["month"].write("--only-version", 2, "--odd", case["odd"])
    case["told"] = None
    done = stack.cli_raw("ingest", "--period", period, "--wait", "--timeout", 240)
    months.ingest_period(stack, period, code=2)      # again: nothing changed, nothing is tried again
    for case in cases.values():
        case["first_code"], case["stderr"] = done.returncode, done.stderr
        case["failed"] = case["month"].deliveries()
        case["while_failed"] = case["month"].totals("line_item_type,account")
        case["v2"] = case["month"].write("--only-version", 2)[0]
    case["mended_code"] = stack.cli_raw("ingest", "--period", period, "--wait", "--timeout", 240).returncode
    for other in cases.values():
        other["mended_code"] = case["mended_code"]
        other["mended"] = other["month"].deliveries()
    return cases


@pytest.mark.parametrize("name", BROKEN)
def test_broken_delivery_says_where(broken, name):
    """Bad input: the delivery is failed, with file, row, column and reason; ingest --wait ends with 2."""
    case, (_, _, code, file, row, column) = broken[name], BROKEN[name]
    failed = [d for d in case["failed"] if d["state"] == "failed"]
    assert len(failed) == 1 and failed[0]["attempt"] == 0, case["failed"]
    failed = failed[0]
    assert failed["error_code"] == code, failed
    assert failed["error_file"].endswith(file), failed
    if row is not None:
        assert failed["error_row"] == row, failed
    if column is not None:
        assert failed["error_column"] == column, failed
    assert failed["error"], failed
    assert case["first_code"] == 2
    assert f"payer {case['month'].payer}" in case["stderr"] and failed["error"] in case["stderr"]


@pytest.mark.parametrize("name", BROKEN)
def test_the_former_good_delivery_stays_current(broken, name):
    """A failed v2 leaves v1 as it was, to the byte."""
    case = broken[name]
    assert case["while_failed"] == case["before"]
    assert months.by_type_and_account(None, case["while_failed"]) == months.told(case["v1"])


@pytest.mark.parametrize("name", BROKEN)
def test_a_mended_delivery_is_tried_again(broken, name):
    """Tried again when its files change, and then it counts."""
    case = broken[name]
    _counts(case["month"], case["v2"])
    assert case["mended_code"] == 0
    last = case["mended"][-1]
    assert last["state"] == "good" and last["error_code"] == "" and last["error"] == "", case["mended"]
    if name not in ("missing-column", "manifest-payer", "manifest-period", "zero-byte-chunk"):     # those change the manifest: another delivery
        assert len(case["mended"]) == 2 and last["attempt"] == 1, case["mended"]
        assert last["delivery"] == case["failed"][-1]["delivery"]
    assert case["mended"][0]["state"] == "superseded"


def test_a_manifest_that_changes_is_a_new_delivery(stack, generate):
    """Overwrite layout: another manifest over the same keys is another delivery, with its own files."""
    month = months.Month(stack, generate, "changing-manifest", months.next_period(), layout="overwrite", format="cur2-gz", model="ingram")
    v2 = month.write("--only-version", 2)[0]
    months.apply(stack, month.catalog)
    month.ingest()
    manifest = next(month.root.rglob("*-Manifest.json"))
    content = json.loads(manifest.read_text())
    content["dataFiles"] = content["dataFiles"][:-1]
    manifest.write_text(json.dumps(content))
    month.ingest()
    answer = month.totals("line_item_type,account")
    assert months.by_type_and_account(month, answer) == months.read_exact(month.files(v2)[:-1])
    assert _states(month) == ["superseded", "good"]


def test_a_manifest_that_changes_while_its_files_are_read(stack, generate):
    """Overwrite layout: v2 is written over v1 in the middle of reading it. Nothing of v1 counts (formats.md section 1)."""
    month = months.Month(stack, generate, "written-over", months.next_period(), layout="overwrite",
                         options=("--rows", 150000, "--chunk-rows", 10000))
    month.write("--only-version", 1)
    months.apply(stack, month.catalog)
    reader = stacks.Worker("ingest-cur", "tdsynnex")
    query = f"SELECT id, state FROM run WHERE payer = '{month.payer}'"
    stack.cli("ingest", "--payer", month.payer, "--period", month.period)
    stacks.wait_until(lambda: stack.sql(query), 60, "v1 begins", pause=0.01)
    pid = stack.worker_pid(reader)
    os.kill(pid, signal.SIGSTOP)
    try:
        seen = stack.sql(query)
        v2 = month.write("--only-version", 2)[0]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [run["state"] for run in seen] == ["running"], "v1 was read before it could be stopped: the month is too small"
    stacks.wait_until(lambda: stack.sql(query)[0]["state"] != "running", 120, "v1 is given up")
    failed = month.deliveries()[0]
    assert failed["state"] in ("failed", "superseded") and failed["error_code"] in ("CHANGED", "MANIFEST_CHANGED"), failed
    month.ingest()
    _counts(month, v2)
    assert [r["state"] for r in month.runs()] == ["failed", "current"]
    assert [r["complete"] for r in month.runs()] == [False, True]


def test_two_reports_for_one_month(stack, generate):
    """One report counts for a payer and month: two that were not chosen from are refused by name, and the good one stays."""
    month = months.Month(stack, generate, "two-reports", months.next_period())
    version = month.write("--only-version", 2)[0]
    payer_file = month.catalog / f"payer-{month.payer}.yaml"
    chosen = payer_file.read_text()
    payer_file.write_text(chosen.replace("reports: [synthetic-hourly]\n", ""))
    months.apply(stack, month.catalog)
    month.ingest()
    _counts(month, version)
    text = payer_file.read_text()
    other = month.write("--only-version", 2, "--daily", "--report", "another-report")[0]
    payer_file.write_text(text)
    month.ingest(code=2)
    failed = month.deliveries()[-1]
    assert (failed["report"], failed["state"], failed["error_code"]) == ("another-report", "failed", "TWO_REPORTS")
    assert "synthetic-hourly" in failed["error"] and "reports" in failed["error"]
    _counts(month, version)
    payer_file.write_text(chosen.replace("synthetic-hourly", "another-report"))
    months.apply(stack, month.catalog)
    month.ingest()
    _counts(month, other)


def test_data_without_its_manifest_is_not_a_delivery_yet(stack, generate):
    """formats.md section 1: the manifest is written last; files without it are not read."""
    month = months.Month(stack, generate, "no-manifest-yet", months.next_period())
    v1 = month.write("--only-version", 1)[0]
    manifests = {file: file.read_bytes() for file in month.root.rglob("*-Manifest.json")}
    for file in manifests:
        file.unlink()
    months.apply(stack, month.catalog)
    month.ingest()
    assert month.deliveries() == []
    stack.cli("totals", "--payer", month.payer, "--period", month.period, code=3)
    for file, content in manifests.items():
        file.write_bytes(content)
    month.ingest()
    _counts(month, v1)


# -- rating again

def _oracle(month, folder, by):
    charges = load.charges_of(catalogs.from_folder(folder), month.payer, month.period)
    return oracle_totals.totals(charges, by.split(","))


def test_rating_again_with_another_catalog(stack, generate):
    """R02: a price book can change at any time: a new run; the former catalog again is the former run, byte for byte; run diff says what changes."""
    month = months.Month(stack, generate, "rerate", months.next_period(), options=("--rows", 1500))
    month.write()
    first_catalog = months.apply(stack, month.catalog)["version"]
    month.ingest()
    by = "customer,product"
    first, first_seen = month.totals(by), _without_reading(stack, month)
    assert compare.compare_totals(first, _oracle(month, month.catalog, by)) == []

    other = stack.data / "rerate-other"
    shutil.copytree(month.catalog, other)
    books = other / "shared-books.yaml"
    books.write_text(books.read_text().replace("percent: 3, of: payer", "percent: 13, of: payer"))
    second_catalog = months.apply(stack, other)["version"]
    assert second_catalog != first_catalog
    assert month.totals(by) == first                     # applying alone rates nothing again
    started = stack.cli("run", "start", "--payer", month.payer, "--period", month.period, "--wait")
    second = month.totals(by)
    assert (started["run"], started["state"]) == (second["run"], "current")
    assert second["catalog"] == second_catalog and second["delivery"] == first["delivery"] and second["run"] != first["run"]
    assert compare.compare_totals(second, _oracle(month, other, by)) == []
    assert [r["state"] for r in month.runs()] == ["superseded", "current"]

    changes = {(g["customer"], g["product"], g["currency"]): g for g in stack.cli("run", "diff", first["run"], second["run"])["rows"]}
    changes = {key: row for key, row in changes.items() if key[1] != "AWSSupport"}   # a step of the month: test_dry_run.py
    old = {(g["customer"], g["product"], g["currency"]): g for g in first["groups"]}
    new = {(g["customer"], g["product"], g["currency"]): g for g in second["groups"]}
    want = {key for key in old if (old[key]["buy"], old[key]["sell"]) != (new[key]["buy"], new[key]["sell"])}
    assert want and set(changes) == want
    for key, row in changes.items():
        assert (row["sell_before"], row["sell_after"], row["buy_before"], row["buy_after"]) == \
            (old[key]["sell"], new[key]["sell"], old[key]["buy"], new[key]["buy"])

    again = stack.cli("run", "start", "--payer", month.payer, "--period", month.period, "--catalog", first_catalog, "--wait")
    assert (again["run"], again["state"], again["complete"]) == (first["run"], "current", True)
    months.apply(stack, month.catalog)
    assert _without_reading(stack, month) == first_seen
    assert len(month.runs()) == 2
    # The superseded run can still be read.
    assert month.totals(by, second["run"])["groups"] == second["groups"]


def test_the_daily_apply_time(stack, generate):
    """N14, R02: a catalog takes force at the next 00:00 UTC, or at once with --now."""
    month = months.Month(stack, generate, "daily", months.next_period())
    month.write()
    today = months.apply(stack, month.catalog)["version"]
    month.ingest()
    first = month.totals()
    later = stack.data / "daily-later"
    shutil.copytree(month.catalog, later)
    books = later / "shared-books.yaml"
    books.write_text(books.read_text().replace("percent: 3, of: payer", "percent: 23, of: payer"))
    noon = datetime.datetime.now(datetime.timezone.utc)
    midnight = (noon + datetime.timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    applied = months.apply(stack, later, "--quiet")
    assert applied["in_force_from"] == midnight and applied["changed"] is True

    def in_force(instant):
        return [v["version"] for v in months.cli_at(stack, instant, "catalog", "list") if v["in_force"]]

    eve = (datetime.datetime.fromisoformat(midnight[:-1]) - datetime.timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert in_force(eve) == [today]
    assert in_force(midnight) == [applied["version"]]
    start = ["run", "start", "--payer", month.payer, "--period", month.period, "--wait"]
    assert stack.cli(*start)["run"] == first["run"]
    tomorrow = months.cli_at(stack, midnight, *start)
    assert tomorrow["run"] != first["run"] and month.totals()["catalog"] == applied["version"]
    assert months.apply(stack, month.catalog)["version"] == today
    assert in_force(eve) == [today] == in_force(midnight)


def test_mended_catalog_brings_suspended_lines_back(stack, generate):
    """What was suspended for an unknown account comes back when the account is linked and the month rated again."""
    month = months.Month(stack, generate, "unsuspend", months.next_period(), options=("--unlinked", "--unknown-type", "Zonk"))
    version = month.write()[-1]
    months.apply(stack, month.catalog)
    month.ingest()
    assert month.totals()["suspended_lines"] > 0
    free = {g["account"] for g in version["groups"]} - {month.payer} - months.linked_accounts(month.catalog, month.payer)
    assert len(free) == 1
    mended = stack.data / "unsuspend-mended"
    shutil.copytree(month.catalog, mended)
    (mended / "mended.yaml").write_text(f"""kind: LineItemType
name: Zonk
class: usage
---
kind: Customer
id: newcomer
name: Newcomer
reseller: northwind
price_book: standard
accounts:
  - {{id: "{free.pop()}", payer: "{month.payer}", from: 2020-01-01}}
""")
    months.apply(stack, mended)
    stack.cli("run", "start", "--payer", month.payer, "--period", month.period, "--wait")
    answer = month.totals("customer,class,line_item_type")
    assert answer["suspended_lines"] == 0
    assert compare.compare_totals(answer, _oracle(month, mended, "customer,class,line_item_type")) == []
    assert "newcomer" in {d["customer"] for d in stack.cli("statement", "list", "--period", month.period)}
