"""
With skrub: the choices of a pipeline
=====================================

skrub's choices stand inside of a pipeline, where the values are used, and may contain each other.
Its search with ``backend="optuna"`` takes any sampler of Optuna, and so the policy. Needs
``pip install "skpg[optuna]" skrub``.
"""

import optuna
import skrub
from sklearn.datasets import load_wine
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from skpg.integrations.optuna import PolicyGradientSampler

optuna.logging.set_verbosity(optuna.logging.WARNING)

# %%
# The pipeline and its choices
# ----------------------------
# Each kind of model has hyperparameters of its own; the limit of the depth is a choice with a
# number inside.

frame = load_wine(as_frame=True).frame
data = skrub.var("data", frame)
X = data.drop(columns="target").skb.mark_as_X()
y = data["target"].skb.mark_as_y()
scaler = skrub.choose_from({"standard": StandardScaler(), "minmax": MinMaxScaler()}, name="scaler")
model = skrub.choose_from(
    {
        "svm": SVC(
            C=skrub.choose_float(1e-3, 1e3, log=True, name="C"),
            gamma=skrub.choose_float(1e-5, 1e1, log=True, name="gamma"),
            shrinking=skrub.choose_bool(name="shrinking"),
        ),
        "trees": ExtraTreesClassifier(
            n_estimators=skrub.choose_int(2, 20, log=True, name="n_estimators"),
            max_depth=skrub.optional(skrub.choose_int(1, 10, name="max_depth"), name="limit"),
            random_state=0,
        ),
    },
    name="model",
)
prediction = X.skb.apply(scaler).skb.apply(model, y=y)

# %%
# The search
# ----------
# skrub names the trials' hyperparameters by their numbers, too. The seed is the sampler's: the
# `random_state` of the search is for skrub's own samplers.

search = prediction.skb.make_randomized_search(
    backend="optuna", sampler=PolicyGradientSampler(seed=0), n_iter=40, cv=3, fitted=True
)
print(search.results_.head().to_string())
print(search.study_.best_params, round(search.best_score_, 4))
