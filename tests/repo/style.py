"""clang-format over all C, shellcheck over all bash scripts."""
import subprocess

from tree import REPO, files, name, text_of, tool


def c_files(root=REPO):
    return files(root, suffix=(".c", ".h"))


def bash_files(root=REPO):
    return [f for f in files(root) if f.suffix in (".sh", ".bash") or (not f.suffix or f.name == "run") and
            text_of(f)[:64].startswith(("#!/usr/bin/env bash", "#!/bin/bash", "# shellcheck shell=bash", "#!/bin/sh"))]


def misformatted(root=REPO):
    """Files that clang-format would write otherwise, with the first line that differs."""
    found = []
    for file in c_files(root):
        done = subprocess.run([tool("clang-format"), "--style=file", str(file)], cwd=root, capture_output=True, check=False)
        if done.returncode != 0:
            found.append(f"{name(file, root)}: {done.stderr.decode().strip()}")
        elif done.stdout != (data := file.read_bytes()):
            pairs = zip(data.split(b"\n"), done.stdout.split(b"\n"))
            line = next((number for number, (one, other) in enumerate(pairs, 1) if one != other), data.count(b"\n"))
            found.append(f"{name(file, root)}:{line}: is not formatted: build/venv/bin/clang-format -i {name(file, root)}")
    return found


def shell_mistakes(root=REPO):
    scripts = [name(file, root) for file in bash_files(root)]
    if not scripts:
        return []
    done = subprocess.run([tool("shellcheck"), "--external-sources", "--source-path=SCRIPTDIR", "--format=gcc", *scripts], cwd=root, capture_output=True, text=True,
                          check=False)
    return done.stdout.splitlines() + ([done.stderr] if done.returncode > 1 else [])
