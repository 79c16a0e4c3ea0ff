"""S3 servers for tests, all on loopback: versitygw (the strictest there is), a proxy that cuts connections, a scripted fake.

The small client here signs by itself, in another language than the product, so the two check each other."""
from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import hmac
import http.client
import http.server
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
ACCESS_KEY, SECRET_KEY, REGION = "curmill-test", "a+very/secret==key-that-must-not-be-shown", "us-east-1"
BUILD_SECONDS = 1500


def versitygw_program() -> pathlib.Path | None:
    """The server, built once into the cache (about 190 s of CPU). None where there is no Go and it was never built."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "curmill" / "bin"
    program = cache / "versitygw"
    if program.exists():
        return program
    if not shutil.which("go"):
        return None
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / ".versitygw.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs build it once
        if not program.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:  # a build that is broken off leaves nothing half done
                subprocess.run(["go", "install", VERSITYGW], env={**os.environ, "GOBIN": folder}, check=True, capture_output=True,
                               text=True, timeout=BUILD_SECONDS)
                os.rename(pathlib.Path(folder) / "versitygw", program)
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def signed_headers(method: str, host: str, path: str, query: str, body: bytes) -> dict[str, str]:
    """Signature Version 4 with a header, for S3."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    payload = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": now}
    names = ";".join(sorted(headers))
    canonical = "\n".join([method, path, query, *(f"{k}:{headers[k]}" for k in sorted(headers)), "", names, payload])
    scope = f"{now[:8]}/{REGION}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET_KEY).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
    return headers


class Versitygw:
    """A server of its own, in a folder of its own."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        data, users = folder / "data", folder / "users"
        data.mkdir()
        users.mkdir()
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [program, "--port", f"127.0.0.1:{self.port}", "--region", REGION, "--iam-dir", users, "posix", data],
            env={**os.environ, "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT, cwd=folder)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self._wait()

    def _wait(self):
        for _ in range(200):
            assert self.process.poll() is None, "versitygw ended: " + pathlib.Path(self.log.name).read_text(errors="replace")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError("versitygw does not answer")

    def request(self, method: str, bucket: str, key: str = "", body: bytes = b"") -> tuple[int, bytes]:
        path = "/" + bucket + ("/" + urllib.parse.quote(key, safe="/-_.~") if key else "")
        headers = signed_headers(method, f"127.0.0.1:{self.port}", path, "", body)
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def put(self, bucket: str, key: str = "", body: bytes = b"") -> None:
        status, text = self.request("PUT", bucket, key, body)
        assert status == 200, (status, text)

    def stop(self):
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.log.close()


class CuttingProxy:
    """Passes bytes to a server. `cuts`: for each connection in turn, after how many bytes of answer it is broken (None: never).
    `on_cut` is called before the connection is broken. `heads`: what was asked, request line and headers."""

    def __init__(self, port: int, cuts: list[int | None], on_cut=None):
        self.target, self.cuts, self.on_cut, self.heads = port, list(cuts), on_cut, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.stopping = False
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        self.listener.settimeout(0.1)
        while not self.stopping:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                continue
            cut = self.cuts.pop(0) if self.cuts else None
            thread = threading.Thread(target=self._pass, args=(peer, cut), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _pass(self, peer: socket.socket, cut: int | None):
        server = socket.create_connection(("127.0.0.1", self.target))
        passed = 0
        with peer, server:
            while not self.stopping:
                ready, _, _ = select.select([peer, server], [], [], 0.1)
                if peer in ready:
                    data = peer.recv(65536)
                    if not data:
                        return
                    self.heads.append(data.decode("latin-1"))
                    server.sendall(data)
                if server in ready:
                    data = server.recv(65536)
                    if cut is not None and passed + len(data) >= cut:
                        peer.sendall(data[:cut - passed])
                        if self.on_cut:
                            self.on_cut()
                        return
                    if not data:
                        return
                    passed += len(data)
                    peer.sendall(data)

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(10)
        self.listener.close()


class FakeS3:
    """A server with a script: `answer(request, n)` gets the handler and the number of the request (from 0) and returns
    (status, headers, body). A header Content-Length of its own makes the answer too short for what it promised."""

    def __init__(self, answer, keep_alive=False):
        fake = self
        self.requests: list[dict] = []
        self.connections = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                fake.connections += 1

            def do_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.requests.append({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body})
                status, headers, text = answer(fake.requests[-1], len(fake.requests) - 1)
                self.send_response_only(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)
                self.close_connection = not keep_alive

            do_GET = do_HEAD = do_POST = do_PUT = do_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()
