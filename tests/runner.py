"""Runs the suites one after the other, sums single tests over all of them. Started by tests/run.

A suite that crashes, hangs or leaves no report counts as one failed test more, so nothing fails silently."""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

TESTS = pathlib.Path(__file__).resolve().parent
REPO = TESTS.parent
sys.path.insert(0, str(TESTS / "integration"))
from stack import SANITIZER_REPORT, clean_environment  # noqa: E402

PROGRAM_SECONDS = 900   # one criterion program
SUITE_SECONDS = 3600    # one pytest suite
ON_DEMAND_SECONDS = 3 * SUITE_SECONDS
TEST_SECONDS = 900      # one test of it
RELEASE_SUITES = {"faults"}  # whole runs under faults: with sanitizers they would take too long


class Count:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def pytest_suites() -> list[str]:
    first = ["oracle", "integration", "faults"]
    found = {file.parent.relative_to(TESTS).as_posix() for file in TESTS.rglob("test_*.py")}
    return [name for name in first if name in found] + sorted(found - set(first))


def on_demand(suite: str) -> bool:
    """Left out unless it is named: its folder, or one above, has a file ON_DEMAND, which says why."""
    folders = [TESTS / suite, *(TESTS / suite).parents]
    return any((folder / "ON_DEMAND").exists() for folder in folders if folder.is_relative_to(TESTS))


def count_report(file: pathlib.Path) -> Count | None:
    """Test cases of a JUnit report, as criterion and pytest write it; None if there is none to read."""
    count = Count()
    try:
        tree = xml.parse(file)
    except (OSError, xml.ParseError):
        return None
    for case in tree.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") in ("FAILED", "ERRORED"):
            count.failed += 1
        elif case.find("skipped") is not None:
            count.skipped += 1
        else:
            count.passed += 1
    return count


def uses_criterion(program: str) -> bool:
    return "libcriterion" in subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout


def environment(build: pathlib.Path) -> dict[str, str]:
    env = clean_environment()
    env["CURMILL_SAMPLES"] = os.environ.get("CURMILL_SAMPLES") or str(REPO.parent / "shared" / "samples")
    env["CURMILL_BIN"] = str(build / "bin")
    env["CURMILL_GENERATE"] = str(build / "bin" / "generate")
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return env


def run_bounded(command: list, seconds: float, log: pathlib.Path, **where) -> tuple[int, str]:
    """Exit code and output. The output goes to a file: a process left behind by the program cannot hold us up. After `seconds`
    the program and all that it started are ended."""
    note = ""
    with open(log, "wb") as out:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       start_new_session=True, **where)
        except OSError as error:
            return -1, f"cannot be started: {error}\n"
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code, note = -1, f"\nstill running after {seconds:g} s: ended\n"
            os.killpg(process.pid, signal.SIGTERM)
            time.sleep(3)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code, log.read_text(errors="replace") + note


def run_program(entry: dict, reports: pathlib.Path, build: pathlib.Path, words: str | None) -> Count:
    """One program that ctest knows. Criterion tells of its single tests; any other is one test by its exit code."""
    name, command = entry["name"], entry["command"]
    properties = {p["name"]: p["value"] for p in entry.get("properties", [])}
    env = environment(build)
    env.update(e.split("=", 1) for e in properties.get("ENVIRONMENT", []))
    report = reports / f"unit-{name}.xml"
    report.unlink(missing_ok=True)
    criterion = uses_criterion(command[0])
    if criterion:
        command = [*command, f"--xml={report}", "--short-filename", "--color=never", "-j2"]
        if words:
            command += ["--filter", f"*{words}*"]
    begun = time.monotonic()
    code, output = run_bounded(command, float(properties.get("TIMEOUT") or PROGRAM_SECONDS), reports / f"unit-{name}.log",
                               cwd=properties.get("WORKING_DIRECTORY") or build, env=env)
    count = count_report(report) if criterion else None
    if count is None:
        count = Count()
        if code == 0 and not criterion:
            count.passed = 1
    if count.failed == 0 and (code != 0 or SANITIZER_REPORT.search(output)):
        count.failed = 1   # a crash outside of a test, a leak, a report of a sanitizer
    if count.failed == 0 and count.passed == 0 and count.skipped == 0 and not words:
        count.failed, output = 1, output + "\nno test ran\n"
    print(f"  {name}: {count} ({time.monotonic() - begun:.1f} s)", flush=True)
    if count.failed:
        lines = output.splitlines()
        print("\n".join(f"    | {line}" for line in lines[-200:]), flush=True)
        if code not in (0, 1):
            print(f"    | exit code {code}", flush=True)
    return count


