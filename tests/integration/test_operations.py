"""Operator basics of each worker (operations.md 2-4 and 6): health, metrics, settings, logs, SIGTERM, refused schemas."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import months
import pytest
import stack as stacks

LOGFMT = re.compile(r'(?:[A-Za-z_][\w.]*=(?:"(?:[^"\\]|\\.)*"|[^\s"=]*)(?: |$))+')
METRIC = re.compile(r'curmill_[a-z0-9_]+(\{[a-z_]+="(?:[^"\\]|\\.)*"(,[a-z_]+="(?:[^"\\]|\\.)*")*\})? -?[0-9]+(\.[0-9]+)?')
WORKERS = [stacks.Worker(program, lane) for lane in stacks.LANES for program in stacks.WORKERS]


def _environment():
    """Of the programs; their sanitizers' settings stay."""
    return stacks.clean_environment()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _password(stack):
    return re.search(r"password=(\S+)", stack.database).group(1)


def _start(stack, program, *settings, log, lane="tdsynnex", env=None):
    """A worker of this test alone, beside those of the stack, not kept."""
    port = _free_port()
    process = subprocess.Popen([stack.bin / program, "--config", stack.conf, "--lane", lane, "--health.port", str(port), *settings],
                               env=env or _environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    return process, port


def _ask(port, path):
    import urllib.error
    import urllib.request
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def _run(stack, program, *args, env=None, timeout=60):
    return subprocess.run([stack.bin / program, *map(str, args)], env={**_environment(), **(env or {})}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout, check=False)


# -- health

@pytest.mark.parametrize("worker", WORKERS, ids=lambda w: w.name)
def test_health_and_metrics(stack, worker):
    """/healthz, /readyz, /metrics in Prometheus text with prefix curmill_; anything else is 404."""
    assert stack.http(worker, "/healthz")[0] == 200
    assert stack.http(worker, "/readyz")[0] == 200
    assert stack.http(worker, "/elsewhere")[0] == 404
    status, body = stack.http(worker, "/metrics")
    assert status == 200
    typed = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", body, re.M))
    helped = set(re.findall(r"^# HELP (\S+) \S", body, re.M))
    for line in body.splitlines():
        if line.startswith("#"):
            continue
        assert METRIC.fullmatch(line), line
        name = re.match(r"\w+", line).group(0)
        family = name if name in typed else re.sub(r"_(bucket|sum|count)$", "", name)
        assert family in typed and family in helped, line
    assert all(re.search(r"_total$", name) for name in re.findall(r"^# TYPE (\S+) counter$", body, re.M))
    assert "curmill_build_info" in body
    assert ("curmill_lag_records" in body) == (worker.program in stacks.TOPIC_WORKERS)


def test_metrics_count_the_lines(stack, generate):
    """Records by outcome: lines read = lines rated + lines suspended (architecture.md 4.3)."""
    month = months.Month(stack, generate, "metrics", months.next_period(), options=("--unlinked",))
    month.write("--only-version", 2)
    months.apply(stack, month.catalog)
    ingest, rating = stacks.Worker("ingest-cur", "tdsynnex"), stacks.Worker("rate-engine", "tdsynnex")

    def seen():
        return (stack.metrics(ingest)['curmill_records_processed_total{outcome="read"}'],
                stack.metrics(rating)['curmill_records_processed_total{outcome="rated"}'],
                stack.metrics(rating)['curmill_records_processed_total{outcome="suspended"}'])

    before = seen()
    month.ingest()
    read, rated, suspended = (now - then for now, then in zip(seen(), before))
    answer = month.totals()
    assert (read, suspended) == (answer["lines"], answer["suspended_lines"])
    assert rated == read - suspended and suspended > 0


# -- settings

@pytest.mark.parametrize("program", [*stacks.WORKERS, "curmill"])
def test_help_and_print_config(stack, program):
    """One table of settings gives --help and --print-config; no secret is ever printed."""
    shown = _run(stack, program, "--help")
    assert shown.returncode == 0 and "usage" in shown.stdout.lower()
    if program != "curmill":
        for key in ("lane", "database", "health.port", "log.level", "log.format", "kafka."):
            assert key in shown.stdout, key
    printed = _run(stack, program, "--config", stack.conf, *([] if program == "curmill" else ["--lane", "tdsynnex"]),
                   "--kafka.sasl.password", "hush-hush-1", "--print-config",
                   env={"CURMILL_LOG_LEVEL": "debug"})
    assert printed.returncode == 0, printed
    text = printed.stdout + printed.stderr
    assert _password(stack) not in text and "hush-hush-1" not in text
    assert re.search(r"^\s*database\b.*host=127\.0\.0\.1.*password=\*+", printed.stdout, re.M), printed.stdout
    assert re.search(r"^\s*log\.level\b.*debug", printed.stdout, re.M)
    assert "environment" in printed.stdout.lower()


@pytest.mark.parametrize("program", stacks.WORKERS)
def test_unknown_settings_are_refused(stack, program, tmp_path):
    """A typing mistake stops the worker at start, with the setting that was meant; exit code 1."""
    lane = ["--config", stack.conf, "--lane", "tdsynnex"]
    for args, env, says in (([*lane, "--log.levle", "info"], {}, "log.level"), ([*lane], {"CURMILL_HEALTH_PROT": "1"}, "HEALTH_PORT"),
                            ([*lane, "--log.level", "loud"], {}, "loud"), ([*lane, "--health.port", "many"], {}, "many"),
                            ([*lane, "stray"], {}, "stray"), (["--config", tmp_path / "none", "--lane", "x"], {}, "none")):
        done = _run(stack, program, *args, env=env)
        assert done.returncode == 1, (args, done)
        assert says in done.stderr or says.lower().replace("_", ".") in done.stderr, (args, done.stderr)
    file = tmp_path / "bad.conf"
    file.write_text(stack.conf.read_text() + "scan.intervall.seconds = 5\n")
    done = _run(stack, program, "--config", file, "--lane", "tdsynnex")
    assert done.returncode == 1 and "scan.intervall.seconds" in done.stderr and str(file) in done.stderr


# -- logs

def test_logs_are_logfmt_and_hold_no_secret(stack):
    """operations.md 3: one line an event, fixed fields first; start-up logs versions and settings without secrets."""
    for worker in WORKERS:
        lines = (stack.log / f"{worker.name}.log").read_text().splitlines()
        own = [line for line in lines if " keeper=" not in line]
        assert own, worker
        for line in own:
            assert LOGFMT.fullmatch(line), line
            assert re.match(r"time=\S+Z level=(debug|info|warn|error) worker=\S+ lane=\S+ msg=", line), line
        assert any("msg=starting" in line and "librdkafka=" in line and "version=" in line for line in own)
    for file in stack.log.glob("*.log"):
        assert _password(stack) not in file.read_text(errors="replace"), file


def test_logs_in_json(stack, tmp_path):
    import json
    with open(tmp_path / "log", "wb") as log:
        process, port = _start(stack, "rate-engine", "--log.format", "json", log=log)
    try:
        stacks.wait_until(lambda: _ask(port, "/readyz")[0] == 200, 60, "ready")
    finally:
        process.terminate()
        assert process.wait(30) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines) > 2 and all(list(line)[:5] == ["time", "level", "worker", "lane", "msg"] for line in lines)
    assert lines[-1]["msg"] == "stopped"


