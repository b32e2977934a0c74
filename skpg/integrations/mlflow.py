"""MLflow: a run for each candidate, while the search goes on.

Needs ``pip install "skpg[mlflow]"``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mlflow.entities import Metric, Param, RunTag
from mlflow.utils import autologging_utils

from skpg.display import ConvergenceDisplay, Recorder
from skpg.evaluation.stopping import Progress
from skpg.integrations.tracking import Record, Tracker, described_settings, described_space, text

__all__ = ["MLflowCallback"]

# Greatest number of params that MLflow takes in one call.
LARGEST_BATCH = 100
# The tag of all runs of searches: "search", or the status of a candidate.
TAG = "skpg"


class MLflowCallback(Tracker):
    """Record a search in MLflow: a parent run, and a child run for each candidate.

    Pass it in the `callbacks` of `PolicyGradientSearchCV`. Children appear while the search
    runs. Each has the candidate's params, the scores of its folds as steps of
    ``fold_score``, ``mean_test_score`` and ``std_test_score``. The parent has the space and
    the settings as params, ``best_score`` with a step per candidate, and in the end the best
    params, ``stop_reason``, ``cv_results.csv`` and a figure of the convergence.

    Runs go to the tracking server and the experiment that are set in MLflow. A run that is
    active becomes the parent, and stays open; if it has a search already, a child of it does.

    Parameters
    ----------
    run_name : str, default=None
        Name of the parent run. None is a name that MLflow makes up.
    tags : dict of str to str, default=None
        Tags of the parent run and of its children.

    Attributes
    ----------
    run_id : str or None
        The parent run of the search that began last.

    Notes
    -----
    MLflow's automatic logging is off while a search runs: it would make a run of each fit
    in this process, the refit included.

    If MLflow fails, a warning says so and the search goes on without it. The parent run is
    closed however a search ends, by Ctrl-C as well.

    Examples
    --------
    >>> import tempfile
    >>> import mlflow
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.integrations.mlflow import MLflowCallback
    >>> folder = tempfile.mkdtemp()
    >>> mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    >>> experiment = mlflow.create_experiment("iris", artifact_location=folder)
    >>> with mlflow.start_run(experiment_id=experiment):
    ...     search = PolicyGradientSearchCV(
    ...         SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=10, callbacks=[MLflowCallback()]
    ...     ).fit(*load_iris(return_X_y=True))
    >>> runs = mlflow.search_runs([experiment], order_by=["metrics.mean_test_score DESC"])
    >>> len(runs), bool(runs["metrics.mean_test_score"][0] == search.best_score_)
    (11, True)
    """

    def __init__(self, *, run_name: str | None = None, tags: Mapping[str, str] | None = None):
        self.run_name = run_name
        self.tags = tags
        self.run_id: str | None = None

    def _new_record(self) -> Record:
        self.run_id = None
        return _RunOfSearch(self)


class _RunOfSearch(Record):
    """The parent run of one search."""

    def __init__(self, callback: MLflowCallback):
        self._callback = callback
        self._tags = callback.tags or {}
        self._resources = ExitStack()
        self._own_run_id: str | None = None
        self._recorder = Recorder()

    def begin(self, search: Any) -> None:
        self._recorder.on_search_begin(search)
        self._resources.enter_context(_without_autologging())
        self._client = mlflow.MlflowClient()
        active = mlflow.active_run()
        if active is None or TAG in self._client.get_run(active.info.run_id).data.tags:
            name = self._callback.run_name
            active = mlflow.start_run(run_name=name, nested=active is not None)
            self._own_run_id = active.info.run_id
        self._run_id, self._experiment = active.info.run_id, active.info.experiment_id
        self._callback.run_id = self._run_id
        space = {f"space.{name}": value for name, value in described_space(search).items()}
        self._log(self._run_id, described_settings(search) | space, tags={TAG: "search"})

    def add(self, progress: Progress) -> None:
        self._recorder(progress)
        number, now = progress.n_candidates, time.time()
        child = self._client.create_run(
            self._experiment,
            start_time=int(1000 * (now - progress.seconds)),
            tags={"mlflow.parentRunId": self._run_id},
            run_name=f"candidate {number}",
        ).info.run_id
        try:
            self._log(child, progress.params, _metrics(progress), {TAG: progress.status})
        finally:
            state = "FAILED" if progress.status == "failed" else "FINISHED"
            self._client.set_terminated(child, state, int(1000 * now))
        if np.isfinite(progress.best_score):
            self._client.log_metric(
                self._run_id, "best_score", progress.best_score, step=number, synchronous=True
            )

    def end(self, search: Any, error: BaseException | None) -> None:
        n_candidates = len(self._recorder.progress)
        if n_candidates:
            self._client.log_figure(self._run_id, self._figure(), "convergence.png")
        if error is not None:
            self._client.set_tag(self._run_id, "stop_reason", text(error))
            return
        best = getattr(search, "best_params_", {})
        self._log(
            self._run_id,
            {f"best_{name}": value for name, value in best.items()},
            [("n_candidates", n_candidates, 0), ("n_fits", search.n_fits_, 0)],
            {"stop_reason": search.stop_reason_},
        )
        results = pd.DataFrame(search.cv_results_).to_csv(index=False)
        self._client.log_text(self._run_id, results, "cv_results.csv")

    def _figure(self) -> Figure:
        figure = Figure(figsize=(7, 4), layout="constrained", dpi=120)
        display = ConvergenceDisplay.from_search(self._recorder, random_search=False)
        display.plot(figure.add_subplot())
        return figure

    def close(self, error: BaseException | None) -> None:
        with self._resources:
            if self._own_run_id is None:
                return
            state = "FINISHED" if error is None else "FAILED"
            state = "KILLED" if isinstance(error, KeyboardInterrupt) else state
            active = mlflow.active_run()
            if active is not None and active.info.run_id == self._own_run_id:
                mlflow.end_run(state)
            else:  # somebody started another one, or ended ours
                self._client.set_terminated(self._own_run_id, state)

    def _log(
        self,
        run_id: str,
        params: Mapping[str, Any],
        metrics: Sequence[tuple[str, float, int]] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log to a run what it does not have yet; params of a run can be set only once."""
        now = int(1000 * time.time())
        known = self._client.get_run(run_id).data.params if run_id == self._run_id else {}
        new = [Param(name, text(value)) for name, value in params.items() if name not in known]
        for start in range(0, len(new), LARGEST_BATCH):
            self._client.log_batch(run_id, params=new[start : start + LARGEST_BATCH])
        self._client.log_batch(
            run_id,
            [Metric(name, float(value), now, step) for name, value, step in metrics],
            tags=[RunTag(k, v) for k, v in {**self._tags, **(tags or {})}.items()],
            synchronous=True,
        )


_autologging_lock = threading.Lock()
_autologging_off = ExitStack()
_n_running = 0


@contextmanager
def _without_autologging() -> Iterator[None]:
    """Switch automatic logging off until the last search of this process has ended.

    MLflow's own context forgets that it was entered before.
    """
    global _n_running
    with _autologging_lock:
        # Private: nothing else says whether the user has done so.
        if not _n_running and not autologging_utils._AUTOLOGGING_GLOBALLY_DISABLED:
            _autologging_off.enter_context(autologging_utils.disable_autologging())
        _n_running += 1
    try:
        yield
    finally:
        with _autologging_lock:
            _n_running -= 1
            if not _n_running:
                _autologging_off.close()


def _metrics(progress: Progress) -> list[tuple[str, float, int]]:
    """Return the metrics of a candidate with their steps."""
    folds = np.array(progress.fold_scores)
    metrics = [("fold_score", s, k) for k, s in enumerate(folds.tolist()) if np.isfinite(s)]
    if np.isfinite(progress.score):
        metrics += [("mean_test_score", progress.score, 0), ("std_test_score", folds.std(), 0)]
    return [*metrics, ("seconds", progress.seconds, 0)]
