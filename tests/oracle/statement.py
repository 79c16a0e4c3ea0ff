"""Draft statements per end customer (rating.md section 6, statements.md section 3; S10-S12)."""
from typing import NamedTuple

from . import when
from .catalog import PUBLIC_PLANS
from .dec import HUNDRED, ONE, check, half_away, half_even, multiply, percent_of, show, unit_of
from .rate import SUSPENDED

_LAYERS = {"payer": 2, "list": 3, "buy": 4, "sell": 5}


class Item(NamedTuple):
    """One line of a document before conversion; `exact` in the source currency."""
    customer: str
    account: str
    product: str
    usage_type: str
    unit: str
    charge_class: str
    quantity: int
    exact: int


def banded(base, bands):
    """A graduated fee: each band's percent on the part of the base inside it, rounded once."""
    total, floor = 0, 0
    for band in bands:
        top = base if band.up_to is None else min(base, band.up_to)
        if band is bands[0] or top > floor:
            total += (top - floor) * band.percent
        if band.up_to is None:
            break
        floor = band.up_to
    return check(half_even(total, HUNDRED))


def plan_fee(group, base, currency, period):
    """What a group's plan asks for a base; None if the plan does not exist in the period or currency (S10, S11)."""
    if group.type == "business":
        percent = group.percent if group.percent is not None else 10 * ONE          # N02
        fee = percent_of(base, percent)
        return fee if group.minimum is None else max(fee, group.minimum)             # N03: no minimum by itself
    plan = PUBLIC_PLANS[group.type]
    start = when.period_bounds(period)[0]
    if currency != "USD" or (plan.valid_from is not None and start < plan.valid_from) \
            or (plan.valid_to is not None and start >= plan.valid_to):
        return None
    minimum = plan.minimum if group.minimum is None else group.minimum
    if group.percent is not None:
        fee = percent_of(base, group.percent)
    else:
        fee = banded(base, group.bands or plan.bands)
    return max(fee, minimum)


def latest_link(catalog, payer_id, account, customer, period):
    """The latest link of (payer, account, customer) that overlaps the period, or None."""
    start, end = when.period_bounds(period)
    links = [link for link in catalog.links.get((payer_id, account), ())
             if link.customer == customer and link.start < end and (link.end is None or link.end > start)]
    return max(links, key=lambda link: link.start) if links else None


def support_amount(catalog, payer_id, group, rows, currency, period):
    """The support fee of one (payer, account, customer) in one currency, or 0."""
    if group.type == "basic":
        return 0
    if group.type == "passthrough":
        if not catalog.payer(payer_id).model.suppresses_support:
            return 0                                     # the lines themselves carry sell (S9)
        return sum(row[_LAYERS["payer"]] for charge, row in rows if charge.charge_class == "support")
    base = sum(row[_LAYERS[group.layer]] for charge, row in rows if charge.charge_class in group.classes)
    return plan_fee(group, base, currency, period) or 0


