"""Draft statements in the three consolidation modes (rating.md sections 5, 6; statements.md sections 2, 3; S10-S12; N18, I01-I03)."""
from typing import NamedTuple

from . import month, support, when
from .dec import HUNDRED, ONE, half_away, multiply, show, unit_of
from .rate import SUSPENDED

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


def latest_link(catalog, payer_id, account, customer, period):
    """The latest link of (payer, account, customer) that overlaps the period, or None."""
    start, end = when.period_bounds(period)
    links = [link for link in catalog.links.get((payer_id, account), ())
             if link.customer == customer and link.start < end and (link.end is None or link.end > start)]
    return max(links, key=lambda link: link.start) if links else None


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


class Section(NamedTuple):
    """A customer's part of a document: its lines in one source currency, converted, not yet rounded."""
    customer: object
    source: str
    rate: int | None
    items: list
    exacts: list
    payers: set
    group_missing: bool
    plan_ended: bool
    uses: dict                       # credit id -> amount
    charge_items: int                # how many of the items come from charges; support, custom charges and credits follow
    rows: list                       # its charges, as they came

    @property
    def currency(self):
        """Of the document."""
        return self.source if self.rate is None else self.customer.currency


def _section(catalog, customer, lane, period, source, rows, used):
    """rating.md section 5 in its order: tiers, support, custom charges, credits, foreign exchange."""
    given, rows = rows, month.apply_tiers(catalog.books.get(customer.price_book), rows, period)
    owed = support.support(catalog, rows, source, period)
    lines = _lines(rows)
    # Equal keys stay in the order of payers.
    fees = sorted((Item(customer.id, fee.account, "AWSSupport", fee.group, "", "support", ONE, fee.sell) for fee in owed.fees if fee.sell), key=_bytes_of)
    items = lines + fees
    for charge, amount in month.custom_amounts(catalog, customer.id, lane, source, period, rows, items):
        if amount:
            items.append(Item(customer.id, "", charge.name, charge.id, "", "custom_charge", ONE, amount))
    custom = len(lines) + len(fees)
    items[custom:] = sorted(items[custom:], key=_bytes_of)
    credits = month.credit_amounts(catalog, customer.id, lane, source, period, sum(item.exact for item in items), used)
    items += [Item(customer.id, "", credit.name, credit.id, "", "reseller_credit", ONE, -amount) for credit, amount in credits]
    rate = ONE if source == customer.currency else catalog.rates.get(("reseller", source, customer.currency, period))
    exacts = [item.exact if rate in (None, ONE) else multiply(item.exact, rate) for item in items]
    return Section(customer, source, rate, items, exacts, {charge.payer for charge, _ in rows}, owed.group_missing, owed.plan_ended,
                   {credit.id: amount for credit, amount in credits}, len(lines), given)


def _taxes(sections, amounts, unit):
    """[(name, percent, amount)]: each customer's share of the rounded lines, shares of one tax added up, rounded once."""
    bases, position = {}, 0
    for number, section in enumerate(sections):
        share = sum(amounts[position:position + len(section.items)])
        position += len(section.items)
        for index, (name, percent) in enumerate(section.customer.tax):
            key = (name, percent) if len(sections) > 1 else (name, percent, index)
            bases[key] = bases.get(key, 0) + share
    return [(key[0], key[1], half_away(base * key[1], HUNDRED * unit) * unit) for key, base in bases.items()]


def _without_customers(sections):
    """I03: (items, exacts) merged over customers and accounts; what later steps made stays after the charges, in the order of steps."""
    merged = {}
    for section in sections:
        for position, (item, exact) in enumerate(zip(section.items, section.exacts)):
            step = 0 if position < section.charge_items else ("support", "custom_charge", "reseller_credit").index(item.charge_class) + 1
            sums = merged.setdefault((step, item.product, item.usage_type, item.unit, item.charge_class), [0, 0])
            sums[0] += item.quantity
            sums[1] += exact
    order = sorted((key for key in merged if merged[key][1] != 0), key=lambda key: (key[0], [part.encode() for part in key[1:]]))
    return [Item("", "", *key[1:], merged[key][0], 0) for key in order], [merged[key][1] for key in order]


