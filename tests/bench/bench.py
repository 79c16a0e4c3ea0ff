"""Benchmarks of the hot path and of the whole way, as ratios within one run (these machines are shared: absolute times drift).

ingest    ingest-encode (csv.gz -> encoded batches, one thread) against DuckDB with one thread: CPU seconds, pair by pair.
pipeline  `ingest --wait` of a private stack (real Kafka with acks=all, real PostgreSQL) against DuckDB with two threads: wall seconds.
          Then where the cycles go: CPU seconds of each process.
memory    a month of 10 million rows through the stack: the largest resident size of each worker.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests" / "integration"))
import stack as stacks  # noqa: E402

BIN = REPO / "build" / "release" / "bin"
PERIOD = "2025-06"


def run_child(command: list) -> tuple[float, float, str]:
    """Wall and CPU seconds of a process, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    out = subprocess.run([str(a) for a in command], check=True, capture_output=True, text=True).stdout
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, out


def generate(folder: pathlib.Path, rows: int, payer: str, seed: int, catalog: pathlib.Path | None = None) -> list[pathlib.Path]:
    subprocess.run([BIN / "generate", "--scenario", "bench", "--rows", str(rows), "--chunk-rows", "500000", "--out", folder / "data",
                    "--catalog", catalog or folder / "catalog", "--payer", payer, "--period", PERIOD, "--seed", str(seed), "--quiet"], check=True)
    return sorted((folder / "data").rglob("*.csv.gz"))


def duckdb(threads: int, files: list[pathlib.Path]) -> list:
    return [sys.executable, REPO / "tests" / "bench" / "duckdb_query.py", threads, *files]


def show(name: str, ours: list[float], theirs: list[float], unit: str, rows: int) -> None:
    ratios = [t / o for o, t in zip(ours, theirs)]
    print(f"{name}: curmill {statistics.median(ours):.2f} {unit}, DuckDB {statistics.median(theirs):.2f} {unit}, "
          f"{rows / statistics.median(ours) / 1e6:.2f} million rows per {unit}\n"
          f"{name}: ratio DuckDB / curmill: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} pairs",
          flush=True)


def bench_ingest(folder: pathlib.Path, rows: int, pairs: int) -> None:
    files = generate(folder, rows, "111122223333", 1)
    size, columns = sum(f.stat().st_size for f in files), subprocess.run(
        f"zcat '{files[0]}' | head -1 | tr ',' '\\n' | wc -l", shell=True, capture_output=True, text=True, check=True).stdout.strip()
    print(f"ingest: {rows} rows of {columns} columns in {len(files)} files, {size / 1e6:.0f} MB csv.gz")
    encode = [BIN / "ingest-encode", "--payer", "111122223333", "--period", PERIOD]
    run_child([*encode, *files])
    run_child(duckdb(1, files))
    ours, theirs = [], []
    for _ in range(pairs):
        ours.append(run_child([*encode, *files])[1])
        theirs.append(run_child(duckdb(1, files))[1])
    show("ingest", ours, theirs, "CPU s", rows)
    print(run_child([*encode, "--profile", *files])[2])


def cpu_seconds(pid: int) -> float:
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def high_water_mib(pid: int) -> float:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def tree_of(pid: int) -> list[int]:
    children = [int(p) for p in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()]
    return [pid, *(d for c in children for d in tree_of(c))]


def processes(stack: stacks.Stack) -> dict[str, list[int]]:
    known = {w.name: stack.worker_pid(w) for w in stack.all_workers()} | {n: stack._recorded(n) for n in ("postgres", "kafka")}
    return {name: tree_of(pid) for name, pid in known.items() if pid}


def usage(stack: stacks.Stack) -> dict[str, float]:
    return {name: sum(cpu_seconds(p) for p in pids) for name, pids in processes(stack).items()}


def bench_pipeline(folder: pathlib.Path, rows: int, pairs: int) -> None:
    ours, theirs, spent = [], [], {}
    with stacks.Stack(bin=BIN) as stack:
        for i in range(pairs + 1):  # the first is a warm-up
            payer, here = f"{222200000000 + i}", folder / f"pipeline-{i}"
            files = generate(here, rows, payer, 100 + i, folder / "catalog")
            stack.apply_catalog("bench", folder / "catalog")
            before, began = usage(stack), time.monotonic()
            stack.cli("ingest", "--payer", payer, "--wait", timeout=1800)
            wall, after = time.monotonic() - began, usage(stack)
            lines = stack.cli("totals", "--payer", payer, "--period", PERIOD)["lines"]
            assert lines == rows, (lines, rows)
            other, _, printed = run_child(duckdb(2, files))
            assert int(printed.split()[1]) == rows, printed
            if i:
                ours.append(wall)
                theirs.append(other)
                spent = {name: after[name] - before.get(name, 0.0) for name in after}
            shutil.rmtree(here)
    show("pipeline", ours, theirs, "wall s", rows)
    print("pipeline: CPU seconds of the last run: " + ", ".join(f"{n} {s:.2f}" for n, s in sorted(spent.items(), key=lambda x: -x[1]) if s >= 0.05))


def bench_memory(folder: pathlib.Path, rows: int) -> None:
    payer = "333300000000"
    generate(folder / "memory", rows, payer, 7)
    with stacks.Stack(bin=BIN) as stack:
        stack.apply_catalog("memory", folder / "memory" / "catalog")
        began = time.monotonic()
        stack.cli("ingest", "--payer", payer, "--wait", timeout=7200)
        wall = time.monotonic() - began
        assert stack.cli("totals", "--payer", payer, "--period", PERIOD)["lines"] == rows
        print(f"memory: {rows} rows in {wall:.1f} s; largest resident size (MiB): " +
              ", ".join(f"{w.name} {high_water_mib(stack.worker_pid(w)):.1f}" for w in stack.all_workers() if w.lane == "tdsynnex"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["ingest", "pipeline", "memory"], help="ingest, pipeline, memory")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--memory-rows", type=int, default=10_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="curmill-bench-") as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        if "ingest" in arguments.parts:
            bench_ingest(folder / "ingest", arguments.rows, arguments.pairs)
        if "pipeline" in arguments.parts:
            bench_pipeline(folder, arguments.rows, max(2, arguments.pairs // 2))
        if "memory" in arguments.parts:
            bench_memory(folder, arguments.memory_rows)


if __name__ == "__main__":
    main()
