"""The best score without the luck of having been chosen."""

import numpy as np
import pytest
from scipy.stats import randint
from sklearn.datasets import load_diabetes, load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC

import skpg
from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
X_NUMBERS, NUMBERS = load_diabetes(return_X_y=True)
NEIGHBOURS = {"n_neighbors": randint(1, 60)}


def table_of(folds, name="score"):
    folds = np.asarray(folds, dtype=float)
    table = {f"split{k}_test_{name}": column for k, column in enumerate(folds.T)}
    return {**table, f"mean_test_{name}": folds.mean(axis=1)}


FOLDS = [[0.5, 0.7, 0.9], [0.8, 0.8, 0.8], [0.9, 0.6, 0.6]]


def test_what_the_best_of_each_fold_score_more_is_the_bias():
    corrected = skpg.corrected_score(table_of(FOLDS))
    bias = ((0.9 - 0.8) + (0.8 - 0.8) + (0.9 - 0.8)) / 3
    assert corrected.bias == pytest.approx(bias)
    assert corrected.score == pytest.approx(0.8 - bias)
    assert corrected.method == "Tibshirani and Tibshirani (2009)"
    assert corrected.interval is None
    assert str(corrected).startswith("0.7333 (0.8 before correction by Tibshirani")


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(KNeighborsClassifier(), {"n_neighbors": range(1, 20)}),
        RandomizedSearchCV(KNeighborsClassifier(), NEIGHBOURS, n_iter=15, random_state=0),
        PolicyGradientSearchCV(KNeighborsClassifier(), NEIGHBOURS, n_iter=15, random_state=0),
        PolicyGradientSearchCV(
            KNeighborsClassifier(), NEIGHBOURS, n_iter=15, random_state=0, racing=True
        ),
    ],
)
def test_of_any_search_the_best_score_is_corrected(search):
    search.fit(X, y)
    corrected = skpg.corrected_score(search)
    assert corrected.score + corrected.bias == pytest.approx(search.best_score_)
    assert corrected.bias > 0
    assert skpg.corrected_score(search.cv_results_) == corrected
    pandas = pytest.importorskip("pandas")
    assert skpg.corrected_score(pandas.DataFrame(search.cv_results_)) == corrected


def test_one_candidate_has_no_luck():
    search = GridSearchCV(SVC(), {}).fit(X, y)
    assert skpg.corrected_score(search).bias == 0


def test_losses_are_corrected_towards_more_loss():
    search = GridSearchCV(
        KNeighborsRegressor(), {"n_neighbors": range(1, 40)}, scoring="neg_mean_absolute_error"
    ).fit(X_NUMBERS, NUMBERS)
    corrected = skpg.corrected_score(search)
    assert corrected.score < search.best_score_ < 0


def test_scores_that_are_missing_are_passed_over():
    holes = np.array([*FOLDS, [1.0, np.nan, np.nan], [np.nan] * 3, [np.inf, 0.5, 0.5]])
    corrected = skpg.corrected_score(table_of(holes))
    # the fold that a candidate has won counts, the candidate itself cannot be chosen
    assert corrected.bias == pytest.approx(((1.0 - 0.8) + 0 + (0.9 - 0.8)) / 3)
    assert corrected.score + corrected.bias == pytest.approx(0.8)


@pytest.mark.filterwarnings("ignore")
def test_of_a_search_with_failures():
    search = GridSearchCV(Scripted(act="fail", on=(9,)), {"a": [1, 2, 9]}, error_score=np.nan).fit(
        X, y
    )
    assert skpg.corrected_score(search).score == pytest.approx(0.02)
    with pytest.raises(ValueError, match="No candidate has a score on each fold"):
        skpg.corrected_score(table_of([[np.nan, 1.0]]))


def test_of_several_metrics_one_is_named_or_that_of_refit_is_meant():
    table = {**table_of(FOLDS, "a"), **table_of(1 - np.array(FOLDS), "b_test_a")}
    with pytest.raises(ValueError, match=r"metric must be one of \['a', 'b_test_a'\], got None"):
        skpg.corrected_score(table)
    with pytest.raises(ValueError, match="got 'c'"):
        skpg.corrected_score(table, metric="c")
    assert skpg.corrected_score(table, metric="a") == skpg.corrected_score(table_of(FOLDS))
    scoring = ["accuracy", "neg_log_loss"]
    search = GridSearchCV(
        KNeighborsClassifier(), {"n_neighbors": [3, 5, 9]}, scoring=scoring, refit="neg_log_loss"
    ).fit(X, y)
    assert skpg.corrected_score(search).score < 0
    assert skpg.corrected_score(search, metric="accuracy").score > 0.9


def test_of_a_halving_search_the_last_round_counts():
    search = HalvingRandomSearchCV(
        KNeighborsClassifier(), {"n_neighbors": randint(1, 9)}, random_state=0, cv=3
    )
    search.fit(X, y)
    corrected = skpg.corrected_score(search)
    assert corrected.score + corrected.bias == pytest.approx(search.best_score_)
    last = search.cv_results_["iter"] == search.n_iterations_ - 1
    rest = {name: np.asarray(column)[last] for name, column in search.cv_results_.items()}
    del rest["n_resources"]
    assert skpg.corrected_score(rest) == corrected


