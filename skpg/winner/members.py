"""The models of a committee: each was fitted to the training rows of one fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags

from skpg.evaluation.sklearn import fit_params_of_rows, rows_for
from skpg.space.types import FloatArray
from skpg.winner.votes import (
    Labels,
    align,
    spread,
    votes_of_decisions,
    votes_of_labels,
)

# In the order in which a classifier is asked.
SOFT = ("predict_proba", "decision_function")


@dataclass(frozen=True, eq=False)
class Member:
    """A fitted regressor.

    Attributes
    ----------
    model : estimator object
    columns : ndarray of int or None
        The columns of a precomputed matrix that belong to its training rows.
    response : 'predict'
        What it is asked.
    """

    model: Any
    columns: NDArray[np.intp] | None
    response = "predict"

    def answer(self, X: Any) -> FloatArray:
        """Return what is averaged, an array of shape (n_samples,)."""
        said = np.asarray(self.ask("predict", X), dtype=float)
        # a column where the target was one
        return said[:, 0] if said.ndim == 2 and said.shape[1] == 1 else said

    def ask(self, method: str, X: Any) -> Any:
        """Return what a method of the model says."""
        return getattr(self.model, method)(X if self.columns is None else X[:, self.columns])


@dataclass(frozen=True, eq=False)
class Voter(Member):
    """A fitted classifier.

    Attributes
    ----------
    model, columns
        As of a `Member`.
    classes : ndarray of shape (n_classes,)
        All classes, sorted; the model may not know some of them.
    known : ndarray
        Those that it knows.
    response : {'predict_proba', 'decision_function', 'predict'}
        What it votes by.
    scale : float
        The spread of its decisions on rows that it was not fitted to.
    """

    classes: Labels
    known: Labels
    response: str = "predict"
    scale: float = 1.0

    def answer(self, X: Any) -> FloatArray:
        """Return its votes, an array of shape (n_samples, n_classes)."""
        return self.votes(self.response, X)

    def votes(self, response: str, X: Any) -> FloatArray:
        """Return its votes by one of its methods."""
        said = self.ask(response, X)
        if response == "predict":
            return votes_of_labels(said, self.classes)
        if response == "decision_function":
            said = votes_of_decisions(np.asarray(said, dtype=float), self.scale)
        return align(said, self.known, self.classes)


def fit_member(
    estimator: Any,
    X: Any,
    y: NDArray[Any],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    classes: Labels | None,
    fit_params: Mapping[str, Any],
) -> tuple[Member, FloatArray]:
    """Fit an estimator to one fold.

    Parameters
    ----------
    estimator : estimator object
        Is fitted.
    X, y : array-like
        All rows.
    train, test : ndarray of int
        The fold.
    classes : ndarray or None
        None of a regressor.
    fit_params : dict
        What belongs to the rows of X is cut as they are.

    Returns
    -------
    member : Member
    answers : ndarray
        What it says of the test rows.

    Raises
    ------
    ValueError
        If it predicts several outputs.
    """
    X_train, y_train = rows_for(estimator, X, y, train)
    model = estimator.fit(X_train, y_train, **fit_params_of_rows(X, fit_params, train))
    return member_of(model, X, y, train, test, classes)


def member_of(
    model: Any,
    X: Any,
    y: NDArray[Any],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    classes: Labels | None,
) -> tuple[Member, FloatArray]:
    """Return a model that was fitted to one fold as a member, and what it says of new rows.

    Parameters
    ----------
    model : estimator object
        Fitted to the training rows.
    X, y, train, test, classes
        As of `fit_member`.

    Raises
    ------
    ValueError
        If it predicts several outputs.
    """
    X_test, _ = rows_for(model, X, y, test, train)
    columns = np.asarray(train) if get_tags(model).input_tags.pairwise else None
    # its columns are cut already
    if classes is None:
        answers = Member(model, None).answer(X_test)
        return Member(model, columns), _one_output(answers)
    known = np.asarray(getattr(model, "classes_", np.unique(np.asarray(y)[train])))
    response, scale = _response_of(Voter(model, None, classes, known), X_test)
    answers = Voter(model, None, classes, known, response, scale).answer(X_test)
    return Voter(model, columns, classes, known, response, scale), answers


def _response_of(voter: Voter, X: Any) -> tuple[str, float]:
    """Return what a classifier votes by, and the spread of its decisions on new rows.

    Its own labels count: where a threshold was set on probabilities, they would undo it.
    """
    for response in SOFT:
        if not hasattr(voter.model, response):
            continue
        said = np.asarray(voter.ask(response, X), dtype=float)
        scale = spread(said) if response == "decision_function" else 1.0
        if _n_columns(said) == len(voter.known) and _agree(voter, response, X):
            return response, scale
    return "predict", 1.0


def _n_columns(said: FloatArray) -> int:
    """Return for how many classes a response is; that of one against one is not for them."""
    return 2 if said.ndim == 1 else said.shape[1]


def _agree(voter: Voter, response: str, X: Any) -> bool:
    """Whether the labels of a classifier are those with the greatest votes.

    With more than two classes scikit-learn sets no thresholds, and ties may be decided either
    way.
    """
    if len(voter.known) != 2:
        return True
    votes = voter.votes(response, X)
    clear = np.abs(np.diff(np.sort(votes, axis=1)[:, -2:], axis=1)[:, 0]) > 1e-6
    labels = voter.classes[votes.argmax(axis=1)]
    return bool((labels == voter.ask("predict", X))[clear].all())


def _one_output(predictions: FloatArray) -> FloatArray:
    if predictions.ndim != 1:
        raise ValueError(
            "A committee averages predictions of one output, got predictions of shape "
            f"{predictions.shape}. With several outputs use final='refit'."
        )
    return predictions
