"""Digests depend on values: on all of them, and on nothing else."""

import collections
import copyreg
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import itertools
import operator
import os
import pathlib
import pickle
import re
import subprocess
import sys
import types
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skpg.learners import ActorCritic, NaturalGradient
from skpg.storage.digest import digest

X = np.arange(12.0).reshape(4, 3)
FRAME = {"a": [1, 2, 3, 4], "b": ["x", "y", None, "x"], "c": [0.5, np.nan, 1.5, 2.5]}


def frame(**changes):
    data = pd.DataFrame({**FRAME, **changes})
    data["d"] = pd.Categorical(["u", "v", "u", "v"])
    data["e"] = pd.to_datetime(["2020-01-01", "2021-01-01", None, "2022-01-01"])
    data["f"] = pd.array([1, None, 3, 4], dtype="Int64")
    return data


def fitted(X):
    return KNeighborsClassifier(1).fit(X, [0, 1, 0, 1])


class Colour(enum.Enum):
    RED, GREEN = range(2)


class Toppings(enum.Flag):
    HAM, CHEESE, OLIVES = 1, 2, 4


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: int
    labels: set = dataclasses.field(default_factory=lambda: {"one", "two", "three"})

    def shifted(self, by):
        return self.x + by

    @classmethod
    def origin(cls):
        return cls(0)


Pair = collections.namedtuple("Pair", "first second")


def numbers():
    yield from range(3)


def of_itself():
    def factorial(n):
        return n * factorial(n - 1) if n else 1

    return factorial


def of_what_has_no_value():
    def function():
        return later

    if not function:
        later = 1
    return function


def newer_distributions():
    if not hasattr(stats, "make_distribution"):  # scipy before 1.15
        return {}
    return {
        "newer distribution": stats.Uniform(a=0, b=1.5),
        "other newer distribution": stats.Uniform(a=0, b=2.5),
        "function of a distribution": stats.exp(stats.Uniform(a=0, b=1)),
        "other function of a distribution": stats.exp(stats.Uniform(a=0, b=2)),
        "distribution of arrays": stats.Normal(mu=[0, 1], sigma=[1, 2]),
        "other distribution of arrays": stats.Normal(mu=[0, 1], sigma=[1, 3]),
    }


def plain_objects():
    """What people put into spaces, scorers and parameters of estimators."""
    return {
        "pattern": re.compile("a+"),
        "other pattern": re.compile("a+", re.IGNORECASE),
        "pattern of bytes": re.compile(b"a+"),
        "datetime": datetime.datetime(2020, 1, 2, 3),
        "with time zone": datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.UTC),
        "date": datetime.date(2020, 1, 2),
        "time": datetime.time(3),
        "timedelta": datetime.timedelta(days=3),
        "decimal": decimal.Decimal("1.1"),
        "other decimal": decimal.Decimal("1.10"),
        "fraction": fractions.Fraction(1, 3),
        "uuid": uuid.UUID(int=7),
        "path": pathlib.Path("a/b"),
        "other path": pathlib.PurePosixPath("a/c"),
        "enum": Colour.RED,
        "other enum": Colour.GREEN,
        "flags": Toppings.HAM | Toppings.OLIVES,
        "range": range(1, 9, 2),
        "other range": range(1, 9),
        "slice": slice(1, None, 2),
        "dataclass": Point(1),
        "other dataclass": Point(2),
        "bound method": Point(1).shifted,
        "other bound method": Point(2).shifted,
        "class method": Point.origin,
        "partial of a method": functools.partial(Point(1).shifted, 3),
        "method of a class": str.lower,
        "method of a builtin": "-".join,
        "namedtuple": Pair(1, 2),
        "other namedtuple": Pair(2, 1),
        "mappingproxy": types.MappingProxyType({"a": 1, "b": 2}),
        "keys": {"a": 1, "b": 2}.keys(),
        "values": {"a": 1, "b": 2}.values(),
        "items": {"a": 1, "b": 2}.items(),
        "namespace": types.SimpleNamespace(a=1, b={"one", "two", "three"}),
        "deque": collections.deque([1, 2]),
        "short deque": collections.deque([1, 2], maxlen=2),
        "counter": collections.Counter("aab"),
        "defaultdict": collections.defaultdict(list, a=[1]),
        "memoryview": memoryview(b"abc"),
        "bytearray": bytearray(b"abc"),
        "generator function": numbers,
        "function that holds a function": of_itself(),
        "function that holds nothing yet": of_what_has_no_value(),
        "function that holds a module": (lambda module: lambda: module)(operator),
        "function that holds another module": (lambda module: lambda: module)(functools),
        "itemgetter": operator.itemgetter(1, 2),
        "other itemgetter": operator.itemgetter(2, 1),
        "attrgetter": operator.attrgetter("a.b"),
        "methodcaller": operator.methodcaller("lower"),
        "union": int | str,
        "generic alias": list[int],
        "dtype": np.dtype("float32"),
        "dtype of records": np.dtype([("a", int), ("b", "U3")]),
        "datetime64": np.datetime64("2020-01-02"),
        "long double": np.longdouble("0.1"),
        "other long double": np.longdouble(0.1),
        "seed sequence": np.random.SeedSequence(3),
        "bit generator": np.random.PCG64(3),
        "timestamp": pd.Timestamp("2020-01-02"),
        "timestamp with time zone": pd.Timestamp("2020-01-02", tz="UTC"),
        "pandas' timedelta": pd.Timedelta(days=3),
        "interval": pd.Interval(0, 1),
        "other interval": pd.Interval(0, 1, closed="left"),
        "period": pd.Period("2020-01"),
        "NaT": pd.NaT,
        "NA": pd.NA,
        "offset": pd.offsets.MonthEnd(2),
        "dtype of pandas": pd.CategoricalDtype(["a", "b"]),
        "extension array": pd.array([1, None], dtype="Int64"),
        "other extension array": pd.array([None, 1], dtype="Int64"),
        "categorical": pd.Categorical(["a", "b"]),
        "other categorical": pd.Categorical(["b", "a"]),
        "distribution": stats.uniform(0, 1),
        "other distribution": stats.uniform(0, 2),
        "distribution of a list": stats.rv_discrete(values=([1, 2], [0.5, 0.5])),
        "other distribution of a list": stats.rv_discrete(values=([1, 2], [0.4, 0.6])),
        "multivariate distribution": stats.dirichlet([1, 2]),
        **newer_distributions(),
        # from 3.12 on copying iterators is deprecated, and they are refused by name
        **({"count": itertools.count(3)} if sys.version_info < (3, 12) else {}),
    }


