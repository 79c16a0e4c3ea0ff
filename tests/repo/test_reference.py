"""Reference pages say what the code says: docs/catalog.md is printed from the tables of keys, docs/formats.md lists the columns that are read."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

REPO = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = REPO / "docs" / "examples" / "catalog"
PAGE = REPO / "docs" / "catalog.md"
BIN = pathlib.Path(os.environ.get("CURMILL_BIN", REPO / "build" / "dev" / "bin"))


def program(*arguments):
    return subprocess.run([str(BIN / arguments[0]), *map(str, arguments[1:])], capture_output=True, text=True, check=False)


def section_examples(text):
    """{kind: (rows of its tables as (key, example), its YAML)} of a reference page."""
    found = {}
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        rows = [[cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                for line in part.splitlines() if line.startswith("| `")]
        found[part.splitlines()[0]] = ([(row[0].strip("`"), row[5]) for row in rows], "".join(re.findall(r"```yaml\n(.*?)```", part, re.S)))
    return found


def examples_not_shown(text):
    """Examples of keys that do not stand in the documents of their section."""
    wrong = []
    for kind, (rows, documents) in section_examples(text).items():
        for key, example in rows:
            shown = example.strip("`") if example != "below" else f"{key}:"
            if shown not in documents:
                wrong.append(f"{kind}: {shown}")
    return wrong


def test_the_catalog_page_is_what_the_tables_say():
    printed = program("catalog-reference", EXAMPLES)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout == PAGE.read_text(), "docs/catalog.md is old: cmake --build --preset dev --target docs-catalog"


def test_the_page_has_every_kind():
    kinds = section_examples(PAGE.read_text())
    assert len(kinds) == 13
    for kind, (rows, documents) in kinds.items():
        assert rows and {document["kind"] for document in yaml.safe_load_all(documents)} == {kind}


def test_every_example_of_a_key_stands_in_a_document():
    assert not examples_not_shown(PAGE.read_text())


def test_an_example_that_no_document_has_is_found():
    assert examples_not_shown(PAGE.read_text().replace("`rate: 0.085`", "`rate: 0.086`", 1)) == ["PriceBook: rate: 0.086"]


def test_the_examples_together_are_a_catalog():
    checked = program("curmill", "catalog", "check", EXAMPLES)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("kind", ["Payer", "PriceBook"])
def test_the_examples_are_checked(tmp_path, kind):
    """A key that the page does not have is refused."""
    folder = shutil.copytree(EXAMPLES, tmp_path / "catalog")
    for file in folder.glob("*.yaml"):
        file.write_text(file.read_text().replace(f"kind: {kind}\n", f"kind: {kind}\nno_such_key: 1\n", 1))
    checked = program("curmill", "catalog", "check", folder)
    assert checked.returncode != 0 and "no_such_key" in checked.stdout + checked.stderr


def columns_of_code():
    source = (REPO / "common" / "billing" / "cur" / "columns.c").read_text()
    rows = re.findall(r'\[CM_COLUMN_\w+\] = \{(?:"([^"]+)"|NULL), (?:"([^"]+)"|NULL), (true|false)\}', source)
    return {(legacy, cur2, needed == "true") for legacy, cur2, needed in rows}


def columns_of_page():
    page = (REPO / "docs" / "formats.md").read_text()
    rows = re.findall(r"^\| (?:`(\w+/\w+)` )?\| (?:`(\w+)` )?\| (?:(yes) )?\|", page, re.M)
    return {(legacy, cur2, needed == "yes") for legacy, cur2, needed in rows if legacy or cur2}


def test_the_columns_of_reports_are_those_that_are_read():
    assert len(columns_of_code()) == 23
    assert columns_of_page() == columns_of_code()


def types_of_code():
    source = (REPO / "common" / "billing" / "catalog" / "model" / "class.c").read_text()
    return {(name, kind.lower()) for name, kind in re.findall(r'\{"(\w+)", CM_CLASS_(\w+)\}', source)}


def types_of_page():
    page = (REPO / "docs" / "formats.md").read_text().split("### Line item types")[1].split("###")[0]
    return {(name, row[1]) for row in re.findall(r"^\| (`.*`) \| `(\w+)` \|$", page, re.M) for name in re.findall(r"`(\w+)`", row[0])}


def test_the_line_item_types_are_those_that_are_built_in():
    assert len(types_of_code()) == 19
    assert types_of_page() == types_of_code()


def statement_page():
    return (REPO / "docs" / "statements.md").read_text()


def test_the_keys_of_a_document_are_those_that_are_written():
    source = (REPO / "common" / "billing" / "statement" / "document.c").read_text()

    def keys(start):
        call = source[source.index(start):]
        return set(re.findall(r'"(\w+)"', call[:call.index(";")])) - {"statement", "draft"}

    document, lines = keys('json_pack("{s:s, s:n'), keys('json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o')
    assert len(document) == 14 and len(lines) == 9
    rows = set(re.findall(r"^\| `([\w.\[\]]+)` \|", statement_page().split("## 7. Outputs")[1], re.M))
    assert {row for row in rows if "." not in row} == document | {"corrects", "gates"}
    assert {row.removeprefix("lines[].") for row in rows if "." in row} == lines


def test_the_gates_are_those_that_are_computed():
    source = (REPO / "common" / "store" / "documents" / "document_store.c").read_text()
    code = re.findall(r'\{"([A-Z_]+)", (true|false)\}', source)
    page = re.findall(r"^\| `([A-Z_]+)` \| .* \| (yes|no) \|$", statement_page(), re.M)
    assert len(code) == 10
    assert [(name, can == "true") for name, can in code] == [(name, can == "yes") for name, can in page]


def generated(*arguments):
    return subprocess.run([str(REPO / "docs" / "generate"), *arguments, str(BIN)], capture_output=True, text=True, check=False)


def test_settings_and_man_pages_are_what_the_programs_print():
    done = generated("--check")
    assert done.returncode == 0, done.stderr


def test_a_page_that_is_out_of_date_is_named(tmp_path):
    """With a copy of docs/, in which a page was edited."""
    shutil.copytree(REPO / "docs", tmp_path / "docs")
    page = tmp_path / "docs" / "man" / "rate-engine.1"
    page.write_text(page.read_text().replace("rate\\-engine", "rate engine", 1).replace("SETTINGS", "SETTING", 1))
    done = subprocess.run([str(tmp_path / "docs" / "generate"), "--check", str(BIN)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "docs/man/rate-engine.1 is out of date: run docs/generate\n")


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
@pytest.mark.parametrize("page", sorted((REPO / "docs" / "man").glob("*.1")), ids=lambda page: page.name)
def test_man_pages_have_no_troff_warnings(page):
    done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and not done.stderr and "EXIT STATUS" in done.stdout.upper(), done
