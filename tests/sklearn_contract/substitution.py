"""Import scikit-learn's test modules with our searches in the place of its own."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from types import ModuleType
from typing import Any, ClassVar
from unittest import mock

import numpy as np
import pytest
from sklearn.model_selection import ParameterGrid
from sklearn.model_selection._search import BaseSearchCV

from skpg import PolicyGradientSearchCV


class GridSearch(PolicyGradientSearchCV):
    """A policy that draws until the grid is exhausted, behind the signature of GridSearchCV."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list],
    }

    batch_size = 2  # grids of tests are small, and should still take several updates
    learner = None
    initial_params = None
    random_state = 0

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
    """The same in the order of the grid, for tests that rely on it."""

    @property
    def initial_params(self):
        return list(ParameterGrid(self.param_grid))


class OrderedSearch(PolicyGradientSearchCV):
    """Random search in the order of lists, as RandomizedSearchCV does when it draws all."""

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        self.initial_params = list(ParameterGrid(self.param_distributions))
        super()._run_search(evaluate_candidates, callback_ctx=callback_ctx)


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
        The module. Where this scikit-learn has none of this name, the tests are skipped.
    grid_search, random_search : class
        What the module finds as GridSearchCV and RandomizedSearchCV.
    patches : dict, default=None
        Other objects to replace during the import, by their dotted names.
    """
    try:
        origin = importlib.util.find_spec(name).origin
    except (ImportError, AttributeError):
        pytest.skip(f"this scikit-learn has no {name}", allow_module_level=True)
    alias = f"borrowed_{grid_search.__name__}_{name.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(alias, origin)
    module = importlib.util.module_from_spec(spec)
    with ExitStack() as stack:
        for package in ("sklearn.model_selection", "sklearn.model_selection._search"):
            stack.enter_context(mock.patch(f"{package}.GridSearchCV", grid_search))
            stack.enter_context(mock.patch(f"{package}.RandomizedSearchCV", random_search))
        for target, replacement in (patches or {}).items():
            stack.enter_context(mock.patch(target, replacement))
        sys.modules[alias] = module
        spec.loader.exec_module(module)
    return module


def tests_of(module: ModuleType) -> dict[str, Callable[..., None]]:
    """Return the test functions that a module defines, by name."""
    tests = {
        name: function
        for name, function in vars(module).items()
        if name.startswith("test") and getattr(function, "__module__", "") == module.__name__
    }
    for function in tests.values():
        # pytest warns of values that can be iterated only once
        function.pytestmark = [_with_list(mark) for mark in getattr(function, "pytestmark", [])]
    return tests


def _with_list(mark: pytest.Mark) -> pytest.Mark:
    if mark.name != "parametrize":
        return mark
    names, values = mark.args
    return pytest.mark.parametrize(names, list(values), **mark.kwargs).mark


def uses_a_search(function: Callable[..., None], helpers: Iterable[str] = ()) -> bool:
    """Return whether the source of a test names one of the searches, or a helper."""
    names = "|".join(["GridSearchCV", "RandomizedSearchCV", *helpers])
    return re.search(rf"\b({names})\b", inspect.getsource(function)) is not None
