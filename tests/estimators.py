"""Classifiers that fail, hang, kill and count, as candidates do in real searches."""

import os
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Scripted(ClassifierMixin, BaseEstimator):
    """Scores ``a / 100``; `act` says what else the fits of some values of `a` do."""

    def __init__(self, a=0, act="nothing", on=(), seconds=0.0, folder=None):
        self.a, self.act, self.on, self.seconds, self.folder = a, act, on, seconds, folder

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
        else:
            raise ValueError(f"a={self.a} fails")

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return self.a / 100
