"""org-linker at AWS: observed accounts, invitations that are never sent twice, roles, payers kept apart."""
import json
import os
import random
import time

import pytest

from aws.linking import EXTERNAL_ID, OPERATOR, CannedAws, Linking, Postgres, run

A, B = "111122223333", "222233334444"
NEW, OTHER = "777788889999", "777788880000"


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture
def linking(postgres, tmp_path):
    it = Linking(postgres, tmp_path, [A, B])
    yield it
    it.close()


def pending(linking):
    return [h["target"] for h in linking.world.handshakes.values()]


def test_accounts_are_observed(linking):
    w = linking.world
    w.account("444455556666", email="Root@Customer.example")
    w.join("444455556666", w.accounts[A]["organization"])
    turns = linking.turns()
    assert {p: (t["code"], t["accounts"]) for p, t in turns.items()} == {A: ("", 2), B: ("", 1)}
    assert linking.sql("SELECT payer, account, joined_method, aws_state, joined_at = '2025-06-10T08:00:00Z' FROM account ORDER BY 1, 2") == [
        [A, A, "CREATED", "ACTIVE", "t"], [A, "444455556666", "INVITED", "ACTIVE", "t"], [B, B, "CREATED", "ACTIVE", "t"]]
    assert linking.turns() == {}, "nobody's turn before an hour has passed"
    w.advance(hours=1)
    w.join("444455556666", w.accounts[B]["organization"])   # in one step from one payer to the other
    linking.turns()
    rows = linking.sql("SELECT payer, left_at IS NOT NULL FROM account WHERE account = '444455556666' ORDER BY payer")
    assert rows == [[A, "t"], [B, "f"]]
    w.advance(hours=1)
    w.leave("444455556666")
    linking.turns()
    assert linking.sql("SELECT count(*) FROM account WHERE account = '444455556666' AND left_at IS NULL") == [["0"]]


def test_an_approved_request_is_invited_once_and_followed(linking):
    """O19-O21, N01, N11: invited once, expiry is AWS's, joined moment is AWS's."""
    linking.request(NEW)
    assert linking.turns()[A]["invited"] == 1
    assert linking.state(NEW) == "invited"
    assert linking.sql("SELECT expires_at = '2025-06-25T08:00:00Z', remind_at = '2025-06-24T08:00:00Z' FROM link_request") == [["t", "t"]]
    assert linking.hour()[A]["invited"] == 0 and pending(linking) == [NEW]
    linking.world.advance(days=2)
    linking.world.accept(NEW, next(iter(linking.world.handshakes)))
    linking.hour()
    assert linking.state(NEW) == "active"
    assert linking.sql("SELECT liable_from = '2025-06-12T09:00:00Z', billed_from = '2025-07-01T00:00:00Z' FROM link_request") == [["t", "t"]]
    assert linking.sql("SELECT state FROM handshake") == [["ACCEPTED"]]
    linking.world.advance(days=40)
    linking.world.leave(NEW)
    linking.turns()
    assert linking.state(NEW) == "offboarding"


@pytest.mark.parametrize("how, state", [("decline", "declined"), ("cancel", "cancelled"), ("expire", "expired")])
def test_how_an_invitation_ends(linking, how, state):
    w = linking.world
    linking.request(NEW)
    linking.turns()
    h = next(iter(w.handshakes))
    if how == "decline":
        w.decline(NEW, h)
    elif how == "cancel":
        w.cancel({"account": A}, h)
    else:
        w.advance(days=15)
    linking.hour()
    assert linking.state(NEW) == state
    linking.world.advance(days=31)
    linking.turns()
    assert linking.state(NEW) == state and len(linking.sql("SELECT 1 FROM handshake WHERE ended_at IS NOT NULL")) == 1, "kept after AWS forgot it"
    assert linking.fake.calls("InviteAccountToOrganization") == 1


@pytest.mark.parametrize("joined, state", [(True, "active"), (False, "expired")])
def test_a_handshake_that_vanished_becomes_what_the_accounts_show(linking, joined, state):
    w = linking.world
    linking.request(NEW)
    linking.turns()
    if joined:
        w.accept(NEW, next(iter(w.handshakes)))
    w.advance(days=20)
    w.handshakes.clear()
    linking.turns()
    assert linking.state(NEW) == state
    assert linking.sql("SELECT state, ended_at IS NOT NULL FROM handshake") == [["ACCEPTED" if joined else "EXPIRED", "t"]]


