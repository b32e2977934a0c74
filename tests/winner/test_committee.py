"""Estimators that average the models of the folds."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

from skpg import CommitteeClassifier, CommitteeRegressor

X, y = load_iris(return_X_y=True)
NAMES = np.array(["c", "a", "b"])[y]
TWO = y > 1
X_NUMBERS, NUMBERS = load_diabetes(return_X_y=True)
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)


class Labels(ClassifierMixin, BaseEstimator):
    """Says labels only: of the class that is most frequent."""

    def __init__(self, fails=False):
        self.fails = fails

    def fit(self, X, y):
        assert not self.fails, "fitted"
        self.classes_, counts = np.unique(y, return_counts=True)
        self.label_ = self.classes_[counts.argmax()]
        return self

    def predict(self, X):
        return np.full(len(X), self.label_)


class Loud(ClassifierMixin, BaseEstimator):
    """Decides by the first column, in units of its own."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return self.factor * X[:, 0]

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


def fold_models(estimator, X, y, cv):
    return [clone(estimator).fit(X[train], y[train]) for train, _ in cv.split(X, y)]


def test_probabilities_are_the_mean_of_those_of_the_models_of_the_folds():
    model = LogisticRegression(C=0.1)
    committee = CommitteeClassifier(model, cv=FOLDS).fit(X, NAMES)
    expected = np.mean([m.predict_proba(X) for m in fold_models(model, X, NAMES, FOLDS)], axis=0)
    np.testing.assert_allclose(committee.predict_proba(X), expected)
    np.testing.assert_allclose(committee.predict_log_proba(X), np.log(expected))
    assert list(committee.classes_) == ["a", "b", "c"]
    assert (committee.predict(X) == committee.classes_[expected.argmax(axis=1)]).all()
    assert committee.score(X, NAMES) > 0.8


def test_predictions_are_the_mean_of_those_of_the_models_of_the_folds():
    cv = KFold(3)
    committee = CommitteeRegressor(Ridge(), cv=cv).fit(X_NUMBERS, NUMBERS)
    models = fold_models(Ridge(), X_NUMBERS, NUMBERS, cv)
    expected = np.mean([model.predict(X_NUMBERS) for model in models], axis=0)
    np.testing.assert_allclose(committee.predict(X_NUMBERS), expected)
    assert not hasattr(committee, "predict_proba")
    assert not hasattr(committee, "classes_")


def test_candidates_have_weights_and_their_folds_share_them():
    candidates = [{"n_neighbors": 1}, {"n_neighbors": 9}, {"n_neighbors": 30}]
    committee = CommitteeRegressor(
        KNeighborsRegressor(), candidates=candidates, weights=[3, 0, 1], cv=2
    ).fit(X_NUMBERS, NUMBERS)
    np.testing.assert_allclose(committee.weights_, [3 / 8, 3 / 8, 1 / 8, 1 / 8])
    assert [model.n_neighbors for model in committee.estimators_] == [1, 1, 30, 30]
    expected = [model.predict(X_NUMBERS) for model in committee.estimators_]
    np.testing.assert_allclose(committee.predict(X_NUMBERS), committee.weights_ @ expected)


def test_a_class_that_a_fold_does_not_know_gets_no_votes_of_its_model():
    rare = NAMES.astype("<U2")
    rare[:3] = "aa"
    cv = [(np.arange(3, 150), np.arange(3)), (np.arange(147), np.arange(147, 150))]
    committee = CommitteeClassifier(DecisionTreeClassifier(random_state=0), cv=cv).fit(X, rare)
    assert [len(model.classes_) for model in committee.estimators_] == [3, 4]
    assert list(committee.classes_) == ["a", "aa", "b", "c"]
    models = committee.estimators_
    expected = np.zeros((150, 4))
    expected[:, [0, 2, 3]] = models[0].predict_proba(X)
    expected = (expected + models[1].predict_proba(X)) / 2
    np.testing.assert_allclose(committee.predict_proba(X), expected)
    decisive = CommitteeClassifier(SVC(), cv=cv).fit(X, rare)
    assert decisive.decision_function(X).shape == (150, 4)
    assert (decisive.decision_function(X)[:, 1] < 0.5).all()


def test_a_fold_of_one_class_votes_for_it():
    cv = [(np.arange(50), np.arange(50, 150)), (np.arange(150), np.arange(50))]
    committee = CommitteeClassifier(DecisionTreeClassifier(), cv=cv).fit(X, NAMES)
    assert set(committee.predict_proba(X)[0]) == {0.0, 1.0}
    assert (committee.predict_proba(X)[50:, 2] == 0.5).all()


def test_models_without_probabilities_vote_by_decisions_in_units_of_their_spread():
    centred = X - X.mean(axis=0)
    loud = CommitteeClassifier(
        Loud(), candidates=[{"factor": 1e6}, {"factor": -1.0}, {"factor": -1.0}], cv=2
    ).fit(centred, TWO)
    assert not hasattr(loud, "predict_proba")
    assert (loud.predict(centred) == (centred[:, 0] < 0)).all()
    decisions = loud.decision_function(centred)
    assert decisions.shape == (150,)
    assert ((decisions > 0) == loud.predict(centred)).all()
    assert (np.abs(decisions) < 1).all()


