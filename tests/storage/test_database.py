"""The file: what is not a sound storage of ours is refused, and left as it was."""

import contextlib
import os
import pickle
import re
import shutil
import sqlite3
import stat
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris

import skpg
from skpg import PolicyGradientSearchCV, StorageError
from skpg.evaluation.outcome import Outcome
from skpg.learners import NaturalGradient
from skpg.space.space import Space
from skpg.storage.database import Storage, path_of
from skpg.storage.json import decode, encode
from skpg.storage.lock import Lock
from skpg.storage.rows import INSERT_FOLD, INSERT_SCORE, read_folds, rows_of
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)


def make(path, **changes):
    return PolicyGradientSearchCV(
        Scripted(),
        {"a": list(range(50)), "act": ["nothing", print]},
        cv=3,
        random_state=0,
        learner=NaturalGradient(),
        storage=path,
        **{"n_iter": 10, **changes},
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("finished") / "search.db"
    make(path).fit(X, y)
    return path


@pytest.fixture
def path(finished, tmp_path):
    """A storage with one finished study."""
    return Path(shutil.copy(finished, tmp_path / "search.db"))


def contents(path):
    return {
        file.name: file.read_bytes() for file in path.parent.iterdir() if "lock" not in file.name
    }


def check_refused(path, words):
    """Searching and reading, and the file is as it was."""
    before = contents(path)
    with pytest.raises(StorageError, match=words):
        make(path).fit(X, y)
    with pytest.raises(StorageError, match=words):
        skpg.studies(path)
    assert contents(path) == before


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_file(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: max(1, int(len(data) * share))])
    check_refused(path, "truncated")


@pytest.fixture
def with_log(finished, tmp_path):
    """A storage as a crash leaves it: with a log."""
    path = Path(shutil.copy(finished, tmp_path / "search.db"))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE scores SET train_score = test_score")
    connection.commit()
    os.makedirs(tmp_path / "crashed")
    for file in path.parent.glob("search.db*"):
        if not file.name.endswith(("-lock", "-shm")):
            shutil.copy(file, tmp_path / "crashed")
    connection.close()
    return tmp_path / "crashed" / "search.db"


def test_the_log_of_a_crash_is_read(with_log):
    before = contents(with_log)
    assert len(before) == 2
    (study,) = skpg.studies(with_log)
    assert study.n_candidates == 10
    shutil.rmtree(with_log.parent)


def test_a_truncated_file_with_a_log(with_log):
    data = with_log.read_bytes()
    with_log.write_bytes(b"")
    check_refused(with_log, "is truncated: it is empty, its log is not")
    with_log.write_bytes(data[: len(data) // 2 // 4096 * 4096])
    before = contents(with_log)
    with pytest.raises(StorageError, match="damaged or truncated"):
        make(with_log).fit(X, y)
    after = contents(with_log)
    assert {name: after[name] for name in before} == before  # the index of the log may be new


def test_a_truncated_log_costs_its_last_transactions_only(finished, with_log):
    log = Path(f"{with_log}-wal")
    log.write_bytes(log.read_bytes()[:-100])
    assert skpg.studies(with_log) == skpg.studies(finished)


@pytest.mark.parametrize("place", [0, 20, 100, 5000])
def test_a_damaged_file(path, place):
    data = bytearray(path.read_bytes())
    data[place : place + 2000] = os.urandom(2000)
    path.write_bytes(data)
    before = path.read_bytes()
    with pytest.raises(StorageError):
        make(path).fit(X, y)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"a,b\n1,2\n" * 100, b"x", pickle.dumps([1, 2, 3])])
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    check_refused(path, "data.csv is not a database")


def test_a_database_of_another_application(tmp_path):
    path = tmp_path / "search.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE studies (study_id INTEGER PRIMARY KEY, name TEXT)")
    check_refused(path, "is a database, but not one of skpg")


def test_a_newer_schema(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    sqlite3.connect(path).close()
    connection.close()
    check_refused(path, "written by a newer skpg .its schema has version 2; this skpg knows 1")


def as_a_user(function):
    """Call a function in a child that permissions apply to; return what became of it."""
    child = os.fork()
    if not child:
        status = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            function()
            status = 0
        except StorageError as error:
            status = 2 if "cannot be written" in str(error) else 3
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_read_only_file(finished, what):
    skpg.load_study(finished)  # what it imports may not be readable to another user
    folder = Path(tempfile.mkdtemp())
    try:
        path = Path(shutil.copy(finished, folder / "search.db"))
        path.chmod(0o444 if what == "file" else 0o666)
        folder.chmod(0o777 if what == "file" else 0o555)
        before = contents(path)
        assert as_a_user(lambda: make(path).fit(X, y)) == 2
        assert contents(path) == before
        assert as_a_user(lambda: skpg.load_study(path)) == 0
        assert as_a_user(lambda: skpg.studies(path)) == 0
        after = contents(path)
        assert {name: after[name] for name in before} == before
    finally:
        folder.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)


def test_a_missing_folder_and_a_missing_file(tmp_path):
    with pytest.raises(StorageError, match="There is no folder"):
        make(tmp_path / "nowhere" / "search.db").fit(X, y)
    with pytest.raises(StorageError, match="is not a file"):
        make(tmp_path).fit(X, y)
    for read in (skpg.studies, skpg.load_study):
        with pytest.raises(StorageError, match="There is no file"):
            read(tmp_path / "search.db")
    assert not list(tmp_path.iterdir())


