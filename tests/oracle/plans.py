"""AWS Support plans as data (rating.md section 6): a minimum a month and graduated bands, for months from <= month < to."""
from dataclasses import dataclass

from . import dec


@dataclass(frozen=True)
class Band:
    """A slice: `percent` (of tiers: rate) up to `up_to` (None: without end)."""
    up_to: int | None
    percent: int


@dataclass(frozen=True)
class Plan:
    """`bands` None: not known, so nobody can be billed by it."""
    id: str
    start: str
    to: str
    currency: str
    minimum: int
    bands: tuple | None

    def in_force(self, month):
        return self.start <= month and (not self.to or month < self.to)


def graduated(raw, where):
    """Bands from YAML: ascending borders, the last has none."""
    bands = tuple(Band(dec.parse(band["up_to"]) if band.get("up_to") else None, dec.parse(band["percent"])) for band in raw)
    borders = [band.up_to for band in bands[:-1]]
    if not bands or bands[-1].up_to is not None or None in borders or borders != sorted(set(borders)):
        raise ValueError("%s: bands need ascending borders, the last has none" % where)
    return bands


def _built_in(name, minimum, percents, borders=("10000", "80000", "250000"), start="", to=""):
    bands = tuple(Band(dec.parse(border) if border else None, dec.parse(percent)) for border, percent in zip((*borders, ""), percents)) if percents else None
    return Plan(name, start, to, "USD", dec.parse(minimum), bands)


_ENTERPRISE = ("150000", "500000", "1000000")
LEGACY_END = "2027-01"                                   # the last month of the legacy plans is 2026-12
BUILT_IN = {plan.id: plan for plan in (
    _built_in("developer", "29", ("3",), (), to=LEGACY_END),
    _built_in("business_public", "100", ("10", "7", "5", "3"), to=LEGACY_END),
    _built_in("enterprise_on_ramp", "5500", ("10",), (), to=LEGACY_END),
    _built_in("enterprise", "15000", ("10", "7", "5", "3"), _ENTERPRISE),
    _built_in("business_plus", "29", ("9", "7", "5", "3"), start="2026-01"),
    _built_in("enterprise_2026", "5000", ("10", "7", "5", "3"), _ENTERPRISE, start="2026-01"),
    _built_in("unified_operations", "50000", None, start="2026-01"),
    _built_in("partner_led", "7500", ("10", "7", "5", "3"), _ENTERPRISE))}
TYPES = ("developer", "business_public", "business_plus", "enterprise")      # types of a group that name the plan of the same id
