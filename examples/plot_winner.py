"""
A winner to trust
=================

The best of many noisy scores is too high, and the model behind it may be no better than the one
you had. This example asks a search for the truth: what the estimator scores as it is, what the best
score is without luck, what fresh splits say, and what becomes of it on rows that no search has
seen. Then it makes more of the same fits, by averages of models.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import randint, uniform
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor

from skpg import Ensemble, PolicyGradientSearchCV

X, y = load_diabetes(return_X_y=True)
tree = DecisionTreeRegressor(max_depth=4, random_state=0)
space = {
    "max_depth": randint(1, 20),
    "min_samples_leaf": randint(1, 40),
    "max_features": uniform(0.1, 0.9),
    "criterion": ["squared_error", "absolute_error"],
}

# %%
# One search, and what it knows of itself
# ---------------------------------------
# ``baseline`` evaluates the tree exactly as it was passed, ``confirm`` the three best candidates on
# four fresh splits, and ``keep="predictions"`` lets the corrected score have an interval.

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
search = PolicyGradientSearchCV(
    tree,
    space,
    n_iter=60,
    baseline=True,
    confirm=(3, 4),
    keep="predictions",
    verbose=1,
    random_state=0,
).fit(X_train, y_train)

# %%
# The corrected score, and what the best candidate scores on the other half of the rows:

print(search.corrected_score_)
print(f"on new rows: {search.score(X_test, y_test):.3f}")

# %%
# The same fits, used in three ways
# ---------------------------------
# A single split tells little, so this takes eight. Each way has 40 candidates; the committee and
# the ensemble are made of models of the folds, so that the search is the same.

WAYS = {
    "as passed": None,
    "refit": "refit",
    "committee": "committee",
    "ensemble": Ensemble(),
}
claimed, corrected = [], []
held_out = {way: [] for way in WAYS}
for seed in range(8):
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=seed)
    for way, final in WAYS.items():
        if final is None:
            model = tree.fit(X_train, y_train)
        else:
            model = PolicyGradientSearchCV(
                tree, space, n_iter=40, final=final, random_state=seed
            ).fit(X_train, y_train)
        held_out[way].append(model.score(X_test, y_test))
        if final == "refit":
            claimed.append(model.best_score_)
            corrected.append(model.corrected_score_.score)

# %%
# Each grey line is one split of the rows. On the left is what the search claims, in the middle what
# it says without luck, on the right what comes true.

rows = np.array([claimed, corrected, *(held_out[way] for way in WAYS if way != "as passed")])
labels = ["best_score_", "corrected_score_", "refit", "committee", "ensemble"]
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(rows, color="0.75", linewidth=1)
ax.plot(rows.mean(axis=1), "o-", color="C0", linewidth=2, label="mean of eight splits")
ax.axhline(np.mean(held_out["as passed"]), color="C1", linestyle="--", label="as passed, new rows")
ax.axvline(1.5, color="0.5", linewidth=0.8)
ax.set_xticks(range(len(labels)), labels)
ax.text(0.75, ax.get_ylim()[1], "in cross-validation", ha="center", va="bottom")
ax.text(3, ax.get_ylim()[1], "on new rows", ha="center", va="bottom")
ax.set_ylabel("R squared")
fig.legend(loc="outside lower center", ncols=2)
plt.show()
