"""The command line's contract (cli.md): JSON keys and forms, exit codes, formats, help, explain, operator's commands."""
import csv
import decimal
import io
import json
import os
import pathlib
import re
import subprocess
import time

import months
import pytest
import stack as stacks
from oracle import catalog as catalogs
from oracle import cur, dec, rate

PERIOD = "2031-01"      # its 16th of the next month is still to come: see TOO_EARLY
DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ID = re.compile(r"[0-9a-f]{32}")
TOTALS_KEYS = ["payer", "period", "run", "delivery", "catalog", "state", "complete", "lines", "suspended_lines", "derived_lines", "groups"]
STATEMENT_KEYS = {"id", "number", "kind", "state", "reseller", "lane", "period", "customers", "currency", "rate", "lines", "subtotal",
                  "tax", "total", "gates"}
LINE_KEYS = ["customer", "account", "product", "usage_type", "unit", "class", "quantity", "amount_exact", "amount"]
# TAX_HOLD comes with the tax-inheritance-checker.
GATES = {"RUN_INCOMPLETE", "DELIVERY_MISSING", "PRICES_STALE", "NOT_FINAL", "TOO_EARLY", "SUSPENDED", "SUPPORT_PLAN_GROUP_MISSING", "SUPPORT_PLAN_ENDED",
         "TAX_HOLD", "FX_MISSING"}


@pytest.fixture(scope="module")
def desk(stack, generate):
    """A month for each payer model, rated."""
    catalog = stack.data / "cli-catalog"
    made = [months.Month(stack, generate, f"cli-{model}", PERIOD, model=model, catalog=catalog, format=form,
                         options=("--rows", 1200, "--unlinked", "--late-link", "--unknown-type", "Zonk", "--no-list", 3))
            for model, form in (("tdsynnex", "legacy-gz"), ("ingram", "cur2-gz"))]
    versions = [month.write()[-1] for month in made]
    applied = months.apply(stack, catalog)
    months.ingest_period(stack, PERIOD)
    return {"months": made, "versions": versions, "catalog": catalog, "version": applied["version"]}


def _decimal(value):
    assert isinstance(value, str) and DECIMAL.fullmatch(value) and value != "-0", value


# -- totals

@pytest.mark.parametrize("by", ["", "account", "customer", "line_item_type", "class", "product", "usage_type", "operation", "region",
                                "unit", "rule", "currency", "day", "day,account,product", "class,customer"])
def test_totals_json(desk, by):
    """Keys and forms of `totals --format json` (S13, S16)."""
    answer = desk["months"][0].totals(by)
    assert list(answer) == TOTALS_KEYS
    assert (answer["payer"], answer["period"], answer["state"], answer["complete"]) == (desk["months"][0].payer, PERIOD, "current", True)
    assert all(ID.fullmatch(answer[key]) for key in ("run", "delivery", "catalog"))
    assert type(answer["lines"]) is int and type(answer["suspended_lines"]) is int
    names = [*dict.fromkeys([*(by.split(",") if by else []), "currency"])]
    for group in answer["groups"]:
        assert list(group) == [*names, "lines", "quantity", "payer", "list", "buy", "sell", "derived_lines"]
        assert type(group["lines"]) is int and all(isinstance(group[name], str) for name in names)
        for name in ("quantity", "payer", "list", "buy", "sell"):
            _decimal(group[name])
    if by == "account":
        assert all(re.fullmatch(r"\d{12}", group["account"]) for group in answer["groups"])     # N16
        assert any(group["account"].startswith("0") for group in answer["groups"])
    keys = [tuple(group[name].encode() for name in names) for group in answer["groups"]]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("args, code, says", [
    (["--by", "colour"], 1, "colour"), (["--by", "account,account"], 1, "twice"), (["--by", "day,customer"], 1, "day"),
    (["--run", "ffffffffffff"], 3, "no run"), (["--nonsense"], 1, "nonsense"), (["surplus"], 1, "surplus")])
def test_totals_refuses(desk, stack, args, code, says):
    done = stack.cli_raw("totals", "--payer", desk["months"][0].payer, "--period", PERIOD, *args)
    assert done.returncode == code and says in done.stderr and done.stdout == "", done


