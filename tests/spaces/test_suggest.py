"""Ready spaces hold the defaults, fit small data, and are refused where nothing is known."""

import warnings

import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    ParameterSampler,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientSearchCV, Space, spaces
from skpg.present import PresentCandidate
from tests.spaces.estimators import ENTRIES, default_of, known_of, problem_of, rows_of

QUIET = {
    "lightgbm": {"verbose": -1, "n_jobs": 1},
    "xgboost": {"n_jobs": 1},
    "catboost": {"verbose": False, "thread_count": 1, "iterations": 20},
}
# Values that XGBoost writes as None, and that CatBoost does not list
HIDDEN_DEFAULTS = {
    "xgboost": {
        "learning_rate": 0.3,
        "n_estimators": 100,
        "max_depth": 6,
        "min_child_weight": 1.0,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
        "reg_lambda": 1.0,
    },
    "catboost": {"learning_rate": 0.03, "depth": 6, "l2_leaf_reg": 3.0},
}


def dicts(estimator):
    space = spaces.suggest(estimator)
    return space if isinstance(space, list) else [space]


def lacking(space, values):
    """Return the hyperparameters of the nearest dict that cannot have their present value."""
    present = PresentCandidate.of(Space(space), values)
    assert present is not None
    return set(present.params) - present.names


@pytest.mark.parametrize("name", known_of("sklearn"))
def test_the_defaults_are_in_the_space(name):
    estimator = default_of(name)
    assert not lacking(spaces.suggest(estimator), estimator.get_params())


@pytest.mark.parametrize("name", known_of("sklearn"))
def test_no_fit_fails_on_150_rows(name):
    """Four fifths of the rows for the fit, as in five folds."""
    estimator, X, y = problem_of(name)
    search = RandomizedSearchCV(
        estimator,
        spaces.suggest(estimator),
        n_iter=15,
        cv=ShuffleSplit(1, test_size=0.2, random_state=0),
        error_score="raise",
        refit=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("lightgbm", "LGBMClassifier"),
        ("lightgbm", "LGBMRegressor"),
        ("xgboost", "XGBClassifier"),
        ("xgboost", "XGBRegressor"),
        ("xgboost", "XGBRFClassifier"),
        ("catboost", "CatBoostClassifier"),
    ],
)
def test_boosters_of_other_packages(module, name):
    estimator = getattr(pytest.importorskip(module), name)(**QUIET[module])
    space = spaces.suggest(estimator)
    if name != "XGBRFClassifier":
        hidden = HIDDEN_DEFAULTS.get(module, {})
        assert not lacking(space, {**estimator.get_params(), **hidden})
    X, y = rows_of("diabetes" if "Regressor" in name else "cancer")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for params in ParameterSampler(space, 5, random_state=0):
            clone(estimator).set_params(**params).fit(X[:120], y[:120]).predict(X[120:])


def test_classes_of_other_packages_are_known_by_their_names():
    CatBoostClassifier = type(
        "CatBoostClassifier",
        (DecisionTreeClassifier,),
        {"__init__": lambda self, depth=6, learning_rate=None, l2_leaf_reg=None: None},
    )
    CatBoostClassifier.__module__ = "catboost.core"
    CatBoostClassifier.get_params = lambda self, deep=True: {}
    assert set(spaces.suggest(CatBoostClassifier())) == {"depth", "learning_rate", "l2_leaf_reg"}
    CatBoostClassifier.__module__ = "my_package"
    with pytest.raises(ValueError, match="no ready ranges for CatBoostClassifier"):
        spaces.suggest(CatBoostClassifier())


def test_derived_classes_are_known():
    class MyNeighbors(KNeighborsClassifier):
        pass

    assert list(spaces.suggest(MyNeighbors())) == list(spaces.suggest(KNeighborsClassifier()))


def test_each_class_has_a_reason_for_each_range():
    for entry in ENTRIES:
        for ranges in entry.alternatives:
            assert all(reason.strip().endswith(".") for _, reason in ranges.values()), entry.classes


def test_a_pipeline_has_the_names_of_its_steps():
    pipeline = Pipeline(
        [("scale", StandardScaler()), ("reduce", PCA()), ("off", "passthrough"), ("svm", SVC())]
    )
    branches = dicts(pipeline)
    assert len(branches) == 2
    for branch in branches:
        assert {name.partition("__")[0] for name in branch} == {"reduce", "svm"}
    assert not lacking(branches, pipeline.get_params())


