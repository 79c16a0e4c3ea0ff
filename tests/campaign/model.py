"""What the oracle knows of a world: which catalog is in force for a month, which delivery counts, which documents were told. From that it
says at any moment what a document must say."""
from __future__ import annotations

import dataclasses
import functools
import pathlib

from oracle import catalog as catalogs
from oracle import correction, cur, rate, statement
from oracle.dec import parse

TOLD = ("approved", "issued")


@dataclasses.dataclass
class Delivery:
    payer: str
    month: str
    path: pathlib.Path
    lines: list
    final: bool
    id: str = ""                     # the program's


@dataclasses.dataclass
class Told:
    """A document as it was approved or issued."""
    id: str
    month: str                       # the month that it is about; of a correction: that it corrects
    kind: str
    key: tuple
    document: dict
    uses: dict
    state: str
    corrects: str | None


@functools.lru_cache(maxsize=64)
def _catalog(text):
    return catalogs.from_text(text)


@functools.lru_cache(maxsize=512)
def _charges(text, payer, month, path):
    return rate.rate_lines(_catalog(text), payer, month, cur.read_files([path], payer, month))


def uses_of(sections):
    found = {}
    for section in sections:
        for credit, amount in section.uses.items():
            found[credit] = found.get(credit, 0) + amount
    return found


def less(one, other):
    return {key: one.get(key, 0) - other.get(key, 0) for key in {*one, *other} if one.get(key, 0) != other.get(key, 0)}


