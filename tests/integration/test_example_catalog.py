"""The example catalog that README points at is a good one."""
import subprocess

from stack import REPO, clean_environment, programs


def test_example_catalog_is_good():
    done = subprocess.run([programs() / "curmill", "catalog", "check", REPO / "deploy" / "local" / "example-catalog"],
                          env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ": no errors (" in done.stderr and "error:" not in done.stderr
