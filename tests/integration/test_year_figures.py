"""A year against the oracle, with PostgreSQL alone: rating, drafts, issued documents, reseller credits, margins, corrections, provider discounts in
arrears; restatements before and after settling and issuing, accounts that move, both lanes, three consolidations (R01, R04-R08, N05, N12, N18,
I01-I03). Reports are rated by the program and by the oracle, months are closed by the program's own store (store-probe)."""
import json

import pytest

import stack as stacks
import years
from oracle import catalog as catalogs
from oracle import compare, correction, dec, discount, margin, statement, when
from years import MONTHS, PAYERS


@pytest.fixture(scope="module")
def postgres():
    """A server without Kafka and workers."""
    server = stacks.Stack(workers=False)
    try:
        yield server.up("postgres")
    finally:
        server.down()


def uses_of(sections):
    found = {}
    for section in sections:
        for credit, used in section.uses.items():
            found[credit] = found.get(credit, 0) + used
    return found


def less(one, other):
    return {key: one.get(key, 0) - other.get(key, 0) for key in {*one, *other} if one.get(key, 0) != other.get(key, 0)}


class Mirror:
    """What the oracle knows: the runs that count, states, issued documents, corrections, what they use of credits, discounts."""

    def __init__(self, catalog):
        self.catalog = catalog
        self.current, self.newest, self.state = {}, {}, {}              # (payer, month) -> ...
        self.ledgers = {payer: discount.Ledger(catalog.payer(payer).model.discount_arrears) for payer in PAYERS}
        self.documents = {}      # id -> {lane, month, key, document, uses, state, corrects}
        self.voided = {}         # id of an issued document -> the correction that a person made void, while the newest run says nothing else

    def run(self, payer, month, charges):
        settled = self.state.get((payer, month)) in ("settled", "closed")
        self.newest[payer, month] = charges
        if not settled:
            self.current[payer, month] = charges
            self.state[payer, month] = "final" if charges.lines == charges.final_lines else "estimated"
        self.ledgers[payer].run(month, discount.earned(self.catalog, charges))

    def settle(self, payer, month, state):
        if self.state[payer, month] not in ("settled", "closed"):
            self.ledgers[payer].settle(month)
        self.state[payer, month] = state

    def used(self, lane, month):
        """Of credits, by the documents of other months."""
        return correction.credits_used([one for one in self.documents.values() if one["lane"] == lane], month)

    def build(self, lane, month, runs):
        """{key: (document, uses, sections)} of a lane's month from `current` or `newest` runs."""
        charges = [runs[payer, month] for payer in PAYERS if PAYERS[payer] == lane and (payer, month) in runs]
        if not charges:
            return {}
        groups, _ = statement.grouped(self.catalog, charges, month, self.used(lane, month))
        return {key: (statement._document(self.catalog, lane, month, sections)[0], uses_of(sections), sections) for key, sections in groups.items()}

    def drafts(self, lane, month):
        """Remembers what is not issued yet; what it uses counts for later months."""
        made = self.build(lane, month, self.current)
        standing = {one["key"] for one in self.documents.values() if one["state"] == "issued" and one["month"] == month and not one["corrects"]}
        for key in [key for key, one in self.documents.items() if one["state"] == "draft" and not one["corrects"] and (one["lane"], one["month"]) == (lane, month)]:
            del self.documents[key]
        for key, (document, uses, _) in made.items():
            if key not in standing:
                self.documents["draft", lane, month, key] = {"lane": lane, "month": month, "key": key, "document": document, "uses": uses, "state": "draft",
                                                             "corrects": None}
        return made

    def credited(self, lane, month):
        return [one for payer in PAYERS if PAYERS[payer] == lane for one in self.ledgers[payer].credited(month)]


