"""
With MLflow: a run for each candidate
=====================================

The search is recorded while it runs, in a sqlite file of a new folder. Needs
``pip install "skpg[mlflow]"``. The last line says how to look at it in MLflow's own pages.
"""

import tempfile

import mlflow
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from skpg import PolicyGradientSearchCV
from skpg.integrations.mlflow import MLflowCallback


def main():
    """Search, and read the runs back."""
    folder = tempfile.mkdtemp()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("digits", artifact_location=f"{folder}/artifacts")
    mlflow.set_experiment("digits")

    X, y = load_digits(return_X_y=True)
    search = PolicyGradientSearchCV(
        SVC(),
        {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-6, 1e-1)},
        n_iter=20,
        cv=3,
        random_state=0,
        callbacks=[MLflowCallback(run_name="svm")],
    )
    with mlflow.start_run(run_name="svm"):
        search.fit(X[:600], y[:600])
        mlflow.log_metric("accuracy on the rest", search.score(X[600:], y[600:]))

    runs = mlflow.search_runs(
        filter_string="tags.skpg = 'complete'", order_by=["metrics.mean_test_score DESC"]
    )
    columns = ["tags.mlflow.runName", "params.C", "params.gamma", "metrics.mean_test_score"]
    print(runs[columns].head().to_string(index=False))
    print(f"mlflow ui --backend-store-uri sqlite:///{folder}/mlflow.db")


if __name__ == "__main__":
    main()
