"""deploy/local: the stack that the quick start and all other integration tests stand on."""
import os
import signal
import socket
import subprocess

import stack as stacks

RATE_ENGINE = stacks.Worker("rate-engine", "ingram")


def pids(stack):
    return {file.name: file.read_text() for file in (stack.home / "run").glob("*.pid")}


def run_up(home, **environment):
    return subprocess.run([stacks.LOCAL / "up", "--only", "postgres"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**stacks.clean_environment(), "CURMILL_HOME": str(home), "CURMILL_BIN": str(stacks.programs()),
                               **environment}, check=False)


def test_up_on_a_running_stack_starts_nothing_anew(stack):
    before = pids(stack)
    assert f"{RATE_ENGINE.name}.pid" in before
    stack.up()
    assert pids(stack) == before


def test_every_worker_is_alive_and_ready(stack):
    for worker in stack.all_workers():
        assert stack.http(worker, "/healthz")[0] == 200, worker.name
        assert stack.http(worker, "/readyz")[0] == 200, worker.name


def test_a_killed_worker_is_started_again(stack):
    killed = stack.kill_worker(RATE_ENGINE)
    stack.wait_ready([RATE_ENGINE])
    assert stack.worker_pid(RATE_ENGINE) not in (killed, None)


def test_a_worker_does_not_outlive_its_keeper(stack):
    worker = stack.worker_pid(RATE_ENGINE)
    keeper = int((stack.home / "run" / f"{RATE_ENGINE.name}.keeper.pid").read_text())
    os.kill(keeper, signal.SIGKILL)
    stacks.wait_until(lambda: not stacks.alive(worker), 30, "the worker ends with its keeper")
    stack.up("workers")
    assert stack.worker_pid(RATE_ENGINE) not in (worker, None)


def test_killed_servers_start_again_with_their_data(make_stack):
    stack = make_stack(workers=False)
    stack.sql("CREATE TABLE kept (x int)")
    stack.sql("INSERT INTO kept VALUES (7)")
    topics = stack.cli("topic", "list")
    assert topics
    stack.kill_postgres()
    stack.kill_broker()
    stack.start_postgres()
    stack.start_broker()
    assert stack.sql("SELECT x FROM kept") == [{"x": "7"}]
    assert stack.cli("topic", "list") == topics


def test_down_ends_every_process_and_wipe_leaves_no_file(make_stack):
    stack = make_stack()
    started = [int(pid) for pid in pids(stack).values()]
    assert len(started) == 2 + 2 * len(stack.all_workers())
    stack.down()
    assert [pid for pid in started if stacks.alive(pid)] == []
    assert not stack.home.exists()


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine").write_text("x")
    done = run_up(tmp_path)
    assert done.returncode == 1
    assert "is not empty and no stack of curmill" in done.stderr and "next: " in done.stderr
    down = subprocess.run([stacks.LOCAL / "down", "--wipe"], env={**os.environ, "CURMILL_HOME": str(tmp_path)},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert down.returncode == 0
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_a_taken_port_is_named(tmp_path):
    home, base = tmp_path / "home", stacks.free_port_base()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base))
        taken.listen()
        done = run_up(home, CURMILL_PORT_BASE=str(base))
    assert done.returncode == 1
    assert f"port {base} is taken" in done.stderr and "CURMILL_PORT_BASE=" in done.stderr
