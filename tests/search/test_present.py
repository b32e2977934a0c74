"""The estimator as it is, among the first candidates."""

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientSearchCV, Space
from skpg.learners import NaturalGradient
from skpg.present import PresentCandidate
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
LOG = stats.loguniform(1e-2, 1e2)
KERNELS = ["linear", "poly", "rbf"]


def present(space, **values):
    return PresentCandidate.of(Space(space), values)


@pytest.mark.parametrize(
    ("space", "values", "params", "names"),
    [
        # in the support or not
        ({"C": LOG}, {"C": 2.0}, {"C": 2.0}, "C"),
        ({"C": LOG}, {"C": 200.0}, None, None),
        ({"C": LOG}, {"C": np.float64(2.0)}, {"C": 2.0}, "C"),
        ({"n": stats.randint(1, 9)}, {"n": 3}, {"n": 3}, "n"),
        ({"n": stats.randint(1, 9)}, {"n": np.int64(3)}, {"n": 3}, "n"),
        ({"n": stats.randint(1, 9)}, {"n": 9}, None, None),
        ({"n": stats.randint(1, 9)}, {"n": None}, None, None),
        ({"n": stats.randint(0, 9)}, {"n": True}, None, None),
        # a fraction is no count, and a count no fraction
        ({"n": stats.randint(1, 9)}, {"n": 1.0}, None, None),
        ({"f": stats.uniform(0, 1)}, {"f": 1}, None, None),
        ({"f": stats.uniform(0, 1)}, {"f": 1.0}, {"f": 1.0}, "f"),
        ({"f": stats.uniform(0.3, 0.6)}, {"f": 0.9}, {"f": 0.3 + 0.6}, "f"),
        ({"C": LOG}, {"C": 1}, {"C": 1.0}, "C"),
        ({"C": LOG}, {"C": True}, None, None),
        ({"C": LOG}, {"C": "1"}, None, None),
        # choices by type and value
        ({"k": KERNELS}, {"k": "rbf"}, {"k": "rbf"}, "k"),
        ({"k": KERNELS}, {"k": "sigmoid"}, None, None),
        ({"k": [0, 1]}, {"k": True}, None, None),
        ({"k": [0, 1]}, {"k": 1.0}, None, None),
        ({"k": [(3,), (3, 3)]}, {"k": (3, 3)}, {"k": (3, 3)}, "k"),
        ({"k": [None, "balanced"]}, {"k": None}, {"k": None}, "k"),
        ({"k": [np.nan, 0.0]}, {"k": float("nan")}, {"k": np.nan}, "k"),
        # medians for the others; the first of the most probable without an order
        (
            {"k": KERNELS, "C": LOG, "gamma": LOG},
            {"k": "rbf", "C": 2.0, "gamma": "scale"},
            {"k": "rbf", "C": 2.0, "gamma": pytest.approx(1.0)},
            "k C",
        ),
        ({"C": LOG, "n": [9, 1, 5, 7]}, {"C": 2.0}, {"C": 2.0, "n": 5}, "C"),
        ({"C": LOG, "n": [1, 2, 2, 2, 9]}, {"C": 2.0}, {"C": 2.0, "n": 2}, "C"),
        ({"C": LOG, "k": KERNELS}, {"C": 2.0}, {"C": 2.0, "k": "linear"}, "C"),
        ({"C": LOG, "k": ["a", "b", "b"]}, {"C": 2.0}, {"C": 2.0, "k": "b"}, "C"),
        ({"C": LOG, "d": stats.randint(1, 4)}, {"C": 2.0}, {"C": 2.0, "d": 2}, "C"),
        # the first of the dicts with the most, if it does not change what it fixes
        (
            [{"k": ["linear"], "C": LOG}, {"k": ["rbf"], "C": LOG, "gamma": LOG}],
            {"k": "rbf", "C": 2.0, "gamma": "scale"},
            {"k": "rbf", "C": 2.0, "gamma": pytest.approx(1.0)},
            "k C",
        ),
        ([{"k": ["linear"], "C": LOG}, {"k": ["poly"]}], {"k": "rbf", "C": 2.0}, None, None),
        ([{"C": LOG}, {"C": LOG, "k": KERNELS}], {"k": 0, "C": 2.0}, {"C": 2.0}, "C"),
        ([{"C": [1.0, 2.0]}, {"k": KERNELS, "C": LOG}], {"k": "rbf", "C": 2.0},
         {"k": "rbf", "C": 2.0}, "k C"),
        # of one dict all that is fixed is fixed for all candidates
        ({"k": ["linear"], "C": LOG}, {"k": "rbf", "C": 2.0}, {"k": "linear", "C": 2.0}, "C"),
        ({"C": LOG}, {}, None, None),
        ([{}, {"C": LOG}], {"C": 2.0}, {"C": 2.0}, "C"),
    ],
)  # fmt: skip
def test_what_lies_in_the_space(space, values, params, names):
    candidate = present(space, **values)
    if params is None:
        assert candidate is None
    else:
        assert list(candidate.params) == list(params)
        for name, value in params.items():
            known = candidate.params[name]
            assert known is value or known == value
            assert type(known) is type(value) or not isinstance(value, int | float | str)
        assert candidate.names == set(names.split())
        Space(space).identify(candidate.params)


