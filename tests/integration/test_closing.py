"""Closing a month (statements.md): periods, approval, issue, reprint, outbox, corrections (I06-I09, I11, I13, N09, N10, N13).

The months are of 2020, which no other test uses: corrections go to the month after."""
import concurrent.futures
import os
import random
import signal
import subprocess
import time

import months
import pytest
import stack as stacks
from oracle import catalog as catalogs
from oracle import correction, dec, load, statement

WHO = ("--by", "maria", "--reason", "test")
NEVER = {"RUN_INCOMPLETE", "PRICES_STALE", "FX_MISSING"}


def _documents(stack, month, *more):
    return stack.cli("statement", "list", "--payer", month.payer, "--period", month.period, *more)


def _shown(stack, document):
    return stack.cli("statement", "show", document["id"])


def _bytes(stack, document, form):
    done = stack.cli_raw("--format", form, "statement", "show", document["id"])
    assert done.returncode == 0, done.stderr
    return done.stdout


def _shut(shown):
    return {gate["code"] for gate in shown["gates"] if not gate["open"]}


def _approve(stack, month, count=None):
    """Approves the documents of the month that can be issued (those with a rate); their ids."""
    ids = [d["id"] for d in _documents(stack, month) if not _shut(_shown(stack, d)) & NEVER][:count]
    for one in ids:
        assert stack.cli("statement", "approve", one, "--by", "maria")[0]["state"] == "approved"
    return ids


def _overrides(stack, ids):
    codes = sorted(set().union(*(_shut(stack.cli("statement", "show", one)) for one in ids)))
    return ["--override", *codes] if codes else []


def _no_gaps(stack):
    """Each series of numbers from 1 to its last, over all that any test issued."""
    series = stack.sql("SELECT min(right(number, 6)::int) AS first, max(right(number, 6)::int) AS last, count(*) AS n FROM statement"
                       " WHERE number IS NOT NULL GROUP BY reseller, lane, split_part(number, '/', 3)")
    assert series and all(row["first"] == "1" and row["last"] == row["n"] for row in series), series


def _published(stack, lane="tdsynnex"):
    out = subprocess.run(["kcat", "-C", "-q", "-e", "-b", stack.broker, "-t", f"curmill.{lane}.statement.issued.v1", "-f", "%k\n"],
                         capture_output=True, text=True, timeout=60, check=True).stdout
    return out.split()


@pytest.fixture(scope="module")
def closed(stack, generate):
    """A month of three deliveries: settled after the second, everything that can be is issued; then the third."""
    month = months.Month(stack, generate, "closing", "2020-03", options=("--versions", 3))
    seen = {}
    month.write("--only-version", 1)
    months.apply(stack, month.catalog)
    month.ingest()
    seen["estimated"] = stack.cli("period", "show", "--payer", month.payer, "--period", month.period)
    second = month.write("--only-version", 2)[0]
    month.ingest()
    settled = stack.cli("period", "settle", "--payer", month.payer, "--period", month.period, *WHO, "--acknowledge-unbilled")
    assert settled["state"] == "settled"
    ids = _approve(stack, month)
    overrides = _overrides(stack, ids)
    seen["issued"] = [d for one in ids for d in stack.cli("statement", "issue", one, *WHO, *overrides)]
    seen["overrides"] = overrides[1:]
    for document in _documents(stack, month):
        if document["state"] == "draft":
            stack.cli("statement", "void", document["id"], *WHO)
    seen["bytes"] = {(d["id"], form): _bytes(stack, d, form) for d in seen["issued"] for form in ("json", "table", "csv")}
    seen["shown"] = {d["id"]: _shown(stack, d) for d in seen["issued"]}
    seen["closed"] = stack.cli("period", "show", "--payer", month.payer, "--period", month.period)
    seen["second"] = second
    third = month.write("--only-version", 3)[0]
    month.ingest()
    seen["third"] = third
    return month, seen


