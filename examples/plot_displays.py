"""
Displays: what the search did and learned
=========================================

Eight pictures of one search. Each is made by ``from_search`` and drawn by ``plot``, as the displays
of scikit-learn are, and keeps its numbers as arrays. :doc:`/user_guide/displays` says what each
part of them means, and how the estimates are made.

They need matplotlib: ``pip install matplotlib``.
"""

import matplotlib.pyplot as plt
from scipy.stats import loguniform
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

from skpg import PolicyGradientSearchCV
from skpg.display import (
    ConvergenceDisplay,
    ImportanceDisplay,
    PairsDisplay,
    ParallelCoordinatesDisplay,
    PolicyDisplay,
    RacingDisplay,
    SlicesDisplay,
    TimelineDisplay,
)

threadpool_limits(1)  # the fits are so small that threads would only wait for each other

X, y = load_diabetes(return_X_y=True)
pipeline = Pipeline([("scale", StandardScaler()), ("reduce", None), ("svr", SVR())])
space = {
    "scale": [StandardScaler(), MinMaxScaler(), RobustScaler(), "passthrough"],
    "reduce": [None, PCA(3), PCA(6)],
    "svr__kernel": ["rbf", "sigmoid"],
    "svr__C": loguniform(1e-2, 1e3),
    "svr__gamma": loguniform(1e-5, 1e1),
    "svr__epsilon": loguniform(1e-2, 1e2),
    "svr__shrinking": [True, False],
}
search = PolicyGradientSearchCV(
    pipeline, space, n_iter=80, racing="optimistic", n_jobs=2, random_state=0
)
search.fit(X, y)
print(f"R2 {search.best_score_:.3f}, {search.n_fits_} fits")
print(search.best_params_)

# %%
# Convergence
# -----------
# Does the search still gain? Dots are candidates, the line is the best one so far, the star the
# winner. Circles are candidates that lost the race: their height is what the folds that were run
# promise. Triangles at the lower edge are candidates far below. The dashed line is an *estimate* of
# what random search would have found in the same space: the search did not run it.

ConvergenceDisplay.from_search(search).plot()
plt.show()

# %%
# Side by side
# ------------
# A list of searches is shown as their mean and one standard deviation, a dict compares them. Random
# search is now measured.

settings = {"n_iter": 40, "cv": 5}
seeds = range(3)
searches = {
    "PolicyGradientSearchCV": [
        PolicyGradientSearchCV(pipeline, space, random_state=seed, **settings) for seed in seeds
    ],
    "RandomizedSearchCV": [
        RandomizedSearchCV(pipeline, space, random_state=seed, **settings) for seed in seeds
    ],
}
for several in searches.values():
    for one in several:
        one.fit(X, y)
display = ConvergenceDisplay.from_search(searches).plot(x="fits")
display.ax_.set_ylim(bottom=0.3)
plt.show()

# %%
# Policy
# ------
# What the policy would have drawn, from the user's own distributions at the left to what was
# learned at the right. Of a distribution the line is the median and the shades are the central
# 50 %, 80 % and 98 %; of a list the height of a band is the probability of a choice. A narrow fan
# was decided; a fan as wide as at the start says that the value does not matter, or was not found
# out. One that leans on an end of the axis says that the range may be too narrow.

PolicyDisplay.from_search(search).plot()
plt.show()

# %%
# Slices
# ------
# The score against each hyperparameter. Dots are all candidates, whatever their other
# hyperparameters. The line is what a critic, a Gaussian process of all scores, expects if only this
# hyperparameter of the best candidate changes, and the band its central 80 %. Dotted lines are the
# ends of the range.

SlicesDisplay.from_search(search).plot()
plt.show()

# %%
# Importance
# ----------
# How much of the differences that the critic expects over the whole space comes from each
# hyperparameter: alone, and with all that it does together with others. The lines show how much
# that varies if the critic sees a random half of the candidates.

ImportanceDisplay.from_search(search).plot()
plt.show()

# %%
# Pairs
# -----
# The score that the critic expects over two hyperparameters, where the others are those of the best
# candidate. A ridge that runs aslant says that the good values of one depend on the other.

PairsDisplay.from_search(search, params=["svr__C", "svr__gamma", "svr__epsilon"]).plot()
plt.show()

# %%
# Parallel coordinates
# --------------------
# Each candidate is a line through its values, coloured by its score; the thick line is the best
# one. Where bright lines meet, good candidates agree.

ParallelCoordinatesDisplay.from_search(search).plot()
plt.show()

# %%
# Racing
# ------
# How many folds were run of each candidate. What is blank is what racing saved.

RacingDisplay.from_search(search).plot()
plt.show()

# %%
# Timeline
# --------
# Which worker ran which fit when. Blank is what workers waited.

TimelineDisplay.from_search(search).plot()
plt.show()
