"""docs/rules.md and the tree agree about business rules; the check is tried on trees with a fault each."""
import pytest
from tree import numbered

import rule_ids

PAGE = """# Business rules
## Numbers
### N01

Two weeks. *(S2)*

* Implemented in [`common/a.c`](../common/a.c)
* Tested by [`two_weeks`](../tests/unit/test_a.c), [`test_two_weeks`](../tests/oracle/test_a.py)

### N02

A habit. *(S2)*

* Not software: somebody does it by hand.
"""


@pytest.fixture
def tree(tmp_path):
    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    write("docs/rules.md", PAGE)
    write("common/a.c", "/* N01: at 2025-06-01T00:00:00Z */\nint a;\n")
    write("tests/unit/test_a.c", "/* N01 */\nTest(a, two_weeks)\n{\n}\n\nTest(a, other)\n{\n    /* N02 */\n}\n")
    write("tests/oracle/test_a.py", 'def test_two_weeks():\n    """N01"""\n\n\ndef test_other():\n    pass\n')
    return type("Tree", (), {"root": tmp_path, "write": staticmethod(write)})


def test_every_id_is_on_the_page():
    problems = rule_ids.unknown()
    assert not problems, numbered(problems)


def test_the_page_is_true():
    problems = rule_ids.untrue()
    assert not problems, numbered(problems)


def test_there_are_rules():
    rules = rule_ids.rules()
    assert len(rules) == 114 and sum(rule.software for rule in rules) == 109


@pytest.fixture(scope="module")
def without_c_test():
    return rule_ids.without_c_test()


@pytest.mark.parametrize("rule", [rule.id for rule in rule_ids.rules() if rule.software])
def test_a_c_test_names_the_rule(rule, without_c_test):
    assert rule not in without_c_test


# --- the check itself --------------------------------------------------------------------------------------------


def test_a_good_tree_is_good(tree):
    assert rule_ids.unknown(tree.root) == [] and rule_ids.untrue(tree.root) == []
    assert rule_ids.without_c_test(tree.root) == []


@pytest.mark.parametrize("text", ["/* N99 */", "Test(a, N99_x)", "# N98-N99", "N01-N99", "(O01)"])
def test_an_unknown_id_is_found(tree, text):
    tree.write("common/b.c", "\n" + text + "\n")
    assert rule_ids.unknown(tree.root)[0].startswith("common/b.c:2: ")


@pytest.mark.parametrize("text", ["2025-06-01T01:02:03Z", "T01:02", "XN99", "N990", "N9"])
def test_what_is_no_id_is_let_be(tree, text):
    tree.write("common/b.c", text)
    assert rule_ids.unknown(tree.root) == []


@pytest.mark.parametrize("was, is_now, said", [
    ("common/a.c", "common/gone.c", "common/gone.c does not exist"),
    ("`two_weeks`", "`three_weeks`", "has no test three_weeks"),
    ("`two_weeks`", "`other`", "test other of tests/unit/test_a.c does not name N01"),
    ("`test_two_weeks`", "`test_other`", "test test_other of tests/oracle/test_a.py does not name N01"),
    ("tests/oracle/test_a.py", "tests/oracle/test_b.py", "tests/oracle/test_b.py does not exist"),
    ("(../common/a.c)", "(../common/b.c)", "the link says common/a.c"),
    ("### N02", "### N03", "N03 is out of order"),
    ("* Not software:", "* In curmill:", 'N02 says neither "Not software:"'),
    ("* Not software:", "* Implemented in [`common/a.c`](../common/a.c)\n* Not software:", "N02 is not software"),
])
def test_a_page_that_is_wrong_is_found(tree, was, is_now, said):
    tree.write("docs/rules.md", PAGE.replace(was, is_now))
    assert any(said in problem for problem in rule_ids.untrue(tree.root)), rule_ids.untrue(tree.root)


def test_code_that_no_longer_names_the_rule_is_found(tree):
    tree.write("common/a.c", "int a;\n")
    assert rule_ids.untrue(tree.root) == ["docs/rules.md:3: N01: common/a.c does not name N01"]


def test_a_rule_without_a_c_test_is_found(tree):
    tree.write("tests/unit/test_a.c", "Test(a, two_weeks)\n{\n}\n")
    assert rule_ids.without_c_test(tree.root) == ["N01"]
