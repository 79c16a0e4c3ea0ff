"""Benchmarks of the hot path and of the whole way, as ratios within one run (these machines are shared: absolute times drift).

ingest    ingest-encode (csv.gz -> encoded batches, one thread) against DuckDB with one thread: CPU seconds, pair by pair.
pipeline  `ingest --wait` of a private stack (real Kafka with acks=all, real PostgreSQL) against DuckDB with two threads: wall seconds.
          Then where the cycles go: CPU seconds of each process.
memory    a month of 10 million rows through the stack: the largest resident size of each worker.
rerate    an edit of a price book of an open month of 10 million rows: the dry run, then `run start --wait` and `run diff`; both say the same.
statements  drafts for 5,000 customers of 20 accounts each (charges put straight into PostgreSQL): `statement build`.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

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


class Measured(NamedTuple):
    """One command of the command line: wall seconds, CPU seconds of its own and of PostgreSQL, largest resident size (MiB), what it printed."""
    wall: float
    own: float
    server: float
    size: float
    out: str

    def __str__(self):
        return f"{self.wall:.1f} s ({self.own:.1f} s CPU, PostgreSQL {self.server:.1f} s CPU, {self.size:.0f} MiB)"


def measured(stack: stacks.Stack, *arguments: object) -> Measured:
    began, before = time.monotonic(), usage(stack)["postgres"]
    done = subprocess.Popen([stack.bin / "curmill", "--config", stack.conf, "--format", "json", *map(str, arguments)], env=stacks.clean_environment(),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    out = done.stdout.read()
    _, status, used = os.wait4(done.pid, 0)
    wall = time.monotonic() - began
    done.returncode = os.waitstatus_to_exitcode(status)
    if done.returncode:
        raise AssertionError(f"exit code {done.returncode}: {arguments}")
    time.sleep(0.5)  # its backend ends, and its time is counted by its parent
    return Measured(wall, used.ru_utime + used.ru_stime, usage(stack)["postgres"] - before, used.ru_maxrss / 1024, out)


def show_load(when: str) -> None:
    print(f"load average {when}: " + " ".join(f"{x:.1f}" for x in os.getloadavg()), flush=True)


def bench_rerate(folder: pathlib.Path, rows: int) -> None:
    payer, edited = "444400000000", folder / "rerate" / "edited"
    generate(folder / "rerate", rows, payer, 9)
    shutil.copytree(folder / "rerate" / "catalog", edited)
    books = edited / "shared-books.yaml"
    text = books.read_text()
    books.write_text(text.replace("percent: 3, of: payer", "percent: 3.5, of: payer"))
    assert books.read_text() != text
    with stacks.Stack(bin=BIN) as stack:
        stack.apply_catalog("rerate", folder / "rerate" / "catalog")
        stack.cli("ingest", "--payer", payer, "--wait", timeout=7200)
        old = stack.cli("totals", "--payer", payer, "--period", PERIOD)
        assert old["lines"] == rows
        show_load("before the dry run")
        dry = measured(stack, "catalog", "apply", edited, "--dry-run", "--periods", PERIOD)
        print(f"rerate: dry run of {rows} rows: {dry}")
        shutil.rmtree(stack.catalog)
        stack.catalog.mkdir()
        stack.apply_catalog("rerate", edited)
        show_load("before rating again")
        run = measured(stack, "run", "start", "--payer", payer, "--period", PERIOD, "--wait")
        diff = measured(stack, "run", "diff", old["run"], json.loads(run.out)["run"])
        show_load("after it")
        told, found = json.loads(dry.out), json.loads(diff.out)
        assert found["rows"] and (found["rows"], found["totals"]) == (told["rows"], told["totals"])
        charges = stack.sql("SELECT count(*) AS n FROM charge")[0]["n"]
        print(f"rerate: run start --wait {run} + run diff {diff} = {run.wall + diff.wall:.1f} s; "
              f"{len(found['rows'])} rows differ, {charges} charges of both runs; the dry run said the same")


def statements_catalog(folder: pathlib.Path, customers: int, accounts: int) -> None:
    folder.mkdir(parents=True)
    payer = "555500000000"
    texts = [f'kind: Payer\nid: "{payer}"\nlane: tdsynnex\nmodel: tdsynnex\npayer_kind: shared\nreseller: r\nsource: {{type: folder, path: {folder}}}\n',
             "kind: Reseller\nid: r\nname: R\nconsolidation: end_customer\n", "kind: SupportPlanGroup\nid: g\ntype: business\nbuy_percent: 9\n",
             f"kind: FxRate\nid: f\nset: reseller\nfrom: USD\nto: EUR\nperiod: {PERIOD}\nrate: 0.9217\n",
             "kind: PriceBook\nid: b\ncurrency: USD\nversions:\n  - effective_from: 2020-01-01\n    rules:\n"
             "      - {id: rest, priority: 9, match: {}, price: {percent: 3, of: payer}}\n"]
    for c in range(1, customers + 1):
        links = "".join(f'  - {{id: "{c * 1000 + a:012d}", payer: "{payer}", from: 2020-01-01, support_plan_group: g}}\n' for a in range(1, accounts + 1))
        texts.append(f"kind: Customer\nid: c{c:05d}\nname: Customer {c}\nreseller: r\ninvoice_currency: EUR\nprice_book: b\ntax: [{{name: VAT, percent: 19}}]\n"
                     f"accounts:\n{links}")
    (folder / "catalog.yaml").write_text("---\n".join(texts))


def bench_statements(folder: pathlib.Path, customers: int, accounts: int, charges: int) -> None:
    statements_catalog(folder / "statements", customers, accounts)
    with stacks.Stack(bin=BIN, workers=False) as stack:
        applied = measured(stack, "catalog", "apply", folder / "statements", "--by", "bench", "--reason", "bench", "--now")
        print(f"statements: catalog of {customers} customers applied in {applied}")
        version = json.loads(applied.out)["version"]
        stack.sql(f"""SELECT curmill_ensure_period('{PERIOD}');
            INSERT INTO delivery (id, payer, lane, period, report, assembly, format, source, manifest, manifest_digest, immutable_keys, state, discovered_at)
              VALUES ('d', '555500000000', 'tdsynnex', '{PERIOD}', 'r', 'a', 'legacy', '{{}}', '', '', true, 'good', now());
            INSERT INTO run (id, delivery_id, catalog_id, engine_version, payer, lane, period, shards, partitions, chunks, state, complete, started_at)
              VALUES (repeat('a', 32), 'd', '{version}', 'bench', '555500000000', 'tdsynnex', '{PERIOD}', 1, 1, 1, 'current', true, now());
            INSERT INTO current_run VALUES ('555500000000', '{PERIOD}', 'tdsynnex', repeat('a', 32), now());
            INSERT INTO charge SELECT '{PERIOD}', repeat('a', 32), 'c' || lpad(c::text, 5, '0'), lpad((c * 1000 + a)::text, 12, '0'), 'Usage', 'usage',
              (ARRAY['AmazonEC2', 'AmazonS3', 'AmazonRDS', 'AWSLambda'])[1 + k % 4], 'usage-type-' || k, 'op', 'eu-central-1', 'Hrs', 'rest', 'USD', '', 10, 10, 1, 1,
              k, round(x / 7.0, 12), round(x / 6.0, 12), round(x / 7.0, 12), round(x / 6.9, 12)
              FROM generate_series(1, {customers}) c, generate_series(1, {accounts}) a, generate_series(1, {charges}) k,
              LATERAL (SELECT (c * 7 + a * 13 + k) % 1000 + 1 AS x) n;
            ANALYZE charge""")
        show_load("before the build")
        build = measured(stack, "statement", "build", "--period", PERIOD)
        show_load("after it")
        made = stack.sql("SELECT count(*) AS n, sum(length(document)) AS bytes FROM statement")[0]
        assert int(made["n"]) == customers, made
        print(f"statements: {customers} x {accounts} accounts, {customers * accounts * charges} charges: {made['n']} drafts, {int(made['bytes']) / 1e6:.0f} MB, "
              f"in {build}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["ingest", "pipeline", "memory", "rerate", "statements"],
                        help="ingest, pipeline, memory, rerate, statements")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--memory-rows", type=int, default=10_000_000)
    parser.add_argument("--rerate-rows", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--charges", type=int, default=8, help="charges of an account")
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
        if "rerate" in arguments.parts:
            bench_rerate(folder, arguments.rerate_rows)
        if "statements" in arguments.parts:
            bench_statements(folder, arguments.customers, arguments.accounts, arguments.charges)


if __name__ == "__main__":
    main()
