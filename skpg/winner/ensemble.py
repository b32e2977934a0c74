"""Ensemble selection: which candidates to average, and how much of each."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpg.space.types import FloatArray

# From averaged predictions to a score; higher is better.
Score = Callable[[Any], float]


@dataclass(frozen=True)
class Ensemble:
    """How an ensemble of candidates is selected.

    Greedy selection with replacement [1]_: beginning with the best candidate, the one that
    improves the score of the average most is added, `size` times; the best of the ensembles on
    the way counts. That is done for several bags, random halves of the candidates, and the
    weight of a candidate is how often it was added in all. Scores are those of predictions of
    rows that the models were not fitted to.

    Parameters
    ----------
    size : int, default=20
        Number of candidates that are added in each bag, at most; at least 1.

    bags : int, default=10
        Number of bags; at least 1. With one bag it holds all candidates.

    Raises
    ------
    TypeError, ValueError
        If one is no integer, or less than 1.

    See Also
    --------
    committee : Takes it as `ensemble`.

    References
    ----------
    .. [1] R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble Selection from
       Libraries of Models", ICML 2004. doi:10.1145/1015330.1015432

    Examples
    --------
    >>> from skpg import Ensemble
    >>> Ensemble(size=50)
    Ensemble(size=50, bags=10)
    """

    size: int = 20
    bags: int = 10

    def __post_init__(self) -> None:
        for name in ("size", "bags"):
            value = getattr(self, name)
            try:
                number = None if isinstance(value, bool) else operator.index(value)
            except TypeError:
                number = None
            if number is None:
                raise TypeError(f"{name} of an Ensemble must be an integer, got {value!r}.")
            if number < 1:
                raise ValueError(f"{name} of an Ensemble must be at least 1, got {value!r}.")


def ensemble_weights(
    predictions: NDArray[Any],
    score: Score,
    settings: Ensemble,
    rng: Any,
) -> FloatArray:
    """Return how much of each candidate an ensemble has.

    Parameters
    ----------
    predictions : ndarray of shape (n_candidates, n_rows) or (n_candidates, n_rows, n_classes)
        What each candidate says of rows that its models were not fitted to.
    score : callable
        From an average of predictions to its score; higher is better, nan is worst.
    settings : Ensemble
    rng : numpy Generator or RandomState

    Returns
    -------
    ndarray of shape (n_candidates,)
        Not negative, 1 in sum. Of candidates with identical predictions only the first has a
        weight.
    """
    library = first_of_identical(predictions)
    half = len(library) if settings.bags == 1 else (len(library) + 1) // 2
    weights = np.zeros(len(predictions))
    for _ in range(settings.bags):
        bag = np.sort(rng.choice(library, half, replace=False))
        chosen = select(predictions, bag, score, settings.size)
        weights += np.bincount(chosen, minlength=len(predictions)) / len(chosen)
    return weights / weights.sum()


def select(
    predictions: NDArray[Any], bag: Iterable[int], score: Score, size: int
) -> NDArray[np.intp]:
    """Return the members of the best ensemble on the greedy way, in turn.

    Parameters
    ----------
    predictions, score
        As of `ensemble_weights`.
    bag : iterable of int
        The candidates that may be chosen.
    size : int
        How many are added at most.

    Returns
    -------
    ndarray of int of shape (n_members,)
        A candidate may be in it several times.

    Examples
    --------
    >>> import numpy as np
    >>> y, predictions = np.zeros(2), np.array([[2.0, 0.0], [-3.0, 1.0], [9.0, 9.0]])
    >>> select(predictions, range(3), lambda p: -np.mean((p - y) ** 2), size=5)
    array([0, 1, 0, 1, 0])
    """
    bag = np.fromiter(bag, dtype=np.intp)
    total = np.zeros(predictions.shape[1:])
    chosen: list[int] = []
    scores: list[float] = []
    while len(chosen) < size:
        n = len(chosen) + 1
        options = [_never_nan(score((total + predictions[i]) / n)) for i in bag]
        best = int(np.argmax(options))
        chosen.append(int(bag[best]))
        scores.append(options[best])
        total += predictions[bag[best]]
    return np.array(chosen[: int(np.argmax(scores)) + 1])


def first_of_identical(predictions: NDArray[Any]) -> NDArray[np.intp]:
    """Return the candidates whose predictions no earlier one has.

    Examples
    --------
    >>> import numpy as np
    >>> first_of_identical(np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 2.0]]))
    array([0, 1])
    """
    first: dict[bytes, int] = {}
    for i, array in enumerate(predictions):
        first.setdefault((array + 0.0).tobytes(), i)  # -0.0 is no other prediction than 0.0
    return np.array(list(first.values()), dtype=np.intp)


def _never_nan(score: float) -> float:
    return -np.inf if np.isnan(score) else float(score)
