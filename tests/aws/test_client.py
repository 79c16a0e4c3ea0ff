"""common/platform/aws against the fake: every call, every fault that issue and design name."""
import datetime

import pytest

from aws.place import MEMBER, PAYER, STRANGER, run_probe


def ids(answer):
    assert answer.code == 0, answer.log
    return [line["id"] for line in answer.lines]


def test_every_call(place):
    w = place.world
    w.register_tax(PAYER, "TRN-1", country="AE")
    assert place.probe("identity").lines == [{"account": PAYER}]
    assert place.probe("organization").lines[0]["management"] == PAYER
    assert ids(place.probe("accounts")) == [PAYER, MEMBER]
    one = place.probe("account", MEMBER).lines[0]
    assert (one["state"], one["method"], one["joined"]) == ("ACTIVE", "CREATED", "2025-06-10T08:00:00Z")
    root = place.probe("root").lines[0]
    assert place.probe("parent", MEMBER).lines == [{"id": root["id"], "kind": "ROOT"}]
    assert place.probe("move", MEMBER, root["id"], "ou-abcd-12345678").code == 0
    assert place.probe("parent", MEMBER).lines == [{"id": "ou-abcd-12345678", "kind": "ORGANIZATIONAL_UNIT"}]
    invited = place.probe("invite", STRANGER).lines[0]
    assert (invited["pending"], invited["account"], invited["expires"]) == (True, STRANGER, "2025-06-25T08:00:00Z")
    assert place.probe("handshake", invited["id"]).lines == place.probe("invitations").lines == [invited]
    assert place.probe("cancel", invited["id"]).lines[0]["state"] == "CANCELED"
    assert place.probe("inbound").lines == place.probe("outbound").lines == []
    assert place.probe("inheritance").lines == [{"status": ""}]
    assert place.probe("set-inheritance", "OptIn").code == 0
    assert place.probe("inheritance").lines == [{"status": "OptIn"}]
    of = {line["id"]: line for line in place.probe("registrations").lines}
    assert of[MEMBER]["inherits"] and of[MEMBER]["inherits_from"] == PAYER and of[MEMBER]["registration"]["id"] == "TRN-1"
    assert place.probe("registration").lines[0]["registration"]["address"]["city"] == "Dubai"
    assert place.probe("registration", MEMBER).lines == [{"registration": None}]
    assert place.probe("information", MEMBER).lines[0]["created"] == "2025-06-10T08:00:00Z"
    assert place.probe("contact").lines[0]["country"] == "US"
    assert all(status == 200 or operation == "GetTaxRegistration" for operation, _, status in place.fake.requests), place.fake.requests


def test_transfer_record_is_read_as_it_is(place):
    place.world.organization("222233334444")
    start = datetime.datetime(2025, 7, 1, tzinfo=datetime.timezone.utc)
    place.boto("organizations").invite_organization_to_transfer_responsibility(
        Type="BILLING", Target={"Id": "222233334444", "Type": "ACCOUNT"}, StartTimestamp=start, SourceName="customer")
    line = place.probe("inbound").lines[0]
    assert (line["source"], line["target"], line["status"], line["starts"]) == ("222233334444", PAYER, "REQUESTED", "2025-07-01T00:00:00Z")


@pytest.mark.parametrize("state, status, word", [(True, True, "ACTIVE"), (True, False, "ACTIVE"), (False, True, "ACTIVE"), (False, False, "")])
def test_state_then_status_then_neither(place, state, status, word):
    place.world.with_state, place.world.with_status = state, status
    assert place.probe("account", MEMBER).lines[0]["state"] == word


