"""The broker or the database is killed (SIGKILL) and restarted in the middle of a run: the same bytes, nothing lost, nothing twice."""
import concurrent.futures
import random
import time

import pytest

import fault_runs
import stack as stacks

SEED = fault_runs.setting("SEED", 1)
LANES = ("tdsynnex", "ingram", "tdsynnex")


def kill_in_the_middle(stack, month, kill, start, chance: random.Random) -> tuple[float, float, float]:
    """Seconds that the server was away, that no line was applied at most, and that the run took."""
    stack.wait_ready()   # the server of the test before this one may have been away for longer than the workers' sessions
    running = fault_runs.Running(stack, month)
    running.await_lines(chance.uniform(0.01, 0.25))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        kill()
        pause = pool.submit(running.longest_pause)
        time.sleep(chance.uniform(0, 1.5))
        start()
        away = time.monotonic() - began
        return away, pause.result(), running.await_end()


@pytest.mark.parametrize("n, lane", list(enumerate(LANES)))
def test_broker_killed_and_restarted(n, lane, small, reference, stack, figure):
    month = small(lane)
    wanted = reference(month)
    away, pause, took = kill_in_the_middle(stack, month, stack.kill_broker, stack.start_broker, random.Random(f"broker {SEED} {n}"))
    figure(f"broker: killed in a run of {month.rows} lines ({lane}): answered again after {away:.1f} s, lines were applied again after "
           f"{pause:.1f} s, the run took {took:.1f} s")
    wanted.assert_same(stack, month)
    assert pause < away + 30


@pytest.mark.parametrize("n, lane", list(enumerate(LANES)))
def test_database_killed_and_restarted(n, lane, small, reference, stack, figure):
    month = small(lane)
    wanted = reference(month)
    away, pause, took = kill_in_the_middle(stack, month, stack.kill_postgres, stack.start_postgres, random.Random(f"database {SEED} {n}"))
    figure(f"database: killed in a run of {month.rows} lines ({lane}): answered again after {away:.1f} s, lines were applied again after "
           f"{pause:.1f} s, the run took {took:.1f} s")
    wanted.assert_same(stack, month)
    assert pause < away + 30


@pytest.mark.parametrize("programs, lane", ((("invoice-writer",), "tdsynnex"), (stacks.WORKERS, "ingram")))
def test_database_sessions_ended_again_and_again(programs, lane, big, reference, stack, figure):
    """Also inside a transaction, in COPY and in COMMIT, whose outcome is then not known."""
    month = next(month for month in big if month.lane == lane)   # many lines: the faults must come while it runs
    wanted = reference(month)
    chance = random.Random(f"sessions {SEED} {programs}")
    running, times, sessions = fault_runs.Running(stack, month), 0, 0
    while running.running() and times < 25:
        sessions += fault_runs.terminate_backends(stack, programs)
        times += 1
        time.sleep(chance.uniform(0, 0.15))
    took = running.await_end()
    figure(f"sessions: {sessions} database sessions of {', '.join(programs)} ended at {times} moments of a run of {month.rows} lines, "
           f"which took {took:.1f} s")
    wanted.assert_same(stack, month)
    assert times >= 3, "too late for faults: use more rows"
