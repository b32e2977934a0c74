"""Import scikit-learn's test modules with our searches in the place of its own."""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import ModuleType
from typing import Any, ClassVar
from unittest import mock

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, ParameterGrid, RandomizedSearchCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils._test_common.instance_generator import INIT_PARAMS

from skpg import PolicyGradientSearchCV


class GridSearch(PolicyGradientSearchCV):
    """A policy that draws until the grid is exhausted, behind the signature of GridSearchCV."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list],
    }

    batch_size = 2  # the grids of tests are small, and should still take several updates
    learner = None
    initial_params = None
    warm_start_from = None
    constraint = None
    random_state = 0
    racing = False
    racing_bound = None
    evaluation = "batch"
    timeout = None
    target_score = None
    patience = None
    candidate_timeout = None
    callbacks = None
    storage = None
    study_name = None
    final = "refit"
    baseline = False
    confirm = None
    confirm_cv = None
    keep = None

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
    ):
        self.param_grid = param_grid
        # past PolicyGradientSearchCV, whose other parameters are class attributes here
        BaseSearchCV.__init__(
            self,
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )

    @property
    def param_distributions(self):
        return self.param_grid

    @property
    def n_iter(self):
        return len(ParameterGrid(self.param_grid))


class OrderedGridSearch(GridSearch):
    """The same in the order of the grid."""

    @property
    def initial_params(self):
        return list(ParameterGrid(self.param_grid))


class OrderedSearch(PolicyGradientSearchCV):
    """Candidates in the order of lists, as of RandomizedSearchCV where it draws all of them."""

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        self.initial_params = list(ParameterGrid(self.param_distributions))
        super()._run_search(evaluate_candidates, callback_ctx=callback_ctx)


SEARCHES = {"GridSearch": GridSearch, "PolicyGradientSearchCV": PolicyGradientSearchCV}

# how scikit-learn's common tests make instances of a class
INIT_PARAMS[GridSearch] = INIT_PARAMS[GridSearchCV]
INIT_PARAMS[PolicyGradientSearchCV] = INIT_PARAMS[RandomizedSearchCV]


def all_estimators(type_filter: str | None = None) -> list[tuple[str, type]]:
    """Stand in for `sklearn.utils.all_estimators`, where ours are all there are."""
    return [] if type_filter else list(SEARCHES.items())


def load(
    name: str,
    *,
    grid_search: type = GridSearch,
    random_search: type = PolicyGradientSearchCV,
    patches: Mapping[str, Any] | None = None,
) -> ModuleType:
    """Import a test module of scikit-learn under another name, with our searches in it.

    Parameters
    ----------
    name : str
        The module.
    grid_search, random_search : class
        What the module finds as GridSearchCV and RandomizedSearchCV.
    patches : dict, default=None
        Other objects to replace during the import, by their dotted names.
    """
    alias = f"borrowed_{grid_search.__name__}_{name.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(alias, importlib.util.find_spec(name).origin)
    module = importlib.util.module_from_spec(spec)
    targets = {
        f"{package}.{search}": ours
        for package in ("sklearn.model_selection", "sklearn.model_selection._search")
        for search, ours in (("GridSearchCV", grid_search), ("RandomizedSearchCV", random_search))
    }
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # ours are errors, of which an import may not die
        for target, ours in {**targets, **(patches or {})}.items():
            stack.enter_context(mock.patch(target, ours))
        sys.modules[alias] = module  # pickles refer to it
        spec.loader.exec_module(module)
        for test in _tests(module).values():
            # now, as generators of parameters may look up what is replaced
            test.pytestmark = [_with_list(mark) for mark in getattr(test, "pytestmark", [])]
    return module


def borrow(
    module: ModuleType, *, keep: Callable[[Any], bool] | None = None
) -> dict[str, Callable[..., None]]:
    """Return the tests that a loaded module defines, by name.

    Parameters
    ----------
    module : module
    keep : callable, default=None
        Given the value of a parametrised argument, returns whether to run the test with it.
        Tests that have no such value are left out.
    """
    tests = _tests(module)
    if keep is None:
        return tests
    for test in tests.values():
        test.pytestmark = [_filtered(mark, keep) for mark in test.pytestmark]
    kept = {name: test for name, test in tests.items() if any(map(_has_values, test.pytestmark))}
    if not kept:
        raise LookupError(f"{module.__name__} has no test of our classes.")
    return kept


def _tests(module: ModuleType) -> dict[str, Callable[..., None]]:
    return {
        name: test
        for name, test in vars(module).items()
        if name.startswith("test_") and getattr(test, "__module__", "") == module.__name__
    }


def _with_list(mark: pytest.Mark) -> pytest.Mark:
    if mark.name != "parametrize":
        return mark
    names, values = mark.args
    return pytest.mark.parametrize(names, list(values), **mark.kwargs).mark


def _filtered(mark: pytest.Mark, keep: Callable[[Any], bool]) -> pytest.Mark:
    if mark.name != "parametrize":
        return mark
    names, values = mark.args
    kept = [keep(value) for value in values]
    keywords = dict(mark.kwargs)
    if isinstance(keywords.get("ids"), list):
        keywords["ids"] = list(itertools.compress(keywords["ids"], kept))
    return pytest.mark.parametrize(names, list(itertools.compress(values, kept)), **keywords).mark


def _has_values(mark: pytest.Mark) -> bool:
    return mark.name == "parametrize" and len(mark.args[1]) > 0


def uses_a_search(test: Callable[..., None]) -> bool:
    """Return whether the source of a test names one of the searches."""
    return re.search(r"\b(GridSearchCV|RandomizedSearchCV)\b", inspect.getsource(test)) is not None


def expect_failures(
    tests: Mapping[str, Callable[..., None]], reasons: Mapping[str, tuple[type[Exception], str]]
) -> None:
    """Mark the tests that cannot pass: they are run, and complain when they do pass."""
    for name in reasons.keys() & tests.keys():
        error, reason = reasons[name]
        tests[name].pytestmark.append(
            pytest.mark.xfail(raises=error, reason=reason, strict=True).mark
        )
