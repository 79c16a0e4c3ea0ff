"""Private stacks for tests: PostgreSQL, Kafka and the workers of both lanes, started by deploy/local/up.

Each stack has a folder and ports of its own, so it can run beside any other. Everything is started and stopped by the
scripts that users run, and by recorded process ids. Nothing here knows what the programs compute.

    with Stack() as stack:                       # up ... down --wipe
        stack.apply_catalog("my-test", folder)   # added to what other tests of this stack applied
        stack.cli("ingest", "--payer", payer, "--wait")
        totals = stack.cli("totals", "--payer", payer, "--period", "2025-06")
"""
from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from typing import Callable, Iterable

REPO = pathlib.Path(__file__).resolve().parents[2]
LOCAL = REPO / "deploy" / "local"
LANES = ("tdsynnex", "ingram")
WORKERS = ("ingest-cur", "rate-engine", "invoice-writer", "org-linker", "tax-inheritance-checker")
LINE_WORKERS = WORKERS[:3]     # through which every line goes; the others have nothing to do in most months
TOPIC_WORKERS = WORKERS[:4]    # which read a topic, so that they can lag behind
PREFIX = "curmill-test-"
PORTS_OF_A_STACK = 100

SANITIZER_REPORT = re.compile(
    r"ERROR: (?:Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: |UndefinedBehaviorSanitizer")


class CommandFailed(AssertionError):
    """A program of the stack ended with another exit code than asked for."""

    def __init__(self, done: subprocess.CompletedProcess):
        self.returncode, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        args = " ".join(str(a) for a in done.args)
        super().__init__(f"exit code {done.returncode} of: {args}\n--- stdout\n{done.stdout[-4000:]}\n--- stderr\n{done.stderr[-4000:]}")


def samples() -> pathlib.Path | None:
    """The folder of real sample reports (CURMILL_SAMPLES), or None where it is absent."""
    folder = pathlib.Path(os.environ.get("CURMILL_SAMPLES") or REPO.parent / "shared" / "samples")
    return folder if folder.is_dir() else None


def programs() -> pathlib.Path:
    """The folder of the built programs: CURMILL_BIN, else the sanitizer build, else the release build."""
    if os.environ.get("CURMILL_BIN"):
        return pathlib.Path(os.environ["CURMILL_BIN"]).resolve()
    for preset in ("dev", "release"):
        folder = REPO / "build" / preset / "bin"
        if (folder / "curmill").exists():
            return folder
    raise AssertionError("the programs are not built: tests/run, or deploy/local/up, or set CURMILL_BIN")


def clean_environment() -> dict[str, str]:
    """The environment without CURMILL_* variables: the programs read those as settings."""
    return {k: v for k, v in os.environ.items() if not k.startswith("CURMILL_")}


def free_port_base() -> int:
    """A first port with a stack's worth of free ports behind it, below the range of outgoing connections."""
    bases = list(range(20000, 32000, PORTS_OF_A_STACK))
    random.SystemRandom().shuffle(bases)
    for base in bases:
        try:
            for port in range(base, base + 40):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise AssertionError("no free ports from 20000 to 32000")


