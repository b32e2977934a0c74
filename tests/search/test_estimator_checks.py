import pytest
from sklearn.base import is_regressor
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from skpg import Ensemble, PolicyGradientSearchCV

# Lists only: a distribution shows its address, which the ids of tests must not depend on.
SETTINGS = {"n_iter": 2, "batch_size": 1, "cv": 2, "error_score": "raise", "random_state": 0}
FINALS = [
    PolicyGradientSearchCV(estimator, {name: [0.1, 1.0]}, **SETTINGS, final=final)
    for final in ("committee", Ensemble(size=2, bags=2))
    for estimator, name in [(Ridge(), "alpha"), (LogisticRegression(), "C")]
]
SEARCHES = [
    PolicyGradientSearchCV(estimator, {name: [0.1, 1.0]}, **SETTINGS)
    for estimator, name in [
        (Ridge(), "alpha"),
        (LogisticRegression(), "C"),
        (make_pipeline(PCA(), Ridge()), "ridge__alpha"),
        (make_pipeline(PCA(), LogisticRegression()), "logisticregression__C"),
    ]
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Keep BLAS from spinning on busy cores."""
    with threadpool_limits(1):
        yield


def expected_failed_checks(search):
    """Return what scikit-learn itself expects of its searches."""
    if is_regressor(search) and search.final == "refit":
        return {"check_supervised_y_2d": "the regressor inside takes a column of targets"}
    return {}


CHECKS = parametrize_with_checks(
    [*SEARCHES, *FINALS], expected_failed_checks=expected_failed_checks
).mark


@pytest.mark.filterwarnings("default")  # checks fit degenerate data, of which estimators warn
# listed, as scikit-learn 1.6 returns a generator, which pytest 9 refuses
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_scikit_learn_contract(estimator, check):
    check(estimator)
