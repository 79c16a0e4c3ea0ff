"""The commands that texts of the product tell people to type, and the command tree that they must fit (docs/man/curmill.1)."""
import dataclasses
import re
import shlex

from tree import REPO, c_strings, files, name, text_of

MAN = REPO / "docs" / "man" / "curmill.1"
GLOBALS = {"--format": True, "--config": True, "--database": True, "--wide": False, "--quiet": False, "--help": False}
# What a command needs beyond its table: one of these sets of options.
NEEDS = {"catalog apply": [{"--by", "--reason"}, {"--dry-run", "--periods"}], "ingest": [set(), {"--file", "--payer", "--period"}]}
ACTORS = {"curmill ingest --file", "curmill run start"}   # who did it, in the audit trail
VALUE = "VALUE"     # what stands for %s: a program puts something there


@dataclasses.dataclass
class Command:
    least: int
    most: int
    options: dict = dataclasses.field(default_factory=dict)     # name: takes a value
    required: set = dataclasses.field(default_factory=set)


def unquoted(text):
    return re.sub(r"\\f[BIRP]", "", text).replace("\\-", "-").replace("\\&", "")


def commands(man=None):
    """{"catalog apply": Command}"""
    found, command, option = {}, None, False
    section = (man or MAN.read_text()).split("\n.SH COMMANDS\n")[1].split("\n.SH ")[0]
    for line in section.splitlines():
        if line.startswith(".SS "):
            words = unquoted(line[4:]).strip('"').split()
            path = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
            operands = words[len(path):]
            command = found[" ".join(path)] = Command(sum(not word.startswith("[") for word in operands), len(operands))
        elif option:
            words = unquoted(line).split()
            command.options[words[0]] = len(words) > 1 and words[1] != "(required)"
            if words[-1] == "(required)":
                command.required.add(words[0])
        option = line == ".TP"
    return found


def hints(root=REPO):
    """(file, line, command) of each command in a text: in backticks, or the whole text."""
    for file in files(root, under=("common", "services"), suffix=(".c", ".h")):
        for line, text in c_strings(text_of(file)):
            for hint in re.findall(r"`(curmill [^`]*)`", text):
                yield name(file, root), line, hint
            if re.match(r"curmill (%s|[a-z-]+) [^`]*$", text) and text.split()[1] in TOP and text not in ACTORS:
                yield name(file, root), line, text


def wrong(hint, tree):
    """What would go wrong if it were typed; None: nothing."""
    words = shlex.split(re.sub(r"%(?:\.\d+)?(?:zu|l?l?[ud]|s)", VALUE, hint))[1:]
    fitting = [path for path in tree if len(words) >= len(path.split())
               and all(word in (part, VALUE) for word, part in zip(words, path.split()))]
    if not fitting:
        return "no such command"
    said = [problems(words[len(path.split()):], path, tree[path]) for path in fitting]
    return None if None in said else said[0]


def problems(words, path, command):
    given, operands, at = set(), 0, 0
    while at < len(words):
        word = words[at]
        if word.startswith("--"):
            takes = {**GLOBALS, **command.options}.get(word)
            if takes is None:
                return f"it has no option {word}"
            given.add(word)
            at += takes
            if takes and (at >= len(words) or words[at].startswith("--")):
                return f"{word} needs a value"
        elif re.fullmatch(r"\.\.\.|\[.*|.*\]", word):
            return f"{word} cannot be typed"
        else:
            operands += 1
        at += 1
    if missing := command.required - given:
        return f"{', '.join(sorted(missing))} is missing"
    if not command.least <= operands <= command.most:
        return f"it takes {command.least} to {command.most} operands, not {operands}"
    if path in NEEDS and not any(need <= given for need in NEEDS[path]):
        return f"it needs {' or '.join(' '.join(sorted(need)) for need in NEEDS[path])}"
    if path == "ingest" and "--file" in given and not {"--payer", "--period"} <= given:
        return "--file needs --payer and --period"
    return None


TOP = {path.split()[0] for path in commands()} | {"%s"}


def that_do_not_work(root=REPO):
    tree = commands()
    return [f"{file}:{line}: `{hint}`: {said}" for file, line, hint in hints(root) if (said := wrong(hint, tree))]