def test_all_pages_also_empty_ones(place):
    members = [f"5{n:011}" for n in range(130)]
    oid = place.world.accounts[PAYER]["organization"]
    for number in members:
        place.world.account(number)
        place.world.join(number, oid)
    place.fake.fault("empty_page", operation="ListAccounts")
    assert ids(place.probe("accounts")) == sorted([PAYER, MEMBER, *members])
    assert place.fake.calls("ListAccounts") == 8   # 132 by 20, and the empty one
    place.fake.fault("empty_page", operation="ListTaxRegistrations")
    assert len(ids(place.probe("registrations"))) == 132
    assert place.fake.calls("ListTaxRegistrations") == 3   # 132 by 100, and the empty one


@pytest.fixture
def many(place):
    oid = place.world.accounts[PAYER]["organization"]
    for n in range(60):
        number = place.world.account(f"5{n:011}")
        place.world.join(number, oid)
    return place


@pytest.mark.parametrize("kind", ["throttle", "error500", "html", "cut", "drop_before", "drop_after", "expired"])
def test_one_fault_in_mid_paging_is_got_over(many, kind):
    many.fake.fault(kind, operation="ListAccounts", after=1)
    assert len(ids(many.probe("accounts"))) == 62


def test_an_answer_that_is_no_json_is_told(many):
    many.fake.fault("not_json", operation="ListAccounts", after=1)
    assert many.probe("accounts").error["code"] == "UNAVAILABLE"


def test_a_page_that_repeats_is_no_loop(many):
    many.fake.fault("repeat_page", times=1000, operation="ListAccounts", after=1)
    answer = many.probe("accounts")
    assert answer.error["code"] == "PAGE_REPEATS" and many.fake.calls("ListAccounts") == 2


def test_silence_ends(place):
    place.fake.fault("hang", operation="ListAccounts")
    place.fake.hang_seconds = 5
    assert len(ids(place.probe("--stall", "500", "accounts"))) == 2


@pytest.mark.parametrize("kind, code", [("throttle", "THROTTLED"), ("error500", "UNAVAILABLE"), ("html", "UNAVAILABLE"), ("xml", "INVALID")])
def test_what_lasts_is_told(place, kind, code):
    place.fake.fault(kind, times=100)
    answer = place.probe("accounts", attempts=3)
    assert answer.error["code"] == code
    assert place.fake.calls() == (1 if code == "INVALID" else 3)


def test_errors_have_names(place):
    world = place.world
    assert place.probe("account", STRANGER).error["aws"] == "AccountNotFoundException"
    assert place.probe("handshake", "h-0000000000").error["code"] == "NOT_FOUND"
    invited = place.probe("invite", STRANGER).lines[0]["id"]
    assert (place.probe("invite", STRANGER).error["code"], place.fake.calls("InviteAccountToOrganization")) == ("CONFLICT", 2)
    error = place.probe("invite", MEMBER).error
    assert (error["code"], error["reason"]) == ("CONSTRAINT", "ALREADY_IN_AN_ORGANIZATION")
    place.probe("cancel", invited)
    assert place.probe("cancel", invited).error["code"] == "CONFLICT"
    outside = place.fake.environment(*world.access_key(STRANGER))
    assert run_probe(outside, "accounts").error["aws"] == "AWSOrganizationsNotInUseException"
    assert run_probe(place.fake.environment(*world.access_key(MEMBER)), "accounts").error["code"] == "DENIED"
    assert run_probe(place.fake.environment(place.key, "wrong"), "accounts").error["code"] == "DENIED"


# --- support plans and charges ---


