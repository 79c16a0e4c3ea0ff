"""Months for the fault tests, and what must not change whatever happens to the processes.

A fault test runs months through a stack while processes are killed, stopped or doubled, and compares what users read with a
run of the same files in a stack where nothing happened: byte for byte, ids included. That is possible because the ids of
deliveries, runs and statements follow from contents alone (architecture.md section 3).
"""
from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Callable

import stack as stacks

PERIOD = "2025-06"
KEYS = "account,customer,line_item_type,class,product,usage_type,operation,region,unit,rule,currency"
RUN_SECONDS = 300   # far above what a run takes, with every pause of a killed member


def setting(name: str, default: int) -> int:
    """A number of the environment: CURMILL_FAULT_<name>."""
    return int(os.environ.get("CURMILL_FAULT_" + name) or default)


@dataclasses.dataclass(frozen=True)
class Month:
    """One delivery of one payer. `written`: what the generator says that the files hold."""
    payer: str
    lane: str
    rows: int
    folder: pathlib.Path
    written: dict = dataclasses.field(compare=False, hash=False)

    @property
    def ingest(self) -> tuple[str, ...]:
        return "ingest", "--payer", self.payer, "--period", PERIOD

    @property
    def store(self) -> pathlib.Path:
        return self.folder.with_name(self.folder.name + "-not-delivered")

    def deliver(self) -> None:
        """Puts the files where the payer's source looks. Before, a scan (each ingest-cur makes one as it starts) finds nothing."""
        self.store.rename(self.folder)

    def take_away(self) -> None:
        self.folder.rename(self.store)


