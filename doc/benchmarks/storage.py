"""What a storage costs per candidate, and what a search costs that is replayed from it.

A search of candidates with 5 folds is run with a storage. What its journal takes (the check of
what is proposed, the rows of each fold, those of each batch) is summed per candidate; the
figure is the median over the candidates, in wall time, with the fits outside. Then the same
search is started again, which replays it; and searches with and without storage are timed in
pairs.

    python doc/benchmarks/storage.py [--candidates 200] [--pairs 5] [--folder DIRECTORY]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skpg import PolicyGradientSearchCV
from skpg.learners import NaturalGradient
from skpg.storage import study as journal
from skpg.storage.digest import digest
from skpg.storage.study import Study

SPACE = {"var_smoothing": stats.loguniform(1e-12, 1.0), "priors": [None, [0.2, 0.3, 0.5]]}


def search(n_candidates: int, path: Path | None) -> tuple[float, float]:
    """Return the wall time and the processor time of one search of cheap fits."""
    X, y = load_iris(return_X_y=True)
    made = PolicyGradientSearchCV(
        GaussianNB(), SPACE, n_iter=n_candidates, cv=5, learner=NaturalGradient(),
        random_state=0, refit=False, storage=path,
    )  # fmt: skip
    wall, own = time.perf_counter(), time.process_time()
    made.fit(X, y)
    return time.perf_counter() - wall, time.process_time() - own


class Timed:
    """The seconds that the journal of each candidate takes."""

    def __init__(self) -> None:
        self.wall: dict[int, float] = defaultdict(float)
        self.own: dict[int, float] = defaultdict(float)

    def __enter__(self) -> Timed:
        self._originals = {name: getattr(Study, name) for name in ("add", "record", "settle")}
        for name, original in self._originals.items():
            setattr(Study, name, self._timed(original))
        return self

    def __exit__(self, *exception: object) -> None:
        for name, original in self._originals.items():
            setattr(Study, name, original)

    def _timed(self, original):
        def method(study, candidates, *arguments):
            wall, own = time.perf_counter(), time.process_time()
            original(study, candidates, *arguments)
            wall, own = time.perf_counter() - wall, time.process_time() - own
            together = candidates if isinstance(candidates, list) else [candidates]
            for candidate in together:
                self.wall[candidate.number] += wall / len(together)
                self.own[candidate.number] += own / len(together)

        return method


def report(n: int, path: Path, how: str) -> None:
    """Run a search and print what its journal took."""
    with Timed() as timed:
        search(n, path)
    for name, seconds in (("wall", timed.wall), ("processor", timed.own)):
        values = 1e3 * np.array(list(seconds.values()))
        low, median, high = np.quantile(values, [0.05, 0.5, 0.95])
        print(
            f"5 folds, {how}, {name} time per candidate: median {median:.3f} ms "
            f"(5 % {low:.3f}, 95 % {high:.3f}), mean {values.mean():.3f} ms"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--folder", default=None, help="where to write; a disk, not a tmpfs")
    arguments = parser.parse_args()
    n = arguments.candidates
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        search(20, Path(folder) / "warm_up.db")
        report(n, Path(folder) / "timed.db", "written with the candidate")
        cheap, journal.CHEAP_FIT = journal.CHEAP_FIT, 0.0
        report(n, Path(folder) / "each.db", "each fold on its own, as after long fits")
        journal.CHEAP_FIT = cheap
        size = (Path(folder) / "timed.db").stat().st_size
        print(f"size of the file: {size / n / 1024:.2f} KiB per candidate")
        wall, own = search(n, Path(folder) / "timed.db")
        print(
            f"a finished search of {n} candidates again: {wall:.2f} s wall, {own:.2f} s processor"
        )

        differences = []
        for pair in range(arguments.pairs):
            without = search(n, None)
            with_storage = search(n, Path(folder) / f"pair{pair}.db")
            differences.append(1e3 * (with_storage[1] - without[1]) / n)
        print(
            f"whole searches with and without, {arguments.pairs} pairs, difference of processor "
            f"times per candidate: median {np.median(differences):.2f} ms "
            f"({min(differences):.2f} to {max(differences):.2f})"
        )
    for megabytes in (1, 100):
        X = np.random.default_rng(0).normal(size=(megabytes * 2**17,))
        start = time.process_time()
        digest(X)
        print(f"fingerprint of {megabytes} MiB of data: {time.process_time() - start:.3f} s")


if __name__ == "__main__":
    main()
