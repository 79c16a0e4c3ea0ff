"""deploy/local/demo, as a new user runs it: its statements are those of the oracle, and running it again changes nothing."""
import re
import subprocess

import stack as stacks
from oracle import catalog as catalogs
from oracle import compare, links, load, statement, when

PERIOD = "2025-06"
NEW_PAYER, NEW_MONTH = "777788889999", "2025-07"     # the chapter about an account that nobody knows
PAYERS = {"tdsynnex": "111122223333", "ingram": "444455556666"}


def run_demo(stack):
    return subprocess.run([stacks.LOCAL / "demo"], env=stack.script_environment(), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=600, check=False)


def documents(stack, lane):
    listed = stack.cli("statement", "list", "--period", PERIOD, "--lane", lane)
    return [stack.cli("statement", "show", one["id"]) for one in listed]


def closed_month(stack):
    """The second chapter: figures by hand, see deploy/local/demo-closing. The printed documents, byte for byte."""
    issued = stack.cli("statement", "list", "--customer", "bluebird")
    assert [(d["kind"], d["state"], d["number"].split("/", 2)[:2], d["subtotal"], d["total"]) for d in issued] == [
        ("statement", "issued", ["eastbank", "A"], "121.74", "147.31"),
        ("credit_note", "issued", ["eastbank", "A"], "-23.11", "-27.97")]
    assert stack.cli("period", "show", "--payer", "222233334444", "--period", "2025-03")["state"] == "closed"
    printed = [(stack.home / "demo" / "closing" / name).read_bytes() for name in ("march.pdf", "credit-note.pdf")]
    assert all(pdf.startswith(b"%PDF-") for pdf in printed)
    return issued, printed


def test_the_demo_prints_the_statements_of_the_oracle(make_stack):
    stack = make_stack()
    done = run_demo(stack)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert len(re.findall(r"^payer \d{12}: the totals are those of the files", done.stdout, re.MULTILINE)) == 2
    catalog = catalogs.from_folder(stack.home / "demo" / "catalog")
    first = {}
    for lane, payer in PAYERS.items():
        first[lane] = documents(stack, lane)
        assert len(first[lane]) >= 5
        wanted = statement.statements(catalog, [load.charges_of(catalog, payer, PERIOD)], PERIOD)
        assert compare.compare_statements(first[lane], wanted, gates=True) == []

    july = stack.cli("statement", "list", "--period", NEW_MONTH)
    given = stack.cli("request", "list", "--payer", NEW_PAYER)
    assert [(link["customer"], link["state"]) for link in given] == [("alpine-july", "active")]
    catalog = links.with_links(catalogs.from_folder(stack.home / "demo" / "catalog"),
                               [catalogs.Link(NEW_PAYER, given[0]["account"], "alpine-july", when.parse_time(NEW_MONTH + "-01"), None, "")])
    wanted = statement.statements(catalog, [load.charges_of(catalog, NEW_PAYER, NEW_MONTH)], NEW_MONTH)
    assert compare.compare_statements([stack.cli("statement", "show", one["id"]) for one in july], wanted, gates=True) == []
    assert any(line["account"] == given[0]["account"] for document in wanted for line in document["lines"])

    gate = re.findall(r"\.\.\. TAX_HOLD  (BLOCKED|ok)  ([^;]*)", done.stdout)   # the chapter about tax (T02, T05)
    assert [state for state, _ in gate] == ["BLOCKED", "ok"] and "PAYEE_TRN_OVERRIDE of account" in gate[0][1]

    closed = closed_month(stack)
    again = run_demo(stack)
    assert again.returncode == 0, again.stderr[-3000:]
    for lane in PAYERS:
        assert documents(stack, lane) == first[lane]
    assert closed_month(stack) == closed
