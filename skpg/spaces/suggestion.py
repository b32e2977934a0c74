"""From an estimator to a ready space."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import product
from typing import Any

from skpg.spaces import boosting, kernels, linear, transformers, trees
from skpg.spaces.entry import Entry

# In the order of the documentation.
FAMILIES: dict[str, tuple[Entry, ...]] = {
    "Trees, forests and other ensembles": trees.ENTRIES,
    "Boosting": boosting.ENTRIES,
    "Linear models": linear.ENTRIES,
    "Kernels, neighbours, naive Bayes, discriminants, neural networks": kernels.ENTRIES,
    "Transformers": transformers.ENTRIES,
}
# Their parts cannot be set, or are set by themselves.
CLOSED = {"FrozenEstimator", "BaseSearchCV"}


def suggest(estimator: Any) -> dict[str, Any] | list[dict[str, Any]]:
    """Return ready ranges for the hyperparameters of an estimator.

    Parameters
    ----------
    estimator : estimator object
        Of scikit-learn, LightGBM, XGBoost or CatBoost, or a pipeline, a column transformer or
        another meta-estimator that holds such estimators. A class that is derived from a known
        one is known too. It is not changed.

    Returns
    -------
    dict or list of dicts
        To be passed as `param_distributions`. Names of hyperparameters to lists and frozen
        distributions of `scipy.stats`, so that scikit-learn's ``RandomizedSearchCV`` takes it as
        well; several dicts where not all hyperparameters go with each other. It is new in each
        call, to be changed at will.

    Raises
    ------
    TypeError
        If `estimator` is no estimator, such as a class instead of an object.
    ValueError
        If nothing is known of it or of its parts; the message lists what is known.

    See Also
    --------
    PolicyGradientSearchCV : The search that takes the space.

    Notes
    -----
    The ranges and their reasons are in the user guide, :doc:`/user_guide/ready_spaces`. They
    depend on the class of an estimator, and only in few cases, such as the kernel of ``SVC``,
    on its present hyperparameters. Steps of which nothing is known are left out.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skpg import spaces
    >>> space = spaces.suggest(make_pipeline(StandardScaler(), KNeighborsClassifier()))
    >>> for name, values in space.items():
    ...     print(name, values)
    kneighborsclassifier__n_neighbors [1, 2, 3, 5, 7, 10, 15, 20, 30, 50]
    kneighborsclassifier__weights ['uniform', 'distance']
    kneighborsclassifier__p [1, 2]
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        what = f"the class {estimator.__name__}" if isinstance(estimator, type) else repr(estimator)
        raise TypeError(f"suggest takes an estimator object, got {what}")
    found = _alternatives(estimator)
    if not any(found):
        raise ValueError(_message(estimator))
    return found[0] if len(found) == 1 else found


def known_classes() -> list[str]:
    """Return the names of all classes that have ranges, sorted."""
    entries = (entry for entries in FAMILIES.values() for entry in entries)
    return sorted({name for entry in entries for name in entry.classes.split()})


def _alternatives(estimator: Any) -> list[dict[str, Any]]:
    """Return the dicts of an estimator and of its parts; one that is empty if there are none."""
    entry = _entry_of(estimator)
    found: list[dict[str, Any]] = [{}]
    if entry is not None:
        found = [
            {name: _fresh(values) for name, (values, _) in ranges.items()}
            for ranges in entry.alternatives
        ]
    for part, inner in _parts(estimator):
        named = [{f"{part}__{name}": value for name, value in d.items()} for d in inner]
        found = [{**outer, **d} for outer, d in product(found, named)]
    return found


def _entry_of(estimator: Any) -> Entry | None:
    """Return the entry of the nearest class of which something is known."""
    params = estimator.get_params(deep=False)
    for cls in type(estimator).__mro__:
        package = cls.__module__.partition(".")[0]
        for entry in (entry for entries in FAMILIES.values() for entry in entries):
            if (
                package == entry.package
                and cls.__name__ in entry.classes.split()
                and entry.holds_for(params)
                and _accepts(estimator, entry.names)
            ):
                return entry
    return None


def _accepts(estimator: Any, names: frozenset[str]) -> bool:
    """Whether an estimator has hyperparameters; a derived class may lack some."""
    # CatBoost's get_params has only what was given to it
    return names <= {*estimator.get_params(deep=False)} or names <= {
        *inspect.signature(type(estimator)).parameters
    }


def _parts(estimator: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the name and the dicts of each estimator that another one holds."""
    if CLOSED.intersection(cls.__name__ for cls in type(estimator).__mro__):
        return
    for name, value in estimator.get_params(deep=True).items():
        if "__" not in name and _is_estimator(value):
            yield name, _alternatives(value)


def _is_estimator(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)


def _fresh(values: Any) -> Any:
    """Return a list of its own to each caller; frozen distributions do not change."""
    return list(values) if isinstance(values, list) else values


def _message(estimator: Any) -> str:
    """Return what `suggest` says of an estimator of which nothing is known."""
    parts = [
        type(value).__name__
        for name, value in estimator.get_params(deep=True).items()
        if _is_estimator(value)
    ]
    holding = f", which holds {', '.join(parts)}" if parts else ""
    return (
        f"no ready ranges for {type(estimator).__name__}{holding}; known are "
        f"{', '.join(known_classes())}, classes derived from them, and pipelines and other "
        "meta-estimators that hold them"
    )
