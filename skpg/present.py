"""The candidate that leaves the estimator as it is, as far as the space has its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skpg.completion import with_defaults
from skpg.evaluation.stopping import Progress
from skpg.space.dimensions import Choice, Dimension
from skpg.space.space import Space
from skpg.space.types import Params
from skpg.space.wording import written


@dataclass(frozen=True, eq=False)
class PresentCandidate:
    """A candidate with the present values of an estimator, and medians for the others.

    Attributes
    ----------
    space : Space
    params : dict
    names : frozenset of str
        The hyperparameters that have their present value, at least one.
    """

    space: Space
    params: Params
    names: frozenset[str]

    @classmethod
    def of(cls, space: Space, values: Mapping[str, Any]) -> PresentCandidate | None:
        """Return the candidate of the branch that has the most present values.

        Parameters
        ----------
        space : Space
        values : dict
            The parameters of an estimator.

        Returns
        -------
        PresentCandidate or None
            The first one of several; None where no branch has a present value.
        """
        found = [_in_branch(space, number, values) for number in range(space.branches)]
        best = max(found, key=lambda candidate: len(candidate.names))
        return best if best.names else None

    def __str__(self) -> str:
        """Return the present values, as a call of the estimator would have them."""
        shown = [
            f"{name}={written(self.params[name])}" for name in self.params if name in self.names
        ]
        others = "" if len(shown) == len(self.params) else "; others at their medians"
        return " ".join(", ".join(shown).split()) + others


class PresentReport:
    """A callback that notes what the present candidate scored, and says it.

    Parameters
    ----------
    candidate : PresentCandidate
    say : callable
        Receives the sentence.

    Attributes
    ----------
    sentence : str
        Empty before the candidate is evaluated.
    """

    def __init__(self, candidate: PresentCandidate, say: Callable[[str], None]):
        self.candidate = candidate
        self.say = say
        self.sentence = ""

    def __call__(self, progress: Progress) -> None:
        """Note the score if it is that of the present candidate."""
        candidate = self.candidate
        if self.sentence or candidate.space.key(progress.params) != candidate.space.key(
            candidate.params
        ):
            return
        score = f"{progress.score:.4f}" if progress.status == "complete" else progress.status
        self.sentence = f"The estimator as it is ({candidate}): {score}"
        self.say(self.sentence)


def _in_branch(space: Space, number: int, values: Mapping[str, Any]) -> PresentCandidate:
    """Return the candidate of one branch; without names where it is of no use."""
    dimensions = [(j, space.dimensions[j]) for j in space.columns[number]]
    row = with_defaults(space, number, np.full(len(space.dimensions), np.nan), values)
    names = {d.name for j, d in dimensions if not np.isnan(row[j])}
    fixed = {d.name for _, d in dimensions if isinstance(d, Choice) and d.size == 1}
    if space.branches > 1 and not fixed <= names:
        names = set()
    params = {
        d.name: d.values(np.array([row[j] if d.name in names else _median(d)]))[0]
        for j, d in dimensions
    }
    return PresentCandidate(space, params, frozenset(names))


def _median(dimension: Dimension) -> float:
    """Return the resolved number of the median; the most probable choice without order."""
    if not isinstance(dimension, Choice):
        return float(dimension.resolve(np.zeros(1))[0])
    return float(dimension.median if dimension.ordered else np.argmax(dimension.weights))
