import pytest
from threadpoolctl import threadpool_limits

from skpg import PolicyGradientSearchCV


def pytest_configure(config):
    # marks of scikit-learn's own configuration
    for mark in ("thread_unsafe", "no_check_spmatrix"):
        config.addinivalue_line("markers", f"{mark}: used by scikit-learn's tests")


@pytest.fixture(autouse=True, scope="package")
def _one_thread():
    """Keep BLAS from spinning on busy cores, as scikit-learn's own conftest does."""
    with threadpool_limits(1):
        yield


@pytest.fixture(autouse=True)
def _ten_candidates(monkeypatch):
    """Lend our class the default of RandomizedSearchCV, for which the tests were written."""
    monkeypatch.setitem(PolicyGradientSearchCV.__init__.__kwdefaults__, "n_iter", 10)


@pytest.fixture
def global_random_seed():
    """Stand in for the fixture of scikit-learn's own conftest."""
    return 42
