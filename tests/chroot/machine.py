"""A fresh Debian in a folder, and commands in it as root: made by mmdebstrap from where this machine gets its own packages."""
import pathlib
import re
import shutil
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[2]
# The way to the network, where a machine has one of its own: names, certificates, settings of pip and Maven. None needs to exist.
WAY = ["etc/resolv.conf", "etc/hosts", "etc/pip.conf", "root/.m2/settings.xml", "usr/local/share/ca-certificates"]
ENTER = """mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
exec chroot "$0" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@" """


def mirror() -> str:
    """Where this machine gets Debian's main archive from, by apt's own word."""
    for line in subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(SITE)|$(REPO_URI)"],
                               capture_output=True, text=True, check=True).stdout.splitlines():
        origin, codename, component, _, uri = line.split("|")
        if origin == "Debian" and component == "main" and re.fullmatch("[a-z]+", codename):
            return uri
    raise AssertionError("apt knows no archive of Debian here: run apt-get update first")


class Machine:
    def __init__(self, root: pathlib.Path, suite: str):
        self.root = root
        subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", "--include=ca-certificates", suite, root, mirror()], check=True,
                       stdin=subprocess.DEVNULL)
        for name in WAY:
            source, target = pathlib.Path("/") / name, root / name
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            elif source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                shutil.copyfile(source, target)
        self.run("update-ca-certificates", seconds=60)
        # What is committed, as somebody else would get it.
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", REPO, root / "root" / "curmill"], check=True)

    def run(self, command: str, seconds: float) -> subprocess.CompletedProcess:
        """In a process space of its own: whatever the command started ends with it."""
        return subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c", ENTER, self.root,
                               "bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=seconds, check=False)

    def in_clone(self, command: str, seconds: float) -> str:
        """Its output; fails with the end of it if the command fails."""
        done = self.run(f"cd /root/curmill && {command}", seconds)
        tail = "\n".join(done.stdout.splitlines()[-80:])
        print(tail, file=sys.stderr)
        assert done.returncode == 0, f"`{command}` ended with {done.returncode}:\n{tail}"
        return done.stdout
