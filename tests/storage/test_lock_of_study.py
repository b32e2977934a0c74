"""One search at a time on each study; the lock goes with its process."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from skpg import StudyInUseError
from skpg.evaluation.workers.lock import Lock
from tests.storage.searches import X, make, result, rows_in, y

ROOT = Path(__file__).parents[2]
SECOND = """
import sys
from skpg import StudyInUseError
from tests.storage.searches import X, make, y

if __name__ == "__main__":
    try:
        make(sys.argv[1], study_name=sys.argv[2] or None).fit(X, y)
    except StudyInUseError as error:
        print(error)
    else:
        print("done")
"""


def second_process(tmp_path, path, name=""):
    script = tmp_path / "second.py"
    script.write_text(SECOND)
    done = subprocess.run(
        [sys.executable, str(script), path, name],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_second_search_on_a_study_is_refused_at_once(tmp_path, path):
    """In another process, in another thread; not after the first has ended."""
    said = []

    def meanwhile(progress):
        if progress.n_candidates == 5:
            said.append(second_process(tmp_path, path))
            said.append(second_process(tmp_path, path, "another"))
            with pytest.raises(StudyInUseError, match="Study 1 in .* is in use"):
                make(path).fit(X, y)

    make(path, callbacks=[meanwhile]).fit(X, y)
    assert "Study 1 in" in said[0]
    assert "is in use" in said[0]
    assert said[1] == "done\n"
    assert second_process(tmp_path, path) == "done\n"


def test_the_lock_dies_with_its_process(tmp_path, path):
    child = os.fork()
    if not child:
        try:
            make(path, callbacks=[lambda _: time.sleep(600)]).fit(X, y)
        finally:
            os._exit(1)
    try:
        while not os.path.exists(path) or not rows_in(path):
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
            time.sleep(0.01)
        with pytest.raises(StudyInUseError):
            make(path).fit(X, y)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert result(make(path).fit(X, y)) == result(make().fit(X, y))


def test_threads_of_one_process_do_not_lose_each_others_locks(path):
    """POSIX drops all locks on a file when one descriptor of it is closed."""
    started, ended = threading.Event(), threading.Event()

    def wait(progress):
        started.set()
        assert ended.wait(60)

    thread = threading.Thread(
        target=make(path, study_name="one", callbacks=[wait]).fit, args=(X, y)
    )
    thread.start()
    try:
        assert started.wait(60)
        make(path, study_name="two").fit(X, y)  # opens and closes the same files
        child = os.fork()
        if not child:
            try:
                make(path, study_name="one").fit(X, y)
            except StudyInUseError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        ended.set()
        thread.join()


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
