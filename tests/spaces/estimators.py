"""One estimator of each known class of scikit-learn, with rows that it can be fitted to."""

from functools import cache

import numpy as np
from sklearn.base import is_regressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import all_estimators

from skpg.spaces.suggestion import FAMILIES

ENTRIES = [entry for entries in FAMILIES.values() for entry in entries]
CLASSES = dict(all_estimators())
PARTS = {
    "SelectFromModel": [LogisticRegression()],
    "StackingClassifier": [[("bayes", GaussianNB())], LogisticRegression()],
    "StackingRegressor": [[("ridge", Ridge())], Ridge()],
}
# Fewer trees and iterations than the defaults, where the space has no ranges for them.
QUICK = {"n_estimators": 10, "max_iter": 20}
WORDS = np.array(["tree", "leaf", "root", "sun", "moon", "star", "sea", "wave", "sand"])


def known_of(package):
    """Return the names of the classes of a package, sorted."""
    entries = [entry for entry in ENTRIES if entry.package == package]
    return sorted({name for entry in entries for name in entry.classes.split()})


def default_of(name):
    """Return an estimator of scikit-learn as its class makes it."""
    return CLASSES[name](*PARTS.get(name, []))


def problem_of(name):
    """Return an estimator that predicts, alone or with other steps, and 150 rows for it."""
    estimator = default_of(name)
    quick = {key: value for key, value in QUICK.items() if key in estimator.get_params()}
    if name == "OneHotEncoder":
        quick = {"handle_unknown": "ignore"}
    estimator.set_params(**quick)
    steps = [estimator] if hasattr(estimator, "predict") else [estimator, LogisticRegression()]
    if name in {"CountVectorizer", "TfidfVectorizer"}:
        return make_pipeline(*steps), *rows_of("texts")
    if name in {"OneHotEncoder", "TargetEncoder", "CategoricalNB"}:
        return make_pipeline(*steps), *rows_of("categories")
    if name in {"SimpleImputer", "KNNImputer"}:
        X, y = rows_of("wine")
        X = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
        return make_pipeline(*steps), X, y
    positive = name == "TfidfTransformer" or name.endswith("NB")
    scaler = MinMaxScaler(clip=True) if positive else StandardScaler()
    rows = "diabetes" if is_regressor(estimator) else "wine"
    return make_pipeline(scaler, *steps), *rows_of(rows)


@cache
def rows_of(name):
    """Return 150 rows and their targets."""
    rng = np.random.default_rng(0)
    if name == "texts":
        y = np.arange(150) % 2
        return [" ".join(rng.choice(WORDS[4 * label : 4 * label + 5], 9)) for label in y], y
    loaders = {"cancer": load_breast_cancer, "diabetes": load_diabetes}
    X, y = loaders.get(name, load_wine)(return_X_y=True)
    rows = rng.permutation(len(X))[:150]
    X, y = X[rows], y[rows]
    if name == "categories":
        X = np.stack([np.digitize(x, np.quantile(x, [0.25, 0.5, 0.75])) for x in X.T[:5]], axis=1)
    return X, y