def test_formats_hold_the_same(desk, stack):
    """--format csv (RFC 4180) and table show what JSON shows; --format takes nothing else."""
    month = desk["months"][1]
    ask = ["totals", "--payer", month.payer, "--period", PERIOD, "--by", "product,class"]
    groups = stack.cli(*ask)["groups"]
    as_csv = stack.cli_raw("--format", "csv", *ask)
    assert as_csv.returncode == 0
    assert list(csv.DictReader(io.StringIO(as_csv.stdout, newline=""))) == [{k: str(v) for k, v in g.items()} for g in groups]
    as_table = stack.cli_raw(*ask, "--format=table").stdout.splitlines()
    assert as_table[0].split() == [name for name in groups[0] if name != "derived_lines"] and len(as_table) == len(groups) + 1
    assert [line.split()[-1] for line in as_table[1:]] == [g["sell"] for g in groups]
    assert stack.cli_raw("--format", "xml", *ask).returncode == 1
    assert json.loads(stack.cli_raw(*ask).stdout)["groups"] == groups       # no terminal: JSON


# -- statements

def test_statement_json(desk, stack):
    """Keys and forms of `statement show --format json`, and every gate (statements.md 5)."""
    listed = stack.cli("statement", "list", "--period", PERIOD)
    assert len(listed) > 5
    for row in listed:
        document = stack.cli("statement", "show", row["id"])
        assert set(document) == STATEMENT_KEYS
        assert (document["number"], document["kind"], document["state"], document["period"]) == (None, "statement", "draft", PERIOD)
        assert all(set(customer) == {"id", "name"} for customer in document["customers"]) and len(document["customers"]) == 1
        for line in document["lines"]:
            assert list(line) == LINE_KEYS
            for name in ("quantity", "amount_exact", "amount"):
                _decimal(line[name])
            assert line["class"] not in ("suspended", "provider_discount", "tax") and line["amount_exact"] != "0"
        for tax in document["tax"]:
            assert list(tax) == ["name", "percent", "amount"]
            _decimal(tax["percent"]), _decimal(tax["amount"])
        for name in ("subtotal", "total"):
            _decimal(document[name])
        if document["rate"] is not None:
            _decimal(document["rate"])
        assert {gate["code"] for gate in document["gates"]} == GATES
        for gate in document["gates"]:
            assert set(gate) == {"code", "open", "detail"} and type(gate["open"]) is bool
            assert gate["open"] or gate["detail"]


def test_no_customer_sees_the_cost(desk, stack):
    """statements.md 3: a customer's view never holds buy, payer or a provider discount."""
    for row in stack.cli("statement", "list", "--period", PERIOD):
        text = json.dumps(stack.cli("statement", "show", row["id"]))
        assert not re.search(r'"(buy|payer|list|payer_amount|margin)"', text)


def test_a_statement_is_too_early_before_the_16th(desk, stack):
    """I13: the 16th of the next month or later, UTC."""
    document = stack.cli("statement", "list", "--period", PERIOD)[0]["id"]

    def is_open(instant):
        return {g["code"]: g["open"] for g in months.cli_at(stack, instant, "statement", "show", document)["gates"]}["TOO_EARLY"]

    assert not is_open("2031-02-15T23:59:59Z")
    assert is_open("2031-02-16T00:00:00Z")


def test_statement_is_chosen(desk, stack):
    month = desk["months"][0]
    customer = next(d["id"] for d in months.documents(desk["catalog"]) if d["kind"] == "Customer" and d["id"].startswith("alpine"))
    listed = [r for r in stack.cli("statement", "list", "--period", PERIOD) if r["customer"] == customer]
    by_customer = stack.cli("statement", "show", "--period", PERIOD, "--customer", customer, "--lane", listed[0]["lane"])
    assert by_customer["customers"][0]["id"] == customer
    assert stack.cli("statement", "show", by_customer["id"][:12])["id"] == by_customer["id"]
    own = stack.cli("statement", "list", "--period", PERIOD, "--payer", month.payer)
    assert own and {r["lane"] for r in own} == {"tdsynnex"}
    stack.cli("statement", "show", "--period", PERIOD, "--customer", "nobody", code=3)
    stack.cli("statement", "show", "--period", PERIOD, code=1)
    stack.cli("statement", "show", code=1)
    table = stack.cli_raw("--format", "table", "statement", "show", by_customer["id"]).stdout
    places = {"KWD": 3, "JPY": 0}.get(by_customer["currency"], 2)
    total = f"{decimal.Decimal(by_customer['total']):.{places}f}"
    assert re.search(rf"^total\s+{re.escape(total)}$", table, re.M) and re.search(r"^  TOO_EARLY +BLOCKED ", table, re.M) and re.search(r"^  FX_MISSING +ok ", table, re.M)
    lines = list(csv.DictReader(io.StringIO(stack.cli_raw("--format", "csv", "statement", "show", by_customer["id"]).stdout, newline="")))
    assert lines == by_customer["lines"]


