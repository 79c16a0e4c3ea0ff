"""Fixtures of the integration tests. One stack serves all tests of a session that use payers of their own; a test that
kills servers or needs other settings takes `make_stack`.

CURMILL_TEST_HOME=FOLDER keeps the shared stack running in FOLDER from one run of pytest to the next (quick while writing
tests; end it with `CURMILL_HOME=FOLDER/home deploy/local/down --wipe`)."""
import os
import pathlib
import subprocess
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

import stack as stacks  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _no_left_overs():
    stacks.remove_left_over_stacks()


@pytest.fixture(scope="session")
def stack():
    """The shared stack: both lanes, one replica of each worker."""
    kept = os.environ.get("CURMILL_TEST_HOME")
    if kept:
        running = stacks.Stack(home=pathlib.Path(kept))
        yield running.up()
        return
    with stacks.Stack() as running:
        yield running


@pytest.fixture
def make_stack():
    """make_stack(replicas=2, settings={...}): a stack for this test alone, see stack.Stack."""
    made = []

    def make(**options):
        new = stacks.Stack(**options)
        made.append(new)
        return new.up()

    yield make
    problems = []
    for one in made:
        try:
            one.__exit__(None)
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="session")
def samples():
    """Real sample reports; the test is skipped where they are absent."""
    folder = stacks.samples()
    if folder is None:
        pytest.skip("no sample reports here (CURMILL_SAMPLES)")
    return folder


@pytest.fixture(scope="session")
def generate():
    """generate("--payer", ..., ...): runs the generator of reports; its options: `generate --help`."""
    def run(*args):
        done = subprocess.run([stacks.programs() / "generate", *map(str, args)], env=stacks.clean_environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            raise stacks.CommandFailed(done)
        return done

    return run