class Year:
    def __init__(self, postgres, folder, seed):
        self.database, self.reports = years.Database(postgres, f"year_{seed}"), years.Reports(folder, seed)
        self.rng = self.reports.rng
        self.probe = years.Probe(self.database.conninfo)
        self.mirror = Mirror(self.reports.catalog)
        self.seen = {"documents": 0, "corrections": 0, "credit_notes": 0, "late": 0, "arrears": 0, "losses": set(), "credits": 0, "second corrections": 0, "not made again": 0}
        self.probe("catalog", folder=str(folder / "catalog"))

    def run(self, payer, month, final):
        name, rated, ours = self.reports.write(payer, month, final)
        self.probe("run", name=name, payer=payer, lane=PAYERS[payer], period=month, lines=rated["lines"], final_lines=rated["final_lines"],
                   charges=rated["groups"])
        self.mirror.run(payer, month, ours)

    def refresh(self):
        for _ in range(3):       # corrections use credits, of which the drafts of later months know the round after
            self.probe("refresh")

    def stored(self, where):
        return self.database.sql("SELECT id, number, kind, state, lane, period, reseller, customer, currency, source_currency, document, corrects, payers,"
                                 f" correction FROM statement WHERE {where} ORDER BY id")

    def uses(self, lane, month):
        """Document -> credit -> amount."""
        found = {}
        for row in self.database.sql(f"SELECT statement_id, credit, trim_scale(amount) AS amount FROM credit_use WHERE lane = '{lane}' AND period = '{month}'"):
            found.setdefault(row["statement_id"], {})[row["credit"]] = dec.parse(row["amount"])
        return found

    def key_of(self, row):
        """The oracle's key of a document: every rate is there, so that its currency is the invoice's."""
        return (row["lane"], row["reseller"], row["customer"], row["source_currency"], row["currency"])

    def _margins(self, lane, month, rows, made):
        credited = self.mirror.credited(lane, month)
        for row in rows:
            sections = made[self.key_of(row)][2]
            want = margin.margin(self.mirror.catalog, [(section, section.rows) for section in sections], month, credited)
            got = self.probe("margin", id=row["id"])
            assert sorted(((*(one[name] for name in ("customer", "account", "product", "step", "class")), one["earned"] or ""),
                           *(dec.parse(one[name]) for name in ("sell", "buy", "fx"))) for one in got["rows"]) == want[0], row["id"]
            assert sorted((loss["customer"], loss["account"], loss["product"], dec.parse(loss["margin"]), loss["cause"]) for loss in got["negative"]) == want[1]
            sell, buy, fx, total = (dec.parse(got[name]) for name in ("sell", "buy", "fx", "margin"))
            assert total == sell - buy + fx == sum(dec.parse(one["margin"]) for one in got["rows"])       # without remainder
            assert sell == sum(dec.parse(line["amount_exact"]) for line in json.loads(row["document"])["lines"])
            self.seen["arrears"] += sum(one["step"] == "provider_discount_arrears" for one in got["rows"])
            self.seen["losses"] |= {loss[4] for loss in want[1]}

    def compare_drafts(self, month):
        """Every draft of the month, its margin, and what it uses of credits."""
        for lane in sorted(set(PAYERS.values())):
            made = self.mirror.drafts(lane, month)
            rows = self.stored(f"lane = '{lane}' AND period = '{month}' AND kind = 'statement'")
            got = [json.loads(row["document"]) for row in rows]
            found = compare.compare_statements(got, [document for document, _, _ in made.values()])
            assert not found, "\n".join(found[:20])
            uses = self.uses(lane, month)
            for row in rows:
                text = row["document"]
                assert not any(word in text for word in ('"buy', '"payer', 'margin', 'EdpDiscount', 'provider_discount', 'arrears')), row["id"]       # P13
                assert uses.get(row["id"], {}) == made[self.key_of(row)][1], row["id"]
                self.seen["credits"] += len(uses.get(row["id"], ()))
            self._margins(lane, month, rows, made)
            self.seen["documents"] += len(rows)

    def issue(self, month):
        """All documents of the month; periods that are final or settled are closed by the last."""
        for row in self.stored(f"period = '{month}' AND kind = 'statement'"):
            self.probe("approve", id=row["id"])
            self.probe("issue", id=row["id"])
            one = self.mirror.documents.pop(("draft", row["lane"], month, self.key_of(row)))
            self.mirror.documents[row["id"]] = {**one, "state": "issued"}
        for payer in PAYERS:
            if self.mirror.state[payer, month] in ("final", "settled"):
                self.mirror.settle(payer, month, "closed")
        self.refresh()

    def compare_states(self, month):
        for row in self.database.sql(f"SELECT payer, state FROM billing_period WHERE period = '{month}'"):
            assert row["state"] == self.mirror.state[row["payer"], month], (row, month)

    def _next_open(self, row, month):
        payers = row["payers"].strip("{}").split(",")
        month = when.next_period(month)
        while any(self.mirror.state.get((payer, month)) in ("settled", "closed") for payer in payers):
            month = when.next_period(month)
        return month

    def compare_corrections(self, month, lanes=tuple(sorted(set(PAYERS.values())))):
        """What the newest runs say more than the issued documents and their former corrections, in the lanes that had a new run."""
        for lane in lanes:
            rows = {row["corrects"]: row for row in
                    self.stored(f"lane = '{lane}' AND document::jsonb -> 'corrects' ->> 'period' = '{month}' AND state = 'draft'")}
            for key in [key for key, one in self.mirror.documents.items()
                        if one["corrects"] and (one["lane"], one["month"]) == (lane, month) and one["state"] == "draft"]:
                del self.mirror.documents[key]
            now, told = self.mirror.build(lane, month, self.mirror.newest), self.uses(lane, month)
            for row in self.stored(f"lane = '{lane}' AND period = '{month}' AND kind = 'statement' AND state = 'issued'"):
                standing = [one for one in self.mirror.documents.values() if one["corrects"] == row["id"] and one["state"] == "issued"]
                issued = {**self.mirror.documents[row["id"]]["document"], "id": row["id"], "number": row["number"]}
                document, uses, _ = now[self.key_of(row)]
                got = rows.pop(row["id"], None)
                want = correction.correction(issued, document, self._next_open(row, month), [one["document"] for one in standing])
                if row["id"] in self.mirror.voided:
                    if correction.same(want, self.mirror.voided[row["id"]]):
                        want, self.seen["not made again"] = None, self.seen["not made again"] + 1
                    else:
                        del self.mirror.voided[row["id"]]
                assert (got is None) == (want is None), (row["id"], want)
                if want is None:
                    continue
                found = json.loads(got["document"])
                assert {name: found[name] for name in want} == want
                uses = less(uses, self.mirror.documents[row["id"]]["uses"])
                for one in standing:
                    uses = less(uses, one["uses"])
                assert told.get(got["id"], {}) == uses, got["id"]
                self.mirror.documents[got["id"]] = {"lane": lane, "month": month, "key": None, "document": want, "uses": uses, "state": "draft", "corrects": row["id"]}
                self.seen["corrections"] += 1
                self.seen["second corrections"] += bool(standing)
                self.seen["credit_notes"] += want["kind"] == "credit_note"
            assert not rows, rows

    def issue_corrections(self, month):
        """Or make them void: then they are not told."""
        for row in self.stored(f"document::jsonb -> 'corrects' ->> 'period' = '{month}' AND state = 'draft'"):
            if self.rng.random() < 0.25:
                self.probe("void", id=row["id"])
                self.mirror.documents[row["id"]]["state"] = "void"
                self.mirror.voided[row["corrects"]] = self.mirror.documents[row["id"]]["document"]
                continue
            self.probe("approve", id=row["id"])
            self.probe("issue", id=row["id"])
            self.mirror.documents[row["id"]]["state"] = "issued"
        self.refresh()
        assert not self.stored(f"document::jsonb -> 'corrects' ->> 'period' = '{month}' AND state = 'draft'")

    def compare_discounts(self, months):
        """N12: earned(m) = applied + open, and where it is applied."""
        rows = self.database.sql("SELECT payer, applied_period, earned_period, customer, account, product, line_item_type, currency, trim_scale(amount) AS amount"
                                 " FROM discount_applied")
        got = {(row["payer"], row["applied_period"], row["earned_period"], row["customer"], row["account"], row["product"], row["line_item_type"], row["currency"]):
               dec.parse(row["amount"]) for row in rows}
        want = {(payer, month, earned_in, *key): amount for payer, ledger in self.mirror.ledgers.items() for month in months
                for (earned_in, key), amount in ledger.applied(month).items()}
        assert got == want
        told = {(row["payer"], row["period"]): dec.parse(row["amount"]) for row in
                self.database.sql("SELECT payer, period, trim_scale(sum(amount)) AS amount FROM discount_earned GROUP BY payer, period")}
        for payer, ledger in self.mirror.ledgers.items():
            for month in months:
                earned = sum(ledger.by_month.get(month, {}).values())
                applied = sum(amount for (who, _, earned_in, *_), amount in got.items() if (who, earned_in) == (payer, month))
                assert earned == applied + sum(ledger.open(month).values())
                assert told.get((payer, month), 0) == earned