def test_decisions_of_one_class_against_another_are_no_votes_for_classes():
    model = SVC(decision_function_shape="ovo")
    four = np.where(X[:, 0] > 6, 3, y)
    committee = CommitteeClassifier(model, cv=FOLDS).fit(X, four)
    models = fold_models(model, X, four, FOLDS)
    votes = sum(np.eye(4)[model.predict(X)] for model in models)
    assert (committee.predict(X) == votes.argmax(axis=1)).all()


def test_models_with_probabilities_and_models_with_decisions_decide_together():
    committee = CommitteeClassifier(
        make_pipeline(StandardScaler(), SVC()),
        candidates=[{}, {"svc": KNeighborsClassifier()}],
        cv=FOLDS,
    ).fit(X, TWO)
    assert not hasattr(committee, "predict_proba")
    assert not hasattr(committee, "predict_log_proba")
    assert cross_val_score(committee, X, TWO, scoring="roc_auc", cv=2).min() > 0.9
    assert (committee.predict(X) == (committee.decision_function(X) > 0)).all()


def test_models_that_say_labels_only_have_one_vote_each():
    cv = [(np.arange(60), [0]), (np.arange(40, 110), [0]), (np.arange(40, 120), [0])]
    committee = CommitteeClassifier(Labels(), cv=cv).fit(X, NAMES)
    assert set(committee.predict(X)) == {"a"}
    assert not hasattr(committee, "predict_proba")
    assert not hasattr(committee, "decision_function")


def test_probabilities_alone_make_no_decision_function():
    assert not hasattr(CommitteeClassifier(KNeighborsClassifier()).fit(X, y), "decision_function")


def test_a_threshold_on_probabilities_is_kept():
    cautious = FixedThresholdClassifier(
        LogisticRegression(), threshold=0.1, response_method="predict_proba"
    )
    committee = CommitteeClassifier(cautious, cv=5).fit(X, TWO)
    models = committee.estimators_
    votes = np.mean([model.predict(X) for model in models], axis=0)
    assert (committee.predict(X) == (votes > 0.5)).all()
    proba = np.mean([model.predict_proba(X) for model in models], axis=0)
    np.testing.assert_allclose(committee.predict_proba(X), proba)
    assert committee.predict(X).sum() > (proba[:, 1] > 0.5).sum()


@pytest.mark.parametrize("model", [SVR(kernel="precomputed"), SVC(kernel="precomputed")])
def test_a_precomputed_matrix_is_cut_for_each_model(model):
    K, target = (rbf_kernel(X), y) if isinstance(model, SVC) else (rbf_kernel(X), X[:, 0])
    kind = CommitteeClassifier if isinstance(model, SVC) else CommitteeRegressor
    plain = clone(model).set_params(kernel="rbf", gamma=1 / X.shape[1])
    committee = kind(model, cv=3).fit(K, target)
    assert committee.n_features_in_ == 150
    expected = kind(plain, cv=3).fit(X, target).predict(X)
    np.testing.assert_allclose(committee.predict(K), expected, rtol=1e-3)
    assert cross_val_score(committee, K, target, cv=KFold(3, shuffle=True)).min() > 0.5


def test_names_of_features_and_sparse_data_reach_the_models():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    committee = CommitteeClassifier(DecisionTreeClassifier(random_state=0)).fit(frame, y)
    assert list(committee.feature_names_in_) == list("abcd")
    assert committee.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names"):
        committee.predict(frame[list("dcba")])
    from scipy.sparse import csr_matrix

    again = CommitteeClassifier(DecisionTreeClassifier(random_state=0)).fit(csr_matrix(X), y)
    assert (again.predict(csr_matrix(X)) == committee.predict(frame)).all()


def test_arguments_of_fit_are_cut_as_the_rows_are():
    weight = np.random.default_rng(0).uniform(size=len(X_NUMBERS))
    committee = CommitteeRegressor(LinearRegression(), cv=3)
    committee.fit(X_NUMBERS, NUMBERS, sample_weight=weight)
    for model, (train, _) in zip(committee.estimators_, KFold(3).split(X_NUMBERS), strict=True):
        alone = LinearRegression().fit(X_NUMBERS[train], NUMBERS[train], weight[train])
        np.testing.assert_allclose(model.coef_, alone.coef_)


@pytest.mark.parametrize("routing", [False, True])
def test_groups_reach_the_splitter_and_weights_the_estimator(routing):
    groups, weight = np.arange(150) % 7, np.arange(150.0) % 2
    with config_context(enable_metadata_routing=routing):
        model = LogisticRegression()
        if routing:
            model = model.set_fit_request(sample_weight=True)
        committee = CommitteeClassifier(model, cv=GroupKFold(3))
        committee.fit(X, y, groups=groups, sample_weight=weight)
        for fitted, (train, _) in zip(
            committee.estimators_, GroupKFold(3).split(X, y, groups), strict=True
        ):
            alone = LogisticRegression().fit(X[train], y[train], weight[train])
            np.testing.assert_allclose(fitted.coef_, alone.coef_)


