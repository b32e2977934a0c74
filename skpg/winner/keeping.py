"""What is kept of the models of the folds: what they said of rows that were new to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpg.evaluation.outcome import Kept, Outcome
from skpg.winner.members import Member, member_of
from skpg.winner.votes import Labels

Folds = Mapping[int, Outcome]


@dataclass(frozen=True, eq=False)
class Keeper:
    """Keeps what a model says of the test rows, as float32: half of the memory and disk.

    Attributes
    ----------
    classes : ndarray or None
        All classes, sorted; None of regressors.
    models : bool
        Whether to keep the model as well.
    """

    classes: Labels | None
    models: bool = False

    def __call__(self, model: Any, X: Any, y: Any, train: Any, test: Any) -> Kept:
        """Return what is kept of a model that was fitted to the training rows."""
        member, answers = member_of(model, X, y, train, test, self.classes)
        kept = np.asarray(answers, dtype=np.float32)
        return Kept(member.response, kept, member if self.models else None)


def kept_of(folds: Folds, n_folds: int) -> list[Kept] | None:
    """Return what is kept of all folds, in their order; None where something is missing."""
    found = [folds[fold].kept if fold in folds else None for fold in range(n_folds)]
    kept = [of_fold for of_fold in found if of_fold is not None]
    return kept if len(kept) == n_folds else None


def members_of(folds: Folds, n_folds: int) -> list[Member] | None:
    """Return the kept models of all folds, in their order; None where they are not all kept."""
    members = [fold.member for fold in kept_of(folds, n_folds) or [] if fold.member is not None]
    return members if len(members) == n_folds else None


def out_of_fold(
    candidates: Sequence[Folds], tests: Sequence[NDArray[np.intp]], n_rows: int
) -> NDArray[np.float32] | None:
    """Return what each candidate says of each row, by models that were not fitted to it.

    Parameters
    ----------
    candidates : sequence of dict
        The outcomes of each one, by fold.
    tests : sequence of ndarray of int
        The test rows of each fold.
    n_rows : int

    Returns
    -------
    ndarray of shape (n_candidates, n_rows) or (n_candidates, n_rows, n_classes), or None
        The mean where a row is in several test sets, nan where it is in none. Candidates of which
        a fold is missing have nan only. None where nothing is kept.
    """
    kept = [kept_of(folds, len(tests)) for folds in candidates]
    form = next((folds[0].answers for folds in kept if folds is not None), None)
    if form is None:
        return None
    answers = np.full((len(kept), n_rows, *form.shape[1:]), np.nan, dtype=np.float32)
    times = np.zeros(n_rows, dtype=np.float32)
    for test in tests:
        times[test] += 1
    seen = times > 0
    for row, folds in zip(answers, kept, strict=True):
        if folds is None:
            continue
        row[seen] = 0
        for test, fold in zip(tests, folds, strict=True):
            row[test] += fold.answers
        row[seen] /= times[seen].reshape(-1, *[1] * (row.ndim - 1))
    return answers
