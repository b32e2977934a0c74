"""Kill searches at random moments, start them again until they are done, and report.

Run as a script by test_kill_and_resume.py. The searches are children of this process, by fork:
so each starts at once, and dies alone. What was fitted is told by the file system, what was
recorded by sqlite, and nothing by skpg.
"""

import contextlib
import json
import os
import pickle
import random
import signal
import sqlite3
import sys
import time
import traceback
import zlib

import numpy as np
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from skpg import PolicyGradientSearchCV

X, y = load_iris(return_X_y=True)
FOLDS = list(StratifiedKFold(3).split(X, y))
FOLD_OF = {zlib.crc32(X[train].tobytes()): k for k, (train, _) in enumerate(FOLDS)}
SPACE = {
    "n_neighbors": stats.randint(1, 60),
    "p": stats.uniform(1, 3),
    "metric_params": [None, {}],  # of which one is no JSON
}


class Counted(KNeighborsClassifier):
    """Leaves a line in a file for each fit that is begun."""

    def __init__(self, log=None, n_neighbors=5, p=2, metric_params=None):
        super().__init__(n_neighbors=n_neighbors, p=p, metric_params=metric_params)
        self.log = log

    def fit(self, X, y):
        fold = FOLD_OF.get(zlib.crc32(np.asarray(X).tobytes()))
        if self.log and fold is not None:
            params = [self.n_neighbors, self.p, int(self.metric_params is None)]
            line = json.dumps([os.environ.get("RUN"), *params, fold])
            descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, (line + "\n").encode())
            os.close(descriptor)
            time.sleep(0.01)
        if self.n_neighbors == 13:
            raise ValueError("13 neighbors are not wanted")
        return super().fit(X, y)


def make(log, storage, settings):
    defaults = {"n_iter": 24, "batch_size": 4, "cv": FOLDS, "random_state": 0}
    if "confirm" in settings:
        defaults["confirm_cv"] = StratifiedKFold(3)
    return PolicyGradientSearchCV(Counted(log), SPACE, storage=storage, **{**defaults, **settings})


def result(search):
    """What must be the same to the bit."""
    columns = {
        name: (column.tolist() if hasattr(column, "tolist") else column)
        for name, column in search.cv_results_.items()
        if "time" not in name
    }
    return repr(
        (
            columns,
            search.best_params_,
            search.best_index_,
            search.history_,
            [actor.theta.tobytes() for actor in search.policy_.actors],
            search.stop_reason_,
            search.n_fits_,
            {
                name: _plain(getattr(search, name))
                for name in ("baseline_scores_", "confirm_results_", "oof_predictions_")
                if hasattr(search, name)
            },
            search.predict_proba(X).tobytes(),
        )
    )


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(column) for name, column in value.items()}
    return value.tobytes() if hasattr(value, "tobytes") else value


def lines(log):
    if not os.path.exists(log):
        return []
    with open(log) as file:
        return [tuple(json.loads(line)) for line in file]


def recorded(path):
    """The fits that are in the database."""
    if not os.path.exists(path):
        return set()
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            "SELECT json_extract(params, '$.n_neighbors'), json_extract(params, '$.p'), "
            "json_extract(params, '$.metric_params') IS NULL, fold "
            "FROM folds JOIN candidates USING (study_id, number) WHERE fold < 3"
        ).fetchall()
    except sqlite3.OperationalError:  # killed before the tables were made
        rows = []
    finally:
        connection.close()
    return set(rows)


def start(run, out, log, path, settings):
    child = os.fork()
    if child:
        return child
    os.setsid()
    os.environ["RUN"] = str(run)
    # Workers outlive what is killed: they must not hold the pipes of whoever waits for us.
    output = os.open(out + ".txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        search = make(log, path, settings).fit(X, y)
        with open(out + "-", "wb") as file:
            pickle.dump(result(search), file)
        os.rename(out + "-", out)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def kill_sometime(child, log, rng):
    """Kill after some new fits and some milliseconds; return whether it was alive."""
    wanted = len(lines(log)) + rng.choice([0, 1, 2, 3, 5])
    while len(lines(log)) < wanted and os.waitpid(child, os.WNOHANG) == (0, 0):
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.05))
    try:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return False
    except ChildProcessError:
        return False
    if rng.random() < 0.5:
        os.kill(child, signal.SIGKILL)  # its workers go on for a while
    else:
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def main(folder, n_kills, seed, settings):
    rng = random.Random(seed)
    expected = None
    if settings.get("evaluation") != "async":
        expected = result(make(None, None, {**settings, "n_jobs": 1}).fit(X, y))
    path, log, out = (os.path.join(folder, name) for name in ("search.db", "log", "out"))
    kills, before, twice, children = 0, [set()], [], []
    while not os.path.exists(out):
        run = len(before)
        child = start(run, out, log, path, settings)
        children.append(child)
        if kills < n_kills:
            kills += kill_sometime(child, log, rng)
        else:
            os.waitpid(child, 0)
            with open(out + ".txt") as output:
                assert os.path.exists(out), output.read()
        before.append(recorded(path))
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    for run, *fit in lines(log):
        if tuple(fit) in before[int(run) - 1]:
            twice.append([run, *fit])
    with open(out, "rb") as file:
        same = pickle.load(file) == expected
    fits = {tuple(fit) for _, *fit in lines(log)}
    report = {
        "kills": kills,
        "same": same,
        "fitted_again": twice,
        "recorded": len(before[-1]),
        "not_fitted": len(before[-1] - fits),
        "lines": len(lines(log)),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    # the class that workers import is that of the module, not of the script
    from tests.storage import killing

    killing.main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4]))
