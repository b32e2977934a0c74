"""
With Optuna: a sampler, and a search in the dashboard
=====================================================

The policy as the sampler of an Optuna study, and a search recorded as one. Needs
``pip install "skpg[optuna]"``. With a path as its argument both studies are stored there, to be
looked at, also while they run, with ``optuna-dashboard sqlite:///PATH``.
"""

import sys

import optuna
from scipy.stats import loguniform
from sklearn.datasets import load_wine
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skpg import PolicyGradientSearchCV
from skpg.integrations.optuna import OptunaCallback, PolicyGradientSampler

X, y = load_wine(return_X_y=True)
storage = optuna.storages.InMemoryStorage()
if sys.argv[1:] and __name__ == "__main__":
    storage = f"sqlite:///{sys.argv[1]}"
optuna.logging.set_verbosity(optuna.logging.WARNING)

# %%
# The sampler
# -----------
# The objective decides what it asks for; the sampler finds out that ``C`` exists for one kind of
# model only, and searches both kinds as one space.


def objective(trial):
    """Return the accuracy of one of two kinds of models."""
    if trial.suggest_categorical("model", ["svm", "trees"]) == "svm":
        model = make_pipeline(
            StandardScaler(),
            SVC(
                C=trial.suggest_float("C", 1e-3, 1e3, log=True),
                gamma=trial.suggest_float("gamma", 1e-5, 1e1, log=True),
            ),
        )
    else:
        model = ExtraTreesClassifier(
            n_estimators=20,
            max_depth=trial.suggest_int("max_depth", 1, 10),
            random_state=0,
        )
    return cross_val_score(model, X, y, cv=3).mean()


study = optuna.create_study(
    direction="maximize",
    sampler=PolicyGradientSampler(seed=0),
    storage=storage,
    study_name="sampler",
    load_if_exists=True,
)
study.optimize(objective, n_trials=40)
print(study.best_params, round(study.best_value, 4))

# %%
# A search as a study
# -------------------
# Each finished candidate becomes a trial at once: the dashboard shows the search while it runs.

callback = OptunaCallback(storage, "search")
search = PolicyGradientSearchCV(
    make_pipeline(StandardScaler(), SVC()),
    {"svc__C": loguniform(1e-3, 1e3), "svc__gamma": loguniform(1e-5, 1e1)},
    n_iter=40,
    cv=3,
    random_state=0,
    callbacks=[callback],
).fit(X, y)
for trial in sorted(callback.study.trials, key=lambda trial: -trial.value)[:5]:
    params = {name: float(f"{value:.3g}") for name, value in trial.params.items()}
    print(f"{trial.number:>3}  {trial.value:.4f}  {params}")
