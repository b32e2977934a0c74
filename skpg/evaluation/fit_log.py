"""When and where the fits of a search ran."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skpg.evaluation.candidate import Candidate
from skpg.space.types import FloatArray


@dataclass(frozen=True, eq=False)
class FitLog:
    """The fits of a search, one entry per fit that counts, by candidate and fold.

    Attributes
    ----------
    candidates : ndarray of int of shape (n_fits,)
        Position in ``cv_results_``.
    folds : ndarray of int of shape (n_fits,)
    begins : ndarray of shape (n_fits,)
        Seconds since the epoch; nan where a fit did not return, or was read from a storage.
    seconds : ndarray of shape (n_fits,)
        Of the fit and its scores; 0 where it did not return.
    workers : tuple of str
        Computer, process and thread that each ran on; empty where `begins` is nan.
    """

    candidates: NDArray[np.intp]
    folds: NDArray[np.intp]
    begins: FloatArray
    seconds: FloatArray
    workers: tuple[str, ...]

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> FitLog:
        """Return the fits of settled candidates."""
        fits = [
            (position, fold, outcome)
            for position, candidate in enumerate(candidates)
            for fold, outcome in sorted(candidate.outcomes.items())
        ]
        return cls(
            np.array([position for position, _, _ in fits], dtype=np.intp),
            np.array([fold for _, fold, _ in fits], dtype=np.intp),
            np.array([outcome.begin for _, _, outcome in fits]),
            np.array([outcome.seconds for _, _, outcome in fits]),
            # one text per worker, also in a pickle
            tuple(sys.intern(outcome.worker) for _, _, outcome in fits),
        )


def this_worker() -> str:
    """Return the computer, process and thread that this runs on."""
    return f"{socket.gethostname()}/{os.getpid()}/{threading.get_native_id()}"