def write_month(generate: Callable, folder: pathlib.Path, catalog: pathlib.Path, payer: str, lane: str, rows: int, chunks: int = 8,
                seed: int = 7) -> Month:
    """Writes a month of `payer` below `folder`, not yet delivered, and its documents into `catalog`."""
    here = folder / payer
    totals = folder / f"{payer}.totals.json"
    generate("--scenario", "bench", "--rows", rows, "--chunk-rows", -(-rows // chunks), "--payer", payer, "--model", lane,
             "--period", PERIOD, "--seed", seed, "--out", here, "--catalog", catalog, "--totals", totals, "--quiet")
    month = Month(payer, lane, rows, here, json.loads(totals.read_text())["versions"][-1])
    month.take_away()
    return month


# -- what users read

def read_all(stack: stacks.Stack, month: Month) -> dict[str, str]:
    """Everything that the command line says of a month, as it was printed."""
    def printed(*args: object) -> str:
        done = stack.cli_raw("--format", "json", *args)
        if done.returncode != 0:
            raise stacks.CommandFailed(done)
        return done.stdout

    of_month = "--payer", month.payer, "--period", PERIOD
    said = {
        "totals": printed("totals", *of_month),
        "totals by all keys": printed("totals", *of_month, "--by", KEYS),
        "totals by day": printed("totals", *of_month, "--by", "day,account,product"),
        "suspended": printed("suspended", "list", *of_month),
        "statements": printed("statement", "list", *of_month),
    }
    run = json.loads(said["totals"])["run"]
    said["run"] = printed("run", "show", run)
    for one in json.loads(said["statements"]):
        said[f"statement {one['id']} of {one['customer']}"] = printed("statement", "show", one["id"])
    return said


def identities(stack: stacks.Stack, month: Month) -> dict[str, str]:
    """Count and digest of the batches that the current run applied: the same set of ids with the same contents."""
    return stack.sql(
        "SELECT count(*) AS batches, sum(lines) AS lines, md5(string_agg(concat_ws(' ', chunk, sequence, shard, digest, lines), ','"
        " ORDER BY chunk, sequence, shard)) AS digest FROM applied_batch JOIN current_run USING (run_id)"
        f" WHERE payer = '{month.payer}' AND period = '{PERIOD}'")[0]


def assert_complete(stack: stacks.Stack, month: Month) -> None:
    """Nothing lost, nothing twice, judged by the files themselves."""
    totals = stack.cli("totals", "--payer", month.payer, "--period", PERIOD, "--by", "line_item_type,account")
    assert totals["complete"] and totals["state"] == "current", totals | {"groups": "..."}
    assert totals["lines"] == month.rows
    ours = {(g["line_item_type"], g["account"], g["currency"]): (g["lines"], g["payer"], g["list"]) for g in totals["groups"]}
    theirs = {(g["line_item_type"], g["account"], g["currency"]): (g["lines"], g["payer"], g["list"])
              for g in month.written["groups"]}
    wrong = {key: (ours.get(key), theirs.get(key)) for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
    assert not wrong, f"(curmill, the files): {list(wrong.items())[:10]}"
    run = stack.cli("run", "show", totals["run"])
    assert sum(c["lines_read"] for c in run["chunks"]) == month.rows
    assert all(c["ended"] and c["lines_read"] == c["lines_applied"] and c["checksums_equal"] for c in run["chunks"]), run["chunks"]
    assert all(c["read"] == c["applied"] for c in run["control_costs"]), run["control_costs"]
    assert int(identities(stack, month)["lines"]) == month.rows
    days = stack.cli("totals", "--payer", month.payer, "--period", PERIOD, "--by", "day")
    assert sum(g["lines"] for g in days["groups"]) == month.rows
    left = stack.sql(f"SELECT relname FROM pg_class WHERE relname LIKE '%part_{totals['run']}'")
    assert not left, "parts of a complete run are left"


def assert_no_alarm(stack: stacks.Stack) -> None:
    """No run was stopped or failed, no record was set aside."""
    assert stack.sql("SELECT id, payer, state, reason FROM run WHERE state IN ('stopped', 'failed')") == []
    assert stack.cli("dead-letter", "list") in (None, [])


@dataclasses.dataclass
class Reference:
    """What a month must look like: taken where nothing happened."""
    said: dict[str, str]
    identities: dict[str, str]

    @classmethod
    def of(cls, stack: stacks.Stack, month: Month) -> "Reference":
        assert_complete(stack, month)
        return cls(read_all(stack, month), identities(stack, month))

    def assert_same(self, stack: stacks.Stack, month: Month) -> None:
        assert_no_alarm(stack)
        assert_complete(stack, month)
        assert identities(stack, month) == self.identities
        said = read_all(stack, month)
        assert said.keys() == self.said.keys()
        for what, text in self.said.items():
            assert said[what] == text, f"{what} of payer {month.payer} differs:\n{first_difference(text, said[what])}"


def first_difference(a: str, b: str) -> str:
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"  without faults: ...{a[max(0, at - 200):at + 200]!r}\n  with faults:    ...{b[max(0, at - 200):at + 200]!r}"


# -- a run under way

@dataclasses.dataclass(frozen=True)
class Progress:
    state: str    # '' before the run is registered
    lines: int    # applied
    ended: int    # chunks that are read and applied to their end's record


class Running:
    """A run that was asked for and is on its way. Asks the database directly, over the pauses of a killed server."""

    def __init__(self, stack: stacks.Stack, month: Month):
        self.stack, self.month = stack, month
        self.began = time.monotonic()
        stack.cli(*month.ingest)

    def look(self) -> Progress | None:
        """None while the database is away."""
        try:
            rows = self.stack.sql(
                "SELECT r.state, coalesce(sum(k.applied_lines), 0) AS lines, count(*) FILTER (WHERE k.ended) AS ended FROM run r"
                f" LEFT JOIN run_chunk k ON k.run_id = r.id WHERE r.payer = '{self.month.payer}' GROUP BY r.id")
        except stacks.CommandFailed:
            return None
        return Progress(rows[0]["state"], int(rows[0]["lines"]), int(rows[0]["ended"])) if rows else Progress("", 0, 0)

    def running(self) -> bool:
        now = self.look()
        return now is None or now.state in ("", "running")

    def await_lines(self, share: float, timeout: float = RUN_SECONDS) -> Progress:
        """Until that share of the lines is applied; the run must still be on its way then."""
        def there():
            now = self.look()
            return now if now and (now.lines >= share * self.month.rows or now.state not in ("", "running")) else None

        now = stacks.wait_until(there, timeout, f"{share:.0%} of the lines of payer {self.month.payer} are applied", pause=0.02)
        assert now.state == "running", f"too late for a fault: the run is {now.state}; use more rows"
        return now

    def await_end(self, timeout: float = RUN_SECONDS) -> float:
        """Until the run is over and its statements are up to date; seconds since it was asked for."""
        try:
            stacks.wait_until(lambda: not self.running(), timeout, f"the run of payer {self.month.payer} ends")
        except AssertionError as error:
            logs = "\n".join(f"--- {w.name}\n{self.stack.tail(w.name, 15)}" for w in self.stack.all_workers()
                             if w.lane == self.month.lane)
            raise AssertionError(f"{error}; {self.look()}\n{logs}") from None
        took = time.monotonic() - self.began
        self.stack.cli(*self.month.ingest, "--wait")
        return took

    def longest_pause(self, timeout: float = RUN_SECONDS) -> float:
        """Watches from now to the end of the run: the longest time without a line more."""
        moved, last, longest = time.monotonic(), None, 0.0
        end = moved + timeout
        while time.monotonic() < end:
            now, at = self.look(), time.monotonic()
            if now is not None:
                if last is None:
                    last = now
                if now != last:
                    longest, moved, last = max(longest, at - moved), at, now
                if now.state not in ("", "running"):
                    return longest
            time.sleep(0.05)
        raise AssertionError(f"the run of payer {self.month.payer} did not end within {timeout:g} s; {self.look()}")


def run_all(stack: stacks.Stack, months: list[Month]) -> None:
    """All at once, without faults."""
    for running in [Running(stack, month) for month in months]:
        running.await_end()


def processed(stack: stacks.Stack, worker: stacks.Worker) -> float:
    """Records or lines that this process has handled since it started."""
    try:
        series = stack.metrics(worker)
    except (AssertionError, ValueError):
        return 0.0
    return sum(value for name, value in series.items() if "records_processed_total" in name)


def terminate_backends(stack: stacks.Stack, programs: tuple[str, ...]) -> int:
    """Ends the database sessions of these programs, as an administrator or a failover does; how many."""
    names = ", ".join(f"'{name}'" for name in programs)
    rows = stack.sql(f"SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity WHERE application_name IN ({names})")
    return int(rows[0]["n"])
