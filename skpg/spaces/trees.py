"""Trees, forests, and ensembles of other estimators."""

from __future__ import annotations

from scipy.stats import uniform

from skpg.spaces.entry import Entry, log_integers

_FRACTIONS = [0.1, 0.2, 0.35, 0.5, 0.7, 1.0]

CRITERION = (["gini", "entropy"], "Rarely matters much, and is free to try.")
CLASS_WEIGHT = (
    [None, "balanced"],
    "Helps metrics that count each class alike, where classes differ in size; auto-sklearn has it "
    ":cite:p:`feurer2015`.",
)
DEPTH = (
    [None, 2, 3, 4, 6, 8, 12, 16],
    "From a few rules to no limit. A depth limits all leaves alike, ``min_samples_leaf`` only "
    "those with few rows.",
)
LEAF = (
    log_integers(1, 50, 1),
    "How many rows a leaf and a split must have is what matters most in single trees "
    ":cite:p:`probst2019,mantovani2024`.",
)
FOREST_LEAF = (
    log_integers(1, 20, 1),
    "With ``max_features`` one of the two that matter most over 100 data sets; 1 to 20 is the "
    "range there, and small values are the best :cite:p:`vanrijn2018`.",
)
PRUNING = (
    [0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
    "Prunes what does not pay. Its unit is impurity, which in classification is known; in "
    "regression it is that of y squared, so it is left out there.",
)
SPLIT_FEATURES = (
    [None, "sqrt", 0.35, 0.7],
    "Fewer features per split help where many are noise.",
)
FEATURES_OF_CLASSIFIER = (
    ["sqrt", *_FRACTIONS],
    "What is most worth tuning in forests :cite:p:`probst2019`: from splits that are nearly random "
    "to all features.",
)
FEATURES_OF_REGRESSOR = (
    uniform(0.1, 0.9),
    "What is most worth tuning in forests :cite:p:`probst2019`; the default, all features, makes "
    "the trees alike.",
)
BOOTSTRAP = (
    [True, False],
    "Trees of all rows, or of samples that differ; which is better depends on the data.",
)

ENTRIES = (
    Entry(
        "DecisionTreeClassifier",
        [
            {
                "max_depth": DEPTH,
                "min_samples_leaf": LEAF,
                "ccp_alpha": PRUNING,
                "max_features": SPLIT_FEATURES,
                "criterion": CRITERION,
                "class_weight": CLASS_WEIGHT,
            }
        ],
    ),
    Entry(
        "DecisionTreeRegressor",
        [{"max_depth": DEPTH, "min_samples_leaf": LEAF, "max_features": SPLIT_FEATURES}],
    ),
    Entry(
        "ExtraTreeClassifier",
        [
            {
                "max_depth": DEPTH,
                "min_samples_leaf": LEAF,
                "max_features": FEATURES_OF_CLASSIFIER,
                "class_weight": CLASS_WEIGHT,
            }
        ],
    ),
    Entry(
        "ExtraTreeRegressor",
        [{"max_depth": DEPTH, "min_samples_leaf": LEAF, "max_features": FEATURES_OF_REGRESSOR}],
    ),
    Entry(
        "RandomForestClassifier ExtraTreesClassifier",
        [
            {
                "max_features": FEATURES_OF_CLASSIFIER,
                "min_samples_leaf": FOREST_LEAF,
                "bootstrap": BOOTSTRAP,
                "criterion": CRITERION,
                "class_weight": CLASS_WEIGHT,
            }
        ],
    ),
    Entry(
        "RandomForestRegressor ExtraTreesRegressor",
        [
            {
                "max_features": FEATURES_OF_REGRESSOR,
                "min_samples_leaf": FOREST_LEAF,
                "bootstrap": BOOTSTRAP,
            }
        ],
    ),
    Entry(
        "BaggingClassifier BaggingRegressor",
        [
            {
                "n_estimators": (
                    log_integers(10, 100, 10),
                    "More are rarely worse; the default, 10, is few.",
                ),
                "max_features": (
                    uniform(0.3, 0.7),
                    "Estimators on parts of the features differ more from each other.",
                ),
                "bootstrap": BOOTSTRAP,
            }
        ],
    ),
    Entry(
        "CalibratedClassifierCV",
        [
            {
                "method": (
                    ["sigmoid", "isotonic"],
                    "Isotonic needs about a thousand rows, as scikit-learn's user guide says.",
                )
            }
        ],
    ),
    Entry(
        "StackingClassifier StackingRegressor",
        [
            {
                "passthrough": (
                    [False, True],
                    "Whether the final estimator sees the features too.",
                )
            }
        ],
    ),
)
