"""Choices that are the same, equal, or neither."""

import functools
import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold

from skpg.space.equality import equal_content, same
from tests.space.user_distributions import COPYABLE

NAN = float("nan")


DISTRIBUTIONS = [
    stats.uniform(0, 1),
    stats.uniform(0, 2),
    stats.norm(scale=[1, 2]),
    stats.randint(1, 3),
    stats.rv_discrete(values=([1, 2], [0.5, 0.5])),
    stats.rv_discrete(values=([1, 2], [0.5, 0.5]))(loc=1),
    stats.rv_discrete(values=([1, 2], [0.51, 0.49])),
    stats.rv_histogram(([1, 2], [0, 1, 2])),
    stats.dirichlet([1, 2]),
    *COPYABLE,
]


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
        *((d, pickle.loads(pickle.dumps(d))) for d in DISTRIBUTIONS),
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
        *itertools.combinations(DISTRIBUTIONS, 2),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]})),  # no single answer
        (Unequal(), Unequal()),
    ],
)
def test_all_else_is_not_equal(left, right):
    assert not same(left, right)
    assert not equal_content(left, right)


def test_what_was_drawn_from_distributions_does_not_matter():
    for distribution in DISTRIBUTIONS:
        copy = pickle.loads(pickle.dumps(distribution))
        getattr(copy, "rvs", getattr(copy, "sample", None))(2)
        if hasattr(copy, "mean"):
            copy.mean()
        np.random.rand()
        assert same(copy, distribution)