def _document(catalog, lane, period, sections):
    """One document from one section, or from those of all customers of a reseller in one pair of currencies."""
    first = sections[0]
    mode = consolidation(catalog, first.customer)
    currency, unit = first.currency, unit_of(first.currency)
    items = [item for section in sections for item in section.items]
    exacts = [exact for section in sections for exact in section.exacts]
    amounts, subtotal = largest_remainder(exacts, currency)
    taxes = _taxes(sections, amounts, unit)
    if mode == "full":
        items, exacts = _without_customers(sections)
        amounts, again = largest_remainder(exacts, currency)
        assert again == subtotal
    shut = set()
    if first.rate is None:
        shut.add("FX_MISSING")
    if any(section.group_missing for section in sections):
        shut.add("SUPPORT_PLAN_GROUP_MISSING")
    if any(section.plan_ended for section in sections):
        shut.add("SUPPORT_PLAN_ENDED")
    return {
        "kind": "statement", "reseller": first.customer.reseller, "lane": lane, "period": period,
        "customers": [{"id": section.customer.id, "name": section.customer.name} for section in sections],
        "currency": currency, "rate": None if first.rate is None else show(first.rate),
        "lines": [{"customer": item.customer, "account": item.account, "product": item.product,
                   "usage_type": item.usage_type, "unit": item.unit, "class": item.charge_class,
                   "quantity": show(item.quantity), "amount_exact": show(exact), "amount": show(amount)}
                  for item, exact, amount in zip(items, exacts, amounts)],
        "subtotal": show(subtotal),
        "tax": [{"name": name, "percent": show(percent), "amount": show(amount)} for name, percent, amount in taxes],
        "total": show(subtotal + sum(amount for _, _, amount in taxes)),
    }, shut


def consolidation(catalog, customer):
    """end_customer, semi or full (N18)."""
    return catalog.resellers.get(customer.reseller, {}).get("consolidation", "end_customer")


def _suspended_accounts(charges_list):
    """(payer, account) that have suspended lines, and customers named on them."""
    return {(charge.payer, charge.account) for charges in charges_list for charge in charges.rows
            if charge.charge_class == SUSPENDED}


def _buckets(catalog, charges_list, period):
    """(lane, customer, currency) -> rows; also those that only a fixed custom charge makes, in lanes that have charges."""
    buckets, lanes = {}, set()
    for charges in charges_list:
        if charges.period != period:
            raise ValueError("charges of %s given for %s" % (charges.period, period))
        payer_lane = catalog.payer(charges.payer).lane
        lanes.add(payer_lane)
        for charge, row in charges.rows.items():
            if charge.customer and charge.charge_class != SUSPENDED:
                key = (payer_lane, charge.customer, charge.currency)
                buckets.setdefault(key, []).append((charge, row))
    for charge in catalog.custom_charges.values():
        if charge.percent is None and charge.lane in lanes and month.is_due(charge, charge.lane, period):
            buckets.setdefault((charge.lane, charge.customer, charge.currency), [])
    return buckets


def grouped(catalog, charges_list, period, used=None):
    """({(lane, reseller, customer or "", source, invoice currency): sections of a document}, credit id -> amount used by them)."""
    groups, uses = {}, {}
    for (lane, customer_id, source), rows in sorted(_buckets(catalog, charges_list, period).items()):
        customer = catalog.customers[customer_id].at(period)
        section = _section(catalog, customer, lane, period, source, rows, used or {})
        uses.update(section.uses)
        own = (customer_id, source, customer.currency) if consolidation(catalog, customer) == "end_customer" else ("", source, customer.currency)
        groups.setdefault((lane, customer.reseller, *own), []).append(section)
    return groups, uses


def close(catalog, charges_list, period, used=None):
    """(documents with their lane's shut gates, credit id -> amount used by them); `used`: the same of other months."""
    groups, uses = grouped(catalog, charges_list, period, used)
    suspended = _suspended_accounts(charges_list)
    not_final = {charges.payer for charges in charges_list if charges.final_lines != charges.lines}
    documents = []
    for (lane, *_), sections in groups.items():
        document, shut = _document(catalog, lane, period, sections)
        if any(catalog.payer(payer_id).lane == lane and latest_link(catalog, payer_id, account, section.customer.id, period)
               for payer_id, account in suspended for section in sections):
            shut.add("SUSPENDED")
        if not_final & {payer for section in sections for payer in section.payers}:
            shut.add("NOT_FINAL")
        document["gates"] = [{"code": code, "open": False} for code in sorted(shut)]
        documents.append(document)
    return documents, uses


def statements(catalog, charges_list, period, lane=None, customer=None, used=None):
    """All draft documents of a period, from the charges of several payers; sorted by lane, customer, currency.

    `gates` of the answer lists the shut gates that depend on data alone: {"code": ..., "open": false}. `used`: credit id -> amount used by
    other months.
    """
    return [document for document in close(catalog, charges_list, period, used)[0]
            if (not lane or document["lane"] == lane)
            and (not customer or any(one["id"] == customer for one in document["customers"]))]
