"""Links of org-linker beside the catalog's (rating.md section 3): the catalog's count; of the others the time that no link of the
catalog holds, and among them the one that begins first. Input: a JSON list of {payer, account, customer, from, to, group}."""
import copy
import json

from . import when
from .catalog import Catalog, Link


def read(path):
    """The given links of a file."""
    with open(path, encoding="utf-8") as file:
        return [Link(raw["payer"], raw["account"], raw["customer"], when.parse_time(raw["from"]),
                     when.parse_time(raw["to"]) if raw.get("to") else None, raw.get("group") or "") for raw in json.load(file)]


def _usable(catalog, link):
    """The link without the months whose terms its payer refuses (O06)."""
    customer = catalog.customers.get(link.customer)
    if link.payer not in catalog.payers or customer is None:
        return
    months = [None] + [start for start, _ in customer.terms]
    for month, following in zip(months, [*months[1:], None]):
        start = link.start if month is None else max(link.start, when.period_bounds(month)[0])
        ends = [end for end in (link.end, when.period_bounds(following)[0] if following else None) if end is not None]
        end = min(ends) if ends else None
        refused = customer.at(month or "").commitment_policy == "pass_through" and not catalog.payers[link.payer].model.allows_pass_through
        if not refused and (end is None or start < end):
            yield Link(link.payer, link.account, link.customer, start, end, link.group)


def _holds(link, instant):
    return link.start <= instant and (link.end is None or instant < link.end)


def _parts(own, given):
    """Every stretch of time between two borders goes to one link; stretches of one link that touch are one."""
    borders = sorted({link.start for link in own + given} | {link.end for link in own + given if link.end is not None})
    parts = []
    for position, begin in enumerate(borders):
        end = borders[position + 1] if position + 1 < len(borders) else None
        owner = next((link for link in own + given if _holds(link, begin)), None)
        if owner is None:
            continue
        if parts and parts[-1][0] is owner and parts[-1][2] == begin:
            parts[-1] = (owner, parts[-1][1], end)
        else:
            parts.append((owner, begin, end))
    return [Link(link.payer, link.account, link.customer, begin, end, link.group) for link, begin, end in parts]


def with_links(catalog, given):
    """A catalog with given links beside its own."""
    merged: Catalog = copy.copy(catalog)
    merged.links = dict(catalog.links)
    # The link begins, not its usable part.
    usable = [part for link in sorted(given, key=lambda link: (link.start, link.customer.encode())) for part in _usable(catalog, link)]
    for payer, account in {(link.payer, link.account) for link in usable}:
        mine = [Link(x.payer, x.account, x.customer, x.start, x.end, x.group if x.group in catalog.groups else "")
                for x in usable if (x.payer, x.account) == (payer, account)]
        merged.links[payer, account] = _parts(list(catalog.links.get((payer, account), [])), mine)
    return merged
