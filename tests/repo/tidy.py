"""clang-tidy over common/ and services/, with the compile commands of a build."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess

from tree import REPO, tool

# The analyzer gives up a function after so many steps: it finds the same in a fifth of the time.
STEPS = "max-nodes=30000"
AT_ONCE = 8


def build_folder():
    """Of the programs that the suite tests; by hand: build/dev."""
    programs = os.environ.get("CURMILL_BIN")
    return pathlib.Path(programs).parent if programs else REPO / "build" / "dev"


def sources(build, root=REPO):
    """The product's sources that the build compiles."""
    commands = json.loads((build / "compile_commands.json").read_text())
    found = {pathlib.Path(command["directory"], command["file"]).resolve() for command in commands}
    return sorted(file for file in found if any(file.is_relative_to((root / folder).resolve()) for folder in ("common", "services")))


def mistakes(files, build, root=REPO):
    """What clang-tidy says, one line each."""
    command = [tool("clang-tidy"), "--quiet", f"--config-file={REPO / '.clang-tidy'}", "-p", str(build)]
    for word in ("-analyzer-config", STEPS):
        command += ["--extra-arg=-Xclang", f"--extra-arg={word}"]

    def check(some):
        done = subprocess.run([*command, *map(str, some)], cwd=root, capture_output=True, text=True, check=False)
        said = [line for line in done.stdout.splitlines() if re.search(r": (error|warning): ", line)]
        return said or ([f"clang-tidy ended with {done.returncode}: {done.stderr[-2000:]}"] if done.returncode else [])

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        batches = [files[i:i + AT_ONCE] for i in range(0, len(files), AT_ONCE)]
        found = [line for lines in pool.map(check, batches) for line in lines]
    return sorted(set(line.replace(f"{root}/", "") for line in found))
