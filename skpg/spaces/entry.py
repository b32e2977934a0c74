"""What is written down for a class of estimators, and the kinds of ranges in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# A list of choices or a frozen distribution of scipy, and why it is this one.
Range = tuple[Any, str]
Ranges = Mapping[str, Range]

# 1, 1.5, 2, 3, 5 and 7 times the powers of ten, as integers
_SERIES = sorted({m * 10**k // 10 for k in range(4) for m in (10, 15, 20, 30, 50, 70)})


@dataclass(frozen=True)
class Entry:
    """The ready ranges of some classes.

    Attributes
    ----------
    classes : str
        Their names, separated by blanks.
    alternatives : sequence of dicts
        Ranges and reasons by the name of the hyperparameter; more than one dict where not all
        hyperparameters go with each other. Reasons are reStructuredText.
    package : str
        The package that has the classes.
    when : dict of str to tuple
        Present values under which the entry holds, for some parameters of the estimator.
    """

    classes: str
    alternatives: Sequence[Ranges]
    package: str = "sklearn"
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The hyperparameters of all alternatives."""
        return frozenset(name for ranges in self.alternatives for name in ranges)

    def holds_for(self, params: Mapping[str, Any]) -> bool:
        """Whether present values are those that the entry is for."""
        present = {name: params.get(name) for name in self.when}
        return all(
            (value is None or isinstance(value, str | bool)) and value in self.when[name]
            for name, value in present.items()
        )


def log_integers(low: int, high: int, default: int) -> list[int]:
    """Return integers at about equal ratios, `default` among them.

    All integers on a logarithmic scale are made here, for scipy has no distribution of them.

    Examples
    --------
    >>> log_integers(1, 50, 5)
    [1, 2, 3, 5, 7, 10, 15, 20, 30, 50]
    >>> log_integers(3, 150, 31)
    [3, 5, 7, 10, 15, 20, 31, 50, 70, 100, 150]
    """
    others = (v for v in _SERIES if low <= v <= high and abs(v / default - 1) > 0.1)
    return sorted([*others, default])


def zero_and_log(low_exponent: int, high_exponent: int) -> list[float]:
    """Return 0 and powers of ten, for a penalty that may be absent.

    Examples
    --------
    >>> zero_and_log(-2, 1)
    [0.0, 0.01, 0.1, 1.0, 10.0]
    """
    return [0.0, *(float(f"1e{k}") for k in range(low_exponent, high_exponent + 1))]
