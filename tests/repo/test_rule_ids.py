"""Every business rule that the code keeps is named by a test."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import check_rule_ids  # noqa: E402


@pytest.fixture(scope="module")
def files():
    return check_rule_ids.test_files()


@pytest.mark.parametrize("rule", check_rule_ids.RULES)
def test_a_c_test_names_the_rule(rule, files):
    assert any(path.suffix == ".c" for path in check_rule_ids.named_by(rule, files))


def test_the_check_tells_words_apart(files):
    one = {pathlib.Path("test_x.c"): "Test(numbers, N02_flat) /* N03, R01-R02 */ N040 XN05"}
    assert [rule for rule in ("N02", "N03", "N04", "N05", "R01", "R02") if check_rule_ids.named_by(rule, one)] == \
        ["N02", "N03", "R01", "R02"]
    assert not check_rule_ids.named_by("Z99", files)