def _close(year, month, rng):
    """The month before: some payers are settled, some are restated after that; everything is issued."""
    if rng.random() < 0.5:
        year.run(rng.choice(list(PAYERS)), month, rng.random() < 0.7)                      # restated, nothing settled yet
    settled = rng.sample(list(PAYERS), rng.randint(0, 3))
    for payer in settled:
        year.probe("refresh")
        year.probe("settle", payer=payer, period=month)
        year.mirror.settle(payer, month, "settled")
    if settled and rng.random() < 0.5:
        year.run(rng.choice(settled), month, True)                                         # a correction before anything is issued
        year.seen["late"] += 1
    year.refresh()
    year.compare_drafts(month)
    year.issue(month)
    year.compare_states(month)
    year.compare_corrections(month)


def _restate(year, month, rng):
    """A month that is issued, for a payer that delivers once more, or twice."""
    payer = rng.choice(list(PAYERS))
    for _ in range(rng.randint(1, 2)):
        year.run(payer, month, True)
        year.refresh()
        year.compare_corrections(month, (PAYERS[payer],))
        if rng.random() < 0.8:
            year.issue_corrections(month)
            year.compare_corrections(month, (PAYERS[payer],))


@pytest.mark.parametrize("seed", [1])
def test_a_year(postgres, tmp_path, seed):
    year = Year(postgres, tmp_path / "year", seed)
    rng = year.rng
    try:
        for position, month in enumerate(MONTHS):
            year.probe.now = "%s-17T00:00:00Z" % when.next_period(month)
            for payer in PAYERS:
                year.run(payer, month, rng.random() < 0.5)
            year.refresh()
            if position >= 1:
                _close(year, MONTHS[position - 1], rng)
            if position >= 2 and rng.random() < 0.8:
                _restate(year, MONTHS[rng.randint(max(0, position - 4), position - 2)], rng)
            year.compare_discounts(MONTHS[:position + 1])
    finally:
        year.probe.close()
    assert year.seen["documents"] >= 60 and year.seen["corrections"] >= 10 and year.seen["credit_notes"] and year.seen["second corrections"]
    assert year.seen["not made again"]
    assert year.seen["late"] and year.seen["arrears"] > 20 and year.seen["credits"] > 10
    assert year.seen["losses"] >= {"SUPPORT_GROUP_MISSING", "COMMITMENT_SHIFT", "CREDIT", "PRICE_BELOW_BUY", "FX"}