def test_statement_build_makes_the_same_again(desk, stack):
    """A draft is a pure function of run and catalog: built anew it is the same, byte for byte."""
    before = [stack.cli_raw("statement", "show", row["id"]).stdout for row in stack.cli("statement", "list", "--period", PERIOD)]
    for args in ([], ["--lane", "ingram"], ["--payer", desk["months"][0].payer]):
        stack.cli("statement", "build", "--period", PERIOD, *args)
    after = [stack.cli_raw("statement", "show", row["id"]).stdout for row in stack.cli("statement", "list", "--period", PERIOD)]
    assert after == before
    stack.cli("statement", "build", code=1)


# -- explain

def _examples(month, version, catalog):
    """The first line of every class, reason and (where one decided) rule: (chunk, row, line, rated)."""
    rater = rate.Rater(catalog, month.payer, PERIOD)
    found = {}
    for chunk, file in enumerate(month.files(version), 1):
        for row, line in enumerate(cur.read_files([file], month.payer, PERIOD), 1):
            rated = rater.rate(line)
            found.setdefault((rated.charge_class, rated.reason, rated.rule), (chunk, row, line, rated))
    return list(found.values())


@pytest.mark.parametrize("which", [0, 1], ids=["tdsynnex", "ingram"])
def test_explain_is_the_oracles_line(desk, stack, which):
    """Every class, reason and rule: layers, customer and rule of one line are the oracle's, with the steps that led there."""
    month, version = desk["months"][which], desk["versions"][which]
    examples = _examples(month, version, catalogs.from_folder(desk["catalog"]))
    assert len(examples) > 20
    answers = months.at_once([lambda c=chunk, r=row: stack.cli("explain", "--payer", month.payer, "--period", PERIOD, "--line", f"{c}:{r}")
                              for chunk, row, _, _ in examples])
    for (chunk, row, line, rated), got in zip(examples, answers):
        want = {"chunk": chunk, "row": row, "payer_account": month.payer, "class": rated.charge_class, "reason": rated.reason,
                "customer": rated.customer, "rule": rated.rule, "currency": line.currency, "quantity": dec.show(line.quantity),
                "payer": dec.show(rated.payer), "list": dec.show(rated.list), "buy": dec.show(rated.buy), "sell": dec.show(rated.sell)}
        assert {name: got[name] for name in want} == want
        assert got["steps"] and all(set(step) == {"step", "detail"} for step in got["steps"])
        assert bool(got["next_step"]) == bool(rated.reason)
        account = "lineItem/UsageAccountId" if which == 0 else "line_item_usage_account_id"
        assert got["columns"][account] == line.account


def test_explain_refuses(desk, stack):
    month = desk["months"][0]
    for line, code in (("1", 1), ("1:0", 1), ("1:x", 1), ("99:1", 3), ("1:999999", 3), ("no-such-file:1", 3)):
        done = stack.cli_raw("explain", "--payer", month.payer, "--period", PERIOD, "--line", line)
        assert done.returncode == code and done.stderr, (line, done)
    by_name = stack.cli("explain", "--payer", month.payer, "--period", PERIOD, "--line", "synthetic-hourly-00002.csv.gz:7")
    assert (by_name["chunk"], by_name["row"]) == (2, 7)
    table = stack.cli_raw("--format", "table", "explain", "--payer", month.payer, "--period", PERIOD, "--line", "1:1").stdout
    assert "steps" in table and "columns" in table


# -- catalog

