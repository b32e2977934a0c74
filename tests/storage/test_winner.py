"""Predictions, baseline and confirmation are kept, and known again."""

import shutil
import sqlite3

import numpy as np
import pytest
from scipy.stats import randint
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

import skpg
from skpg import Ensemble, PolicyGradientSearchCV, StorageError
from tests.estimators import Scripted
from tests.storage.searches import abort_after, n_fits, without_times

X, y = load_iris(return_X_y=True)
X_NUMBERS, NUMBERS = (part[::3] for part in load_diabetes(return_X_y=True))
SPACE = {"n_neighbors": randint(1, 60), "p": [1, 2]}
SCRIPTED = {"a": randint(1, 100)}


def search(path=None, estimator=None, space=SPACE, **settings):
    settings = {"n_iter": 12, "cv": 3, "random_state": 0, "storage": path, **settings}
    return PolicyGradientSearchCV(estimator or KNeighborsClassifier(), space, **settings)


def known(found):
    return repr(without_times(found.cv_results_))


@pytest.mark.parametrize("evaluation", ["auto", "batch"])
@pytest.mark.parametrize("regression", [False, True])
def test_predictions_are_given_back_to_the_bit(path, evaluation, regression):
    data = (X_NUMBERS, NUMBERS) if regression else (X, y)
    settings = {
        "keep": "predictions",
        "evaluation": evaluation,
        "estimator": KNeighborsRegressor() if regression else None,
    }
    expected = search(**settings).fit(*data)
    with pytest.raises(OSError, match="power"):
        search(path, callbacks=abort_after(5), **settings).fit(*data)
    found = search(path, **settings).fit(*data)
    assert found.oof_predictions_.tobytes() == expected.oof_predictions_.tobytes()
    assert known(found) == known(expected)
    again = search(path, **settings).fit(*data)
    assert again.oof_predictions_.tobytes() == expected.oof_predictions_.tobytes()
    assert again.corrected_score_ == expected.corrected_score_


def test_an_ensemble_and_kept_models_are_the_same_after_a_resume(path):
    settings = {"final": Ensemble(size=5), "keep": "estimators"}
    expected = search(**settings).fit(X, y)
    search(path, n_iter=6, **settings).fit(X, y)
    found = search(path, **settings).fit(X, y)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
    assert list(found.fold_estimators_) == list(expected.fold_estimators_)
    for index, models in expected.fold_estimators_.items():
        for one, two in zip(models, found.fold_estimators_[index], strict=True):
            np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


class Counted(Scripted):
    """Says the probabilities of nothing in particular."""

    def predict_proba(self, X):
        return np.tile([0.5, 0.3, 0.2], (len(X), 1))


def test_folds_without_predictions_are_fitted_again_where_they_are_wanted(path, counted):
    settings = {
        "estimator": Counted(folder=str(counted)),
        "space": SCRIPTED,
        "refit": False,
        "scoring": "accuracy",
    }
    search(path, **settings).fit(X, y)
    assert n_fits(counted) == 36
    search(path, **settings).fit(X, y)
    assert n_fits(counted) == 36
    found = search(path, keep="predictions", **settings).fit(X, y)
    assert n_fits(counted) == 72
    assert np.isfinite(found.oof_predictions_).all()
    search(path, keep="predictions", **settings).fit(X, y)
    search(path, **settings).fit(X, y)
    assert n_fits(counted) == 72
    assert len(skpg.studies(path)) == 1


def test_an_asynchronous_search_without_predictions_cannot_get_them(path):
    search(path, evaluation="async", n_iter=4, study_name="mine").fit(X, y)
    with pytest.raises(StorageError, match="predictions were not kept"):
        search(path, evaluation="async", n_iter=4, study_name="mine", keep="predictions").fit(X, y)
    assert search(path, evaluation="async", n_iter=4, study_name="mine").fit(X, y).best_score_ > 0.8
    found = search(path, evaluation="async", n_iter=4, study_name="2", keep="predictions").fit(X, y)
    again = search(path, evaluation="async", n_iter=6, study_name="2", keep="predictions").fit(X, y)
    np.testing.assert_array_equal(again.oof_predictions_[:4], found.oof_predictions_)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE predictions SET answers = x'00'",
        "UPDATE predictions SET answers = 'text'",
        "UPDATE predictions SET answers = x'0000803f'",
        "UPDATE predictions SET answers = substr(answers, 1, 12)",
        "UPDATE predictions SET response = '__reduce__'",
        "UPDATE predictions SET n_columns = 7",
        "UPDATE predictions SET n_columns = 'many'",
    ],
)
def test_damaged_predictions_are_refused(path, damage):
    search(path, keep="predictions", n_iter=2).fit(X, y)
    with sqlite3.connect(path) as connection:
        connection.execute(damage)
    connection.close()
    with pytest.raises(StorageError, match="damaged"):
        search(path, keep="predictions", n_iter=3).fit(X, y)
    assert len(skpg.load_study(path)["params"]) == 2


