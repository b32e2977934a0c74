"""What to do next, after a search: each piece of advice from what the candidates show."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr

from skpg.display.record import SearchRecord
from skpg.display.scales import Scale, scales_of
from skpg.evaluation.wording import score_text
from skpg.reporting.facts import Facts
from skpg.space.dimensions import Branch
from skpg.space.scalars import is_number
from skpg.space.types import FloatArray
from skpg.space.wording import value_text

# The best candidates that are looked at together, at most.
N_BEST = 10
# The outermost share of a range in which the best value is at its end, and in which others are.
AT_THE_END, NEAR_THE_END = 0.05, 0.1
# So many candidates without a gain, and such a share of all, are no accident.
LEAST_AFTER, SHARE_AFTER = 20, 0.3
# A gain is next to nothing if it is less than this share of what the best one is above the median.
NOTHING = 0.001
# The share of the last candidates in which the best one shows that the search still gains.
LATE = 0.15
# The share of candidates that fail from which on it is worth a look.
MANY_FAILURES = 0.1


def advice_of(facts: Facts) -> list[str]:
    """Return what to do next, the most urgent first."""
    advisers = (_on_failures, _on_stopping, _on_ranges, _on_ties, _on_interruption, _on_new_data)
    return [text for adviser in advisers for text in adviser(facts)]


def _on_failures(facts: Facts) -> Iterator[str]:
    record = facts.record
    n, n_failed = len(record), int(record.failed.sum())
    if n_failed < max(MANY_FAILURES * n, 1):
        return
    culprit = _common_value_of_failures(record)
    if culprit:
        yield (
            f"{n_failed:,} of {n:,} candidates failed, nearly all of them with {culprit}, which "
            "hardly ever worked: leave it out, or say with `constraint` when it may be used."
        )
    else:
        yield (
            f"{n_failed:,} of {n:,} candidates failed; the warning at the end of the search says "
            "why. A `constraint` spares the fits of those that cannot work."
        )


def _common_value_of_failures(record: SearchRecord) -> str | None:
    """Return a choice that most failures have, and hardly anything else."""
    for scale in scales_of(record):
        column = record.resolved[:, scale.column]
        for k in range(len(scale.labels)):
            has_it = column == k
            if not has_it.any() or has_it.all():
                continue
            if record.failed[has_it].mean() >= 0.9 and has_it[record.failed].mean() >= 0.9:
                label = scale.labels[int(scale.positions(np.array([k], float))[0])]
                return label if isinstance(scale.dimension, Branch) else f"{scale.name}={label}"
    return None


def _on_stopping(facts: Facts) -> Iterator[str]:
    record, n = facts.record, len(facts.record)
    if record.best is None or n < LEAST_AFTER:
        return
    best = float(record.scores[record.best])
    least_gain = NOTHING * (best - float(np.nanmedian(record.scores)))
    reached = int(np.flatnonzero(record.best_so_far >= best - least_gain)[0])
    after = n - 1 - reached
    if after >= max(LEAST_AFTER, SHARE_AFTER * n):
        gain = best - float(record.best_so_far[reached])
        won = f"next to nothing ({score_text(gain)})" if gain else "nothing"
        yield (
            f"The last {after:,} candidates won {won}: stop here. More of the same search is "
            "unlikely to find much."
        )
    elif after < LATE * n and facts.stop_reason != "exhausted":
        yield (
            f"The score still rose at candidate {reached + 1:,} of {n:,}. A larger `n_iter` "
            "repeats these candidates and goes on; with `storage` it does not fit them again."
        )


def _on_ranges(facts: Facts) -> Iterator[str]:
    record = facts.record
    if record.best is None or not facts.knows_space:
        return
    # of a short search ten are hardly the best
    ranked = facts.ranking[: min(N_BEST, max(len(facts.ranking) // 4, 3))]
    for scale in scales_of(record):
        value = record.resolved[record.best, scale.column]
        if np.isnan(value) or scale.dimension.size == 1:
            continue
        inner = _depths(record, scale)
        best = inner[record.best]
        near = np.minimum(inner[ranked], 1 - inner[ranked]) < NEAR_THE_END
        same_side = np.sign(inner[ranked] - 0.5) == np.sign(best - 0.5)
        n_near = int((near & same_side).sum())
        if min(best, 1 - best) < AT_THE_END and 2 * n_near >= len(ranked):
            yield _about_the_end(
                record, scale, upper=bool(best > 0.5), n_near=n_near, n=len(ranked)
            )


def _depths(record: SearchRecord, scale: Scale) -> FloatArray:
    """Return where in its range, from 0 to 1, each candidate has a hyperparameter.

    Of a distribution that is the probability below, of an ordered list, and of a few whole
    numbers, 0 or 1 for the values at the ends.
    """
    resolved = record.resolved[:, scale.column]
    if not scale.is_list:
        depths = ndtr(record.actions[:, scale.column])
        low, high = scale.ends
        depths = np.where(resolved <= (-np.inf if low is None else low), 0.0, depths)
        return np.asarray(np.where(resolved >= (np.inf if high is None else high), 1.0, depths))
    if scale.dimension.nominal or len(scale.labels) < 3:
        return np.full(len(record), 0.5)
    places = scale.positions(resolved)
    return np.where(places == 0, 0.0, np.where(places == len(scale.labels) - 1, 1.0, 0.5))


def _about_the_end(record: SearchRecord, scale: Scale, *, upper: bool, n_near: int, n: int) -> str:
    value = record.params[record.best or 0][scale.name]
    best = f"The best {scale.name} ({value_text(value)})"
    others = "" if n < 2 else f", where {n_near} of the {n} best are"
    larger = "larger" if upper else "smaller"
    if scale.is_list:
        ends, more = (("first", "last"), "others beyond it")
        if is_number(value):
            ends, more = ("smallest", "largest"), f"{larger} ones"
        return f"{best} is the {ends[upper]} of its list{others}: add {more} if there are any."
    kind = int if scale.whole else float
    low, high = (None if end is None else value_text(kind(end)) for end in scale.ends)
    end = "upper" if upper else "lower"
    if (high if upper else low) is None:
        return f"{best} lies in the {end} tail of its distribution{others}: move it there."
    span = f", {low} to {high}" if low is not None and high is not None else ""
    return (
        f"{best} lies at the {end} end of its range{span}{others}: widen it if {larger} values "
        "are allowed."
    )


def _on_ties(facts: Facts) -> Iterator[str]:
    record, ranked = facts.record, facts.ranking[:N_BEST]
    if len(ranked) < N_BEST or record.n_folds < 2 or record.best is None:
        return
    differ = float(np.ptp(record.scores[ranked]))
    spread = float(record.fold_scores[record.best].std())
    if differ == 0:
        yield f"The best {N_BEST} have the same score: take the simplest or the fastest of them."
    elif differ < spread:
        averages = "confirm" in facts.settings
        compare = "on more folds" if not averages else "on fresh splits (confirm=(5, 4))"
        yield (
            f"Differences between the best {N_BEST} ({score_text(differ)}) are smaller than the "
            f"spread of the folds of the best one ({score_text(spread)}): which of them wins is "
            f"largely chance. Take the simplest or the fastest, or compare them {compare}"
            f"{', or average them (final=Ensemble())' * averages}."
        )


def _on_interruption(facts: Facts) -> Iterator[str]:
    if facts.stop_reason in ("timeout", "interrupted", "callback") and facts.n_iter is not None:
        n = len(facts.record)
        if n < facts.n_iter:
            yield (
                f"It ended after {n:,} of {facts.n_iter:,} candidates. With `storage` the next "
                "`fit` goes on where a search ended."
            )


def _on_new_data(facts: Facts) -> Iterator[str]:
    if len(facts.record) > 1 and facts.record.best is not None:
        yield (
            f"The score is the best of {len(facts.record):,} on the same folds, and so a little "
            "too good: before you rely on it, score the winner on data that no fold has seen."
        )