def test_support_charges_account_by_account(place):
    """Exact decimals from AWS's text, the plan as AWS calls it, the discount below zero; the present month is estimated."""
    w = place.world
    w.charge_support(PAYER, "2025-05", MEMBER, "AWSSupportBusiness", "1230.000000000000000001", "12300.1", "-147.6", tiers=[("10", "10000", "1000"), ("7", "2300.1", "161.007")])
    w.charge_support(PAYER, "2025-05", PAYER, "AWSSupportDeveloper", "2.9E+1", "0")
    w.charge_support(PAYER, "2025-06", MEMBER, "AWSSupportEssential", "0", "0")
    assert place.probe("support", "2025-05").lines == [
        {"id": PAYER, "plan": "AWSSupportDeveloper", "charge": "29", "basis": "0", "discount": "0", "type": "", "estimated": False},
        {"id": MEMBER, "plan": "AWSSupportBusiness", "charge": "1230.000000000000000001", "basis": "12300.1", "discount": "-147.6",
         "type": "Distributor_Discount", "estimated": False}, {"estimated": False}]
    assert [(line.get("plan"), line["estimated"]) for line in place.probe("support", "2025-06").lines] == [("AWSSupportEssential", True), (None, True)]
    assert place.probe("support", "2025-04").lines == [{"estimated": False}]


def test_support_charges_of_many_pages(many):
    w = many.world
    w.billing_page = 7
    oid = w.accounts[PAYER]["organization"]
    members = sorted(w.organizations[oid]["members"])
    for n, member in enumerate(members):
        w.charge_support(PAYER, "2025-05", member, "AWSSupportBusiness", f"{n}.25", "1")
    for kind in ("throttle", "error500", "empty_page"):
        many.fake.fault(kind, operation="ListBusinessSupportAccountCharges", after=2 if kind != "empty_page" else 0)
    lines = many.probe("support", "2025-05").lines[:-1]
    assert [(line["id"], line["charge"]) for line in lines] == [(member, f"{n}.25") for n, member in enumerate(members)]
    many.fake.fault("repeat_page", times=9, operation="ListBusinessSupportAccountCharges")
    assert many.probe("support", "2025-05").error["code"] == "PAGE_REPEATS"


@pytest.mark.parametrize("charge", ["a lot", "NaN", "1e40"])
def test_a_support_charge_that_is_no_number_is_told(place, charge):
    place.world.charge_support(PAYER, "2025-05", MEMBER, "AWSSupportBusiness", charge, "1")
    error = place.probe("support", "2025-05").error
    assert (error["code"], error["class"]) == ("BAD_AMOUNT", "RETRY") and MEMBER in error["text"] and "totalCharge" in error["text"]


def test_enterprise_support_of_a_past_month(place):
    assert place.probe("enterprise", "2025-05").lines[0]["there"] is False
    place.world.charge_enterprise(PAYER, "2025-05", "18250.5", "198214.28", discount="-2190.06", percentage="9.2075")
    assert place.probe("enterprise", "2025-05").lines == [
        {"there": True, "plan": "Enterprise Support", "charge": "18250.5", "basis": "198214.28", "discount": "-2190.06", "percentage": "9.2075",
         "minimum": "15000", "estimated": False}]
    assert place.probe("enterprise", "2025-06").error["aws"] == "ValidationException"


def test_support_charges_need_the_payer_and_the_permission(place):
    members = place.fake.environment(*place.world.access_key(MEMBER))
    assert run_probe(members, "support", "2025-05").error["code"] == "DENIED"
    arn = with_role(place, actions={"billing:ListBusinessSupportAccountCharges"})
    role = ["--role", arn, "--external-id", "the-external-id"]
    assert place.probe(*role, "support", "2025-05").code == 0
    assert place.probe(*role, "enterprise", "2025-05").error["code"] == "DENIED"


def test_an_invitation_whose_answer_was_lost_is_there_once(place):
    for kind in ("drop_after", "cut"):
        place.fake.fault(kind, operation="InviteAccountToOrganization")
    assert place.probe("invite", STRANGER).error["code"] == "UNAVAILABLE"
    assert place.fake.calls("InviteAccountToOrganization") == 1
    assert [line["account"] for line in place.probe("invitations").lines] == [STRANGER]


def test_the_clock_is_corrected(place):
    place.world.skew = datetime.timedelta(hours=3)
    assert len(ids(place.probe("accounts"))) == 2
    assert [status for _, _, status in place.fake.requests] == [403, 200]