def wait_until(true: Callable[[], object], timeout: float, what: str, pause: float = 0.1):
    """Polls until `true()` is, and returns its value; fails after `timeout` seconds with `what`."""
    end = time.monotonic() + timeout
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(pause)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and that nobody waited for yet does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def remove_left_over_stacks() -> None:
    """Stops and removes stacks whose test process was killed before it could."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        owner = folder.name[len(PREFIX):].partition("-")[0]
        if owner.isdigit() and not alive(int(owner)):
            subprocess.run([LOCAL / "down", "--wipe"], env={**os.environ, "CURMILL_HOME": str(folder / "home")},
                           stdin=subprocess.DEVNULL, capture_output=True, check=False)
            shutil.rmtree(folder, ignore_errors=True)


@dataclasses.dataclass(frozen=True)
class Worker:
    """One kept worker process: a program, its lane, its number."""
    program: str
    lane: str
    replica: int = 1

    @property
    def name(self) -> str:
        return f"{self.program}-{self.lane}-{self.replica}"


class Stack:
    """One private stack. `bin`: programs to run; `replicas`: copies of each worker; `workers=False`: servers only;
    `settings`: lines of the settings file; `home`: use (and keep) this folder instead of a temporary one."""

    def __init__(self, *, bin: pathlib.Path | None = None, replicas: int = 1, workers: bool = True,
                 settings: dict[str, object] | None = None, home: pathlib.Path | None = None):
        self.keep = home is not None
        self.folder = pathlib.Path(home) if home else pathlib.Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.home = self.folder / "home"
        self.bin = pathlib.Path(bin) if bin else programs()
        self.replicas, self.workers = replicas, workers
        recorded = self.home / "run" / "port-base"
        self.port_base = int(recorded.read_text()) if recorded.exists() else free_port_base()
        self.conf = self.home / "curmill.conf"
        self.log = self.home / "log"
        self.data = self.folder / "data"          # deliveries of the tests
        self.catalog = self.folder / "catalog"    # all that apply_catalog was given
        self.data.mkdir(parents=True, exist_ok=True)
        self.catalog.mkdir(parents=True, exist_ok=True)
        self.settings = dict(settings or {})
        self.extra: list[Worker] = []

    # -- the whole stack

    def __enter__(self) -> "Stack":
        try:
            return self.up()
        except BaseException:
            self.down()
            raise

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.assert_no_sanitizer_reports()
        finally:
            self.down()
        if kind is None and not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def script_environment(self) -> dict[str, str]:
        return {**clean_environment(), "CURMILL_HOME": str(self.home), "CURMILL_BIN": str(self.bin),
                "CURMILL_PORT_BASE": str(self.port_base), "CURMILL_REPLICAS": str(self.replicas),
                "CURMILL_WORKERS": "all" if self.workers else "none"}

    def up(self, *parts: str) -> "Stack":
        """deploy/local/up, or only the named parts of it (postgres, kafka, schema, workers)."""
        if self.settings:
            self.home.mkdir(parents=True, exist_ok=True)
            (self.home / ".curmill-stack").touch()
            (self.home / "extra.conf").write_text("".join(f"{k} = {v}\n" for k, v in self.settings.items()))
        only = [a for p in parts for a in ("--only", p)]
        self._checked([LOCAL / "up", *only], timeout=300, env=self.script_environment())
        return self

    def down(self) -> None:
        """Stops everything; a temporary stack is removed, its logs stay until the folder goes."""
        wipe = [] if self.keep else ["--wipe"]
        if wipe and self.log.is_dir():
            shutil.copytree(self.log, self.folder / "log", dirs_exist_ok=True)
        subprocess.run([LOCAL / "down", *wipe], env=self.script_environment(), stdin=subprocess.DEVNULL,
                       capture_output=True, check=False, timeout=300)

    def assert_no_sanitizer_reports(self) -> None:
        """Ends all workers, so that leaks are reported too, and looks through their logs. The servers keep running."""
        for pid_file in sorted((self.home / "run").glob("*.keeper.pid")):
            self._end(self._recorded(pid_file.name[:-len(".pid")]), signal.SIGTERM)
        bad = []
        for file in sorted(self.log.glob("*.log")):
            text = file.read_text(errors="replace")
            found = SANITIZER_REPORT.search(text)
            if found:
                bad.append(f"{file.name}:\n{text[max(0, found.start() - 300):found.start() + 4000]}")
        assert not bad, "sanitizer reports in the workers' logs\n" + "\n".join(bad)

    # -- the command line

    def cli_raw(self, *args: object, timeout: float = 300) -> subprocess.CompletedProcess:
        """`curmill --config ... ARGS`, whatever its exit code; output as text."""
        return subprocess.run([self.bin / "curmill", "--config", self.conf, *map(str, args)], env=clean_environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)

    def cli(self, *args: object, code: int = 0, timeout: float = 300):
        """`curmill --format json ARGS` must end with `code`; returns its parsed JSON, None if it printed nothing."""
        done = self.cli_raw("--format", "json", *args, timeout=timeout)
        if done.returncode != code:
            raise CommandFailed(done)
        if not done.stdout.strip():
            return None
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise AssertionError(f"no JSON ({error}) from: {' '.join(map(str, args))}\n{done.stdout[:2000]}") from error

    def apply_catalog(self, name: str, source: pathlib.Path | str, *, by: str = "test", reason: str = "test"):
        """Adds YAML (a folder, a file or the text itself) to this stack's catalog as `name` and applies the whole, now.
        A second call with the same name replaces the first. Ids must not clash with those of other names."""
        for old in self.catalog.glob(f"{name}--*.yaml"):
            old.unlink()
        if isinstance(source, str):
            (self.catalog / f"{name}--text.yaml").write_text(source)
        else:
            source = pathlib.Path(source)
            for file in sorted([source] if source.is_file() else [*source.glob("*.yaml"), *source.glob("*.yml")]):
                shutil.copyfile(file, self.catalog / f"{name}--{file.stem}.yaml")
        return self.cli("catalog", "apply", self.catalog, "--by", by, "--reason", f"{reason}: {name}", "--now")

    # -- workers

    def all_workers(self) -> list[Worker]:
        names = [Worker(p, lane, r) for r in range(1, self.replicas + 1) for lane in LANES for p in WORKERS]
        return (names if self.workers else []) + self.extra

    def worker_pid(self, worker: Worker) -> int | None:
        return self._recorded(worker.name)

    def kill_worker(self, worker: Worker, sig: int = signal.SIGKILL) -> int:
        """Sends a signal to the worker itself; its keeper starts it again. Returns the id that was hit."""
        pid = wait_until(lambda: self.worker_pid(worker), 30, f"{worker.name} runs", pause=0.02)
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass
        return pid

    def stop_worker(self, worker: Worker, timeout: float = 60) -> None:
        """SIGTERM to keeper and worker; it stays down until start_worker."""
        self._end(self._recorded(worker.name + ".keeper"), signal.SIGTERM, timeout)
        assert self.worker_pid(worker) is None, f"{worker.name} still runs"

    def start_worker(self, worker: Worker, settings: Iterable[str] = (), ready: bool = True) -> None:
        """Starts one kept worker (again, or as a further replica). `settings`: more arguments, as "--log.level", "debug"."""
        assert self._recorded(worker.name + ".keeper") is None, f"{worker.name} is running already"
        file = self.log / f"{worker.name}.log"
        port = self._port_of(worker)
        command = [LOCAL / "keep", worker.name, file, self.bin / worker.program, "--config", self.conf, "--lane", worker.lane,
                   "--health.port", str(port), *settings]
        with open(file, "ab") as out:
            keeper = subprocess.Popen(command, env=self.script_environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                      start_new_session=True)
        self._record(worker.name + ".keeper", keeper.pid)
        if worker not in self.all_workers():
            self.extra.append(worker)
        if ready:
            self.wait_ready([worker])

    def add_replica(self, program: str, lane: str, **options) -> Worker:
        taken = {w.replica for w in self.all_workers() if (w.program, w.lane) == (program, lane)}
        worker = Worker(program, lane, next(n for n in range(1, 100) if n not in taken))
        self.start_worker(worker, **options)
        return worker

    def wait_ready(self, workers: Iterable[Worker] | None = None, timeout: float = 90) -> None:
        for worker in self.all_workers() if workers is None else workers:
            try:
                wait_until(lambda w=worker: self.http(w, "/readyz")[0] == 200, timeout, f"{worker.name} is ready")
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.tail(worker.name)}") from None

    def http(self, worker: Worker, path: str) -> tuple[int, str]:
        """GET from the worker's health port: (status, body); status 0 if nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port_of(worker)}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError:
            return 0, ""

    def metrics(self, worker: Worker) -> dict[str, float]:
        """The series of /metrics: name with its labels, as printed -> value."""
        status, body = self.http(worker, "/metrics")
        assert status == 200, f"{worker.name} /metrics answers {status}"
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in body.splitlines() if line and line[0] != "#"}

    def tail(self, name: str, lines: int = 40) -> str:
        """The end of a process's log (a worker's name, postgres, kafka)."""
        file = self.log / f"{name}.log"
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.exists() else f"({file} is absent)"

    # -- the servers

    def kill_broker(self) -> None:
        self._end(self._recorded("kafka"), signal.SIGKILL)

    def start_broker(self) -> None:
        self.up("kafka")

    def kill_postgres(self) -> None:
        self._end(self._recorded("postgres"), signal.SIGKILL)

    def start_postgres(self) -> None:
        self.up("postgres")

    @property
    def broker(self) -> str:
        return f"127.0.0.1:{self.port_base + 1}"

    @property
    def database(self) -> str:
        """The libpq connection string of the stack."""
        return next(line.partition("=")[2].strip() for line in self.conf.read_text().splitlines() if line.startswith("database"))

    def sql(self, query: str) -> list[dict[str, str]]:
        """Rows of a query, every value as text. For tests that look below the command line."""
        out = self._checked(["psql", "-X", "--csv", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-c", query], timeout=120,
                            env=clean_environment()).stdout
        return list(csv.DictReader(io.StringIO(out)))

    # -- below

    def _port_of(self, worker: Worker) -> int:
        """As deploy/local/up numbers them."""
        place = (worker.replica - 1) * len(LANES) * len(WORKERS) + LANES.index(worker.lane) * len(WORKERS)
        return self.port_base + 10 + place + WORKERS.index(worker.program)

    @staticmethod
    def _start_time(pid: int) -> str:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]

    def _recorded(self, name: str) -> int | None:
        """The id of a recorded process if it lives and is still that one."""
        run = self.home / "run"
        try:
            pid = int((run / f"{name}.pid").read_text())
            same = self._start_time(pid) == (run / f"{name}.start").read_text().strip()
        except (OSError, ValueError):
            return None
        return pid if same and alive(pid) else None

    def _record(self, name: str, pid: int) -> None:
        run = self.home / "run"
        (run / f"{name}.start").write_text(self._start_time(pid) + "\n")
        (run / f"{name}.pid").write_text(f"{pid}\n")

    @staticmethod
    def _end(pid: int | None, sig: int, timeout: float = 60) -> None:
        if pid is None:
            return
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            return
        wait_until(lambda: not alive(pid), timeout, f"process {pid} ends after signal {sig}", pause=0.02)

    def _checked(self, command: list, **options) -> subprocess.CompletedProcess:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)
        if done.returncode != 0:
            raise CommandFailed(done)
        return done
