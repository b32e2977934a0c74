"""Which changes make another search, and which do not."""

import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

import skpg
from skpg import StorageError
from skpg.learners import NaturalGradient
from skpg.space.space import Space
from skpg.storage.digest import digest
from skpg.storage.fingerprint import _space_parts
from tests.estimators import Scripted
from tests.storage.searches import SPACE, X, make, n_fits, result, y


def other_y():
    changed = y.copy()
    changed[0] = 2
    return changed


class Other(Scripted):
    """The same parameters."""


CHANGES = {
    "y": {"y": other_y()},
    "X": {"X": X + np.eye(150, 4)},
    "the estimator's seconds": {"estimator": Scripted(seconds=1e-5)},
    "the estimator": {"estimator": Other()},
    "scoring": {"scoring": "accuracy"},
    "param_distributions['seconds']": {"param_distributions": {**SPACE, "seconds": [0.0, 0.0002]}},
    "param_distributions['a']": {"param_distributions": {**SPACE, "a": stats.randint(0, 101)}},
    "the folds": {"cv": KFold(3, shuffle=True, random_state=0)},
    "learner": {"learner": NaturalGradient(0.5)},
    "batch_size": {"batch_size": 5},
    "random_state": {"random_state": 1},
    "error_score": {"error_score": 0.0},
    "return_train_score": {"return_train_score": True},
    "initial_params": {"initial_params": [{"a": 3, "seconds": 0.0}]},
    "constraint": {"constraint": lambda params: params["a"] < 90},
    "racing": {"racing": "optimistic"},
    "candidate_timeout": {"candidate_timeout": 9},
    "evaluation": {"evaluation": "async"},
    "fit parameter 'sample_weight'": {"sample_weight": np.ones(150)},
}


@pytest.mark.filterwarnings("ignore:The scoring:UserWarning")  # Scripted takes no weights
@pytest.mark.parametrize("part", CHANGES)
def test_a_named_study_refuses_another_search_and_names_the_change(path, part):
    settings = {"study_name": "mine", "n_iter": 2, "cv": KFold(3)}
    make(path, **settings).fit(X, y)
    before = sqlite3.connect(path).execute("SELECT * FROM studies").fetchall()
    change = dict(CHANGES[part])
    data = {"X": change.pop("X", X), "y": change.pop("y", y)}
    weight = {"sample_weight": change.pop("sample_weight")} if "sample_weight" in change else {}
    with pytest.raises(StorageError, match="Study 'mine'") as error:
        make(path, **(settings | change)).fit(**data, **weight)
    named = str(error.value).partition("Not the same: ")[2].partition(". Undo")[0].split(", ")
    assert part in named
    assert named == [part]
    assert sqlite3.connect(path).execute("SELECT * FROM studies").fetchall() == before


def test_without_a_name_another_search_has_a_study_of_its_own(path):
    make(path).fit(X, y)
    make(path).fit(X, other_y())
    make(path, scoring="accuracy").fit(X, y)
    assert [study.n_candidates for study in skpg.studies(path)] == [12, 12, 12]


def test_batches_a_stream_and_asynchronous_evaluation_are_three_searches(path):
    for evaluation in ("batch", "stream", "async", "stream"):
        make(path, evaluation=evaluation).fit(X, y)
    assert [study.n_candidates for study in skpg.studies(path)] == [12, 12, 12]


def test_the_same_numbers_of_another_type_are_another_search(path):
    for numbers in ([1, 2, 3], [1.0, 2.0, 3.0]):
        space = {"a": stats.rv_discrete(values=(numbers, np.full(3, 1 / 3)))}
        make(path, param_distributions=space).fit(X, y)
    assert [study.n_candidates for study in skpg.studies(path)] == [3, 3]


def test_an_int_a_seed_once_drawn_and_a_random_state(path):
    none = make(path, random_state=None).fit(X, y)
    assert result(make(path, random_state=None).fit(X, y)) == result(none)
    other = make(path, random_state=None, study_name="other").fit(X, y)
    assert result(other) != result(none)
    seed = next(s.seed for s in skpg.studies(path) if s.study_name == "other")
    assert result(make(random_state=seed).fit(X, y)) == result(other)

    expected = make(random_state=np.random.RandomState(5)).fit(X, y)
    for _ in range(2):
        random_state = np.random.RandomState(5)
        search = make(path, random_state=random_state).fit(X, y)
        assert result(search) == result(expected)
    assert result(make(path, random_state=random_state).fit(X, y)) != result(expected)
    assert len(skpg.studies(path)) == 4


ON_DEVICES = """
import sys
import array_api_strict as xp
import sklearn
from scipy import stats
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
import skpg

if __name__ == "__main__":
    space = {"alpha": stats.loguniform(0.1, 10)}
    search = skpg.PolicyGradientSearchCV(
        Ridge(solver="svd"), space, n_iter=4, cv=3, random_state=0, storage=sys.argv[1]
    )
    with sklearn.config_context(array_api_dispatch=True):
        for name in ("CPU_DEVICE", "device1", "device2"):
            device = xp.Device(name)
            data = load_diabetes(return_X_y=True)
            search.fit(*(xp.asarray(array, device=device) for array in data))
            assert search.best_estimator_.coef_.device == device
    print(len(skpg.studies(sys.argv[1])))
"""


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7),
    reason="scikit-learn 1.6 needs another package for it",
)
def test_data_on_another_device_are_the_same_data(tmp_path, path):
    pytest.importorskip("array_api_strict")
    script = tmp_path / "devices.py"
    script.write_text(ON_DEVICES)
    done = subprocess.run(
        [sys.executable, str(script), path], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SCIPY_ARRAY_API": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1\n"


def test_tensors_find_their_study_again(path, counted):
    torch = pytest.importorskip("torch")
    settings = {"estimator": Scripted(folder=str(counted)), "cv": KFold(3)}
    for _ in range(2):
        make(path, **settings).fit(torch.tensor(X), y)
    assert n_fits(counted) == 12 * 3 + 2
    assert len(skpg.studies(path)) == 1


def test_a_splitter_without_seed_is_warned_of(path):
    with pytest.warns(UserWarning, match="Give it a random_state"):
        make(path, cv=KFold(3, shuffle=True)).fit(X, y)


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
