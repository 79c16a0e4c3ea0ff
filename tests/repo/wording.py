"""English that people read: spelling of everything, and phrases that we do not write, in the product's texts, scripts and Markdown."""
import pathlib
import re
import subprocess

import style
from tree import REPO, all_files, c_strings, files, line_at, name, text_of, tool

HERE = pathlib.Path(__file__).resolve().parent
PHRASES = HERE / "phrases.txt"
WORDS = HERE / "words.txt"
# Wrong on purpose: the product must say what was meant.
MISSPELT = {"standart", "levle", "buisness", "upport", "intervall", "2st"}


def phrases():
    """[(pattern, what to write instead)]"""
    lines = [line for line in PHRASES.read_text().splitlines() if line and not line.startswith("#")]
    pairs = [line.split(" => ") for line in lines]
    return [(re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.I), instead) for pattern, instead in pairs]


def texts(root=REPO):
    """(file, line, text) of all that people read: texts of C, scripts, Markdown without its code."""
    for file in files(root, under=("common", "services"), suffix=(".c", ".h")):
        for line, text in c_strings(text_of(file)):
            yield file, line, text
    for file in style.bash_files(root):
        yield file, 1, text_of(file)
    for file in all_files(root):
        if file.suffix == ".md":
            text = re.sub(r"^( *)(```|~~~).*?^ *\2[ \t]*$", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text_of(file), flags=re.M | re.S)
            yield file, 1, text


def odd_phrases(root=REPO):
    """{file: [problem]}"""
    found, patterns = {}, phrases()
    for file, line, text in texts(root):
        for pattern, instead in patterns:
            for match in pattern.finditer(re.sub(r"\s", " ", text)):
                around = re.sub(r"\s+", " ", text[max(0, match.start() - 30):match.end() + 30]).strip()
                found.setdefault(name(file, root), []).append(
                    f'{name(file, root)}:{line - 1 + line_at(text, match.start())}: "{match.group(0)}": write "{instead}" (... {around} ...)')
    return found


def misspelt(root=REPO):
    """What codespell says of all files that hold text."""
    paths = [name(file, root) for file in all_files(root)
             if file.suffix not in (".csv", ".json", ".pdf", ".png", ".gz", ".zip") and not name(file, root).startswith("tests/repo/")]
    said = []
    for at in range(0, len(paths), 200):
        done = subprocess.run([tool("codespell"), "--ignore-words", str(WORDS), "--disable-colors", *paths[at:at + 200]], cwd=root,
                              capture_output=True, text=True, check=False)
        said += done.stdout.splitlines()
    return [line for line in said if not re.search(r": (\S+) ==>", line) or re.search(r": (\S+) ==>", line).group(1).lower() not in MISSPELT]
