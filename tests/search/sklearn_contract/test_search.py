"""scikit-learn's tests of GridSearchCV and RandomizedSearchCV."""

from functools import partial

import pytest
import sklearn
from sklearn import model_selection
from sklearn.utils.fixes import parse_version

from skpg import PolicyGradientSearchCV

from .substitution import (
    GridSearch,
    OrderedGridSearch,
    OrderedSearch,
    borrow,
    expect_failures,
    load,
)

NEWEST = parse_version(sklearn.__version__) >= parse_version("1.9")
MODULE = "sklearn.model_selection.tests.test_search"

# Tests of other things than searches.
LEFT_OUT = {
    "test_validate_parameter_input": "of ParameterGrid and ParameterSampler",
    "test_parameter_grid": "of ParameterGrid",
    "test_param_sampler": "of ParameterSampler",
    "test_parameters_sampler_replacement": "of ParameterSampler",
    "test__custom_fit_no_run_search": "of subclasses of BaseSearchCV without a _run_search",
    "test_yield_masked_array_for_each_param": "of a private function",
    "test_yield_masked_array_no_runtime_warning": "of a private function",
}

# Tests that cannot pass. They run all the same, and must fail with this error.
FAILING = {
    "test_grid_search_bad_param_grid": (AssertionError, "wants the messages of ParameterGrid"),
    "test_grid_search_classifier_all_fits_fail": (
        AssertionError,
        "lists one value three times, and wants three times the fits",
    ),
    "test_callable_multimetric_clf_all_fits_fail": (
        AssertionError,
        "lists one value three times, and wants three times the fits",
    ),
    "test_grid_search_cv_splits_consistency": (
        IndexError,
        "lists values twice, and wants each evaluated twice",
    ),
    "test_custom_run_search": (
        AssertionError,
        "compares with a bare BaseSearchCV, whose cv_results_ has no column `iter`",
    ),
    "test_search_with_2d_array": (AssertionError, "wants the draws of ParameterSampler"),
    "test_predict_proba_disabled": (ValueError, "searches a space without hyperparameters"),
}
if not NEWEST:
    FAILING["test_random_search_bad_cv"] = (AssertionError, "wants a message of before 1.9")

# Tests that rely on the order in which a grid, or a list that is drawn to its end, is evaluated:
# they look at candidates by index, or at which of two equal ones is the first.
ORDERED = {
    "test_callable_multimetric_error_failing_clf",
    "test_grid_search",
    "test_grid_search_correct_score_results",
    "test_grid_search_cv_results_multimetric",
    "test_grid_search_failing_classifier",
    "test_grid_search_pipeline_steps",
    "test_grid_search_when_param_grid_includes_range",
    "test_refit_callable",
    "test_refit_callable_multi_metric",
    "test_search_cv_results_none_param",
    "test_search_cv_results_rank_tie_breaking",
    "test_search_cv_timing",
    "test_search_default_iid",
}

drawn = load(MODULE)
in_order = load(MODULE, grid_search=OrderedGridSearch, random_search=OrderedSearch)
for module in (drawn, in_order):
    # our results have one column more
    module.check_cv_results_keys = partial(module.check_cv_results_keys, extra_keys=("iter",))

ALL = borrow(drawn)
BORROWED = {**ALL, **{n: t for n, t in borrow(in_order).items() if n in ORDERED}}
BORROWED = {name: test for name, test in BORROWED.items() if name not in LEFT_OUT}
expect_failures(BORROWED, FAILING)
globals().update(BORROWED)

pytestmark = pytest.mark.filterwarnings("default")


def test_that_our_classes_are_in_place_there_and_only_there():
    assert drawn.GridSearchCV is GridSearch
    assert drawn.RandomizedSearchCV is PolicyGradientSearchCV
    assert "skpg" not in model_selection.GridSearchCV.__module__
    assert "skpg" not in model_selection.RandomizedSearchCV.__module__


@pytest.mark.skipif(not NEWEST, reason="not all tests exist in older versions")
def test_that_every_exception_is_of_a_test_that_exists():
    assert {*LEFT_OUT, *FAILING, *ORDERED} <= ALL.keys()