def values():
    """Values of every kind, each other than all others."""
    memmapped = np.array([1.5, 2.5])
    return {
        "none": None,
        "bool": True,
        "int": 1,
        "float": 1.0,
        "nan": float("nan"),
        "negative zero": -0.0,
        "str": "1",
        "bytes": b"1",
        "list": [1, 2],
        "tuple": (1, 2),
        "nested": [[1], 2],
        "other nesting": [1, [2]],
        "dict": {"a": 1, "b": [2, {"c": 3}]},
        "set": {"one", "two", "three"},
        "array": X,
        "changed array": X + np.eye(4, 3) * 1e-12,
        "transposed": X.T.copy(),
        "float32": X.astype(np.float32),
        "flat": X.ravel(),
        "small": memmapped,
        "empty": np.empty((0, 3)),
        "other empty": np.empty((3, 0)),
        "strings": np.array(["a", "bc"]),
        "objects": np.array(["a", None, 1.5], dtype=object),
        "record": np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
        "masked": np.ma.masked_equal(np.arange(4), 2),
        "csr": sparse.csr_matrix(X),
        "csc": sparse.csc_array(X),
        "changed csr": sparse.csr_matrix(X * 2),
        "frame": frame(),
        "changed frame": frame(b=["x", "y", None, "z"]),
        "renamed frame": frame().rename(columns={"a": "A"}),
        "reordered frame": frame()[["b", "a", "c", "d", "e", "f"]],
        "reindexed frame": frame().set_index(np.arange(4) + 1),
        "series": pd.Series([1.0, 2.0], name="y"),
        "categories": pd.Series(pd.Categorical(["a", "b"], categories=["a", "b"])),
        "other order": pd.Series(pd.Categorical(["a", "b"], categories=["b", "a"])),
        "multi-index": pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, "x")])),
        "function": accuracy_score,
        "other function": f1_score,
        "partial": functools.partial(f1_score, average="macro"),
        "lambda": lambda x: x + 1,
        "other lambda": lambda x: x + 2,
        "builtin": len,
        "ufunc": np.log1p,
        "class": StandardScaler,
        "scorer": make_scorer(f1_score, average="macro"),
        "other scorer": make_scorer(f1_score, average="micro"),
        "estimator": LogisticRegression(C=0.1),
        "other estimator": LogisticRegression(C=0.2),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
        "other pipeline": make_pipeline(StandardScaler(with_mean=False), LogisticRegression()),
        "with function": FunctionTransformer(np.log1p),
        "pandas output": StandardScaler().set_output(transform="pandas"),
        "frozen": FrozenEstimator(fitted(X)),
        "other frozen": FrozenEstimator(fitted(X + 1)),
        "state": np.random.RandomState(0),
        "other state": np.random.RandomState(1),
        "generator": np.random.default_rng(0),
        "learner": ActorCritic(),
        "other learner": NaturalGradient(),
        **plain_objects(),
    }


