"""Rating: one line to class, customer, rule and the four layers (rating.md sections 1-4), and the merged charges."""
from typing import NamedTuple

from . import derived, when
from .catalog import BUILT_IN_TYPES
from .dec import check, multiply, percent_of, plus_percent

SUSPENDED = "suspended"
_SUPPORT = ("awssupport", "awsdevelopersupport", "awsenterpriseonramp", "ocbpremiumsupport")
_NO_LIST = ("marketplace", "bundled_discount", "refund", "fee")
_BUY_BOOK = ("usage", "covered_usage", "commitment_offset", "commitment_fee", "fee", "marketplace",
             "bundled_discount", "refund")


class Suspend(Exception):
    """A line that can't be priced, with its reason code."""


class Rated(NamedTuple):
    customer: str
    charge_class: str
    rule: str
    reason: str
    payer: int
    list: int
    buy: int
    sell: int
    group: str = ""


class ChargeKey(NamedTuple):
    """What charges are merged by: every key that totals and statements ask for."""
    payer: str
    account: str
    customer: str
    line_item_type: str
    charge_class: str
    product: str
    usage_type: str
    operation: str
    region: str
    unit: str
    rule: str
    currency: str
    day: str
    reason: str
    group: str = ""                  # support plan group that held at the line's time


def charge_class(line, types, support_products=frozenset()):
    """Section 2: the first row that fits, or None (S1: support and marketplace don't look at the type). `support_products`: in lower case."""
    by_type = BUILT_IN_TYPES.get(line.line_item_type) or types.get(line.line_item_type)
    if by_type in ("tax", "provider_discount", "bundled_discount", "credit"):
        return by_type
    product = line.product.lower()
    if by_type == "support" or product.startswith(_SUPPORT) or product in support_products:
        return "support"
    if by_type == "commitment_fee" or (line.line_item_type in ("Fee", "Refund") and (line.reservation or line.savings_plan)):
        return "commitment_fee"
    if by_type == "refund":
        return by_type
    if by_type == "marketplace" or line.billing_entity == "AWS Marketplace":
        return "marketplace"
    return by_type


def matches(rule, line, charge, payer_id):
    """Whether a rule's match keys all hold for a line (section 4, the table of match keys; S15)."""
    for key, wanted in rule.match.items():
        if key == "usage_type" or key == "operation":
            text = line.usage_type if key == "usage_type" else line.operation
            if not any(pattern.fullmatch(text) for pattern in wanted):
                return False
        elif key == "marketplace":
            if (line.billing_entity == "AWS Marketplace") != wanted:
                return False
        else:
            value = {"service": line.product, "region": line.region, "sku": line.sku, "class": charge,
                     "line_item_type": line.line_item_type, "account": line.account, "payer": payer_id,
                     "unit": line.unit}[key]
            if value not in wanted:
                return False
    if rule.price[0] in ("rate", "tiers") and charge in ("refund", "bundled_discount"):
        return False
    return True


def first_match(version, line, charge, payer_id):
    """The rule with the lowest priority number that matches, or None."""
    for rule in version.rules:
        if matches(rule, line, charge, payer_id):
            return rule
    return None


def apply_rule(rule, line, charge, layers):
    """The price of one line by one rule. `layers` holds the layers that the book may read."""
    kind = rule.price[0]
    if kind == "percent":
        basis = layers["payer"] if charge in _NO_LIST else layers[rule.price[2]]
        return plus_percent(basis, rule.price[1])
    if kind == "rate":
        return multiply(line.quantity, rule.price[1])
    return layers["payer"] if kind == "pass" else 0     # tiers: when the month is closed


