"""Searches in threads of one process."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor


def fit_together(searches, X, y):
    """Fit searches, all at the same time."""
    begin, errors = threading.Barrier(len(searches)), []

    def fit(search):
        begin.wait()
        try:
            search.fit(X, y)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=fit, args=(search,)) for search in searches]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors


def fit_overlapping(make, X, y):
    """Begin one search, then another; end the one, then the other.

    `make` is called with callbacks and returns a search; `fit` is called in its own thread.
    """
    other_begun, one_ended = threading.Event(), threading.Event()

    def wait(progress):
        other_begun.set()
        assert one_ended.wait(60)

    with ThreadPoolExecutor(1) as pool:

        def begin_other(progress):
            if progress.n_candidates == 1:
                others.append(pool.submit(make([wait]).fit, X, y))
                assert other_begun.wait(60)

        others = []
        make([begin_other]).fit(X, y)
        one_ended.set()
        others[0].result()
