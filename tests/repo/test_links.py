"""Links, anchors, paths and named pages lead somewhere; the checks are tried on dead ones."""
import re

import pytest
from tree import numbered

import links


@pytest.mark.parametrize("check", [links.dead_links, links.dead_paths, links.dead_pages], ids=lambda check: check.__name__)
def test_everything_leads_somewhere(check):
    problems = check()
    assert not problems, numbered(problems)


def test_there_is_something_to_check():
    assert len(links.markdown()) > 10
    assert any(file.name == "README.md" for file in links.markdown())


# --- the checks themselves ---------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    for path, text in {"README.md": "# Top\n", "docs/rating.md": "# Rating\n\n## 1. Amounts\n\n## 1a. Layers\n\n## 2. What `x` is, and (not)\n",
                       "common/base/a.c": "int a;\n", "services/rate-engine/main.c": "int b;\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.mark.parametrize("text", ["[a](docs/rating.md)", "[a](docs/rating.md#1-amounts)", "[a](#top)", "[a](https://example.org/x.md)",
                                  "[a](docs/rating.md#2-what-x-is-and-not)", "[r]: docs/rating.md", "`[a](gone.md)`", "```\n[a](gone.md)\n```",
                                  "[`a`](common/base/a.c)", "![a](docs/)"])
def test_good_links(tree, text):
    (tree / "README.md").write_text("# Top\n\n" + text + "\n")
    assert links.dead_links(tree) == []


@pytest.mark.parametrize("text", ["[a](docs/gone.md)", "[a](docs/rating.md#3-gone)", "[a](#gone)", "[a](../outside.md)", "[a](/docs/rating.md)",
                                  "[r]: docs/gone.md", "[`a`](common/base/gone.c)", "![a](docs/picture.png)", "[a](common/base/a.c#l1)",
                                  '[a](docs/gone.md "with a title")'])
def test_dead_links_are_found(tree, text):
    (tree / "README.md").write_text("# Top\n\n" + text + "\n")
    found = links.dead_links(tree)
    assert len(found) == 1 and found[0].startswith("README.md:3: link to ")


@pytest.mark.parametrize("text, dead", [
    ("`common/base/a.c`", False), ("`common/base/`", False), ("`services/<name>/main.c`", False), ("`common/*/a.c`", False),
    ("`common/base/{a.c,b.c}`", True), ("`common/base/b.c`", True), ("`services/<name>/gone.c`", True), ("`tests/run unit`", True),
    ("`build/dev/bin/curmill`", False), ("`and/or`", False), ("`common/base/a.c:1`", False)])
def test_paths_in_backticks(tree, text, dead):
    (tree / "docs/other.md").write_text(text + "\n")
    assert bool(links.dead_paths(tree)) == dead


def test_paths_in_comments(tree):
    (tree / "common/b.c").write_text('/* see common/base/a.c and common/base/gone.c */\nchar *s = "common/base/other.c";\n')
    assert links.dead_paths(tree) == ["common/b.c:1: common/base/gone.c does not exist"]


@pytest.mark.parametrize("text, dead", [
    ("rating.md", []), ("docs/rating.md section 1", []), ("rating.md sections 1, 1a and 2; S7", []), ("rating.md sections 1-2: exact", []),
    ("rating.md 1", []), ("README.md", []), ("gone.md section 1", ["gone.md"]), ("docs/gone.md", ["docs/gone.md"]), ("rating.md section 3", ["section 3"]),
    ("rating.md sections 1 and 7", ["section 7"]), ("rating.md sections\n * 1, 8", ["section 8"]), ("rating.md sections 1-3", ["section 3"]),
    ('rating.md, "Amounts"', []), ('rating.md,\n * "Amounts"', []), ('rating.md, "Prices"', ['no section "Prices"'])])
def test_pages_in_comments(tree, text, dead):
    (tree / "common/b.c").write_text(f"/* {text} */\n")
    found = links.dead_pages(tree)
    assert len(found) == len(dead) and all(words in problem for words, problem in zip(dead, found)), found
