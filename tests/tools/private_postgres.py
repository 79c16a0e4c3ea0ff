"""A private PostgreSQL for a test: in a folder of its own, on a socket only, stopped by its process. One for all tests in Python; those in C
have tests/unit/common/platform/postgres/private_postgres.c."""
import os
import pathlib
import pwd
import signal
import subprocess
import time

from tools import postgres_programs

START_SECONDS = 60


class PrivatePostgres:
    """Runs until stop(). Its superuser is `curmill`; the server's log lies in FOLDER/log."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.bin, who = folder, postgres_programs.folder(), {}
        if os.geteuid() == 0:   # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [user.pw_gid]}
        data = folder / "data"
        with open(folder / "log", "wb") as log:
            where = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "cwd": folder, **who}
            subprocess.run([self.bin / "initdb", "-D", data, "-U", "curmill", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], check=True,
                           **where)
            self.server = subprocess.Popen([self.bin / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"], **where)
        deadline = time.monotonic() + START_SECONDS
        while self._psql("postgres", "SELECT 1").returncode:
            assert self.server.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)

    def conninfo(self, database: str = "postgres") -> str:
        return f"host={self.folder} user=curmill dbname={database}"

    def _psql(self, database: str, text: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.bin / "psql", self.conninfo(database), "-AtqX", "-v", "ON_ERROR_STOP=1", "-F", "|", "-c", text],
                              capture_output=True, text=True, check=False)

    def sql(self, database: str, text: str) -> list[list[str]]:
        done = self._psql(database, text)
        assert done.returncode == 0, done.stderr
        return [line.split("|") for line in done.stdout.splitlines()]

    def stop(self) -> None:
        self.server.send_signal(signal.SIGQUIT)   # at once: nothing of it is wanted
        self.server.wait(30)
