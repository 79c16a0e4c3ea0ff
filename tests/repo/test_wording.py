"""Plain English: no odd phrase, no misspelling; the checks are tried on both."""
import pytest
from tree import numbered

import wording


def test_no_odd_phrases():
    problems = [problem for _, said in sorted(wording.odd_phrases().items()) for problem in said]
    assert not problems, numbered(problems)


def test_spelling():
    problems = wording.misspelt()
    assert not problems, numbered(problems)


def test_there_is_something_to_check():
    files = {file.name for file, _, _ in wording.texts()}
    assert {"README.md", "rules.md", "demo", "words.c", "gates.c"} <= files and len(wording.phrases()) > 50


# --- the checks themselves ---------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        return tmp_path
    return write


@pytest.mark.parametrize("text", ["%s is no file", "is no time", "\\\"x\\\" is no number", "mend the cause", "counts no more", "it shall leave",
                                  "what lies below a document", "a person must look", "Told is every customer", "none of 1 documents is draft",
                                  "%s is a good catalog", "is \" \"no file", "is no\\nfile", "run the doctor %\" PRIu64 \" mends it"])
def test_odd_phrases_of_the_product_are_found(tree, text):
    root = tree("services/x/main.c", f'int a;\nconst char *text = "{text}";\n')
    found = wording.odd_phrases(root)
    assert list(found) == ["services/x/main.c"] and found["services/x/main.c"][0].startswith("services/x/main.c:2: ")


@pytest.mark.parametrize("path", ["README.md", "docs/cli.md", "deploy/local/up"])
def test_odd_phrases_of_pages_and_scripts_are_found(tree, path):
    assert path in wording.odd_phrases(tree(path, "#!/usr/bin/env bash\n\necho this is no file\n"))


@pytest.mark.parametrize("text", ['const char *text = "there is no file";', 'const char *text = "it is no longer there";', "/* x is no file */ int a;",
                                  'const char *text = "recommended amendment";', '#include "mend.h"'])
def test_what_is_said_is_let_be(tree, text):
    assert wording.odd_phrases(tree("common/a.c", text + "\n")) == {}


def test_code_in_markdown_is_let_be(tree):
    assert wording.odd_phrases(tree("README.md", "```\nthis is no file\n```\n")) == {}


@pytest.mark.parametrize("path", ["common/a.c", "docs/x.md", "deploy/local/up", "tests/oracle/test_a.py"])
def test_misspellings_are_found(tree, path):
    found = wording.misspelt(tree(path, "# teh file\n"))
    assert len(found) == 1 and found[0].startswith(f"./{path}:1: teh") or found[0].startswith(f"{path}:1: teh")


def test_words_of_ours_are_let_be(tree):
    assert wording.misspelt(tree("docs/x.md", "an OptIn in ZAR, did you mean standart?\n")) == []
