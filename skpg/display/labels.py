"""Names and values in few characters, all different."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skpg.space.scalars import is_number

LONGEST_NAME, LONGEST_VALUE = 26, 20


def short_names(names: Sequence[str], longest: int = LONGEST_NAME) -> list[str]:
    """Return names that end as the given ones do, all different.

    Examples
    --------
    >>> from skpg.display.labels import short_names
    >>> short_names(["C", "columns__numeric__impute__strategy_of_columns"])
    ['C', '…strategy_of_columns']
    """
    return _different([_end(name, longest) for name in names], names)


def value_labels(values: Sequence[Any], longest: int = LONGEST_VALUE) -> list[str]:
    """Return values as texts, all different.

    Strings stand without quotes, where no other value has the same text, numbers with four
    digits, estimators and functions by their names, estimators of one class with the parameters
    in which they differ.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from skpg.display.labels import value_labels
    >>> value_labels([None, "rbf", 0.1 + 0.2, PCA(5), (128, 64)])
    ['None', 'rbf', '0.3', 'PCA', '(128, 64)']
    >>> value_labels(["None", None, PCA(5), PCA(10)])
    ["'None'", 'None', 'PCA(5)', 'PCA(10)']
    """
    brief = [_brief(value) for value in values]
    full = [_full(value, values) for value in values]
    texts = [f if brief.count(b) > 1 else b for b, f in zip(brief, full, strict=True)]
    # a little more room for what the whole text tells apart
    widest = longest if len({_start(t, longest) for t in texts}) == len(texts) else longest + 8
    return _different([_start(text, widest) for text in texts], texts)


def _brief(value: Any) -> str:
    if isinstance(value, str):
        return value or "''"
    if is_number(value):
        return f"{float(value):.4g}" if abs(value) < 1e300 else repr(value)
    if hasattr(value, "get_params") and not isinstance(value, type):
        return type(value).__name__
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    return " ".join(repr(value).split())


def _full(value: Any, values: Sequence[Any]) -> str:
    """Return a value as it is printed, an estimator with what tells it from its kind."""
    kind = [v for v in values if type(v) is type(value)]
    if not hasattr(value, "get_params") or isinstance(value, type):
        return " ".join(repr(value).split())
    params = [v.get_params(deep=False) for v in kind]
    own = value.get_params(deep=False)
    different = [k for k in own if len({repr(p[k]) for p in params}) > 1]
    shown = [repr(own[k]) if len(different) == 1 else f"{k}={own[k]!r}" for k in different]
    return " ".join(f"{type(value).__name__}({', '.join(shown)})".split())


def _start(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _end(name: str, longest: int) -> str:
    """Return the last parts of a name, whole ones where they are not too long."""
    if len(name) <= longest:
        return name
    parts = name.split("__")
    for first in range(1, len(parts)):
        rest = "__".join(parts[first:])
        if len(rest) <= longest:
            return "…" + rest
    return "…" + name[-longest:]


def _different(short: list[str], full: Sequence[str]) -> list[str]:
    """Return short texts, with numbers where different ones look the same."""
    counts: dict[str, int] = {}
    texts = []
    for text in short:
        counts[text] = counts.get(text, 0) + 1
        texts.append(text if short.count(text) == 1 else f"{text} #{counts[text]}")
    return texts
