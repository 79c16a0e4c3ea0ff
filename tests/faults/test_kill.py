"""SIGKILL of a random worker at 30 random moments of runs of a million lines (architecture.md section 4): the same bytes in totals and
statements, nothing twice, nothing lost, no run stopped."""
import collections
import concurrent.futures
import random
import threading
import time

import fault_runs
import stack as stacks

KILLS = fault_runs.setting("KILLS", 30)
SEED = fault_runs.setting("SEED", 1)
PASSES = 6             # fresh stacks at most; a run that is over cannot be killed any more
NOT_WAITED_FOR = 0.4   # how often the next kill does not wait for the victim to be back: it may hit it while it starts
MOST_PAUSE = 0.3       # seconds after the victim is back
YOUNG_PAUSE = 1.5      # seconds after a kill that is not waited for
SESSION_TIMEOUT = 6000 # the least that a broker lets a consumer ask for: a killed one is missed for so long


class Kills:
    """How many are left, over both lanes."""

    def __init__(self, wanted: int):
        self.lock, self.wanted, self.done = threading.Lock(), wanted, []

    def left(self) -> int:
        with self.lock:
            return self.wanted - len(self.done)

    def of(self, program: str) -> int:
        with self.lock:
            return sum(worker.program == program for worker, _, _ in self.done)

    def add(self, *kill) -> bool:
        with self.lock:
            if len(self.done) >= self.wanted:
                return False
            self.done.append(kill)
            return True


def victim(stack, lane: str, kills: Kills, chance: random.Random) -> stacks.Worker:
    """One of those that work at this moment (any, if all wait), rather of a program that was not killed often yet."""
    workers = [w for w in stack.all_workers() if w.lane == lane]
    before = {w: fault_runs.processed(stack, w) for w in workers}
    time.sleep(0.05)
    busy = [w for w in workers if fault_runs.processed(stack, w) > before[w]] or workers
    return chance.choices(busy, [1 / (1 + kills.of(w.program)) for w in busy])[0]


def await_back(stack, worker, running) -> None:
    end = time.monotonic() + 60
    while running.running() and stack.http(worker, "/readyz")[0] != 200:
        assert time.monotonic() < end, f"{worker.name} does not come back\n{stack.tail(worker.name)}"
        time.sleep(0.02)


def kill_while_it_runs(stack, running, kills: Kills, chance: random.Random) -> None:
    time.sleep(chance.uniform(0, 0.5))
    while kills.left() > 0:
        worker = victim(stack, running.month.lane, kills, chance)
        now = running.look()
        if now.state not in ("", "running") or not kills.add(worker, now, time.monotonic() - running.began):
            return
        stack.kill_worker(worker)
        if chance.random() < NOT_WAITED_FOR:
            time.sleep(chance.uniform(0, YOUNG_PAUSE))
        else:
            await_back(stack, worker, running)
            time.sleep(chance.uniform(0, MOST_PAUSE))


def run_and_kill(stack, months, kills: Kills, chance: random.Random) -> list[float]:
    """Both lanes side by side, each with a killer of its own; seconds that the runs took."""
    def kill(month, own: random.Random) -> float:
        running = fault_runs.Running(stack, month)
        kill_while_it_runs(stack, running, kills, own)
        return running.await_end()

    with concurrent.futures.ThreadPoolExecutor(len(months)) as pool:
        return list(pool.map(kill, months, [random.Random(chance.random()) for _ in months]))


def test_workers_killed_at_random_moments_of_a_run_of_a_million_lines(big, reference, make_stack, figure):
    wanted = {month: reference(month) for month in big}
    kills, chance, passes = Kills(KILLS), random.Random(SEED), 0
    while kills.left() > 0:
        passes += 1
        assert passes <= PASSES, f"{len(kills.done)} kills in {PASSES} passes: set CURMILL_FAULT_ROWS higher"
        stack = make_stack(settings={"kafka.session.timeout.ms": SESSION_TIMEOUT})
        took = run_and_kill(stack, big, kills, chance)
        for month in big:
            wanted[month].assert_same(stack, month)
        seconds = ", ".join(f"{m.lane} {s:.1f} s" for m, s in zip(big, took))
        figure(f"kill: pass {passes}: {len(kills.done)} SIGKILLs so far; a run of {big[0].rows} lines took {seconds}")
        make_stack.down(stack)
    by_program = collections.Counter(worker.program for worker, _, _ in kills.done)
    for worker, now, at in kills.done:
        print(f"{at:7.2f} s  {worker.name:28} {now.lines:9} lines applied, {now.ended} chunks ended")
    figure(f"kill: {len(kills.done)} SIGKILLs in {passes} passes: " + ", ".join(f"{n} {c}" for n, c in sorted(by_program.items())))
    assert all(by_program[program] >= KILLS // 10 for program in stacks.LINE_WORKERS), by_program
