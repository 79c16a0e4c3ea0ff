"""Discounts that stand in columns (rating.md section 2a): derived lines beside a line's own, and the three alerts of a run."""
from .catalog import BUILT_IN_TYPES
from .dec import ONE, check, show

# Keys of the map `discount`, without case and underscores.
_TYPES = {kind.lower(): kind for kind in ("EdpDiscount", "PrivateRateDiscount", "RiVolumeDiscount", "SppDiscount", "DistributorDiscount", "BundledDiscount")}
_DISCOUNTS = ("provider_discount", "bundled_discount")
_TOLERANCE = ONE // 100


def type_of(key):
    """The line item type of a derived line, from its key in the map."""
    return _TYPES.get(key.replace("_", "").lower(), "Discount")


def difference(line):
    """D: what the columns say the line costs more than its unblended cost; None where the report has no such columns."""
    if line.discounts is None:
        return None
    if line.net is not None:
        return check(line.net - line.cost)
    if line.discounts:
        return check(sum(amount for _, amount in line.discounts))
    return line.total_discount or 0


def derived(line):
    """([derived line, ...], whether the map does not explain D)."""
    amount = difference(line)
    if not amount:
        return [], False
    told = sum(value for _, value in line.discounts)
    if told in (amount, -amount):
        sign = 1 if told == amount else -1
        parts = [(type_of(key), sign * value) for key, value in line.discounts if value]
    else:
        parts = [("Discount", amount)]
    return [line._replace(line_item_type=kind, quantity=0, cost=value, on_demand=0, net=None, discounts=None, total_discount=None)
            for kind, value in parts], told not in (amount, -amount)


class Alerts:
    """What a run says about its discounts; `found`: dicts with a code."""

    def __init__(self, types):
        self.types = types
        self.found = []
        self.derived, self.own = {}, {}                  # (currency, line item type) -> sum; own: lines without a net value
        self.by_columns, self.by_lines, self.filled = {}, {}, set()      # a legacy report: currency -> sum

    def _is_discount(self, line):
        return (BUILT_IN_TYPES.get(line.line_item_type) or self.types.get(line.line_item_type)) in _DISCOUNTS

    def see(self, line, lines, unexplained):
        """A line, its derived ones, and whether their map did not add up."""
        if unexplained:
            self.found.append({"code": "DISCOUNT_UNEXPLAINED", "row": line.row, "currency": line.currency, "amount": show(difference(line))})
        for one in lines:
            key = (one.currency, one.line_item_type)
            self.derived[key] = self.derived.get(key, 0) + one.cost
        if not self._is_discount(line):
            if line.discounts is None and line.net is not None:
                self.filled.add(line.currency)
                self.by_columns[line.currency] = self.by_columns.get(line.currency, 0) + line.net - line.cost
        elif line.discounts is None:
            self.by_lines[line.currency] = self.by_lines.get(line.currency, 0) + line.cost
        elif line.net is None:
            key = (line.currency, line.line_item_type)
            self.own[key] = self.own.get(key, 0) + line.cost

    def close(self):
        """All alerts of the run."""
        twice = {}
        for key in self.own.keys() & self.derived.keys():
            sums = twice.setdefault(key[0], [0, 0])
            sums[0] += self.derived[key]
            sums[1] += self.own[key]
        for currency, sums in sorted(twice.items()):
            self.found.append({"code": "DISCOUNT_TWICE", "currency": currency, "columns": show(sums[0]), "lines": show(sums[1])})
        for currency in sorted(self.filled):
            sums = (self.by_columns[currency], self.by_lines.get(currency, 0))
            if abs(sums[0] - sums[1]) > _TOLERANCE:
                self.found.append({"code": "DISCOUNT_COLUMNS_DISAGREE", "currency": currency, "columns": show(sums[0]), "lines": show(sums[1])})
        return self.found
