"""Searches of the tests of studies."""

from scipy.stats import randint
from sklearn.datasets import load_iris

from skpg import PolicyGradientSearchCV

X, y = load_iris(return_X_y=True)
KNN = {"n_neighbors": randint(1, 31), "weights": ["uniform", "distance"], "p": [1, 2]}


def search_of(estimator, space, **options):
    options = {"n_iter": 12, "cv": 3, "random_state": 0} | options
    return PolicyGradientSearchCV(estimator, space, **options)
