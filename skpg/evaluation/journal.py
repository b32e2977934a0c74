"""What is known of candidates beyond a run of their search, and kept for later runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skpg.evaluation.candidate import Candidate
from skpg.evaluation.outcome import Outcome


@dataclass(frozen=True)
class KnownCandidate:
    """What is known of a candidate from an earlier run.

    Attributes
    ----------
    outcomes : dict of int to Outcome
        By fold.
    statuses : dict of int to str
        By fold.
    closed : bool
        Whether its other folds are left out.
    """

    outcomes: Mapping[int, Outcome]
    statuses: Mapping[int, str]
    closed: bool = False


class Journal:
    """What is known from earlier runs of a search, and kept for later ones: here nothing.

    Attributes
    ----------
    seed : int
        What the search draws from.
    recognised_by : (Path, dict of str to str) or None
        The storage, and the digests by which the search is known again.
    asked : sequence of int
        For each recorded candidate how many were told when it was asked.
    settled : sequence of int
        The numbers of the candidates that were settled, in turn.
    """

    recognised_by: tuple[Path, Mapping[str, str]] | None = None
    asked: Sequence[int] = ()
    settled: Sequence[int] = ()

    def __init__(self, seed: int = 0):
        self.seed = seed

    def add(self, candidates: Sequence[Candidate], n_told: int) -> None:
        """Take note of new candidates."""

    def recorded(self, number: int) -> KnownCandidate | None:
        """Return what is known of a candidate."""
        return None

    def record(self, candidate: Candidate, folds: Iterable[int]) -> None:
        """Keep the outcomes and statuses of folds."""

    def settle(
        self, update: int, candidates: Sequence[Candidate], rewards: Sequence[float]
    ) -> None:
        """Keep what is decided about candidates, before update `update` learns from it."""

    def finish(self, stop_reason: str) -> None:
        """Keep why the search ended."""

    def beside(self, numbers: Sequence[int], folds: range) -> Journal:
        """Return the journal of fits beside the search.

        Parameters
        ----------
        numbers : sequence of int
            What the candidates are numbered here; -1 is the estimator as it was passed.
        folds : range
            What their folds are numbered; of the search they have the first numbers.
        """
        return Journal(self.seed)