def test_another_choice_than_the_best_mean_is_refused():
    search = GridSearchCV(SVC(), {"C": [1, 2]}, refit=lambda results: 0).fit(X, y)
    with pytest.raises(ValueError, match="chosen its candidate by refit=.*Pass its cv_results_"):
        skpg.corrected_score(search)
    assert skpg.corrected_score(search.cv_results_).bias >= 0


@pytest.mark.parametrize("results", [None, SVC(), [1.0], 0.9])
def test_what_is_no_result_is_refused(results):
    with pytest.raises(TypeError, match="fitted search or its cv_results_"):
        skpg.corrected_score(results)


def coins(n_candidates, n_rows, seed):
    """Return targets, and predictions that know nothing of them."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, n_rows), rng.integers(0, 2, (n_candidates, n_rows))


def results_of(targets, predictions, n_folds=5):
    right = (predictions == targets).astype(float)
    return table_of(np.stack([c.mean(axis=1) for c in np.array_split(right, n_folds, 1)], axis=1))


def test_candidates_that_know_nothing_score_what_a_coin_scores():
    best, folds, bootstrap, covered = [], [], [], 0
    for seed in range(20):
        targets, predictions = coins(40, 100, seed)
        table = results_of(targets, predictions)
        best.append(table["mean_test_score"].max())
        folds.append(skpg.corrected_score(table).score)
        corrected = skpg.corrected_score(
            table, targets, predictions=predictions, scoring="accuracy", n_bootstraps=50,
            random_state=seed,
        )  # fmt: skip
        bootstrap.append(corrected.score)
        low, high = corrected.interval
        assert low <= corrected.score <= high
        covered += low <= 0.5 <= high
    assert np.mean(best) > 0.59
    assert np.mean(folds) < 0.55
    assert abs(np.mean(bootstrap) - 0.5) < 0.03
    assert covered >= 17


def test_a_candidate_that_is_better_than_luck_keeps_its_score():
    targets, predictions = coins(40, 200, 0)
    predictions[7] = np.where(np.arange(200) % 10 == 0, 1 - targets, targets)
    table = results_of(targets, predictions)
    corrected = skpg.corrected_score(
        table, targets, predictions=predictions, scoring="accuracy", random_state=0
    )
    assert corrected.score == pytest.approx(0.9, abs=0.01)
    assert corrected.bias == pytest.approx(0, abs=0.01)
    assert corrected.method == "BBC-CV, Tsamardinos et al. (2018)"
    again = skpg.corrected_score(
        table, targets, predictions=predictions, scoring="accuracy", random_state=0
    )
    assert again == corrected


@pytest.mark.parametrize(
    ("model", "data", "method", "scoring"),
    [
        (KNeighborsClassifier(), (X, y), "predict", None),
        (KNeighborsClassifier(), (X, np.array(["c", "a", "b"])[y]), "predict", "accuracy"),
        (KNeighborsClassifier(), (X, y), "predict_proba", "roc_auc_ovr"),
        (KNeighborsRegressor(), (X_NUMBERS, NUMBERS), "predict", None),
    ],
)
def test_predictions_of_scikit_learn_correct_a_search(model, data, method, scoring):
    cv = KFold(4, shuffle=True, random_state=0)
    search = GridSearchCV(model, {"n_neighbors": [1, 5, 30]}, cv=cv, scoring=scoring).fit(*data)
    predictions = np.stack([
        cross_val_predict(model.set_params(**params), *data, cv=cv, method=method)
        for params in search.cv_results_["params"]
    ])  # fmt: skip
    corrected = skpg.corrected_score(
        search, data[1], predictions=predictions, n_bootstraps=30, random_state=0
    )
    assert corrected.score == pytest.approx(search.best_score_, abs=0.05)
    assert corrected.interval[0] < corrected.interval[1]
    assert "[" in str(corrected)


def test_candidates_without_all_predictions_are_left_out():
    targets, predictions = coins(5, 60, 0)
    predictions = predictions.astype(float)
    table, arguments = results_of(targets, predictions), {"scoring": "accuracy", "random_state": 0}
    alone = skpg.corrected_score(table, targets, predictions=predictions, **arguments)
    table = {name: np.append(column, np.nan) for name, column in table.items()}
    more = np.vstack([predictions, np.full(60, np.nan)])
    assert skpg.corrected_score(table, targets, predictions=more, **arguments) == alone


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": None}, "need their targets y"),
        ({"scoring": None}, "need a scoring"),
        ({"predictions": np.zeros((3, 9))}, r"5 candidates and 60 rows, got .* \(3, 9\)"),
        ({"predictions": np.zeros(60)}, r"5 candidates and 60 rows, got .* \(60,\)"),
        ({"predictions": np.zeros((5, 60, 3))}, "of the 2 classes of y, got 3"),
        ({"predictions": np.full((5, 60), np.nan)}, "each candidate have nan among them"),
        ({"n_bootstraps": 0}, "n_bootstraps must be a positive integer, got 0"),
        ({"scoring": "neg_log_loss"}, "cannot score predictions that are kept"),
        ({"scoring": lambda estimator, X, y: X.sum()}, "cannot score predictions that are kept"),
    ],
)
def test_bad_arguments_are_named(changes, words):
    targets, predictions = coins(5, 60, 0)
    arguments = {"y": targets, "predictions": predictions, "scoring": "accuracy"} | changes
    with pytest.raises(ValueError, match=words):
        skpg.corrected_score(results_of(targets, predictions), **arguments)
