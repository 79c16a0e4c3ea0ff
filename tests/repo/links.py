"""Links, anchors and paths in Markdown; pages and sections that comments of the code name."""
import re

from tree import REPO, all_files, c_comments, line_at, name, text_of

# A path of this repository begins with one of these, or is one of the files in the root.
TOPS = ("common", "services", "proto", "deploy", "tests", "docs", "helm", ".ci", ".github")
# Made by building, installing or running: named, and not in the tree.
MADE = re.compile(r"^(build|\.local)(/|$)")
CODE = {".c", ".h", ".py", ".sh", ".sql", ".proto", ".yaml", ".yml", ".cmake", ".txt", ""}


def markdown(root=REPO):
    return [f for f in all_files(root) if f.suffix == ".md"]


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def without_fences(text):
    return re.sub(r"^( *)(```|~~~).*?^ *\2[ \t]*$", _blank, text, flags=re.M | re.S)


def anchors(text):
    """As GitHub makes them of headings, and those that are written as <a id="...">."""
    found, seen = set(re.findall(r'<a (?:id|name)="([^"]+)"', text)), {}
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", without_fences(text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def dead_links(root=REPO):
    """Links inside the repository that lead to no file or to no heading."""
    problems = []
    for file in markdown(root):
        text = without_fences(text_of(file))
        bare = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", lambda m: m.group(0) if "\n\n" in m.group(0) else re.sub(r"[\[\]()]", " ", m.group(0)), text, flags=re.S)
        targets = [(m.start(), m.group(1)) for m in re.finditer(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)", bare)]
        targets += [(m.start(), m.group(1)) for m in re.finditer(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)", bare, re.M)]
        for at, target in targets:
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue  # another site: not ours to keep alive
            path, _, anchor = target.partition("#")
            where = f"{name(file, root)}:{line_at(text, at)}"
            goal = (file.parent / path).resolve() if path else file
            if path.startswith("/") or not goal.is_relative_to(root.resolve()):
                problems.append(f"{where}: link to {target} leaves the repository")
            elif not goal.exists():
                problems.append(f"{where}: link to {target}: there is no such file")
            elif anchor and (goal.suffix != ".md" or anchor not in anchors(text_of(goal))):
                problems.append(f"{where}: link to {target}: there is no such heading")
    return problems


def _exists(root, path, near):
    """A path as written: * and <name> stand for anything, {a,b} for each of them."""
    alternatives = re.search(r"\{([^{}]*,[^{}]*)\}", path)
    if alternatives:
        return all(_exists(root, path[:alternatives.start()] + one.strip() + path[alternatives.end():], near)
                   for one in alternatives.group(1).split(","))
    pattern = re.sub(r"<[^<>]*>|\{[^{}]*\}|NAME|\bX+\b", "*", path).rstrip("/")
    if "*" in pattern:
        return any(root.glob(pattern)) or any(near.glob(pattern))
    return (root / pattern).exists() or (near / pattern).exists()


def dead_paths(root=REPO):
    """Paths in backticks in Markdown, and in comments of C, that the repository does not have."""
    problems = []
    for file in markdown(root):
        text = without_fences(text_of(file))
        for match in re.finditer(r"(?<!`)`([^`\n]+)`(?!`)", text):
            path = match.group(1).split()[0].rstrip(".,:;")
            path = re.sub(r":\d+(-\d+)?$", "", path)
            path = path[2:] if path.startswith("./") else path
            is_path = path.split("/")[0] in TOPS and "/" in path and re.fullmatch(r"[\w./*<>{},+-]+", path)
            if is_path and not MADE.match(path) and not _exists(root, path, file.parent):
                problems.append(f"{name(file, root)}:{line_at(text, match.start())}: {path} does not exist")
    for file in all_files(root):
        # A migration never changes once it was applied somewhere, its comments neither.
        if file.suffix not in CODE or name(file, root).startswith(("tests/repo/", "deploy/postgres/migrations/")):
            continue
        for line, comment in comments(file):
            problems += [f"{name(file, root)}:{line}: {path} does not exist" for path in PATH.findall(comment)
                         if not _exists(root, path, file.parent)]
    return problems


PATH = re.compile(r"(?<![\w./<{$}-])((?:common|services|proto|deploy|tests|docs)/[\w./-]*\w\.(?:c|h|md|py|proto|sql|sh|yaml))\b(?![\w*{<])")


def comments(file):
    """(line, text) of the comments of a file of code, whatever its language."""
    text = text_of(file)
    if file.suffix in (".c", ".h", ".proto"):
        return c_comments(text)
    mark = r"--" if file.suffix == ".sql" else r"(?<![^\s])#"
    found = [(line_at(text, m.start()), m.group(0)) for m in re.finditer(mark + r"[^\n]*", text)]
    if file.suffix == ".py":
        found += [(line_at(text, m.start()), m.group(0)) for m in re.finditer(r'""".*?"""', text, re.S)]
    return found


# "rating.md", "docs/rating.md section 5", "statements.md sections 2, 3 and 7", "architecture.md 5", "cur.md 1a"
PAGE = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*)([a-zA-Z][\w-]*\.md)\b((?:(?:,)? sections?)?(?:[ \n*#]+(?:and )?\d+[a-z]?(?:-\d+)?(?![\w.])(?:,(?= (?:and )?\d))?)*)")


def _sections(words):
    found = []
    for first, last in re.findall(r"(\d+[a-z]?)(?:-(\d+))?", words):
        found += [str(number) for number in range(int(first), int(last) + 1)] if last else [first]
    return found


def dead_pages(root=REPO):
    """Pages and numbered sections that code names: a bare "rating.md" is docs/rating.md."""
    problems = []
    for file in all_files(root):
        # The tests of this check plant dead ones; a migration never changes once it was applied somewhere.
        if file.suffix not in CODE or name(file, root).startswith(("tests/repo/links.py", "tests/repo/test_links.py", "tests/repo/test_wording.py",
                                                                   "tests/repo/test_rules.py", "deploy/postgres/migrations/")):
            continue
        text = text_of(file)
        for match in PAGE.finditer(text):
            folder, page, words = match.groups()
            goals = [root / folder / page, file.parent / folder / page] if folder else [root / "docs" / page, root / page, file.parent / page]
            where = f"{name(file, root)}:{line_at(text, match.start())}"
            goal = next((goal for goal in goals if goal.is_file()), None)
            if goal is None:
                problems.append(f"{where}: there is no page {folder}{page}")
                continue
            quoted = re.match(r',[\s*#]+"([^"]+)"', text[match.end():])
            if quoted and re.sub(r"[\s*#]+", " ", quoted.group(1)) not in re.findall(r"^#+ +(?:\d+[a-z]?\. )?(.*?)$", text_of(goal), re.M):
                problems.append(f'{where}: {folder}{page} has no section "{quoted.group(1)}"')
            headings = re.findall(r"^#+ +(?:\d+\.)*?(\d+[a-z]?)[. ]", text_of(goal), re.M)
            problems += [f"{where}: {folder}{page} has no section {number}" for number in _sections(words) if number not in headings]
    return problems
