"""Jobs on their way to another process, and outcomes on their way back.

What cannot make the way belongs to one candidate: its job is answered with a
`CandidateError`, and the worker, its pool and the search go on.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

# cloudpickle, which joblib brings along, from 1.6 as a dependency
from joblib.externals.loky.cloudpickle_wrapper import dumps

from skpg.evaluation.outcome import Outcome
from skpg.evaluation.workers.executors import CandidateError, Event, Job

# Bytes from which a hyperparameter is sent to the workers once, and not with each job.
LARGE = 100_000
# Types of which no value is worth asking.
SMALL = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class LargeValueReference:
    """What stands in a job for a large value.

    Attributes
    ----------
    name : str
        What the value is known by, where it is.
    """

    name: str


@contextmanager
def as_candidate_error(what: str) -> Iterator[None]:
    """Turn an error into one of the candidate."""
    try:
        yield
    except Exception as error:
        raise CandidateError(f"{what}: {type(error).__name__}: {error}") from error


def pack_job(job: Job, replaced: Callable[[Any], Any] = lambda value: value) -> bytes:
    """Return a pickled job; where its hyperparameters do not pickle, the reason is sent.

    Parameters
    ----------
    job : Job
    replaced : callable, default=identity
        From the value of a hyperparameter to what is sent.
    """
    try:
        with as_candidate_error("the hyperparameters cannot be pickled"):
            params = {
                name: value if isinstance(value, SMALL) else replaced(value)
                for name, value in job.params.items()
            }
            pickled = dumps(params)
    except CandidateError as error:
        return dumps(error)
    return dumps((replace(job, params={}), pickled))


def unpack_job(packed: bytes, restored: Callable[[Any], Any] = lambda value: value) -> Job:
    """Return a job that was packed, in a worker.

    Parameters
    ----------
    packed : bytes
    restored : callable, default=identity
        From what was sent to the value of a hyperparameter.
    """
    sent = pickle.loads(packed)
    if isinstance(sent, CandidateError):
        raise sent
    job, pickled = sent
    with as_candidate_error("the hyperparameters cannot be unpickled"):
        params = {name: restored(value) for name, value in pickle.loads(pickled).items()}
    return replace(job, params=params)


def pack_outcome(work: Callable[[], Outcome]) -> bytes:
    """Return the pickled outcome of some work, or the error that it raised, in a worker.

    An error that were raised there would keep what its traceback leads to, such as the data,
    in the memory of the worker.
    """
    try:
        outcome = work()
        with as_candidate_error("the scores cannot be pickled"):
            return dumps(outcome)
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        error.add_note(f"\nIn the worker:\n{text}")
        try:
            pickled = dumps(error)
            pickle.loads(pickled)
        except Exception:
            return dumps(RuntimeError(text))
        return pickled


def unpack_event(job: Job, answered: bytes) -> Event:
    """Return the event of a job that was answered."""
    try:
        with as_candidate_error("the scores cannot be unpickled"):
            outcome = pickle.loads(answered)
    except CandidateError as error:
        return Event(job, error=error)
    return Event(job, error=outcome) if isinstance(outcome, BaseException) else Event(job, outcome)
