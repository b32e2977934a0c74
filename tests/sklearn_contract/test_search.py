from .substitution import *

M = load("sklearn.model_selection.tests.test_search")
pytestmark = pytest.mark.filterwarnings("default")
globals().update(
    {n: f for n, f in tests_of(M).items() if uses_a_search(f, ["_searchcv_callback_test_cases"])}
)
