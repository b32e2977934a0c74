"""What cannot be averaged is refused before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.multiclass import type_of_target

# The greatest float32 number.
COARSEST = np.finfo(np.float32).max
INSTEAD = "With a search use final='refit'."


def check_kind(estimator: Any, instead: str = INSTEAD) -> None:
    """Raise where the predictions of an estimator have no average.

    Parameters
    ----------
    estimator : estimator object
    instead : str
        What to do.

    Raises
    ------
    TypeError
        If it is neither a classifier nor a regressor.
    """
    if not (is_classifier(estimator) or is_regressor(estimator)):
        raise TypeError(
            "A committee averages the predictions of classifiers or of regressors; those of "
            "outlier detectors and clusterers, and what transformers return, have no average. "
            f"Got {estimator!r}. {instead}"
        )


def check_target(y: Any, instead: str = INSTEAD) -> None:
    """Raise where there is no target, or more than one.

    Parameters
    ----------
    y : array-like or None
    instead : str
        What to do.

    Raises
    ------
    ValueError
        If `y` is None, or has several outputs.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None.")
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator" or kind.endswith("multioutput"):
        raise ValueError(
            f"A committee averages predictions of one output, got y of kind {kind!r} and of shape "
            f"{np.shape(y)}. {instead}"
        )


def check_precision(y: Any, instead: str = INSTEAD) -> None:
    """Raise where float32 numbers, as which predictions are kept, do not tell targets apart.

    Parameters
    ----------
    y : array-like
        Numbers.
    instead : str
        What to do.

    Raises
    ------
    ValueError
        If they differ by too little of their size, or are too great.
    """
    targets = np.asarray(y, dtype=float)
    greatest = np.abs(targets).max()
    step = np.spacing(greatest.astype(np.float32)) if greatest < COARSEST else np.inf
    if targets.std() > 0 and step > 0.01 * targets.std():
        raise ValueError(
            f"Predictions are kept as float32, which is too coarse for targets of up to "
            f"{greatest:.3g} with a standard deviation of {targets.std():.3g}. Subtract a constant "
            f"from y, or change its unit. {instead}"
        )


def rows_of(fold: Any) -> NDArray[np.intp]:
    """Return the indices of the training or test rows of a fold, which may be a mask."""
    rows = np.asarray(fold)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def check_splits(splits: Sequence[tuple[Any, Any]], cv: Any) -> None:
    """Raise where the training rows of the folds do not take turns.

    Parameters
    ----------
    splits : sequence of (train, test)
        Indices of rows.
    cv : object
        What they come from, for the message.

    Raises
    ------
    ValueError
        If there are fewer than two folds, or if each model sees only the rows before those
        that it is tested on.
    """
    if not splits:
        raise ValueError(f"cv={cv!r} has no splits; an iterator can be used only once.")
    if len(splits) < 2:
        raise ValueError(
            f"A committee needs the models of at least two folds, got {len(splits)} from "
            f"cv={cv!r}. {INSTEAD}"
        )
    if all(np.max(rows_of(train)) < np.min(rows_of(test)) for train, test in splits):
        raise ValueError(
            f"cv={cv!r} is ordered in time: each model has seen only the rows before those that "
            "it is tested on, so that no committee of them has learned from the latest rows as a "
            f"refit has. {INSTEAD}"
        )
