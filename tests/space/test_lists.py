"""`Categorical` and `Ordinal`: probabilities, order, refusals, and use in scikit-learn."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, ParameterGrid, ParameterSampler
from sklearn.neighbors import KNeighborsClassifier

from skpg import Categorical, Ordinal, PolicyGradientOptimizer, PolicyGradientSearchCV
from skpg.policy.policy import Policy
from skpg.space.features import Features, numbers_and_choices
from skpg.space.space import Space
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)


def dimension_of(value):
    (dimension,) = Space({"x": value}).dimensions
    return dimension


def test_probabilities_are_those_of_the_first_draws():
    values = Categorical(["a", None, "b"], probabilities=[0.7, 0.2, 0.1])
    drawn = [params["x"] for params in Policy.prior(Space({"x": values})).sample(5000, 0)]
    shares = [drawn.count(value) / 5000 for value in values]
    np.testing.assert_allclose(shares, [0.7, 0.2, 0.1], atol=0.03)


def test_what_is_listed_twice_has_both_probabilities():
    dimension = dimension_of(Categorical([1, 2, 1, 1.0], probabilities=[0.1, 0.2, 0.3, 0.4]))
    assert dimension.choices == (1, 2, 1.0)
    np.testing.assert_allclose(dimension.weights, [0.4, 0.2, 0.4])


def test_a_value_without_probability_is_not_in_the_space():
    dimension = dimension_of(Categorical(["a", "b"], probabilities=[0, 1]))
    assert dimension.choices == ("b",)
    with pytest.raises(ValueError, match="x='a' is not among the choices"):
        dimension.identify("a")


def test_without_probabilities_all_are_equally_likely():
    np.testing.assert_allclose(dimension_of(Categorical([3, 1, 2])).weights, np.full(3, 1 / 3))


def test_numbers_are_ordered_in_a_list_and_names_in_a_categorical():
    assert dimension_of([3, 1, 2]).ordered
    assert not dimension_of(Categorical([3, 1, 2])).ordered
    assert dimension_of(Categorical([3, 1, 2])).nominal


def test_an_ordinal_has_the_order_of_its_list():
    for values in (["none", "low", "high"], [10, 1, 5], [(1,), None, PCA()], ["a", "b"]):
        dimension = dimension_of(Ordinal(values))
        n = len(values)
        assert dimension.ordered
        np.testing.assert_allclose(dimension.ranks, (np.arange(n) + 0.5) / n)
        assert dimension.choices[dimension.median] is values[(n - 1) // 2]


def test_models_see_an_ordinal_as_one_number():
    space = Space({"x": Ordinal(["none", "low", "high"])})
    assert Features.of(space).n_numeric == 1
    numeric, nominal = numbers_and_choices(space, np.array([[0.0], [2.0]]))
    np.testing.assert_allclose(numeric[:, 0], [1 / 6, 5 / 6])
    assert nominal.shape == (2, 0)


def test_the_search_finds_the_best_of_a_long_order_sooner_than_among_names():
    names = [f"level {i}" for i in range(40)]

    def evaluations(values, seed):
        optimizer = PolicyGradientOptimizer({"x": values}, random_state=seed)
        for n in range(40):
            (params,) = optimizer.ask(1)
            if params["x"] == "level 29":
                return n
            optimizer.tell([params], [-abs(names.index(params["x"]) - 29)])
        return 40

    ordinal = [evaluations(Ordinal(names), seed) for seed in range(3)]
    nominal = [evaluations(Categorical(names), seed) for seed in range(3)]
    assert np.mean(ordinal) < 0.7 * np.mean(nominal)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Categorical("abc"), TypeError, "values of a Categorical.*list.*'abc'"),
        (lambda: Categorical(3), TypeError, "values of a Categorical.*list.*3 of type int"),
        (lambda: Categorical({1, 2}), TypeError, "values of a Categorical.*of type set"),
        (lambda: Categorical([]), ValueError, "values of a Categorical.*at least one"),
        (lambda: Categorical(np.eye(2)), ValueError, r"Categorical.*one-dim.*\(2, 2\)"),
        (lambda: Categorical([1, 2], [1.0]), ValueError, "probabilities.*each of its 2 values"),
        (lambda: Categorical([1, 2], 0.5), ValueError, "probabilities.*each of its 2 values"),
        (lambda: Categorical([1, 2], [1.5, -0.5]), ValueError, "probabilities.*not be negative"),
        (lambda: Categorical([1, 2], [0.5, 0.6]), ValueError, "probabilities.*sum to 1.*1.1"),
        (lambda: Categorical([1, 2], [0.0, 0.0]), ValueError, "probabilities.*sum to 1"),
        (lambda: Categorical([1, 2], [np.nan, 1]), ValueError, "probabilities.*sum to 1"),
        (lambda: Categorical([1, 2], [np.inf, 1]), ValueError, "probabilities.*sum to 1"),
        (lambda: Categorical([1, 2], ["a", "b"]), TypeError, "probabilities.*must be numbers"),
        (lambda: Ordinal("abc"), TypeError, "values of an Ordinal.*list.*'abc'"),
        (lambda: Ordinal([]), ValueError, "values of an Ordinal.*at least one"),
        (lambda: Ordinal(["a"]), ValueError, r"Ordinal must have at least two.*\['a'\]"),
        (lambda: Ordinal(["a", "b", "a"]), ValueError, "Ordinal must be different"),
        (lambda: Ordinal([np.nan, float("nan")]), ValueError, "Ordinal must be different"),
        (lambda: Ordinal([(1, 2), (1, 2)]), ValueError, "Ordinal must be different"),
        (lambda: Ordinal([PCA(), "a", PCA()]), ValueError, "Ordinal must be different"),
        (lambda: Ordinal([np.eye(2), np.eye(2)]), ValueError, "Ordinal must be different"),
    ],
)
def test_mistakes_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_values_of_different_types_are_different():
    assert len(Ordinal([1, 1.0, True, "1"])) == 4
    assert Space({"x": Ordinal([1, 1.0, True, "1"])}).size == 4


def test_arrays_and_series_become_native_values():
    for values in (np.array([1, 2]), pd.Series([1, 2]), range(1, 3)):
        for kind in (Categorical, Ordinal):
            assert [type(value) for value in dimension_of(kind(values)).choices] == [int, int]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_copies_are_the_same_hyperparameter(copied):
    for value in (Categorical(["a", 1.5], probabilities=[0.2, 0.8]), Ordinal(["a", 1.5])):
        ours, theirs = dimension_of(value), dimension_of(copied(value))
        assert ours.choices == theirs.choices
        assert ours.weights.tolist() == theirs.weights.tolist()
        assert ours.ordered == theirs.ordered
        assert repr(copied(value)) == repr(value)


def test_they_print_as_they_are_written():
    for text in (
        "Categorical(['a', None])",
        "Categorical(['a', 1.5], probabilities=[0.25, 0.75])",
        "Ordinal([1, (2, 3)])",
    ):
        assert repr(eval(text)) == text


def test_scikit_learn_takes_them_for_lists():
    space = {
        "n_neighbors": Ordinal([1, 5, 9]),
        "weights": Categorical(["uniform", "distance"], probabilities=[0.1, 0.9]),
    }
    assert len(ParameterGrid(space)) == 6
    search = GridSearchCV(KNeighborsClassifier(), space, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    drawn = [p["weights"] for p in ParameterSampler(space, 500, random_state=0)]
    assert 0.85 < drawn.count("distance") / 500 < 0.95


def test_numpys_global_random_state_is_not_used():
    before = np.random.get_state()[1].tolist()
    values = Categorical([1, 2, 3])
    assert {values.rvs() for _ in range(100)} == {1, 2, 3}
    assert values.rvs(random_state=0) == values.rvs(random_state=0)
    assert np.random.get_state()[1].tolist() == before


def test_a_search_may_be_cloned_and_stored(tmp_path):
    space = {"a": Ordinal([3, 1, 2]), "extra": Categorical([None, 1.5], probabilities=[0.9, 0.1])}
    settings = {"n_iter": 3, "cv": 2, "random_state": 0, "storage": str(tmp_path / "s.db")}
    search = PolicyGradientSearchCV(Scripted(), space, **settings).fit(X, y)
    again = clone(search).set_params(n_iter=5).fit(X, y)
    assert again.cv_results_["params"][:3] == search.cv_results_["params"]
    (tmp_path / "s.db").unlink()


def test_a_list_of_another_kind_is_another_search(tmp_path):
    from skpg import studies

    path = str(tmp_path / "s.db")
    for values in ([1, 2, 3], Categorical([1, 2, 3]), Ordinal([1, 2, 3])):
        for _ in range(2):
            PolicyGradientSearchCV(
                Scripted(), {"a": values}, n_iter=2, cv=2, random_state=0, storage=path
            ).fit(X, y)
    assert len(studies(path)) == 3