def test_the_baseline_is_fitted_once(path, counted):
    estimator = Scripted(a=50, folder=str(counted))
    settings = {"estimator": estimator, "space": SCRIPTED, "refit": False, "n_iter": 4}
    with pytest.raises(OSError, match="power"):
        search(path, baseline=True, callbacks=abort_after(2), **settings).fit(X, y)
    found = search(path, baseline=True, **settings).fit(X, y)
    assert n_fits(counted) == 3 * (1 + 4)
    np.testing.assert_array_equal(found.baseline_scores_, [0.5] * 3)
    search(path, **settings).fit(X, y)
    assert n_fits(counted) == 3 * (1 + 4)
    # where it is asked for only later, it alone is fitted
    other = f"{path}-other"
    search(other, **settings).fit(X, y)
    search(other, baseline=True, **settings).fit(X, y)
    assert n_fits(counted) == 3 * (1 + 4) * 2


class Mortal(Scripted):
    """Its fits end with an error after so many, of all processes together."""

    def __init__(self, a=0, folder=None, limit=None):
        super().__init__(a=a, folder=folder)
        self.limit = limit

    def fit(self, X, y):
        from pathlib import Path

        limit = int(Path(self.limit).read_text())
        if n_fits(Path(self.folder)) >= limit:
            raise OSError("the power is gone")
        return super().fit(X, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("n_done", [24, 25, 27, 30, 32])
def test_a_confirmation_goes_on_where_it_was_ended(path, counted, n_jobs, n_done):
    limit = counted.with_name("limit")
    settings = {
        "estimator": Mortal(folder=str(counted), limit=str(limit)),
        "space": SCRIPTED,
        "error_score": "raise",
        "refit": False,
        "confirm": (2, 2),
        "cv": KFold(3),
    }
    limit.write_text(str(n_done))
    with pytest.raises(OSError, match="power"):
        search(path, n_jobs=n_jobs, **settings).fit(X, y)
    before = n_fits(counted)
    limit.write_text("1000")
    found = search(path, n_jobs=n_jobs, **settings).fit(X, y)
    assert n_fits(counted) >= 36
    if n_jobs == 1:
        assert before == n_done
        assert n_fits(counted) == 36
    assert skpg.studies(path)[0].stop_reason == "n_iter"
    shutil.rmtree(counted)
    counted.mkdir()
    expected = search(**settings).fit(X, y)
    assert repr(found.confirm_results_) == repr(expected.confirm_results_)
    assert n_fits(counted) == 36
    again = search(path, **settings).fit(X, y)
    assert n_fits(counted) == 36
    assert repr(again.confirm_results_) == repr(expected.confirm_results_)


def test_a_longer_search_confirms_only_those_that_are_new(path, counted):
    settings = {
        "estimator": Scripted(folder=str(counted)),
        "space": SCRIPTED,
        "refit": False,
        "confirm": (2, 1),
    }
    first = search(path, n_iter=6, **settings).fit(X, y)
    assert n_fits(counted) == 18
    found = search(path, n_iter=14, **settings).fit(X, y)
    new = set(found.confirm_results_["index"]) - set(first.confirm_results_["index"])
    assert n_fits(counted) == 3 * (12 + 2 + len(new))
    expected = search(n_iter=14, **settings).fit(X, y)
    assert repr(found.confirm_results_) == repr(expected.confirm_results_)
    assert known(found) == known(expected)


def test_other_splits_for_the_confirmation_are_another_search(path):
    settings = {"confirm": (2, 1), "n_iter": 6}
    search(path, **settings).fit(X, y)
    search(path, confirm_cv=KFold(4), **settings).fit(X, y)
    assert len(skpg.studies(path)) == 2


@pytest.mark.filterwarnings("ignore:The best candidate")
def test_a_study_is_read_without_what_is_beside_its_search(path):
    found = search(path, baseline=True, confirm=(2, 1), keep="predictions", n_iter=6).fit(X, y)
    assert repr(without_times(skpg.load_study(path))) == known(found)
    assert skpg.studies(path)[0].n_candidates == 4
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM predictions").fetchone() == (12,)
    connection.close()


def test_a_storage_of_the_first_schema_gets_what_is_missing(path):
    search(path, n_iter=4).fit(X, y)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE predictions")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert len(skpg.load_study(path)["params"]) == 4
    assert len(skpg.studies(path)) == 1
    found = search(path, n_iter=4, keep="predictions").fit(X, y)
    assert found.oof_predictions_.shape == (4, 150, 3)
    assert len(skpg.studies(path)) == 1


class Interrupted(KNeighborsClassifier):
    """Is interrupted as soon as that is wanted."""

    wanted = False

    def fit(self, X, y):
        if Interrupted.wanted:
            raise KeyboardInterrupt
        return super().fit(X, y)


def test_where_kept_models_are_fitted_again_and_interrupted_the_results_are_there(
    path, monkeypatch
):
    settings = {"estimator": Interrupted(), "keep": "estimators", "baseline": True}
    with pytest.warns(UserWarning, match="as passed"):
        expected = search(path, **settings).fit(X, y)
    monkeypatch.setattr(Interrupted, "wanted", True)
    found = search(path, **settings)
    with pytest.raises(KeyboardInterrupt):
        found.fit(X, y)
    assert found.best_params_ == expected.best_params_
    np.testing.assert_array_equal(found.baseline_scores_, expected.baseline_scores_)
    np.testing.assert_array_equal(found.oof_predictions_, expected.oof_predictions_)