def test_parts_of_parts():
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    strings = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    columns = ColumnTransformer([("n", numbers, [0]), ("s", strings, [1]), ("x", "drop", [2])])
    pipeline = Pipeline([("columns", columns), ("model", DecisionTreeClassifier())])
    names = list(spaces.suggest(pipeline))
    assert "columns__n__simpleimputer__strategy" in names
    assert "columns__s__onehotencoder__min_frequency" in names
    assert "model__max_depth" in names
    # its features may be strings
    assert "columns__s__simpleimputer__strategy" not in names
    assert set(names) <= set(pipeline.get_params())


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (FeatureUnion([("k", SelectKBest()), ("pca", PCA())]), "pca__whiten"),
        (BaggingClassifier(KNeighborsClassifier()), "estimator__n_neighbors"),
        (CalibratedClassifierCV(DecisionTreeClassifier()), "estimator__max_depth"),
        (OneVsRestClassifier(KNeighborsClassifier()), "estimator__weights"),
        (TransformedTargetRegressor(Ridge()), "regressor__alpha"),
        (VotingClassifier([("knn", KNeighborsClassifier())]), "knn__p"),
    ],
)
def test_meta_estimators_have_the_ranges_of_what_they_hold(estimator, name):
    space = spaces.suggest(estimator)
    assert name in space
    assert set(space) <= set(estimator.get_params())


def test_alternatives_of_two_parts_are_combined():
    assert len(dicts(VotingClassifier([("a", SVC()), ("b", LogisticRegression())]))) == 4


def test_what_cannot_be_set_is_left_out():
    bagging = BaggingClassifier(FrozenEstimator(KNeighborsClassifier()))
    assert not any("n_neighbors" in name for name in spaces.suggest(bagging))
    with pytest.raises(ValueError, match="GridSearchCV, which holds"):
        spaces.suggest(GridSearchCV(KNeighborsClassifier(), {"p": [1, 2]}))


def test_present_values_decide_where_others_would_fail():
    assert set(spaces.suggest(SVC(kernel="precomputed"))) == {"C", "class_weight"}
    assert set(spaces.suggest(SVC(kernel=lambda a, b: a @ b.T))) == {"C", "class_weight"}
    assert "p" not in spaces.suggest(KNeighborsClassifier(metric="cosine"))
    assert "hinge" not in spaces.suggest(SGDClassifier(loss="log_loss"))["loss"]


def test_each_call_returns_a_new_space():
    first = spaces.suggest(KNeighborsClassifier())
    first["p"].append(3)
    del first["weights"]
    assert spaces.suggest(KNeighborsClassifier())["p"] == [1, 2]
    assert "weights" in spaces.suggest(KNeighborsClassifier())


@pytest.mark.parametrize("estimator", [GaussianProcessClassifier(), LogisticRegressionCV()])
def test_unknown_estimators_are_refused_with_what_is_known(estimator):
    name = type(estimator).__name__
    with pytest.raises(ValueError, match=rf"{name}; known are AdaBoost.*, SVC, .*pipelines"):
        spaces.suggest(estimator)


def test_a_pipeline_of_unknown_steps_is_refused_with_their_names():
    pipeline = make_pipeline(StandardScaler(), GaussianProcessClassifier())
    with pytest.raises(ValueError, match="holds StandardScaler, GaussianProcessClassifier; known"):
        spaces.suggest(pipeline)


@pytest.mark.parametrize("value", [SVC, 3, None, {"C": [1]}])
def test_other_objects_are_refused(value):
    with pytest.raises(TypeError, match="takes an estimator object, got"):
        spaces.suggest(value)


def test_the_search_takes_the_space():
    X, y = rows_of("cancer")
    estimator = make_pipeline(StandardScaler(), SVC())
    search = PolicyGradientSearchCV(
        estimator,
        spaces.suggest(estimator),
        n_iter=15,
        cv=StratifiedKFold(3),
        error_score="raise",
        random_state=0,
    ).fit(X, y)
    # the estimator as it is comes first
    assert search.cv_results_["params"][0]["svc__gamma"] == "scale"
    assert search.best_score_ >= search.cv_results_["mean_test_score"][0]
