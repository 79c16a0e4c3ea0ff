import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]

from aws.place import Place  # noqa: E402


@pytest.fixture
def place():
    it = Place()
    yield it
    it.fake.stop()
    assert not it.fake.own_faults, it.fake.own_faults[0]
