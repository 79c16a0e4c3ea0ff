"""An account that nobody knows turns up in a report: it is in suspense, observed, linked, and its month is rated again and billed, exactly as the
oracle says with that link (rating.md section 3; N11)."""
import json
import subprocess

import months
import pytest
import stack as stacks
from oracle import catalog as catalogs
from oracle import compare, links, load, statement
from oracle import totals as oracle_totals

BY = "account,customer,class,rule"


def _oracle(month, given, tmp_path):
    """The oracle's charges and documents with links of org-linker."""
    catalog = catalogs.from_folder(month.catalog)
    if given:
        file = tmp_path / "links.json"
        file.write_text(json.dumps(given))
        catalog = links.with_links(catalog, links.read(file))
    charges = load.charges_of(catalog, month.payer, month.period)
    return charges, statement.statements(catalog, [charges], month.period)


def _agree(month, stack, given, tmp_path):
    charges, documents = _oracle(month, given, tmp_path)
    assert not compare.compare_totals(month.totals(BY), oracle_totals.totals(charges, BY.split(",")))
    stack.cli("statement", "build", "--period", month.period)
    shown = [stack.cli("statement", "show", row["id"]) for row in stack.cli("statement", "list", "--period", month.period)]
    assert not compare.compare_statements(shown, documents, gates=True)
    return charges


def _link(stack, month, account, customer, begin, group=""):
    """An active request, as `request` commands leave it."""
    stack.sql(f"""INSERT INTO link_request (kind, state, payer, lane, model, account, customer, support_plan, support_plan_group, role_required,
                  billed_from, liable_from, requested_at, requested_by, changed_at) VALUES ('link', 'active', '{month.payer}', '{month.model}',
                  '{month.model}', '{account}', '{customer}', 'basic', '{group}', false, '{begin}', '{begin}', now(), 'test', now()) RETURNING id""")


def _unlink(stack, account):
    stack.sql(f"UPDATE link_request SET state = 'withdrawn', version = version + 1 WHERE account = '{account}' AND state = 'active' RETURNING id")


def _current(stack, month):
    return stack.sql(f"SELECT r.id, r.links_version FROM current_run c JOIN run r ON r.id = c.run_id WHERE c.payer = '{month.payer}'"
                     f" AND c.period = '{month.period}'")[0]


def _await_links(stack, month, before):
    """The run that counts once org-linker has had the month rated again."""
    def other():
        now = _current(stack, month)
        return now if now["links_version"] != before["links_version"] else None

    return stacks.wait_until(other, 60, f"{month.name} is rated again")


def _records(stack, topic, key):
    out = subprocess.run(["kcat", "-C", "-q", "-e", "-b", stack.broker, "-t", topic, "-f", "%k %S\n", "-o", "beginning"],
                         capture_output=True, text=True, timeout=60, check=True).stdout
    return [line for line in out.splitlines() if line.split(" ")[0] == key]


@pytest.fixture(scope="module", params=["tdsynnex", "ingram"])
def unlinked(request, stack, generate):
    """A month with an account that the catalog does not know, rated."""
    month = months.Month(stack, generate, f"links-{request.param}", months.next_period(), model=request.param, options=("--unlinked",))
    version = month.write("--only-version", 2)[-1]
    months.apply(stack, month.catalog)
    month.ingest()
    known = months.linked_accounts(month.catalog, month.payer)
    unknown = {g["account"] for g in version["groups"] if g["lines"]} - known - {month.payer}
    assert len(unknown) == 1
    return month, unknown.pop()


def test_an_unknown_account_is_linked_and_billed(unlinked, stack, tmp_path):
    month, account = unlinked
    lane = month.model
    before = _current(stack, month)
    charges = _agree(month, stack, [], tmp_path)
    assert charges.suspended_lines > 0 and before["links_version"] == ""

    # observed, without an owner
    seen = stacks.wait_until(lambda: stack.sql(f"SELECT first_seen, last_seen FROM account WHERE payer = '{month.payer}' AND account = '{account}'"),
                             60, "the account is observed")
    assert seen[0]["first_seen"].startswith(month.period)
    assert len(_records(stack, f"curmill.{lane}.account.observed.v1", f"{month.payer}/{account}")) >= 1
    assert not _records(stack, f"curmill.{lane}.account.link.v1", account)

    # linked: rated again without anybody asking
    customer = sorted(catalogs.from_folder(month.catalog).customers)[0]
    given = [{"payer": month.payer, "account": account, "customer": customer, "from": f"{month.period}-01", "to": "", "group": "", "plan": ""}]
    _link(stack, month, account, customer, f"{month.period}-01")
    after = _await_links(stack, month, before)
    charges = _agree(month, stack, given, tmp_path)
    assert not [key for key in charges.rows if key.reason == "UNKNOWN_ACCOUNT"]
    started = stack.sql(f"SELECT actor, reason FROM audit WHERE object = 'run:{after['id']}' AND action = 'run.started'")
    assert [row["actor"] for row in started] == ["org-linker"] and account in started[0]["reason"]
    stacks.wait_until(lambda: _records(stack, f"curmill.{lane}.account.link.v1", account), 60, "account.link is published")

    # explain tells whose word it is
    row = stack.sql(f"SELECT example_chunk, example_row FROM charge WHERE run_id = '{after['id']}' AND account = '{account}' LIMIT 1")[0]
    story = stack.cli("explain", "--payer", month.payer, "--period", month.period, "--line", f"{row['example_chunk']}:{row['example_row']}")
    assert story["customer"] == customer and story["links"] == after["links_version"]
    assert any("link request" in step["detail"] for step in story["steps"])

    # the same rating again is the same run
    again = stack.cli("run", "start", "--payer", month.payer, "--period", month.period, "--by", "test", "--reason", "again")
    assert (again[0] if isinstance(again, list) else again)["run"] == after["id"]

    # the link was an error: what counted before counts again, to the byte the same run
    _unlink(stack, account)
    assert _await_links(stack, month, after)["id"] == before["id"]
    _agree(month, stack, [], tmp_path)


def test_from_the_middle_of_a_month_and_org_linker_killed(unlinked, stack, tmp_path):
    """A link from within the month leaves the days before in suspense (BEFORE_BILLED_FROM); org-linker dies again and again: nothing happens twice."""
    month, account = unlinked
    before = _current(stack, month)
    customer = sorted(catalogs.from_folder(month.catalog).customers)[0]
    begin = sorted({key.day for key in _oracle(month, [], tmp_path)[0].rows if key.account == account})[1]   # the account's second day
    runs = len(month.runs())
    _link(stack, month, account, customer, begin)
    worker = stacks.Worker("org-linker", month.model)
    for _ in range(3):
        stack.kill_worker(worker)
    after = _await_links(stack, month, before)
    stack.wait_ready([worker])
    charges = _agree(month, stack, [{"payer": month.payer, "account": account, "customer": customer, "from": begin, "to": "", "group": ""}], tmp_path)
    reasons = {key.reason for key in charges.rows if key.account == account}
    assert "BEFORE_BILLED_FROM" in reasons and "" in reasons
    assert len(month.runs()) == runs + 1
    assert len(stack.sql(f"SELECT id FROM audit WHERE object = 'run:{after['id']}' AND action = 'run.started'")) == 1
    stacks.wait_until(lambda: _records(stack, f"curmill.{month.model}.account.link.v1", account), 60, "account.link is published")
    _unlink(stack, account)
    _await_links(stack, month, after)