def largest_remainder(exacts, currency):
    """statements.md section 3: (rounded amounts, their total), both counts of 10^-18."""
    unit = unit_of(currency)
    total = half_away(sum(exacts), unit)
    floors = [exact // unit for exact in exacts]
    missing = total - sum(floors)
    by_remainder = sorted(range(len(exacts)), key=lambda i: (-(exacts[i] % unit), i))
    for i in by_remainder[:missing]:
        floors[i] += 1
    assert sum(floors) == total, "largest remainder: %d of %d units placed" % (sum(floors), total)
    return [floor * unit for floor in floors], total * unit


def _bytes_of(item):
    return [part.encode() for part in item[:6]]


def _lines(rows):
    """Charge rows merged by the key of a statement line; zero sums left out (S12)."""
    merged = {}
    for charge, row in rows:
        key = (charge.customer, charge.account, charge.product, charge.usage_type, charge.unit, charge.charge_class)
        sums = merged.setdefault(key, [0, 0])
        sums[0] += row[1]
        sums[1] += row[5]
    return sorted((Item(*key, *sums) for key, sums in merged.items() if sums[1] != 0), key=_bytes_of)


def _support(catalog, rows, currency, period):
    """Support rows and whether a plan group is missing, for one customer's rows in one currency."""
    items, missing = [], False
    accounts = {}
    for charge, row in rows:
        accounts.setdefault((charge.payer, charge.account, charge.customer), []).append((charge, row))
    for (payer_id, account, customer), own in sorted(accounts.items()):
        link = latest_link(catalog, payer_id, account, customer, period)
        if link is None or not link.group:
            missing = missing or any(charge.charge_class == "support" for charge, _ in own)   # O15
            continue
        group = catalog.groups[link.group]
        exact = support_amount(catalog, payer_id, group, own, currency, period)
        if exact != 0:
            items.append(Item(customer, account, "AWSSupport", group.id, "", "support", ONE, exact))
    return sorted(items, key=_bytes_of), missing          # equal keys stay in order of payer


def _document(catalog, customer, lane, period, source, rows):
    """One document from one customer's charge rows in one source currency."""
    support, group_missing = _support(catalog, rows, source, period)
    items = _lines(rows) + support
    if source == customer.currency:
        rate, currency = ONE, customer.currency
    else:
        rate = catalog.rates.get(("reseller", source, customer.currency, period))
        currency = customer.currency if rate is not None else source
    exacts = [item.exact if rate in (None, ONE) else multiply(item.exact, rate) for item in items]
    amounts, subtotal = largest_remainder(exacts, currency)
    unit = unit_of(currency)
    taxes = [(name, percent, half_away(subtotal * percent, HUNDRED * unit) * unit) for name, percent in customer.tax]
    shut = set()
    if rate is None:
        shut.add("FX_MISSING")
    if group_missing:
        shut.add("SUPPORT_PLAN_GROUP_MISSING")
    return {
        "kind": "statement", "reseller": customer.reseller, "lane": lane, "period": period,
        "customers": [{"id": customer.id, "name": customer.name}],
        "currency": currency, "rate": None if rate is None else show(rate),
        "lines": [{"customer": item.customer, "account": item.account, "product": item.product,
                   "usage_type": item.usage_type, "unit": item.unit, "class": item.charge_class,
                   "quantity": show(item.quantity), "amount_exact": show(exact), "amount": show(amount)}
                  for item, exact, amount in zip(items, exacts, amounts)],
        "subtotal": show(subtotal),
        "tax": [{"name": name, "percent": show(percent), "amount": show(amount)} for name, percent, amount in taxes],
        "total": show(subtotal + sum(amount for _, _, amount in taxes)),
    }, shut


def _suspended_accounts(charges_list):
    """(payer, account) that have suspended lines, and customers named on them."""
    return {(charge.payer, charge.account) for charges in charges_list for charge in charges.rows
            if charge.charge_class == SUSPENDED}


def statements(catalog, charges_list, period, lane=None, customer=None):
    """All draft documents of a period, from the charges of several payers; sorted by lane, customer, currency.

    `gates` of the answer lists the shut gates that depend on data alone: {"code": ..., "open": false}.
    """
    buckets = {}
    for charges in charges_list:
        if charges.period != period:
            raise ValueError("charges of %s given for %s" % (charges.period, period))
        payer_lane = catalog.payer(charges.payer).lane
        for charge, row in charges.rows.items():
            if charge.customer and charge.charge_class != SUSPENDED:
                key = (payer_lane, charge.customer, charge.currency)
                buckets.setdefault(key, []).append((charge, row))
    suspended = _suspended_accounts(charges_list)
    not_final = {charges.payer for charges in charges_list if charges.final_lines != charges.lines}
    documents = []
    for (doc_lane, customer_id, source), rows in sorted(buckets.items()):
        if (lane and doc_lane != lane) or (customer and customer_id != customer):
            continue
        document, shut = _document(catalog, catalog.customers[customer_id], doc_lane, period, source, rows)
        own = {(payer_id, account) for payer_id, account in suspended
               if catalog.payer(payer_id).lane == doc_lane
               and latest_link(catalog, payer_id, account, customer_id, period)}
        if own:
            shut.add("SUSPENDED")
        if not_final & {charge.payer for charge, _ in rows}:
            shut.add("NOT_FINAL")
        document["gates"] = [{"code": code, "open": False} for code in sorted(shut)]
        documents.append(document)
    return documents
