"""How to get the winner in code."""

from __future__ import annotations

import importlib
import inspect
import math
from typing import Any

import numpy as np

from skpg.reporting.facts import Facts
from skpg.space.scalars import to_native
from skpg.space.wording import in_one_line

# Characters of a value that a comment shows, and elements of an array that code has.
LONGEST_COMMENT, LARGEST_ARRAY = 100, 1000


class NotCodeError(ValueError):
    """A value cannot be written as an expression."""


def winner_code(facts: Facts) -> str:
    """Return Python code that makes the estimator with the best hyperparameters.

    Values that have no expression, such as an object of a class of one's own, stand in a comment.

    Parameters
    ----------
    facts : Facts
        With a best candidate.
    """
    best = facts.record.best
    assert best is not None
    imports: set[str] = set()
    entries, missing = [], []
    for name, value in facts.record.params[best].items():
        try:
            entries.append(f"    {name!r}: {expression(value, imports)},")
        except NotCodeError:
            missing.append(name)
            entries.append(f"    # {name!r}: {in_one_line(value, LONGEST_COMMENT)}")
    lines = ["best_params = {", *entries, "}", _model(facts.estimator, imports)]
    if missing:
        names = ", ".join(map(repr, missing))
        lines.insert(-1, f"# without an expression, see search.best_params_: {names}")
    if facts.is_refitted:
        lines += ["", "# or, fitted on all data, in the session of the search:"]
        lines += ["# model = search.best_estimator_"]
    return "\n".join([*sorted(imports), *[""] * bool(imports), *lines])


def _model(estimator: Any, imports: set[str]) -> str:
    needed: set[str] = set()
    try:
        if estimator is None:
            raise NotCodeError
        made = expression(estimator, needed)
    except NotCodeError:
        needed = {"from sklearn.base import clone"}
        made = "clone(estimator)"
    imports |= needed
    return f"model = {made}.set_params(**best_params)"


def expression(value: Any, imports: set[str]) -> str:
    """Return an expression for a value, and add the imports that it needs.

    Raises
    ------
    NotCodeError
        If there is none.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from skpg.reporting.winner import expression
    >>> imports = set()
    >>> expression({"model": (SVC(C=2.0), float("inf"))}, imports)
    "{'model': (SVC(C=2.0), float('inf'))}"
    >>> imports
    {'from sklearn.svm import SVC'}
    """
    value = to_native(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if value is None or type(value) in (bool, int, float, str, bytes):
        return repr(value)
    if type(value) in (list, tuple):
        inner = ", ".join(expression(v, imports) for v in value)
        comma = "," if type(value) is tuple and len(value) == 1 else ""
        return f"[{inner}]" if type(value) is list else f"({inner}{comma})"
    if type(value) is dict:
        pairs = (f"{expression(k, imports)}: {expression(v, imports)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        if value.size > LARGEST_ARRAY:
            raise NotCodeError
        imports.add("import numpy as np")
        return f"np.array({expression(value.tolist(), imports)}, dtype={value.dtype.str!r})"
    if hasattr(value, "get_params") and not isinstance(value, type):
        return _call(value, imports)
    return _imported(value, imports)


def _call(estimator: Any, imports: set[str]) -> str:
    """Return the call that makes an estimator, with the arguments that are not the defaults."""
    name, values = _imported(type(estimator), imports), estimator.get_params(deep=False)
    arguments = [
        f"{parameter.name}={expression(values[parameter.name], imports)}"
        for parameter in inspect.signature(type(estimator)).parameters.values()
        if parameter.name in values and not _same(values[parameter.name], parameter.default)
    ]
    return f"{name}({', '.join(arguments)})"


def _same(value: Any, default: Any) -> bool:
    """Whether an argument need not be written."""
    if type(value) is not type(default) or not isinstance(value, bool | int | float | str):
        return value is default
    return bool(value == default or (value != value and default != default))


def _imported(value: Any, imports: set[str]) -> str:
    """Return the name of a class or function, and add its import."""
    module, name = str(getattr(value, "__module__", "")), str(getattr(value, "__name__", ""))
    if isinstance(value, np.ufunc):
        module = "numpy"
    parts = module.split(".")
    private = next((i for i, part in enumerate(parts) if i and part.startswith("_")), len(parts))
    for place in (".".join(parts[:private]), module):
        if _attribute(place, name) is value:
            if place not in ("builtins", "__main__"):
                imports.add(f"from {place} import {name}")
            return name
    raise NotCodeError


def _attribute(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None
