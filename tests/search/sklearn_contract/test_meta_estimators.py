"""scikit-learn's tests of meta-estimators, and of how these route metadata."""

import pytest

from .substitution import SEARCHES, all_estimators, borrow, load

delegation = load(
    "sklearn.tests.test_metaestimators", patches={"sklearn.utils.all_estimators": all_estimators}
)
routing = load("sklearn.tests.test_metaestimators_metadata_routing")

globals().update(borrow(delegation))
globals().update(
    borrow(
        routing,
        keep=lambda row: isinstance(row, dict) and row["metaestimator"] in SEARCHES.values(),
    )
)

pytestmark = pytest.mark.filterwarnings("default")
