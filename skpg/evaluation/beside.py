"""Fits beside those of the candidates of a search: of given candidates, on given folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from skpg.evaluation.call_stack import warn
from skpg.evaluation.cross_validation import CrossValidation, cross_validation
from skpg.evaluation.journal import Journal
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import RunningFit
from skpg.evaluation.task_tree import TaskTree
from skpg.space.types import Params


@dataclass(frozen=True, eq=False)
class FitsBeside:
    """What evaluates candidates that no policy has proposed, with all of their folds.

    Scikit-learn's callbacks, which count the fits of the search, do not see these.

    Attributes
    ----------
    settings : SearchSettings
    fit : RunningFit
    nested : bool
        Whether the search is part of another fit, which Ctrl-C is left to.
    """

    settings: SearchSettings
    fit: RunningFit
    nested: bool

    def run(
        self,
        candidates: Sequence[Params],
        journal: Journal,
        *,
        what: str,
        splits: Sequence[tuple[Any, Any]] | None = None,
        timeout: float | None = None,
    ) -> CrossValidation:
        """Evaluate candidates.

        Parameters
        ----------
        candidates : sequence of dict
        journal : Journal
            In which they are numbered from 0.
        what : str
            What is evaluated, for the warning if a fit fails.
        splits : sequence of (train, test), default=None
            The folds; None are those of the search.
        timeout : float, default=None
            Seconds after which no fit is started.

        Returns
        -------
        CrossValidation
            Which has ended.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C before any candidate is finished, on the second one, and if nested.
        """
        settings = replace(
            self.settings,
            n_iter=len(candidates),
            batch_size=len(candidates),
            timeout=timeout,
            target_score=None,
            patience=None,
            callbacks=None,
            verbose=0,
        )
        fit = self.fit if splits is None else replace(self.fit, splits=list(splits))
        with cross_validation(
            settings,
            fit,
            journal,
            TaskTree(None, None, len(fit.splits)),
            race=None,
            n_candidates=len(candidates),
            evaluation="batch",
            nested=self.nested,
        ) as validation:
            for _ in validation.run(lambda n: list(candidates)):
                pass
        _warn_of_failures(validation, what)
        return validation


def _warn_of_failures(validation: CrossValidation, what: str) -> None:
    errors = [
        outcome.fit_error
        for candidate in validation.settled
        for outcome in candidate.outcomes.values()
        if outcome.fit_error is not None
    ]
    if errors:
        last = errors[0].strip().splitlines()[-1:]
        warn(
            f"{len(errors)} out of {validation.n_fits} fits of {what} failed, the first one with: "
            f"{''.join(last)}"
        )