def test_estimators_are_equal_by_class_and_parameters():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", SVC(C=3.0))])
    steps = [MinMaxScaler(), StandardScaler(with_mean=False), StandardScaler()]
    candidate = present({"scale": steps, "model__C": LOG}, **pipeline.get_params())
    assert candidate.params == {"scale": steps[2], "model__C": 3.0}
    candidate = present({"scale": steps[:2], "model__C": LOG}, **pipeline.get_params())
    assert candidate.params == {"scale": steps[0], "model__C": 3.0}
    assert candidate.names == {"model__C"}


def test_parameters_of_a_step_that_is_replaced_are_none_of_the_step_that_replaces_it():
    pipeline = Pipeline([("scale", "passthrough"), ("model", LogisticRegression(C=3.0))])
    space = {"model": [SVC(), DecisionTreeClassifier()], "model__C": LOG}
    assert present(space, **pipeline.get_params()) is None
    pipeline.set_params(model=SVC())
    candidate = present(space, **pipeline.get_params())
    assert candidate.names == {"model", "model__C"}


SPACE = {"n_neighbors": stats.randint(1, 40), "p": stats.uniform(1, 3), "weights": ["distance"]}
PRESENT = {"n_neighbors": 5, "p": 2.0, "weights": "distance"}
MINE = {"n_neighbors": 9, "p": 1.5, "weights": "distance"}


def search(**settings):
    defaults = {"n_iter": 12, "batch_size": 4, "cv": 3, "random_state": 0}
    return PolicyGradientSearchCV(
        KNeighborsClassifier(p=2.0), **({"param_distributions": SPACE} | defaults | settings)
    )


@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
@pytest.mark.parametrize("batch_size", [1, 4, 12])
def test_the_first_are_those_of_the_user_the_present_one_and_the_centre(evaluation, batch_size):
    settings = {"evaluation": evaluation, "batch_size": batch_size, "initial_params": [MINE]}
    params = search(**settings).fit(X, y).cv_results_["params"]
    centre = {"n_neighbors": 20, "p": pytest.approx(2.5), "weights": "distance"}
    assert params[:3] == [MINE, PRESENT, centre]
    assert len({str(p) for p in params}) == 12


def test_where_nothing_present_lies_in_the_space_the_centre_is_first():
    space = {"n_neighbors": stats.randint(10, 31)}
    params = search(param_distributions=space).fit(X, y).cv_results_["params"]
    assert params[0] == {"n_neighbors": 20}


def test_a_present_candidate_that_is_the_centre_or_given_is_evaluated_once():
    space = {"n_neighbors": stats.randint(1, 10), "p": stats.uniform(1, 2)}
    for given in (None, [{"n_neighbors": 7, "p": 1.0}, {"n_neighbors": 5, "p": 2.0}]):
        params = search(param_distributions=space, initial_params=given).fit(X, y)
        params = params.cv_results_["params"]
        assert sum(p == {"n_neighbors": 5, "p": 2.0} for p in params) == 1
        assert params.index({"n_neighbors": 5, "p": 2.0}) == (0 if given is None else 1)
        assert len({str(p) for p in params}) == 12


@pytest.mark.parametrize("learner", [None, NaturalGradient()])
def test_a_search_that_is_resumed_begins_with_the_same(tmp_path, learner):
    settings = {"learner": learner, "batch_size": 3, "evaluation": "stream"}
    expected = search(**settings).fit(X, y).cv_results_["params"]
    for n_iter in (1, 5, 12):
        again = search(storage=tmp_path / "search.db", n_iter=n_iter, **settings).fit(X, y)
        assert again.cv_results_["params"] == expected[:n_iter]


def test_a_message_says_what_it_scored(capsys):
    fitted = search(verbose=1, initial_params=[MINE]).fit(X, y)
    score = fitted.cv_results_["mean_test_score"][1]
    said = f"The estimator as it is (n_neighbors=5, p=2.0; others at their medians): {score:.4f}"
    assert capsys.readouterr().out.splitlines()[:2] == [
        "Fitting 3 folds for each of 12 candidates, totalling 36 fits",
        said,
    ]
    assert repr(fitted.policy_).splitlines()[-1] == f"  {said}"
    quiet = search(initial_params=[MINE]).fit(X, y)
    assert capsys.readouterr().out == ""
    assert repr(quiet.policy_) == repr(fitted.policy_)


def test_the_policy_does_not_tell_of_a_candidate_that_is_not_evaluated():
    space = {"n_neighbors": stats.randint(10, 31)}
    assert search(param_distributions=space).fit(X, y).policy_.note == ""
    assert search(initial_params=[MINE], n_iter=1, batch_size=1).fit(X, y).policy_.note == ""


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"estimator": Scripted(a=3, act="fail", on=(3,))}, "(a=3): failed"),
        ({"racing": True, "racing_bound": 0.1, "initial_params": [{"a": 9}]}, "(a=3): raced"),
    ],
)
def test_a_message_says_why_it_has_no_score(capsys, settings, words):
    given = {"estimator": Scripted(a=3), "param_distributions": {"a": list(range(10))}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        PolicyGradientSearchCV(**given | settings, n_iter=5, verbose=1, random_state=0).fit(X, y)
    assert f"The estimator as it is {words}\n" in capsys.readouterr().out


def test_choices_without_a_truth_value_are_told_apart(capsys):
    space = {"a": [1, 2], "extra": [np.zeros(2), np.ones(2), np.ones(3)]}
    PolicyGradientSearchCV(Scripted(a=1, extra=np.ones(2)), space, verbose=1, random_state=0).fit(
        X, y
    )
    out = capsys.readouterr().out
    assert out.count("The estimator as it is") == 1
    assert "(a=1, extra=array([1., 1.])): 0.0100" in out