@pytest.mark.parametrize("kind", ["drop_after", "cut", "error500", "throttle", "drop_before", "html", "hang"])
def test_an_invitation_whose_answer_was_lost_is_found_again(linking, kind):
    """Never a duplicate: AWS took exactly one, and the request ends up invited with its id."""
    linking.fake.hang_seconds = 2
    linking.fake.fault(kind, operation="InviteAccountToOrganization")
    linking.request(NEW)
    linking.turns("--stall", 500)
    for _ in range(2):
        linking.hour()
    done = [status for operation, _, status in linking.fake.requests if operation == "InviteAccountToOrganization" and status == 200]
    assert len(pending(linking)) == 1 and linking.state(NEW) == "invited"
    assert len(done) == 1, done
    assert linking.sql("SELECT handshake FROM link_request") == [[next(iter(linking.world.handshakes))]]


def test_an_invitation_of_somebody_else_is_taken_over(linking):
    linking.world.account(NEW)
    linking.world.invite({"account": A}, NEW, "ACCOUNT")
    linking.request(NEW)
    linking.turns()
    assert linking.state(NEW) == "invited" and linking.fake.calls("InviteAccountToOrganization") == 0


def test_nothing_is_sent_while_the_lists_are_not_whole(linking):
    linking.request(NEW)
    linking.fake.fault("throttle", times=50, operation="ListHandshakesForOrganization", account=A)
    assert linking.turns()[A]["code"] == "THROTTLED" and pending(linking) == []
    linking.fake.faults.clear()
    linking.fake.fault("repeat_page", times=50, operation="ListAccounts", account=A)
    oid = linking.world.accounts[A]["organization"]
    for n in range(50):
        linking.world.join(linking.world.account(f"5{n:011}"), oid)
    assert linking.hour()[A]["code"] == "PAGE_REPEATS" and pending(linking) == []
    linking.fake.faults.clear()
    linking.hour()
    assert pending(linking) == [NEW]


def test_the_budget_of_a_day_and_the_quota_are_respected(linking):
    for n in range(5):
        linking.request(f"6{n:011}")
    assert linking.turns("--per-day", 2)[A]["invited"] == 2
    assert linking.hour("--per-day", 2)[A]["invited"] == 0
    linking.world.advance(days=1)
    assert linking.turns("--per-day", 2)[A]["invited"] == 2
    linking.sql(f"UPDATE payer_organization SET account_quota = 5 WHERE payer = '{A}'")   # 1 member and 4 invitations
    linking.world.advance(days=1)
    assert linking.turns("--per-day", 9)[A]["invited"] == 0
    linking.sql("UPDATE payer_organization SET account_quota = NULL")
    linking.world.organizations[linking.world.accounts[A]["organization"]]["quota"] = 5   # AWS's own word
    turn = linking.hour("--per-day", 9)[A]
    assert (turn["invited"], turn["code"]) == (0, "CONSTRAINT")
    assert "ACCOUNT_NUMBER_LIMIT_EXCEEDED" in linking.sql(f"SELECT detail FROM aws_turn WHERE payer = '{A}'")[0][0]


def test_an_account_that_cannot_be_invited_is_no_trouble_of_the_payer(linking):
    linking.world.refuse_invitations.add(NEW)
    linking.request(NEW)
    linking.request(OTHER)
    turn = linking.turns()[A]
    assert (turn["code"], turn["invited"], pending(linking)) == ("", 1, [OTHER])
    detail = linking.sql(f"SELECT detail FROM aws_turn WHERE payer = '{A}' AND failures = 0")[0][0]
    assert NEW in detail and "TARGET_ACCOUNT_VALIDATION_FAILURE" in detail
    told = json.loads(run(["doctor", "--format", "json"], linking.postgres.conninfo(linking.database), linking.now(), code=4))
    assert [NEW in line["detail"] for line in told if line["check"] == f"AWS access of {A}" and not line["good"]] == [True]
    linking.world.refuse_invitations.clear()
    assert linking.hour()[A]["invited"] == 1
    assert linking.sql(f"SELECT count(*) FROM aws_turn WHERE payer = '{A}' AND detail = ''") == [["1"]]


