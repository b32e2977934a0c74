"""A candidate under evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from skpg.evaluation.outcome import Outcome
from skpg.space.types import FloatArray, Params


@dataclass(eq=False)
class Candidate:
    """A candidate under evaluation.

    Attributes
    ----------
    number : int
        Position among all candidates, from 0.
    params : dict
    order : tuple of int
        The folds in the order in which they are run.
    outcomes : dict of int to Outcome
        What the fits returned, by fold.
    statuses : dict of int to str
        Of the same folds: ``"ok"``, ``"failed"``, ``"timeout"`` or ``"killed"``.
    scores : ndarray of shape (n_folds,)
        Scores of the folds; nan where a fold failed or was not run.
    running : set of int
        The folds in flight.
    closed : bool
        Whether its other folds are left out.
    losing : bool
        Whether it loses the race against the best of the candidates settled so far.
    replayed : bool
        Whether all that is known of it comes from an earlier run.
    position : int
        Place among the settled candidates, in the order in which they were settled; -1 before.
    """

    number: int
    params: Params
    order: tuple[int, ...]
    scores: FloatArray
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    statuses: dict[int, str] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    closed: bool = False
    losing: bool = False
    replayed: bool = False
    position: int = -1

    @property
    def finished(self) -> bool:
        """Whether it has the outcomes of all folds, or the others are left out."""
        return self.closed or len(self.outcomes) == len(self.order)

    @property
    def complete(self) -> bool:
        """Whether all folds have a score."""
        return bool(np.isfinite(self.scores).all())

    @property
    def failed(self) -> bool:
        """Whether a fold that was run has no score."""
        return not np.isfinite(self.scores[list(self.outcomes)]).all()

    @property
    def status(self) -> str:
        """``"complete"``, ``"failed"``, or ``"raced"`` where folds were left out."""
        return "complete" if self.complete else "failed" if self.failed else "raced"

    @property
    def score(self) -> float:
        """The mean over all folds; nan where one failed or was left out."""
        return float(self.scores.mean())

    @property
    def waiting(self) -> list[int]:
        """The folds that are still to be run, in their order."""
        if self.closed:
            return []
        return [f for f in self.order if f not in self.outcomes and f not in self.running]

    @property
    def leading(self) -> list[int]:
        """The folds from the first in their order up to the first without outcome."""
        missing = (n for n, fold in enumerate(self.order) if fold not in self.outcomes)
        return list(self.order[: next(missing, None)])

    @property
    def seconds(self) -> float:
        """Running time of the folds that have an outcome."""
        return self.seconds_of(self.outcomes)

    def seconds_before(self, fold: int) -> float:
        """Return the running time of the folds before one in order, as far as it is known."""
        before = self.order[: self.order.index(fold)]
        return self.seconds_of(f for f in before if f in self.outcomes)

    def seconds_of(self, folds: Iterable[int]) -> float:
        """Return the running time of folds; those that did not return have none."""
        return float(sum(self.outcomes[fold].seconds for fold in folds))

    @property
    def kept_bytes(self) -> int:
        """Memory of the predictions that are kept."""
        kept = [outcome.kept for outcome in self.outcomes.values()]
        return sum(of_fold.answers.nbytes for of_fold in kept if of_fold is not None)

    def forget(self, *, models_only: bool = False) -> None:
        """Let go of what is kept of the models of the folds, or of the models alone."""
        for fold, outcome in self.outcomes.items():
            if outcome.kept is not None:
                kept = replace(outcome.kept, member=None) if models_only else None
                self.outcomes[fold] = replace(outcome, kept=kept)

    def keep(self, folds: Iterable[int]) -> None:
        """Forget the outcomes of other folds, and leave them out."""
        self.outcomes = {fold: self.outcomes[fold] for fold in folds}
        self.statuses = {fold: self.statuses[fold] for fold in self.outcomes}
        left_out = [fold for fold in self.order if fold not in self.outcomes]
        self.scores[left_out] = np.nan
        self.closed = True