def test_states_with_their_events(closed):
    """open -> estimated -> settled -> closed; N10: settled by a person."""
    _, seen = closed
    assert seen["estimated"]["state"] == "estimated"
    assert seen["closed"]["state"] == "closed"
    assert [(h["from"], h["to"]) for h in seen["closed"]["history"]] == [("open", "estimated"), ("estimated", "settled"), ("settled", "closed")]
    assert seen["closed"]["history"][1]["by"] == "maria"


def test_numbers_and_settings(stack, closed):
    month, seen = closed
    assert len(seen["issued"]) > 1
    reseller = seen["issued"][0]["reseller"]
    numbers = sorted(d["number"] for d in seen["issued"])
    year = numbers[0].split("/")[2]
    first = int(numbers[0][-6:])        # other tests issue too
    assert numbers == [f"{reseller}/A/{year}/{n:06d}" for n in range(first, first + len(numbers))]
    _no_gaps(stack)
    for document in seen["shown"].values():
        assert document["state"] == "issued"
        assert set(document) == {"id", "number", "kind", "state", "reseller", "lane", "period", "customers", "currency", "rate", "lines", "subtotal",
                                 "tax", "total", "gates"}
    trail = [a for a in stack.cli("audit", "list", "--object", "statement:", "--limit", 2000)
             if a["action"] == "statement.gate_overridden" and a["object"].partition(":")[2] in seen["shown"]]
    assert bool(trail) == bool(seen["overrides"])
    assert all(a["actor"] == "maria" and a["reason"] == "test" for a in trail)


def test_reprint_is_identical(stack, closed):
    """I09: after another delivery and another catalog, byte for byte."""
    month, seen = closed
    assert {(d["id"], form): _bytes(stack, d, form) for d in seen["issued"] for form in ("json", "table", "csv")} == seen["bytes"]


def test_outbox(stack, closed):
    """Every issued document reaches the topic statement.issued."""
    ids = {d["id"] for d in closed[1]["issued"]}
    stacks.wait_until(lambda: ids <= set(_published(stack)), 30, "issued documents are published", pause=1)
    assert stack.sql("SELECT count(*) AS n FROM statement_outbox WHERE published_at IS NULL")[0]["n"] == "0"


def test_the_third_delivery_corrects(stack, closed):
    """A delivery for a closed period never edits: what differs is an adjustment or credit note of the next month, equal to the oracle's."""
    month, seen = closed
    assert [r["state"] for r in month.runs()] == ["superseded", "current", "correction"]
    assert month.totals()["run"] == month.runs()[1]["run"]
    catalog = catalogs.from_folder(month.catalog)
    charges = load.charges_of(catalog, month.payer, month.period)
    wanted = {}
    for document in statement.statements(catalog, [charges], month.period):
        wanted[tuple(c["id"] for c in document["customers"]), document["currency"]] = document
    found, corrected = [], 0
    listed = stack.cli("statement", "list", "--payer", month.payer, "--period", "2020-04")
    notes = {n["corrects"]["id"]: n for n in (_shown(stack, d) for d in listed)}
    for one in seen["shown"].values():
        now = wanted.get((tuple(c["id"] for c in one["customers"]), one["currency"]))
        want = correction.correction(one, now, "2020-04")
        got = notes.pop(one["id"], None)
        assert (got is None) == (want is None), one["id"]
        if want is None:
            continue
        corrected += 1
        assert {name: got[name] for name in want} == want
        assert got["state"] == "draft" and got["number"] is None
        found.append(got["kind"])
    assert corrected and not notes, notes
    assert "credit_note" in found or "adjustment" in found


