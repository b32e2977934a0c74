"""The best candidates again, on fresh splits of the same rows."""

from __future__ import annotations

import copy
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv

from skpg.evaluation.beside import FitsBeside
from skpg.evaluation.candidate import Candidate
from skpg.evaluation.journal import Journal
from skpg.evaluation.sklearn import RunningFit
from skpg.evaluation.wording import score_text
from skpg.winner.checks import rows_of

Splits = Sequence[tuple[Any, Any]]

# What the estimator as it was passed is numbered.
AS_PASSED = -1
# Reasons for which a search ends without a confirmation: no other fit is wanted.
WITHOUT = ("timeout", "interrupted", "callback")


@dataclass(frozen=True)
class Confirmation:
    """How many candidates are evaluated again, and how often.

    Attributes
    ----------
    n_candidates, n_repeats : int
        At least 1.
    cv : object
        As the `cv` of a search; None is that of the search.
    """

    n_candidates: int
    n_repeats: int
    cv: Any = None

    @classmethod
    def of(cls, confirm: Any, cv: Any) -> Confirmation | None:
        """Return what the arguments `confirm` and `confirm_cv` ask for.

        Raises
        ------
        ValueError, TypeError
            If that is no pair of positive integers, or `confirm_cv` has no use.
        """
        if confirm is None:
            if cv is not None:
                raise ValueError(f"confirm_cv={cv!r} needs confirm, got confirm=None.")
            return None
        wanted = "confirm must be None or a tuple of two integers: how many candidates, and splits"
        if not isinstance(confirm, (tuple, list)) or len(confirm) != 2:
            raise TypeError(f"{wanted}. Got {confirm!r}.")
        if not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in confirm):
            raise TypeError(f"{wanted}. Got {confirm!r}.")
        if min(confirm) < 1:
            raise ValueError(f"{wanted}, both at least 1. Got {confirm!r}.")
        return cls(int(confirm[0]), int(confirm[1]), cv)

    @property
    def n_evaluations(self) -> int:
        """Number of candidates that as many fits could evaluate."""
        return self.n_candidates * self.n_repeats

    def n_left(self, n_iter: int) -> int:
        """Return how many candidates the search has, so that it makes as many fits as without.

        Raises
        ------
        ValueError
            If these are fewer than are to be confirmed.
        """
        left = n_iter - self.n_evaluations
        if left < self.n_candidates:
            raise ValueError(
                f"confirm=({self.n_candidates}, {self.n_repeats}) takes the fits of "
                f"{self.n_evaluations} candidates out of n_iter={n_iter}, and leaves {left}, which "
                "are fewer than it is to choose from. Increase n_iter."
            )
        return left

    def splits(self, fit: RunningFit, seed: int) -> list[Splits]:
        """Return fresh splits, one sequence of folds for each repeat.

        Parameters
        ----------
        fit : RunningFit
        seed : int

        Raises
        ------
        ValueError
            If the splitter has no other splits than those of the search, or always the same.
        """
        splitter = fit.splitter
        if self.cv is not None:
            splitter = check_cv(self.cv, fit.y, classifier=is_classifier(fit.estimator))
        known = {_rows_of(fit.splits)}
        found: list[Splits] = []
        for repeat in range(self.n_repeats):
            random = np.random.SeedSequence([seed, repeat]).generate_state(1)[0]
            fresh = _reseeded(splitter, int(random))
            folds = list(fresh.split(fit.X, fit.y, **fit.split_params))
            if not folds or _rows_of(folds) in known:
                raise ValueError(self._without_fresh_splits(splitter))
            known.add(_rows_of(folds))
            found.append(folds)
        return found

    def _without_fresh_splits(self, splitter: Any) -> str:
        # an iterable of folds is long
        shown = reprlib.repr(splitter.cv) if hasattr(splitter, "cv") else repr(splitter)
        if self.cv is not None:
            return (
                f"confirm_cv={shown} does not have {self.n_repeats} different splits that are "
                "not those of the search; ask for fewer by confirm=(candidates, splits)."
            )
        return (
            f"confirm needs fresh splits, and cv={shown} has only those of the search. Pass "
            "other splits as confirm_cv, such as "
            "confirm_cv=ShuffleSplit(5, random_state=0)."
        )

    def run(
        self,
        beside: FitsBeside,
        journal: Journal,
        settled: Sequence[Candidate],
        fresh: Sequence[Splits],
        timeout: float | None,
        *,
        with_baseline: bool,
    ) -> Confirmed:
        """Evaluate the best candidates on fresh splits, one repeat after the other.

        Parameters
        ----------
        beside : FitsBeside
        journal : Journal
            Of the search.
        settled : sequence of Candidate
            Of the search.
        fresh : sequence of splits
        timeout : float or None
            Seconds after which no fit is started.
        with_baseline : bool
            Whether the estimator as it was passed is evaluated as well.

        Returns
        -------
        Confirmed
            Of the repeats that all of them have finished.
        """
        best = _distinct_best(settled, self.n_candidates)
        params = [c.params for c in best] + [{}] * with_baseline
        numbers = [c.number for c in best] + [AS_PASSED] * with_baseline
        first, repeats, n_fits, reason = len(beside.fit.splits), [], 0, None
        for splits in fresh if best else ():
            folds = range(first, first + len(splits))
            first = folds.stop
            if timeout == 0:
                reason = "timeout"
                break
            try:
                run = beside.run(
                    params,
                    journal.beside(numbers, folds),
                    what="the best candidates on fresh splits",
                    splits=splits,
                    timeout=timeout,
                )
            except KeyboardInterrupt:
                if beside.nested:
                    raise
                reason = "interrupted"
                break
            n_fits, timeout = n_fits + run.n_fits, run.seconds_left
            if len(run.settled) < len(params):
                reason = run.stop_reason
                break
            repeats.append(run.settled)
        return Confirmed(best, repeats, n_fits, reason)


