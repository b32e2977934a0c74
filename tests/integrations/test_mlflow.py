import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own imports are deprecated
    mlflow = pytest.importorskip("mlflow")
    from skpg.integrations.mlflow import MLflowCallback

X, y = load_iris(return_X_y=True)
SPACE = {"n_neighbors": randint(1, 31), "weights": ["uniform", "distance"]}
SVMS = {"C": loguniform(1e-3, 1e3), "kernel": ["linear", "rbf"]}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A store with its tables, which take seconds to make."""
    folder = tmp_path_factory.mktemp("mlflow")
    url = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(url)
    mlflow.create_experiment("first", artifact_location=folder.as_uri())
    return url, folder


@pytest.fixture
def store(database, request):
    """An empty experiment, and a function that returns its runs: the parent, the children."""
    url, folder = database
    mlflow.set_tracking_uri(url)
    location = folder / request.node.name
    mlflow.create_experiment(request.node.name, artifact_location=location.as_uri())
    experiment = mlflow.set_experiment(request.node.name)

    def runs():
        found = mlflow.search_runs([experiment.experiment_id], order_by=["start_time ASC"])
        if "tags.mlflow.parentRunId" not in found:
            found["tags.mlflow.parentRunId"] = None
        is_child = found["tags.mlflow.parentRunId"].notna()
        return found[~is_child].reset_index(drop=True), found[is_child].reset_index(drop=True)

    yield runs
    while mlflow.active_run() is not None:
        mlflow.end_run()
    mlflow.sklearn.autolog(disable=True)


def search_of(estimator=None, space=SPACE, **options):
    options = {"n_iter": 12, "cv": 3, "random_state": 0} | options
    return PolicyGradientSearchCV(estimator or KNeighborsClassifier(), space, **options)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_one_parent_and_a_child_per_candidate_with_autologging_on(store, n_jobs):
    mlflow.sklearn.autolog(silent=True)
    callback = MLflowCallback(run_name="svm")
    search = search_of(SVC(), SVMS, n_jobs=n_jobs, callbacks=[callback]).fit(X, y)
    parents, children = store()
    assert (len(parents), len(children)) == (1, 12)
    assert set(children["tags.mlflow.parentRunId"]) == {callback.run_id} == {parents.run_id[0]}
    assert set(parents.status) | set(children.status) == {"FINISHED"}
    results = search.cv_results_
    children = children.set_index("tags.mlflow.runName")
    rows = children.loc[[f"candidate {n}" for n in range(1, 13)]]
    scores = rows["metrics.mean_test_score"].to_numpy()
    assert np.allclose(scores, results["mean_test_score"])
    assert np.allclose(rows["metrics.std_test_score"].to_numpy(), results["std_test_score"])
    assert [float(C) for C in rows["params.C"]] == [p["C"] for p in results["params"]]
    # what was off is on again: a fit of one's own is logged
    LogisticRegression(max_iter=1000).fit(X, y)
    parents, children = store()
    assert (len(parents), len(children)) == (2, 12)


def test_the_parent_tells_what_was_searched_and_what_was_found(store):
    search = search_of(callbacks=[MLflowCallback(run_name="knn", tags={"team": "a"})]).fit(X, y)
    parents, children = store()
    parent = parents.iloc[0]
    assert parent["tags.mlflow.runName"] == "knn"
    assert parent["params.estimator"] == "KNeighborsClassifier()"
    assert parent["params.space.n_neighbors"] == "randint(1, 31)"
    assert parent["params.space.weights"] == "['uniform', 'distance']"
    assert parent["params.n_iter"] == "12"
    assert parent["params.best_n_neighbors"] == str(search.best_params_["n_neighbors"])
    assert parent["metrics.best_score"] == pytest.approx(search.best_score_)
    assert (parent["metrics.n_candidates"], parent["metrics.n_fits"]) == (12, 36)
    assert parent["tags.stop_reason"] == "n_iter"
    assert set(children["tags.team"]) | {parent["tags.team"]} == {"a"}
    client = mlflow.MlflowClient()
    steps = client.get_metric_history(parent.run_id, "best_score")
    best = np.maximum.accumulate(search.cv_results_["mean_test_score"])
    assert [m.step for m in steps] == list(range(1, 13))
    assert [m.value for m in steps] == pytest.approx(best.tolist())
    table = pd.read_csv(
        mlflow.artifacts.download_artifacts(f"runs:/{parent.run_id}/cv_results.csv")
    )
    assert np.allclose(table["mean_test_score"], search.cv_results_["mean_test_score"])
    figure = mlflow.artifacts.download_artifacts(f"runs:/{parent.run_id}/convergence.png")
    with open(figure, "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


def test_folds_are_steps(store):
    search = search_of(n_iter=3, callbacks=[MLflowCallback()]).fit(X, y)
    _, children = store()
    client = mlflow.MlflowClient()
    for number in range(3):
        (run,) = children[children["tags.mlflow.runName"] == f"candidate {number + 1}"].run_id
        history = {m.step: m.value for m in client.get_metric_history(run, "fold_score")}
        assert history == {k: search.cv_results_[f"split{k}_test_score"][number] for k in range(3)}


def test_children_appear_while_the_search_runs(store):
    seen = []

    def look(progress):
        parents, children = store()
        seen.append((parents.status[0], len(children)))

    search_of(n_iter=3, callbacks=[MLflowCallback(), look]).fit(X, y)
    assert seen == [("RUNNING", 1), ("RUNNING", 2), ("RUNNING", 3)]


def test_failed_and_raced_candidates_say_so(store):
    options = {"space": {"a": list(range(20))}, "n_iter": 20, "callbacks": [MLflowCallback()]}
    with pytest.warns(Warning, match="fits failed|non-finite"):
        search_of(Scripted(act="raise", on=(3, 4)), **options).fit(X, y)
    _, children = store()
    failed = children[children.status == "FAILED"]
    assert set(failed["params.a"]) == {"3", "4"}
    assert set(failed["tags.skpg"]) == {"failed"}
    raced = search_of(Scripted(), racing=True, racing_bound=0.25, **options).fit(X, y)
    _, children = store()
    n_raced = (raced.cv_results_["n_folds_evaluated"] < 3).sum()
    assert (children["tags.skpg"] == "raced").sum() == n_raced > 0


def test_an_active_run_becomes_the_parent_and_stays_open(store):
    with mlflow.start_run(run_name="mine") as mine:
        mlflow.log_param("n_iter", "said before")
        callback = MLflowCallback()
        search_of(n_iter=3, callbacks=[callback]).fit(X, y)
        assert callback.run_id == mine.info.run_id
        assert mlflow.active_run().info.run_id == mine.info.run_id
        mlflow.log_metric("mine", 1.0)
        # the second search of a run is a child of it, with children of its own
        search_of(n_iter=2, callbacks=[callback]).fit(X, y)
        assert callback.run_id != mine.info.run_id
        assert mlflow.active_run().info.run_id == mine.info.run_id
    parents, children = store()
    assert list(parents["tags.mlflow.runName"]) == ["mine"]
    assert parents["params.n_iter"][0] == "said before"
    assert set(parents.status) | set(children.status) == {"FINISHED"}
    assert (children["tags.mlflow.parentRunId"] == mine.info.run_id).sum() == 3 + 1
    assert (children["tags.mlflow.parentRunId"] == callback.run_id).sum() == 2


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("enough"), "FAILED"), (KeyboardInterrupt("enough"), "KILLED")],
    ids=["error", "second ctrl-c"],
)
def test_a_search_that_raises_closes_its_run(store, error, status):
    def fail(progress):
        if progress.n_candidates == 2:
            raise error

    with pytest.raises(type(error), match="enough"):
        search_of(callbacks=[MLflowCallback(), fail]).fit(X, y)
    assert mlflow.active_run() is None
    parents, children = store()
    assert list(parents.status) == [status]
    assert "enough" in parents["tags.stop_reason"][0]
    assert len(children) == 2


def test_a_search_that_raises_before_its_first_candidate_has_no_figure(store):
    callback = MLflowCallback()
    with pytest.raises(ValueError, match="n_splits=500"):
        search_of(cv=500, callbacks=[callback]).fit(X, y)
    parents, _ = store()
    assert "n_splits=500" in parents["tags.stop_reason"][0]
    assert mlflow.artifacts.list_artifacts(run_id=callback.run_id) == []


def test_a_store_that_fails_does_not_end_the_search(store, tmp_path):
    path = tmp_path / "broken.db"
    mlflow.set_tracking_uri(f"sqlite:///{path}")
    mlflow.create_experiment("broken", artifact_location=tmp_path.as_uri())
    mlflow.set_experiment("broken")

    def destroy(progress):
        if progress.n_candidates == 2:
            path.write_bytes(b"this is not a database" * 1000)

    with pytest.warns(UserWarning, match="MLflowCallback records nothing more") as caught:
        search = search_of(callbacks=[MLflowCallback(), destroy]).fit(X, y)
    assert len([w for w in caught if "MLflowCallback" in str(w.message)]) == 1
    assert len(search.cv_results_["params"]) == 12
    assert mlflow.active_run() is None


def test_a_search_within_a_search_keeps_to_itself(store):
    mlflow.sklearn.autolog(silent=True)
    inner = search_of(n_iter=2, callbacks=[MLflowCallback()])
    outer = PolicyGradientSearchCV(
        inner, {"estimator__leaf_size": [10, 30]}, n_iter=2, cv=2, callbacks=[MLflowCallback()]
    )
    outer.fit(X, y)
    parents, children = store()
    assert len(parents) == 1
    own = children["tags.mlflow.parentRunId"] == parents.run_id[0]
    # two candidates; and a run for each inner search: 2 candidates x 2 folds and the refit
    assert own.sum() == 2 + 5
    assert (~own).sum() == 5 * 2


def test_one_callback_keeps_searches_apart_that_run_at_the_same_time(store):
    mlflow.sklearn.autolog(silent=True)
    callback, together = MLflowCallback(), threading.Barrier(2)
    first_ended = threading.Event()

    def wait(progress):
        together.wait(60)  # for the other one's candidate

    def be_last(progress):  # refit when the other one has ended
        if progress.n_candidates == 4:
            assert first_ended.wait(60)

    def run(weights, *more):
        space = {"n_neighbors": randint(1, 31), "weights": [weights]}
        return search_of(space=space, n_iter=4, callbacks=[wait, callback, *more]).fit(X, y)

    def run_first():
        run("uniform")
        first_ended.set()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run_first), pool.submit(run, "distance", be_last)]:
            future.result()
    parents, children = store()
    assert (len(parents), len(children)) == (2, 8)
    for _, parent in parents.iterrows():
        mine = children[children["tags.mlflow.parentRunId"] == parent.run_id]
        assert [f"['{weights}']" for weights in mine["params.weights"]] == (
            [parent["params.space.weights"]] * 4
        )
    assert set(parents.status) == {"FINISHED"}
    # what was off is on again
    LogisticRegression(max_iter=1000).fit(X, y)
    assert len(store()[0]) == 3


def test_a_callback_can_be_cloned_and_pickled(store):
    callback = MLflowCallback(run_name="a", tags={"b": "c"})
    search = search_of(n_iter=2, callbacks=[callback]).fit(X, y)
    for copy in (clone(search).callbacks[0], pickle.loads(pickle.dumps(callback))):
        assert copy is not callback
        assert (copy.run_name, copy.tags) == ("a", {"b": "c"})
    assert pickle.loads(pickle.dumps(search)).predict(X).shape == y.shape


SCRIPT = """
import sys
import mlflow
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from skpg import PolicyGradientSearchCV
from skpg.integrations.mlflow import MLflowCallback
from tests.estimators import Scripted

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment(sys.argv[2])
X, y = load_iris(return_X_y=True)
search = PolicyGradientSearchCV(
    Scripted(seconds=0.1), {"a": list(range(1000))}, n_iter=1000, cv=3, callbacks=[MLflowCallback()]
).fit(X, y)
print(search.stop_reason_, len(search.cv_results_["params"]))
"""


def test_ctrl_c_leaves_a_finished_parent_and_its_children(store, database, request):
    command = [sys.executable, "-c", SCRIPT, database[0], request.node.name]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    while len(store()[1]) < 3:
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    reason, n_candidates = output.split()
    assert reason == "interrupted"
    parents, children = store()
    assert (list(parents.status), len(children)) == (["FINISHED"], int(n_candidates))
    assert parents["tags.stop_reason"][0] == "interrupted"
    assert set(children.status) == {"FINISHED"}
