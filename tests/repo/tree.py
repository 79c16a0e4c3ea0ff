"""The files of the repository, and what stands in them: comments, texts in quotes. Used by the checks of this folder."""
import pathlib
import re
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[2]
NOT_OURS = {".git", "build", ".local", "__pycache__", "vectors", ".cache"}  # vectors: AWS's own, as they came


def all_files(root=REPO):
    """What is committed or could be (nothing that .gitignore names); without git, every file below `root`."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, capture_output=True, check=False)
    if listed.returncode == 0 and (root / ".git").exists():
        found = [root / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = list(root.rglob("*"))
    return sorted(f for f in found if f.is_file() and not NOT_OURS & set(f.relative_to(root).parts))


def files(root=REPO, under=(), suffix=()):
    """Those below one of the folders `under` (none: all) that end in one of `suffix` (none: all)."""
    return [f for f in all_files(root)
            if (not under or any(f.is_relative_to(root / folder) for folder in under)) and (not suffix or f.suffix in suffix)]


def name(file, root=REPO):
    return file.relative_to(root).as_posix()


def text_of(file):
    """The text of a file; "" for one that holds no text."""
    data = file.read_bytes()
    return "" if b"\0" in data[:4096] else data.decode("utf-8", "replace")


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


C_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)


def c_comments(text):
    """(line, text) of each comment of C."""
    return [(line_at(text, m.start()), m.group(0)) for m in C_TOKEN.finditer(text) if m.group(0)[0] == "/"]


def c_strings(text):
    """(line, text) of each text of C; neighbours in the source are one, as for the compiler."""
    found, end = [], None
    for match in C_TOKEN.finditer(text):
        token = match.group(0)
        if token[0] != '"':
            continue
        inner = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": " ", "r": " "}.get(m.group(1), m.group(1)), token[1:-1])
        # Between two parts of one text there may be spaces, a comment, and a macro such as PRIu64.
        if end is not None and re.fullmatch(r"\s*(PRI[a-z]+(?:8|16|32|64|MAX)\s*)?", text[end:match.start()]):
            found[-1] = (found[-1][0], found[-1][1] + ("0" if "PRI" in text[end:match.start()] else "") + inner)
        elif not text[text.rfind("\n", 0, match.start()) + 1:match.start()].lstrip().startswith("#include"):
            found.append((line_at(text, match.start()), inner))
        end = match.end()
    return found


def tool(command):
    """A program of the virtual environment (tests/requirements.txt pins it)."""
    beside = pathlib.Path(sys.executable).parent / command
    if not beside.is_file():
        raise FileNotFoundError(f"{command} is not beside {sys.executable}: tests/run installs tests/requirements.txt")
    return str(beside)


def numbered(items):
    """Problems as one text, each on a line of its own: what a failed assertion shows."""
    return "\n" + "\n".join(items)
