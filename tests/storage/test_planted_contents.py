"""Nothing that a stranger has written into a storage is ever run."""

import contextlib
import os
import pickle
import sqlite3

import pytest

import skpg
from skpg import StorageError
from tests.storage.searches import X, small_search, y


@pytest.fixture
def path(finished_copy):
    """A storage with one finished study."""
    return finished_copy


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


PLACES = {
    "studies": ["parts", "seed", "space", "versions", "stop_reason", "estimator"],
    "candidates": ["params", "n_told", "status", "position", "iter", "score", "reward"],
    "folds": ["status", "counts", "fit_time", "several", "fit_error", "n_test_samples"],
    "scores": ["metric", "test_score", "train_score"],
}
PLANTED = {
    "pickle": lambda bomb: pickle.dumps(Bomb(bomb)),
    "text of a pickle": lambda bomb: pickle.dumps(Bomb(bomb), protocol=0).decode(),
    "code": lambda bomb: f"__import__('os').mkdir({bomb!r})",
    "json": lambda bomb: '{"a": {"choice": 99}, "act": {"choice": "__class__"}}',
}


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize(("table", "column"), [(t, c) for t in PLACES for c in PLACES[t]])
@pytest.mark.filterwarnings("ignore")
def test_planted_values_run_nothing(path, kind, table, column):
    bomb = path.parent / "bomb"
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {table} SET {column} = ?", (PLANTED[kind](str(bomb)),))
    connection.close()
    for read in (
        lambda: skpg.studies(path),
        lambda: skpg.load_study(path),
        lambda: repr(skpg.load_study(path)),
        lambda: small_search(path, n_iter=11).fit(X, y),
    ):
        # either the value does not matter, or the error is ours
        with contextlib.suppress(StorageError):
            read()
    assert not bomb.exists()


def test_planted_triggers_have_no_functions(path):
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TRIGGER planted AFTER INSERT ON folds "
            "BEGIN SELECT load_extension('/tmp/evil'); END"
        )
    connection.close()
    with pytest.raises(StorageError):
        small_search(path, n_iter=11).fit(X, y)
