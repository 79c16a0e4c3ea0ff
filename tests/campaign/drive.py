"""One month of the campaign: what a billing desk does with a world, in an order that nobody would choose. After each `statement issue` the
document is compared with the oracle."""
from __future__ import annotations

import collections
import random
import re

import deliveries
import model as models
import stack as stacks
import world as worlds

WHO = ("--by", "maria", "--reason", "campaign")
NEVER = {"RUN_INCOMPLETE", "PRICES_STALE", "FX_MISSING"}
CODES = re.compile(r"^\s{2,}([A-Z][A-Z_]{3,})\b", re.MULTILINE)
KEPT = 8                             # worlds in one catalog: fewer than share a month


class Desk:
    """Drives the command line for a stack; keeps the catalogs of the newest worlds in it."""

    def __init__(self, stack):
        self.stack = stack
        self.texts = collections.OrderedDict()
        self.folder = stack.data / "campaign"
        self.folder.mkdir(exist_ok=True)
        self.commands = {(group, word) for group in ("period", "delivery", "statement") for word in
                         re.findall(r"^  ([a-z-]+) ", stack.cli_raw(group, "--help").stdout, re.MULTILINE)}

    def try_(self, *args, timeout=300):
        """(exit code, JSON or None, text of errors)."""
        done = self.stack.cli_raw("--format", "json", *args, timeout=timeout)
        assert done.returncode in (0, 2, 3), "exit %d of curmill %s\n%s" % (done.returncode, " ".join(map(str, args)), done.stderr)
        return done

    def apply(self, seed, text):
        """The whole catalog, with this world's part as given; in force at once. The exit code."""
        before = self.texts.pop(seed, None)
        self.texts[seed] = text
        while len(self.texts) > KEPT:
            self.texts.popitem(last=False)
        folder = self.stack.data / "campaign-catalog"
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.yaml"):
            old.unlink()
        for name, one in self.texts.items():
            (folder / ("world-%04d.yaml" % name)).write_text(one)
        done = self.stack.cli_raw("--format", "json", "catalog", "apply", folder, *WHO, "--now")
        if done.returncode != 0:
            assert done.returncode in (1, 2), done.stderr
            if before is not None:
                self.texts[seed] = before
        return done