def test_catalog_check_says_all_errors_at_once(stack, tmp_path):
    """rating.md 8: every mistake with file, line and column; nothing is stored."""
    (tmp_path / "a.yaml").write_text('kind: Payer\nid: "123"\nlane: tdsynnex\nmodel: nobody\nreseller: ghost\nsurprise: 1\n')
    (tmp_path / "b.yaml").write_text("kind: PriceBook\nid: b\ncurrency: USD\nversions:\n  - effective_from: 2025-01-01\n    rules:\n"
                                     "      - {id: t, priority: 1, match: {}, price: {tiers: [{up_to: 1, rate: 1}], mode: graduated}}\n")
    done = stack.cli_raw("catalog", "check", tmp_path)
    assert done.returncode == 2
    placed = re.findall(r"(\S*[ab]\.yaml):(\d+):(\d+): error: ", done.stderr)
    assert {pathlib.Path(file).name for file, _, _ in placed} == {"a.yaml", "b.yaml"} and len(placed) >= 4, done.stderr
    assert "surprise" in done.stderr and "tiers" in done.stderr
    before = stack.cli("catalog", "list")
    stack.cli("catalog", "apply", tmp_path, "--by", "me", "--reason", "no", "--now", code=2)
    assert stack.cli("catalog", "list") == before
    stack.cli("catalog", "check", tmp_path / "nowhere", code=3)


def test_nothing_waits_for_a_lane_that_nobody_works_in(desk, stack, tmp_path):
    """A lane that no setting knows is refused by `check`; what is in it nevertheless is not waited for, and `doctor` names its payers."""
    period, payer = months.next_period(), months.payer_id("nobody")
    text = months.small_catalog(payer, [payer], source="{type: folder, path: /nonexistent}").replace("lane: tdsynnex", "lane: tds")
    catalog = months.write_catalog(tmp_path / "catalog", text)
    checked = stack.cli_raw("catalog", "check", catalog)
    assert checked.returncode == 2 and re.search(r'0\.yaml:3:7: error: lane "tds" .*did you mean "tdsynnex"\?', checked.stderr), checked
    stack.cli("--lanes", "tdsynnex,ingram,tds", "catalog", "apply", catalog, "--by", "test", "--reason", "test", "--now")
    try:
        file = months.write_report(tmp_path / "one.csv", payer, period, [{"account": payer, "cost": "10"}])
        began = time.monotonic()
        for args in (["--payer", payer], ["--file", file, "--payer", payer, "--period", period]):
            done = stack.cli_raw("ingest", *args, "--wait")
            assert done.returncode == 4 and "ingest-cur, rate-engine, invoice-writer is alive in lane tds" in done.stderr, done
            assert "none of the setting lanes (tdsynnex,ingram)" in done.stderr, done
        assert time.monotonic() - began < 30
        ill = {row["check"]: row for row in stack.cli("doctor", code=4) if not row["good"]}
        assert list(ill) == [f"lane of {payer}"] and '"tds"' in ill[f"lane of {payer}"]["detail"], ill
    finally:
        months.apply(stack, desk["catalog"])


def test_statement_explain(desk, stack):
    """Every row has its story: the line's own figures, how it was exchanged and rounded; support names its plan."""
    document = next(d for d in (stack.cli("statement", "show", row["id"]) for row in stack.cli("statement", "list", "--period", PERIOD)) if d["lines"])
    explained = stack.cli("statement", "explain", document["id"], "--row", len(document["lines"]))
    assert {key: explained[key] for key in LINE_KEYS} == document["lines"][-1]
    assert (explained["document"], explained["row"], explained["currency"]) == (document["id"], len(document["lines"]), document["currency"])
    steps = [step["step"] for step in explained["steps"]]
    assert steps[0] == "terms" and steps[-2:] == ["exchange", "rounding"] and len(steps) > 3
    stack.cli("statement", "explain", document["id"], "--row", len(document["lines"]) + 1, code=3)
    stack.cli("statement", "explain", document["id"], "--row", "x", code=1)
    table = stack.cli_raw("--format", "table", "statement", "explain", document["id"], "--row", 1)
    assert table.returncode == 0 and "steps" in table.stdout


def test_run_start_for_many(desk, stack):
    """Several payers and months: an array; one of each: an object. A payer without a delivery has nothing to rate."""
    payers = [month.payer for month in desk["months"]]
    keys = {"run", "payer", "period", "state", "complete"}
    rows = stack.cli("run", "start", "--period", f"2030-12..{PERIOD}", "--wait")
    assert sorted((r["payer"], r["period"], r["state"], r["complete"]) for r in rows) == sorted((p, PERIOD, "current", True) for p in payers)
    assert all(set(row) == keys for row in rows)
    of = {row["payer"]: row for row in rows}
    assert stack.cli("run", "start", "--payer", *payers, "--period", PERIOD) == [of[payer] for payer in payers]
    assert stack.cli("run", "start", "--payer", payers[0], "--period", PERIOD, "--wait") == of[payers[0]]
    done = stack.cli_raw("run", "start", "--payer", payers[0], "--period", "2030-12")
    assert done.returncode == 3 and done.stderr and not done.stdout
    some = stack.cli_raw("run", "start", "--payer", payers[0], "--period", f"2030-12..{PERIOD}")
    assert some.returncode == 3 and json.loads(some.stdout) == [of[payers[0]]] and "2030-12" in some.stderr
    assert stack.cli_raw("run", "start", "--period", "2030-12").returncode == 3
    assert stack.cli_raw("run", "start", "--period", f"{PERIOD}..2030-12").returncode == 1