def test_a_list_without_the_payer_is_not_believed(linking):
    w = linking.world
    w.join(w.account("444455556666"), w.accounts[A]["organization"])
    linking.turns()
    members = w.organizations[w.accounts[A]["organization"]]["members"]
    kept = dict(members)
    members.clear()
    assert linking.hour()[A]["code"] == "LIST_INCOMPLETE"
    assert linking.sql(f"SELECT count(*) FROM account WHERE payer = '{A}' AND left_at IS NULL") == [["2"]]
    members.update(kept)


@pytest.mark.parametrize("state", ["cancelled", "withdrawn"])
def test_what_a_person_cancels_is_cancelled_in_aws(linking, state):
    linking.request(NEW)
    linking.turns()
    linking.sql(f"UPDATE link_request SET state = '{state}', version = version + 1")
    linking.hour()
    assert [h["State"] for h in linking.world.handshakes.values()] == ["CANCELED"]
    assert linking.sql("SELECT state, ended_at IS NOT NULL FROM handshake") == [["CANCELED", "t"]] and linking.state(NEW) == state
    calls = linking.fake.calls("CancelHandshake")
    linking.hour()
    assert linking.fake.calls("CancelHandshake") == calls == 1


FAULTS = ["throttle", "error500", "html", "drop_before", "drop_after", "cut", "expired", "repeat_page", "empty_page", "not_json"]
OPERATIONS = ["ListAccounts", "ListHandshakesForOrganization", "InviteAccountToOrganization", "GetCallerIdentity", "AssumeRole"]


@pytest.mark.parametrize("seed", [1, 2])
def test_random_walk_ends_where_aws_is(linking, seed):
    """Requests, answers of people, lost answers, forgotten handshakes, months of time: an account is invited at most once for its request, and in
    the end every request is where AWS is."""
    rng, w, accounts = random.Random(seed), linking.world, []
    for _ in range(25):
        what = rng.choice(["request", "request", "accept", "decline", "cancel", "vanish", "leave", "fault", "fault", "fault", "time"])
        pending = [h for h in w.handshakes.values() if h["State"] == "OPEN"]
        members = [n for n in w.organizations[w.accounts[A]["organization"]]["members"] if n != A]
        if what == "request":
            accounts.append(f"6{len(accounts):011}")
            linking.request(accounts[-1])
        elif what in ("accept", "decline") and pending:
            h = rng.choice(pending)
            (w.accept if what == "accept" else w.decline)(h["target"], h["Id"])
        elif what == "cancel" and pending:
            w.cancel({"account": A}, rng.choice(pending)["Id"])
        elif what == "vanish" and w.handshakes:
            ended = [h["Id"] for h in w.handshakes.values() if h["State"] != "OPEN"]
            if ended:
                del w.handshakes[rng.choice(ended)]
        elif what == "leave" and members:
            w.leave(rng.choice(members))
        elif what == "fault":
            linking.fake.fault(rng.choice(FAULTS), times=rng.randint(1, 4), operation=rng.choice(OPERATIONS), account=rng.choice([None, A]))
        elif what == "time":
            w.advance(days=rng.choice([1, 5, 16, 31]))
        linking.hour()
    linking.fake.faults.clear()
    for days in (0, 16, 16):
        w.advance(days=days)
        linking.hour()
    members = w.organizations[w.accounts[A]["organization"]]["members"]
    for account in accounts:
        assert w.ever_invited.count(account) == 1, (account, w.ever_invited)
        state = linking.state(account)
        assert state in (("active",) if account in members else ("declined", "cancelled", "expired", "offboarding")), (account, state)
    assert linking.sql("SELECT count(*) FROM handshake WHERE ended_at IS NULL") == [["0"]]
    assert linking.sql("SELECT count(*) FROM link_request r WHERE version <> 1 + (SELECT count(*) FROM link_history h WHERE h.request_id = r.id)") == [["0"]]


# --- roles: O13, O22 ---


def make_member(linking, **role):
    w = linking.world
    w.join(w.account(NEW), w.accounts[A]["organization"])
    return w.role(NEW, "reader", **{"trusts": OPERATOR, "external_id": "ext-of-the-account", **role})


