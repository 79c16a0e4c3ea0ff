"""Tax settings from AWS to the gate TAX_HOLD, with the project's fake of AWS: it verifies signatures and every request's shape.

A payee with a tax number of its own holds its customer's statement until it is mended (T01-T06)."""
import csv
import io
import json
import os
import re
import subprocess

import months
import pytest
import stack as stacks
from tools.fake_aws import FakeAws

ADDRESS = {"addressLine1": "Gate 5, Warehouse 12", "city": "Dubai", "stateOrRegion": "Dubai", "postalCode": "00000", "countryCode": "AE"}
PAYER, GOOD, OWN, OPERATOR = "444455556600", "000000000101", "000000000102", "999900001111"
TRN = "100123456700003"
WHO = ("--by", "maria", "--reason", "ticket 7")
CATALOG = """{{kind: Reseller, id: northwind, name: Northwind}}
---
{{kind: PriceBook, id: at-cost, currency: USD, versions: [{{effective_from: 2020-01-01, rules: [{{id: all, priority: 1, price: {{pass: payer}}}}]}}]}}
---
kind: Payer
id: "{payer}"
lane: ingram
model: ingram
payer_kind: master
reseller: northwind
country: AE
access: {{role_arn: "arn:aws:iam::{payer}:role/curmill", external_id: CA-1234-xyz}}
---
kind: Distributor
id: im
lane: ingram
tax_profiles:
  - country: AE
    registration_id: "100-1234567-00003"
    registration_type: VAT
    legal_name: Distributor FZE
    address: {{address_line1: GATE 5, address_line2: warehouse 12, city: dubai, state_or_region: Dubai, postal_code: "00000"}}
---
{{kind: Customer, id: good, reseller: northwind, price_book: at-cost, accounts: [{{id: "{good}", payer: "{payer}", from: 2020-01-01}}]}}
---
{{kind: Customer, id: own, reseller: northwind, price_book: at-cost, accounts: [{{id: "{own}", payer: "{payer}", from: 2020-01-01}}]}}
"""


