"""Business rules: each id that the tree names is on docs/rules.md, and what that page says about code and tests is true."""
import re

from tree import REPO, all_files, line_at, name, text_of

PAGE = "docs/rules.md"
# "T00:00:00Z" is a time of day, not a rule.
ID = re.compile(r"(?<![A-Za-z0-9])([NPORIT]\d\d)(?![A-Za-z0-9]|:\d\d)")
RANGE = re.compile(r"(?<![A-Za-z0-9])([NPORIT])(\d\d)-(?:\1)?(\d\d)(?![A-Za-z0-9])")


def ids_in(text):
    """Ids that a text names; "N02-N05" names four."""
    found = set(ID.findall(text))
    for series, first, last in RANGE.findall(text):
        found |= {f"{series}{number:02d}" for number in range(int(first), int(last) + 1)}
    return found


class Rule:
    def __init__(self, rule, line, body):
        self.id, self.line, self.body = rule, line, body
        self.software = "* Not software:" not in body
        self.code = self.links("Implemented in")
        self.tests = self.links("Tested by")

    def links(self, kind):
        """(label, path) of the links of "* Implemented in ..." or "* Tested by ..."."""
        found = re.search(r"^\* %s (.*?)(?=^\*|\Z)" % kind, self.body, re.M | re.S)
        return [(label, path[3:]) for label, path in re.findall(r"\[`([^`]+)`\]\(([^)]+)\)", found.group(1))] if found else []


def rules(root=REPO):
    """The rules of the page, by their headings "### N02"."""
    text = (root / PAGE).read_text()
    parts = re.split(r"^### ([NPORIT]\d\d)\n", text, flags=re.M)
    found, line = [], parts[0].count("\n") + 1
    for rule, body in zip(parts[1::2], parts[2::2]):
        found.append(Rule(rule, line, re.split(r"^## ", body, flags=re.M)[0]))
        line += body.count("\n") + 1
    return found


def test_text(file, test):
    """A test with its comment, its decorators and its docstring; "" if the file has no such test."""
    text = text_of(file)
    if file.suffix == ".py":
        found = re.search(r"(?:^[#@][^\n]*\n)*^def %s\(.*?(?=^\S|\Z)" % re.escape(test), text, re.M | re.S)
    else:
        found = re.search(r"(?:^/\*(?:(?!\*/).)*\*/\s*)?^(?:Parameterized|Theory)?Test\(\w+, %s\b.*?^}" % re.escape(test), text, re.M | re.S)
    return found.group(0) if found else ""


def unknown(root=REPO):
    """Ids in code, tests and docs that the page does not have."""
    known = {rule.id for rule in rules(root)}
    problems = []
    for file in all_files(root):
        if file.suffix in (".csv", ".json", ".pdf", ".png", ".gz") or re.match(r"tests/repo/test_\w+\.py$", name(file, root)):
            continue  # data; and faults that the tests of this folder plant
        text = text_of(file)
        problems += [f"{name(file, root)}:{line_at(text, m.start())}: {m.group(1)} is not a rule of {PAGE}"
                     for m in ID.finditer(text) if m.group(1) not in known]
        problems += [f"{name(file, root)}:{line_at(text, m.start())}: {m.group(0)} names a rule that {PAGE} does not have"
                     for m in RANGE.finditer(text) if not ids_in(m.group(0)) <= known]
    return problems


def untrue(root=REPO):
    """Where the page is wrong about the tree."""
    problems, before = [], {}
    for rule in rules(root):
        where = f"{PAGE}:{rule.line}: {rule.id}"
        number = int(rule.id[1:])
        if number != before.get(rule.id[0], 0) + 1:
            problems.append(f"{where} is out of order, or an id before it is missing")
        before[rule.id[0]] = number
        if rule.software and not (rule.code and rule.tests):
            problems.append(f'{where} says neither "Not software:" nor both "Implemented in" and "Tested by"')
        if not rule.software and (rule.code or rule.tests):
            problems.append(f"{where} is not software, and yet names code")
        for label, path in rule.code:
            if label != path:
                problems.append(f"{where}: the link says {label} and leads to {path}")
            if not (root / path).is_file():
                problems.append(f"{where}: {path} does not exist")
            elif rule.id not in ids_in(text_of(root / path)):
                problems.append(f"{where}: {path} does not name {rule.id}")
        for test, path in rule.tests:
            if not (root / path).is_file():
                problems.append(f"{where}: {path} does not exist")
            elif not (text := test_text(root / path, test)):
                problems.append(f"{where}: {path} has no test {test}")
            elif rule.id not in ids_in(text):
                problems.append(f"{where}: test {test} of {path} does not name {rule.id}, in its name, its comment or its body")
    return problems


def without_c_test(root=REPO):
    """Rules that no test of the C code names, in its name or in a comment of its file."""
    named = set()
    for file in all_files(root):
        if file.suffix == ".c" and file.is_relative_to(root / "tests"):
            text = text_of(file)
            if re.search(r"^(Parameterized|Theory)?Test\(", text, re.M):
                named |= ids_in(text)
    return [rule.id for rule in rules(root) if rule.software and rule.id not in named]
