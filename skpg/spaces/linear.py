"""Linear models."""

from __future__ import annotations

from scipy.stats import loguniform, uniform

from skpg.spaces.entry import Entry, zero_and_log
from skpg.spaces.trees import CLASS_WEIGHT

C = (loguniform(1e-4, 1e4), "The range of ``LogisticRegressionCV``.")
L1_RATIO = (uniform(0, 1), "From ridge to lasso; only saga solves all of them.")
RIDGE = (
    loguniform(1e-3, 1e3),
    ":math:`2^{-10}` to :math:`2^{10}` in :cite:t:`probst2019`; for standardised features.",
)
LASSO = (
    loguniform(1e-4, 1e2),
    "Its unit is that of the target: wide, since the target is seldom standardised.",
)
SGD_ALPHA = (loguniform(1e-7, 1e-1), "The same as in auto-sklearn :cite:p:`feurer2015`.")
SGD_PENALTY = (["l2", "l1", "elasticnet"], "Sparse weights help where many features are noise.")
SGD_L1_RATIO = (uniform(0.01, 0.99), "Has an effect with elasticnet only, as the search finds out.")
AVERAGE = ([False, True], "Averaged weights are less noisy; auto-sklearn has both.")
GLM = (loguniform(1e-4, 1e2), "As for ridge; 1 is the default.")

_LOGISTIC = {"C": C, "class_weight": CLASS_WEIGHT}
_ELASTIC = {"solver": (["saga"], L1_RATIO[1]), **_LOGISTIC, "l1_ratio": L1_RATIO}
_SGD_CLASSIFIER = {
    "alpha": SGD_ALPHA,
    "penalty": SGD_PENALTY,
    "l1_ratio": SGD_L1_RATIO,
    "average": AVERAGE,
    "class_weight": CLASS_WEIGHT,
}

ENTRIES = (
    # From scikit-learn 1.8 on, l1_ratio alone decides; before, the penalty must say so too.
    Entry("LogisticRegression", [_LOGISTIC, _ELASTIC], when={"penalty": ("deprecated",)}),
    Entry(
        "LogisticRegression",
        [_LOGISTIC, {**_ELASTIC, "penalty": (["elasticnet"], "Before scikit-learn 1.8.")}],
        when={"penalty": ("l2",)},
    ),
    Entry("LogisticRegression", [_LOGISTIC]),
    Entry("RidgeClassifier", [{"alpha": RIDGE, "class_weight": CLASS_WEIGHT}]),
    Entry("Ridge", [{"alpha": RIDGE}]),
    Entry("Lasso LassoLars", [{"alpha": LASSO}]),
    Entry(
        "ElasticNet",
        [
            {
                "alpha": LASSO,
                "l1_ratio": (
                    uniform(0.05, 0.95),
                    "Ridge to lasso; 0 itself is not solved well by coordinate descent.",
                ),
            }
        ],
    ),
    Entry(
        "SGDClassifier",
        [
            {
                "loss": (
                    ["log_loss", "modified_huber"],
                    "Those that have probabilities, as the present one has.",
                ),
                **_SGD_CLASSIFIER,
            }
        ],
        when={"loss": ("log_loss", "modified_huber")},
    ),
    Entry(
        "SGDClassifier",
        [
            {
                "loss": (
                    ["hinge", "squared_hinge", "log_loss", "modified_huber"],
                    "Those of auto-sklearn without the perceptron's :cite:p:`feurer2015`.",
                ),
                **_SGD_CLASSIFIER,
            }
        ],
    ),
    Entry(
        "SGDRegressor",
        [
            {
                "loss": (["squared_error", "huber"], "Huber is robust to outliers."),
                "alpha": SGD_ALPHA,
                "penalty": SGD_PENALTY,
                "l1_ratio": SGD_L1_RATIO,
                "eta0": (
                    loguniform(1e-4, 0.02),
                    "Steps that are larger than 2 over the squared length of a row diverge: .02 is "
                    "safe for a hundred standardised features.",
                ),
                "learning_rate": (
                    ["invscaling", "adaptive"],
                    "A constant rate does not converge.",
                ),
                "average": AVERAGE,
            }
        ],
    ),
    Entry(
        "HuberRegressor",
        [
            {
                "epsilon": (
                    uniform(1.01, 1.99),
                    "From medians to nearly least squares; 1.35 is the default.",
                ),
                "alpha": (loguniform(1e-6, 1e2), "As for ridge; 1e-4 is the default."),
            }
        ],
    ),
    Entry("PoissonRegressor GammaRegressor TweedieRegressor", [{"alpha": GLM}]),
    Entry("QuantileRegressor", [{"alpha": (loguniform(1e-4, 1e1), "As for the lasso.")}]),
    Entry(
        "LinearSVC",
        [
            {
                "C": (
                    loguniform(1e-4, 1e2),
                    "Larger values take long and change little :cite:p:`fan2008`.",
                ),
                "class_weight": CLASS_WEIGHT,
            }
        ],
    ),
    Entry(
        "LinearSVR",
        [
            {
                "C": (
                    loguniform(1e-3, 1e3),
                    "Wider upwards than in classification: it grows with the unit of the target.",
                ),
                "epsilon": (zero_and_log(-3, 0), "In the unit of the target; 0 is the default."),
                "loss": (
                    ["epsilon_insensitive", "squared_epsilon_insensitive"],
                    "Absolute or squared errors.",
                ),
            }
        ],
    ),
)
