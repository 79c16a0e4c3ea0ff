"""The reseller's own view of a document (rating.md section 7; R08, N05): sell, buy, FX margin by account, product, class and step."""
from . import month, support
from .dec import ONE, multiply

STEPS = ("charges", "support", "custom_charge", "reseller_credit", "provider_discount_arrears")
_SHIFT = ("covered_usage", "commitment_offset", "commitment_fee")


def support_buy(catalog, rows, period):
    """{account: amount} what the reseller pays for the support rows of one customer and currency."""
    answer = {}
    for fee in support.support(catalog, rows, rows[0][0].currency, period).fees if rows else ():
        answer[fee.account] = answer.get(fee.account, 0) + fee.buy
    return answer


def margin_rows(catalog, section, rows, period, discounts=()):
    """{(customer, account, product, step, class, earned): [sell, buy, fx, withheld, group missing]} of a section; amounts in the document's
    currency. `discounts`: (customer, account, product, currency, month that earned it, amount) credited in this month (N12)."""
    customer = section.customer
    rows = month.apply_tiers(catalog.books.get(customer.price_book), rows, period)
    buys, found = {}, {}
    for charge, row in rows:
        if charge.charge_class == "tax":
            continue
        key = (customer.id, charge.account, charge.product, "charges", charge.charge_class, "")
        own = buys.setdefault(key, [0, 0, False])
        own[0] += row[4]
        if charge.charge_class == "provider_discount" and row[4] == 0:
            own[1] -= row[2]
        own[2] |= charge.charge_class == "support" and not charge.group
    for account, amount in support_buy(catalog, rows, period).items():
        buys.setdefault((customer.id, account, "AWSSupport", "support", "support", ""), [0, 0, False])[0] += amount
    for owner, account, product, currency, earned, amount in discounts:
        if (owner, currency) == (customer.id, section.source):
            buys.setdefault((owner, account, product, STEPS[4], "provider_discount", earned), [0, 0, False])[0] -= amount
    rate = section.rate or ONE
    paid = catalog.rates.get(("distributor", section.source, customer.currency, period), rate) \
        if section.rate is not None and section.source != customer.currency else rate
    for key, (buy, withheld, missing) in buys.items():
        at_ours = buy if rate == ONE else multiply(buy, rate)
        found[key] = [0, at_ours, at_ours - (buy if paid == ONE else multiply(buy, paid)), withheld if rate == ONE else multiply(withheld, rate), missing]
    for position, (item, exact) in enumerate(zip(section.items, section.exacts)):
        step = "charges" if position < section.charge_items else item.charge_class
        found.setdefault((customer.id, item.account, item.product, step, item.charge_class, ""), [0, 0, 0, 0, False])[0] += exact
    return found


def cause(rows):
    """The first that fits, for the rows {(step, class): ...} of one account and product that makes a loss."""
    plain = sum(row[0] - row[1] for row in rows.values())
    withheld = sum(row[3] for row in rows.values())
    if any(row[4] and row[0] < row[1] for row in rows.values()):
        return "SUPPORT_GROUP_MISSING"
    if sum(row[0] - row[1] for (_, kind), row in rows.items() if kind in _SHIFT) < 0:
        return "COMMITMENT_SHIFT"
    if sum(row[0] - row[1] for (step, kind), row in rows.items() if kind == "credit" or step == "reseller_credit") < 0:
        return "CREDIT"
    if withheld and plain < 0 <= plain + withheld:
        return "DISCOUNT_WITHHELD_ELSEWHERE"
    return "PRICE_BELOW_BUY" if plain < 0 else "FX"


def margin(catalog, sections_with_rows, period, discounts=()):
    """Rows and losses of a document: [(key, sell, buy, fx)], [(customer, account, product, margin, cause)], both sorted. Losses are judged
    by the month's own charges."""
    rows, losses = [], []
    for section, charges in sections_with_rows:
        found = margin_rows(catalog, section, charges, period, discounts)
        groups = {}
        for (customer, account, product, step, kind, earned), row in found.items():
            if step != STEPS[4]:
                groups.setdefault((customer, account, product), {})[step, kind] = row
            if row[0] or row[1]:
                rows.append(((customer, account, product, step, kind, earned), *row[:3]))
        for key, own in groups.items():
            total = sum(row[0] - row[1] + row[2] for row in own.values())
            if total < 0:
                losses.append((*key, total, cause(own)))
    return sorted(rows), sorted(losses)