def verdict(linking):
    return linking.sql("SELECT r.role_verdict, c.missing_action FROM link_request r JOIN role_check c ON c.request_id = r.id ORDER BY c.id DESC LIMIT 1")[0]


@pytest.mark.parametrize("role, external_id, wanted", [
    ({}, "ext-of-the-account", ["valid", ""]),
    ({}, "ext-of-somebody-else", ["invalid", "sts:AssumeRole"]),
    ({}, "", ["invalid", "sts:AssumeRole"]),
    ({"trusts": "123412341234"}, "ext-of-the-account", ["invalid", "sts:AssumeRole"]),
    ({"actions": {"organizations:ListAccounts"}}, "ext-of-the-account", ["invalid", "account:GetContactInformation"])])
def test_role_verdicts(linking, role, external_id, wanted):
    arn = make_member(linking, **role)
    linking.request(NEW, role=arn, external_id=external_id)
    linking.turns("--log")
    assert verdict(linking) == wanted
    assert linking.state(NEW) == ("active" if wanted[0] == "valid" else "role_pending")
    assert "ext-of-" not in linking.log


def test_a_role_is_tried_again_on_a_schedule(linking):
    arn = make_member(linking, external_id="another")
    linking.request(NEW, role=arn, external_id="ext-of-the-account")
    linking.turns()
    assert verdict(linking)[0] == "invalid"
    linking.world.roles[arn]["external_id"] = "ext-of-the-account"   # the customer fixes it
    linking.hour()
    assert verdict(linking) == ["valid", ""] and linking.state(NEW) == "active"
    calls = linking.fake.calls("GetContactInformation", NEW)
    linking.hour()
    assert linking.fake.calls("GetContactInformation", NEW) == calls, "a valid one is tried once a day"
    linking.world.advance(days=1)
    del linking.world.roles[arn]
    linking.turns()
    assert verdict(linking) == ["invalid", "sts:AssumeRole"]


def test_trouble_of_aws_is_no_verdict(linking):
    arn = make_member(linking)
    linking.request(NEW, role=arn, external_id="ext-of-the-account")
    linking.fake.fault("error500", times=100, operation="GetContactInformation", account=NEW)
    linking.turns()
    assert linking.sql("SELECT role_verdict FROM link_request") == [["unchecked"]] and linking.sql("SELECT 1 FROM role_check") == []


def test_the_payers_own_role(linking):
    linking.world.roles[f"arn:aws:iam::{A}:role/curmill"]["external_id"] = "changed"
    turns = linking.turns()
    assert (turns[A]["code"], turns[B]["code"]) == ("DENIED", "")
    assert linking.sql("SELECT payer, missing_action FROM aws_turn ORDER BY payer") == [[A, "sts:AssumeRole"], [B, ""]]
    assert linking.fake.calls("ListAccounts", A) == 0


@pytest.mark.parametrize("missing", ["billing:ListBillingViews", "account:GetContactInformation", "tax:GetTaxInheritance", "cur:DescribeReportDefinitions",
                                     "support:DescribeSeverityLevels", None])
def test_permissions_of_a_master_payer(postgres, tmp_path, missing):
    """O25-O27: billing console, Cost and Usage Reports, support: tried one by one, the missing one is named; what can be done without it is done."""
    linking = Linking(postgres, tmp_path, [A], model="ingram", kind="master")
    wanted = {"organizations:ListAccounts", "billing:ListBillingViews", "account:GetContactInformation", "tax:GetTaxInheritance",
              "cur:DescribeReportDefinitions", "support:DescribeSeverityLevels"}
    linking.world.roles[f"arn:aws:iam::{A}:role/curmill"]["actions"] = wanted - {missing}
    turn = linking.turns()[A]
    assert (turn["code"], turn["accounts"]) == ("DENIED" if missing else "", 1)
    assert linking.sql("SELECT missing_action FROM aws_turn") == [[missing or ""]]
    linking.close()