def test_different_values_have_different_digests():
    digests = {name: digest(value) for name, value in values().items()}
    assert len(set(digests.values())) == len(digests)


def test_equal_values_have_equal_digests_when_made_again():
    for name, value in values().items():
        assert digest(value) == digest(values()[name]), name


def digests_in_another_process(function):
    """With other hashes of strings, and other addresses."""
    code = (
        f"from {function.__module__} import *; "
        f"print([digest(v) for v in {function.__name__}().values()])"
    )
    root = Path(__file__).parents[2]
    printed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=root, check=True,
        env={**os.environ, "PYTHONHASHSEED": "123"},
    ).stdout  # fmt: skip
    return printed.strip()


def test_another_process_has_the_same_digests():
    assert digests_in_another_process(values) == str([digest(v) for v in values().values()])


def test_what_else_is_imported_does_not_matter(monkeypatch):
    """Some packages tell `copy` how to copy the types of others."""
    before = digest(str.lower)
    monkeypatch.setitem(copyreg.dispatch_table, type(str.lower), lambda method: (str, ("else",)))
    assert digest(str.lower) == before


def test_what_does_not_matter(tmp_path):
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(np.int64(3)) == digest(3)
    assert digest(np.asfortranarray(X)) == digest(X) == digest(np.repeat(X, 2, axis=0)[::2])
    assert digest(RandomForestClassifier(n_jobs=2)) == digest(RandomForestClassifier(verbose=1))
    assert digest(fitted(X)) == digest(KNeighborsClassifier(1))  # a search clones it
    np.save(tmp_path / "X.npy", X)
    assert digest(np.load(tmp_path / "X.npy", mmap_mode="r")) == digest(X)
    word = "".join(["ab", "c"])  # equal, and another object
    assert digest(["abc", word]) == digest(["abc", "abc"])
    ones = [1.0]
    assert digest([ones, ones]) == digest([[1.0], [1.0]])


def test_what_was_asked_of_a_distribution_does_not_matter():
    for make in (lambda: stats.norm(0, 2), lambda: stats.rv_discrete(values=([1, 2], [0.5, 0.5]))):
        before = digest(make())
        used = make()
        used.rvs()  # from numpy's global random state, which distributions hold
        assert digest(used) == digest(make()) == digest(pickle.loads(pickle.dumps(used))) == before
    for name, value in newer_distributions().items():
        before = digest(value)
        value.icdf(0.3)
        value.mean()
        assert digest(value) == before, name


def test_caches_of_sparse_matrices_and_frames_do_not_matter():
    dense = np.random.default_rng(0).random((20, 20))
    matrix = sparse.csr_array(np.where(dense < 0.2, dense, 0.0))
    before = digest(matrix)
    assert matrix.has_canonical_format in (True, False)
    matrix.sum_duplicates()
    assert digest(matrix) == before
    shuffled = matrix.copy()
    shuffled.indices, shuffled.data = shuffled.indices.copy(), shuffled.data.copy()
    start, stop = shuffled.indptr[:2]
    shuffled.indices[start:stop] = shuffled.indices[start:stop][::-1]
    shuffled.data[start:stop] = shuffled.data[start:stop][::-1]
    shuffled.has_sorted_indices = False
    assert digest(shuffled) == before

    data = frame()
    before = digest(data)
    data["a"].mean()
    _ = data.index.is_unique
    assert digest(data) == before
    split = pd.concat([frame()[["a", "b"]], frame()[["c", "d", "e", "f"]]], axis=1)
    assert digest(split) == before


def test_metadata_requests_matter():
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        asked = LogisticRegression().set_fit_request(sample_weight=True)
    assert digest(asked) != digest(LogisticRegression())


def test_cycles_end():
    cycle = [1]
    cycle.append(cycle)
    assert digest(cycle) != digest([1, [1]])


def test_what_cannot_be_told_is_refused_by_name(tmp_path):
    with (tmp_path / "file").open("w") as file, pytest.raises(TypeError, match="TextIOWrapper"):
        digest({"memory": file})
