import numpy as np
import pytest
from hypothesis import settings

# Machines of the gate are slow and shared: no deadline; the same examples in each run.
settings.register_profile("gate", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("gate")


@pytest.fixture
def rng():
    return np.random.default_rng(0)