def test_doctor_tells_of_aws_access(linking):
    """O27: which payer's access works, and what is missing where it does not."""
    def told():
        done = run(["doctor", "--format", "json"], linking.postgres.conninfo(linking.database), linking.now(), code=4)
        return {line["check"]: line for line in json.loads(done) if line["check"].startswith("AWS")}
    assert {c: (line["good"], line["detail"]) for c, line in told().items()} == {
        f"AWS access of {p}": (False, "AWS has not been called yet") for p in (A, B)}
    linking.world.roles[f"arn:aws:iam::{A}:role/curmill"]["actions"] = {"organizations:ListAccounts"}
    linking.turns()
    lines = told()
    assert lines[f"AWS access of {B}"]["good"] and lines[f"AWS access of {B}"]["detail"].startswith("1 accounts with 6 calls at 2025-06-10T08:")
    bad = lines[f"AWS access of {A}"]
    assert not bad["good"] and "account:GetContactInformation" in bad["detail"] and "allow that action" in bad["what_to_do"]
    assert linking.sql(f"SELECT count(*) FROM account WHERE payer = '{A}'") == [["1"]], "what can be done without it is done"


# --- payers are kept apart ---


@pytest.mark.parametrize("kind", ["throttle", "error500", "hang", "html", "expired", "not_json"])
def test_trouble_of_one_payer_does_not_delay_another(linking, kind):
    linking.fake.hang_seconds = 3
    linking.fake.fault(kind, times=10_000, account=A)
    good = bad = 0
    for _ in range(6):
        turns = linking.hour("--stall", 300)
        good += turns[B]["code"] == ""
        bad += A in turns and turns[A]["code"] != ""
    assert good == 6 and 1 <= bad <= 6
    assert linking.sql(f"SELECT failures > 0, next_at > finished_at, good_at IS NULL FROM aws_turn WHERE payer = '{A}'") == [["t", "t", "t"]]
    linking.fake.faults.clear()
    assert linking.hour()[A]["code"] == ""


def test_aws_is_down_for_an_hour(linking):
    linking.request(NEW)
    linking.turns()
    linking.request(OTHER)
    linking.world.accept(NEW, next(iter(linking.world.handshakes)))
    linking.fake.down = True
    before = len(linking.fake.requests)
    for _ in range(12):
        linking.world.advance(minutes=5)
        linking.turns()
    asked = len(linking.fake.requests) - before
    assert linking.state(NEW) == "invited" and linking.state(OTHER) == "approved", "nothing is guessed"
    assert asked <= 2 * 2 * 7, "waits of 1, 2, 4 ... 60 minutes, two attempts a call, two payers"
    linking.fake.down = False
    linking.hour()
    assert linking.state(NEW) == "active" and linking.state(OTHER) == "invited"
    assert sorted(pending(linking)) == sorted([NEW, OTHER])


# --- support plans and charges ---

SUPPORT = "ListBusinessSupportAccountCharges"


def told(linking):
    return linking.sql("SELECT payer, period, account, plan, charge, usage_basis, discount, discount_type, estimated FROM aws_support_charge ORDER BY 1, 2, 3")


def test_support_charges_are_read_for_two_months(linking):
    """O10, O16: one look a day at the present month, the month before until AWS calls it final; Enterprise Support of past months."""
    w = linking.world
    w.charge_support(A, "2025-05", NEW, "AWSSupportBusiness", "1234.5678901234567891", "12300.10", "-147.60")
    w.charge_support(A, "2025-06", NEW, "AWSSupportDeveloper", "29", "0")
    w.charge_support(A, "2025-04", NEW, "AWSSupportDeveloper", "1", "1")
    w.charge_enterprise(B, "2025-05", "15000", "20000.5", discount="-1800")
    assert {t["code"] for t in linking.turns().values()} == {""}
    assert told(linking) == [
        [A, "2025-05", NEW, "AWSSupportBusiness", "1234.5678901234567891", "12300.1", "-147.6", "Distributor_Discount", "f"],
        [A, "2025-06", NEW, "AWSSupportDeveloper", "29", "0", "0", "", "t"],
        [B, "2025-05", "", "Enterprise Support", "15000", "20000.5", "-1800", "", "f"]]
    assert linking.sql("SELECT payer, period, final, code FROM aws_support_look ORDER BY 1, 2") == [
        [A, "2025-05", "t", ""], [A, "2025-06", "f", ""], [B, "2025-05", "t", ""], [B, "2025-06", "f", ""]]
    assert linking.fake.calls(SUPPORT) == 4
    del w.support[A, "2025-06"][NEW]
    w.charge_support(A, "2025-06", OTHER, "AWSSupportBusiness", "100", "1000")
    linking.hour()
    assert linking.fake.calls(SUPPORT) == 4, "one look a day"
    w.advance(days=1)
    linking.turns()
    assert linking.fake.calls(SUPPORT) == 6, "the month before is final"
    assert [row[2:5] for row in told(linking) if row[1] == "2025-06"] == [[OTHER, "AWSSupportBusiness", "100"]], "what AWS lists no more is gone"