class Place:
    """A stack whose workers see the fake; a payer with two accounts and a month of charges: 10 USD and 20.5 USD, tax beside."""

    def __init__(self):
        self.fake = FakeAws()
        self.world = self.fake.world
        self.world.organization(PAYER, [GOOD, OWN])
        self.world.account(OPERATOR)
        self.key, self.secret = self.world.access_key(OPERATOR)
        self.role = self.world.role(PAYER, trusts=OPERATOR, external_id="CA-1234-xyz")
        self.period = "2025-06"

    def start(self):
        wanted = {**self.fake.environment(self.key, self.secret), "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "2"}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            self.stack = stacks.Stack(settings={"tax.check.interval.seconds": 1, "tax.retry.seconds": 1}).up()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        self.good()
        text = CATALOG.format(payer=PAYER, good=GOOD, own=OWN)
        self.stack.apply_catalog("tax", text)
        lines = [{"account": GOOD, "cost": "10.0", "list": "10.0"}, {"account": GOOD, "type": "Tax", "product": "AmazonEC2", "cost": "2.0"},
                 {"account": OWN, "cost": "20.0", "list": "20.0"}, {"account": OWN, "cost": "0.5", "list": "0.5", "usage_type": "other"}]
        file = months.write_report(self.stack.data / "tax.csv", PAYER, self.period, lines)
        self.stack.cli("ingest", "--file", file, "--payer", PAYER, "--period", self.period, "--wait")

    def good(self):
        """Everything as the distributor requires."""
        for account in (GOOD, OWN):
            self.world.accounts[account].update(registration=None, address=None)
        self.world.register_tax(PAYER, TRN, address=dict(ADDRESS))
        self.world.accounts[PAYER]["heritage"] = "OptIn"
        self.world.roles[self.role]["actions"] = None
        self.fake.down = False
        self.world.end_sessions()

    def check(self, *more, code=0):
        return self.stack.cli("tax", "check", "--payer", PAYER, *more, code=code)

    def verdicts(self):
        return {row["account"]: row["verdict"] for row in self.stack.cli("tax", "status", "--payer", PAYER)}

    def gate(self, customer):
        shown = self.stack.cli("statement", "show", "--period", self.period, "--customer", customer, "--lane", "ingram")
        return next(gate for gate in shown["gates"] if gate["code"] == "TAX_HOLD")

    def messages(self):
        """(account, length of the record) of the topic, in order."""
        out = subprocess.run(["kcat", "-C", "-q", "-e", "-b", self.stack.broker, "-t", "curmill.ingram.tax.verdict.v1", "-f", "%k %S\n"],
                             capture_output=True, text=True, timeout=60, check=True).stdout
        return [tuple(line.split()) for line in out.splitlines()]


@pytest.fixture(scope="module")
def place():
    it = Place()
    try:
        it.start()
        yield it
        it.stack.assert_no_sanitizer_reports()
    finally:
        if hasattr(it, "stack"):
            it.stack.down()
        it.fake.stop()
    assert not it.fake.own_faults, it.fake.own_faults[0]


@pytest.fixture(autouse=True)
def _mended(place):
    yield
    place.good()
    place.check()


def test_a_payee_with_its_own_number_holds_its_statement_until_it_is_mended(place):
    """T02, T05, features 66 and 68: 20.5 USD at risk, the other customer's statement goes on."""
    place.check()
    assert place.verdicts() == {PAYER: "OK", GOOD: "OK", OWN: "OK"}
    assert place.gate("own")["open"] and place.gate("good")["open"]
    place.world.register_tax(OWN, "555000111", address=dict(ADDRESS))
    stacks.wait_until(lambda: place.verdicts()[OWN] == "PAYEE_TRN_OVERRIDE", 30, "the schedule finds the drift")
    shut = place.gate("own")
    assert not shut["open"] and f"PAYEE_TRN_OVERRIDE of account {OWN}, 20.5 USD" in shut["detail"]
    assert place.gate("good")["open"]
    row = next(row for row in place.stack.cli("tax", "status", "--payer", PAYER) if row["account"] == OWN)
    assert (row["registration"], row["status"], row["is_payer"]) == ("555000111", "Verified", False)
    place.stack.cli("statement", "approve", "--period", place.period, "--customer", "own", "--by", "maria")
    refused = place.stack.cli_raw("statement", "issue", "--period", place.period, "--customer", "own", *WHO, "--override", "NOT_FINAL", "TOO_EARLY")
    assert refused.returncode == 2 and "TAX_HOLD" in refused.stderr
    place.world.accounts[OWN].update(registration=None, address=None)
    place.check()
    assert place.gate("own")["open"]
    history = place.stack.cli("tax", "history", "--account", OWN)
    assert [row["verdict"] for row in history][-2:] == ["PAYEE_TRN_OVERRIDE", "OK"]


def test_nothing_changed_no_message(place):
    """Verdicts are stable: looks go on, the topic does not grow; a change is one record."""
    place.check()
    before, looks = place.messages(), place.fake.calls("ListTaxRegistrations", PAYER)
    stacks.wait_until(lambda: place.fake.calls("ListTaxRegistrations", PAYER) >= looks + 3, 30, "three more looks")
    assert place.messages() == before
    place.world.register_tax(OWN, "555000111", address=dict(ADDRESS))
    place.check()
    told = stacks.wait_until(lambda: place.messages()[len(before):], 30, "the change is told")
    assert [key for key, _ in told] == [OWN]


def test_three_calls_a_look(place):
    """Feature 65: GetTaxInheritance, ListTaxRegistrations, and ListOutboundResponsibilityTransfers of Organizations; nothing is written."""
    with place.world.lock:
        place.fake.requests.clear()
    place.check()
    asked = {operation for operation, account, _ in place.fake.requests if account == PAYER}
    assert asked == {"GetTaxInheritance", "ListTaxRegistrations", "ListOutboundResponsibilityTransfers"}
    # a payee that carries the number itself: its address is in the list
    place.world.register_tax(OWN, TRN, address=dict(ADDRESS))
    place.check()
    assert place.verdicts()[OWN] == "OK"


def test_verdicts_of_the_payer(place):
    """T01, T03, T04 as AWS shows them."""
    def look():
        place.check()
        return place.verdicts()

    place.world.register_tax(PAYER, "1", address=dict(ADDRESS))
    assert set(look().values()) == {"PAYER_TRN_WRONG"}
    place.world.register_tax(PAYER, TRN, address=dict(ADDRESS), status="Pending")
    assert set(look().values()) == {"PAYER_TRN_MISSING"}
    place.world.register_tax(PAYER, TRN, address={**ADDRESS, "addressLine1": "Gate 6"})
    assert set(look().values()) == {"PAYER_ADDRESS_MISMATCH"}
    place.world.accounts[PAYER].update(registration=None, address=None)
    assert set(look().values()) == {"PAYER_TRN_MISSING"}
    assert place.gate("good")["open"] is False
    place.good()
    place.world.accounts[PAYER]["heritage"] = "OptOut"
    assert look() == {PAYER: "INHERITANCE_OFF", GOOD: "PAYEE_TRN_MISSING", OWN: "PAYEE_TRN_MISSING"}
    place.world.accounts[PAYER]["heritage"] = None   # AWS leaves the field out
    assert look()[PAYER] == "INHERITANCE_OFF"


def test_fix_switches_inheritance_on_and_is_audited(place):
    """T04: only by an operator, with before and after on the trail."""
    place.world.accounts[PAYER]["heritage"] = "OptOut"
    place.check()
    assert place.fake.calls("PutTaxInheritance") == 0
    assert place.stack.cli_raw("tax", "check", "--payer", PAYER, "--fix").returncode == 1
    done, = place.check("--fix", *WHO)
    assert (done["verdict_before"], done["verdict"], done["inheritance_before"], done["inheritance"]) == ("INHERITANCE_OFF", "OK", "OptOut", "OptIn")
    assert place.world.accounts[PAYER]["heritage"] == "OptIn" and place.fake.calls("PutTaxInheritance") == 1
    trail = place.stack.cli("audit", "list", "--object", f"tax:{PAYER}")
    assert [(row["action"], row["actor"], row["reason"]) for row in trail] == [
        ("tax.fix_asked", "maria", "ticket 7"), ("tax.inheritance_switched_on", "maria", "ticket 7")]
    again = place.stack.cli_raw("tax", "check", "--payer", PAYER, "--fix", *WHO)
    assert again.returncode == 2 and "can only fix INHERITANCE_OFF" in again.stderr and place.fake.calls("PutTaxInheritance") == 1


def test_what_cannot_be_read_is_named(place):
    """NOT_READABLE: a permission, the role, the external id. What AWS cannot say for a moment changes nothing."""
    place.world.roles[place.role]["actions"] = {"tax:GetTaxInheritance", "organizations:ListOutboundResponsibilityTransfers"}
    place.world.end_sessions()
    place.check()
    assert set(place.verdicts().values()) == {"NOT_READABLE"}
    assert "tax:ListTaxRegistrations" in place.gate("good")["detail"]
    place.good()
    place.check()
    place.fake.down = True
    stacks.wait_until(lambda: "503" in (row := place.stack.cli("tax", "status")[0])["detail"] or "answer" in row["detail"], 60, "AWS is away")
    assert set(place.verdicts().values()) == {"OK"} and place.gate("good")["open"]
    place.fake.down = False
    place.world.roles[place.role]["external_id"] = "another"
    place.world.end_sessions()
    stacks.wait_until(lambda: place.verdicts()[GOOD] == "NOT_READABLE", 60, "the role is not let in")
    place.world.roles[place.role]["external_id"] = "CA-1234-xyz"


def test_billing_transfer(place):
    """Feature 67: while another organization's payer controls tax, this one's settings are ignored."""
    other = "888877776666"
    place.world.organization(other)
    place.world.accounts[PAYER].update(registration=None, address=None)
    place.check()
    assert place.verdicts()[PAYER] == "PAYER_TRN_MISSING"
    source = next(o for o, organization in place.world.organizations.items() if organization["management"] == PAYER)
    place.world.transfers["rt-abcdefgh12"] = {"Id": "rt-abcdefgh12", "Name": "x", "Type": "BILLING", "Status": "ACCEPTED", "source": PAYER, "target": other,
                                              "organization": source, "StartTimestamp": place.world.now() - stacks_days(60), "EndTimestamp": None,
                                              "ActiveHandshakeId": None}
    place.check()
    assert set(place.verdicts().values()) == {"NOT_APPLICABLE"} and place.gate("good")["open"]
    del place.world.transfers["rt-abcdefgh12"]


def stacks_days(count):
    import datetime
    return datetime.timedelta(days=count)


def test_status_and_history_in_every_format(place):
    """VAT invoices: one registration for all three accounts; another number would be a second invoice (feature 53)."""
    row = next(row for row in place.stack.cli("tax", "status") if row["payer"] == PAYER)
    assert (row["lane"], row["verdict"], row["inheritance"], row["accounts"], row["held"], row["vat_invoices"]) == ("ingram", "OK", "OptIn", 3, 0, 1)
    place.world.register_tax(OWN, "555000111", address=dict(ADDRESS))
    place.check()
    row = next(row for row in place.stack.cli("tax", "status") if row["payer"] == PAYER)
    assert (row["held"], row["vat_invoices"]) == (1, 2)
    told = list(csv.DictReader(io.StringIO(place.stack.cli_raw("--format", "csv", "tax", "status", "--payer", PAYER).stdout)))
    assert {r["account"]: r["verdict"] for r in told} == place.verdicts()
    assert "PAYEE_TRN_OVERRIDE" in place.stack.cli_raw("tax", "history", "--payer", PAYER, "--limit", "1").stdout
    assert place.stack.cli_raw("tax", "status", "--payer", "123456789012").returncode == 3
    assert json.loads(place.stack.cli_raw("--format", "json", "tax", "history", "--account", "000000000000").stdout) == []


def test_no_secret_no_tax_number_in_a_log(place):
    """Keys, tokens, external ids, and what AWS marks as sensitive."""
    tokens = [key["secret"] for key in place.world.keys.values()] + [key["token"] for key in place.world.keys.values() if key["token"]]
    text = "".join(file.read_text(errors="replace") for file in place.stack.log.glob("tax-inheritance-checker-*.log"))
    assert "tax settings could not be read" in text   # it did log
    for secret in [*tokens, "CA-1234-xyz", TRN, "555000111", "Gate 5"]:
        assert not re.search(re.escape(secret), text)