class Rater:
    """Rates the lines of one payer and period. Results for everything but amounts are remembered."""

    def __init__(self, catalog, payer_id, period):
        self.catalog = catalog
        self.payer = catalog.payer(payer_id)
        self.period = period
        self.bounds = when.period_bounds(period)
        self.times = {}
        self.found_links = {}
        self.found_customers = {}
        self.found_versions = {}
        self.found_rules = {}
        self.found_classes = {}

    def time_of(self, line):
        """S2: (instant, day). A line without a usage start stands at the period's start."""
        known = self.times.get(line.usage_start)
        if known is None:
            instant = when.parse_time(line.usage_start) if line.usage_start else self.bounds[0]
            instant = when.clamp(instant, self.bounds)
            known = self.times[line.usage_start] = (instant, when.day_of(instant))
        return known

    def _class(self, line):
        key = (line.line_item_type, line.product, line.billing_entity, bool(line.reservation or line.savings_plan))
        if key not in self.found_classes:
            self.found_classes[key] = charge_class(line, self.catalog.types, self.catalog.support_products)
        return self.found_classes[key]

    def _link(self, line, instant):
        """Section 3: (link or None, reason or "")."""
        key = (line.account, instant)
        known = self.found_links.get(key)
        if known is None:
            links = self.catalog.links.get((self.payer.id, line.account), ())
            held = [link for link in links if link.start <= instant and (link.end is None or instant < link.end)]
            if held:
                known = (held[0], "")
            elif line.account == self.payer.id:
                known = (None, "")
            elif any(link.start > instant for link in links):
                known = (None, "BEFORE_BILLED_FROM")
            else:
                known = (None, "UNKNOWN_ACCOUNT")
            self.found_links[key] = known
        return known

    def _rule(self, book_id, line, charge, instant):
        """The rule of a book for a line; suspends with CURRENCY or NO_PRICE (S6)."""
        if not book_id:
            raise Suspend("NO_PRICE")                    # before the first terms that name a book
        book = self.catalog.books[book_id]
        if line.currency != book.currency:
            raise Suspend("CURRENCY")
        at = (book_id, instant)
        if at not in self.found_versions:
            self.found_versions[at] = book.version_at(instant)
        version = self.found_versions[at]
        if version is None:
            raise Suspend("NO_PRICE")
        key = (book_id, version.start, charge, line.account, line.line_item_type, line.product, line.usage_type,
               line.operation, line.region, line.sku, line.unit, line.billing_entity)
        if key not in self.found_rules:
            self.found_rules[key] = first_match(version, line, charge, self.payer.id)
        rule = self.found_rules[key]
        if rule is None:
            raise Suspend("NO_PRICE")
        return rule

    def _buy(self, line, charge, instant, payer, listed):
        """Sections 4.2 and 4.7, S9."""
        model = self.payer.model
        if charge == "provider_discount":
            return payer if model.discount_is_bought else 0
        if charge == "support":
            return 0 if model.suppresses_support else payer
        if charge in _BUY_BOOK and self.payer.buy_book:
            rule = self._rule(self.payer.buy_book, line, charge, instant)
            return apply_rule(rule, line, charge, {"payer": payer, "list": listed})
        return payer                                    # tax, credit, or no buy book

    def _sell(self, line, charge, instant, link, payer, listed, buy):
        """Sections 4.2-4.6: (sell, rule id)."""
        if link.customer not in self.found_customers:
            self.found_customers[link.customer] = self.catalog.customers[link.customer].at(self.period)
        customer = self.found_customers[link.customer]
        if charge in ("tax", "provider_discount"):
            return 0, ""
        if charge == "support":
            group = self.catalog.groups.get(self.catalog.group_of(link, self.period))
            passes = not self.payer.model.suppresses_support and group is not None and group.type == "passthrough"
            return (payer if passes else 0), ""
        if charge == "credit":
            return {"keep": 0, "pass": payer, "split": percent_of(payer, customer.credit_percent)}[
                customer.credit_mode], ""
        if charge == "refund" and customer.refund_keeps:
            return 0, ""
        layers = {"payer": payer, "list": listed, "buy": buy}
        if charge in ("covered_usage", "commitment_offset", "commitment_fee"):
            if customer.commitment_policy == "pass_through":
                return payer, ""
            if charge != "covered_usage":
                return 0, ""
            if line.line_item_type == "DiscountedUsage" and line.quantity != 0 and line.on_demand == 0:
                raise Suspend("NO_LIST_PRICE")          # S8
            layers["payer"] = listed                    # S5: "where a rule says payer it reads list"
        rule = self._rule(customer.price_book, line, charge, instant)
        return apply_rule(rule, line, charge, layers), rule.id

    def rate(self, line):
        """Everything about one line's price. The first reason to suspend wins (S4)."""
        instant = self.time_of(line)[0]
        payer = line.cost
        listed = line.on_demand or payer
        link, reason = self._link(line, instant)
        customer, group = (link.customer, self.catalog.group_of(link, self.period)) if link else ("", "")
        charge = self._class(line)
        if charge is None:
            reason = "UNKNOWN_LINE_TYPE"
        if not reason:
            try:
                buy = self._buy(line, charge, instant, payer, listed)
                sell, rule = self._sell(line, charge, instant, link, payer, listed, buy) if link else (0, "")
                return Rated(customer, charge, rule, "", payer, listed, buy, sell, group)
            except Suspend as suspended:
                reason = str(suspended)
        return Rated(customer, SUSPENDED, "", reason, payer, listed, 0, 0, group)


class Charges:
    """The merged lines of one payer and period: ChargeKey -> [lines, quantity, payer, list, buy, sell]."""

    def __init__(self, payer_id, period):
        self.payer = payer_id
        self.period = period
        self.rows = {}
        self.lines = 0
        self.suspended_lines = 0
        self.final_lines = 0                             # lines with an InvoiceId (statements.md section 1)
        self.derived_lines = 0                           # section 2a: in the sums, not in the three counts above
        self.alerts = []

    def add(self, line, rated, day, is_derived=False):
        """Merge one rated line."""
        key = ChargeKey(self.payer, line.account, rated.customer, line.line_item_type, rated.charge_class,
                        line.product, line.usage_type, line.operation, line.region, line.unit, rated.rule,
                        line.currency, day, rated.reason, rated.group)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = [0, 0, 0, 0, 0, 0]
        row[0] += not is_derived
        row[1] += line.quantity
        row[2] += rated.payer
        row[3] += rated.list
        row[4] += rated.buy
        row[5] += rated.sell
        if is_derived:
            self.derived_lines += 1
            return
        self.lines += 1
        self.suspended_lines += rated.charge_class == SUSPENDED
        self.final_lines += line.invoice_id != ""


def rate_lines(catalog, payer_id, period, lines):
    """The charges of a payer and period from its lines."""
    rater = Rater(catalog, payer_id, period)
    charges = Charges(payer_id, period)
    alerts = derived.Alerts(catalog.types)
    for line in lines:
        day = rater.time_of(line)[1]
        charges.add(line, rater.rate(line), day)
        others, unexplained = derived.derived(line)
        for other in others:
            charges.add(other, rater.rate(other), day, is_derived=True)
        alerts.see(line, others, unexplained)
    charges.alerts = alerts.close()
    for row in charges.rows.values():
        for amount in row[1:]:
            check(amount)
    return charges


__all__ = ["ChargeKey", "Charges", "Rated", "Rater", "SUSPENDED", "charge_class", "first_match",
           "rate_lines"]
