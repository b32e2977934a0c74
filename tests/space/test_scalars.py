"""Numbers of any type."""

import numpy as np
import pytest

from skpg.space.scalars import equal_up_to_rounding, is_number, is_positive, sort_key, to_float

NAN = float("nan")


@pytest.mark.parametrize("value", [0, -1, NAN, np.inf, True, "1", None, 10**400])
def test_positive_numbers_are_finite(value):
    assert is_positive(0.5)
    assert is_positive(np.int64(2))
    assert not is_positive(value)


def test_numbers_of_any_type_become_floats():
    assert to_float(np.float32(0.5)) == 0.5
    assert not np.signbit(to_float(-0.0))
    assert all(np.isnan(to_float(value)) for value in (True, "1", None, 10**400, NAN))
    assert not is_number(np.bool_(True))


def test_rounding_depends_on_what_was_computed_with():
    assert equal_up_to_rounding(0.3 + 0.6, 0.9)
    assert not equal_up_to_rounding(1.0, 1.0 + 1e-12)
    assert equal_up_to_rounding(1.0, 1.0 + 1e-12, 1e4)
    assert equal_up_to_rounding(1.0, 1.0, np.inf)
    assert not equal_up_to_rounding(NAN, NAN)


def test_numbers_are_sorted_exactly_and_nan_last():
    numbers = [NAN, 10**400, np.int8(3), 2.5, -(10**400)]
    assert sorted(numbers, key=sort_key)[:4] == [-(10**400), 2.5, 3, 10**400]
