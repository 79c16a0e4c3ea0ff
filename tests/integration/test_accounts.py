"""account ... and request ...: the commands against PostgreSQL alone, with a clock that is set. No Kafka, no AWS."""
import csv
import io
import json
import pathlib
import subprocess

import pytest
import stack as stacks
from tools import private_postgres

TDS, DEDICATED, MASTER = "111122223333", "222222222222", "444455556666"
KNOWN, NEW, NEW2, MOVED = "000011112222", "000055556666", "000077778888", "000088889999"
CATALOG = f"""
{{kind: Reseller, id: northwind, name: Northwind Cloud}}
---
{{kind: PriceBook, id: standard, currency: USD, versions: [{{effective_from: 2024-01-01, rules: [{{id: rest, priority: 1000, match: {{}}, price: {{pass: payer}}}}]}}]}}
---
{{kind: Payer, id: "{TDS}", lane: tdsynnex, model: tdsynnex, payer_kind: shared, reseller: northwind, root_email: payer@elsewhere.example, organization: o-aaaaaaaaaa}}
---
{{kind: Payer, id: "{DEDICATED}", lane: tdsynnex, model: tdsynnex, payer_kind: dedicated, reseller: northwind, root_email: p@distributor.example, organization: o-aaaaaaaaaa}}
---
{{kind: Payer, id: "{MASTER}", lane: ingram, model: ingram, payer_kind: master, reseller: northwind}}
---
{{kind: Distributor, id: south, name: South, lane: tdsynnex, email_domains: [distributor.example]}}
---
{{kind: Distributor, id: east, name: East, lane: ingram, email_domains: [east.example], territories: [{{country: AE, from: 2025-01-01}}]}}
---
{{kind: SupportPlanGroup, id: tds-business, type: business}}
---
{{kind: Customer, id: acme, name: Acme GmbH, address: [1 Main Street, 12345 Springfield], reseller: northwind, invoice_currency: EUR, price_book: standard,
  accounts: [{{id: "{KNOWN}", payer: "{TDS}", from: 2025-01-01, support_plan: developer, support_plan_group: tds-business}}]}}
---
{{kind: Customer, id: zenith, name: Zenith, reseller: northwind, invoice_currency: USD, price_book: standard}}
"""
NOW = "2025-07-20T12:00:00Z"