def test_a_refusal_of_support_charges_is_told_once_and_is_no_trouble(linking):
    w = linking.world
    actions = {f"{service}:{name}" for service, name in (
        ("organizations", "ListAccounts"), ("organizations", "DescribeOrganization"), ("organizations", "ListHandshakesForOrganization"),
        ("account", "GetContactInformation"), ("account", "GetAccountInformation"))}
    for role in w.roles.values():
        role["actions"] = actions
    w.charge_support(A, "2025-05", NEW, "AWSSupportBusiness", "100", "1000")
    turns = linking.turns("--log")
    assert {t["code"] for t in turns.values()} == {""}, "the payer's turn is good"
    told_now = [line for line in linking.log.splitlines() if "billing:ListBusinessSupportAccountCharges" in line and "INFO" in line.upper()]
    assert len(told_now) == 2, linking.log   # one for each payer
    assert linking.sql("SELECT payer, period, code FROM aws_support_look ORDER BY 1") == [[A, "2025-06", "DENIED"], [B, "2025-06", "DENIED"]]
    for _ in range(3):
        w.advance(days=1)
        linking.turns("--log")
        assert "plans are told by product codes" not in linking.log
    actions.add("billing:" + SUPPORT)   # but Enterprise Support is still not theirs to read
    w.end_sessions()
    w.advance(days=1)
    linking.turns()
    assert [row[:5] for row in told(linking)] == [[A, "2025-05", NEW, "AWSSupportBusiness", "100"]]
    assert linking.sql(f"SELECT period, code, final FROM aws_support_look WHERE payer = '{A}' ORDER BY 1") == [["2025-05", "DENIED", "f"], ["2025-06", "", "f"]]


@pytest.mark.parametrize("kind", ["throttle", "error500", "html"])
def test_support_charges_wait_for_the_next_turn(linking, kind):
    """What was known stays; the accounts and invitations of the turn are good."""
    w = linking.world
    w.charge_support(A, "2025-05", NEW, "AWSSupportBusiness", "100", "1000")
    linking.turns()
    w.advance(days=1)
    linking.fake.fault(kind, times=50, operation=SUPPORT, account=A)
    assert {t["code"] for t in linking.turns().values()} == {""}
    assert len(told(linking)) == 1 and linking.sql(f"SELECT code <> '' FROM aws_support_look WHERE payer = '{A}' AND period = '2025-06'") == [["t"]]
    linking.fake.faults.clear()
    linking.hour()
    assert linking.sql(f"SELECT code FROM aws_support_look WHERE payer = '{A}' AND period = '2025-06'") == [[""]]


def test_a_slice_of_time_ends_a_turn(linking):
    linking.turns("--slice", 1)
    assert {code for code, in linking.sql("SELECT code FROM aws_turn")} == {"SLICE_SPENT"}
    assert linking.hour()[A]["code"] == ""


def test_the_thread_of_a_worker_does_turns_and_stops_soon(linking):
    linking.request(NEW)
    linking.turns("--thread", 4000)
    assert linking.state(NEW) == "invited" and linking.stopped_ms < 2000
    assert linking.sql("SELECT count(*) FROM aws_turn WHERE finished_at IS NOT NULL") == [["2"]]
    linking.world.advance(hours=2)
    linking.fake.hang_seconds = 20
    linking.fake.fault("hang", times=100)
    linking.turns("--thread", 1500, "--stall", 3000)
    assert linking.stopped_ms < 6000, "the call in hand is waited for, no other is made"


