"""Searches that begin with what is known, in a storage."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

import skpg
from skpg import StorageError
from skpg.learners import ActorCritic, NaturalGradient
from tests.estimators import Scripted
from tests.storage.searches import X, abort_after, make, n_fits, result, y

KNOWN = {
    "params": [{"a": a, "seconds": 0.0} for a in (30, 80, 50)],
    "mean_test_score": np.array([0.3, 0.8, 0.5]),
}
OTHER = KNOWN | {"mean_test_score": np.array([0.3, 0.8, 0.6])}
TRANSFER = {"warm_start_from": [KNOWN], "learner": ActorCritic()}
WAYS = {
    "known scores": {"initial_params": KNOWN},
    "earlier searches": TRANSFER,
    "partial candidates": {"initial_params": [{"a": 7}, {"seconds": 0.0001}, {}]},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("random_state", [0, None])
def test_a_search_that_was_killed_ends_as_if_it_had_not_been(tmp_path, way, random_state):
    path = tmp_path / "search.db"
    settings = WAYS[way] | {"random_state": random_state, "evaluation": "stream"}
    with pytest.raises(OSError, match="the power"):
        make(path, callbacks=abort_after(6), **settings).fit(X, y)
    (study,) = skpg.studies(path)
    ended = make(path, **settings).fit(X, y)
    whole = make(**settings | {"random_state": study.seed}).fit(X, y)
    assert result(ended) == result(whole)
    assert len(skpg.studies(path)) == 1


@pytest.mark.parametrize(
    ("settings", "change", "part"),
    [
        ({}, {"initial_params": KNOWN}, "initial_params"),
        ({"initial_params": KNOWN}, {"initial_params": KNOWN["params"]}, "initial_params"),
        ({"initial_params": KNOWN}, {"initial_params": OTHER}, "initial_params"),
        (TRANSFER, {"warm_start_from": None}, "warm_start_from"),
        (TRANSFER, {"warm_start_from": [OTHER]}, "warm_start_from"),
        (TRANSFER, {"warm_start_from": [KNOWN, KNOWN]}, "warm_start_from"),
    ],
)
def test_a_study_refuses_other_known_scores(tmp_path, settings, change, part):
    path = tmp_path / "search.db"
    make(path, study_name="mine", n_iter=2, **settings).fit(X, y)
    with pytest.raises(StorageError, match=rf"Not the same: {part}\. "):
        make(path, study_name="mine", n_iter=2, **(settings | change)).fit(X, y)


def test_the_same_scores_are_the_same_search_wherever_they_come_from(tmp_path):
    path = tmp_path / "search.db"
    grid = {"a": [3, 4], "seconds": [0.0]}
    # the times are not the same
    first, second = (GridSearchCV(Scripted(), grid, cv=2).fit(X, y) for _ in range(2))
    for source in (first, second, second.cv_results_, pd.DataFrame(first.cv_results_)):
        make(path, initial_params=source, n_iter=4, learner=NaturalGradient()).fit(X, y)
    assert len(skpg.studies(path)) == 1


def test_a_search_goes_on_from_a_study_of_a_smaller_space(tmp_path):
    make(tmp_path / "old.db", param_distributions={"a": range(50), "seconds": [0.0]}).fit(X, y)
    study = skpg.load_study(tmp_path / "old.db")
    best = max(p["a"] for p in study["params"])
    folder = tmp_path / "fits"
    folder.mkdir()
    fitted = make(initial_params=study, estimator=Scripted(folder=str(folder))).fit(X, y)
    assert fitted.cv_results_["params"][0] == {"a": best, "seconds": 0.0}
    old = {p["a"] for p in study["params"]} - {best}
    assert not [p for p in fitted.cv_results_["params"] if p["a"] in old and p["seconds"] == 0.0]
    assert n_fits(folder) == 12 * 3 + 1
