"""The gdb printers: what gdb shows of a program that stopped."""
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parents[2]
PROGRAM = """
#include "base/decimal/decimal.h"
static void stop(cm_decimal amount, cm_slice name)
{
    __builtin_trap();
    (void)amount;
    (void)name;
}
int main(void)
{
    cm_decimal list[] = {{(cm_i128)12500000 * 1000000000000}, {-1}, {0}, {(cm_i128)-1000000000000000000 * 100000000000000000 - 5}};
    stop(list[0], (cm_slice){"AmazonEC2,more", 9});
    return (int)list[1].units;
}
"""

pytestmark = pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")


def test_amounts_and_texts(tmp_path):
    """Small, negative and large ones (more than 64 bits), and values of gdb's own history."""
    (tmp_path / "stop.c").write_text(PROGRAM)
    subprocess.run(["cc", "-g", "-O0", "-I", REPO / "common", "-o", tmp_path / "stop", tmp_path / "stop.c"], check=True)
    commands = ["run", "print amount", "print name", "print $1", "up", "print list"]
    done = subprocess.run(["gdb", "-nx", "-batch", "-x", HERE / "curmill_gdb.py"] + [a for c in commands for a in ("-ex", c)] + [tmp_path / "stop"],
                          capture_output=True, text=True, check=False, timeout=120)
    shown = [line for line in done.stdout.splitlines() if line.startswith("$")]
    assert shown == ["$1 = 12.5", '$2 = "AmazonEC2"', "$3 = 12.5",
                     "$4 = {12.5, -0.000000000000000001, 0, -100000000000000000.000000000000000005}"], done.stdout + done.stderr
