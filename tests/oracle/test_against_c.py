"""The C code against the oracle, without servers: generated months (and the sample reports, where they are) through rate-file, the
path of a line in one process, compared by all keys at once with what the oracle says."""
import json
import os
import pathlib
import random
import subprocess

import pytest

from oracle import catalog as catalogs
from oracle import compare, cur, links, load, random_catalog, random_report, totals, when
from oracle.dec import parse, show
from oracle.rate import rate_lines

REPO = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CURMILL_BIN") or REPO / "build" / "dev" / "bin")
SAMPLES = pathlib.Path(os.environ.get("CURMILL_SAMPLES") or REPO.parent / "shared" / "samples")
PERIOD = "2025-06"
TDS, ING = "111122223333", "444455556666"

# A suite that is told where the programs are, or that runs for CI, does not skip what it cannot find.
pytestmark = pytest.mark.skipif(not BIN.is_dir() and "CURMILL_BIN" not in os.environ and "CI" not in os.environ,
                                reason="no programs built in build/dev/bin (CURMILL_BIN)")

# Everything a charge is kept by; `reason` and `group` are no keys of `totals`.
KEYS = {**totals.KEYS, "reason": "reason", "group": "group"}
CHARGE_KEYS = ("account", "customer", "line_item_type", "class", "product", "usage_type", "operation", "region", "unit", "rule",
               "reason", "currency", "group")
DAY_KEYS = ("day", "account", "product", "currency")