# -- SIGTERM

@pytest.mark.parametrize("program", stacks.WORKERS)
def test_sigterm_ends_an_idle_worker_at_once(stack, program, tmp_path):
    with open(tmp_path / "log", "wb") as log:
        process, port = _start(stack, program, log=log)
    try:
        stacks.wait_until(lambda: _ask(port, "/readyz")[0] == 200, 60, f"{program} is ready")
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        took = time.monotonic() - begun
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    text = (tmp_path / "log").read_text()
    assert code == 0 and took < 8, f"exit code {code} after {took:.1f} s\n{text[-3000:]}"
    assert not stacks.SANITIZER_REPORT.search(text), text
    assert _password(stack) not in text


def test_sigterm_in_the_middle_of_a_run_loses_nothing(stack, generate, tmp_path):
    """SIGTERM of a second replica of each worker while lines flow: exit 0 soon, and the totals are exact."""
    month = months.Month(stack, generate, "sigterm", months.next_period(), options=("--rows", 500000, "--chunk-rows", 10000, "--versions", 1))
    version = month.write()[-1]
    months.apply(stack, month.catalog)
    processes = []
    try:
        for program in stacks.WORKERS:
            with open(tmp_path / program, "wb") as log:
                processes.append((program, *_start(stack, program, log=log)))
        for program, _, port in processes:
            stacks.wait_until(lambda p=port: _ask(p, "/readyz")[0] == 200, 60, f"{program} is ready")
        stack.cli("ingest", "--payer", month.payer, "--period", month.period)

        stacks.wait_until(month.runs, 120, "the run has begun", pause=0.02)
        time.sleep(0.3)                                   # lines flow by now; the first that are applied may be the last already
        assert month.runs()[0]["state"] == "running", "all was done before the first SIGTERM: the month is too small"
        for program, process, _ in processes:
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            took = time.monotonic() - begun
            text = (tmp_path / program).read_text()
            assert code == 0 and took < 20, f"{program}: exit code {code} after {took:.1f} s\n{text[-3000:]}"
            assert not stacks.SANITIZER_REPORT.search(text), text
    finally:
        for _, process, _ in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
    month.ingest()
    answer = month.totals("line_item_type,account")
    assert answer["complete"] and answer["lines"] == version["lines"]
    assert months.by_type_and_account(month, answer) == months.told(version)


