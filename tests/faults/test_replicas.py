"""Two copies of anything may run (architecture.md section 4, point 5): the same bytes as with one; also when one comes or goes in the
middle, and when one wakes up that was taken for dead."""
import signal
import time

import pytest

import fault_runs
import stack as stacks

REPLICAS = 2
SESSION_SECONDS = 8   # session.timeout.ms of the workers' consumers
ASLEEP_SECONDS = SESSION_SECONDS + 3


def test_two_replicas_of_each_worker(big, reference, stack, figure):
    wanted = {month: reference(month) for month in big}
    before = {worker: fault_runs.processed(stack, worker) for worker in stack.all_workers()}
    runs = [fault_runs.Running(stack, month) for month in big]
    took = [running.await_end() for running in runs]
    share = {worker: fault_runs.processed(stack, worker) - before[worker] for worker in stack.all_workers()}
    for month in big:
        wanted[month].assert_same(stack, month)
    figure("replicas: two of each: " + ", ".join(f"{m.lane} {s:.1f} s" for m, s in zip(big, took)) + "; shares: " +
           ", ".join(f"{w.name} {n:.0f}" for w, n in sorted(share.items(), key=lambda x: x[0].name)))
    assert all(n for worker, n in share.items() if worker.program in stacks.LINE_WORKERS), f"a replica did nothing: {share}"
    read = sum(n for worker, n in share.items() if worker.program == "ingest-cur")
    assert read < 1.5 * sum(month.rows for month in big), "chunks were read twice: both replicas planned them"


@pytest.mark.parametrize("program, lane", list(zip(stacks.LINE_WORKERS, ("tdsynnex", "ingram", "tdsynnex"))))
def test_a_worker_that_slept_longer_than_its_session(program, lane, small, reference, stack, figure):
    """SIGSTOP while it works, its partitions go to the other replica, SIGCONT: it goes on where it was, as a zombie."""
    month = small(lane)
    wanted = reference(month)
    worker = stacks.Worker(program, lane, 1)
    before = fault_runs.processed(stack, worker)
    running = fault_runs.Running(stack, month)
    stacks.wait_until(lambda: fault_runs.processed(stack, worker) > before, 60, f"{worker.name} works", pause=0.01)
    pid = stack.kill_worker(worker, signal.SIGSTOP)
    try:
        state = running.look().state
        assert state == "running", f"too late for a fault: the run is {state}; use more rows"
        time.sleep(ASLEEP_SECONDS)
        asleep = running.look()
    finally:
        stack.kill_worker(worker, signal.SIGCONT)
    took = running.await_end()
    assert stack.worker_pid(worker) == pid, "the zombie was to go on, not to be started again"
    stack.wait_ready([worker])
    wanted.assert_same(stack, month)
    time.sleep(1)
    wanted.assert_same(stack, month)
    figure(f"replicas: {worker.name} slept {ASLEEP_SECONDS} s: {asleep.lines} of {month.rows} lines were applied when it woke "
           f"({asleep.state}); the run took {took:.1f} s")


def in_transaction(stack) -> bool:
    """Whether a session of invoice-writer has been inside a transaction for a while and waits for its client."""
    return bool(stack.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'invoice-writer' AND wait_event = 'ClientRead'"
                          " AND xact_start IS NOT NULL AND state_change < now() - interval '0.3 s'"))


def test_a_writer_that_slept_inside_a_transaction(small, reference, stack, figure):
    """It holds the ids that it inserted: the other replica waits for it rather than apply them a second time."""
    month = small("ingram")
    wanted = reference(month)
    worker = stacks.Worker("invoice-writer", "ingram", 2)
    tries, before = 0, fault_runs.processed(stack, worker)
    running = fault_runs.Running(stack, month)
    stacks.wait_until(lambda: fault_runs.processed(stack, worker) > before, 60, f"{worker.name} works", pause=0.01)
    try:
        while True:
            tries += 1
            stack.kill_worker(worker, signal.SIGSTOP)
            time.sleep(0.35)
            if in_transaction(stack) or not running.running():
                break
            stack.kill_worker(worker, signal.SIGCONT)
            time.sleep(0.005 * (tries % 7))
        assert running.running(), f"too late for a fault after {tries} stops; use more rows"
        time.sleep(ASLEEP_SECONDS)
        asleep = running.look()
    finally:
        stack.kill_worker(worker, signal.SIGCONT)
    woke = time.monotonic()
    running.await_end()
    figure(f"replicas: {worker.name} slept {ASLEEP_SECONDS} s inside a transaction (stop {tries}): {asleep.lines} of {month.rows} lines were "
           f"applied when it woke ({asleep.state}), the run ended {time.monotonic() - woke:.1f} s later")
    wanted.assert_same(stack, month)


def test_a_replica_joins_and_leaves_in_the_middle(big, reference, make_stack, figure):
    wanted = {month: reference(month) for month in big}
    stack = make_stack()
    runs = [fault_runs.Running(stack, month) for month in big]
    added = [stack.add_replica(program, lane, ready=False) for lane in stacks.LANES for program in stacks.WORKERS]
    joined = {}
    while len(joined) < len(added) and any(running.running() for running in runs):
        for worker in added:
            if worker not in joined and fault_runs.processed(stack, worker) > 0:
                joined[worker] = time.monotonic() - runs[0].began
                stack.stop_worker(worker)   # a clean SIGTERM while it works
        time.sleep(0.02)
    took = [running.await_end() for running in runs]
    for month in big:
        wanted[month].assert_same(stack, month)
    figure("replicas: joined and left while the runs were on their way: " + ", ".join(f"{w.name} at {s:.1f} s" for w, s in joined.items()) +
           "; the runs took " + ", ".join(f"{s:.1f} s" for s in took))
    assert {w.program for w in joined} >= {"rate-engine", "invoice-writer"}, "too late: the runs were over; use more rows"
