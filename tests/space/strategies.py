"""Spaces for property tests.

`SPACES` are made of plain values, `PICKLED_SPACES` of all that can be pickled, `ANY_SPACES` of all
that may be passed.
"""

import functools

import numpy as np
from hypothesis import strategies as st
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline

from skpg import Categorical, Ordinal, logrange
from tests.space.user_distributions import (
    COPYABLE,
    DRAWN_NUMBERS,
    DRAWN_OBJECTS,
    LOCAL,
    MOVED,
    NORMAL,
    OWN,
    SKRUB_LIKE,
)

CONTINUOUS = st.sampled_from(
    [
        stats.uniform(0, 1),
        stats.uniform(-5, 3),
        stats.loguniform(1e-6, 1e3),
        stats.norm(10, 2),
        stats.expon(scale=100),
        stats.beta(0.5, 0.5),
        stats.truncnorm(-1, 2),
    ]
)

DISCRETE = st.sampled_from(
    [
        stats.randint(1, 31),
        stats.randint(-3, 1),
        stats.randint(0, 10**9),
        stats.binom(20, 0.3),
        stats.poisson(4),
        stats.geom(0.2),
        stats.rv_discrete(values=([1, 2, 8], [0.2, 0.5, 0.3])),
        logrange(1, 300),
        logrange(5, 10**7),
    ]
)

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3)
)

LISTS = st.lists(st.one_of(SCALARS, st.tuples(SCALARS, SCALARS)), min_size=1, max_size=6)


@st.composite
def categoricals(draw):
    """Lists with probabilities, of which some are zero."""
    values = draw(LISTS)
    odds = draw(st.lists(st.integers(0, 9), min_size=len(values), max_size=len(values)))
    odds[-1] += 1
    return Categorical(values, probabilities=np.array(odds) / sum(odds))


def type_and_text(value):
    return type(value), repr(value)


ORDINALS = st.lists(
    st.one_of(SCALARS, st.tuples(SCALARS)), min_size=2, max_size=6, unique_by=type_and_text
).map(lambda values: Ordinal([v for v in values if type_and_text(v) != (float, "-0.0")] + ["end"]))

DICTS = st.dictionaries(
    st.text("abcd", min_size=1),
    st.one_of(CONTINUOUS, DISCRETE, LISTS, LISTS.map(Categorical), categoricals(), ORDINALS),
    min_size=1,
    max_size=5,
)


def spaces_of(dicts):
    """One dict, or one to seven in a list."""
    return st.one_of(dicts, st.lists(dicts, min_size=1, max_size=7))


def dicts_of(values):
    return st.dictionaries(st.sampled_from("abcd"), values, min_size=1, max_size=4)


SPACES = spaces_of(DICTS)

VALUES = st.one_of(
    CONTINUOUS,
    DISCRETE,
    st.sampled_from(OWN),
    st.sampled_from(MOVED),
    st.sampled_from(DRAWN_NUMBERS),
    st.sampled_from(DRAWN_OBJECTS),
    st.sampled_from(SKRUB_LIKE),
    *([st.sampled_from(COPYABLE)] if COPYABLE else []),
    LISTS,
    categoricals(),
    ORDINALS,
    st.lists(st.one_of(st.floats(), st.integers(), st.just(10**400)), min_size=1, max_size=6),
    st.lists(st.one_of(SCALARS, st.lists(st.floats()), st.dictionaries(st.text(), st.floats()))),
    st.just([float("nan"), (1, float("nan")), None, np.float64("nan")]),
    st.just([True, 1, 1.0, "1", np.int64(1), np.bool_(True), (True,), (1,), [1], [1.0]]),
    st.just([np.arange(3), np.arange(3.0), np.array([1.0, np.nan]), np.array([None, np.nan])]),
    st.just([[("pca", PCA(2))], [("pca", PCA(2)), ("pca2", PCA(3))], "passthrough"]),
    st.just([PCA(1), PCA(2), Pipeline([("pca", PCA(2)), ("pca2", PCA(3))])]),
    st.just([stats.uniform(0, 1), stats.uniform(0, 2), stats.randint(1, 3), [stats.norm()]]),
    st.just(Ordinal([PCA(1), PCA(2), np.eye(2), float("nan"), None, (1, [2]), stats.norm()])),
    st.just(
        Categorical([PCA(1), np.eye(2), float("nan"), max], probabilities=[0.1, 0.2, 0.3, 0.4])
    ),
    st.just([functools.partial(max, 1), functools.partial(max, 2), KFold(3), KFold(4), max, PCA]),
).filter(lambda values: not isinstance(values, list) or values)

PICKLED_SPACES = spaces_of(dicts_of(VALUES))

UNPICKLED = [st.sampled_from(NORMAL), st.sampled_from(LOCAL)] if LOCAL else []

ANY_SPACES = spaces_of(dicts_of(st.one_of(VALUES, *UNPICKLED)))