def test_an_empty_file_is_a_new_storage(tmp_path):
    path = tmp_path / "search.db"
    path.touch()
    make(path).fit(X, y)
    assert len(skpg.studies(path)) == 1


@pytest.mark.parametrize(
    "storage", ["postgresql://localhost/search", "sqlite://", "sqlite:///", ":memory:", ""]
)
def test_addresses_that_are_no_files(storage):
    with pytest.raises(ValueError, match="storage must be the path of a file"):
        make(storage).fit(X, y)


def test_paths():
    assert path_of("sqlite:///a/b.db") == path_of(Path("a/b.db")) == Path("a/b.db")
    assert path_of("sqlite:////a/b.db") == Path("/a/b.db")


def test_odd_names_of_files(tmp_path):
    path = tmp_path / "a ?mode=ro#%41 é.db"
    make(path).fit(X, y)
    assert len(skpg.studies(path)) == 1
    assert path.exists()


def test_the_file_survives_a_power_failure(tmp_path):
    """sqlite syncs its log before it moves anything from there to the file."""
    storage = Storage(tmp_path / "search.db")
    assert storage.rows("PRAGMA journal_mode") == [("wal",)]
    ((synchronous,),) = storage.rows("PRAGMA synchronous")
    storage.close()
    assert synchronous >= 1  # NORMAL


# --- strangers' contents


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
        lambda: make(path, n_iter=11).fit(X, y),
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
        make(path, n_iter=11).fit(X, y)


# --- small parts


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    storage = Storage(tmp_path_factory.mktemp("rows") / "search.db")
    storage.write(
        "INSERT INTO studies VALUES (1, NULL, '', '{}', '0', '', '[]', 3, 0, 1, '{}', '', NULL)"
    )
    yield storage
    storage.close()


@given(
    st.lists(st.floats(allow_nan=True), min_size=3, max_size=3),
    st.floats(allow_nan=True),
    st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))),
)
def test_outcomes_keep_every_bit(storage, scores, seconds, fit_error):
    test, train = {"b": scores[0], "a": scores[1]}, {"b": scores[2], "a": -0.0}
    outcome = Outcome(test, train, seconds, 0.0, 50.0, fit_error)
    row, of_scores = rows_of((1, 0, 2), "ok", outcome)
    with storage.transaction() as connection:
        connection.execute("DELETE FROM folds")
        connection.execute("DELETE FROM scores")
        connection.execute(INSERT_FOLD, row)
        connection.executemany(INSERT_SCORE, of_scores)
    (fold,) = read_folds(storage, 1)
    assert repr(fold.outcome) == repr(outcome)  # which tells -0.0 from 0.0
    assert (fold.number, fold.fold, fold.status, fold.counts) == (0, 2, "ok", True)


@given(st.one_of(st.integers(), st.booleans(), st.none(), st.text(), st.floats(allow_nan=False)))
def test_choices_that_are_json_come_back_as_they_were(value):
    space = Space({"a": [value, "another", len]})
    text = encode(space, {"a": value})
    text.encode("ascii")
    back = decode(text, lambda *_: pytest.fail("it is no index"))["a"]
    assert repr(back) == repr(value)
    assert type(back) is type(value)


def test_locks_are_per_study_and_process(tmp_path):
    database = tmp_path / "search.db"
    one, same, other = Lock(database, 1), Lock(database, 1), Lock(database, 2)
    assert one.acquire()
    assert not same.acquire()
    assert other.acquire()
    same.release()  # what it does not have
    assert not same.acquire()
    child = os.fork()
    if not child:
        os._exit(int(one.acquire()) + 2 * int(Lock(database, 3).acquire()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    one.release()
    one.release()
    assert same.acquire()
    same.release()
    other.release()


def test_processes_make_a_storage_at_the_same_moment(tmp_path):
    for attempt in range(10):
        path = tmp_path / f"{attempt}.db"
        start = time.monotonic() + 0.05
        children = []
        for _ in range(4):
            child = os.fork()
            if not child:
                status = 1
                try:
                    while time.monotonic() < start:
                        pass
                    Storage(path).close()
                    status = 0
                finally:
                    os._exit(status)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0, 0]
        assert skpg.studies(path) == []


GUIDE = Path(__file__).parents[2] / "doc" / "user_guide" / "resuming.rst"
QUERIES = re.findall(r'sqlite3 (?:-\w+ )?search\.db "\n(.*?)"', GUIDE.read_text(), re.DOTALL)


def test_the_guide_names_all_columns(path):
    text = GUIDE.read_text()
    connection = sqlite3.connect(path)
    for table in PLACES:
        for _, column, *_ in connection.execute(f"PRAGMA table_info({table})"):
            assert re.search(rf"``[\w, ]*\b{column}\b[\w, ]*``", text), (table, column)
    connection.close()


@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 38), reason="older sqlite has no JSON")
@pytest.mark.parametrize("query", QUERIES)
def test_the_queries_of_the_guide_run(path, query):
    make(path, n_iter=2, batch_size=5).fit(X, y)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE studies SET study_name = 'iris' WHERE study_id = 1")
        connection.execute(
            "UPDATE folds SET status = 'failed', fit_error = 'no' "
            "WHERE study_id = 2 AND number = 0 AND fold = 0"
        )
    rows = connection.execute(query).fetchall()
    connection.close()
    assert rows


def test_there_are_queries_in_the_guide():
    assert len(QUERIES) == 5
