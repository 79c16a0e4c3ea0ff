"""What needs the whole month (rating.md section 5): tiers, custom charges, reseller credits."""
from . import when
from .dec import check, half_even, multiply, percent_of

_LAYERS = {"payer": 2, "list": 3, "buy": 4}


def tier_amount(price, quantity):
    """What a quantity costs by ("tiers", tiers, mode, over). Every product is rounded once; nothing or less costs nothing."""
    _, tiers, mode, _ = price
    if quantity <= 0:
        return 0
    if mode == "volume":
        rate = next(tier.percent for tier in tiers if tier.up_to is None or quantity <= tier.up_to)
        return multiply(quantity, rate)
    total, floor = 0, 0
    for tier in tiers:
        top = quantity if tier.up_to is None else min(quantity, tier.up_to)
        total += multiply(max(top - floor, 0), tier.percent)
        floor = top
    return check(total)


def tiers_rule(book, rule_id, period):
    """The tiers rule of that id in the latest version that holds in the period, or None."""
    if book is None:
        return None
    start, end = when.period_bounds(period)
    held = [version for version in book.versions if version.start < end]
    held = [version for version, following in zip(held, [*held[1:], None]) if following is None or following.start > start]
    for version in reversed(held):
        for rule in version.rules:
            if rule.id == rule_id:
                return rule if rule.price[0] == "tiers" else None
    return None


def apply_tiers(book, rows, period):
    """Rows (charge, amounts) of one customer and currency with the amounts of tiers in place.

    Charges that a tiers rule decided keep payer, list and buy but count no quantity and no sell; for each (account, payer, product, unit,
    class) a row is added with the rule's id as usage type, its quantity, and its share of the amount: after each place the share is
    amount x quantity so far / total, rounded once, in bytewise order of the places, class in the order of rating.md section 2, then by support plan group.
    """
    from .catalog import CLASSES

    kept, groups = [], {}
    for charge, row in rows:
        rule = tiers_rule(book, charge.rule, period) if charge.rule else None
        if rule is None:
            kept.append((charge, row))
            continue
        kept.append((charge, [row[0], 0, row[2], row[3], row[4], 0]))
        place = (charge.account, charge.payer, charge.product, charge.unit, charge.charge_class, charge.group)
        over = charge.account if rule.price[3] == "account" else ""
        places = groups.setdefault((rule.id, over), (rule, {}))[1]
        places.setdefault(place, [charge, 0])[1] += row[1]
    for (rule_id, _), (rule, places) in groups.items():
        total = sum(quantity for _, quantity in places.values())
        amount = tier_amount(rule.price, total)
        if amount == 0:
            continue
        so_far, given = 0, 0
        for place in sorted(places, key=lambda place: ([part.encode() for part in place[:4]], CLASSES.index(place[4]), place[5].encode())):
            charge, quantity = places[place]
            so_far += quantity
            share = half_even(amount * so_far, total)
            kept.append((charge._replace(usage_type=rule_id, rule=""), [0, quantity, 0, 0, 0, share - given]))
            given = share
    return kept


def is_due(charge, lane, period):
    """Whether a custom charge is due in the month on documents of the lane."""
    return charge.lane == lane and charge.start <= period and (charge.to is None or period < charge.to)


def custom_amounts(catalog, customer, lane, source, period, rows, items):
    """[(custom charge, amount)] on a customer's document, by id. `items`: its lines so far (charges and support), before merging zeros away."""
    answer = []
    for _, charge in sorted(catalog.custom_charges.items()):
        if charge.customer != customer or not is_due(charge, lane, period):
            continue
        if charge.percent is None:
            if charge.currency == source:
                answer.append((charge, charge.amount))
            continue
        if charge.layer == "sell":
            base = sum(item.exact for item in items if item.charge_class in charge.classes)
        else:
            base = sum(row[_LAYERS[charge.layer]] for one, row in rows if one.charge_class in charge.classes)
        answer.append((charge, percent_of(base, charge.percent)))
    return answer


def credit_amounts(catalog, customer, lane, source, period, owed, used):
    """[(credit, amount used)] against what is owed; `used`: credit id -> amount used by other months. Soonest to expire first."""
    usable = [credit for credit in catalog.credits.values()
              if (credit.customer, credit.lane, credit.currency) == (customer, lane, source)
              and credit.start <= period and (credit.expires is None or period < credit.expires)]
    answer = []
    for credit in sorted(usable, key=lambda one: (one.expires or "9999-99", one.start, one.id)):
        amount = min(max(credit.amount - used.get(credit.id, 0), 0), max(owed, 0))
        if amount:
            answer.append((credit, amount))
            owed -= amount
    return answer
