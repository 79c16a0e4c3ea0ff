"""Adjustments and credit notes (statements.md sections 1 and 4): what the month is now, less what was told before.

Told: the issued document and its corrections that are approved or issued; drafts and void ones are not. Subtotal and each tax are
rounded(all of the month by the newest run) - the sum over what was told, so that the documents of a month add up to the month, to the unit.
Lines: exact amounts per (customer, account, product, usage type, unit, class), sorted bytewise by that key, lines without a difference in money
left out, rounded so that they add up to the subtotal. No document where not a unit of the currency is left.
"""
from .dec import parse, show, unit_of

KEY = ("customer", "account", "product", "usage_type", "unit", "class")
TOLD = ("approved", "issued")


def _line_sums(documents_with_sign):
    sums = {}
    for sign, document in documents_with_sign:
        for line in document["lines"]:
            own = sums.setdefault(tuple(line[name] for name in KEY), [0, 0])
            own[0] += sign * parse(line["quantity"])
            own[1] += sign * parse(line["amount_exact"])
    return sums


def _taxes(documents_with_sign):
    """[(name, percent, amount)]: of the month as it is now first, then those that only earlier documents know."""
    sums = {}
    for sign, document in documents_with_sign:
        for tax in document["tax"]:
            key = (tax["name"], tax["percent"])
            sums[key] = sums.get(key, 0) + sign * parse(tax["amount"])
    return [(*key, amount) for key, amount in sums.items()]


def rounded_to(exacts, total, unit):
    """Largest remainder to a given total, which can be less than a unit away from the sum of the exact amounts on either side."""
    amounts = [exact // unit for exact in exacts]
    missing = total // unit - sum(amounts)
    if not exacts:
        assert missing == 0, "a difference of %d units without lines" % missing
        return []
    each, more = divmod(missing, len(exacts))
    by_remainder = sorted(range(len(exacts)), key=lambda i: (-(exacts[i] % unit), i))
    for position, i in enumerate(by_remainder):
        amounts[i] += each + (position < more)
    return [amount * unit for amount in amounts]


def correction(issued, now, period, told=()):
    """The document that corrects `issued` in `period`, None if there is nothing to correct. `now`: the document as it would be, None without
    charges; `told`: its corrections that are approved or issued."""
    unit = unit_of(issued["currency"])
    signed = [(1, now)] * (now is not None) + [(-1, one) for one in [issued, *told]]
    sums = _line_sums(signed)
    keys = sorted((key for key, own in sums.items() if own[1] != 0), key=lambda key: [part.encode() for part in key])
    subtotal = sum(sign * parse(document["subtotal"]) for sign, document in signed)
    taxes = _taxes(signed)
    total = subtotal + sum(amount for _, _, amount in taxes)
    exacts = [sums[key][1] for key in keys]
    amounts = rounded_to(exacts, subtotal, unit)
    if not any(amounts) and not any(amount for _, _, amount in taxes):
        return None             # not a unit of the currency: a later correction tells it, when it has grown
    return {
        "kind": "credit_note" if subtotal < 0 or (subtotal == 0 and total < 0) else "adjustment",
        **{name: issued[name] for name in ("reseller", "lane", "customers", "currency", "rate")},
        "period": period,
        "lines": [{**dict(zip(KEY, key)), "quantity": show(sums[key][0]), "amount_exact": show(exact), "amount": show(amount)}
                  for key, exact, amount in zip(keys, exacts, amounts)],
        "subtotal": show(subtotal),
        "tax": [{"name": name, "percent": percent, "amount": show(amount)} for name, percent, amount in taxes],
        "total": show(total),
        "corrects": {"number": issued.get("number"), "id": issued.get("id"), "period": issued["period"]},
    }


def same(one, other):
    """Whether two corrections say the same difference: in every line's money, the subtotal and the taxes."""
    if one is None or other is None:
        return one is other
    return all(_figures(one)[name] == _figures(other)[name] for name in ("lines", "subtotal", "tax"))


def _figures(document):
    return {"lines": [(*(line[name] for name in KEY), line["amount_exact"]) for line in document["lines"]], "subtotal": document["subtotal"],
            "tax": {(tax["name"], tax["percent"]): tax["amount"] for tax in document["tax"] if tax["amount"] != "0"}}


class Chain:
    """An issued document and its corrections, with what persons did to them."""

    def __init__(self, issued):
        self.issued = issued
        self.documents = []                  # [state, correction], in the order in which they were made
        self.voided = None                   # what a person made void, while the newest run says nothing else

    def told(self):
        """Corrections that count as told."""
        return [document for state, document in self.documents if state in TOLD]

    def draft(self):
        """The one that waits for a person, or None."""
        return next((document for state, document in self.documents if state == "draft"), None)

    def run(self, now, period):
        """The newest run says `now`: the draft is made again, or goes."""
        found = correction(self.issued, now, period, self.told())
        if not same(found, self.voided):
            self.voided = None
        self.documents = [one for one in self.documents if one[0] != "draft"]
        if found is not None and self.voided is None:
            self.documents.append(["draft", found])
        return self.draft()

    def change(self, state):
        """A person approves, issues, returns or voids the last document that is not issued and not void."""
        one = next(one for one in reversed(self.documents) if one[0] in ("draft", "approved"))
        one[0] = state
        if state == "void":
            self.voided = one[1]


def credits_used(documents, month):
    """{credit: amount} that the documents of other months use, for the month's own ones. `documents`: {"month", "state", "uses", "corrects"} of one
    lane; `month` of a correction is the month that it corrects. Earlier months count, also their drafts; of later ones what is told. What a
    correction gives back (a use below zero) counts only when it is issued."""
    sums = {}
    for one in documents:
        if one["state"] == "void" or one["month"] == month or (one["month"] > month and one["state"] not in TOLD):
            continue
        for credit, amount in one["uses"].items():
            if amount > 0 or not one["corrects"] or one["state"] == "issued":
                sums[credit] = sums.get(credit, 0) + amount
    return sums