# --- roles: right, wrong, missing, of another account ---


def with_role(place, **role):
    arn = place.world.role(PAYER, **{"trusts": STRANGER, "external_id": "the-external-id", **role})
    place.environment = place.fake.environment(*place.world.access_key(STRANGER))
    return arn


def test_role_with_the_right_external_id(place):
    arn = with_role(place)
    answer = place.probe("--role", arn, "--external-id", "the-external-id", "identity")
    assert answer.lines == [{"account": PAYER}]


@pytest.mark.parametrize("arguments", [["--external-id", "another-external-id"], []])
def test_role_with_a_wrong_or_no_external_id(place, arguments):
    arn = with_role(place)
    answer = place.probe("--log", "--role", arn, *arguments, "identity")
    assert answer.error["code"] == "DENIED" and arn in answer.error["text"]
    assert "external-id" not in answer.log


def test_role_that_trusts_another_account(place):
    arn = with_role(place, trusts=MEMBER)
    assert place.probe("--role", arn, "--external-id", "the-external-id", "identity").error["code"] == "DENIED"


def test_session_is_renewed_in_mid_paging(many):
    """A role's session is taken back between two pages: assumed again, the list goes on where it was."""
    arn = with_role(many)
    many.fake.fault("expired", operation="ListAccounts", after=2)
    assert len(ids(many.probe("--role", arn, "--external-id", "the-external-id", "accounts"))) == 62
    assert many.fake.calls("AssumeRole") == 2 and many.fake.calls("ListAccounts") == 5


def test_session_is_kept_while_it_is_good(many):
    arn = with_role(many)
    assert len(ids(many.probe("--role", arn, "--external-id", "the-external-id", "accounts"))) == 62
    assert many.fake.calls("AssumeRole") == 1


def test_probes_tell_which_permission_is_missing(place):
    arn = with_role(place, actions={"organizations:ListAccounts", "tax:ListTaxRegistrations", "support:DescribeSeverityLevels"})
    verdicts = {}
    for action in ("organizations:ListAccounts", "organizations:DescribeOrganization", "organizations:ListHandshakesForOrganization",
                   "organizations:ListInboundResponsibilityTransfers", "tax:GetTaxInheritance", "tax:ListTaxRegistrations",
                   "account:GetAccountInformation", "account:GetContactInformation", "cur:DescribeReportDefinitions", "billing:ListBillingViews",
                   "support:DescribeSeverityLevels"):
        verdicts[action] = place.probe("--role", arn, "--external-id", "the-external-id", "probe", action).lines[0]["verdict"]
    allowed = {action for action, verdict in verdicts.items() if verdict == "allowed"}
    assert allowed == {"organizations:ListAccounts", "tax:ListTaxRegistrations", "support:DescribeSeverityLevels"}
    assert set(verdicts.values()) == {"allowed", "refused"}
    place.fake.fault("error500", times=100)
    assert place.probe("--role", arn, "--external-id", "the-external-id", "probe", "tax:GetTaxInheritance", attempts=1).lines == [{"verdict": "unknown"}]


def test_no_secret_in_any_log(many):
    """Log level debug, every fault: neither keys nor tokens nor external ids, in errors either."""
    arn = with_role(many)
    for kind in ("throttle", "expired", "html"):
        many.fake.fault(kind, operation="ListAccounts")
    text = ""
    for command in (["accounts"], ["registrations"], ["invite", MEMBER], ["account", "000000000000"]):
        answer = many.probe("--log", "--role", arn, "--external-id", "the-external-id", *command)
        text += answer.log
    text += many.probe("--log", "--role", arn, "--external-id", "a-wrong-external-id", "accounts").log
    assert "AWS call is tried again" in text and "AccessDenied" in text, text   # there was something to look at
    for key in many.world.keys.values():
        for secret in (key["secret"], key["token"]):
            assert not secret or secret not in text
    assert "external-id" not in text
