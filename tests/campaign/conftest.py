"""One private stack for the whole campaign; its figures at the end of the output.

CURMILL_TEST_CAMPAIGN    seeds, as 1-200 (the default), 17 or 3,5,9: a month can be repeated by its seed
"""
import collections
import os
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "campaign"), str(TESTS / "integration"), str(TESTS)]

import drive  # noqa: E402
import stack as stacks  # noqa: E402

FIGURES = pytest.StashKey[collections.Counter]()


def seeds():
    found = []
    for part in os.environ.get("CURMILL_TEST_CAMPAIGN", "1-200").split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def pytest_configure(config):
    config.stash[FIGURES] = collections.Counter()


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds())


def pytest_terminal_summary(terminalreporter, config):
    figures = config.stash[FIGURES]
    if figures:
        terminalreporter.section("figures of the campaign")
        terminalreporter.write_line(", ".join("%s %d" % pair for pair in sorted(figures.items())))


@pytest.fixture(scope="session")
def figures(request):
    return request.config.stash[FIGURES]


@pytest.fixture(scope="session")
def desk():
    stacks.remove_left_over_stacks()
    with stacks.Stack() as stack:
        yield drive.Desk(stack)
