"""What stays in memory of the models of finished candidates."""

from __future__ import annotations

from skpg.evaluation.candidate import Candidate

# Number of the best candidates whose models stay.
KEPT_MODELS = 10
# Bytes of predictions that stay.
KEPT_BYTES = 2**30


class Retention:
    """Lets go of the models of all but the best candidates, and of predictions beyond a limit.

    Of candidates without a score on each fold nothing stays.

    Parameters
    ----------
    n_models : int
    n_bytes : int

    Attributes
    ----------
    n_forgotten : int
        Number of complete candidates whose predictions were too many.
    """

    def __init__(self, n_models: int = KEPT_MODELS, n_bytes: int = KEPT_BYTES):
        self._n_models, self._n_bytes = n_models, n_bytes
        # the best first, of ties the earlier
        self._ranked: list[Candidate] = []
        self._bytes = 0
        self.n_forgotten = 0

    def settle(self, candidate: Candidate) -> None:
        """Take note of a candidate that is finished."""
        size = candidate.kept_bytes
        if not size:
            return
        if not candidate.complete:
            candidate.forget()
            return
        self._ranked.append(candidate)
        self._ranked.sort(key=lambda c: -c.score)
        self._bytes += size
        for other in self._ranked[self._n_models : self._n_models + 1]:
            other.forget(models_only=True)
        while self._bytes > self._n_bytes and len(self._ranked) > 1:
            worst = self._ranked.pop()
            self._bytes -= worst.kept_bytes
            worst.forget()
            self.n_forgotten += 1
