import pytest
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from skpg import CommitteeClassifier, CommitteeRegressor

COMMITTEES = [
    CommitteeClassifier(LogisticRegression(), cv=3),
    CommitteeClassifier(RidgeClassifier(), cv=3),
    CommitteeClassifier(DecisionTreeClassifier(random_state=0), cv=3),
    CommitteeRegressor(Ridge(), cv=3),
    CommitteeRegressor(DecisionTreeRegressor(random_state=0), cv=3),
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Keep BLAS from spinning on busy cores."""
    with threadpool_limits(1):
        yield


CHECKS = parametrize_with_checks(COMMITTEES).mark


@pytest.mark.filterwarnings("default")  # checks fit degenerate data, of which estimators warn
# listed, as scikit-learn 1.6 returns a generator, which pytest 9 refuses
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_scikit_learn_contract(estimator, check):
    check(estimator)
