"""Exact sums of a run by any keys, in the JSON of `curmill totals --format json` (cli.md)."""
from .dec import show

KEYS = {"account": "account", "customer": "customer", "line_item_type": "line_item_type", "class": "charge_class",
        "product": "product", "usage_type": "usage_type", "operation": "operation", "region": "region",
        "unit": "unit", "rule": "rule", "currency": "currency", "day": "day"}
SUMS = ("quantity", "payer", "list", "buy", "sell")


def totals(charges, by=()):
    """Groups sorted by their keys in the order asked for, then currency (S13)."""
    for key in by:
        if key not in KEYS:
            raise ValueError("unknown key %r; known: %s" % (key, ", ".join(KEYS)))
    names = list(dict.fromkeys([*by, "currency"]))
    groups = {}
    for charge, row in charges.rows.items():
        sums = groups.setdefault(tuple(getattr(charge, KEYS[name]) for name in names), [0] * 6)
        for position, value in enumerate(row):
            sums[position] += value
    answer = []
    for key in sorted(groups, key=lambda key: [part.encode() for part in key]):
        sums = groups[key]
        group = dict(zip(names, key))
        group["lines"] = sums[0]
        group.update((name, show(value)) for name, value in zip(SUMS, sums[1:]))
        answer.append(group)
    return {"payer": charges.payer, "period": charges.period, "complete": True, "lines": charges.lines,
            "suspended_lines": charges.suspended_lines, "derived_lines": charges.derived_lines, "groups": answer}
