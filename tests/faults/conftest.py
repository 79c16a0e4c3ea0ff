"""Fixtures of the fault tests. They stand on the stacks of tests/integration and take release builds: with sanitizers a run of a
million lines would take too long.

CURMILL_FAULT_ROWS       lines of a run that is killed at 30 moments (default 1,000,000)
CURMILL_FAULT_KILLS      how many moments (default 30)
CURMILL_FAULT_SMALL_ROWS lines of the other runs (default 300,000)
CURMILL_FAULT_SEED       chooses victims and moments (default 1)
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "integration"), str(TESTS)]

import fault_runs  # noqa: E402
import stack as stacks  # noqa: E402

FIGURES = pytest.StashKey[list]()
FAILED = pytest.StashKey[bool]()
SMALL_MONTHS = {"tdsynnex": 8, "ingram": 5}   # how many the tests may use in each lane


def pytest_configure(config):
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter, config):
    if config.stash[FIGURES]:
        terminalreporter.section("figures of the fault tests")
        for line in config.stash[FIGURES]:
            terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.session.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def figure(request):
    """figure(text): a line for the end of the test's output, whether it passes or not."""
    def note(text: str) -> None:
        print(text, flush=True)
        request.config.stash[FIGURES].append(text)

    return note


@pytest.fixture(scope="session", autouse=True)
def _no_left_overs():
    stacks.remove_left_over_stacks()


@pytest.fixture(scope="session")
def generate():
    def run(*args):
        done = subprocess.run([stacks.programs() / "generate", *map(str, args)], env=stacks.clean_environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            raise stacks.CommandFailed(done)

    return run


class Work:
    """All months of this session and the catalog that holds all of their payers: each stack gets the same catalog version."""

    def __init__(self, folder: pathlib.Path, generate):
        self.folder, self.catalog = folder, folder / "catalog"
        rows = fault_runs.setting("ROWS", 1_000_000)
        small = fault_runs.setting("SMALL_ROWS", 300_000)
        self.big = {lane: fault_runs.write_month(generate, folder, self.catalog, f"70000000{n}001", lane, rows)
                    for n, lane in enumerate(stacks.LANES)}
        self.small = {lane: [fault_runs.write_month(generate, folder, self.catalog, f"70000000{n}{100 + i}", lane, small)
                             for i in range(SMALL_MONTHS[lane])] for n, lane in enumerate(stacks.LANES)}


@pytest.fixture(scope="session")
def work(tmp_path_factory, generate):
    return Work(tmp_path_factory.mktemp("months"), generate)


@pytest.fixture
def deliver(work):
    """deliver(month): the files are there until the end of the test."""
    delivered = []

    def now(month: fault_runs.Month) -> fault_runs.Month:
        month.deliver()
        delivered.append(month)
        return month

    yield now
    for month in delivered:
        month.take_away()


@pytest.fixture
def small(work, deliver):
    """small(lane): a month that no test has used yet, delivered."""
    return lambda lane: deliver(work.small[lane].pop())


@pytest.fixture
def big(work, deliver):
    """The months of a million lines, one in each lane, delivered."""
    return [deliver(month) for month in work.big.values()]


@pytest.fixture(scope="session")
def reference(work):
    """reference(month): how a delivered month looks in a stack where nothing happens to anybody."""
    taken = {}
    with stacks.Stack() as stack:
        apply(stack, work.catalog)

        def of(month: fault_runs.Month) -> fault_runs.Reference:
            if month not in taken:
                fault_runs.run_all(stack, [month])
                fault_runs.assert_no_alarm(stack)
                taken[month] = fault_runs.Reference.of(stack, month)
            return taken[month]

        yield of


def apply(stack: stacks.Stack, catalog: pathlib.Path) -> None:
    stack.apply_catalog("faults", catalog)
    # The one thing that is printed and is a time of day: when somebody set an exchange rate (R06).
    stack.sql("UPDATE fx_rate_set SET set_at = '2025-07-01T08:00:00Z'")


def stacks_of(request, work):
    made = []

    def make(catalog: pathlib.Path = work.catalog, **options) -> stacks.Stack:
        new = stacks.Stack(**options)
        made.append(new)
        new.up()
        apply(new, catalog)
        return new

    def down(stack: stacks.Stack) -> None:
        """Ends a stack before its test does."""
        made.remove(stack)
        stack.__exit__(None)

    make.down = down
    yield make
    for one in made:
        if request.session.stash.get(FAILED, False):
            kept = pathlib.Path(tempfile.mkdtemp(prefix="curmill-fault-logs-"))
            shutil.copytree(one.log, kept, dirs_exist_ok=True)
            request.config.stash[FIGURES].append(f"logs of a stack that was in use at a failure: {kept}")
            one.down()
        else:
            one.__exit__(None)


@pytest.fixture
def make_stack(request, work):
    """make_stack(replicas=2, settings={...}): a stack for this test alone, with the catalog applied."""
    yield from stacks_of(request, work)


@pytest.fixture(scope="module")
def stack(request, work):
    """One stack for the tests of a file, each with a month of its own."""
    makes = stacks_of(request, work)
    make = next(makes)
    yield make(replicas=getattr(request.module, "REPLICAS", 1))
    next(makes, None)
