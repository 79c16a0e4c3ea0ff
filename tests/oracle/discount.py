"""Provider discounts in arrears (N12): what a month earned is credited by a later month's invoice of the distributor.

Written from the rule, not from the program: the whole ledger follows from the newest run of each month and the order in which months were
settled. A month is applied in the first later one that was not settled, once that one has a run; what a settled month applied stays.
"""
from . import when


def earned(catalog, charges):
    """{(customer, account, product, line item type, currency): amount} of a payer's month; above zero where the reseller is owed."""
    found = {}
    if catalog.payer(charges.payer).model.discount_arrears == 0:
        return found
    for charge, row in charges.rows.items():
        if charge.charge_class == "provider_discount":
            key = (charge.customer, charge.account, charge.product, charge.line_item_type, charge.currency)
            found[key] = found.get(key, 0) - row[2]
    return found


class Ledger:
    """Of one payer. `arrears`: months between earning and applying."""

    def __init__(self, arrears=1):
        self.arrears = arrears
        self.by_month = {}                   # month -> {key: amount}
        self.settled = {}                    # month -> {(month earned, key): amount}, for ever

    def run(self, month, amounts):
        """The run that counts for a month, from now on."""
        self.by_month[month] = dict(amounts)

    def settle(self, month):
        """What the month applies now it applies for ever."""
        self.settled[month] = self.applied(month)

    def _target(self, month):
        for _ in range(self.arrears):
            month = when.next_period(month)
        while month in self.settled:
            month = when.next_period(month)
        return month if month in self.by_month else None

    def fixed(self, month):
        """{key: amount} of an earning month that stands in settled ones."""
        found = {}
        for applied in self.settled.values():
            for (earned_in, key), amount in applied.items():
                if earned_in == month:
                    found[key] = found.get(key, 0) + amount
        return found

    def rest(self, month):
        """{key: amount} that settled months do not hold."""
        own, fixed = self.by_month.get(month, {}), self.fixed(month)
        rest = {key: own.get(key, 0) - fixed.get(key, 0) for key in {*own, *fixed}}
        return {key: amount for key, amount in rest.items() if amount}

    def applied(self, month):
        """{(month earned, key): amount} that the invoice of a month credits."""
        if month in self.settled:
            return dict(self.settled[month])
        return {(earned_in, key): amount for earned_in in self.by_month if self._target(earned_in) == month
                for key, amount in self.rest(earned_in).items()}

    def open(self, month):
        """{key: amount} of an earning month that no month applies yet."""
        return {} if self._target(month) else self.rest(month)

    def credited(self, month):
        """What the margin of a month's documents needs: (customer, account, product, currency, month earned, amount)."""
        sums = {}
        for (earned_in, (customer, account, product, _, currency)), amount in self.applied(month).items():
            place = (customer, account, product, currency, earned_in)
            sums[place] = sums.get(place, 0) + amount
        return [(*place, amount) for place, amount in sums.items() if amount]
