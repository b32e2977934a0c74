"""Transformers."""

from __future__ import annotations

from scipy.stats import loguniform, randint, uniform

from skpg.spaces.entry import Entry, log_integers

_WORDS = {
    "ngram_range": (
        [(1, 1), (1, 2)],
        "Single words or pairs too, as in scikit-learn's example for text.",
    ),
    "min_df": ([1, 2, 3, 5], "Words of one document cannot be learned from."),
    "max_df": (uniform(0.5, 0.5), "Words of nearly all documents say little."),
}
_COUNTS = {
    "sublinear_tf": ([False, True], "The tenth occurrence says less than the first."),
    "use_idf": ([True, False], "Rare words say more, if they are no noise."),
}
_INDICATOR = ([False, True], "That a value is missing may say something itself.")
_MAP = {
    "n_components": (log_integers(50, 500, 100), "More are nearer to the kernel, and slower."),
}

ENTRIES = (
    Entry(
        "PCA",
        [
            {
                "n_components": (
                    [None, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99],
                    "Shares of the variance fit data of any width; .5 to .9999 in auto-sklearn "
                    ":cite:p:`feurer2015`.",
                ),
                "whiten": ([False, True], "Distances then count all components alike."),
            }
        ],
        when={"svd_solver": ("auto", "full")},
    ),
    Entry(
        "SelectKBest",
        [
            {
                "k": (
                    [*log_integers(1, 100, 10), "all"],
                    "A k above the number of features keeps all; ``SelectPercentile`` fits data "
                    "of any width.",
                )
            }
        ],
    ),
    Entry(
        "SelectPercentile",
        [{"percentile": (uniform(5, 95), "From few features to all.")}],
    ),
    Entry(
        "SelectFromModel",
        [
            {
                "threshold": (
                    [None, "0.1*mean", "0.5*mean", "median"],
                    "Relative ones suit models of any scale.",
                )
            }
        ],
    ),
    Entry(
        "PolynomialFeatures",
        [
            {
                "degree": (
                    [1, 2],
                    "From degree 3 on, the number of features grows with the cube of those that "
                    "there are.",
                ),
                "interaction_only": ([False, True], "Products without squares are fewer."),
            }
        ],
    ),
    Entry(
        "SplineTransformer",
        [
            {
                "n_knots": (randint(3, 12), "How fast a curve may bend; 5 is the default."),
                "degree": (randint(1, 4), "Pieces that are straight to smooth ones."),
            }
        ],
    ),
    Entry(
        "KBinsDiscretizer",
        [
            {
                "n_bins": (log_integers(2, 20, 5), "More bins than 20 have few rows."),
                "strategy": (["quantile", "uniform"], "Bins of equal size or width."),
            }
        ],
    ),
    Entry(
        "SimpleImputer",
        [
            {
                "strategy": (
                    ["mean", "median", "most_frequent"],
                    "Those of auto-sklearn :cite:p:`feurer2015`. Where the present one is another, "
                    "features may be strings, and nothing is suggested.",
                ),
                "add_indicator": _INDICATOR,
            }
        ],
        when={"strategy": ("mean", "median")},
    ),
    Entry(
        "KNNImputer",
        [
            {
                "n_neighbors": (log_integers(1, 30, 5), "As for the nearest neighbours."),
                "weights": (["uniform", "distance"], "As for the nearest neighbours."),
                "add_indicator": _INDICATOR,
            }
        ],
    ),
    Entry(
        "OneHotEncoder",
        [
            {
                "min_frequency": (
                    [None, 2, 3, 5, 10, 20],
                    "Rare categories are better together; auto-sklearn does so "
                    ":cite:p:`feurer2015`.",
                )
            }
        ],
    ),
    Entry(
        "TargetEncoder",
        [{"smooth": (["auto", 1.0, 10.0, 100.0], "Rows that a category must have to count.")}],
    ),
    Entry(
        "RobustScaler",
        [
            {
                "quantile_range": (
                    [(25.0, 75.0), (10.0, 90.0), (5.0, 95.0)],
                    "auto-sklearn tunes both ends :cite:p:`feurer2015`.",
                )
            }
        ],
    ),
    Entry(
        "QuantileTransformer",
        [{"output_distribution": (["uniform", "normal"], "Both of auto-sklearn.")}],
    ),
    Entry("TfidfVectorizer", [{**_WORDS, **_COUNTS}], when={"analyzer": ("word",)}),
    Entry(
        "CountVectorizer",
        [{**_WORDS, "binary": ([False, True], "Whether a word occurs may be all that counts.")}],
        when={"analyzer": ("word",)},
    ),
    Entry("TfidfTransformer", [_COUNTS]),
    Entry(
        "Nystroem",
        [
            {
                **_MAP,
                "gamma": (
                    [None, 1e-3, 1e-2, 1e-1, 1.0],
                    "As for support vector machines; None is one over the number of features.",
                ),
            }
        ],
        when={"kernel": ("rbf",)},
    ),
    Entry(
        "RBFSampler",
        [{**_MAP, "gamma": (loguniform(1e-4, 1e1), "As for support vector machines.")}],
    ),
)