def test_no_secret_in_the_log(linking):
    """Everything that can be logged, with faults; session tokens, keys and external ids of payers and accounts."""
    arn = make_member(linking)
    linking.request(NEW, role=arn, external_id="ext-of-the-account")
    linking.request(OTHER)
    for kind in ("throttle", "expired", "html", "error500"):
        linking.fake.fault(kind, operation="ListAccounts")
        linking.fake.fault(kind, operation="GetContactInformation")
    text = ""
    for _ in range(4):
        linking.hour("--log")
        text += linking.log
    linking.world.roles[arn]["external_id"] = "moved"
    linking.world.advance(days=1)
    linking.turns("--log")
    text += linking.log
    assert "AWS call is tried again" in text
    details = str(linking.sql("SELECT detail FROM aws_turn UNION ALL SELECT detail FROM role_check UNION ALL SELECT reason || detail::text FROM link_history"))
    for key in linking.world.keys.values():
        for secret in (key["secret"], key["token"]):
            assert not secret or (secret not in text and secret not in details)
    assert "ext-of-" not in text + details and EXTERNAL_ID not in text + details


# --- how much ---

MEMBERS = 500


def test_memory_does_not_grow_with_payers(postgres, tmp_path):
    """Payers of 500 accounts: every account is observed, with as many calls as stated, in the memory that one payer takes."""
    peaks = {}
    for count in (1, 4):
        payers = [f"1{n:011}" for n in range(count)]
        folder = tmp_path / str(count)
        folder.mkdir()
        linking = Linking(postgres, folder, payers)
        for p, payer in enumerate(payers):
            oid = linking.world.accounts[payer]["organization"]
            for n in range(MEMBERS - 1):
                linking.world.join(linking.world.account(f"7{p:04}{n:07}"), oid)
        turns = linking.turns()
        assert {t["code"] for t in turns.values()} == {""} and len(turns) == count
        assert linking.sql("SELECT count(*), count(DISTINCT payer) FROM account WHERE left_at IS NULL") == [[str(count * MEMBERS), str(count)]]
        # GetCallerIdentity, one probe, 25 pages of 20, support charges of two months and Enterprise Support of one; AssumeRole is asked by the
        # session itself
        assert {t["calls"] for t in turns.values()} == {30} and linking.fake.calls("AssumeRole") == count
        assert linking.fake.calls() == 31 * count
        peaks[count] = linking.peak
        linking.close()
    assert peaks[4] < peaks[1] * 1.15, peaks


if os.environ.get("CURMILL_TEST_AWS_PAYERS"):   # 1000: the figures in docs/operator.md; some minutes

    def test_many_payers_in_the_memory_of_few(postgres, tmp_path):
        """All accounts are known and AWS says of ten payers that an account left: pages are canned, signatures are not looked at."""
        peaks, many = {}, int(os.environ["CURMILL_TEST_AWS_PAYERS"])
        for count in (10, many):
            payers = [f"1{n:011}" for n in range(count)]
            folder = tmp_path / str(count)
            folder.mkdir()
            with CannedAws(payers, MEMBERS, left=set(payers[:10])) as aws:
                linking = Linking(postgres, folder, payers, tell=False)
                linking.environment["AWS_ENDPOINT_URL"] = aws.url
                linking.sql("INSERT INTO account (payer, account, lane, name, aws_state, joined_method, joined_at, first_seen, last_seen)"
                            " SELECT p, a, 'tdsynnex', '', 'ACTIVE', 'INVITED', '2025-01-01', '2025-06-10', '2025-06-10T07:30:00Z'"
                            f" FROM generate_series(0, {count - 1}) n, LATERAL (SELECT '1' || lpad(n::text, 11, '0') AS p) x,"
                            f" LATERAL (SELECT p AS a UNION ALL SELECT '7' || lpad(n::text, 4, '0') || lpad(m::text, 7, '0')"
                            f" FROM generate_series(0, {MEMBERS - 2}) m) y")
                began = time.monotonic()
                turns = linking.turns()
                took = time.monotonic() - began
                assert {t["code"] for t in turns.values()} == {""} and len(turns) == count
                assert linking.sql("SELECT count(*), count(left_at) FROM account") == [[str(count * MEMBERS), "10"]]
                peaks[count] = linking.peak
                print(f"{count} payers x {MEMBERS} accounts: {linking.peak} KiB, {took:.1f} s, {aws.count} requests")
                linking.close()
        assert peaks[many] < peaks[10] * 1.15, peaks