@dataclass(frozen=True, eq=False)
class Confirmed:
    """What the best candidates score on fresh splits.

    Attributes
    ----------
    candidates : list of Candidate
        The best ones by the search, the best first.
    repeats : list of lists of Candidate
        What was evaluated again: these, and perhaps the estimator as it was passed.
    n_fits : int
    stop_reason : str or None
        Why it ended before all was done.
    """

    candidates: Sequence[Candidate]
    repeats: Sequence[Sequence[Candidate]]
    n_fits: int
    stop_reason: str | None

    def __str__(self) -> str:
        n, index, results = len(self.candidates), self.best_index, self.results
        done = f"The {n} best candidates again on {len(self.repeats)} fresh splits"
        if results is None or index is None:
            return f"{done}: none has a score on each fold"
        mean = np.nanmax(results["pooled_mean_test_score"])
        return f"{done}: number {index + 1} is the best, {score_text(mean)} over all folds"

    @classmethod
    def nothing(cls) -> Confirmed:
        """Return what is confirmed where nothing is asked for."""
        return cls([], [], 0, None)

    @cached_property
    def results(self) -> dict[str, Any] | None:
        """Return a table as ``cv_results_``, of these candidates; None without any repeat."""
        if not self.repeats:
            return None
        n = len(self.candidates)
        scores = [[candidate.scores for candidate in again[:n]] for again in self.repeats]
        fresh = np.concatenate(scores, axis=1)
        folds = np.concatenate([[c.scores for c in self.candidates], fresh], axis=1)
        pooled = folds.mean(axis=1)
        rank = rankdata(np.where(np.isnan(pooled), np.inf, -pooled), method="min")
        return {
            "index": np.array([c.position for c in self.candidates]),
            "params": [c.params for c in self.candidates],
            **{f"split{j}_test_score": column for j, column in enumerate(fresh.T)},
            "mean_test_score": fresh.mean(axis=1),
            "std_test_score": fresh.std(axis=1),
            "pooled_mean_test_score": pooled,
            "rank_test_score": rank.astype(np.int32),
        }

    @property
    def baseline(self) -> list[Candidate]:
        """The estimator as it was passed, by repeat, where it was evaluated again."""
        n = len(self.candidates)
        return [candidate for again in self.repeats for candidate in again[n:]]

    def score_of(self, candidate: Candidate) -> float:
        """Return the mean over all folds of a candidate, also fresh ones."""
        again = [
            repeat[i]
            for repeat in self.repeats
            for i, c in enumerate(self.candidates)
            if c is candidate
        ]
        return float(np.concatenate([candidate.scores, *(c.scores for c in again)]).mean())

    @property
    def best_index(self) -> int | None:
        """The index of the best one in ``cv_results_``; None where nothing was confirmed."""
        results = self.results
        if results is None or np.isnan(results["pooled_mean_test_score"]).all():
            return None
        return int(results["index"][np.argmin(results["rank_test_score"])])


def _distinct_best(settled: Sequence[Candidate], n: int) -> list[Candidate]:
    """Return the best candidates; of those with the same score on each fold the first one.

    They are the same model, as a rule, where a hyperparameter makes no difference.
    """
    distinct: dict[bytes, Candidate] = {}
    for candidate in settled:
        if candidate.complete:
            distinct.setdefault(candidate.scores.tobytes(), candidate)
    return sorted(distinct.values(), key=lambda candidate: -candidate.score)[:n]


def _reseeded(splitter: Any, seed: int) -> Any:
    """Return a copy of a splitter that draws others, where it draws at all."""
    fresh = copy.copy(splitter)
    if hasattr(fresh, "random_state"):
        fresh.random_state = seed
        if hasattr(fresh, "shuffle"):
            fresh.shuffle = True
    return fresh


def _rows_of(splits: Splits) -> frozenset[bytes]:
    """Return the sets of test rows, by which splits are told apart."""
    tests = [np.sort(rows_of(test)) for _, test in splits]
    return frozenset(test.astype(np.int64).tobytes() for test in tests)
