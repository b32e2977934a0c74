"""
A pipeline: preprocessing and two model families in one search
==============================================================

Preprocessing, model and hyperparameters depend on each other: a good number of neighbours for
scaled columns is a bad one for raw columns. So they are tuned together here, in one space.

A choice may be any object. Estimators, ``"passthrough"``, ``None``, numbers and strings stand
in lists side by side, and reach the pipeline as they are (estimators are cloned).
"""

from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from skpg import PolicyGradientSearchCV
from skpg.display import PolicyDisplay, SlicesDisplay

threadpool_limits(1)  # the fits are so small that threads would only wait for each other

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

pipeline = Pipeline(
    [
        ("scale", StandardScaler()),
        ("reduce", "passthrough"),
        ("model", KNeighborsClassifier()),
    ]
)

# %%
# A list of dicts: one dict per model family
# ------------------------------------------
# Each candidate belongs to one dict and has the hyperparameters of that dict only. Which dict
# is a part of the policy: the search learns how much of its budget each family deserves.
#
# ``"passthrough"`` leaves a step out. Distributions keep their meaning: ``loguniform`` is
# searched on a logarithmic scale, ``randint`` yields integers.

preprocessing = {
    "scale": [StandardScaler(), MinMaxScaler(), RobustScaler(), "passthrough"],
    "reduce": ["passthrough", PCA(5, random_state=0), PCA(10, random_state=0), SelectKBest(k=10)],
}
space = [
    {
        **preprocessing,
        "model": [KNeighborsClassifier()],
        "model__n_neighbors": randint(1, 41),
        "model__weights": ["uniform", "distance"],
        "model__p": [1, 2],
    },
    {
        **preprocessing,
        "model": [DecisionTreeClassifier(random_state=0)],
        "model__criterion": ["gini", "entropy"],
        "model__max_depth": [None, 2, 3, 4, 6, 8, 12],
        "model__class_weight": [None, "balanced"],
        "model__max_features": uniform(0.1, 0.9),
        "model__ccp_alpha": loguniform(1e-5, 1e-1),
    },
]

# %%
# Start from what is in use today
# -------------------------------
# Candidates in ``initial_params`` are evaluated first, so the search can only improve on them.
# Their values must lie in the space, and an estimator must be the very object of the list.

today = {
    "scale": space[0]["scale"][0],
    "reduce": "passthrough",
    "model": space[0]["model"][0],
    "model__n_neighbors": 5,
    "model__weights": "uniform",
    "model__p": 2,
}
search = PolicyGradientSearchCV(
    pipeline, space, n_iter=100, initial_params=[today], scoring="roc_auc", random_state=0
)
search.fit(X_train, y_train)

print(f"today      {search.cv_results_['mean_test_score'][0]:.4f}")
print(f"best       {search.best_score_:.4f}")
print(f"held-out   {search.score(X_test, y_test):.4f}")
print(search.best_estimator_)

# %%
# What was learned
# ----------------
# The first row is the choice between the dicts; the others are grouped by dict ("branch").

print(search.policy_)

# %%
# The same as a picture, with the candidates on it: how the probabilities of each choice grew, and
# where numbers were looked for. Both families share the scaler and the reduction. See
# :doc:`/user_guide/displays` for what each part of a display means.

try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
    print("matplotlib is not installed: no plots.")

if plt is not None:
    PolicyDisplay.from_search(search).plot()
    plt.show()

# %%
# The scores against each hyperparameter. The line is what a critic of all candidates expects if
# one hyperparameter of the best candidate changes; for those of the other family, of the best
# candidate of that family.

if plt is not None:
    SlicesDisplay.from_search(search).plot()
    plt.show()

# %%
# The best score of a search is chosen as the greatest of many, which flatters it. The score of
# the whole procedure, search included, comes from an outer cross-validation: a search is an
# estimator like any other.

short = PolicyGradientSearchCV(pipeline, space, n_iter=20, scoring="roc_auc", random_state=0)
scores = cross_val_score(short, X, y, cv=3, scoring="roc_auc")
print(f"nested cross-validation, 20 candidates: {scores.mean():.4f} +- {scores.std():.4f}")