def _run(program, *arguments):
    done = subprocess.run([str(BIN / program), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=600, check=False)
    assert done.returncode == 0, "%s %s: exit %d\n%s" % (program, " ".join(map(str, arguments)), done.returncode, done.stderr)
    return done.stdout


def _groups(charges, names):
    """The oracle's groups by any keys, in the JSON of rate-file; sorted by the keys, bytewise."""
    groups = {}
    for charge, row in charges.rows.items():
        sums = groups.setdefault(tuple(getattr(charge, KEYS[name]) for name in names), [0] * 6)
        for position, value in enumerate(row):
            sums[position] += value
    answer = []
    for key in sorted(groups, key=lambda key: [part.encode() for part in key]):
        group = dict(zip(names, key))
        group["lines"] = groups[key][0]
        group.update(zip(totals.SUMS, map(show, groups[key][1:])))
        answer.append(group)
    return answer


def _name_groups(got, the_catalog, payer, period):
    """The program keeps since when a charge's link holds, and only where the group changes in the month: in its place, the group."""
    start, end = when.period_bounds(period)
    merged = {}
    for charge in got["groups"]:
        since = charge.pop("link_from")
        at = when.parse_time(since) if since else None
        named = {the_catalog.group_of(link, period) for link in the_catalog.links.get((payer, charge["account"]), ()) if link.customer == charge["customer"] and (
            link.start < end and (link.end is None or link.end > start) if at is None else link.start <= at and (link.end is None or at < link.end))}
        assert len(named) <= 1, "the group of a charge is not known: %s" % charge
        charge["group"] = named.pop() if named else ""
        sums = merged.setdefault(tuple(charge[name].encode() for name in CHARGE_KEYS), charge)
        if sums is not charge:                                    # a group that comes back
            sums["lines"] += charge["lines"]
            sums.update((name, show(parse(sums[name]) + parse(charge[name]))) for name in totals.SUMS)
    got["groups"] = [merged[key] for key in sorted(merged)]


def _agree(catalog, payer, period, files, *options, given=None):
    """Rates the files with both and compares; returns the oracle's charges. `given`: a file of links of org-linker."""
    options += ("--links", given) if given else ()
    got = json.loads(_run("rate-file", "--catalog", catalog, "--payer", payer, "--period", period, *options, *files))
    the_catalog = catalogs.from_folder(str(catalog))
    if given:
        the_catalog = links.with_links(the_catalog, links.read(given))
    charges = rate_lines(the_catalog, payer, period, cur.read_files(files, payer, period))
    _name_groups(got, the_catalog, payer, period)
    head = {"payer": payer, "period": period, "complete": True, "lines": charges.lines,
            "suspended_lines": charges.suspended_lines, "derived_lines": charges.derived_lines}
    found = compare.compare_totals(got, {**head, "groups": _groups(charges, CHARGE_KEYS)})
    found += ["days: " + text for text in
              compare.compare_totals({**got, "groups": got["days"]}, {**head, "groups": _groups(charges, DAY_KEYS)})]
    if got["final_lines"] != charges.final_lines:
        found.append("final lines: %d, the oracle says %d" % (got["final_lines"], charges.final_lines))
    assert not found, "%d differences; the first:\n%s" % (len(found), "\n".join(found[:15]))
    assert charges.lines > 0
    return charges


def _files_of(source, payer_catalog, payer, period=PERIOD):
    manifest = cur.find_manifest(str(source), period, payer_catalog.payer(payer).reports)
    return cur.data_files(str(source), manifest)


def _generate(folder, payer, model, seed, *options, rows=4000):
    _run("generate", "--out", folder / model, "--catalog", folder / "catalog", "--payer", payer, "--model", model, "--seed", seed,
         "--scenario", "month", "--rows", rows, "--chunk-rows", 1500, "--versions", 2, "--quiet", *options)
    return folder / "catalog", _files_of(folder / model, catalogs.from_folder(str(folder / "catalog")), payer)


def _reasons(charges):
    return {charge.reason for charge in charges.rows} - {""}


BOTH = pytest.mark.parametrize("payer,model", [(TDS, "tdsynnex"), (ING, "ingram")])


@BOTH
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_generated_months(tmp_path, payer, model, seed):
    form = ["legacy-gz", "legacy-zip", "cur2-gz"][seed % 3]
    charges = _agree(*_with(payer, _generate(tmp_path, payer, model, seed, "--format", form)))
    assert {charge.charge_class for charge in charges.rows} >= {
        "tax", "provider_discount", "bundled_discount", "credit", "refund", "support", "marketplace", "covered_usage",
        "commitment_offset", "commitment_fee", "usage", "fee"}


def _with(payer, made):
    return made[0], payer, PERIOD, made[1]


@BOTH
def test_everything_that_is_suspended(tmp_path, payer, model):
    """S3, S4, S6, S8: each reason that a report can bring about."""
    made = _generate(tmp_path, payer, model, 11, "--cny", "--unlinked", "--late-link", "--no-list", "5", "--unknown-type", "NewUse",
                     "--shared-accounts", "2")
    charges = _agree(*_with(payer, made))
    assert _reasons(charges) == {"CURRENCY", "UNKNOWN_ACCOUNT", "BEFORE_BILLED_FROM", "NO_LIST_PRICE", "UNKNOWN_LINE_TYPE"}


@BOTH
def test_a_taught_type_and_no_buy_book(tmp_path, payer, model):
    made = _generate(tmp_path, payer, model, 12, "--unknown-type", "NewUse", "--teach-unknown-type", "--no-buy-book", "--resellers",
                     "2", "--daily")
    assert _reasons(_agree(*_with(payer, made))) == set()


@pytest.mark.parametrize("odd", ["bom", "crlf", "newlines", "multi-member", "empty-chunk", "header-only-chunk",
                                 "extra-columns", "empty-header-name", "odd-numbers", "date-forms", "stray-currency"])
def test_legal_oddities(tmp_path, odd):
    """What AWS may write, and both readers must read alike."""
    _agree(*_with(TDS, _generate(tmp_path, TDS, "tdsynnex", 13, "--odd", odd, rows=1500)))


@pytest.mark.parametrize("form", ["legacy-gz", "cur2-gz"])
def test_batches_and_shards_change_nothing(tmp_path, form):
    catalog, files = _generate(tmp_path, ING, "ingram", 14, "--format", form, rows=1500)
    answers = [json.loads(_run("rate-file", "--catalog", catalog, "--payer", ING, "--period", PERIOD, "--rows", rows, "--shards",
                               shards, *files)) for rows, shards in ((8192, 1), (1, 7), (100, 16), (8192, 16))]
    assert all(answer == answers[0] for answer in answers)
    _agree(catalog, ING, PERIOD, files)


@BOTH
@pytest.mark.parametrize("seed", range(1, 9))
def test_random_catalogs(tmp_path, payer, model, seed):
    """The same report under catalogs that nobody would write: rules of all kinds, links and versions that change within the month."""
    _, files = _generate(tmp_path, payer, model, 100 + seed, "--cny", "--no-list", "7", "--unknown-type", "NewUse", rows=1500)
    values = random_catalog.values_of(cur.read_files(files, payer, PERIOD))
    rules = set()
    for variant in range(3):
        catalog = random_catalog.write(tmp_path / ("random-%d" % variant), 1000 * seed + variant, payer, model, PERIOD, values)
        charges = _agree(catalog, payer, PERIOD, files)
        rules |= {(variant, charge.rule) for charge in charges.rows}
    assert len(rules) > 6                                 # the three months were priced by rules, not all suspended


@BOTH
@pytest.mark.parametrize("form", ["cur2-gz", "legacy-gz"])
@pytest.mark.parametrize("seed", range(1, 5))
def test_random_reports(tmp_path, payer, model, form, seed):
    """Discounts in columns, support products, refunds of support and of commitments (rating.md sections 2 and 2a)."""
    _, files = _generate(tmp_path, payer, model, 500 + seed, "--unknown-type", "NewUse", "--format", form, rows=800)
    values = random_catalog.values_of(cur.read_files(files, payer, PERIOD))
    seen, derived = set(), 0
    for variant in range(2):
        report = random_report.rewrite(tmp_path / ("report-%d.csv" % variant), files[0], 100 * seed + variant)
        catalog = random_catalog.write(tmp_path / ("random-%d" % variant), 1000 * seed + variant, payer, model, PERIOD, values)
        charges = _agree(catalog, payer, PERIOD, [report])
        seen |= {charge.charge_class for charge in charges.rows}
        derived += charges.derived_lines
    assert seen >= {"support", "commitment_fee", "refund", "provider_discount"}
    assert derived == 0 or form == "cur2-gz"


def _random_links(path, seed, payer, catalog, accounts):
    """Some of any account's time, of customers that the catalog has and of one that it has not."""
    pick = random.Random(seed)
    customers = sorted(catalogs.from_folder(str(catalog)).customers) + ["nobody"]
    moments = [None, "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z", "2025-09-01T00:00:00Z"] + [
        "2025-06-%02dT%02d:00:00Z" % (pick.randint(1, 30), pick.randint(0, 23)) for _ in range(6)]
    given = []
    for account in sorted(accounts):
        for _ in range(pick.choice([0, 1, 1, 2, 3])):
            begin, end = sorted(pick.sample(moments, 2), key=lambda moment: moment or "")
            if begin is None:
                begin, end = end, None
            given.append({"payer": payer, "account": account, "customer": pick.choice(customers), "from": begin, "to": end or "",
                          "group": pick.choice(["", "through", "no-such-group"]), "plan": ""})
    pick.shuffle(given)
    path.write_text(json.dumps(given))
    return path


@BOTH
@pytest.mark.parametrize("seed", [1, 2])
def test_links_of_org_linker(tmp_path, payer, model, seed):
    """Links beside the catalog's: what was suspended is billed, and the catalog's owners stay."""
    _, files = _generate(tmp_path, payer, model, 300 + seed, rows=1500)
    values = random_catalog.values_of(cur.read_files(files, payer, PERIOD))
    changed = 0
    for variant in range(2):
        catalog = random_catalog.write(tmp_path / ("random-%d" % variant), 7000 + 10 * seed + variant, payer, model, PERIOD, values)
        given = _random_links(tmp_path / ("links-%d.json" % variant), 10 * seed + variant, payer, catalog, values["account"])
        without, charges = _agree(catalog, payer, PERIOD, files), _agree(catalog, payer, PERIOD, files, given=given)
        changed += without.rows != charges.rows
    assert changed


@pytest.mark.parametrize("path,period", [("cur-2.0-daily", "2026-04"), ("cur-legacy-daily", None)])
def test_sample_reports(tmp_path, path, period):
    """Real reports under random catalogs."""
    files = sorted((SAMPLES / path).rglob("*.csv.gz")) if (SAMPLES / path).is_dir() else []
    if not files:
        pytest.skip("no sample reports here (CURMILL_SAMPLES)")
    payer, found = _payer_and_period(files[0])
    period = period or found
    values = random_catalog.values_of(cur.read_files(files, payer, period))
    for seed, model in ((1, "tdsynnex"), (2, "ingram"), (3, "ingram")):
        catalog = random_catalog.write(tmp_path / ("random-%d" % seed), seed, payer, model, period, values)
        _agree(catalog, payer, period, files)


def _payer_and_period(path):
    import csv
    import gzip
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        row = next(csv.DictReader(stream))
    payer = row.get("bill/PayerAccountId") or row.get("bill_payer_account_id")
    start = row.get("bill/BillingPeriodStartDate") or row.get("bill_billing_period_start_date")
    return payer, start[:7]


def test_every_delivery_of_the_month(tmp_path):
    """Month-to-date deliveries too, found by `load` as the program finds them: through their manifests."""
    _run("generate", "--out", tmp_path / "out", "--catalog", tmp_path / "catalog", "--payer", TDS, "--scenario", "tiny", "--quiet")
    the_catalog = catalogs.from_folder(str(tmp_path / "catalog"))
    manifests = [path for path in sorted((tmp_path / "out").rglob("*-Manifest.json")) if path.parent.name.endswith("Z")]
    assert len(manifests) == 2
    seen = set()
    for path in manifests:
        files = cur.data_files(str(tmp_path / "out"), cur.read_manifest(path))
        charges = _agree(tmp_path / "catalog", TDS, PERIOD, files)
        assert charges.rows == load.charges_of(the_catalog, TDS, PERIOD, manifest=str(path)).rows
        seen.add(charges.lines)
    assert len(seen) == 2
