"""Choices that are the same, equal, or neither."""

import functools

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold

from skpg.space.equality import equal_content, same

NAN = float("nan")


class Unequal:
    """Says that it has no equality."""

    def __eq__(self, other):
        raise TypeError

    __hash__ = None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1),
        (NAN, float("nan")),
        ((1, NAN), (1, float("nan"))),
        ({"a": [1]}, {"a": [1]}),
        (np.arange(3), np.arange(3)),
        (np.array([1.0, NAN]), np.array([1.0, NAN])),
        (np.array([None, "a"]), np.array([None, "a"])),
        (PCA(2), PCA(2)),
        ([("pca", PCA(2))], [("pca", PCA(2))]),
        (KFold(3), KFold(3)),
        (functools.partial(max, 1), functools.partial(max, 1)),
        (max, max),
    ],
)
def test_copies_are_the_same(left, right):
    assert same(left, right)
    assert equal_content(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (1, True),
        ((1, 2), [1.0, 2.0]),
        (NAN, np.float64("nan")),
        ({"a": (1,)}, {"a": [1]}),
        (np.arange(3), np.arange(3.0)),
    ],
)
def test_other_types_are_equal_but_not_the_same(left, right):
    assert not same(left, right)
    assert equal_content(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 2),
        (1, "1"),
        ((1, 2), (1, 2, 3)),
        ({"a": 1}, {"b": 1}),
        (np.arange(3), np.arange(4)),
        (PCA(2), PCA(3)),
        (KFold(3), KFold(4)),
        (functools.partial(max, 1), functools.partial(max, 2)),
        (max, min),
        (PCA, KFold),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]})),  # no single answer
        (Unequal(), Unequal()),
    ],
)
def test_all_else_is_not_equal(left, right):
    assert not same(left, right)
    assert not equal_content(left, right)
