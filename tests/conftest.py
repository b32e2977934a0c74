import signal

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

# Machines of the gate are slow and shared: no deadline; the same examples in each run.
settings.register_profile("gate", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("gate")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """The fits of tests are tiny: threads would only wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(autouse=True, scope="session")
def ctrl_c():
    """Let Ctrl-C arrive where the tests run in the background of a shell, which ignores it."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
