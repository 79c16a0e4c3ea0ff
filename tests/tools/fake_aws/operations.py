"""One function an operation: (world, caller, parameters, fault) -> answer. Names and members are the service models'."""
from .world import Refusal

ORGANIZATIONS_PAGE, TAX_PAGE, TAX_PAGE_MOST, BILLING_PAGE = 20, 50, 100, 100
OPERATIONS = {}


def _operation(service):
    def add(function):
        OPERATIONS[service, function.__name__] = function
        return function
    return add


_org, _tax, _account, _sts = (_operation(s) for s in ("organizations", "taxsettings", "account", "sts"))


def _page(world, name, items, p, fault, size=ORGANIZATIONS_PAGE, token="NextToken", most="MaxResults"):
    return world.page(name, items, p.get(token), min(p.get(most, size), size), fault == "empty_page")


@_org
def DescribeOrganization(world, caller, p, fault):
    o = world.organization_of(caller)
    return {"Organization": {"Id": o["Id"], "Arn": f"arn:aws:organizations::{o['management']}:organization/{o['Id']}", "FeatureSet": "ALL",
                             "MasterAccountId": o["management"], "MasterAccountEmail": world.accounts[o["management"]]["Email"]}}


@_org
def ListAccounts(world, caller, p, fault):
    found, token = _page(world, "ListAccounts", sorted(world.managed_by(caller)["members"]), p, fault)
    return {"Accounts": [world.account_shape(n) for n in found], "NextToken": token}


@_org
def DescribeAccount(world, caller, p, fault):
    if p["AccountId"] not in world.managed_by(caller)["members"]:
        raise Refusal("AccountNotFoundException", "You specified an account that does not exist.")
    return {"Account": world.account_shape(p["AccountId"])}


@_org
def ListRoots(world, caller, p, fault):
    o = world.managed_by(caller)
    return {"Roots": [{"Id": o["root"], "Name": "Root", "Arn": f"arn:aws:organizations::{o['management']}:root/{o['Id']}/{o['root']}", "PolicyTypes": []}]}


@_org
def ListParents(world, caller, p, fault):
    o = world.managed_by(caller)
    if p["ChildId"] not in o["members"]:
        raise Refusal("ChildNotFoundException", "You specified a child that does not exist.")
    parent = o["members"][p["ChildId"]]
    return {"Parents": [{"Id": parent, "Type": "ROOT" if parent == o["root"] else "ORGANIZATIONAL_UNIT"}]}


@_org
def MoveAccount(world, caller, p, fault):
    o = world.managed_by(caller)
    if p["AccountId"] not in o["members"]:
        raise Refusal("AccountNotFoundException", "You specified an account that does not exist.")
    if o["members"][p["AccountId"]] != p["SourceParentId"]:
        raise Refusal("SourceParentNotFoundException", "The account is not there.")
    o["members"][p["AccountId"]] = p["DestinationParentId"]
    return {}


@_org
def InviteAccountToOrganization(world, caller, p, fault):
    return {"Handshake": world.handshake_shape(world.invite(caller, p["Target"]["Id"], p["Target"]["Type"]))}


@_org
def DescribeHandshake(world, caller, p, fault):
    return {"Handshake": world.handshake_shape(world.handshake(p["HandshakeId"]))}


@_org
def ListHandshakesForOrganization(world, caller, p, fault):
    o = world.managed_by(caller)
    world._age()
    wanted = p.get("Filter", {}).get("ActionType")
    found = sorted((h for h in world.handshakes.values() if h["organization"] == o["Id"] and wanted in (None, h["Action"])),
                   key=lambda h: (h["RequestedTimestamp"], h["Id"]))
    found, token = _page(world, "ListHandshakesForOrganization", found, p, fault)
    return {"Handshakes": [world.handshake_shape(h) for h in found], "NextToken": token}


@_org
def AcceptHandshake(world, caller, p, fault):
    return {"Handshake": world.handshake_shape(world.accept(caller["account"], p["HandshakeId"]))}


@_org
def DeclineHandshake(world, caller, p, fault):
    return {"Handshake": world.handshake_shape(world.decline(caller["account"], p["HandshakeId"]))}


@_org
def CancelHandshake(world, caller, p, fault):
    return {"Handshake": world.handshake_shape(world.cancel(caller, p["HandshakeId"]))}


@_org
def InviteOrganizationToTransferResponsibility(world, caller, p, fault):
    return {"Handshake": world.handshake_shape(world.invite_transfer(caller, p["Target"]["Id"], p["StartTimestamp"], p["SourceName"]))}


def _transfers(world, caller, p, fault, name, side, direction):
    found = sorted((t for t in world.transfers.values() if t[side] == caller["account"] and p.get("Id") in (None, t["Id"])), key=lambda t: t["Id"])
    found, token = _page(world, name, found, p, fault)
    return {"ResponsibilityTransfers": [world.transfer_shape(t, direction) for t in found], "NextToken": token}


@_org
def ListInboundResponsibilityTransfers(world, caller, p, fault):
    return _transfers(world, caller, p, fault, "ListInboundResponsibilityTransfers", "target", "inbound")


