"""The file: what is not a sound storage of ours is refused, and left as it was."""

import os
import pickle
import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest

import skpg
from skpg import StorageError
from skpg.storage.database import Storage, path_of
from tests.storage.searches import X, small_search, y


@pytest.fixture
def path(finished_copy):
    """A storage with one finished study."""
    return finished_copy


def contents(path):
    return {
        file.name: file.read_bytes() for file in path.parent.iterdir() if "lock" not in file.name
    }


def check_refused(path, words):
    """Searching and reading, and the file is as it was."""
    before = contents(path)
    with pytest.raises(StorageError, match=words):
        small_search(path).fit(X, y)
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
        small_search(with_log).fit(X, y)
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
        small_search(path).fit(X, y)
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
        connection.execute("PRAGMA user_version = 3")
    sqlite3.connect(path).close()
    connection.close()
    check_refused(path, "written by a newer skpg .its schema has version 3; this skpg knows 2")


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
        assert as_a_user(lambda: small_search(path).fit(X, y)) == 2
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
        small_search(tmp_path / "nowhere" / "search.db").fit(X, y)
    with pytest.raises(StorageError, match="is not a file"):
        small_search(tmp_path).fit(X, y)
    for read in (skpg.studies, skpg.load_study):
        with pytest.raises(StorageError, match="There is no file"):
            read(tmp_path / "search.db")
    assert not list(tmp_path.iterdir())


def test_an_empty_file_is_a_new_storage(tmp_path):
    path = tmp_path / "search.db"
    path.touch()
    small_search(path).fit(X, y)
    assert len(skpg.studies(path)) == 1


@pytest.mark.parametrize(
    "storage", ["postgresql://localhost/search", "sqlite://", "sqlite:///", ":memory:", ""]
)
def test_addresses_that_are_no_files(storage):
    with pytest.raises(ValueError, match="storage must be the path of a file"):
        small_search(storage).fit(X, y)


def test_paths():
    assert path_of("sqlite:///a/b.db") == path_of(Path("a/b.db")) == Path("a/b.db")
    assert path_of("sqlite:////a/b.db") == Path("/a/b.db")


def test_odd_names_of_files(tmp_path):
    path = tmp_path / "a ?mode=ro#%41 é.db"
    small_search(path).fit(X, y)
    assert len(skpg.studies(path)) == 1
    assert path.exists()


def test_the_file_survives_a_power_failure(tmp_path):
    """sqlite syncs its log before it moves anything from there to the file."""
    storage = Storage(tmp_path / "search.db")
    assert storage.rows("PRAGMA journal_mode") == [("wal",)]
    ((synchronous,),) = storage.rows("PRAGMA synchronous")
    storage.close()
    assert synchronous >= 1  # NORMAL
