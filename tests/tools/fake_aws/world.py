"""What exists and what may happen to it: accounts, organizations, handshakes, billing transfers, tax settings, roles. Rules as AWS documents them;
time is simulated (`advance`), the machine's clock is used for signatures and sessions only."""
import base64
import datetime
import decimal
import json
import secrets
import string
import threading

UTC = datetime.timezone.utc
INVITATION_DAYS, LISTED_DAYS = 15, 30
PENDING = ("REQUESTED", "OPEN")


class Refusal(Exception):
    def __init__(self, code, message="refused", **members):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.members = code, message, members


def _id(prefix, length=10):
    return prefix + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))


def _month_start(at):
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


class World:
    def __init__(self, now="2025-06-10T08:00:00Z"):
        self.lock = threading.RLock()
        self._now = datetime.datetime.fromisoformat(now.replace("Z", "+00:00"))
        self.skew = datetime.timedelta()          # of the services' clock against the machine's, for signatures
        self.accounts, self.organizations, self.handshakes, self.transfers = {}, {}, {}, {}
        self.keys, self.roles = {}, {}
        self.refuse_invitations = set()           # accounts that AWS does not let anybody invite
        self.ever_invited = []                    # targets of all handshakes, forgotten ones too
        self.session_seconds = 3600
        self.with_status, self.with_state = True, True
        self.open_word = "OPEN"
        self.support, self.enterprise_support = {}, {}   # by (payer, month): {account: charge}; a summary
        self.billing_page = 100                   # the most accounts that AWS puts on a page, whatever was asked for

    # --- time ---

    def now(self):
        return self._now

    def wall(self):
        return datetime.datetime.now(UTC) + self.skew

    def advance(self, **delta):
        with self.lock:
            self._now += datetime.timedelta(**delta)
            self._age()

    def _age(self):
        for h in list(self.handshakes.values()):
            if h["State"] in PENDING and self._now >= h["ExpirationTimestamp"]:
                self._end(h, "EXPIRED", h["ExpirationTimestamp"])
            if h["ended"] and self._now >= h["ended"] + datetime.timedelta(days=LISTED_DAYS):
                del self.handshakes[h["Id"]]

    def _end(self, h, state, at=None):
        h["State"], h["ended"] = state, at or self._now
        transfer = self.transfers.get(h.get("transfer"))
        if transfer and transfer["Status"] == "REQUESTED":
            transfer["Status"] = state

    # --- making things ---

    def account(self, number, email=None, name=None, country="US"):
        self.accounts[number] = {"Id": number, "Email": email or f"root@a{number}.example", "Name": name or f"account {number}", "State": "ACTIVE",
                                 "organization": None, "joined": None, "method": None, "created": self._now, "country": country,
                                 "registration": None, "address": None, "heritage": None}
        return number

    def organization(self, management, members=(), quota=1000, per_day=100):
        if management not in self.accounts:
            self.account(management)
        oid = _id("o-")
        self.organizations[oid] = {"Id": oid, "management": management, "quota": quota, "per_day": per_day, "root": _id("r-", 4), "members": {}}
        self.join(management, oid, "CREATED")
        for member in members:
            if member not in self.accounts:
                self.account(member)
            self.join(member, oid, "CREATED")
        return oid

    def join(self, number, oid, method="INVITED", at=None):
        a = self.accounts[number]
        if a["organization"]:
            del self.organizations[a["organization"]]["members"][number]
        a.update(organization=oid, joined=at or self._now, method=method)
        self.organizations[oid]["members"][number] = self.organizations[oid]["root"]

    def leave(self, number):
        a = self.accounts[number]
        del self.organizations[a["organization"]]["members"][number]
        a.update(organization=None, joined=None, method=None)

    def access_key(self, number, arn=None):
        """A user's key of an account; may do everything there."""
        key = "AKIA" + secrets.token_hex(8).upper()
        self.keys[key] = {"secret": secrets.token_urlsafe(30), "token": None, "account": number, "arn": arn or f"arn:aws:iam::{number}:user/test",
                          "expires": None, "actions": None}
        return key, self.keys[key]["secret"]

    def role(self, number, name="curmill", trusts=None, external_id=None, actions=None):
        """`trusts`: account that may assume it; `actions`: None (all) or a set such as {"organizations:ListAccounts"}."""
        arn = f"arn:aws:iam::{number}:role/{name}"
        self.roles[arn] = {"account": number, "name": name, "trusts": trusts, "external_id": external_id, "actions": actions}
        return arn

    def end_sessions(self):
        """Every session that was handed out is out of date from now on, whatever its holder was told."""
        for key in self.keys.values():
            if key["token"]:
                key["expires"] = self.wall() - datetime.timedelta(seconds=1)

    # --- who asks ---

    def organization_of(self, caller):
        oid = self.accounts[caller["account"]]["organization"]
        if not oid:
            raise Refusal("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        return self.organizations[oid]

    def managed_by(self, caller):
        organization = self.organization_of(caller)
        if organization["management"] != caller["account"]:
            raise Refusal("AccessDeniedException", "You don't have permissions to access this resource.")
        return organization

    # --- paging ---

    def page(self, operation, items, token, size, empty_first=False):
        start = 0
        if token:
            try:
                kept = json.loads(base64.urlsafe_b64decode(token))
            except ValueError:
                kept = {}
            if kept.get("operation") != operation:
                raise Refusal("InvalidInputException", "the token is not one of ours", Reason="INVALID_NEXT_TOKEN")
            start = kept["start"]
        end = start if empty_first and not token else start + size
        rest = end < len(items)
        after = base64.urlsafe_b64encode(json.dumps({"operation": operation, "start": end, "n": 0 if token else 1}).encode()).decode()
        return items[start:end], after if rest else None

    # --- Organizations ---

    def account_shape(self, number):
        a = self.accounts[number]
        shape = {"Id": number, "Arn": f"arn:aws:organizations::{number}:account/{a['organization']}/{number}", "Email": a["Email"], "Name": a["Name"],
                 "JoinedMethod": a["method"], "JoinedTimestamp": a["joined"]}
        if self.with_state:
            shape["State"] = a["State"]
        if self.with_status and a["State"] in ("ACTIVE", "SUSPENDED", "PENDING_CLOSURE"):
            shape["Status"] = a["State"]
        return shape

    def handshake_shape(self, h):
        organization = self.organizations[h["organization"]]
        return {"Id": h["Id"], "Arn": f"arn:aws:organizations::{organization['management']}:handshake/{h['organization']}/{h['Action'].lower()}/{h['Id']}",
                "Parties": [{"Id": h["organization"], "Type": "ORGANIZATION"}, {"Id": h["target"], "Type": h["target_type"]}], "State": h["State"],
                "RequestedTimestamp": h["RequestedTimestamp"], "ExpirationTimestamp": h["ExpirationTimestamp"], "Action": h["Action"],
                "Resources": [{"Type": h["target_type"], "Value": h["target"]}]}

    def handshake(self, handshake_id):
        self._age()
        if handshake_id not in self.handshakes:
            raise Refusal("HandshakeNotFoundException", "There is no handshake of that id.")
        return self.handshakes[handshake_id]

    def _new_handshake(self, organization, action, target, target_type, transfer=None):
        self._age()
        same = [h for h in self.handshakes.values() if h["State"] in PENDING and (h["organization"], h["Action"], h["target"]) == (organization["Id"], action, target)]
        if same:
            raise Refusal("DuplicateHandshakeException", "A handshake with the same action and target already exists.")
        today = [h for h in self.handshakes.values() if h["organization"] == organization["Id"] and h["RequestedTimestamp"] > self._now - datetime.timedelta(days=1)]
        if len(today) >= organization["per_day"]:
            raise Refusal("HandshakeConstraintViolationException", "You have exceeded the number of invitations of one day.", Reason="HANDSHAKE_RATE_LIMIT_EXCEEDED")
        h = {"Id": _id("h-"), "Action": action, "State": self.open_word, "organization": organization["Id"], "target": target, "target_type": target_type,
             "RequestedTimestamp": self._now, "ExpirationTimestamp": self._now + datetime.timedelta(days=INVITATION_DAYS), "ended": None, "transfer": transfer}
        self.handshakes[h["Id"]] = h
        self.ever_invited.append(target)
        return h

    def invite(self, caller, target, target_type):
        organization = self.managed_by(caller)
        if target_type == "ACCOUNT" and target in organization["members"]:
            raise Refusal("HandshakeConstraintViolationException", "The account is a member already.", Reason="ALREADY_IN_AN_ORGANIZATION")
        if target in self.refuse_invitations:
            raise Refusal("HandshakeConstraintViolationException", "The account cannot be invited.", Reason="TARGET_ACCOUNT_VALIDATION_FAILURE")
        pending = [h for h in self.handshakes.values() if h["organization"] == organization["Id"] and h["State"] in PENDING and h["Action"] == "INVITE"]
        if len(organization["members"]) + len(pending) >= organization["quota"]:
            raise Refusal("HandshakeConstraintViolationException", "You have exceeded the number of accounts.", Reason="ACCOUNT_NUMBER_LIMIT_EXCEEDED")
        return self._new_handshake(organization, "INVITE", target, target_type)

    def _is_target(self, h, number):
        return (h["target"] == number) if h["target_type"] == "ACCOUNT" else (self.accounts[number]["Email"] == h["target"])

    def _pending(self, h, wanted):
        if h["State"] == wanted:
            raise Refusal("HandshakeAlreadyInStateException", f"The handshake is {wanted} already.")
        if h["State"] not in PENDING:
            raise Refusal("InvalidHandshakeTransitionException", f"A handshake that is {h['State']} cannot become {wanted}.")

    def accept(self, number, handshake_id):
        with self.lock:
            h = self.handshake(handshake_id)
            if not self._is_target(h, number):
                raise Refusal("AccessDeniedException", "Only the recipient may accept.")
            self._pending(h, "ACCEPTED")
            if h["Action"] == "INVITE":
                if any(o["management"] == number for o in self.organizations.values()):
                    raise Refusal("MasterCannotLeaveOrganizationException", "A management account cannot leave its organization.")
                self.join(number, h["organization"], "INVITED")
            self._end(h, "ACCEPTED")
            return h

    def decline(self, number, handshake_id):
        with self.lock:
            h = self.handshake(handshake_id)
            if not self._is_target(h, number):
                raise Refusal("AccessDeniedException", "Only the recipient may decline.")
            self._pending(h, "DECLINED")
            self._end(h, "DECLINED")
            return h

    def cancel(self, caller, handshake_id):
        h = self.handshake(handshake_id)
        if self.managed_by(caller)["Id"] != h["organization"]:
            raise Refusal("AccessDeniedException", "Only the sender may cancel.")
        self._pending(h, "CANCELED")
        self._end(h, "CANCELED")
        return h

    # --- billing transfers: in the request `Target` is the one invited, in the record it is the `Source` ---

    def invite_transfer(self, caller, target, start, name):
        organization = self.managed_by(caller)
        if start != _month_start(start):
            reason = "START_DATE_NOT_BEGINNING_OF_DAY" if start.day == 1 else "START_DATE_NOT_BEGINNING_OF_MONTH"
            raise Refusal("InvalidInputException", "a transfer starts with a month", Reason=reason)
        if start <= self._now:
            raise Refusal("InvalidInputException", "a transfer starts in the future", Reason="START_DATE_TOO_EARLY")
        if target == caller["account"]:
            raise Refusal("HandshakeConstraintViolationException", "nobody transfers to himself", Reason="SOURCE_AND_TARGET_CANNOT_MATCH")
        rid = _id("rt-")
        h = self._new_handshake(organization, "TRANSFER_RESPONSIBILITY", target, "ACCOUNT", rid)
        self.transfers[rid] = {"Id": rid, "Name": name, "Type": "BILLING", "Status": "REQUESTED", "source": target, "target": caller["account"],
                               "organization": organization["Id"], "StartTimestamp": start, "EndTimestamp": None, "ActiveHandshakeId": h["Id"]}
        return h

    def terminate_transfer(self, caller, rid, end):
        t = self.transfers.get(rid)
        if not t or caller["account"] not in (t["source"], t["target"]):
            raise Refusal("ResponsibilityTransferNotFoundException", "There is no such transfer.")
        if t["Status"] != "ACCEPTED":
            raise Refusal("InvalidResponsibilityTransferTransitionException", f"A transfer that is {t['Status']} cannot end.")
        if end is not None and _month_start(end + datetime.timedelta(seconds=1)) != end + datetime.timedelta(seconds=1):
            raise Refusal("InvalidInputException", "a transfer ends with a month", Reason="END_DATE_NOT_END_OF_MONTH")
        next_month = _month_start(_month_start(self._now) + datetime.timedelta(days=32))
        t["EndTimestamp"] = end or next_month - datetime.timedelta(seconds=1)
        t["Status"] = "WITHDRAWN"
        return t

    def transfer_shape(self, t, direction):
        def party(number):
            return {"ManagementAccountId": number, "ManagementAccountEmail": self.accounts[number]["Email"]}
        return {"Arn": f"arn:aws:organizations::{t['target']}:transfer/{t['organization']}/billing/{direction}/{t['Id']}", "Name": t["Name"], "Id": t["Id"],
                "Type": t["Type"], "Status": t["Status"], "Source": party(t["source"]), "Target": party(t["target"]), "StartTimestamp": t["StartTimestamp"],
                "EndTimestamp": t["EndTimestamp"], "ActiveHandshakeId": t["ActiveHandshakeId"]}

    # --- tax ---

    def register_tax(self, number, registration_id, country="AE", legal_name="Legal Name", address=None, status="Verified", kind="VAT"):
        self.accounts[number]["registration"] = {"registrationId": registration_id, "registrationType": kind, "legalName": legal_name, "status": status}
        self.accounts[number]["address"] = address or {"addressLine1": "1 Street", "city": "Dubai", "postalCode": "00000", "countryCode": country}

    def tax_details(self, number):
        """What ListTaxRegistrations says of an account: its own registration, or the management account's where it inherits."""
        a = self.accounts[number]
        payer = self.organizations[a["organization"]]["management"] if a["organization"] else number
        inherits = payer != number and self.accounts[payer]["heritage"] == "OptIn" and not a["registration"]
        source = self.accounts[payer] if inherits else a
        shape = {"accountId": number, "accountMetaData": {"accountName": a["Name"]}}
        if source["registration"]:
            shape["taxRegistration"] = {**source["registration"], "jurisdiction": {"countryCode": source["address"]["countryCode"]}}
        if source["address"]:
            shape["accountMetaData"].update(address=source["address"], addressType="TaxAddress")
        if inherits:
            shape["taxInheritanceDetails"] = {"parentEntityId": payer, "inheritanceObtainedReason": "inherited from the management account"}
        return shape

    # --- support plans and what AWS charges for them ---

    def month(self):
        return self._now.strftime("%Y-%m")

    def number(self, text):
        """A test may plant what is no number."""
        try:
            return decimal.Decimal(text)
        except decimal.InvalidOperation:
            return decimal.Decimal()

    def charge_support(self, payer, month, account, plan, charge, basis, discount=None, kind="Distributor_Discount", tiers=()):
        """All numbers are text, as AWS sends them. `tiers`: (rate, slice, charge)."""
        shape = {"accountId": account, "supportPlanName": plan, "totalCharge": charge, "totalUsageBasis": basis,
                 "tierCharges": [{"tierDescription": f"{rate} of {part}", "tierRate": rate, "usageSlice": part, "tierCharge": fee} for rate, part, fee in tiers],
                 "supportEligibleSpendByService": [{"contributingService": "AmazonEC2", "itemType": "Usage", "chargeAmount": basis, "currency": "USD"}]}
        if discount:
            shape["supportDiscount"] = {"discountAmount": discount, "discountPercentage": "0.12", "discountType": kind, "discountSource": "a programme"}
        self.support.setdefault((payer, month), {})[account] = shape

    def charge_enterprise(self, payer, month, charge, spend, discount="0", percentage="7.4", minimum="15000", name="Enterprise Support"):
        start = datetime.datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        end = _month_start(start + datetime.timedelta(days=32))
        self.enterprise_support[payer, month] = {
            "payerAccountId": payer, "billingMonth": month, "billingPeriodStartDate": start, "billingPeriodEndDate": end, "isEstimated": False,
            "billDate": end, "supportCharge": charge, "totalSupportCharge": charge, "supportDiscount": discount, "totalSupportEligibleSpend": spend,
            "totalSupportEligibleUsageSpend": spend, "totalSupportEligibleReservedInstanceSpend": "0", "totalSupportEligibleSavingsPlanSpend": "0",
            "supportChargePercentage": percentage,
            "supportEffectivePricingPlan": {"name": name, "minimumCharge": minimum, "tiers": [
                {"tierMinimum": "0", "tierMaximum": "150000", "baseCharge": "0", "additionalPercentageOfAggregateCharges": "10",
                 "aggregateChargesAdjustment": "0", "incremental": True}]}}

    def support_of(self, caller, month):
        """Only a management account may ask."""
        if self.organization_of(caller)["management"] != caller["account"]:
            raise Refusal("AccessDeniedException", "You don't have permissions to access this resource.")
        return self.support.get((caller["account"], month), {})

    # --- roles ---

    def assume(self, caller, arn, session_name, external_id, seconds):
        role = self.roles.get(arn)
        good = role and (role["trusts"] is None or role["trusts"] == caller["account"]) and \
            (role["external_id"] is None or role["external_id"] == external_id)
        if not good:   # AWS does not say which of these it was
            raise Refusal("AccessDenied", f"User: {caller['arn']} is not authorized to perform: sts:AssumeRole on resource: {arn}")
        key = "ASIA" + secrets.token_hex(8).upper()
        expires = self.wall() + datetime.timedelta(seconds=min(seconds or 3600, self.session_seconds))
        session_arn = f"arn:aws:sts::{role['account']}:assumed-role/{role['name']}/{session_name}"
        self.keys[key] = {"secret": secrets.token_urlsafe(30), "token": secrets.token_urlsafe(120), "account": role["account"], "arn": session_arn,
                          "expires": expires, "actions": role["actions"], "role": arn}
        return key, expires.replace(microsecond=0), session_arn
