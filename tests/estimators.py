"""Classifiers that fail, hang, kill and count, as candidates do in real searches."""

import os
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Scripted(ClassifierMixin, BaseEstimator):
    """Scores ``a / 100``; `act` says what else the fits of some values of `a` do."""

    def __init__(self, a=0, act="nothing", on=(), seconds=0.0, folder=None, extra=None):
        self.a, self.act, self.on, self.seconds, self.folder = a, act, on, seconds, folder
        self.extra = extra

    def fit(self, X, y):
        if self.folder:
            with open(os.path.join(self.folder, f"{self.a}-{os.getpid()}"), "a") as file:
                file.write("fit\n")
        if self.a in self.on:
            self._misbehave()
        if self.act == "large data" and len(X) > 100:
            raise MemoryError("too many rows")
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        if isinstance(self.extra, str):
            self.model_ = Marked(self.extra)
        return self

    def _misbehave(self):
        if self.act == "die":
            os._exit(1)
        elif self.act == "sleep":
            time.sleep(600)
        elif self.act == "loop":
            while True:
                pass
        elif self.act == "swallow":
            while True:
                try:
                    time.sleep(0.01)
                except Exception:
                    break
        elif self.act == "memory":
            raise MemoryError("no memory is left")
        elif self.act == "deaf":  # as code that never returns to Python
            import signal

            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            time.sleep(600)
        elif self.act == "ctrl-c":
            raise KeyboardInterrupt
        elif self.act == "odd error":
            raise TwoArgumentsError("one", "two")
        else:
            raise ValueError(f"a={self.a} fails")

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return self.a / 100


class TwoArgumentsError(Exception):
    """Cannot be unpickled, as it is pickled with its message only."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Marked:
    """Leaves a line in a file each time it is pickled."""

    def __init__(self, path, n_bytes=0):
        self.path, self.content = path, b"x" * n_bytes

    def __getstate__(self):
        with open(self.path, "a") as file:
            file.write("pickled\n")
        return self.__dict__

    def __deepcopy__(self, memo):
        return self


class Nowhere:
    def __reduce__(self):
        raise TypeError("cannot be pickled anywhere")


class OnlyHere:
    """Can be pickled, and unpickled in the same process."""

    def __reduce__(self):
        return _only_in, (os.getpid(),)


def _only_in(process):
    if os.getpid() != process:
        raise RuntimeError("in another process")
    return OnlyHere()


class OddScore(float):
    def __reduce__(self):
        raise TypeError("odd")


def odd_score(estimator, X, y):
    return (OddScore if estimator.a == 3 else float)(estimator.a / 100)


class UnpicklableScorer:
    def __call__(self, estimator, X, y):
        return 0.0

    def __reduce__(self):
        raise TypeError("this scorer cannot be pickled")
