"""Adjustments and credit notes (statements.md sections 1 and 4): what an issued document would say now, less what was said already.

Lines: exact amounts per (customer, account, product, usage type, unit, class), sorted bytewise by that key, lines without a difference in money
left out. Rounded once like every document; no document where not a unit of the currency is left. Tax of one customer: subtotal x the issued document's percents. Of a document about several
customers, each with taxes of its own: the tax it would say now less the tax said before, per (name, percent).
"""
from .dec import HUNDRED, half_away, parse, show, unit_of
from .statement import largest_remainder

KEY = ("customer", "account", "product", "usage_type", "unit", "class")


def _sums(documents_with_sign):
    sums = {}
    for sign, document in documents_with_sign:
        for line in document["lines"]:
            own = sums.setdefault(tuple(line[name] for name in KEY), [0, 0])
            own[0] += sign * parse(line["quantity"])
            own[1] += sign * parse(line["amount_exact"])
    return sums


def _taxes(issued, former, now, subtotal, unit):
    if len(issued["customers"]) == 1:
        return [(tax["name"], tax["percent"], half_away(subtotal * parse(tax["percent"]), HUNDRED * unit) * unit) for tax in issued["tax"]]
    sums = {}
    for sign, document in [(1, now or {"tax": []})] + [(-1, one) for one in [issued, *former]]:
        for tax in document["tax"]:
            key = (tax["name"], tax["percent"])
            sums[key] = sums.get(key, 0) + sign * parse(tax["amount"])
    return [(*key, amount) for key, amount in sums.items()]


def correction(issued, now, period, former=()):
    """The document that corrects `issued` in `period`, None if there is nothing to correct. `now`: the document as it would be, None without
    charges; `former`: the corrections that were approved, issued or made void before."""
    unit = unit_of(issued["currency"])
    sums = _sums([(1, now)] * (now is not None) + [(-1, one) for one in [issued, *former]])
    keys = sorted((key for key, own in sums.items() if own[1] != 0), key=lambda key: [part.encode() for part in key])
    if not keys:
        return None
    exacts = [sums[key][1] for key in keys]
    amounts, subtotal = largest_remainder(exacts, issued["currency"])
    taxes = _taxes(issued, former, now, subtotal, unit)
    if not any(amounts) and not any(amount for _, _, amount in taxes):
        return None             # not a unit of the currency: a later correction tells it, when it has grown
    return {
        "kind": "credit_note" if subtotal < 0 else "adjustment",
        **{name: issued[name] for name in ("reseller", "lane", "customers", "currency", "rate")},
        "period": period,
        "lines": [{**dict(zip(KEY, key)), "quantity": show(sums[key][0]), "amount_exact": show(exact), "amount": show(amount)}
                  for key, exact, amount in zip(keys, exacts, amounts)],
        "subtotal": show(subtotal),
        "tax": [{"name": name, "percent": percent, "amount": show(amount)} for name, percent, amount in taxes],
        "total": show(subtotal + sum(amount for _, _, amount in taxes)),
        "corrects": {"number": issued.get("number"), "id": issued.get("id"), "period": issued["period"]},
    }