def run_unit(options, reports: pathlib.Path) -> Count:
    total = Count()
    listed = subprocess.run(["ctest", "--test-dir", str(options.build), "--show-only=json-v1"], capture_output=True, text=True,
                            check=False)
    try:
        entries = json.loads(listed.stdout)["tests"]
    except (json.JSONDecodeError, KeyError):
        print(f"  ctest does not list the tests of {options.build}: {listed.stderr.strip()}")
        total.failed = 1
        return total
    for entry in entries:
        if "command" not in entry:
            print(f"  {entry['name']}: not built")
            total.failed += 1
            continue
        total.add(run_program(entry, reports, options.build, options.k))
    if not entries:
        print("  no unit test is built")
        total.failed += 1
    return total


def run_pytest(suite: str, options, reports: pathlib.Path) -> Count:
    report = reports / f"{suite.replace('/', '-')}.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", str(TESTS / suite), "-q", "-ra", "--tb=short", "--no-header", "-p", "no:cacheprovider",
               f"--junitxml={report}", f"--timeout={TEST_SECONDS}", "--durations=5", "--durations-min=5"]
    # A folder below this one is a suite of its own.
    command += [f"--ignore={TESTS / other}" for other in pytest_suites() if other.startswith(suite + "/")]
    if options.k:
        command += ["-k", options.k]
    env = environment(options.build)
    env["PYTHONPATH"] = str(TESTS)
    env.update({name: value for name, value in os.environ.items() if name.startswith("CURMILL_FAULT_")})  # see tests/faults/conftest.py
    if suite in RELEASE_SUITES and options.build.name == "dev":
        env["CURMILL_BIN"] = str(REPO / "build" / "release" / "bin")
    env.update({k: v for k, v in os.environ.items() if k.startswith(("CURMILL_TEST_", "CURMILL_FAULT_"))})
    seconds = ON_DEMAND_SECONDS if on_demand(suite) else SUITE_SECONDS
    process = subprocess.Popen(command, cwd=REPO, env=env, stdin=subprocess.DEVNULL)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        print(f"  still running after {seconds} s: ended")
        process.send_signal(signal.SIGINT)   # pytest takes its stacks down
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
        code = -1
    count = count_report(report) or Count()
    nothing_chosen = code == 5 and options.k
    if code != 0 and count.failed == 0 and not nothing_chosen:
        print(f"  pytest ended with exit code {code}")
        count.failed = 1
    return count


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--build", type=pathlib.Path, default=REPO / "build" / "dev")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-k", metavar="WORDS")
    parser.add_argument("-x", action="store_true")
    parser.add_argument("suites", nargs="*")
    options = parser.parse_args()
    known = ["unit", *pytest_suites()]
    if options.list:
        print("\n".join(name + (" (on demand)" if on_demand(name) else "") for name in known))
        return 0
    options.build = options.build.resolve()
    for name in options.suites:
        if name not in known:
            parser.error(f"no suite '{name}'; there are: {', '.join(known)}")
    reports = options.build / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    total, table = Count(), []
    for suite in options.suites or [name for name in known if not on_demand(name)]:
        print(f"== {suite}", flush=True)
        begun = time.monotonic()
        count = run_unit(options, reports) if suite == "unit" else run_pytest(suite, options, reports)
        total.add(count)
        table.append(f"{suite:<14} {str(count):<40} {time.monotonic() - begun:7.1f} s")
        if options.x and count.failed:
            break
    print("== summary")
    print("\n".join("  " + line for line in table))
    print(re.sub(r", \d+ skipped", "", str(total)), flush=True)
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
