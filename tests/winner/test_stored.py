"""Scores of predictions that are kept are those that scikit-learn gives to their model."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import (
    accuracy_score,
    check_scoring,
    fbeta_score,
    get_scorer,
    log_loss,
    make_scorer,
    mean_squared_error,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skpg.winner.quick import quick_metric
from skpg.winner.stored import StoredClassifier, StoredRegressor, StoredScore, check_own_score
from skpg.winner.votes import votes_of_decisions

X, y = load_breast_cancer(return_X_y=True)
X3, y3 = load_iris(return_X_y=True)
X_NUMBERS, NUMBERS = load_diabetes(return_X_y=True)
PROBABLE = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3))
CAUTIOUS = make_scorer(fbeta_score, beta=2, pos_label=0)


@pytest.mark.parametrize(
    "scoring",
    ["accuracy", "balanced_accuracy", "f1", "roc_auc", "average_precision", "neg_log_loss",
     "neg_brier_score", "matthews_corrcoef", "precision", CAUTIOUS],
)  # fmt: skip
@pytest.mark.parametrize("names", [False, True])
def test_of_probabilities_of_two_classes(scoring, names):
    target = np.array(["no", "yes"])[y] if names else y
    if names and scoring in (CAUTIOUS, "f1", "precision", "average_precision", "neg_brier_score"):
        pytest.skip("scikit-learn wants a pos_label")
    model = PROBABLE.fit(X[::2], target[::2])
    votes = model.predict_proba(X)
    stored = StoredClassifier(votes, model.classes_, frozenset({"predict_proba"}))
    scorer = get_scorer(scoring)
    expected = scorer(model, X, target)
    assert StoredScore(scoring, target)(stored) == pytest.approx(expected, abs=1e-12)
    rows = np.arange(3, 200)
    few = StoredClassifier(votes[rows], model.classes_, frozenset({"predict_proba"}))
    expected = scorer(model, X[rows], target[rows])
    assert StoredScore(scorer, target)(few, rows) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "average_precision", "f1"])
def test_of_decisions(scoring):
    model = make_pipeline(StandardScaler(), SVC(C=1e-2)).fit(X[::2], y[::2])
    votes = votes_of_decisions(model.decision_function(X), scale=0.3)
    stored = StoredClassifier(votes, model.classes_, frozenset({"decision_function"}))
    assert StoredScore(scoring, y)(stored) == pytest.approx(get_scorer(scoring)(model, X, y))


@pytest.mark.parametrize(
    "scoring", ["accuracy", "balanced_accuracy", "f1_macro", "roc_auc_ovr", "neg_log_loss"]
)
def test_of_three_classes(scoring):
    model = PROBABLE.fit(X3[::2], y3[::2])
    stored = StoredClassifier(model.predict_proba(X3), model.classes_, frozenset({"predict_proba"}))
    expected = get_scorer(scoring)(model, X3, y3)
    assert StoredScore(scoring, y3)(stored) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "scoring",
    [
        "r2",
        "neg_mean_absolute_error",
        "neg_mean_squared_error",
        "neg_root_mean_squared_error",
        "neg_median_absolute_error",
        "neg_max_error",
    ],
)
def test_of_numbers(scoring):
    model = Ridge().fit(X_NUMBERS[::2], NUMBERS[::2])
    stored = StoredRegressor(model.predict(X_NUMBERS))
    expected = get_scorer(scoring)(model, X_NUMBERS, NUMBERS)
    assert StoredScore(scoring, NUMBERS)(stored) == pytest.approx(expected, rel=1e-12)


def test_one_metric_of_a_callable_that_computes_several():
    def several(estimator, X, y):
        return {"first": 1.0, "errors": -float((estimator.predict(X) != y).sum())}

    stored = StoredClassifier(np.eye(2)[y], np.arange(2), frozenset({"predict"}))
    assert StoredScore(several, 1 - y, "errors")(stored) == -len(y)
    assert StoredScore(several, y, "errors")(stored) == 0


@pytest.mark.parametrize(
    ("scoring", "words"),
    [
        (lambda estimator, X, y: float(X[:, 0].mean()), "not subscriptable"),
        (lambda estimator, X, y: len(X), "no len"),
        (lambda estimator, X, y: estimator.n_iter_, "n_iter_"),
        ("neg_log_loss", "predict_proba"),
        ("roc_auc", "decision_function, predict_proba"),
    ],
)
def test_a_scorer_that_asks_for_more_than_predictions_is_refused(scoring, words):
    stored = StoredClassifier(np.eye(2)[y], np.arange(2), frozenset({"predict"}))
    with pytest.raises(ValueError, match=f"(?s)cannot score predictions that are kept.*{words}"):
        StoredScore(scoring, y)(stored)


class Own(LogisticRegression):
    def score(self, X, y, sample_weight=None):
        return 0.0


def test_a_score_method_of_ones_own_is_refused():
    for estimator in (PROBABLE, Ridge(), SVC()):
        check_own_score(check_scoring(estimator), estimator)
        check_own_score(get_scorer("r2"), Own())
    for estimator in (Own(), make_pipeline(StandardScaler(), Own()), PoissonRegressor(),
                      GridSearchCV(SVC(), {"C": [1]}, scoring="roc_auc")):  # fmt: skip
        with pytest.raises(ValueError, match="score method of .* Choose a metric by `scoring`"):
            check_own_score(check_scoring(estimator), estimator)


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy", "roc_auc", "neg_log_loss"])
def test_rows_of_one_class_are_scored_as_scikit_learn_scores_them(scoring):
    model = PROBABLE.fit(X[::2], y[::2])
    ones = np.flatnonzero(y == 1)[:50]
    stored = StoredClassifier(
        model.predict_proba(X[ones]), model.classes_, frozenset({"predict_proba"})
    )

    def outcome(score):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that there is one class only
                return score()
        except ValueError as error:
            return str(error)

    scorer = get_scorer(scoring)
    ours = outcome(lambda: StoredScore(scoring, y)(stored, ones))
    np.testing.assert_equal(ours, outcome(lambda: scorer(model, X[ones], y[ones])))


@pytest.mark.parametrize(
    "scorer",
    [
        make_scorer(log_loss, greater_is_better=False, response_method="predict_proba",
                    normalize=False),
        make_scorer(mean_squared_error, greater_is_better=False, sample_weight=None),
        make_scorer(accuracy_score, normalize=False),
    ],
)  # fmt: skip
def test_arguments_of_a_metric_are_kept(scorer):
    model = PROBABLE.fit(X[::2], y[::2])
    stored = StoredClassifier(model.predict_proba(X), model.classes_, frozenset({"predict_proba"}))
    assert StoredScore(scorer, y)(stored) == pytest.approx(scorer(model, X, y))


def test_the_score_of_the_estimator_itself_is_quick_and_the_same():
    model = PROBABLE.fit(X[::2], y[::2])
    scorer = check_scoring(model)
    assert quick_metric(scorer) is not None
    stored = StoredClassifier(model.predict_proba(X), model.classes_, frozenset({"predict_proba"}))
    assert StoredScore(scorer, y)(stored) == pytest.approx(model.score(X, y), abs=1e-12)
    ridge = Ridge().fit(X_NUMBERS[::2], NUMBERS[::2])
    stored = StoredRegressor(ridge.predict(X_NUMBERS))
    expected = ridge.score(X_NUMBERS, NUMBERS)
    assert StoredScore(check_scoring(ridge), NUMBERS)(stored) == pytest.approx(expected)
