"""Values as people write them, for messages and everything else that is printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skpg.space.scalars import to_native

# Characters of a value of a candidate.
LONGEST_VALUE = 40


def describe(distribution: Any) -> str:
    """Return a distribution as it was written.

    A frozen one of `scipy.stats` has no such text of its own.

    Examples
    --------
    >>> from scipy.stats import loguniform, uniform
    >>> from skpg.space.wording import describe
    >>> describe(loguniform(1e-3, 1e3)), describe(uniform(0, scale=2))
    ('loguniform(0.001, 1000.0)', 'uniform(0, scale=2)')
    """
    own = type(distribution).__repr__ is not object.__repr__  # type: ignore[comparison-overlap]
    if own and not hasattr(distribution, "dist"):
        return repr(distribution)
    name = getattr(getattr(distribution, "dist", None), "name", type(distribution).__name__)
    arguments = [written(a) for a in getattr(distribution, "args", ())]
    arguments += [f"{k}={written(v)}" for k, v in getattr(distribution, "kwds", {}).items()]
    return f"{name}({', '.join(arguments)})"


def written(value: object) -> str:
    """Return a value as it was written: distributions and numbers of numpy as in the source.

    Also inside of lists, tuples and dicts. All else has its own text.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import randint
    >>> from skpg.space.wording import written
    >>> written({"n": randint(1, 9), "C": [np.float64(0.5), None]})
    "{'n': randint(1, 9), 'C': [0.5, None]}"
    """
    if hasattr(value, "dist") and hasattr(value, "args"):
        return describe(value)
    if type(value) is dict:
        return f"{{{', '.join(f'{written(k)}: {written(v)}' for k, v in value.items())}}}"
    if type(value) is list:
        return f"[{', '.join(map(written, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(written, value))}{',' * (len(value) == 1)})"
    return repr(to_native(value))


def in_one_line(value: object, longest: int) -> str:
    """Return what `written` returns, without line breaks, and cut where it is longer.

    Parameters
    ----------
    value : object
    longest : int
        Number of characters.
    """
    line = " ".join(written(value).split())
    return line if len(line) <= longest else line[: longest - 3] + "..."


def params_text(params: Mapping[str, Any]) -> str:
    """Return a candidate in one line, numbers with four digits.

    Examples
    --------
    >>> from skpg.space.wording import params_text
    >>> params_text({"C": 0.123456, "gamma": 1.0, "n": 100000, "kernel": "rbf"})
    "C=0.1235, gamma=1.0, n=100000, kernel='rbf'"
    """
    return ", ".join(f"{name}={value_text(value)}" for name, value in params.items())


def value_text(value: object, longest: int = LONGEST_VALUE) -> str:
    """Return a value in one line, a float with four digits."""
    if not isinstance(value, float):
        return in_one_line(value, longest)
    digits = f"{value:.4g}"
    return digits + ".0" * digits.lstrip("-").isdigit()
