"""Support vector machines, neighbours, naive Bayes, discriminants and neural networks."""

from __future__ import annotations

from scipy.stats import loguniform, uniform

from skpg.spaces.entry import Entry, log_integers
from skpg.spaces.trees import CLASS_WEIGHT

C = (
    loguniform(1e-2, 1e4),
    r":math:`2^{-5}` to :math:`2^{15}` in the guide of libsvm's authors :cite:p:`hsu2003`, a "
    "little less at the top, where fits take long.",
)
C_OF_POLYNOMIAL = (
    loguniform(1e-2, 1e2),
    "Polynomial kernels are not bounded: with a large C the fit may not end.",
)
C_ALONE = (loguniform(1e-3, 1e2), "Kernels that are not bounded take long with a large C.")
GAMMA = (
    loguniform(2.0**-15, 2.0**3),
    "The range of the guide of libsvm's authors, for standardised features :cite:p:`hsu2003`.",
)
SCALED_GAMMA = (["scale"], "Suits features of any scale.")
EPSILON = (
    loguniform(1e-3, 1.0),
    "In the unit of the target; the range of auto-sklearn :cite:p:`feurer2015`.",
)
DEGREE = ([2, 3, 4], "Higher degrees overfit; 1 is the linear kernel.")
COEF0 = ([0.0, 1.0], "With 1 the lower degrees count too.")
RIDGE = (loguniform(1e-4, 1e2), "As for ridge; 1 is the default.")
SMOOTHING = (loguniform(1e-3, 1e2), ".01 to 100 in auto-sklearn :cite:p:`feurer2015`.")

NEIGHBORS = (
    log_integers(1, 50, 5),
    "1 to 100 in auto-sklearn :cite:p:`feurer2015`; 50 so that 150 rows in folds have them.",
)
DISTANCE = (["uniform", "distance"], "Weights let distant neighbours matter less.")
SHRINKAGE = (
    loguniform(1e-3, 1.0),
    "Needed where rows are few for the features; 0 is what svd has.",
)

_QUADRATIC = {
    "reg_param": (
        uniform(0, 1),
        "The same as in auto-sklearn :cite:p:`feurer2015`; at 1 all directions have the same "
        "variance.",
    )
}
_MARGIN = {"class_weight": CLASS_WEIGHT}
_TUBE = {"epsilon": EPSILON}
_SCALED = {
    "kernel": (["rbf", "poly"], "The linear kernel is a limit of rbf :cite:p:`keerthi2003`."),
    "gamma": SCALED_GAMMA,
    "C": C_OF_POLYNOMIAL,
    "degree": DEGREE,
    "coef0": COEF0,
}
_RBF = {
    "kernel": (["rbf"], "The first to try :cite:p:`hsu2003`."),
    "gamma": GAMMA,
    "C": C,
}
_POLYNOMIAL = {"C": C_OF_POLYNOMIAL, "degree": DEGREE, "coef0": COEF0}
_KERNEL_RIDGE_ALPHA = {"alpha": RIDGE}

ENTRIES = (
    Entry("SVC", [{**_SCALED, **_MARGIN}, {**_RBF, **_MARGIN}], when={"kernel": ("rbf",)}),
    Entry("SVR", [{**_SCALED, **_TUBE}, {**_RBF, **_TUBE}], when={"kernel": ("rbf",)}),
    Entry("SVC", [{**_POLYNOMIAL, **_MARGIN}], when={"kernel": ("poly",)}),
    Entry("SVR", [{**_POLYNOMIAL, **_TUBE}], when={"kernel": ("poly",)}),
    Entry("SVC", [{"C": C_ALONE, **_MARGIN}]),
    Entry("SVR", [{"C": C_ALONE, **_TUBE}]),
    Entry(
        "KernelRidge",
        [
            {"kernel": (["linear"], "The default."), **_KERNEL_RIDGE_ALPHA},
            {
                "kernel": (["rbf", "laplacian"], "Smooth and rough functions."),
                **_KERNEL_RIDGE_ALPHA,
                "gamma": GAMMA,
            },
        ],
        when={"kernel": ("linear",)},
    ),
    Entry("KernelRidge", [_KERNEL_RIDGE_ALPHA]),
    Entry(
        "KNeighborsClassifier KNeighborsRegressor",
        [
            {
                "n_neighbors": NEIGHBORS,
                "weights": DISTANCE,
                "p": ([1, 2], "The Manhattan distance minds outliers less."),
            }
        ],
        when={"metric": ("minkowski",)},
    ),
    Entry(
        "KNeighborsClassifier KNeighborsRegressor",
        [{"n_neighbors": NEIGHBORS, "weights": DISTANCE}],
    ),
    Entry(
        "GaussianNB",
        [
            {
                "var_smoothing": (
                    loguniform(1e-12, 1.0),
                    "From none to the largest variance of a feature.",
                )
            }
        ],
    ),
    Entry(
        "MultinomialNB ComplementNB BernoulliNB CategoricalNB",
        [
            {
                "alpha": SMOOTHING,
                "fit_prior": ([True, False], "Equal priors suit classes of unequal size."),
            }
        ],
    ),
    Entry(
        "LinearDiscriminantAnalysis",
        [
            {
                "solver": (["svd"], "The default; it cannot shrink."),
                "tol": (loguniform(1e-5, 1e-1), "Which directions are too flat to count."),
            },
            {
                "solver": (["eigen"], "The one that shrinks and transforms."),
                "shrinkage": SHRINKAGE,
            },
        ],
    ),
    # The parameter solver came with scikit-learn 1.8.
    Entry(
        "QuadraticDiscriminantAnalysis",
        [
            {"solver": (["svd"], "The default; fails where a class has few rows."), **_QUADRATIC},
            {
                "solver": (["eigen"], "With it also small classes can be fitted."),
                "shrinkage": SHRINKAGE,
            },
        ],
        when={"solver": ("svd",)},
    ),
    Entry("QuadraticDiscriminantAnalysis", [_QUADRATIC], when={"solver": (None,)}),
    Entry(
        "MLPClassifier MLPRegressor",
        [
            {
                "hidden_layer_sizes": (
                    [(100,), (32,), (64,), (256,), (32, 32), (64, 64), (128, 128), (64, 64, 64)],
                    "One to three layers of 16 to 264 units in auto-sklearn :cite:p:`feurer2015`.",
                ),
                "activation": (["relu", "tanh"], "Those of auto-sklearn."),
                "alpha": (loguniform(1e-5, 1.0), "The same as in auto-sklearn."),
                "learning_rate_init": (
                    loguniform(1e-4, 0.1),
                    "What matters most; up to .5 in auto-sklearn, which stops early.",
                ),
            }
        ],
        when={"solver": ("adam",)},
    ),
    Entry(
        "MLPClassifier MLPRegressor",
        [
            {
                "hidden_layer_sizes": ([(100,), (32,), (64,), (64, 64)], "As for adam."),
                "alpha": (loguniform(1e-5, 1.0), "As for adam."),
            }
        ],
    ),
)