def test_workers_change_nothing():
    model = DecisionTreeClassifier(random_state=0, max_features=1)
    one, two = (CommitteeClassifier(model, n_jobs=n).fit(X, y).predict_proba(X) for n in (1, 2))
    assert (one == two).all()


def test_a_committee_is_pickled_cloned_shown_and_searched():
    committee = CommitteeClassifier(
        LogisticRegression(max_iter=1000),
        candidates=[{"C": 1.0}, {"C": 9.0}],
        weights=[1, 2],
        cv=FOLDS,
    )
    fitted = clone(committee).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()
    assert not hasattr(clone(fitted), "estimators_")
    assert (clone(fitted).fit(X, y).predict_proba(X) == fitted.predict_proba(X)).all()
    assert "LogisticRegression" in fitted._repr_html_()
    assert "candidates=[{'C': 1.0}, {'C': 9.0}]" in repr(fitted)
    tags = CommitteeClassifier(SVC(kernel="precomputed")).__sklearn_tags__()
    assert tags.input_tags.pairwise
    assert tags.estimator_type == "classifier"
    search = GridSearchCV(CommitteeClassifier(SVC()), {"estimator__C": [1, 9]})
    assert search.fit(X, y).best_score_ > 0.9


@pytest.mark.parametrize("estimator", [IsolationForest(), KMeans(), PCA()])
@pytest.mark.parametrize("kind", [CommitteeClassifier, CommitteeRegressor])
def test_what_has_no_average_is_refused(kind, estimator):
    # transformers have no predict, which is said first
    if hasattr(estimator, "predict"):
        with pytest.raises(TypeError, match="have no average.*final='refit'"):
            kind(estimator).fit(X, y)
    else:
        with pytest.raises(ValueError, match="'estimator' parameter of Committee"):
            kind(estimator).fit(X, y)


def test_a_committee_of_the_other_kind_is_refused():
    with pytest.raises(TypeError, match=r"CommitteeClassifier takes a classifier, got Ridge\(\)"):
        CommitteeClassifier(Ridge()).fit(X, y)
    with pytest.raises(TypeError, match=r"CommitteeRegressor takes a regressor, got SVC\(\)"):
        CommitteeRegressor(SVC()).fit(X, y)


def test_several_outputs_are_refused_before_anything_is_fitted():
    several, labels = make_multilabel_classification(random_state=0)
    for target in (labels, labels + np.arange(len(labels))[:, None] % 2):
        with pytest.raises(ValueError, match=r"one output.*shape \(100, 5\).*final='refit'"):
            CommitteeClassifier(Labels(fails=True)).fit(several, target)
    with pytest.raises(ValueError, match=r"continuous-multioutput.*final='refit'"):
        CommitteeRegressor(Ridge()).fit(X_NUMBERS, np.column_stack([NUMBERS, NUMBERS + 0.5]))


def walk_forward(rows):
    return [(np.arange(n), np.arange(n, n + 20)) for n in rows]


@pytest.mark.parametrize("cv", [TimeSeriesSplit(3), walk_forward([60, 100, 130])])
def test_splits_that_are_ordered_in_time_are_refused(cv):
    with pytest.raises(ValueError, match="ordered in time.*final='refit'"):
        CommitteeClassifier(Labels(fails=True), cv=cv).fit(X, y)


def test_fewer_than_two_folds_are_refused():
    with pytest.raises(ValueError, match="at least two folds, got 1.*final='refit'"):
        CommitteeClassifier(Labels(fails=True), cv=ShuffleSplit(1)).fit(X, y)
    with pytest.raises(ValueError, match="has no splits; an iterator can be used only once"):
        CommitteeClassifier(Labels(fails=True), cv=iter([])).fit(X, y)


def test_folds_may_overlap():
    committee = CommitteeClassifier(SVC(), cv=RepeatedKFold(n_splits=2, n_repeats=3))
    assert len(committee.fit(X, y).estimators_) == 6


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"candidates": []}, "candidates must be None or a list of dicts"),
        ({"candidates": [("fails", True)]}, "candidates must be None or a list of dicts"),
        ({"weights": [1, 2]}, r"one for each of the 1 candidates, got an array of shape \(2,\)"),
        ({"weights": [-1.0]}, "not negative and not all 0"),
        ({"weights": [0.0]}, "not negative and not all 0"),
        ({"weights": [np.nan]}, "must be finite"),
        ({"cv": "five"}, "'cv' parameter of CommitteeClassifier"),
        ({"n_jobs": "many"}, "'n_jobs' parameter of CommitteeClassifier"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_fitted(settings, words):
    with pytest.raises(ValueError, match=words):
        CommitteeClassifier(Labels(fails=True), **settings).fit(X, y)


def test_a_column_of_targets_is_taken_with_a_warning():
    from sklearn.exceptions import DataConversionWarning

    with pytest.warns(DataConversionWarning, match="column-vector y"):
        committee = CommitteeClassifier(SGDClassifier(random_state=0)).fit(X, y[:, None])
    assert committee.predict(X).shape == (150,)
