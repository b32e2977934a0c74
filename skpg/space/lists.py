"""Lists of choices that say more than a plain list: probabilities, or an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from skpg.space.equality import distinct, same
from skpg.space.scalars import is_number


class Categorical(Sequence[Any]):
    """A list of choices without an order, and how likely each is at the start.

    A plain list of more than two numbers has their order by itself; in a `Categorical` numbers
    are names.

    Parameters
    ----------
    values : sequence or one-dimensional array
        The choices, of any objects. One that is listed twice has both probabilities.
    probabilities : array-like of shape (n_values,), default=None
        The probability of each value at the start: not negative, and 1 in sum. A value of
        probability 0 is never drawn. None: all values are equally likely.

    Raises
    ------
    TypeError, ValueError
        If `values` is not such a list, or `probabilities` are not probabilities of its values.

    Notes
    -----
    It is a sequence, so that `GridSearchCV` takes it for the list of its values, and has the
    method ``rvs``, with which `RandomizedSearchCV` draws with these probabilities.

    Examples
    --------
    >>> from skpg import Categorical, PolicyGradientOptimizer
    >>> weights = Categorical([None, "balanced"], probabilities=[0.2, 0.8])
    >>> PolicyGradientOptimizer({"class_weight": weights}).policy
    Policy(entropy=0.50 nats)
      class_weight  'balanced' 80 %, None 20 %
    """

    def __init__(self, values: Sequence[Any], probabilities: Sequence[float] | None = None):
        self.values = tuple(as_list(values, "the values of a Categorical"))
        self.probabilities = (
            None if probabilities is None else _as_probabilities(probabilities, len(self.values))
        )

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __repr__(self) -> str:
        more = "" if self.probabilities is None else f", probabilities={list(self.probabilities)}"
        return f"Categorical({list(self.values)!r}{more})"

    def rvs(self, random_state: Any = None) -> Any:
        """Return a value that is drawn with the probabilities.

        Parameters
        ----------
        random_state : int, numpy Generator, RandomState or None, default=None
            None draws another value each time; numpy's global state is never used.

        Returns
        -------
        object
            One of the very values.
        """
        n = len(self.values)
        return self.values[int(generator_of(random_state).choice(n, p=self.probabilities))]


class Ordinal(Sequence[Any]):
    """A list of choices in an order, such as ``["none", "low", "high"]``.

    The search takes neighbours for similar: a good score of one makes those beside it more
    promising.

    Parameters
    ----------
    values : sequence or one-dimensional array
        At least two choices, of any objects, all different, from one end to the other.

    Raises
    ------
    TypeError, ValueError
        If `values` is not such a list.

    Notes
    -----
    It is a sequence, so that `GridSearchCV` and `RandomizedSearchCV` take it for a plain list.

    Examples
    --------
    >>> from skpg import Ordinal, PolicyGradientOptimizer
    >>> sizes = Ordinal([(16,), (64,), (64, 64)])
    >>> PolicyGradientOptimizer({"hidden_layer_sizes": sizes}).space.size
    3.0
    """

    def __init__(self, values: Sequence[Any]):
        self.values = tuple(as_list(values, "the values of an Ordinal"))
        if len(self.values) == 1:
            raise ValueError(f"an Ordinal must have at least two values, got {self!r}.")
        # of plain values `distinct` tells which are the same; others, such as arrays, are few
        unique, _ = distinct(list(self.values))
        others = [value for value in unique if not isinstance(value, str) and not is_number(value)]
        if len(unique) < len(self.values) or any(same(a, b) for a, b in combinations(others, 2)):
            raise ValueError(f"the values of an Ordinal must be different, got {self!r}.")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __repr__(self) -> str:
        return f"Ordinal({list(self.values)!r})"


def as_list(values: Any, what: str) -> list[Any]:
    """Return the choices of a sequence or array as a list.

    Parameters
    ----------
    values : object
    what : str
        What messages call it.

    Raises
    ------
    TypeError, ValueError
        If it is not a sequence, or an array of several dimensions, or empty.
    """
    if not is_sequence(values):
        raise TypeError(
            f"{what} must be a list of choices, got {values!r} of type {type(values).__name__}."
        )
    if getattr(values, "ndim", 1) != 1:
        raise ValueError(f"{what} must be one-dimensional, got an array of shape {values.shape}.")
    # tolist turns numpy's scalars into native numbers; objects stay what they are
    listed = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if not listed:
        raise ValueError(f"{what} must have at least one choice, got none.")
    return listed


def is_sequence(value: object) -> bool:
    """Whether a value is a list of choices: it has a length, items and iteration."""
    return (
        hasattr(value, "__len__")
        and hasattr(value, "__getitem__")
        and hasattr(value, "__iter__")
        and not isinstance(value, str | bytes | Mapping | type)
    )


def generator_of(random_state: Any) -> Any:
    """Return the generator of a `random_state`, which is never numpy's global one."""
    if isinstance(random_state, np.random.RandomState):
        return random_state
    return np.random.default_rng(random_state)


def _as_probabilities(probabilities: Any, n: int) -> tuple[float, ...]:
    """Return probabilities that sum to 1 exactly, after the checks of them."""
    what = "the probabilities of a Categorical"
    try:
        array = np.array(probabilities, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what} must be numbers, got {probabilities!r}.") from error
    if array.shape != (n,):
        raise ValueError(
            f"{what} must be one for each of its {n} values, got {probabilities!r} "
            f"of shape {array.shape}."
        )
    if not (array >= 0).all() or not np.isclose(array.sum(), 1.0):
        raise ValueError(
            f"{what} must not be negative and must sum to 1, got {probabilities!r} "
            f"with the sum {array.sum()}."
        )
    return tuple((array / array.sum()).tolist())
