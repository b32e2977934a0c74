"""Boosting, of scikit-learn, LightGBM, XGBoost and CatBoost."""

from __future__ import annotations

from scipy.stats import loguniform, randint, uniform

from skpg.spaces.entry import Entry, log_integers, zero_and_log
from skpg.spaces.trees import CLASS_WEIGHT

RATE = (
    loguniform(0.01, 0.5),
    "Small steps need more trees; .01 to 1 in auto-sklearn :cite:p:`feurer2015`, .001 to 1 in "
    "FLAML :cite:p:`wang2021`, which may add trees without end.",
)
TREES = (
    log_integers(50, 500, 100),
    "Goes with the learning rate. With early stopping leave it out and set it high.",
)
ROWS = (
    uniform(0.5, 0.5),
    "Trees of parts of the rows overfit less, down to about a half :cite:p:`friedman2002`.",
)
COLUMNS = (
    uniform(0.3, 0.7),
    "Fewer features make trees differ, as in forests; .01 to 1 in FLAML :cite:p:`wang2021`.",
)
LEAVES = (
    log_integers(3, 150, 31),
    "Complexity of a tree that grows leaf by leaf, the first to tune :cite:p:`lightgbm`. Small "
    "data are best with few.",
)

_GRADIENT_BOOSTING = {
    "learning_rate": RATE,
    "n_estimators": (log_integers(50, 300, 100), TREES[1]),
    "max_depth": (
        randint(1, 9),
        "Stumps to interactions of eight features; 3 is the default.",
    ),
    "min_samples_leaf": (log_integers(1, 50, 1), "Keeps leaves from fitting single rows."),
    "subsample": ROWS,
    "max_features": ([None, "sqrt", 0.3, 0.6], "As in forests; it also makes fits faster."),
}
_HIST_GRADIENT_BOOSTING = {
    "learning_rate": RATE,
    "max_iter": (log_integers(50, 300, 100), TREES[1]),
    "max_leaf_nodes": LEAVES,
    "min_samples_leaf": (
        log_integers(2, 100, 20),
        "The default of 20 is much for small data; 1 to 200 in auto-sklearn :cite:p:`feurer2015`.",
    ),
    "l2_regularization": (zero_and_log(-3, 2), "Shrinks the values of leaves with few rows."),
    "max_features": (uniform(0.3, 0.7), COLUMNS[1]),
}
_LIGHTGBM = {
    "learning_rate": RATE,
    "n_estimators": TREES,
    "num_leaves": LEAVES,
    "min_child_samples": (
        log_integers(2, 128, 20),
        "The next to tune after the leaves :cite:p:`lightgbm`; 2 to 128 in FLAML "
        ":cite:p:`wang2021`.",
    ),
    "colsample_bytree": COLUMNS,
    "subsample": ROWS,
    "subsample_freq": ([0, 1], "With 0, the default, ``subsample`` has no effect."),
    "reg_lambda": (zero_and_log(-3, 2), "0 is LightGBM's default; up to 1024 in FLAML."),
}
_XGBOOST = {
    "learning_rate": RATE,
    "n_estimators": TREES,
    "max_depth": (
        randint(1, 11),
        "With ``min_child_weight`` what controls the complexity :cite:p:`xgboost`; 6 is the "
        "default.",
    ),
    "min_child_weight": (
        loguniform(0.01, 100),
        "The hessian in a leaf: rows in regression, less in classification. "
        "1 is the default; .001 to 128 in FLAML :cite:p:`wang2021`.",
    ),
    "subsample": ROWS,
    "colsample_bytree": COLUMNS,
    "reg_lambda": (loguniform(1e-3, 1e2), "1 is the default; .001 to 1024 in FLAML."),
}
_XGBOOST_FOREST = {
    "max_depth": (randint(2, 17), "Trees of a forest are deep; 6 is the default."),
    "colsample_bynode": (uniform(0.1, 0.9), "As ``max_features`` of a forest; .8 is the default."),
    "subsample": ROWS,
}
_CATBOOST = {
    "learning_rate": (
        loguniform(0.01, 0.3),
        "CatBoost guesses it from the data; the range lies around its guesses :cite:p:`catboost`.",
    ),
    "depth": (randint(4, 11), "4 to 10 is what its guide recommends :cite:p:`catboost`."),
    "l2_leaf_reg": (loguniform(1, 30), "3 is the default; to be tried upwards."),
}

ENTRIES = (
    Entry("GradientBoostingClassifier GradientBoostingRegressor", [_GRADIENT_BOOSTING]),
    Entry(
        "HistGradientBoostingClassifier",
        [{**_HIST_GRADIENT_BOOSTING, "class_weight": CLASS_WEIGHT}],
    ),
    Entry("HistGradientBoostingRegressor", [_HIST_GRADIENT_BOOSTING]),
    Entry(
        "AdaBoostClassifier AdaBoostRegressor",
        [
            {
                "n_estimators": (
                    log_integers(30, 300, 50),
                    "50 to 500 in auto-sklearn :cite:p:`feurer2015`.",
                ),
                "learning_rate": (
                    loguniform(0.01, 2),
                    "The same as in auto-sklearn; with more than 2 the weights explode.",
                ),
            }
        ],
    ),
    Entry(
        "LGBMClassifier LGBMRegressor LGBMRanker",
        [_LIGHTGBM],
        package="lightgbm",
        when={"boosting_type": ("gbdt", "dart")},
    ),
    Entry("XGBRFClassifier XGBRFRegressor", [_XGBOOST_FOREST], package="xgboost"),
    Entry(
        "XGBClassifier XGBRegressor XGBRanker",
        [_XGBOOST],
        package="xgboost",
        when={"booster": (None, "gbtree", "dart")},
    ),
    Entry("CatBoostClassifier CatBoostRegressor", [_CATBOOST], package="catboost"),
)
