"""What a search needs before its first fit, and what is wrong with its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from skpg.admission import LARGEST_GRID, allowed_example, n_allowed
from skpg.evaluation.beside import FitsBeside
from skpg.evaluation.cross_validation import evaluation_on
from skpg.evaluation.journal import Journal
from skpg.evaluation.names import check_names
from skpg.evaluation.racing import Race
from skpg.evaluation.score_bounds import race_of
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import RunningFit
from skpg.evaluation.terminal import ProgressLines
from skpg.optimizer import PolicyGradientOptimizer
from skpg.present import PresentCandidate, PresentReport
from skpg.space.constraint import Constraint
from skpg.space.space import Space
from skpg.storage.opening import open_journal
from skpg.warm_start import begin, n_not_evaluated, resolve
from skpg.winner.confirmation import Confirmation
from skpg.winner.plan import WinnerPlan


@dataclass(frozen=True, eq=False)
class PreparedSearch:
    """A search whose arguments were checked.

    Attributes
    ----------
    space : Space
    settings : SearchSettings
    now : dict
        The parameters of the estimator.
    n_candidates : int
        Number of candidates, unless something ends the search before.
    present : PresentCandidate or None
    report : PresentReport or None
        What is told of it.
    fit : RunningFit
    plan : WinnerPlan
    lines : ProgressLines
    race : Race or None
    evaluation : {'batch', 'stream', 'async'}
        As the backend can do it.
    nested : bool
        Whether the search is part of another fit.
    """

    space: Space
    settings: SearchSettings
    now: Mapping[str, Any]
    n_candidates: int
    present: PresentCandidate | None
    report: PresentReport | None
    fit: RunningFit
    plan: WinnerPlan
    lines: ProgressLines
    race: Race | None
    evaluation: str
    nested: bool

    @classmethod
    def of(
        cls, search: Any, evaluate_candidates: Callable[..., Any], *, nested: bool
    ) -> PreparedSearch:
        """Check the arguments of a search.

        Raises
        ------
        ValueError, TypeError
            If something is wrong with them.
        """
        space = Space(search.param_distributions)
        check_names(search.estimator, space)
        constraint = None if search.constraint is None else Constraint(search.constraint)
        now = search.estimator.get_params()
        confirmation = Confirmation.of(search.confirm, search.confirm_cv)
        settings = SearchSettings.of(search)
        if confirmation is not None:
            settings = replace(settings, n_iter=confirmation.n_left(search.n_iter))
        settings = resolve(settings, space, constraint, now)
        n_known = n_not_evaluated(settings.initial_params, space)
        n_candidates = _n_candidates(space, constraint, settings.n_iter + n_known) - n_known
        present = _present_candidate(now, space, constraint)
        fit = RunningFit.of(search, evaluate_candidates)
        plan = WinnerPlan.of(search, settings, fit, confirmation)
        lines = ProgressLines.of(settings, n_candidates)
        report = PresentReport(present, lines.say) if present else None
        own = [report, lines] if report else [lines]
        settings = replace(settings, callbacks=[lines.make_room, *(search.callbacks or ()), *own])
        return cls(
            space,
            settings,
            now,
            n_candidates,
            present,
            report,
            fit,
            plan,
            lines,
            race_of(settings, fit.keywords["scorer"]),
            evaluation_on(settings, fit.parallel),
            nested,
        )

    @property
    def beside(self) -> FitsBeside:
        """What evaluates the estimator as it was passed, and the best candidates again."""
        return FitsBeside(self.settings, self.fit, self.nested)

    @property
    def note(self) -> str:
        """What the policy says beside its hyperparameters."""
        return self.report.sentence if self.report else ""

    def optimizer(self, seed: int) -> tuple[PolicyGradientOptimizer, int]:
        """Return an optimizer that will propose what is wanted first, and how much it was told."""
        optimizer = PolicyGradientOptimizer(
            self.space,
            learner=self.settings.learner,
            warm_start_from=self.settings.warm_start_from,
            constraint=self.settings.constraint,
            random_state=seed,
        )
        n_told = begin(optimizer, self.settings.initial_params, self.now)
        optimizer.enqueue([self.present.params] if self.present else [])
        return optimizer, n_told

    def journal(self) -> AbstractContextManager[Journal]:
        """Return what is known of earlier runs, and kept for later ones."""
        return open_journal(
            self.settings,
            self.fit,
            self.space,
            self.settings.learner,
            evaluation=self.evaluation,
            keeps=self.plan.keeper is not None,
        )


def _n_candidates(space: Space, constraint: Constraint | None, n_iter: int) -> int:
    """Return how many candidates are evaluated, unless something ends the search before.

    Raises
    ------
    ValueError, TypeError
        If the constraint leaves none, or fails.
    """
    size = space.size
    if constraint is not None:
        allowed_example(space, constraint)
    # branches may have candidates in common
    shared = space.branches > 1 and size <= n_iter * space.branches
    if shared or (constraint is not None and size <= LARGEST_GRID):
        return n_allowed(space, constraint, n_iter)
    return int(min(n_iter, size))


def _present_candidate(
    values: Mapping[str, Any], space: Space, constraint: Constraint | None
) -> PresentCandidate | None:
    """Return the candidate that leaves the estimator as it is, where it may be evaluated."""
    present = PresentCandidate.of(space, values)
    if present and constraint and not constraint.allows(present.params):
        return None
    return present
