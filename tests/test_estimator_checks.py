import pytest
from scipy.stats import loguniform
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skpg import PolicyGradientSearchCV

# Two updates of the policy, to a list and to a distribution.
SETTINGS = {"n_iter": 4, "batch_size": 2, "cv": 2, "error_score": "raise", "random_state": 0}
SEARCHES = [
    PolicyGradientSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, **SETTINGS),
    PolicyGradientSearchCV(LogisticRegression(), {"C": loguniform(0.1, 10)}, **SETTINGS),
    PolicyGradientSearchCV(
        make_pipeline(PCA(), Ridge()), {"ridge__alpha": loguniform(0.1, 10)}, **SETTINGS
    ),
    PolicyGradientSearchCV(
        make_pipeline(PCA(), LogisticRegression()),
        {"logisticregression__C": [0.1, 1.0, 10.0]},
        **SETTINGS,
    ),
]


def expected_failed_checks(search):
    # as of scikit-learn's own searches
    return {
        "check_supervised_y_2d": "a column of targets is passed on without a warning",
        "check_requires_y_none": "the estimator inside says that it needs y",
    }


@pytest.mark.filterwarnings("default")  # checks fit degenerate data, of which estimators warn
@parametrize_with_checks(SEARCHES, expected_failed_checks=expected_failed_checks)
def test_scikit_learn_contract(estimator, check):
    check(estimator)
