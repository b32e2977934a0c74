"""The greatest score that a scorer can give, where that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sklearn.metrics import get_scorer

from skpg.evaluation.racing import Race
from skpg.evaluation.settings import SearchSettings

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
LOSSES = ("_loss", "_error", "_deviance", "_likelihood_ratio")

# What the ``score`` of an estimator may be, by the function's qualified name: one that a
# subclass defines has another.
ACCURACY_OR_R2 = {
    "sklearn.base.ClassifierMixin.score",
    "sklearn.base.RegressorMixin.score",
    "sklearn.dummy.DummyClassifier.score",
    "sklearn.dummy.DummyRegressor.score",
    "sklearn.linear_model._glm.glm._GeneralizedLinearRegressor.score",
    "sklearn.multioutput.MultiOutputClassifier.score",
    "sklearn.neighbors._classification.KNeighborsClassifier.score",
    "sklearn.neighbors._classification.RadiusNeighborsClassifier.score",
}
SCORE_OF_LAST_STEP = {"imblearn.pipeline.Pipeline.score", "sklearn.pipeline.Pipeline.score"}
SCORE_OF_INNER_ESTIMATOR = {
    "sklearn.feature_selection._rfe.RFE.score",
    "sklearn.linear_model._ransac.RANSACRegressor.score",
    "sklearn.semi_supervised._self_training.SelfTrainingClassifier.score",
}
# By their parameter `scoring`; without one these give the accuracy or R squared.
SCORE_OF_SCORING = {
    "sklearn.feature_selection._rfe.RFECV.score",
    "sklearn.linear_model._logistic.LogisticRegressionCV.score",
}
SCORE_OF_SEARCH = "sklearn.model_selection._search.BaseSearchCV.score"

# What `scoring` is where none is chosen.
NO_SCORING = (None, "warn")

# Names of hyperparameters to the values that candidates have.
Choices = Mapping[str, Iterable[Any]]


def race_of(settings: SearchSettings, scorer: Any) -> Race | None:
    """Return the race that a settings ask for.

    Raises
    ------
    ValueError
        If the settings ask for certainty and the scorer's bound is not known.
    """
    if settings.racing is False:
        return None
    bound = settings.racing_bound
    if bound is None:
        scorer = reward_scorer(settings, scorer)
        bound = score_bound(scorer, settings.estimator, settings.param_distributions)
    if bound is None and settings.racing is True:
        score = f"scoring={settings.scoring!r}"
        if settings.scoring is None:
            score = f"the score method of {settings.estimator!r} under all candidates"
        raise ValueError(
            "racing=True needs to know the greatest score that a fold can have, which is not "
            f"known for {score}. Set racing_bound to it, or racing to 'optimistic'."
        )
    optimistic = settings.racing == "optimistic"
    return Race(float("inf") if bound is None else float(bound), optimistic)


def score_bound(scorer: Any, estimator: Any, space: Any = ()) -> float | None:
    """Return the greatest score of a scorer; None where it is not known.

    Parameters
    ----------
    scorer : callable
    estimator : estimator object
        Whose own ``score`` the scorer may be.
    space : dict or list of dicts, default=()
        What candidates change of the estimator, which may be what it scores with.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> from skpg.evaluation.score_bounds import score_bound
    >>> score_bound(get_scorer("f1_macro"), None), score_bound(get_scorer("neg_log_loss"), None)
    (1.0, 0.0)
    """
    if type(scorer).__name__ == "_PassthroughScorer":
        bounds = [b for choices in _branches(space) for b in _bounds_of_own(estimator, choices)]
        known = [bound for bound in bounds if bound is not None]
        return max(known) if known == bounds else None
    function = getattr(scorer, "_score_func", None)  # of what make_scorer returns
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", "")
    if not module.startswith("sklearn.metrics") or "normalize" in getattr(scorer, "_kwargs", {}):
        return None
    if scorer._sign > 0:
        return 1.0 if name in AT_MOST_ONE else None
    return 0.0 if name.endswith(LOSSES) else None


def _branches(space: Any) -> list[Choices]:
    """Return the choices of each dict of a space; a distribution is a choice itself."""
    dicts = [space] if isinstance(space, Mapping) else list(space) or [{}]
    return [
        {name: values if hasattr(values, "__len__") else [values] for name, values in d.items()}
        for d in dicts
    ]


def _bounds_of_own(estimator: Any, choices: Choices) -> Iterator[float | None]:
    """Yield the bounds of all that the ``score`` of an estimator may be."""
    function = getattr(type(estimator), "score", None)
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
    if name in ACCURACY_OR_R2:
        yield 1.0
    elif name in SCORE_OF_LAST_STEP and "steps" not in choices:
        step, last = estimator.steps[-1]
        yield from _bounds_of_part(step, last, choices)
    elif name in SCORE_OF_INNER_ESTIMATOR:
        yield from _bounds_of_part("estimator", estimator.estimator, choices)
    elif name in SCORE_OF_SCORING:
        for scoring in choices.get("scoring", [estimator.scoring]):
            yield 1.0 if scoring in NO_SCORING else _bound_of_scoring(scoring)
    elif name == SCORE_OF_SEARCH:
        yield from _bounds_of_search(estimator, choices)
    else:
        yield None


def _bounds_of_part(name: str, part: Any, choices: Choices) -> Iterator[float | None]:
    """Yield the bounds of a part of an estimator, which candidates may replace and change."""
    prefix = f"{name}__"
    inner = {
        key.removeprefix(prefix): values
        for key, values in choices.items()
        if key.startswith(prefix)
    }
    for estimator in choices.get(name, [part]):
        yield from _bounds_of_own(estimator, inner)


def _bounds_of_search(search: Any, choices: Choices) -> Iterator[float | None]:
    """Yield the bounds of an inner search, which has candidates of its own."""
    spaces = {"param_grid", "param_distributions"} & set(vars(search))
    for scoring in choices.get("scoring", [search.scoring]):
        if scoring is not None:
            yield _bound_of_scoring(scoring)
        elif len(spaces) != 1 or spaces & set(choices):
            yield None
        else:
            for branch in _branches(getattr(search, *spaces)):
                own = {f"estimator__{name}": values for name, values in branch.items()}
                yield from _bounds_of_part("estimator", search.estimator, {**choices, **own})


def _bound_of_scoring(scoring: Any) -> float | None:
    """Return the bound of one `scoring`, None where it is of several metrics."""
    return score_bound(get_scorer(scoring) if isinstance(scoring, str) else scoring, None)


def reward_scorer(settings: SearchSettings, scorer: Any) -> Any:
    """Return the scorer of the metric to learn from, of several."""
    scorers = getattr(scorer, "_scorers", None)
    if scorers is None:
        return scorer
    return scorers[settings.refit if isinstance(settings.refit, str) else next(iter(scorers))]
