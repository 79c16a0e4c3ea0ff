"""deploy/gdb/curmill_gdb.py, in a gdb without a person, on a small program that need not run."""
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parents[1]
SCRIPT = REPO / "deploy" / "gdb" / "curmill_gdb.py"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    made = tmp_path_factory.mktemp("gdb") / "values"
    subprocess.run(["gcc", "-std=gnu17", "-g", "-D_GNU_SOURCE", "-I", REPO / "common", HERE / "values.c", "-o", made], check=True)
    return made


def ask(program, *commands) -> list[str]:
    arguments = [word for command in commands for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-nx", "-batch", "-ex", "set width 0", "-ex", f"source {SCRIPT}", *arguments, program],
                          capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr.strip(), done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("expression, printed", [
    ("twelve_and_a_half", "12.5"),
    ("smallest", "0.000000000000000001"),
    ("owed", "-12.5"),
    ("zero", "0"),
    ("largest", "170141183460469231731.687303715884105727"),
    ("lowest", "-170141183460469231731.687303715884105728"),
    ("code", '"AmazonEC2"'),
    ("empty", '""'),
    ("latin", '"Stra\\xdfe"'),
    ("failed", "CM_ERROR_RETRY DATABASE: The database does not answer."),
    ("nothing", "CM_ERROR_NONE (no code): (no text)"),
    ("noon", "2025-06-01T12:00:00Z (1748779200000000)"),
    ("before", "1969-12-31T23:59:59.999999Z (-1)"),
    ("lines[1]", '{product = "EC2", cost = 2.5, at = 1970-01-01T00:00:01.500000Z (1500000)}'),
    ("*&lines[1].cost", "2.5"),
])
def test_printed(program, expression, printed):
    assert ask(program, f"print {expression}") == [f"$1 = {printed}"]


def test_a_value_that_is_not_in_memory(program):
    """As in an optimised program, where an amount is in two registers: here a copy that gdb holds."""
    assert ask(program, "python gdb.set_convenience_variable('copy', gdb.parse_and_eval('owed'))", "print $copy") == ["$1 = -12.5"]


def test_printed_bare(program):
    assert ask(program, "print/r twelve_and_a_half") == ["$1 = {units = 12500000000000000000}"]


def test_one_can_be_switched_off(program):
    off = "disable pretty-printer global curmill;cm_decimal"
    assert ask(program, off, "print zero", "print empty")[-2:] == ["$1 = {units = 0}", '$2 = ""']