# -- schemas and topics that a worker does not know

@pytest.fixture(scope="module")
def other_database(stack):
    """A second database on the same server, migrated; dropped at the end."""
    name = f"curmill_other_{os.getpid()}"
    stack.sql(f"CREATE DATABASE {name}")
    conninfo = re.sub(r"dbname=\S+", f"dbname={name}", stack.database)
    yield conninfo
    stack.sql(f"DROP DATABASE {name} WITH (FORCE)")


def _psql(conninfo, query):
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-c", query], check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("program", stacks.WORKERS)
def test_a_schema_it_does_not_know_is_refused(stack, other_database, program):
    """operations.md 6: an older schema says `curmill migrate`, a newer one says so; the command line too (exit code 4)."""
    args = ["--config", stack.conf, "--lane", "tdsynnex", "--database", other_database, "--health.port", _free_port()]
    _psql(other_database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    done = _run(stack, program, *args)
    assert done.returncode not in (0, 70) and "curmill migrate" in done.stderr and "version 0" in done.stderr, done
    cli = stack.cli_raw("--database", other_database, "run", "list")
    assert cli.returncode == 4 and "curmill migrate" in cli.stderr, cli

    assert stack.cli_raw("--database", other_database, "migrate").returncode == 0
    assert stack.cli_raw("--database", other_database, "migrate").returncode == 0       # again: nothing to do
    assert stack.cli_raw("--database", other_database, "run", "list").stdout.strip() == "[]"
    _psql(other_database, "INSERT INTO schema_version SELECT max(version) + 1, 'from-tomorrow', now(), 'x' FROM schema_version")
    done = _run(stack, program, *args)
    assert done.returncode not in (0, 70) and "newer" in done.stderr, done
    assert _password(stack) not in done.stderr
    cli = stack.cli_raw("--database", other_database, "run", "list")
    assert cli.returncode == 4 and "newer" in cli.stderr, cli


def test_a_lane_without_topics_is_refused(stack):
    """A worker of a lane nobody made topics for says what is missing and how to make it."""
    for program in stacks.WORKERS:
        done = _run(stack, program, "--config", stack.conf, "--lane", "nowhere", "--health.port", _free_port(), timeout=90)
        assert done.returncode not in (0, 70), done
        assert "curmill.nowhere." in done.stderr and "curmill topic create" in done.stderr, done.stderr[-2000:]


def test_rate_engine_refuses_a_topic_that_lost_partitions(stack):
    """architecture.md section 6: main() refuses to start with a topic whose partitions do not match what the run recorded."""
    stack.sql("INSERT INTO catalog_version VALUES ('partitions-test', '{}', now()) ON CONFLICT DO NOTHING")
    stack.sql("INSERT INTO delivery (id, payer, lane, period, report, assembly, format, source, manifest, manifest_digest, immutable_keys, state,"
              " discovered_at) VALUES ('partitions-test', '000000000001', 'partitions', '2019-01', 'r', '', 'files', '{}', '', '', true, 'planned', now())")
    stack.sql("INSERT INTO run (id, delivery_id, catalog_id, engine_version, payer, lane, period, shards, partitions, chunks, state, started_at, published)"
              " VALUES ('partitions-test', 'partitions-test', 'partitions-test', '1', '000000000001', 'tdsynnex', '2019-01', 16, 99, 1, 'running', now(), true)")
    try:
        done = subprocess.run([stack.bin / "rate-engine", "--config", stack.conf, "--lane", "tdsynnex"], env=stacks.clean_environment(),
                              capture_output=True, text=True, timeout=60, check=False)
    finally:
        stack.sql("DELETE FROM run WHERE id = 'partitions-test'")
        stack.sql("DELETE FROM delivery WHERE id = 'partitions-test'")
    assert done.returncode == 71, done.stderr
    assert "has 8 partitions" in done.stderr and "99" in done.stderr and "run start" in done.stderr
