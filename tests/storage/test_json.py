"""Choices are read back from JSON as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpg.space.space import Space
from skpg.storage.json import decode, encode


@given(st.one_of(st.integers(), st.booleans(), st.none(), st.text(), st.floats(allow_nan=False)))
def test_choices_that_are_json_come_back_as_they_were(value):
    space = Space({"a": [value, "another", len]})
    text = encode(space, {"a": value})
    text.encode("ascii")
    back = decode(text, lambda *_: pytest.fail("it is no index"))["a"]
    assert repr(back) == repr(value)
    assert type(back) is type(value)
