"""What a distributor's invoice for one payer should say (R11, R08): our buy layer by account and product, with the support of the groups' buy percent (N05)."""
from . import margin
from .dec import ONE, multiply


def expected(catalog, charges, period, *, with_tax=False):
    """{(currency, account, product): exact buy}."""
    found, customers = {}, {}
    for charge, row in charges.rows.items():
        if charge.charge_class == "suspended" or (charge.charge_class == "tax" and not with_tax):
            continue
        key = (charge.currency, charge.account, charge.product)
        found[key] = found.get(key, 0) + row[4]
    for charge, row in charges.rows.items():
        if charge.charge_class != "suspended" and charge.customer:
            customers.setdefault((charge.customer, charge.currency), []).append((charge, row))
    for (_, currency), rows in customers.items():
        for account, amount in margin.support_buy(catalog, rows, period).items():
            if amount:
                key = (currency, account, "AWSSupport")
                found[key] = found.get(key, 0) + amount
    return found


def converted(catalog, expectation, currency, period):
    """The same in the invoice's currency, at the distributor's rate."""
    answer = {}
    for (source, account, product), amount in expectation.items():
        rate = ONE if source == currency else catalog.rates["distributor", source, currency, period]
        answer[account, product] = answer.get((account, product), 0) + (amount if rate == ONE else multiply(amount, rate))
    return answer