def test_a_correction_is_issued_in_its_own_time(stack, closed):
    """I13 of the month it stands in; then nothing is left to correct."""
    month, _ = closed
    first = stack.cli("statement", "list", "--payer", month.payer, "--period", "2020-04")[0]
    stack.cli("statement", "approve", first["id"], "--by", "maria")
    done = subprocess.run([stack.bin / "curmill", "--config", stack.conf, "statement", "issue", first["id"], *WHO],
                          env={**stacks.clean_environment(), "CURMILL_CLOCK": "2020-05-15T23:59:59Z"}, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "TOO_EARLY" in done.stderr, done.stderr
    overrides = [o for o in _overrides(stack, [first["id"]])]
    issued = stack.cli("statement", "issue", first["id"], *WHO, *overrides)[0]
    assert issued["state"] == "issued" and issued["number"]
    assert len(stack.cli("statement", "list", "--payer", month.payer, "--period", "2020-04")) >= 1
    assert [d for d in stack.cli("statement", "list", "--payer", month.payer, "--period", "2020-04")
            if d["state"] == "draft" and _shown(stack, d)["corrects"]["id"] == _shown(stack, first)["corrects"]["id"]] == []


def test_duties_by_date(stack, generate):
    """I08: due on the 20th of the next month; I13: not before the 16th; dates from the injected clock."""
    month = months.Month(stack, generate, "duties", "2020-06")
    month.write()
    months.apply(stack, month.catalog)
    month.ingest()
    where = ("--payer", month.payer, "--period", month.period)
    shown = months.cli_at(stack, "2020-07-20T23:59:59Z", "period", "show", *where)
    assert shown["earliest_issue"] == "2020-07-16T00:00:00Z" and shown["statements_due"] == "2020-07-20"
    assert shown["alerts"] == []
    shown = stack.cli("period", "show", *where)
    missing = {a["object"] for a in shown["alerts"] if a["code"] == "STATEMENT_OVERDUE"}
    assert missing == {d["customer"] for d in _documents(stack, month)}
    assert stack.cli("period", "list", *where)[0]["overdue"] == len(missing)
    done = stack.cli_raw("statement", "issue", _documents(stack, month)[0]["id"], *WHO)
    assert done.returncode == 2 and "approve" in done.stderr


def test_issue_names_every_shut_gate(stack, generate):
    """Section 5: each shut gate with what would open it; exit code 2; no override of RUN_INCOMPLETE and FX_MISSING."""
    month = months.Month(stack, generate, "gates", "2020-09", options=("--not-final", "--unlinked"))
    month.write()
    months.apply(stack, month.catalog)
    month.ingest()
    one = _approve(stack, month, 1)[0]
    shut = _shut(stack.cli("statement", "show", one))
    assert "NOT_FINAL" in shut
    done = stack.cli_raw("statement", "issue", one, *WHO)
    assert done.returncode == 2
    for code in shut:
        assert code in done.stderr
    assert "period settle" in done.stderr
    for code in NEVER:
        refused = stack.cli_raw("statement", "issue", one, *WHO, "--override", code)
        assert refused.returncode == 2 and code in refused.stderr
    assert stack.cli_raw("statement", "issue", one, "--by", "x", "--override", "NOT_FINAL").returncode == 1     # no reason
    assert stack.cli_raw("statement", "issue", one, *WHO, "--override", "NO_SUCH").returncode == 1
    assert stack.cli("statement", "issue", one, *WHO, "--override", *sorted(shut))[0]["state"] == "issued"


def test_settling_names_each_reason_and_can_be_taken_back(stack, generate):
    """Section 1: not while the month runs; suspended money is acknowledged into the ledger, and taken back with the settlement. An approval says what has
    changed since the document was shown."""
    month = months.Month(stack, generate, "settling", "2020-05", options=("--versions", 2, "--unlinked"))
    month.write("--only-version", 1)
    months.apply(stack, month.catalog)
    month.ingest()
    where = ("--payer", month.payer, "--period", month.period)
    suspended = stack.cli("suspended", "list", *where)
    refused = stack.cli_raw("period", "settle", *where, *WHO)
    assert refused.returncode == 2 and "UNBILLED" in refused.stderr and "--acknowledge-unbilled" in refused.stderr
    early = subprocess.run([stack.bin / "curmill", "--config", stack.conf, "period", "settle", *where, *WHO, "--acknowledge-unbilled"],
                           env={**stacks.clean_environment(), "CURMILL_CLOCK": "2020-05-31T23:59:59Z"}, capture_output=True, text=True, check=False)
    assert early.returncode == 2 and "PERIOD_RUNNING" in early.stderr, early.stderr
    settled = stack.cli("period", "settle", *where, *WHO, "--acknowledge-unbilled")
    assert settled["state"] == "settled" and all(one["acknowledged"] for one in settled["unbilled"])
    entries = stack.cli("unbilled", "list", *where)
    key = ("account", "reason", "currency")
    want = {}
    for row in suspended:
        want.setdefault(tuple(row[name] for name in key), []).append(dec.parse(row["payer_amount"]))
    assert {tuple(e[name] for name in key): dec.parse(e["amount"]) for e in entries} == {name: sum(amounts) for name, amounts in want.items() if any(amounts)}
    written = stack.cli("unbilled", "write-off", entries[0]["id"], *WHO)[0]
    assert written["state"] == "written_off" and written["closed_by"] == "maria"
    assert len(stack.cli("unbilled", "list", *where)) == len(entries) - 1 and len(stack.cli("unbilled", "list", *where, "--all")) == len(entries)
    assert stack.cli_raw("unbilled", "write-off", entries[0]["id"], *WHO).returncode == 2
    reopened = stack.cli("period", "reopen", *where, *WHO)
    assert reopened["state"] in ("estimated", "final") and stack.cli("unbilled", "list", *where, "--all") == []
    assert [h["to"] for h in reopened["history"]][-2:] == ["settled", reopened["state"]]
    shown = {d["id"]: d for d in _documents(stack, month)}
    month.write("--only-version", 2)
    month.ingest()
    told = 0
    for document in stack.sql(      # which shows nothing to anybody
            f"SELECT id, trim_scale(total) AS total FROM statement WHERE period = '{month.period}' AND '{month.payer}' = ANY (payers) AND state = 'draft'"):
        if document["id"] not in shown:
            continue
        done = stack.cli_raw("statement", "approve", document["id"], "--by", "maria")
        changed = dec.parse(shown[document["id"]]["total"]) != dec.parse(document["total"])
        if done.returncode == 0:
            assert ("has changed since it was last shown" in done.stderr) == changed, done.stderr
            told += changed
    assert told


def test_many_at_once_and_some_killed(stack, generate):
    """Processes that issue the same month at once, some of them killed at any time: consecutive numbers, no half document."""
    month = months.Month(stack, generate, "killed", "2020-11", model="ingram", options=("--accounts", 40, "--customers", 30))
    month.write()
    months.apply(stack, month.catalog)
    month.ingest()
    ids = _approve(stack, month)
    assert len(ids) >= 10
    overrides = _overrides(stack, ids)
    chance = random.Random(7)
    command = [stack.bin / "curmill", "--config", stack.conf, "statement", "issue", "--payer", month.payer, "--period", month.period, *WHO, *overrides]

    def issue(_):
        process = subprocess.Popen(command, env=stacks.clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.05, 0.6))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(issue, range(12)))
    months.at_once([lambda one=one: stack.cli_raw("statement", "issue", one, *WHO, *overrides) for one in ids])
    documents = [d for d in _documents(stack, month) if d["id"] in ids]
    assert {d["state"] for d in documents} == {"issued"}
    for reseller in {d["reseller"] for d in documents}:
        numbers = sorted(int(d["number"][-6:]) for d in documents if d["reseller"] == reseller)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    _no_gaps(stack)
    for document in documents:
        assert _shown(stack, document)["number"] == document["number"]
    outbox = stack.sql("SELECT statement_id FROM statement_outbox WHERE lane = 'ingram'")
    assert sorted(row["statement_id"] for row in outbox if row["statement_id"] in ids) == sorted(ids)
    stacks.wait_until(lambda: set(ids) <= set(_published(stack, "ingram")), 30, "issued documents are published", pause=1)
