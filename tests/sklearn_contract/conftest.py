import pytest


def pytest_configure(config):
    # marks of scikit-learn's own configuration
    for mark in ("thread_unsafe", "no_check_spmatrix"):
        config.addinivalue_line("markers", f"{mark}: used by scikit-learn's tests")


@pytest.fixture
def global_random_seed():
    """Stand in for the fixture of scikit-learn's own conftest."""
    return 42