class Model:
    def __init__(self, world):
        self.world = world
        self.catalog = ""                                # text in force
        self.settled = {}                                # (payer, month) -> catalog text in force when it was settled or closed
        self.current, self.newest = {}, {}               # (payer, month) -> Delivery
        self.superseded = {}                             # (payer, month) -> [Delivery], oldest first
        self.held = {}                                   # (payer, month) -> Delivery that shrank and waits for a person
        self.told = {}                                   # id -> Told
        self.voided = {}                                 # id of an issued document -> its correction that a person made void
        self.former = []                                 # (what was done then, catalog, current, newest), oldest first

    # -- what happens

    def delivered(self, delivery, held=False):
        key = delivery.payer, delivery.month
        if held:
            self.held[key] = delivery
            return
        self.held.pop(key, None)
        self.newest[key] = delivery
        if key not in self.settled:
            if key in self.current:
                self.superseded.setdefault(key, []).append(self.current[key])
            self.current[key] = delivery

    def states(self, states):
        """(payer, month) -> state, as the program says after each step: what settles keeps its catalog and delivery; what is reopened does not."""
        for key, state in states.items():
            if state in ("settled", "closed"):
                self.settled.setdefault(key, self.catalog)
            elif self.settled.pop(key, None) is not None and self.current.get(key) is not self.newest.get(key):
                self.superseded.setdefault(key, []).append(self.current[key])
                self.current[key] = self.newest[key]

    def catalogs_of(self, month):
        """Catalogs that a document of the month can rest on: of its settlement, else the one in force; two where only one payer is settled."""
        found = {self.settled.get((payer, month), self.catalog) for payer in self.world.payers if (payer, month) in self.newest}
        return sorted(found or {self.catalog})

    # -- what documents must say

    def used(self, month, text, runs):
        documents = [{"month": one.month, "state": one.state, "uses": one.uses, "corrects": one.corrects} for one in self.told.values()]
        for earlier in self.world.months:
            if earlier < month:
                told = {one.key for one in self.told.values() if one.month == earlier and one.kind == "statement"}
                documents += [{"month": earlier, "state": "draft", "uses": uses, "corrects": None}
                              for key, (_, uses) in self.build(earlier, text, runs).items() if key not in told]
        if hasattr(correction, "credits_used"):
            return correction.credits_used(documents, month)
        sums = {}
        for one in documents:
            if one["month"] < month or (one["month"] > month and one["state"] in TOLD):
                for credit, amount in one["uses"].items():
                    sums[credit] = sums.get(credit, 0) + amount
        return sums

    def build(self, month, text, runs, prices=""):
        """{key: (document, uses)} of all statements of a month, by the deliveries `runs` and a catalog for what is not rated. `prices`: another
        catalog for what is rated than the one in force for the month."""
        charges = [_charges(prices or self.settled.get(key, self.catalog), key[0], month, str(delivery.path)) for key, delivery in sorted(runs.items()) if key[1] == month]
        if not charges:
            return {}
        groups, _ = statement.grouped(_catalog(text), charges, month, self.used(month, text, runs))
        return {key: (statement._document(_catalog(text), self.world.lane, month, sections)[0], uses_of(sections)) for key, sections in groups.items()}

    def key_of(self, document):
        """What a document is about: its customer or, where the reseller consolidates, everything; and its currency."""
        who = document["customers"][0]["id"] if self.world.consolidation == "end_customer" else ""
        return who, document["currency"]

    def _made(self, month, runs):
        """For each catalog that can be the basis: {key: (document, uses)}."""
        for text in self.catalogs_of(month):
            yield {self.key_of(made): (made, uses) for made, uses in self.build(month, text, runs).values()}

    def statement_now(self, document):
        """[(document, uses), ...]: what a statement must say; several where the contract leaves it open."""
        key = self.key_of(document)
        return [made[key] for made in self._made(document["period"], self.current) if key in made]

    def correction_now(self, document):
        """The same of a correction; [] if there is nothing to correct."""
        issued = self.told.get(document["corrects"]["id"])
        base = {**issued.document, "id": issued.id} if issued else \
            {**document, "lines": [], "subtotal": "0", "tax": [], "period": document["corrects"]["period"], "id": None, "number": None}
        former = [one for one in self.told.values() if issued and one.corrects == issued.id and one.state in TOLD and one.id != document["id"]]
        answers = []
        for made in self._made(base["period"], self.newest):
            now, uses = made.get(self.key_of(base), (None, {}))
            want = correction.correction(base, now, document["period"], [one.document for one in former])
            if want is not None:
                for one in [issued] * (issued is not None) + former:
                    uses = less(uses, one.uses)
                answers.append((want, uses))
        return answers

    def now(self, document):
        return self.correction_now(document) if document["kind"] != "statement" else self.statement_now(document)

    def remember(self, what):
        """How things stand after a step."""
        self.former.append((what, self.catalog, dict(self.current), dict(self.newest)))

    def as_of(self, document):
        """After which former step a document that is wrong now was right: the oldest of the last stretch of them; "" if never."""
        stand, found = (self.catalog, self.current, self.newest, self.settled), ""
        for what, self.catalog, self.current, self.newest in reversed(self.former):
            self.settled = {}
            if any(not differences(document, want) for want, _ in self.now(document)):
                found = what
            elif found:
                break
        self.catalog, self.current, self.newest, self.settled = stand
        return found or ("that catalog for prices alone, " + self._old_price(document) if self._old_price(document) else "")

    def _old_price(self, document):
        """After which step a statement's charges were priced like that, with everything else as it is now."""
        if document["kind"] == "statement":
            for what, prices, *_ in reversed(self.former):
                made = self.build(document["period"], self.catalog, self.current, prices).values()
                if any(self.key_of(one) == self.key_of(document) and not differences(document, one) for one, _ in made):
                    return what
        return ""

    def tell(self, document, uses, state):
        """A document is approved or issued from now on."""
        corrects = (document.get("corrects") or {}).get("id")
        month = document["corrects"]["period"] if document.get("corrects") else document["period"]
        who, currency = self.key_of(document)
        self.told[document["id"]] = Told(document["id"], month, document["kind"], (self.world.lane, self.world.reseller, who, "USD", currency), document, uses, state, corrects)

    def keep(self, states):
        """Document id -> state, as the program says: what is approved no more is not told."""
        for one in list(self.told):
            if self.told[one].state == "approved" and states.get(one) not in TOLD:
                del self.told[one]


def differences(got, want):
    """What a document of the program says otherwise than the oracle; empty when they agree."""
    found = []
    for name in ("kind", "reseller", "lane", "currency", "rate", "subtotal", "total", "tax"):
        if got.get(name) != want[name]:
            found.append("%s is %s, the oracle says %s" % (name, got.get(name), want[name]))
    keys = ("customer", "account", "product", "usage_type", "unit", "class", "quantity", "amount_exact", "amount")
    ours, theirs = ([tuple(line[key] for key in keys) for line in one["lines"]] for one in (want, got))
    found += ["line %s is not the oracle's" % (line,) for line in theirs if line not in ours]
    found += ["line %s is missing" % (line,) for line in ours if line not in theirs]
    if not found and ours != theirs:
        found.append("the lines are in another order")
    assert sum(parse(line["amount"]) for line in got["lines"]) == parse(got["subtotal"]), "the lines do not add up"
    return found
