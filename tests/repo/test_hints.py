"""Every hint is a command that works as printed, with all its options."""
import pytest

import hints
from tree import numbered


def test_every_command_in_a_text_works_as_printed():
    said = hints.that_do_not_work()
    assert not said, numbered(said)


def test_hints_are_found():
    assert len(list(hints.hints())) > 100


@pytest.mark.parametrize("hint, said", [
    ("curmill run list", None), ("curmill run list --payer %s --period %s", None), ("curmill %s list --payer %s", None),
    ("curmill delivery accept %s --by WHO --reason TEXT", None), ("curmill run show %s --format json", None),
    ("curmill run listing", "no such command"), ("curmill run", "no such command"), ("curmill run show", "it takes 1 to 1 operands, not 0"),
    ("curmill run list --lane ingram", "it has no option --lane"), ("curmill run list --payer", "--payer needs a value"),
    ("curmill delivery accept %s", "--by, --reason is missing"), ("curmill run list ...", "... cannot be typed"),
    ("curmill catalog apply DIR --by WHO --reason TEXT", None), ("curmill ingest --file F", "--file needs --payer and --period")])
def test_what_would_not_work_is_found(hint, said):
    assert hints.wrong(hint, hints.commands()) == said


def test_the_tree_is_read_from_the_man_page():
    tree = hints.commands()
    assert len(tree) > 60 and tree["catalog diff"].most == 2 and tree["catalog show"].least == 0
    assert tree["delivery accept"].required == {"--by", "--reason"} and tree["run start"].options["--wait"] is False
