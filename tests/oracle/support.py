"""What customers pay for AWS Support (rating.md section 6), for the charges of one customer, lane and currency."""
from typing import NamedTuple

from . import when
from .dec import HUNDRED, ONE, check, half_even, percent_of

_LAYERS = {"payer": 2, "list": 3, "buy": 4, "sell": 5}


class Fee(NamedTuple):
    """Of an account under a payer, while a group held."""
    payer: str
    account: str
    group: str
    sell: int
    buy: int


class Answer(NamedTuple):
    fees: list
    group_missing: bool              # AWS support lines while no group held
    plan_ended: bool                 # a charge belongs to a group whose plan does not hold


def banded(base, bands):
    """A graduated fee: each band's percent on the part of the base inside it, rounded once."""
    total, floor = 0, 0
    for band in bands:
        top = base if band.up_to is None else min(base, band.up_to)
        total += max(top - floor, 0) * band.percent
        floor = top
    return check(half_even(total, HUNDRED))


def holds(catalog, group, currency, period):
    """Whether the group's plan gives a price: it is in force, has bands, and none of its money is in another currency."""
    if not group.plan:
        return True
    plan, terms = catalog.plans[group.plan], group.at(period)
    if not plan.in_force(period) or plan.bands is None:
        return False
    uses_money = (terms.percent is None and len(plan.bands) > 1) or (terms.minimum is None and plan.minimum)
    return currency == plan.currency or not uses_money


def plan_fee(catalog, group, base, currency, period, held=(1, 1)):
    """What a group asks for a base; None where its plan does not hold. `held`: part of the month, for the minimum."""
    terms = group.at(period)
    if not holds(catalog, group, currency, period):
        return None
    if base <= 0:
        return 0
    if group.type == "business":
        fee, minimum = percent_of(base, 10 * ONE if terms.percent is None else terms.percent), terms.minimum or 0       # N02, N03
    else:
        plan = catalog.plans[group.plan]
        fee = banded(base, plan.bands) if terms.percent is None else percent_of(base, terms.percent)
        minimum = plan.minimum if terms.minimum is None else terms.minimum
    return max(fee, check(half_even(minimum * held[0], held[1])))


def share_out(amount, bases):
    """{place: amount} by the bases above zero; what is left goes to the largest base, of equals to the smaller place."""
    bases = {place: base for place, base in bases.items() if base > 0}
    total = sum(bases.values())
    shares = {place: half_even(amount * base, total) for place, base in bases.items()}
    if shares:
        shares[min(bases, key=lambda place: (-bases[place], place))] += amount - sum(shares.values())
    return shares


def _overlap(links, bounds):
    """Microseconds of a period that links hold, none counted twice."""
    total, reached = 0, bounds[0]
    for start, end in sorted((max(link.start, bounds[0]), bounds[1] if link.end is None else min(link.end, bounds[1])) for link in links):
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total


def _held(catalog, customer, group, lane, period, place=None):
    """(microseconds that the group held, microseconds of the month): for one (payer, account), or for any of the customer in the lane."""
    bounds = when.period_bounds(period)
    links = [link for at, links in catalog.links.items() for link in links
             if link.customer == customer and catalog.group_of(link, period) == group.id and (at == place if place else catalog.payer(at[0]).lane == lane)]
    return _overlap(links, bounds), bounds[1] - bounds[0]


def _bases(group, places, period):
    terms = group.at(period)
    return {place: sum(row[_LAYERS[terms.layer]] for charge, row in rows if charge.charge_class in terms.classes) for place, rows in places.items()}


def _passthrough(catalog, group, places):
    """AWS's support lines as they are: one row where the model suppresses them; else they carry sell themselves."""
    for (payer, account), rows in places.items():
        if catalog.payer(payer).model.suppresses_support:
            amount = sum(row[_LAYERS["payer"]] for charge, row in rows if charge.charge_class == "support")
            yield Fee(payer, account, group.id, amount, amount)


def _of_group(catalog, customer, group, places, currency, period):
    """(fees, whether the plan does not hold) of one group; places: (payer, account) -> rows."""
    if group.type == "basic":
        return [], False
    if group.type == "passthrough":
        return list(_passthrough(catalog, group, places)), False
    bases, buy_percent = _bases(group, places, period), group.at(period).buy_percent or 0
    lane = catalog.payer(next(iter(places))[0]).lane
    if group.over == "group":
        sums = [(sum(bases.values()), bases, _held(catalog, customer, group, lane, period))]
    else:
        sums = [(base, {place: base}, _held(catalog, customer, group, lane, period, place)) for place, base in bases.items()]
    fees, ended = [], False
    for base, own, held in sums:
        fee = plan_fee(catalog, group, base, currency, period, held)
        ended |= fee is None
        if fee is None or base <= 0:
            continue
        order = {(account, payer): amount for (payer, account), amount in own.items()}
        sells, buys = share_out(fee, order), share_out(percent_of(base, buy_percent), order)
        fees += [Fee(payer, account, group.id, sells[account, payer], buys[account, payer]) for account, payer in sells]
    return fees, ended


def support(catalog, rows, currency, period):
    """All of one customer, lane and currency; `rows`: (charge, amounts), tiers in place."""
    groups, missing, customer = {}, False, ""
    for charge, row in rows:
        customer = charge.customer
        if not charge.group:
            missing |= charge.charge_class == "support"                          # O15
            continue
        groups.setdefault(charge.group, {}).setdefault((charge.payer, charge.account), []).append((charge, row))
    fees, ended = [], False
    for group, places in groups.items():
        found, over = _of_group(catalog, customer, catalog.groups[group], places, currency, period)
        fees += found
        ended |= over
    return Answer(sorted(fees), missing, ended)


def refused(catalog, period):
    """Ids of groups that a link names in the month although their plan does not hold in it: errors of the catalog."""
    start, end = when.period_bounds(period)
    named = {catalog.group_of(link, period) for links in catalog.links.values() for link in links if link.start < end and (link.end is None or link.end > start)}
    return sorted(name for name in named - {""} if catalog.groups[name].plan and not catalog.plans[catalog.groups[name].plan].in_force(period))
