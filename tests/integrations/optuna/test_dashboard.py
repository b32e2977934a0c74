"""optuna-dashboard serves exported and live studies."""

import json
import math
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

optuna = pytest.importorskip("optuna")


from skpg.integrations.optuna import OptunaCallback, export_study  # noqa: E402
from tests.integrations.optuna.searches import search_of  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


@pytest.fixture
def dashboard(tmp_path):
    """A running optuna-dashboard: the URL of its storage, and what its API answers."""
    pytest.importorskip("optuna_dashboard")
    url = f"sqlite:///{tmp_path}/studies.db"
    optuna.storages.RDBStorage(url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("optuna-dashboard")
    command = [program, url, "--host", "127.0.0.1", "--port", str(port), "--server", "wsgiref"]
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)

    def api(path):
        end = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{path}") as answer:
                    return json.load(answer)
            except (urllib.error.URLError, ConnectionError):  # it is starting
                assert server.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.2)

    yield url, api
    server.terminate()
    server.wait()


def study_id(api, name):
    summaries = api("studies")["study_summaries"]
    return next(s["study_id"] for s in summaries if s["study_name"] == name)


def of_study(api, name, n):
    """What is served of a study with `n` trials; the storage is read every ten seconds."""
    end = time.monotonic() + 60
    while True:
        served = api(f"studies/{study_id(api, name)}")
        if len(served["trials"]) >= n or time.monotonic() > end:
            return served
        time.sleep(0.2)


def test_the_dashboard_serves_an_exported_and_a_live_study(dashboard):
    url, api = dashboard
    data = make_classification(n_samples=90, random_state=0)
    live = OptunaCallback(url, "live")
    seen = {}

    def look(progress):
        n = progress.n_candidates
        if n in (4, 8):
            seen[n] = of_study(api, "live", n)["trials"]

    space = {"C": loguniform(1e-3, 1e3), "fit_intercept": [True, False]}
    search = search_of(LogisticRegression(), space, callbacks=[live, look]).fit(*data)
    assert {n: len(trials) for n, trials in seen.items()} == {4: 4, 8: 8}
    export_study(search, url, study_name="exported")
    for name in ("live", "exported"):
        served = of_study(api, name, 12)
        values = [trial["values"][0] for trial in served["trials"]]
        assert values == pytest.approx(search.cv_results_["mean_test_score"].tolist())
        assert {trial["state"] for trial in served["trials"]} == {"Complete"}
        parameters = {p["name"]: p["param_external_value"] for p in served["trials"][0]["params"]}
        assert math.isclose(float(parameters["C"]), search.cv_results_["params"][0]["C"])
        assert parameters["fit_intercept"] in ("True", "False")
        steps = served["trials"][0]["intermediate_values"]
        assert [step["step"] for step in steps] == [0, 1, 2]
        attributes = {a["key"]: a["value"] for a in served["user_attrs"]}
        assert attributes["space: C"] == "loguniform(0.001, 1000.0)"
        assert served["union_search_space"]
    assert np.isfinite(values).all()
