"""Digests depend on values: on all of them, and on nothing else."""

import functools
import os
import subprocess
import sys

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

from skpg._digest import digest
from skpg._fingerprint import _space_parts
from skpg._space import Space
from skpg.learners import ActorCritic, NaturalGradient

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
        "slice": slice(1, 2),
        "range": range(3),
    }


def test_different_values_have_different_digests():
    digests = {name: digest(value) for name, value in values().items()}
    assert len(set(digests.values())) == len(digests)


def test_equal_values_have_equal_digests_when_made_again():
    for name, value in values().items():
        assert digest(value) == digest(values()[name]), name


def test_another_process_has_the_same_digests():
    """With other hashes of strings, and other addresses."""
    code = "from tests.test_digest import *; print([digest(v) for v in values().values()])"
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    printed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=root, check=True,
        env={**os.environ, "PYTHONHASHSEED": "123"},
    ).stdout  # fmt: skip
    assert printed.strip() == str([digest(value) for value in values().values()])


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


def test_polars():
    polars = pytest.importorskip("polars")
    data = polars.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert digest(data) == digest(data.clone())
    assert digest(data) != digest(data.with_columns(a=polars.lit(3)))


def test_what_cannot_be_told_is_refused_by_name(tmp_path):
    with (tmp_path / "file").open("w") as file, pytest.raises(TypeError, match="TextIOWrapper"):
        digest({"memory": file})


def parts(**changes):
    space = {
        "a": stats.loguniform(1e-3, 1e3),
        "b": stats.randint(1, 9),
        "c": ["x", None, LogisticRegression()],
        "d": stats.rv_discrete(values=([1, 2.5], [0.5, 0.5])),
    }
    return {name: digest(part) for name, part in _space_parts(Space({**space, **changes})).items()}


@pytest.mark.parametrize(
    "change",
    [
        {"a": stats.loguniform(1e-3, 1e3 + 1e-9)},
        {"a": stats.uniform(1e-3, 1e3)},
        {"b": stats.randint(1, 10)},
        {"b": list(range(1, 9))},
        {"c": ["x", None, LogisticRegression(C=2)]},
        {"c": [None, "x", LogisticRegression()]},
        {"c": ["x", "x", None, LogisticRegression()]},
        {"d": stats.rv_discrete(values=([1, 2.5], [0.4, 0.6]))},
    ],
)
def test_a_changed_hyperparameter_is_told_by_name(change):
    ((name, _),) = change.items()
    before, after = parts(), parts(**change)
    assert [part for part in before if before[part] != after[part]] == [
        f"param_distributions[{name!r}]"
    ]


def test_the_order_of_hyperparameters_is_that_of_the_draws():
    one = Space({"a": [1, 2], "b": [1, 2]})
    other = Space({"b": [1, 2], "a": [1, 2]})
    assert digest(_space_parts(one)) != digest(_space_parts(other))