class Desk:
    """A private PostgreSQL on a socket, and curmill with a clock of the test's."""

    def __init__(self, home: pathlib.Path):
        self.now = NOW
        self.postgres = private_postgres.PrivatePostgres(home)
        self.database = self.postgres.conninfo()

    def stop(self):
        self.postgres.stop()

    def sql(self, text: str) -> str:
        return "\n".join("|".join(row) for row in self.postgres.sql("postgres", text)).strip()

    def raw(self, *args, form="json") -> subprocess.CompletedProcess:
        environment = {**stacks.clean_environment(), "CURMILL_CLOCK": self.now}
        return subprocess.run([stacks.programs() / "curmill", "--database", self.database, "--format", form, *map(str, args)], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)

    def __call__(self, *args, code=0):
        done = self.raw(*args)
        assert done.returncode == code and not stacks.SANITIZER_REPORT.search(done.stderr), f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stderr if code else json.loads(done.stdout)

    def change(self, command: str, *args, code=0, **options):
        """A change of the one request that the first word after the command names, with the version that is there now."""
        which = args[0]
        version = options.pop("version", None) or self("request", "show", which)["version"]
        words = [word for key, value in options.items() for word in ([f"--{key.replace('_', '-')}"] + ([] if value is True else [value]))]
        answer = self(*command.split(), *args, "--version", version, "--by", "maria", *words, code=code)
        return answer if code else answer[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("accounts")
    for folder in (home, *home.parents[:3]):
        folder.chmod(0o755)
    desk = Desk(home)
    try:
        yield desk
    finally:
        desk.stop()


@pytest.fixture
def desk(server, tmp_path):
    """A fresh schema with the catalog in force."""
    server.now = "2025-01-01T00:00:00Z"
    server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert server.raw("migrate").returncode == 0
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    server("catalog", "apply", tmp_path, "--by", "t", "--reason", "t", "--now")
    server.now = NOW
    return server


def seen(desk, payer, account, when="2025-06-18T14:30:00Z", email="", lane="tdsynnex"):
    desk.sql(f"INSERT INTO account (payer, account, lane, root_email, aws_state, joined_at, first_seen, last_seen) VALUES "
             f"('{payer}', '{account}', '{lane}', '{email}', 'ACTIVE', '{when}', '{when}', '{when}')")


def charges(desk, payer, period, rows, lane="tdsynnex"):
    """A current run with (account, customer, class, product, lines, payer, list) in USD."""
    run = f"{period.replace('-', ''):0>16}{payer}aaaa"
    desk.sql(f"SELECT curmill_ensure_period('{period}');"
             f"INSERT INTO delivery (id, payer, lane, period, report, assembly, format, source, manifest, manifest_digest, immutable_keys, state, discovered_at)"
             f" VALUES ('{run}', '{payer}', '{lane}', '{period}', 'r', 'a', 'legacy', '{{}}', '', '', true, 'good', now());"
             f"INSERT INTO run (id, delivery_id, catalog_id, engine_version, payer, lane, period, shards, partitions, chunks, state, complete, started_at, lines)"
             f" SELECT '{run}', '{run}', id, 't', '{payer}', '{lane}', '{period}', 1, 1, 1, 'current', true, now(), 9 FROM catalog_version LIMIT 1;"
             f"INSERT INTO current_run (payer, period, lane, run_id, switched_at) VALUES ('{payer}', '{period}', '{lane}', '{run}', now())")
    for account, customer, kind, product, lines, paid, listed in rows:
        desk.sql(f"INSERT INTO charge SELECT '{period}', '{run}', '{customer}', '{account}', 'Usage', '{kind}', '{product}', 'u', '', '', '', '', 'USD', "
                 f"'{'BEFORE_BILLED_FROM' if kind == 'suspended' else ''}', {lines}, {lines}, 1, 1, 1, {paid}, {listed}, 0, 0")


def link(desk, account=NEW, customer="acme", payer=TDS, plan="basic", code=0, **options):
    words = [word for key, value in options.items() for word in ([f"--{key.replace('_', '-')}"] + ([] if value is True else [value]))]
    answer = desk("account", "link", account, "--payer", payer, "--customer", customer, "--support-plan", plan, "--by", "sven", *words, code=code)
    return answer if code else answer[0]


def test_an_account_that_turned_up_is_linked(desk):
    """O19, N11, P11: unknown account -> request -> approved by a person -> active; who, when and why are kept."""
    seen(desk, TDS, NEW)
    assert [row["account"] for row in desk("account", "list", "--unlinked")] == [NEW]
    asked = link(desk, reason="found in June's report")
    assert (asked["state"], asked["version"], asked["requested_by"]) == ("requested", 1, "sven")
    approved = desk.change("request approve", asked["id"])
    assert (approved["state"], approved["approved_by"], approved["liable_from"], approved["billed_from"]) == \
        ("role_pending", "maria", "2025-06-18T14:30:00Z", "2025-07-01T00:00:00Z")
    assert "P11" in desk.change("request activate", NEW, waive_role=True, reason="a sandbox", code=2)
    active = desk.change("request activate", NEW, mfa_confirmed=True, reason="seen in the console")
    assert active["state"] == "active" and active["role"] == "waived"
    assert desk("account", "list", "--unlinked") == []
    assert desk("account", "list", "--customer", "acme")[0]["said_by"] == "request"
    history = desk("request", "show", NEW)["history"]
    assert [step["version"] for step in history] == list(range(1, len(history) + 1))
    assert [(step["event"], step["by"]) for step in history] == [
        ("request", "sven"), ("approve", "maria"), ("member_seen", "org-linker"), ("ask_role", "org-linker"), ("declare", "maria"), ("declare", "maria"),
        ("activate", "org-linker")]
    audit = desk("audit", "list", "--object", f"request:{asked['id']}")
    assert len(audit) == len(history)


def test_compare_and_set(desk):
    """rules.md, "The last absolute value wins": a stale version is refused with exit code 2, nothing is changed."""
    asked = link(desk)
    assert "you saw version 5" in desk.change("request approve", asked["id"], version=5, code=2)
    assert desk.change("request approve", asked["id"], version=1)["version"] == 2
    assert "you saw version 1" in desk.change("request cancel", asked["id"], version=1, reason="x", code=2)
    assert "no request" in desk("request", "show", "999", code=3)
    assert desk.raw("request", "approve", asked["id"], "--by", "x").returncode == 1
    assert desk.raw("--version").stdout.startswith("curmill ")


REFUSED = [
    ({"account": "12345"}, "N16"), ({"customer": "nobody"}, "O01"), ({"plan": "enterprise"}, "O17"), ({"plan": "gold"}, "O10"),
    ({"support_plan_group": "none"}, "O14"), ({"role_arn": f"arn:aws:iam::{KNOWN}:role/x"}, "O13"), ({"root_email": "a@distributor.example"}, "P03"),
    ({"payer": MASTER, "country": "DE"}, "P17"), ({"pass_ri_benefit": True}, "O06"), ({"account": KNOWN, "customer": "zenith"}, "catalog says")]


def test_refused_by_rule(desk):
    for options, rule in REFUSED:
        assert rule in link(desk, **options, code=2)
    assert desk("request", "list") == [] and desk("account", "notifications") == []


def test_a_new_account(desk):
    """O05, O07-O12, O18: queue, subject of the mail, order of the steps."""
    words = ("--payer", TDS, "--customer", "acme", "--support-plan", "business", "--by", "sven", "--nickname", "Acme production")
    assert "O07" in desk("request", "create", *words, "--root-email", "root@acme.example", code=2)
    asked = desk("request", "create", *words, "--root-email", "Root@Acme.example", "--region", "EMEA", "--portal")[0]
    assert asked["portal_enabled"] is True and asked["account"] == "" and asked["root_email"] == "root@acme.example"
    assert [row["id"] for row in desk("request", "list", "--region", "EMEA")] == [asked["id"]] and desk("request", "list", "--region", "APAC") == []
    note = desk("account", "notifications")[0]
    assert note["subject"] == "Customer Account Provision Request Received\u2014Amazon Web Services (Acme GmbH)"
    desk("account", "notifications", "--sent", note["id"], "--by", "maria")
    assert desk("account", "notifications") == []
    assert "O08" in desk("request", "create", *words, "--root-email", "root@acme.EXAMPLE", "--region", "EMEA", code=2)
    desk.change("request info", asked["id"], reason="which project?")
    desk.change("request answer", asked["id"])
    desk.change("request approve", asked["id"])
    assert "reset_password" in desk.change("request record", asked["id"], "reset_password", code=2)
    made = desk.change("request record", asked["id"], "create_account", account=NEW, at="2025-07-18T09:00:00Z")
    assert (made["state"], made["account"], made["billed_from"]) == ("account_created", NEW, "2025-07-01T00:00:00Z")
    assert {n["code"]: n["recipient"] for n in desk("account", "notifications")} == {
        "INFO_REQUESTED": "reseller", "ACCOUNT_CREATED": "customer", "ACCOUNT_CREATED_RESELLER": "reseller"}
    assert desk.change("request record", NEW, "reset_password")["state"] == "role_pending"
    assert "O15" in desk.change("request activate", NEW, mfa_confirmed=True, waive_role=True, reason="later", code=2)
    assert "SUPPORT_PLAN_GROUP_MISSING" in [row["code"] for row in desk("account", "check")]
    assert desk.change("account declare", NEW, support_plan_group="tds-business", reason="as agreed")["state"] == "active"


def test_an_invitation_that_the_distributor_sends(desk):
    """O20, O21, N01: what happened is recorded by a person; a reminder after 14 days, the end when AWS says."""
    asked = link(desk)
    desk.change("request approve", NEW)
    assert "ExpirationTimestamp" in desk.change("request record", NEW, "invite", code=2)
    invited = desk.change("request record", NEW, "invite", expires="2025-08-04T12:00:00Z", handshake="h-abcdefgh")
    assert invited["state"] == "invited" and invited["expires_at"] == "2025-08-04T12:00:00Z"
    desk.now = "2025-08-03T11:59:59Z"
    assert "INVITATION_UNANSWERED" not in [row["code"] for row in desk("account", "check")]
    desk.now = "2025-08-03T12:00:00Z"
    assert "INVITATION_UNANSWERED" in [row["code"] for row in desk("account", "check")]
    assert "ExpirationTimestamp" in desk.change("request record", NEW, "expire", code=2)
    desk.now = "2025-08-04T12:00:00Z"
    assert desk.change("request record", NEW, "expire")["state"] == "expired"
    assert {step["event"] for step in desk("request", "show", asked["id"])["next"]} == set()
    assert link(desk)["id"] != asked["id"]


def test_advice(desk):
    """P07-P10, P14: which payer, and why."""
    def advise(*args):
        return {row["lane"]: row for row in desk("account", "advise", "--customer", "acme", *args)}
    alone = advise()
    assert (alone["tdsynnex"]["payer_kind"], alone["tdsynnex"]["payer"]) == ("shared", TDS) and "P08" in alone["tdsynnex"]["why"]
    assert (alone["ingram"]["payer_kind"], alone["ingram"]["payer"]) == ("master", MASTER) and "P14" in alone["ingram"]["why"]
    own = advise("--organization", "own")
    assert (own["tdsynnex"]["payer_kind"], own["tdsynnex"]["payer"]) == ("dedicated", DEDICATED) and "P07" in own["tdsynnex"]["why"]
    assert "control_tower" in own["tdsynnex"]["opens"]
    need = advise("--need", "control_tower", "--lane", "tdsynnex")
    assert list(need) == ["tdsynnex"] and need["tdsynnex"]["payer_kind"] == "dedicated" and "P09" in need["tdsynnex"]["why"]
    link(desk, customer="zenith", payer=DEDICATED)      # zenith's organization now
    desk.change("request approve", NEW)
    desk.change("request record", NEW, "member_seen", at="2025-07-01T00:00:00Z")
    taken = advise("--organization", "own")["tdsynnex"]
    assert taken["payer"] is None and "ask the distributor" in taken["next"]
    assert desk.raw("account", "advise", "--customer", "acme", "--need", "teleport").returncode == 1


def test_the_gap(desk):
    """N11: liable from June 18th, billed from July 1st: 12.5 + 0.000000000000000001 USD in between, to the last digit."""
    seen(desk, TDS, NEW)
    charges(desk, TDS, "2025-06", [(NEW, "", "suspended", "AmazonEC2", 3, "12.5", "20"), (NEW, "", "suspended", "AmazonS3", 1, "0.000000000000000001", "0"),
                                   (KNOWN, "acme", "usage", "AmazonEC2", 9, "99", "99")])
    charges(desk, TDS, "2025-07", [(NEW, "acme", "usage", "AmazonEC2", 5, "70", "70")])
    link(desk)
    desk.change("request approve", NEW)
    assert desk("account", "gap") == [{"request": 1, "payer": TDS, "account": NEW, "customer": "acme", "liable_from": "2025-06-18T14:30:00Z",
                                       "billed_from": "2025-07-01T00:00:00Z", "period": "2025-06", "currency": "USD", "lines": 4,
                                       "payer_amount": "12.500000000000000001", "list_amount": "20"}]
    assert desk("account", "show", NEW)["gap"][0]["payer_amount"] == "12.500000000000000001"
    chosen = desk.change("request declare", NEW, billed_from="2025-06", reason="the customer agreed")
    assert chosen["billed_from"] == "2025-06-01T00:00:00Z" and desk("account", "gap") == []


def test_plans_declared_assigned_observed(desk):
    """O15, O16, P12: a difference is drift; a plan that AWS charges without a group is told."""
    seen(desk, TDS, NEW)
    link(desk, plan="business", support_plan_group="tds-business")
    desk.change("request approve", NEW)
    desk.change("request activate", NEW, waive_role=True, mfa_confirmed=True, reason="t")
    charges(desk, TDS, "2025-06", [(NEW, "acme", "support", "AWSSupportBusiness", 1, "30", "30")])

    def verdicts():
        return {row["account"]: (row["declared"], row["assigned"], row["observed"], row["verdict"]) for row in desk("account", "plans")}
    assert verdicts() == {KNOWN: ("developer", "business", None, "DRIFT"), NEW: ("business", "business", "business", "ok")}
    charges(desk, TDS, "2025-07", [(NEW, "acme", "support", "AWSDeveloperSupport", 1, "30", "30")])
    assert verdicts()[NEW] == ("business", "business", "developer", "DRIFT")
    desk.change("account declare", NEW, support_plan="developer", reason="ticket 4711")
    assert verdicts()[NEW] == ("developer", "business", "developer", "DRIFT")
    # AWS's own word counts before product codes, and the newest month of it
    seen_by = lambda: next((r["observed"], r["observed_in"], r["observed_by"]) for r in desk("account", "plans") if r["account"] == NEW)   # noqa: E731
    assert seen_by() == ("developer", "2025-07", "report")
    for month, plan in (("2025-06", "AWSSupportDeveloper"), ("2025-07", "AWSSupportBusiness")):
        desk.sql(f"INSERT INTO aws_support_charge VALUES ('{TDS}', '{month}', '{NEW}', '{plan}', 100, 1000, 0, '', false, now())")
        assert seen_by() == (plan.removeprefix("AWSSupport").lower(), month, "aws")
    desk.sql("UPDATE aws_support_charge SET plan = 'AWSSupportOfTomorrow'")
    assert seen_by() == ("developer", "2025-07", "report")


def test_support_charges_of_aws_are_reconciled(desk):
    """O15, O16: the command's keys, causes and exit codes; the arithmetic is tested in test_support_report.c."""
    words = ("reconcile", "support", "--payer", TDS, "--period", "2025-06")
    assert "org-linker asks for payers with `access`" in desk(*words, code=3)
    charges(desk, TDS, "2025-06", [(KNOWN, "acme", "support", "AWSSupportBusiness", 1, "100", "100")])
    desk.sql(f"INSERT INTO aws_support_look VALUES ('{TDS}', '2025-06', now(), now(), true, '', '');"
             f"INSERT INTO aws_support_charge VALUES ('{TDS}', '2025-06', '{KNOWN}', 'AWSSupportBusiness', 100.10, 1001, 0, '', false, now())")
    done = desk.raw(*words)
    assert done.returncode == 2 and json.loads(done.stdout) == [
        {"account": KNOWN, "plan": "business", "group": None, "aws_charge": "100.1", "lines": "100", "fee": None, "difference": "0.1", "cause": "UNEXPLAINED",
         "currency": "USD", "fee_currency": None}]
    assert "ask the distributor" in desk.raw(*words, form="table").stdout
    desk.sql("UPDATE aws_support_charge SET charge = 0; DELETE FROM charge")
    assert [row["cause"] for row in desk(*words)] == [""]
    assert "--invoice FILE.csv is missing" in desk("reconcile", "--payer", TDS, "--period", "2025-06", code=1)
    assert "support" in desk.raw("reconcile", "--help").stdout
    assert "unexpected argument" in desk("reconcile", "sport", "--payer", TDS, code=1)


def off_board(desk):
    seen(desk, MASTER, NEW, lane="ingram")
    link(desk, payer=MASTER, country="AE")
    desk.change("request approve", NEW)
    desk.change("request activate", NEW, mfa_confirmed=True)
    return desk.change("account offboard", NEW, reason="sold to another reseller")


def test_off_boarding_gates(desk):
    """N23, O30-O34, P18: nobody leaves while a gate is shut; each is opened with its evidence."""
    assert off_board(desk)["state"] == "offboarding"
    gates = desk("request", "show", NEW)["gates"]
    assert [(g["gate"], g["item"], g["rule"]) for g in gates] == [
        ("DISTRIBUTOR_INFORMED", "", "O30"), ("BILLING_INFO_MOVED", "", "O31"), ("ROLES_REMOVED", "IMBillingRole", "O32"), ("ROLES_REMOVED", "CloudCheckr", "O32"),
        ("BALANCE_ZERO", "", "O33"), ("CONSENT_TO_ASSIGNMENT", "", "O34")]
    assert any(n["code"] == "OFFBOARDING_BEGUN" and n["recipient"] == "distributor" for n in desk("account", "notifications"))     # O30
    charges(desk, MASTER, "2025-06", [(NEW, "acme", "usage", "AmazonEC2", 1, "5", "5")], lane="ingram")
    for shut in gates:
        assert shut["gate"] in desk.change("account leave", NEW, code=2)
        extra = {"item": shut["item"]} if shut["item"] else {}
        if shut["gate"] == "BALANCE_ZERO":
            assert "O33" in desk.change("account gate", NEW, "BALANCE_ZERO", evidence="mail", code=2)
            assert "0.01" in desk.change("account gate", NEW, "BALANCE_ZERO", evidence="mail", amount="0.01", code=2)
            assert "2025-06" in desk.change("account gate", NEW, "BALANCE_ZERO", evidence="mail", amount="0", code=2)
            desk.sql("DELETE FROM charge")
            extra["amount"] = "0.00"
        desk.change("account gate", NEW, shut["gate"], evidence=f"ticket {shut['rule']}", **extra)
    assert "no gate" in desk.change("account gate", NEW, "NONSENSE", evidence="x", code=2)
    left = desk.change("account leave", NEW, at="2025-07-19T10:00:00Z")
    assert (left["state"], left["billed_until"]) == ("left", "2025-08-01T00:00:00Z")
    assert all(g["open"] and g["opened_by"] == "maria" for g in desk("request", "show", NEW)["gates"])


def test_an_account_stays_after_all(desk):
    off_board(desk)
    assert desk.change("account keep", NEW, reason="they changed their minds")["state"] == "active"


def test_the_report_of_accounts(desk):
    """N07, N08, O28, O29: new and repurposed accounts by the 21st; LATE on the 22nd; kept as submitted."""
    seen(desk, MASTER, NEW, when="2025-06-18T14:30:00Z", email="root@acme.example", lane="ingram")
    seen(desk, MASTER, NEW2, when="2025-07-02T00:00:00Z", lane="ingram")
    for account in (NEW, NEW2):
        link(desk, account, payer=MASTER, country="AE", nickname="Sales, EU")
        desk.change("request approve", account)
    done = desk.raw("account", "report", "--period", "2025-06", form="csv")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows == [["month", "payer", "account", "account_name", "kind", "since", "customer", "customer_name", "customer_domain", "customer_address", "country"],
                    ["2025-06", MASTER, NEW, "Sales, EU", "new", "2025-06-18T14:30:00Z", "acme", "Acme GmbH", "acme.example", "1 Main Street; 12345 Springfield", "AE"]]
    assert "DUE" in done.stderr

    def state(duty="end_user_report"):
        return {row["duty"]: (row["state"], row["due"]) for row in desk("account", "duties", "--period", "2025-06")}[duty]
    for now, wanted in (("2025-06-30T23:59:59Z", "NOT_DUE"), ("2025-07-01T00:00:00Z", "DUE"), ("2025-07-21T23:59:59Z", "DUE"), ("2025-07-22T00:00:00Z", "LATE")):
        desk.now = now
        assert state() == (wanted, "2025-07-21") and state("apn_update") == (wanted, "2025-07-21")
    assert desk.raw("account", "report", "--period", "2025-06", "--submitted").returncode == 1
    submitted = desk("account", "report", "--period", "2025-06", "--submitted", "--by", "maria", "--reason", "by mail")
    assert (submitted["state"], submitted["submitted_by"], submitted["changed_since"]) == ("DONE_LATE", "maria", False)
    assert desk.sql("SELECT content FROM end_user_report").replace("\r", "") == done.stdout.replace("\r\n", "\n").strip()
    assert "already" in desk("account", "report", "--period", "2025-06", "--submitted", "--by", "maria", code=2)
    desk.now = "2025-07-15T00:00:00Z"
    assert desk("account", "report", "--period", "2025-06", "--duty", "apn_update", "--submitted", "--by", "maria")["state"] == "DONE"
    seen(desk, MASTER, MOVED, when="2025-06-30T23:00:00Z", lane="ingram")     # comes to light afterwards
    link(desk, MOVED, payer=MASTER, country="AE")
    desk.change("request approve", MOVED)
    assert desk("account", "report", "--period", "2025-06")["changed_since"] is True
    assert "no such duty" in desk("account", "report", "--period", "2025-06", "--payer", TDS, code=3)


def test_repurposed(desk):
    """O28: an account that stays under the payer and gets another customer: no day belongs to both."""
    off_board(desk)
    for gate in desk("request", "show", NEW)["gates"]:
        desk.change("account gate", NEW, gate["gate"], evidence="x", **({"item": gate["item"]} if gate["item"] else {}),
                    **({"amount": "0"} if gate["gate"] == "BALANCE_ZERO" else {}))
    assert desk.change("account leave", NEW, at="2025-07-10T00:00:00Z")["billed_until"] == "2025-08-01T00:00:00Z"
    link(desk, customer="zenith", payer=MASTER, country="AE")
    second = desk.change("request approve", NEW)
    assert second["repurposed"] is True and second["billed_from"] == "2025-08-01T00:00:00Z"
    rows = desk("account", "report", "--period", "2025-07")["accounts"]
    assert [(row["kind"], row["customer"]) for row in rows] == [("repurposed", "zenith")]


def test_what_breaks_a_rule(desk):
    """P02, P03, N22: roots in the wrong domain, two payers of one organization."""
    seen(desk, TDS, NEW, email="ops@mail.distributor.example")
    found = {(row["code"], row["rule"], row["object"]) for row in desk("account", "check")}
    assert found == {("PAYER_ROOT_DOMAIN", "P02", TDS), ("ORGANIZATION_TWICE", "N22", DEDICATED), ("MEMBER_ROOT_DOMAIN", "P03", NEW)}


def test_quota_and_budget_are_shown(desk):
    """What AWS allows: invitations in 24 hours without the accepted ones, open ones count against the quota."""
    seen(desk, TDS, NEW)
    desk.sql(f"INSERT INTO handshake (id, payer, state, requested_at, first_seen, last_seen, ended_at) SELECT 'h-' || n, '{TDS}', CASE WHEN n > 18 THEN 'ACCEPTED' ELSE 'OPEN'"
             f" END, '2025-07-20T11:00:00Z', now(), now(), CASE WHEN n > 18 THEN now() END FROM generate_series(1, 19) n")

    def row():
        return desk("account", "organization", "--payer", TDS)[0]
    assert (row()["sent_in_24_hours"], row()["may_be_sent_now"], row()["account_quota"], row()["bound_by"]) == (18, 2, None, "")
    desk("account", "organization", "--payer", TDS, "--account-quota", "20", "--by", "maria", "--reason", "AWS's mail")
    assert (row()["members"], row()["open_invitations"], row()["may_be_sent_now"]) == (1, 18, 1)
    desk("account", "organization", "--payer", TDS, "--account-quota", "19", "--by", "maria")
    assert (row()["may_be_sent_now"], row()["bound_by"]) == (0, "account_quota")
    desk("account", "organization", "--payer", TDS, "--invitations-per-day", "18", "--account-quota", "500", "--by", "maria")
    assert (row()["may_be_sent_now"], row()["bound_by"]) == (0, "invitations_per_day")
    desk.now = "2025-07-21T11:00:00Z"
    assert row()["may_be_sent_now"] == 18


def test_every_answer_as_table_json_csv(desk):
    """cli.md: --format for every command; the same rows in all three; help from the tree."""
    seen(desk, TDS, NEW)
    link(desk)
    for command in ("account list", "account check", "account plans", "account gap", "account organization", "account notifications --all",
                    "account duties --period 2025-06", "request list", "account advise --customer acme", f"account show {NEW}", f"request show {NEW}",
                    "account report --period 2025-06"):
        done = {form: desk.raw(*command.split(), form=form) for form in ("table", "json", "csv")}
        assert all(d.returncode == 0 and d.stdout.strip() for d in done.values()), done
        answer = json.loads(done["json"].stdout)
        rows = list(csv.DictReader(io.StringIO(done["csv"].stdout)))
        if isinstance(answer, list):
            assert [list(row) for row in answer] == [list(row) for row in rows], command
            assert len(done["table"].stdout.splitlines()) == len(answer) + 1, command
    assert "--expires TIME" in desk.raw("request", "record", "--help").stdout
