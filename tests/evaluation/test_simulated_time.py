"""Which folds are in time, whatever the workers and their order; in simulated time."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skpg.evaluation.journal import Journal, KnownCandidate
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.racing import Race
from skpg.evaluation.schedule import Schedule
from skpg.evaluation.workers.executors import Event

LIMIT = 10.5


class KnowsFolds(Journal):
    """Knows some folds of the second candidate from an earlier run, which were in time alone."""

    def __init__(self, seconds, known):
        self.seconds, self.known = seconds, known

    def recorded(self, number):
        outcomes = {fold: outcome_of(self.seconds[fold]) for fold in self.known}
        return KnownCandidate(outcomes, dict.fromkeys(outcomes, "ok")) if number == 1 else None


def outcome_of(seconds, late=False):
    # the time of a fit that was ended is measured a little short
    times = {"fit_time": 0.999 * seconds if late else seconds, "score_time": 0.0}
    error = "late" if late else None
    return Outcome(np.nan if late else 1.0, fit_error=error, **times)


def simulate(seconds, slots, known=(), race=None, hardness=(0.0,) * 4):
    """Run a candidate on so many workers, in simulated time, after one that sets the order."""
    schedule = Schedule(
        4,
        score=lambda outcome: np.nan if outcome.fit_error else outcome.test_scores,
        failure=lambda error: outcome_of(np.nan, late=True),
        candidate_timeout=LIMIT,
        race=race,
        journal=KnowsFolds(seconds, known),
    )
    schedule.add([{}])
    while job := schedule.next_job(0):
        outcome = replace(outcome_of(0.0), test_scores=-hardness[job.fold])
        schedule.record(Event(job, outcome))
    list(schedule.settle())
    schedule.add([{}])
    now, running = 0.0, []
    while True:
        while len(running) < slots and (job := schedule.next_job(len(running))):
            running.append((now + min(seconds[job.fold], job.seconds), job))
        if not running:
            break
        now, job = min(running, key=lambda item: (item[0], -item[1].fold))
        running.remove((now, job))
        late = seconds[job.fold] > job.seconds
        outcome = replace(outcome_of(min(seconds[job.fold], job.seconds), late), overdue=late)
        schedule.record(Event(job, outcome))
    (candidate,) = schedule.settle()
    return {fold: candidate.statuses[fold] for fold in sorted(candidate.outcomes)}


SECONDS = st.lists(st.integers(0, 12), min_size=4, max_size=4)


@given(SECONDS, st.sets(st.integers(0, 3)))
def test_the_fold_with_which_the_limit_is_exceeded_fails_and_those_after_it(seconds, known):
    known = [fold for fold in known if seconds[fold] < LIMIT]
    in_time = np.cumsum(seconds) < LIMIT
    expected = {fold: "ok" if in_time[fold] else "timeout" for fold in range(4)}
    for slots in (1, 2, 3, 4):
        assert simulate(seconds, slots) == expected
        assert simulate(seconds, slots, known) == expected


@given(SECONDS, st.permutations(range(4)))
def test_in_a_race_the_limit_counts_in_the_order_of_the_race(seconds, hardness):
    order = np.argsort(-np.array(hardness))
    in_time = np.cumsum(np.array(seconds)[order]) < LIMIT
    n_run = min(in_time.sum() + 1, 4)  # a race ends with the first fold that fails
    expected = {
        int(fold): "ok" if ok else "timeout"
        for fold, ok in sorted(zip(order[:n_run], in_time[:n_run], strict=True))
    }
    for slots in (1, 2, 3, 4):
        assert simulate(seconds, slots, race=Race(np.inf), hardness=hardness) == expected
