"""What is known about a scorer: the greatest score that it can give."""

from __future__ import annotations

from typing import Any

from sklearn.base import is_classifier, is_regressor

from skpg._racing import Race

# Functions of sklearn.metrics that reach 1 and no more.
AT_MOST_ONE = {
    "accuracy_score",
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "average_precision_score",
    "balanced_accuracy_score",
    "cohen_kappa_score",
    "completeness_score",
    "d2_absolute_error_score",
    "d2_brier_score",
    "d2_log_loss_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "explained_variance_score",
    "f1_score",
    "fbeta_score",
    "fowlkes_mallows_score",
    "homogeneity_score",
    "jaccard_score",
    "label_ranking_average_precision_score",
    "matthews_corrcoef",
    "ndcg_score",
    "normalized_mutual_info_score",
    "precision_score",
    "r2_score",
    "rand_score",
    "recall_score",
    "roc_auc_score",
    "silhouette_score",
    "top_k_accuracy_score",
    "v_measure_score",
}
# Losses, the negatives of which are never above 0.
LOSSES = ("_loss", "_error", "_deviance", "_loss_score", "_likelihood_ratio")


def race_of(search: Any, scorer: Any) -> Race | None:
    """Return the race that a search asks for.

    Raises
    ------
    ValueError
        If the search asks for certainty and the scorer's bound is not known.
    """
    if search.racing is False:
        return None
    bound = search.racing_bound
    if bound is None:
        bound = score_bound(_reward_scorer(search, scorer), search.estimator)
    if bound is None and search.racing is True:
        raise ValueError(
            "racing=True needs to know the greatest score that a fold can have, which is not "
            f"known for scoring={search.scoring!r}. Set racing_bound to it, or racing to "
            "'optimistic'."
        )
    optimistic = search.racing == "optimistic"
    return Race(float("inf") if bound is None else float(bound), optimistic)


def score_bound(scorer: Any, estimator: Any) -> float | None:
    """Return the greatest score of a scorer; None where it is not known.

    Parameters
    ----------
    scorer : callable
    estimator : estimator object
        Whose own ``score`` the scorer may be.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> from skpg._scorers import score_bound
    >>> score_bound(get_scorer("f1_macro"), None), score_bound(get_scorer("neg_log_loss"), None)
    (1.0, 0.0)
    """
    function = getattr(scorer, "_score_func", None)  # of what make_scorer returns
    if function is None:
        own = type(scorer).__name__ == "_PassthroughScorer"
        return _bound_of_own_score(estimator) if own else None
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", "")
    if not module.startswith("sklearn.metrics") or "normalize" in getattr(scorer, "_kwargs", {}):
        return None
    if scorer._sign > 0:
        return 1.0 if name in AT_MOST_ONE else None
    return 0.0 if name.endswith(LOSSES) else None


def _bound_of_own_score(estimator: Any) -> float | None:
    """Return 1 where ``estimator.score`` is scikit-learn's accuracy or R squared."""
    while hasattr(estimator, "steps"):  # a pipeline scores with its last step
        estimator = estimator.steps[-1][1]
    score = getattr(type(estimator), "score", None)
    if not getattr(score, "__module__", "").startswith("sklearn."):
        return None
    return 1.0 if is_classifier(estimator) or is_regressor(estimator) else None


def _reward_scorer(search: Any, scorer: Any) -> Any:
    """Return the scorer of the metric to learn from, of several."""
    scorers = getattr(scorer, "_scorers", None)
    if scorers is None:
        return scorer
    return scorers[search.refit if isinstance(search.refit, str) else next(iter(scorers))]
