"""scikit-learn's tests of all its estimators, but for those of `parametrize_with_checks`."""

import pytest

from .substitution import SEARCHES, all_estimators, borrow, load

common = load(
    "sklearn.tests.test_common",
    patches={"sklearn.utils._test_common.instance_generator.all_estimators": all_estimators},
)
BORROWED = borrow(common, keep=lambda value: isinstance(value, tuple(SEARCHES.values())))
BORROWED.pop("test_estimators", None)  # tests/search/test_estimator_checks.py
globals().update(BORROWED)

pytestmark = pytest.mark.filterwarnings("default")