@_org
def ListOutboundResponsibilityTransfers(world, caller, p, fault):
    return _transfers(world, caller, p, fault, "ListOutboundResponsibilityTransfers", "source", "outbound")


@_org
def TerminateResponsibilityTransfer(world, caller, p, fault):
    return {"ResponsibilityTransfer": world.transfer_shape(world.terminate_transfer(caller, p["Id"], p.get("EndTimestamp")), "inbound")}


@_tax
def GetTaxInheritance(world, caller, p, fault):
    return {"heritageStatus": world.accounts[caller["account"]]["heritage"]}


@_tax
def PutTaxInheritance(world, caller, p, fault):
    world.accounts[caller["account"]]["heritage"] = p["heritageStatus"]
    return {}


@_tax
def ListTaxRegistrations(world, caller, p, fault):
    oid = world.accounts[caller["account"]]["organization"]
    manages = oid and world.organizations[oid]["management"] == caller["account"]
    numbers = sorted(world.organizations[oid]["members"]) if manages else [caller["account"]]
    size = min(p.get("maxResults", TAX_PAGE), TAX_PAGE_MOST)
    found, token = world.page("ListTaxRegistrations", numbers, p.get("nextToken"), size, fault == "empty_page")
    return {"accountDetails": [world.tax_details(n) for n in found], "nextToken": token}


@_tax
def GetTaxRegistration(world, caller, p, fault):
    a = world.accounts.get(p.get("accountId") or caller["account"])
    if not a or not a["registration"]:
        raise Refusal("ResourceNotFoundException", "There is no tax registration.", errorCode="ResourceNotFound")
    return {"taxRegistration": {**a["registration"], "legalAddress": a["address"]}}


def _reachable(world, caller, number):
    oid = world.accounts[caller["account"]]["organization"]
    if number in (None, caller["account"]):
        return world.accounts[caller["account"]]
    if not oid or world.organizations[oid]["management"] != caller["account"] or number not in world.organizations[oid]["members"]:
        raise Refusal("AccessDeniedException", "Not an account that you manage.")
    return world.accounts[number]


@_account
def GetAccountInformation(world, caller, p, fault):
    a = _reachable(world, caller, p.get("AccountId"))
    return {"AccountId": a["Id"], "AccountName": a["Name"], "AccountCreatedDate": a["created"], "AccountState": a["State"]}


@_account
def GetContactInformation(world, caller, p, fault):
    a = _reachable(world, caller, p.get("AccountId"))
    return {"ContactInformation": {"FullName": "A Person", "AddressLine1": "1 Street", "City": "Town", "PostalCode": "1", "CountryCode": a["country"],
                                   "PhoneNumber": "+1 555 0100", "CompanyName": a["Name"]}}


@_sts
def GetCallerIdentity(world, caller, p, fault):
    return {"UserId": "AIDA", "Account": caller["account"], "Arn": caller["arn"]}


@_sts
def AssumeRole(world, caller, p, fault):
    key, expires, arn = world.assume(caller, p["RoleArn"], p["RoleSessionName"], p.get("ExternalId"), p.get("DurationSeconds"))
    session = world.keys[key]
    return {"Credentials": {"AccessKeyId": key, "SecretAccessKey": session["secret"], "SessionToken": session["token"], "Expiration": expires},
            "AssumedRoleUser": {"AssumedRoleId": f"AROA:{p['RoleSessionName']}", "Arn": arn}}


@_operation("cur")
def DescribeReportDefinitions(world, caller, p, fault):
    return {"ReportDefinitions": []}


@_operation("support")
def DescribeSeverityLevels(world, caller, p, fault):
    return {"severityLevels": [{"code": "low", "name": "General guidance"}]}


@_operation("billing")
def ListBillingViews(world, caller, p, fault):
    return {"billingViews": []}


@_operation("billing")
def ListBusinessSupportAccountCharges(world, caller, p, fault):
    """Of the payer's own accounts; the present month is estimated, a month to come has nothing."""
    month, charges = p["billingMonth"], world.support_of(caller, p["billingMonth"])
    chosen = [charges[n] for n in sorted(charges) if p.get("accountId") in (None, n)]
    found, token = world.page("ListBusinessSupportAccountCharges", chosen, p.get("nextToken"), min(p.get("maxResults", BILLING_PAGE), world.billing_page),
                              fault == "empty_page")
    total = {k: str(sum(map(world.number, (c[k] for c in chosen)))) for k in ("totalCharge", "totalUsageBasis")}
    return {"billingMonth": month, "isEstimated": month >= world.month(), "totalSupportCharge": total["totalCharge"],
            "totalSupportEligibleSpend": total["totalUsageBasis"], "accountCount": len(chosen), "accountCharges": found, "nextToken": token}


@_operation("billing")
def GetEnterpriseSupportChargeSummary(world, caller, p, fault):
    if p["billingMonth"] >= world.month():
        raise Refusal("ValidationException", "The billing month must be in the past.", reason="fieldValidationFailed")
    world.support_of(caller, p["billingMonth"])
    summary = world.enterprise_support.get((caller["account"], p["billingMonth"]))
    if not summary:
        raise Refusal("ResourceNotFoundException", "There is no Enterprise Support.", resourceId=caller["account"], resourceType="support")
    return summary