class Month:
    """A world, its model, and the log of what was done."""

    def __init__(self, desk, seed, steps=16):
        self.desk, self.seed, self.steps = desk, seed, steps
        self.rng = random.Random("month %d" % seed)
        self.world = worlds.World(seed)
        self.model = models.Model(self.world)
        self.log, self.count, self.found = [], collections.Counter(), []
        self.files = 0
        self.right = {}                                  # document -> whether it was right when it was approved

    def say(self, text, *values):
        self.log.append(text % values if values else text)

    # -- steps

    def run(self):
        """All steps; what was wrong, as text."""
        self._apply("first")
        for payer in self.world.payers:
            if self.rng.random() < 0.85:
                self._deliver(payer, self.world.month)
        self.model.remember("the beginning")
        steps = ([self.deliver] * 5 + [self.edit] * 4 + [self.approve] * 5 + [self.issue] * 7 + [self.settle] * 2 + [self.reopen, self.reopen, self.restore, self.accept]
                 + [self.give_back, self.void, self.rate_again])
        for _ in range(self.steps):
            self._states()
            self.rng.choice(steps)()
            self.model.remember(self.log[-1])
        self.approve(everything=True)
        self.issue(everything=True)
        return self.found

    def _apply(self, what):
        text = self.world.text()
        self.count["applied"] += 1
        done = self.desk.apply(self.seed, text)
        self.say("catalog apply %d (%s): exit %d", self.count["applied"], what, done.returncode)
        if done.returncode == 0:
            self.model.catalog = text
        else:
            self.say(done.stderr.strip())
        return done.returncode == 0

    def edit(self):
        """A change of the catalog, in force at once. Half of the time nobody waits for what it does."""
        before = self.world.__dict__.copy()
        saved = {name: _copy(before[name]) for name in ("customers", "links", "books", "groups", "rates", "extras")}
        what = self.world.edit(self.rng)
        if not self._apply(what):
            self.world.__dict__.update(saved)
            self.count["edits refused"] += 1
            return
        self.count["edits"] += 1
        if self.rng.random() < 0.5:
            self.wait()

    def wait(self):
        """Until no run of the world's payers is under way and its drafts are made."""
        def still():
            return not any(run["state"] in ("planned", "running", "queued") for payer in self.world.payers for run in self.desk.stack.cli("run", "list", "--payer", payer))

        stacks.wait_until(still, 60, "the runs of seed %d end" % self.seed, pause=0.2)

    def deliver(self):
        self._deliver(self.rng.choice(self.world.payers), self.rng.choice((self.world.month,) * 3 + self.world.months[1:]))

    def _deliver(self, payer, month):
        self._states()
        model, key = self.model, (payer, month)
        newest = model.newest.get(key)
        lines = deliveries.following(self.rng, self.world, payer, month, newest.lines) if newest else deliveries.first(self.rng, self.world, payer, month)
        held = False
        if newest and self.rng.random() < 0.12 and key not in model.settled:
            lines, held = deliveries.shrunk(newest.lines), ("delivery", "accept") in self.desk.commands and len(newest.lines) > 2
        elif self.rng.random() < 0.08:
            lines = lines + [deliveries.unknown(self.world, month)]
        self.files += 1
        final = self.rng.random() < 0.6
        path = deliveries.write(self.desk.folder / ("%04d-%s-%s-%d.csv" % (self.seed, payer, month, self.files)), "%d %d" % (self.seed, self.files), payer, month, lines, final)
        before = {one["delivery"] for one in self.desk.stack.cli("delivery", "list", "--payer", payer)}
        done = self.desk.try_("ingest", "--payer", payer, "--period", month, "--file", path, "--wait", "--timeout", 120)
        self.say("ingest %s %s: %d lines, %s%s: exit %d", payer, month, len(lines), path.name, ", shrunk" if held else "", done.returncode)
        assert done.returncode == 0 or held, done.stderr
        new = [one["delivery"] for one in self.desk.stack.cli("delivery", "list", "--payer", payer) if one["delivery"] not in before]
        assert len(new) == 1, new
        model.delivered(models.Delivery(payer, month, path, lines, final, new[0]), held)
        self.count["deliveries"] += 1

    def _states(self):
        """What the program says of the periods."""
        self.model.states({(payer, row["period"]): row["state"] for payer in self.world.payers for row in self.desk.stack.cli("period", "list", "--payer", payer)
                           if row["period"] in self.world.months})

    def settle(self):
        month = self.rng.choice((self.world.month,) * 3 + self.world.months[1:])
        for payer in self.world.payers:
            done = self.desk.try_("period", "settle", "--payer", payer, "--period", month, *WHO)
            if done.returncode and ("period", "reopen") in self.desk.commands and "UNBILLED" in done.stderr:
                done = self.desk.try_("period", "settle", "--payer", payer, "--period", month, "--acknowledge-unbilled", *WHO)
            self.say("period settle %s %s: exit %d %s", payer, month, done.returncode, _first(done.stderr))
            self.count["settled" if done.returncode == 0 else "settle refused"] += 1
        self._states()

    def reopen(self):
        if ("period", "reopen") not in self.desk.commands or not self.model.settled:
            return
        _, month = self.rng.choice(sorted(self.model.settled))
        for payer in [payer for payer, at in sorted(self.model.settled) if at == month]:
            done = self.desk.try_("period", "reopen", "--payer", payer, "--period", month, *WHO)
            self.say("period reopen %s %s: exit %d %s", payer, month, done.returncode, _first(done.stderr))
            self.count["reopened" if done.returncode == 0 else "reopen refused"] += 1
        self._states()

    def restore(self):
        """An earlier delivery of an open month counts again."""
        keys = [key for key, older in sorted(self.model.superseded.items()) if older and key not in self.model.settled]
        if ("delivery", "restore") not in self.desk.commands or not keys:
            return
        key = self.rng.choice(keys)
        delivery = self.rng.choice(self.model.superseded[key])
        done = self.desk.try_("delivery", "restore", delivery.id, *WHO)
        self.say("delivery restore %s (%s): exit %d %s", delivery.id, delivery.path.name, done.returncode, _first(done.stderr))
        if done.returncode == 0:
            self.model.superseded[key].remove(delivery)
            self.model.delivered(delivery)
            self.count["restored"] += 1
        self._wait_some()

    def accept(self):
        """A person takes a delivery that shrank."""
        if ("delivery", "accept") not in self.desk.commands or not self.model.held:
            return
        key, delivery = self.rng.choice(sorted(self.model.held.items(), key=lambda pair: pair[0]))
        done = self.desk.try_("delivery", "accept", delivery.id, *WHO)
        self.say("delivery accept %s: exit %d %s", delivery.id, done.returncode, _first(done.stderr))
        if done.returncode == 0:
            self.model.delivered(self.model.held.pop(key))
            self.count["accepted"] += 1
        self._wait_some()

    def rate_again(self):
        payer, month = self.rng.choice(self.world.payers), self.world.month
        if (payer, month) in self.model.current and (payer, month) not in self.model.held:
            done = self.desk.try_("run", "start", "--payer", payer, "--period", month, *WHO, "--wait", "--timeout", 120)
            self.say("run start %s %s: exit %d %s", payer, month, done.returncode, _first(done.stderr))

    def _wait_some(self):
        if self.rng.random() < 0.5:
            self.wait()

    # -- documents

    def _documents(self, *states):
        # A monthly fee goes on into months that only other seeds of the shared stack deliver: those are not of this world.
        found = {row["id"]: row for payer in self.world.payers for row in self.desk.stack.cli("statement", "list", "--payer", payer)
                 if row["kind"] != "statement" or row["period"] in self.world.months}
        self.model.keep({one: row["state"] for one, row in found.items()})
        return [found[one] for one in sorted(found) if found[one]["state"] in states]

    def _some(self, rows, everything):
        return rows if everything else [row for row in rows if self.rng.random() < 0.6]

    def approve(self, everything=False):
        for row in self._some(self._documents("draft"), everything):
            done = self.desk.try_("statement", "approve", row["id"], "--by", "anna")
            self.say("statement approve %s %s: exit %d %s", row["id"][:8], row["kind"], done.returncode, _first(done.stderr))
            self.count["approved" if done.returncode == 0 else "approve refused"] += 1
            if done.returncode == 0:
                shown = self.desk.stack.cli("statement", "show", row["id"])
                answers = self.model.now(shown)
                good = [uses for want, uses in answers if not models.differences(shown, want)]
                self.right[row["id"]] = bool(good)
                self.count["approved stale"] += not good
                self.model.tell(shown, good[0] if good else answers[0][1] if answers else {}, "approved")

    def give_back(self):
        for row in self._some(self._documents("approved"), False):
            done = self.desk.try_("statement", "return", row["id"], *WHO)
            self.say("statement return %s: exit %d", row["id"][:8], done.returncode)

    def void(self):
        """Corrections only: a statement that is void is none of the campaign's questions."""
        for row in [row for row in self._documents("draft") if row["kind"] != "statement"][:1]:
            shown = self.desk.stack.cli("statement", "show", row["id"])
            done = self.desk.try_("statement", "void", row["id"], *WHO)
            self.say("statement void %s %s: exit %d", row["id"][:8], row["kind"], done.returncode)
            if done.returncode == 0:
                self.model.voided[shown["corrects"]["id"]] = shown
                self.count["voided"] += 1
        self._states()

    def issue(self, everything=False):
        for row in self._some(self._documents("approved"), everything):
            done = self.desk.try_("statement", "issue", row["id"], *WHO)
            codes = set(CODES.findall(done.stderr))
            if done.returncode and codes and not codes & NEVER:
                done = self.desk.try_("statement", "issue", row["id"], *WHO, "--override", *sorted(codes))
            self.say("statement issue %s %s: exit %d %s", row["id"][:8], row["kind"], done.returncode, " ".join(sorted(codes)))
            for code in codes:
                self.count["gate " + code] += 1
            if done.returncode == 0:
                self._judge(self.desk.stack.cli("statement", "show", row["id"]))
            else:
                self.count["issue refused"] += 1
            self._states()

    def _judge(self, document):
        """The document that has just been issued."""
        self.count["issued %s" % document["kind"]] += 1
        corrects = (document.get("corrects") or {}).get("id")
        answers = self.model.now(document)
        found = [models.differences(document, want) for want, _ in answers]
        good = [uses for (_, uses), differing in zip(answers, found) if not differing]
        if not good:
            self._wrong(document, min(found, key=len) if found else ["the oracle knows of no such document"])
        elif corrects in self.model.voided and _same(document, self.model.voided[corrects]):
            self._wrong(document, ["a person made the same correction void"])
        self.model.tell(document, good[0] if good else answers[0][1] if answers else {}, "issued")
        self.count["compared"] += 1

    def _wrong(self, document, differing):
        before = "right when it was approved" if self.right.get(document["id"]) else "wrong when it was approved already"
        earlier = self.model.as_of(document)
        before += ", as it stood after: " + earlier if earlier else ", and it never stood like that"
        self.count["wrong, once right" if earlier else "wrong, never right"] += 1
        self.found.append("seed %d: %s %s of %s (%s) was issued (%s); %s" % (
            self.seed, document["kind"], document["id"], document["period"], document["number"], before, "; ".join(differing[:4])))
        self.say("WRONG: %s", self.found[-1])


def _same(document, voided):
    return all(document[name] == voided[name] for name in ("lines", "subtotal", "tax"))


def _first(text):
    return text.strip().split("\n", 1)[0][:200]


def _copy(value):
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value
