"""The fake's own rules, asked by boto3, which knows nothing of it: whoever tests against it must be able to trust it."""
import datetime

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from aws.place import MEMBER, PAYER, STRANGER


def refused(code, call, reason=None, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code
    if reason:
        assert caught.value.response.get("Reason") == reason, caught.value.response


def test_signature_must_be_right(place):
    refused("SignatureDoesNotMatch", place.boto("organizations", secret="another").list_accounts)
    refused("UnrecognizedClientException", place.boto("organizations", key="AKIANOBODY").list_accounts)
    refused("UnrecognizedClientException", place.boto("organizations", token="bogus").list_accounts)
    place.world.skew = datetime.timedelta(hours=1)
    refused("InvalidSignatureException", place.boto("organizations").list_accounts)
    refused("SignatureDoesNotMatch", place.boto("sts", region="eu-west-1").get_caller_identity)


def test_a_wrong_field_is_named(place):
    client = place.boto("organizations")
    with pytest.raises(ParamValidationError):
        client.describe_account()
    client.meta.events.register("before-call.organizations.DescribeAccount",
                                lambda params, **_: params.update(body=b'{"Account":"111122223333"}'))
    with pytest.raises(ClientError, match="Account"):
        client.describe_account(AccountId=PAYER)
    other = place.boto("organizations")
    refused("InvalidInputException", other.describe_account, AccountId="12345")   # not 12 digits
    refused("InvalidInputException", other.list_accounts, NextToken="not one of ours")


def test_invitation_lives_15_days_and_is_listed_for_30_more(place):
    client = place.boto("organizations")
    h = client.invite_account_to_organization(Target={"Id": STRANGER, "Type": "ACCOUNT"})["Handshake"]
    assert h["State"] == "OPEN" and h["ExpirationTimestamp"] - h["RequestedTimestamp"] == datetime.timedelta(days=15)
    refused("DuplicateHandshakeException", client.invite_account_to_organization, Target={"Id": STRANGER, "Type": "ACCOUNT"})
    place.world.advance(days=15)
    assert client.describe_handshake(HandshakeId=h["Id"])["Handshake"]["State"] == "EXPIRED"
    place.world.advance(days=29, hours=23)
    assert len(client.list_handshakes_for_organization(Filter={"ActionType": "INVITE"})["Handshakes"]) == 1
    place.world.advance(hours=1)
    assert client.list_handshakes_for_organization()["Handshakes"] == []
    refused("HandshakeNotFoundException", client.describe_handshake, HandshakeId=h["Id"])
    client.invite_account_to_organization(Target={"Id": STRANGER, "Type": "ACCOUNT"})   # and now again


def test_who_may_accept_decline_cancel(place):
    payer, stranger = place.boto("organizations"), place.boto("organizations", *place.world.access_key(STRANGER))
    h = payer.invite_account_to_organization(Target={"Id": STRANGER, "Type": "ACCOUNT"})["Handshake"]["Id"]
    refused("AccessDeniedException", payer.accept_handshake, HandshakeId=h)
    refused("AccessDeniedException", payer.decline_handshake, HandshakeId=h)
    assert stranger.accept_handshake(HandshakeId=h)["Handshake"]["State"] == "ACCEPTED"
    refused("HandshakeAlreadyInStateException", stranger.accept_handshake, HandshakeId=h)
    refused("InvalidHandshakeTransitionException", payer.cancel_handshake, HandshakeId=h)
    joined = payer.describe_account(AccountId=STRANGER)["Account"]
    assert (joined["JoinedMethod"], joined["State"]) == ("INVITED", "ACTIVE")
    refused("HandshakeConstraintViolationException", payer.invite_account_to_organization, Target={"Id": STRANGER, "Type": "ACCOUNT"},
            reason="ALREADY_IN_AN_ORGANIZATION")
    refused("AccessDeniedException", stranger.list_accounts)


def test_accepting_moves_an_account_from_one_organization_to_another(place):
    place.world.organization("222233334444")
    other = place.boto("organizations", *place.world.access_key("222233334444"))
    h = other.invite_account_to_organization(Target={"Id": MEMBER, "Type": "ACCOUNT"})["Handshake"]["Id"]
    place.boto("organizations", *place.world.access_key(MEMBER)).accept_handshake(HandshakeId=h)
    assert [a["Id"] for a in place.boto("organizations").list_accounts()["Accounts"]] == [PAYER]
    assert [a["Id"] for a in other.list_accounts()["Accounts"]] == ["222233334444", MEMBER]


def test_limits_of_invitations(place):
    client = place.boto("organizations")
    organization = next(iter(place.world.organizations.values()))
    organization["quota"] = 3
    client.invite_account_to_organization(Target={"Id": STRANGER, "Type": "ACCOUNT"})
    refused("HandshakeConstraintViolationException", client.invite_account_to_organization, Target={"Id": "888899990000", "Type": "ACCOUNT"},
            reason="ACCOUNT_NUMBER_LIMIT_EXCEEDED")
    organization.update(quota=100, per_day=1)
    refused("HandshakeConstraintViolationException", client.invite_account_to_organization, Target={"Id": "888899990000", "Type": "ACCOUNT"},
            reason="HANDSHAKE_RATE_LIMIT_EXCEEDED")


def test_outside_of_an_organization(place):
    stranger = place.boto("organizations", *place.world.access_key(STRANGER))
    refused("AWSOrganizationsNotInUseException", stranger.list_accounts)
    refused("AWSOrganizationsNotInUseException", stranger.describe_organization)


def test_transfers_keep_to_months_and_turn_the_words_round(place):
    """Target of the request is the Source of the record; both lists hold invitations too."""
    utc = datetime.timezone.utc
    place.world.organization("222233334444")
    mine, theirs = place.boto("organizations"), place.boto("organizations", *place.world.access_key("222233334444"))
    wish = {"Type": "BILLING", "Target": {"Id": "222233334444", "Type": "ACCOUNT"}, "SourceName": "customer"}
    for start, reason in [((2025, 7, 2), "START_DATE_NOT_BEGINNING_OF_MONTH"), ((2025, 7, 1, 5), "START_DATE_NOT_BEGINNING_OF_DAY"),
                          ((2025, 6, 1), "START_DATE_TOO_EARLY")]:
        refused("InvalidInputException", mine.invite_organization_to_transfer_responsibility, reason=reason,
                StartTimestamp=datetime.datetime(*start, tzinfo=utc), **wish)
    h = mine.invite_organization_to_transfer_responsibility(StartTimestamp=datetime.datetime(2025, 7, 1, tzinfo=utc), **wish)["Handshake"]
    inbound = mine.list_inbound_responsibility_transfers(Type="BILLING")["ResponsibilityTransfers"]
    assert [(t["Status"], t["Source"]["ManagementAccountId"], t["Target"]["ManagementAccountId"]) for t in inbound] == [("REQUESTED", "222233334444", PAYER)]
    assert mine.list_outbound_responsibility_transfers(Type="BILLING")["ResponsibilityTransfers"] == []
    theirs.accept_handshake(HandshakeId=h["Id"])
    outbound = theirs.list_outbound_responsibility_transfers(Type="BILLING")["ResponsibilityTransfers"]
    assert [t["Status"] for t in outbound] == ["ACCEPTED"]
    refused("InvalidInputException", mine.terminate_responsibility_transfer, reason="END_DATE_NOT_END_OF_MONTH", Id=inbound[0]["Id"],
            EndTimestamp=datetime.datetime(2025, 9, 15, tzinfo=utc))
    mine.terminate_responsibility_transfer(Id=inbound[0]["Id"], EndTimestamp=datetime.datetime(2025, 9, 30, 23, 59, 59, tzinfo=utc))


def test_tax_inheritance_belongs_to_the_caller(place):
    mine, members = place.boto("taxsettings"), place.boto("taxsettings", *place.world.access_key(MEMBER))
    assert "heritageStatus" not in mine.get_tax_inheritance()
    place.world.register_tax(PAYER, "TRN-1")
    mine.put_tax_inheritance(heritageStatus="OptIn")
    assert mine.get_tax_inheritance()["heritageStatus"] == "OptIn" and "heritageStatus" not in members.get_tax_inheritance()
    of = {a["accountId"]: a for a in mine.list_tax_registrations()["accountDetails"]}
    assert of[MEMBER]["taxRegistration"]["registrationId"] == "TRN-1" and of[MEMBER]["taxInheritanceDetails"]["parentEntityId"] == PAYER
    place.world.register_tax(MEMBER, "TRN-2")
    of = {a["accountId"]: a for a in mine.list_tax_registrations()["accountDetails"]}
    assert of[MEMBER]["taxRegistration"]["registrationId"] == "TRN-2" and "taxInheritanceDetails" not in of[MEMBER]
    refused("ResourceNotFoundException", place.boto("taxsettings").get_tax_registration, accountId=STRANGER)


@pytest.mark.parametrize("given, works", [("right-id", True), ("wrong-id", False), (None, False)])
def test_roles_want_their_external_id(place, given, works):
    arn = place.world.role(PAYER, trusts=STRANGER, external_id="right-id")
    more = {"ExternalId": given} if given else {}
    trusted = place.boto("sts", *place.world.access_key(STRANGER))
    if not works:
        refused("AccessDenied", trusted.assume_role, RoleArn=arn, RoleSessionName="test", **more)
        return
    c = trusted.assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
    session = (c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
    assert place.boto("sts", *session).get_caller_identity()["Account"] == PAYER
    refused("AccessDenied", place.boto("sts", *place.world.access_key(MEMBER)).assume_role, RoleArn=arn, RoleSessionName="test", **more)  # other account
    place.world.end_sessions()
    refused("ExpiredTokenException", place.boto("organizations", *session).list_accounts)