def test_catalog_versions(desk, stack):
    """Immutable versions: who, when, why; show and diff; the same content is the same version."""
    again = months.apply(stack, desk["catalog"])
    assert (again["version"], again["changed"]) == (desk["version"], False)
    rows = stack.cli("catalog", "list")
    assert [set(row) for row in rows[:1]] == [{"seq", "version", "in_force_from", "in_force", "applied_at", "applied_by", "reason"}]
    mine = [row for row in rows if row["version"] == desk["version"]][-1]
    assert (mine["applied_by"], mine["reason"], mine["in_force"]) == ("test", "test", True)
    assert INSTANT.fullmatch(mine["applied_at"]) and INSTANT.fullmatch(mine["in_force_from"])
    assert stack.cli("catalog", "show") == stack.cli("catalog", "show", desk["version"][:10])
    assert stack.cli("catalog", "diff", desk["version"], desk["version"]) == []
    stack.cli("catalog", "show", "0123456789abcdef", code=3)
    stack.cli("catalog", "apply", desk["catalog"], code=1)      # who and why must be said


# -- lists

@pytest.mark.parametrize("command, keys", [
    (["delivery", "list"], {"delivery", "payer", "period", "report", "state", "chunks", "error_code", "error_file", "error_row", "error_column", "error"}),
    (["run", "list"], {"run", "payer", "period", "state", "complete", "lines", "suspended_lines", "delivery", "catalog"}),
    (["suspended", "list"], {"payer", "period", "reason", "account", "lines", "payer_amount", "example", "next_step"}),
    (["statement", "list"], {"id", "number", "state", "reseller", "lane", "period", "customer", "currency", "subtotal", "total"}),
])
def test_lists_print_an_array(desk, stack, command, keys):
    rows = stack.cli(*command, "--period", PERIOD)
    assert isinstance(rows, list) and rows
    assert all(keys <= set(row) for row in rows)
    assert all(row["period"] == PERIOD for row in rows)
    assert stack.cli(*command, "--period", "1999-01") == []
    stack.cli(*command, "--period", "1999-13", code=1)
    as_csv = list(csv.DictReader(io.StringIO(stack.cli_raw("--format", "csv", *command, "--period", PERIOD).stdout, newline="")))
    assert len(as_csv) == len(rows) and list(as_csv[0]) == list(rows[0])


def test_suspended_list_examples_can_be_explained(desk, stack):
    month = desk["months"][0]
    rows = stack.cli("suspended", "list", "--payer", month.payer, "--period", PERIOD)
    assert {"UNKNOWN_ACCOUNT", "BEFORE_BILLED_FROM", "UNKNOWN_LINE_TYPE", "NO_LIST_PRICE"} <= {row["reason"] for row in rows}
    one_of_each = {row["reason"]: row for row in rows}
    for row in one_of_each.values():
        _decimal(row["payer_amount"])
        got = stack.cli("explain", "--payer", month.payer, "--period", PERIOD, "--line", row["example"])
        assert (got["reason"], got["class"]) == (row["reason"], "suspended")


def test_run_show(desk, stack):
    run = stack.cli("run", "show", desk["months"][0].totals()["run"])
    assert (run["payer"], run["state"], run["complete"]) == (desk["months"][0].payer, "current", True)
    assert len(run["chunks"]) == len(desk["versions"][0]["chunks"])
    codes = {alert["code"] for alert in run["alerts"]}
    assert "PAYER_USAGE" in codes, run["alerts"]        # P06: usage of the payer account itself
    stack.cli("run", "show", "ffffffffffffffffffffffffffffffff", code=3)


# -- operator's commands

