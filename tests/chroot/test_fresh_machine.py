"""The two commands of the README on machines that have nothing yet: Debian 12 and 13. As root; on demand."""
import os
import re
import shutil
import socket
import time

import pytest

from machine import Machine

SECONDS_OF_THE_DEMO = 300


def free_ports() -> int:
    """The first of 60 ports in a row that nobody listens on."""
    for base in range(24400, 60000, 100):
        try:
            for port in range(base, base + 60):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise AssertionError("no free ports")


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def machine(request, tmp_path_factory):
    assert os.geteuid() == 0, "a chroot can only be made as root"
    root = tmp_path_factory.mktemp(request.param) / "root"
    made = Machine(root, request.param)
    yield made
    shutil.rmtree(root)


@pytest.mark.timeout(1200)
def test_demo(machine):
    begun = time.monotonic()
    said = machine.in_clone(f"CURMILL_PORT_BASE={free_ports()} deploy/local/demo", 900)
    seconds = time.monotonic() - begun
    print(f"deploy/local/demo: {seconds:.0f} s")
    assert "demo: done" in said
    assert seconds < SECONDS_OF_THE_DEMO


@pytest.mark.timeout(1200)
def test_the_compiler_has_nothing_to_say(machine):
    machine.in_clone("deploy/local/up --only packages", 600)
    machine.in_clone("cmake -S . -B build/strict -G Ninja -DCURMILL_TESTS=OFF -DCURMILL_WERROR=ON && cmake --build build/strict", 900)


@pytest.mark.timeout(3600)
def test_all_tests(machine):
    said = machine.in_clone("tests/run", 3500)
    assert re.fullmatch(r"\d+ passed, 0 failed", said.splitlines()[-1])
