"""A fitted search becomes a study with all of its candidates."""

import numpy as np
import pytest
from scipy.stats import expon, loguniform, randint, rv_discrete, uniform
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tests.estimators import Scripted

optuna = pytest.importorskip("optuna")

from optuna.trial import TrialState  # noqa: E402

from skpg.integrations.optuna import export_study  # noqa: E402
from tests.integrations.optuna.searches import KNN, X, search_of, y  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


def test_a_study_has_all_candidates_with_their_folds():
    search = search_of(KNeighborsClassifier(), KNN, scoring="accuracy").fit(X, y)
    study = export_study(search, study_name="knn")
    results = search.cv_results_
    assert study.study_name == "knn"
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE
    assert study.metric_names == ["accuracy"]
    assert [t.params for t in study.trials] == results["params"]
    assert [t.value for t in study.trials] == results["mean_test_score"].tolist()
    for k in range(3):
        folds = [t.intermediate_values[k] for t in study.trials]
        assert folds == results[f"split{k}_test_score"].tolist()
    assert [t.user_attrs["iter"] for t in study.trials] == results["iter"].tolist()
    assert study.user_attrs["stop_reason"] == "n_iter"
    assert study.user_attrs["space: n_neighbors"] == "randint(1, 31)"
    assert study.best_params == search.best_params_
    assert all(t.datetime_start <= t.datetime_complete for t in study.trials)


def test_failed_and_raced_candidates_are_failed_and_pruned_trials():
    space = {"a": list(range(20))}
    failing = search_of(Scripted(act="raise", on=(3, 4)), space, n_iter=20)
    with pytest.warns(Warning, match="fits failed|non-finite"):
        failing.fit(X, y)
    study = export_study(failing)
    assert {t.params["a"] for t in study.get_trials(states=[TrialState.FAIL])} == {3, 4}
    with pytest.warns(Warning, match="fits failed"):
        failing.set_params(error_score=1.0).fit(X, y)
    study = export_study(failing)
    assert {t.params["a"] for t in study.get_trials(states=[TrialState.FAIL])} == {3, 4}
    raced = search_of(Scripted(), space, n_iter=20, racing=True, racing_bound=0.25).fit(X, y)
    study = export_study(raced)
    pruned = study.get_trials(states=[TrialState.PRUNED])
    assert len(pruned) == (raced.cv_results_["n_folds_evaluated"] < 3).sum() > 0
    assert all(t.value == t.params["a"] / 100 for t in pruned)
    assert study.best_params == raced.best_params_


def test_several_metrics_give_the_one_that_counts():
    search = search_of(
        KNeighborsClassifier(), KNN, scoring=["accuracy", "f1_macro"], refit="f1_macro"
    )
    study = export_study(search.fit(X, y))
    assert study.metric_names == ["f1_macro"]
    assert study.best_value == search.cv_results_["mean_test_f1_macro"].max()


def test_choices_of_any_kind_and_branches_can_be_stored():
    steps = Pipeline([("scale", StandardScaler()), ("model", SVC())])
    space = [
        {
            "model": [SVC()],
            "scale": [StandardScaler(), MinMaxScaler(), "passthrough", None],
            "model__C": loguniform(1e-3, 1e3),
        },
        {
            "model": [DecisionTreeClassifier(random_state=0)],
            "scale": ["passthrough"],
            "model__max_depth": [None, 1, 2, 3],
            "model__min_impurity_decrease": expon(scale=0.01),
        },
    ]
    search = search_of(steps, space, n_iter=20).fit(X, y)
    study = export_study(search)
    assert {t.params["model"] for t in study.trials} == {
        "SVC()",
        "DecisionTreeClassifier(random_state=0)",
    }
    scalers = {t.params["scale"] for t in study.trials}
    assert scalers <= {"StandardScaler()", "MinMaxScaler()", "passthrough", "None"}
    for trial, params in zip(study.trials, search.cv_results_["params"], strict=True):
        assert set(trial.params) == set(params)
        if "model__C" in params:
            assert trial.distributions["model__C"].log
            assert trial.distributions["model__C"].high == 1e3


def test_a_hyperparameter_may_be_a_list_here_and_a_number_there():
    space = [{"n_neighbors": [1, 2]}, {"n_neighbors": randint(3, 30), "p": uniform(1, 3)}]
    study = export_study(search_of(KNeighborsClassifier(), space).fit(X, y))
    names = {name for trial in study.trials for name in trial.params}
    assert names == {"n_neighbors", "n_neighbors (number)", "p"}


def test_values_that_are_equal_to_optuna_stay_apart():
    search = search_of(Scripted(), {"a": [True, 1, 1.0, 2]}, n_iter=4).fit(X, y)
    study = export_study(search)
    assert {t.params["a"] for t in study.trials} == {"True", "1", "1.0", "2"}


def test_values_of_distributions_keep_their_types():
    halves = rv_discrete(values=(np.arange(1, 3.5, 0.5), np.full(5, 0.2)))
    space = {"a": halves, "on": [(9, 7), (9.0, 7), (9, 7.0)]}
    search = search_of(Scripted(), space, n_iter=15).fit(X, y)
    study = export_study(search)
    for trial, params in zip(study.trials, search.cv_results_["params"], strict=True):
        assert trial.params == {"a": params["a"], "on": repr(params["on"])}


def test_what_is_not_fitted_or_has_a_taken_name_is_refused(tmp_path):
    search = search_of(KNeighborsClassifier(), KNN)
    with pytest.raises(NotFittedError):
        export_study(search)
    url = f"sqlite:///{tmp_path}/studies.db"
    export_study(search.fit(X, y), url, study_name="knn")
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        export_study(search, url, study_name="knn")