def test_lag(desk, stack):
    """A stage for each worker and lane, nothing behind once everything is done."""
    def drained():
        rows = stack.cli("lag")
        return rows if all(row["lag_records"] == 0 for row in rows) else None

    rows = stacks.wait_until(drained, 60, "no lag")
    assert [(row["lane"], row["worker"]) for row in rows] == \
        [(lane, worker) for lane in ("tdsynnex", "ingram") for worker in stacks.TOPIC_WORKERS]
    assert all({"topic", "partitions", "lag_records", "oldest_unread_seconds", "moving", "eta_seconds"} <= set(row) for row in rows)
    assert all(row["partitions"] > 0 for row in rows)
    assert {row["lane"] for row in stack.cli("lag", "--lane", "ingram")} == {"ingram"}


def test_audit(desk, stack):
    """Who changed what, when, why."""
    rows = stack.cli("audit", "list", "--limit", 100000)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert all(INSTANT.fullmatch(row["at"]) for row in rows)
    applied = [row for row in rows if row["action"] == "catalog.applied" and row["object"] == f"catalog:{desk['version']}"]
    assert applied and (applied[0]["actor"], applied[0]["reason"]) == ("test", "test")
    object_name = f"payer:{desk['months'][0].payer}/{PERIOD}"
    switched = stack.cli("audit", "list", "--object", object_name)
    assert [row["action"] for row in switched] == ["run.switched"] and switched[0]["object"] == object_name
    assert len(stack.cli("audit", "list", "--limit", 3)) == 3
    stack.cli("audit", "list", "--limit", "many", code=1)


def test_doctor(desk, stack):
    rows = stack.cli("doctor")
    assert all(row["good"] is True for row in rows), rows
    checks = {row["check"] for row in rows}
    assert {"broker", "database", "schema", "clock", "catalog"} <= checks
    assert {f"{worker} of {lane}" for worker in stacks.WORKERS for lane in stacks.LANES} <= checks
    ill = stack.cli("--kafka.bootstrap.servers", "127.0.0.1:1", "doctor", code=4)
    assert [row["check"] for row in ill if not row["good"]] == ["broker"]
    assert next(row["what_to_do"] for row in ill if not row["good"])


@pytest.mark.parametrize("command", [["totals", "--payer", "111122223333", "--period", PERIOD], ["delivery", "list"], ["migrate"],
                                     ["catalog", "list"], ["statement", "list"]])
def test_a_database_that_is_away_is_4(stack, command):
    done = stack.cli_raw("--database", "host=127.0.0.1 port=1 dbname=x password=hush-hush connect_timeout=2", *command)
    assert done.returncode == 4 and done.stdout == "", done
    assert "hush-hush" not in done.stderr and done.stderr.strip()


def test_a_broker_that_is_away_is_4(stack):
    commands = (["lag"], ["dead-letter", "list"], ["topic", "list"])
    answers = months.at_once([lambda c=command: stack.cli_raw("--kafka.bootstrap.servers", "127.0.0.1:1", *c) for command in commands])
    for command, done in zip(commands, answers):
        assert done.returncode == 4 and done.stderr.strip(), (command, done)


def test_usage_errors_are_1(stack):
    for args in ([], ["nonsense"], ["catalog"], ["catalog", "frob"], ["totals"], ["totals", "--payer"], ["run", "show"],
                 ["ingest", "--file", "x"], ["ingest", "--period", "June"], ["--format"], ["catalog", "diff", "one"],
                 ["totals", "--payer", "1", "--payer", "2", "--period", PERIOD], ["dead-letter", "show", "x"]):
        done = stack.cli_raw(*args)
        assert done.returncode == 1, (args, done)
        assert done.stderr.strip() or "usage:" in done.stdout, (args, done)


def test_not_found_is_3(stack):
    for args in (["totals", "--payer", "999999999999", "--period", PERIOD], ["ingest", "--payer", "999999999999", "--wait"],
                 ["run", "start", "--payer", "999999999999", "--period", PERIOD], ["statement", "show", "ffffffff"],
                 ["dead-letter", "show", "tdsynnex:0:999999999"]):
        done = stack.cli_raw(*args)
        assert done.returncode == 3 and done.stderr.strip() and not done.stdout, (args, done)


def _children(stack, path):
    done = stack.cli_raw(*path, "--help")
    assert done.returncode == 0 and done.stdout.startswith(f"usage: {' '.join(['curmill', *path])}"), (path, done)
    section = re.search(r"\ncommands:\n((?:  .+\n)+)", done.stdout)
    names = [line.split()[0] for line in section.group(1).splitlines()] if section else []
    return names, done.stdout


