"""Tests of other parts of scikit-learn that work together with a search."""

import pytest

from .substitution import OrderedGridSearch, borrow, load, uses_a_search

MODULES = [
    "sklearn.decomposition.tests.test_kernel_pca",
    "sklearn.feature_extraction.tests.test_text",
    "sklearn.impute.tests.test_impute",
    "sklearn.metrics.tests.test_regression",
    "sklearn.metrics.tests.test_score_objects",
    "sklearn.model_selection.tests.test_split",
    "sklearn.neighbors.tests.test_kde",
    "sklearn.tests.test_base",
    "sklearn.tests.test_multiclass",
    "sklearn.tests.test_multioutput",
]


def borrowed():
    for name in MODULES:
        part = name.rpartition(".test_")[2]
        # in order: some look at which of two equal candidates is the first
        for test, function in borrow(load(name, grid_search=OrderedGridSearch)).items():
            if uses_a_search(function):
                yield f"test_{part}_{test.removeprefix('test_')}", function


globals().update(borrowed())

pytestmark = pytest.mark.filterwarnings("default")
