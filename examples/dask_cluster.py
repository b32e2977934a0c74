"""
A search on a dask cluster
==========================

A cluster of two worker processes on this machine stands for a real one: only the address of
the client would differ. Needs ``pip install "skpg[dask]"``.
"""

import joblib
from distributed import Client, LocalCluster
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from skpg import PolicyGradientSearchCV


def main():
    """Search on the cluster."""
    X, y = load_digits(return_X_y=True)
    search = PolicyGradientSearchCV(
        SVC(),
        {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-6, 1e-1)},
        n_iter=20,
        cv=3,
        candidate_timeout=60,
        random_state=0,
    )
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        search.fit(X[:600], y[:600])
    print(search.best_params_, round(search.best_score_, 3))


# Workers import this file: what starts them must not run again there.
if __name__ == "__main__":
    main()