def test_help_of_every_command(stack):
    """Help comes from the tree that parses: every command has it, and those of cli.md that this version has are there."""
    seen, open_paths = {}, [[]]
    while open_paths:
        path = open_paths.pop()
        names, text = _children(stack, path)
        seen[" ".join(path)] = text
        open_paths += [[*path, name] for name in names]
    assert {"migrate", "catalog check", "catalog apply", "catalog list", "catalog show", "catalog diff", "ingest", "delivery list",
            "run list", "run show", "run start", "run diff", "totals", "suspended list", "statement list", "statement show",
            "statement build", "explain", "lag", "dead-letter list", "dead-letter show", "dead-letter redrive", "audit list",
            "doctor"} <= set(seen)
    assert all("exit codes" in text for text in seen.values())
    assert "--wait" in seen["ingest"] and "--by" in seen["totals"] and "--now" in seen["catalog apply"]


def test_quiet_and_version(stack, tmp_path):
    catalog = months.write_catalog(tmp_path / "c", months.small_catalog("111122223333", ["111122224444"], source="{type: folder, path: /x}"))
    done = stack.cli_raw("--quiet", "catalog", "check", catalog)
    assert (done.returncode, done.stderr) == (0, "")
    version = stack.cli_raw("--version")
    assert version.returncode == 0 and re.search(r"\d+\.\d+\.\d+", version.stdout)


# -- dead letters

RUBBISH = {"line.ingested": (b"\xff\xfe this is no batch \x00\x01", "rate-engine"),
           "line.rated": (b"neither is this, \xc3\x28", "invoice-writer"),
           "chunk.planned": (b"nor this a plan", "ingest-cur"),
           "account.observed": (b"and nobody saw this", "org-linker")}


def _produce(stack, topic, payload, key=b"test"):
    with subprocess.Popen(["kcat", "-P", "-b", stack.broker, "-t", topic, "-k", key.decode(), "-D", "\x1e\x1e"], stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE) as kcat:
        _, errors = kcat.communicate(payload, timeout=60)
        assert kcat.returncode == 0, errors


def _letters(stack, lane, since):
    return [row for row in stack.cli("dead-letter", "list", "--lane", lane) if row["id"] not in since]


def test_dead_letters(desk, stack, generate):
    """What cannot be decoded is set aside with its bytes, place and reason; the pipeline goes on; redrive sends it again."""
    lane = "ingram"
    before = {row["id"] for row in stack.cli("dead-letter", "list")}
    for dataset, (payload, _) in RUBBISH.items():
        _produce(stack, f"curmill.{lane}.{dataset}.v1", payload)
    rows = stacks.wait_until(lambda: (lambda r: r if len(r) >= len(RUBBISH) else None)(_letters(stack, lane, before)), 60,
                             "the records are set aside", pause=0.5)
    by_topic = {row["topic"]: row for row in rows}
    for dataset, (payload, worker) in RUBBISH.items():
        row = by_topic[f"curmill.{lane}.{dataset}.v1"]
        assert row["worker"] == worker and row["error"] and row["code"], row
        assert type(row["partition"]) is int and type(row["offset"]) is int and row["bytes"] == len(payload)
        shown = stack.cli("dead-letter", "show", row["id"])
        assert bytes.fromhex(shown["payload_hex"]) == payload
        assert (shown["worker"], shown["topic"], int(shown["offset"])) == (worker, row["topic"], row["offset"])

    again = months.Month(stack, generate, "behind-rubbish", months.next_period(), model="ingram")
    version = again.write()[-1]
    months.apply(stack, again.catalog)
    again.ingest()
    assert months.by_type_and_account(again) == months.told(version)

    one = by_topic[f"curmill.{lane}.line.ingested.v1"]
    known = before | {row["id"] for row in rows}
    stack.cli("dead-letter", "redrive", one["id"], "--by", "somebody")
    fresh = stacks.wait_until(lambda: _letters(stack, lane, known), 60, "the record comes back", pause=0.5)
    assert [(row["topic"], row["bytes"]) for row in fresh] == [(one["topic"], one["bytes"])] and fresh[0]["offset"] > one["offset"]
    audit = stack.cli("audit", "list", "--object", f"dead-letter:{one['id']}")
    assert [(row["actor"], row["action"]) for row in audit] == [("somebody", "dead-letter.redriven")]
    stack.cli("dead-letter", "redrive", one["id"], code=1)      # who must be said
